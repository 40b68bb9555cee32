//! The people of a house as they are at one moment: who is active, which roles and keys they have.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use watchfloor_model::ids::PersonId;

use super::{Bytes, Happened, KEYS_MAX, NAME_BYTES_MAX, PERSONS_MAX, Record, Refusal, Relying, proof::is_ed25519};

/// Id of a key: of a passkey, its credential id in base64url.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl From<&str> for KeyId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The public half of a key, in the one form that is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "bytes", rename_all = "snake_case")]
pub enum Public {
    /// A passkey on P-256: 65 bytes, 4 and both coordinates.
    PasskeyP256(Bytes),
    /// A passkey on Ed25519: 32 bytes.
    PasskeyEd25519(Bytes),
    /// A key that signs statements themselves, as on a command line: 32 bytes, Ed25519.
    Ed25519(Bytes),
}

impl Public {
    /// Whether it is a passkey.
    #[must_use]
    pub fn is_passkey(&self) -> bool {
        !matches!(self, Self::Ed25519(_))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::PasskeyP256(bytes) | Self::PasskeyEd25519(bytes) | Self::Ed25519(bytes) => &bytes.0,
        }
    }

    fn is_well_formed(&self) -> bool {
        match self {
            // Only the long form, so that one key cannot be written in two ways.
            Self::PasskeyP256(bytes) => {
                bytes.0.len() == 65 && p256::ecdsa::VerifyingKey::from_sec1_bytes(&bytes.0).is_ok()
            }
            Self::PasskeyEd25519(bytes) | Self::Ed25519(bytes) => is_ed25519(bytes),
        }
    }
}

/// A key of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its public half.
    pub public: Public,
    /// Whether it was withdrawn.
    #[serde(default)]
    pub revoked: bool,
    /// Highest counter that its authenticator told.
    #[serde(default)]
    pub counter: u32,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Whether they work here now.
    pub active: bool,
    /// Roles that they hold.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Keys that are enrolled.
    #[serde(default)]
    pub keys: BTreeMap<KeyId, Key>,
}

impl Person {
    /// Whether a passkey is enrolled, and not withdrawn.
    #[must_use]
    pub fn has_passkey(&self) -> bool {
        self.keys.values().any(|key| key.public.is_passkey() && !key.revoked)
    }
}

/// What the house itself has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct House {
    /// For whom its passkeys are.
    pub relying: Relying,
    /// Keys with which it says that somebody has signed in: Ed25519, 32 bytes.
    #[serde(default)]
    pub sign_in: BTreeMap<KeyId, Bytes>,
}

/// The people of a house at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct People {
    house: House,
    persons: BTreeMap<PersonId, Person>,
}

#[derive(Deserialize)]
struct Written {
    house: House,
    persons: BTreeMap<PersonId, Person>,
}

impl TryFrom<Written> for People {
    type Error = Refusal;

    fn try_from(written: Written) -> Result<Self, Refusal> {
        Self::new(written.house, written.persons)
    }
}

impl People {
    /// The people of a house, if nobody among them could count twice.
    ///
    /// # Errors
    /// [`Refusal::Directory`]: an id is empty, too long, has spaces or control characters, or is another one in other letters; a key is not well formed or is
    /// there twice; there are too many people, keys or roles.
    pub fn new(house: House, persons: BTreeMap<PersonId, Person>) -> Result<Self, Refusal> {
        let mut names = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let mut good = persons.len() <= PERSONS_MAX
            && house.sign_in.len() <= KEYS_MAX
            && house.sign_in.iter().all(|(id, key)| is_name(&id.0) && is_ed25519(key) && keys.insert(&key.0[..]));
        for (id, person) in &persons {
            good =
                good && is_name(id.as_str())
                    && names.insert(id.as_str().to_lowercase())
                    && person.keys.len() <= KEYS_MAX
                    && person.roles.len() <= KEYS_MAX
                    && person.roles.iter().all(|role| is_name(role))
                    && person.keys.iter().all(|(id, key)| {
                        is_name(&id.0) && key.public.is_well_formed() && keys.insert(key.public.bytes())
                    });
        }
        if good { Ok(Self { house, persons }) } else { Err(Refusal::Directory) }
    }

    /// What the house itself has.
    #[must_use]
    pub fn house(&self) -> &House {
        &self.house
    }

    /// The person with an id, if they are active.
    ///
    /// # Errors
    /// [`Refusal::PersonUnknown`], [`Refusal::PersonInactive`].
    pub fn active(&self, id: &PersonId) -> Result<&Person, Refusal> {
        let person = self.persons.get(id).ok_or(Refusal::PersonUnknown)?;
        if person.active { Ok(person) } else { Err(Refusal::PersonInactive) }
    }

    /// Remembers the counter of a passkey that a record tells, so that a copy of it is noticed.
    pub fn apply(&mut self, record: &Record) {
        let (signed, counter) = match &record.what {
            Happened::Approved(vote) => (&vote.signed, vote.counter),
            Happened::Denied(stop) | Happened::Revoked(stop) => (&stop.signed, stop.counter),
            _ => return,
        };
        let person = self.persons.get_mut(&signed.statement.person);
        if let Some(key) = person.and_then(|person| person.keys.get_mut(signed.proof.key())) {
            key.counter = key.counter.max(counter);
        }
    }
}

/// Whether something can be an id: 1 to [`NAME_BYTES_MAX`] bytes, nothing in them that cannot be seen.
pub(super) fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
