//! Signed versions: which set is in force, who wrote it, and which two people put it there.
//!
//! The canonical text of a set is, as bytes:
//!
//! ```text
//! watchfloor policies 1\n
//! schema BYTES\n            then the schema's bytes and \n
//! file BYTES NAME\n         then the file's bytes and \n; for each file, by the bytes of its name
//! ```
//!
//! with every CR LF of a file as LF. Its SHA-256 is the hash of the set: what people read is what they sign, comments too. What is signed
//! by each of the two, with Ed25519, is
//!
//! ```text
//! watchfloor policy version 1\n
//! number N\n                decimal, 1 for the first
//! hash H\n                  of the canonical text, 64 hex digits
//! parent P\n                hash of the version before, 64 hex digits; `none` for the first
//! author BYTES AUTHOR\n
//! by BYTES PERSON\n
//! at MS\n                   milliseconds since 1970, decimal
//! ```
//!
//! The hash of a version is the SHA-256 of the first five lines. Lengths stand before names, so that no name can be read as a line.

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::read::{Policies, Source};
use crate::schema::SCHEMA;
use crate::vocabulary::PrincipalKind;

/// A SHA-256, as 64 hex digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

/// One person's signature under a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Who signed.
    pub person: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Ed25519, as 128 hex digits.
    pub signature: String,
}

/// One version of the policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// 1 for the first.
    pub number: u64,
    /// Hash of the canonical text of the set.
    pub hash: Hash,
    /// Hash of the version before; none for the first.
    pub parent: Option<Hash>,
    /// Who wrote it.
    pub author: String,
    /// The two who put it in force.
    pub activations: Vec<Activation>,
}

/// Someone who may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Their id.
    pub id: String,
    /// What they are.
    pub kind: PrincipalKind,
    /// Whether they hold the right to activate policies.
    pub may_activate: bool,
    /// Their Ed25519 public key.
    pub key: [u8; 32],
}

/// Why a version is not in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The set is another one.
    #[error("the version is of policies {signed}, these are {found}")]
    OtherPolicies {
        /// What the version names.
        signed: Hash,
        /// What the set is.
        found: Hash,
    },
    /// It does not follow the version before.
    #[error("version {number} does not follow the version before it")]
    NotNext {
        /// Its number.
        number: u64,
    },
    /// Not two signatures.
    #[error("{0} signatures, not 2")]
    Count(usize),
    /// One person or one key signed twice.
    #[error("both signatures are of one person or one key")]
    SamePerson,
    /// Nobody of that id is known.
    #[error("`{0}` is nobody known")]
    Unknown(String),
    /// A machine signed.
    #[error("`{0}` is no person")]
    Machine(String),
    /// A person without the right signed.
    #[error("`{0}` does not hold the right to activate policies")]
    NoRight(String),
    /// The signature is not theirs over this version.
    #[error("the signature of `{0}` is not over this version")]
    Signature(String),
}

impl VersionError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherPolicies { .. } => "version_other_policies",
            Self::NotNext { .. } => "version_not_next",
            Self::Count(_) => "version_signatures",
            Self::SamePerson => "version_same_person",
            Self::Unknown(_) => "version_unknown_person",
            Self::Machine(_) => "version_machine",
            Self::NoRight(_) => "version_no_right",
            Self::Signature(_) => "version_bad_signature",
        }
    }
}

impl Version {
    /// The hash by which the next version names this one.
    #[must_use]
    pub fn own_hash(&self) -> Hash {
        Hash(Sha256::digest(self.head().as_bytes()).into())
    }

    /// The bytes that a person signs.
    #[must_use]
    pub fn signed_bytes(&self, person: &str, at: i64) -> Vec<u8> {
        format!("{}by {} {person}\nat {at}\n", self.head(), person.len()).into_bytes()
    }

