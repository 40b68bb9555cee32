//! Who signed a statement, and with what.

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use watchfloor_model::ids::PersonId;

use super::{Assertion, Bytes, Digest, Key, KeyId, People, Person, Public, Refusal, SIGN_IN_AGE_MS_MAX, Statement};

/// A statement and the proof that its person made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// What proves it.
    pub proof: Proof,
}

/// What proves that a person made a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// A passkey answered to the hash of the statement.
    Passkey(Assertion),
    /// An enrolled Ed25519 key signed the statement.
    Ed25519 {
        /// Which key.
        key: KeyId,
        /// The signature, 64 bytes.
        signature: Bytes,
    },
    /// The person signed in again for this statement.
    SignIn(SignIn),
}

/// The house says that a person has just signed in again, to make one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The house's key that says so.
    pub key: KeyId,
    /// When they signed in, in milliseconds since 1970.
    pub at: i64,
    /// How: a password and a code, another house's sign-in, …
    pub method: String,
    /// The signature, 64 bytes, over [`SignIn::canonical`].
    pub signature: Bytes,
}

#[derive(Serialize)]
struct MarkedSignIn<'a> {
    r#type: &'static str,
    key: &'a KeyId,
    at: i64,
    method: &'a str,
    person: &'a PersonId,
    statement: Digest,
}

impl SignIn {
    /// The bytes that the house signs: canonical JSON of `type` ("watchfloor.sign-in.v1"), key, time, method, person, and hash of the statement.
    #[must_use]
    pub fn canonical(&self, person: &PersonId, statement: Digest) -> Option<Vec<u8>> {
        let Self { key, at, method, .. } = self;
        let marked = MarkedSignIn { r#type: "watchfloor.sign-in.v1", key, at: *at, method, person, statement };
        serde_json_canonicalizer::to_vec(&marked).ok()
    }
}

impl Proof {
    /// Which key it is by.
    #[must_use]
    pub fn key(&self) -> &KeyId {
        match self {
            Self::Passkey(Assertion { key, .. }) | Self::Ed25519 { key, .. } | Self::SignIn(SignIn { key, .. }) => key,
        }
    }
}

impl Signed {
    /// Checks the proof against the people of this moment, and gives the counter of the passkey, 0 if there is none.
    ///
    /// # Errors
    /// What is wrong with it: see the variants of [`Refusal`] about keys, passkeys and signing in.
    pub fn verify(&self, people: &People, now: i64) -> Result<u32, Refusal> {
        let Self { statement, proof } = self;
        let person = people.active(&statement.person)?;
        let bytes = statement.canonical().ok_or(Refusal::Statement)?;
        let digest = Digest::of_bytes(&bytes);
        if person.has_passkey() && !matches!(proof, Proof::Passkey(_)) {
            return Err(Refusal::PasskeyNeeded);
        }
        if let Proof::SignIn(sign_in) = proof {
            return sign_in.verify(people, &statement.person, digest, now).map(|()| 0);
        }
        let key = enrolled(person, proof)?;
        match (proof, &key.public) {
            (Proof::Passkey(assertion), public) => {
                assertion.verify(&digest, &people.house().relying, public, key.counter).map_err(Refusal::Assertion)
            }
            (Proof::Ed25519 { signature, .. }, Public::Ed25519(point)) if ed25519_holds(point, &bytes, signature) => {
                Ok(0)
            }
            _ => Err(Refusal::Signature),
        }
    }

    /// Whether what was taken once still proves it with the people of this moment: the key is the same and not withdrawn. Age and counter were looked at then.
    #[must_use]
    pub fn still_holds(&self, people: &People) -> bool {
        let Self { statement, proof } = self;
        let (Ok(person), Some(bytes)) = (people.active(&statement.person), statement.canonical()) else { return false };
        let digest = Digest::of_bytes(&bytes);
        if let Proof::SignIn(sign_in) = proof {
            return sign_in.is_signed(people, &statement.person, digest).is_ok();
        }
        match (proof, enrolled(person, proof).map(|key| &key.public)) {
            (Proof::Passkey(assertion), Ok(public)) => {
                assertion.check(&digest, &people.house().relying, public).is_ok()
            }
            (Proof::Ed25519 { signature, .. }, Ok(Public::Ed25519(point))) => ed25519_holds(point, &bytes, signature),
            _ => false,
        }
    }
}

/// The key of a proof, if it is one of the person's and not withdrawn.
fn enrolled<'a>(person: &'a Person, proof: &Proof) -> Result<&'a Key, Refusal> {
    let key = person.keys.get(proof.key()).ok_or(Refusal::KeyUnknown)?;
    if key.revoked { Err(Refusal::KeyRevoked) } else { Ok(key) }
}

impl SignIn {
    fn verify(&self, people: &People, person: &PersonId, statement: Digest, now: i64) -> Result<(), Refusal> {
        self.is_signed(people, person, statement)?;
        let age = now.checked_sub(self.at).filter(|age| (0..=SIGN_IN_AGE_MS_MAX).contains(age));
        age.map(|_| ()).ok_or(Refusal::SignInOld)
    }

    fn is_signed(&self, people: &People, person: &PersonId, statement: Digest) -> Result<(), Refusal> {
        let point = people.house().sign_in.get(&self.key).ok_or(Refusal::KeyUnknown)?;
        let bytes = self.canonical(person, statement);
        let holds = bytes.is_some_and(|bytes| ed25519_holds(point, &bytes, &self.signature));
        if holds { Ok(()) } else { Err(Refusal::Signature) }
    }
}

/// Whether bytes are a public key of Ed25519 that only one secret key stands behind.
pub(super) fn is_ed25519(point: &Bytes) -> bool {
    verifying(point).is_some()
}

/// Whether a signature is one of a key's over bytes, by the strict rules: one form of the signature, no key of small order.
pub(super) fn ed25519_holds(point: &Bytes, bytes: &[u8], signature: &Bytes) -> bool {
    let signature = <[u8; 64]>::try_from(&signature.0[..]).map(|bytes| Signature::from_bytes(&bytes));
    verifying(point).is_some_and(|key| signature.is_ok_and(|signature| key.verify_strict(bytes, &signature).is_ok()))
}

fn verifying(point: &Bytes) -> Option<VerifyingKey> {
    let point = <[u8; 32]>::try_from(&point.0[..]).ok()?;
    VerifyingKey::from_bytes(&point).ok().filter(|key| !key.is_weak())
}
