//! Who signs checkpoints.
//!
//! A signing key is written as the Go checksum database writes it: `PRIVATE+KEY+<name>+<id, 8 hex digits>+<base64 of 0x01 and the 32 bytes of
//! the seed>`, one line. Its name is the origin of the log.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use watchfloor_verify::{Checkpoint, KeyError, ORIGIN_BYTES_MAX, VerifierKey, key_id};

const PREFIX: &str = "PRIVATE+KEY+";
/// The byte that says Ed25519.
const ED25519: u8 = 1;

/// A key that signs, and the name it signs as.
pub struct Signer {
    name: String,
    key: SigningKey,
    verifier: VerifierKey,
}

/// Why a signing key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerError {
    /// It is not `PRIVATE+KEY+<name>+<id>+<base64>`.
    Malformed,
    /// The id is not that of the name and the key.
    Id,
    /// The name cannot be that of a key.
    Name(KeyError),
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => {
                f.write_str("a signing key is written PRIVATE+KEY+name+id+base64, and must be of Ed25519")
            }
            Self::Id => f.write_str("the id of the signing key is not that of its name and its bytes"),
            Self::Name(_) => write!(f, "a key's name takes 1 to {ORIGIN_BYTES_MAX} bytes without spaces and `+`"),
        }
    }
}

impl std::error::Error for SignerError {}

/// Shows whose key it is, never the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key of 32 random bytes, which the caller brings.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, SignerError> {
        let key = SigningKey::from_bytes(seed);
        if name.len() > ORIGIN_BYTES_MAX {
            return Err(SignerError::Name(KeyError::Malformed));
        }
        let verifier = VerifierKey::new(name, key.verifying_key().as_bytes()).map_err(SignerError::Name)?;
        Ok(Self { name: name.to_owned(), key, verifier })
    }

    /// Reads a signing key.
    pub fn parse(text: &str) -> Result<Self, SignerError> {
        let rest = text.trim_end().strip_prefix(PREFIX).ok_or(SignerError::Malformed)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SignerError::Malformed);
        };
        let bytes = STANDARD.decode(key).map_err(|_| SignerError::Malformed)?;
        let Some((&ED25519, seed)) = bytes.split_first() else { return Err(SignerError::Malformed) };
        let signer = Self::new(name, seed.try_into().map_err(|_| SignerError::Malformed)?)?;
        if id == signer.id() { Ok(signer) } else { Err(SignerError::Id) }
    }

    /// The signing key as text. Whoever has it can sign in the log's name.
    pub fn secret(&self) -> String {
        let bytes = [&[ED25519][..], self.key.as_bytes()].concat();
        format!("{PREFIX}{}+{}+{}", self.name, self.id(), STANDARD.encode(bytes))
    }

    /// The origin of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that others check with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn id(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id_bytes()))
    }

    fn id_bytes(&self) -> [u8; 4] {
        key_id(&self.name, self.key.verifying_key().as_bytes())
    }

    /// Signs a checkpoint: the note, as it is stored and handed out.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let signature = self.key.sign(text.as_bytes());
        let bytes = [&self.id_bytes()[..], &signature.to_bytes()].concat();
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}