    /// Whether this version puts these policies in force.
    ///
    /// `before` is the version in force until now; `signers` is everybody who is known, machines too, so that a machine's signature is
    /// named as one.
    ///
    /// # Errors
    /// The first thing that is missing.
    pub fn verify(&self, policies: &Policies, before: Option<&Self>, signers: &[Signer]) -> Result<(), VersionError> {
        let found = policies.hash();
        if found != self.hash {
            return Err(VersionError::OtherPolicies { signed: self.hash, found });
        }
        let number = before.map_or(Some(1), |before| before.number.checked_add(1));
        if number != Some(self.number) || self.parent != before.map(Self::own_hash) {
            return Err(VersionError::NotNext { number: self.number });
        }
        let [first, second] = self.activations.as_slice() else {
            return Err(VersionError::Count(self.activations.len()));
        };
        let (one, two) = (self.signer(first, signers)?, self.signer(second, signers)?);
        if one.id == two.id || one.key == two.key { Err(VersionError::SamePerson) } else { Ok(()) }
    }

    fn signer<'a>(&self, activation: &Activation, signers: &'a [Signer]) -> Result<&'a Signer, VersionError> {
        let name = || activation.person.clone();
        let mut named = signers.iter().filter(|signer| signer.id == activation.person);
        // Two entries of one name are nobody: which key is theirs is not known.
        let (Some(signer), None) = (named.next(), named.next()) else { return Err(VersionError::Unknown(name())) };
        if signer.kind.is_machine() {
            return Err(VersionError::Machine(name()));
        }
        if !signer.may_activate {
            return Err(VersionError::NoRight(name()));
        }
        let bytes = self.signed_bytes(&activation.person, activation.at);
        let verified = VerifyingKey::from_bytes(&signer.key).ok().zip(unhex::<64>(&activation.signature)).map(
            |(key, signature)| {
                let signature = Signature::from_bytes(&signature);
                // Strict refuses weak keys, under which one signature fits many texts.
                key.verify(&bytes, &signature).is_ok() && key.verify_strict(&bytes, &signature).is_ok()
            },
        );
        if verified == Some(true) { Ok(signer) } else { Err(VersionError::Signature(name())) }
    }

    fn head(&self) -> String {
        let parent = self.parent.map_or_else(|| "none".to_owned(), |parent| parent.to_string());
        format!(
            "watchfloor policy version 1\nnumber {}\nhash {}\nparent {parent}\nauthor {} {}\n",
            self.number,
            self.hash,
            self.author.len(),
            self.author
        )
    }
}

impl Policies {
    /// The canonical text of the set.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        let mut text = format!("watchfloor policies 1\nschema {}\n{SCHEMA}\n", SCHEMA.len());
        for Source { name, text: body } in &self.sources {
            let body = body.replace("\r\n", "\n");
            text.push_str(&format!("file {} {name}\n{body}\n", body.len()));
        }
        text
    }

    /// The files of a canonical text; none if it is none, or is one of another schema.
    #[must_use]
    pub fn files_of(text: &str) -> Option<Vec<Source>> {
        let mut rest = text.strip_prefix("watchfloor policies 1\n")?;
        let mut take = |what: &str| -> Option<Option<(String, String)>> {
            if rest.is_empty() {
                return Some(None);
            }
            let (head, after) = rest.strip_prefix(what)?.split_once('\n')?;
            let (bytes, name) = head.split_once(' ').unwrap_or((head, ""));
            let (body, after) = after.split_at_checked(bytes.parse().ok()?)?;
            rest = after.strip_prefix('\n')?;
            Some(Some((name.to_owned(), body.to_owned())))
        };
        take("schema ")?.filter(|(_, schema)| schema == SCHEMA)?;
        let mut files = Vec::new();
        while let Some((name, text)) = take("file ")? {
            files.push(Source { name, text });
        }
        Some(files)
    }

    /// The hash of the set.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(Sha256::digest(self.canonical_text().as_bytes()).into())
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        unhex(&text).map(Self).ok_or_else(|| "a hash is 64 hex digits in lower case".to_owned())
    }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: &u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    if text.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}
