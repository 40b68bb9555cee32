//! Assertions of passkeys (Web Authentication, level 3, section 7.2), as far as an approval needs them.
//!
//! `authenticatorData` is SHA-256 of the relying party's id (32 bytes), flags (1 byte), a counter (4 bytes, the highest first), then extensions if the flags
//! say so. Flags: 1 a person was there, 4 the person was verified (finger, face or number), 8 the key may be backed up, 16 it is, 64 a new key is inside,
//! 128 extensions follow. `clientDataJSON` is what the browser saw: the kind of the ceremony, the challenge, the origin, whether a page of others framed it. The
//! signature is over `authenticatorData` and the SHA-256 of `clientDataJSON`: ECDSA on P-256 with SHA-256 (ES256, in DER) or Ed25519 (EdDSA).
//!
//! An ECDSA signature has two forms, `s` and `n - s`, both of which authenticators make, so both are taken. Nobody can gain by turning one into the other:
//! nothing is known by its signature, and the same statement counts once.

use std::{
    collections::{BTreeMap, BTreeSet},
    error, fmt,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Verifier;
use serde::{Deserialize, Serialize};

use super::{AUTHENTICATOR_DATA_BYTES_MAX, Bytes, CLIENT_DATA_BYTES_MAX, Digest, KeyId, Public};

const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
const MAY_BE_BACKED_UP: u8 = 8;
const BACKED_UP: u8 = 16;
const NEW_KEY: u8 = 64;
const EXTENSIONS: u8 = 128;

/// For whom passkeys are: where the console is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relying {
    /// Id of the relying party: the domain.
    pub id: String,
    /// Origins of the console, as browsers write them, with the scheme.
    pub origins: BTreeSet<String>,
}

/// What a passkey answers to a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// Id of the passkey, in base64url.
    pub key: KeyId,
    /// What the authenticator says, in its binary form.
    pub authenticator_data: Bytes,
    /// What the browser saw, as JSON, byte for byte.
    pub client_data: Bytes,
    /// The signature over both.
    pub signature: Bytes,
}

/// What the browser saw. Further fields may come, but they are JSON too; one of these that comes twice is an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<serde::de::IgnoredAny>,
    /// Read, since what is skipped is not looked at: it might be no text at all.
    #[serde(flatten)]
    _further: BTreeMap<String, serde_json::Value>,
}

macro_rules! errors {
    ($($variant:ident = $code:literal, $text:literal;)*) => {
        /// Why an assertion does not hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AssertionError {
            $(#[doc = $text] $variant,)*
        }

        impl AssertionError {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What programs know it by.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }

        impl fmt::Display for AssertionError {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }
    };
}

errors! {
    TooLarge = "webauthn.too_large", "the assertion has too many bytes";
    ClientData = "webauthn.client_data", "what the browser saw is not the JSON that it should be";
    Kind = "webauthn.kind", "this is not the answer of a passkey to a challenge";
    Challenge = "webauthn.challenge", "the passkey answered another challenge";
    Origin = "webauthn.origin", "the passkey answered at another origin";
    Framed = "webauthn.framed", "the passkey answered inside a page of others";
    AuthenticatorData = "webauthn.authenticator_data", "what the authenticator says is not well formed";
    RelyingParty = "webauthn.relying_party", "the passkey answered to another relying party";
    NotPresent = "webauthn.not_present", "nobody was there";
    NotVerified = "webauthn.not_verified", "the person was not verified by the authenticator";
    Counter = "webauthn.counter", "the counter of the passkey did not go up, it may have been copied";
    Signature = "webauthn.signature", "the signature of the passkey does not hold";
}

impl error::Error for AssertionError {}

impl Assertion {
    /// Checks the answer to a challenge, which is the hash of a statement, and gives the counter that the authenticator has come to. `counter`: what it had come
    /// to before.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub fn verify(
        &self,
        challenge: &Digest,
        relying: &Relying,
        public: &Public,
        counter: u32,
    ) -> Result<u32, AssertionError> {
        let now = self.check(challenge, relying, public)?;
        if (now != 0 || counter != 0) && now <= counter { Err(AssertionError::Counter) } else { Ok(now) }
    }

    /// Checks everything but whether the counter went up, and gives it: what was taken once still holds, though the counter has moved on.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub fn check(&self, challenge: &Digest, relying: &Relying, public: &Public) -> Result<u32, AssertionError> {
        if self.client_data.0.len() > CLIENT_DATA_BYTES_MAX
            || self.authenticator_data.0.len() > AUTHENTICATOR_DATA_BYTES_MAX
        {
            return Err(AssertionError::TooLarge);
        }
        check_client_data(&self.client_data.0, challenge, relying)?;
        let counter = check_authenticator_data(&self.authenticator_data.0, relying)?;
        if self.is_signed_by(public) { Ok(counter) } else { Err(AssertionError::Signature) }
    }

    /// Whether the signature is one of the key's over what the authenticator says and what the browser saw.
    pub(super) fn is_signed_by(&self, public: &Public) -> bool {
        let mut signed = self.authenticator_data.0.clone();
        signed.extend_from_slice(&Digest::of_bytes(&self.client_data.0).0);
        match public {
            Public::PasskeyP256(point) => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point.0);
                let signature = p256::ecdsa::Signature::from_der(&self.signature.0);
                key.is_ok_and(|key| signature.is_ok_and(|signature| key.verify(&signed, &signature).is_ok()))
            }
            Public::PasskeyEd25519(point) => super::proof::ed25519_holds(point, &signed, &self.signature),
            Public::Ed25519(_) => false,
        }
    }
}

fn check_client_data(bytes: &[u8], challenge: &Digest, relying: &Relying) -> Result<(), AssertionError> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| AssertionError::ClientData)?;
    if data.r#type != "webauthn.get" {
        return Err(AssertionError::Kind);
    }
    if data.challenge != URL_SAFE_NO_PAD.encode(challenge.0) {
        return Err(AssertionError::Challenge);
    }
    if !relying.origins.contains(&data.origin) {
        return Err(AssertionError::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(AssertionError::Framed);
    }
    Ok(())
}

/// Gives the counter.
fn check_authenticator_data(bytes: &[u8], relying: &Relying) -> Result<u32, AssertionError> {
    let (party, tail) = bytes.split_first_chunk::<32>().ok_or(AssertionError::AuthenticatorData)?;
    let ([flags, counter @ ..], rest) = tail.split_first_chunk::<5>().ok_or(AssertionError::AuthenticatorData)?;
    let has = |flag: u8| flags & flag != 0;
    // What follows is signed, and there only where a flag says so. A new key has no place in an answer.
    if has(NEW_KEY) || has(EXTENSIONS) == rest.is_empty() || has(BACKED_UP) && !has(MAY_BE_BACKED_UP) {
        return Err(AssertionError::AuthenticatorData);
    }
    if *party != Digest::of_bytes(relying.id.as_bytes()).0 {
        return Err(AssertionError::RelyingParty);
    }
    if !has(PRESENT) {
        return Err(AssertionError::NotPresent);
    }
    if !has(VERIFIED) {
        return Err(AssertionError::NotVerified);
    }
    Ok(u32::from_be_bytes(*counter))
}
