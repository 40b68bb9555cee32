//! C2SP signed notes: who vouches for a text.
//!
//! A note is UTF-8 without control characters but line ends: a text that ends with a line end, an empty line, then signature lines
//! `— <name> <base64 of id and signature>`. A verifier key is written `<name>+<id, 8 hex digits>+<base64 of 0x01 and the public key>`;
//! its id is the first four bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)`. Signatures are Ed25519 over the text.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// Most bytes of a note.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Most signature lines of a note.
pub const SIGNATURES_MAX: usize = 64;
/// The byte that says Ed25519.
const ED25519: u8 = 1;

/// Whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// Why a verifier key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is not `<name>+<id>+<base64>`, or not of Ed25519.
    Malformed,
    /// The id is not that of the name and the public key.
    Id,
    /// The 32 bytes are no point of the curve, or one that signs everything.
    Point,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a verifier key is written name+id+base64, and must be of Ed25519",
            Self::Id => "the id of the key is not that of its name and its bytes",
            Self::Point => "the bytes of the key are no public key of Ed25519",
        })
    }
}

impl std::error::Error for KeyError {}

/// The id of a key.
pub fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

impl VerifierKey {
    /// The key of a name and 32 bytes.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Malformed);
        }
        let key = VerifyingKey::from_bytes(public).ok().filter(|key| !key.is_weak()).ok_or(KeyError::Point)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, public), key })
    }

    /// Reads a verifier key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Malformed);
        };
        let bytes = STANDARD.decode(key).map_err(|_| KeyError::Malformed)?;
        let Some((&ED25519, public)) = bytes.split_first() else { return Err(KeyError::Malformed) };
        let key = Self::new(name, public.try_into().map_err(|_| KeyError::Malformed)?)?;
        if id != format!("{:08x}", u32::from_be_bytes(key.id)) {
            return Err(KeyError::Id);
        }
        Ok(key)
    }

    /// The name: for the key of a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), STANDARD.encode(bytes))
    }
}

/// A note, taken apart; nothing in it is to be believed before `signer` names who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'n> {
    /// The text that is signed, with its last line end.
    pub text: &'n str,
    /// Name, id and signature of each line.
    signatures: Vec<(&'n str, [u8; 4], Vec<u8>)>,
}

/// Why a note does not vouch for its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// It has more than `NOTE_BYTES_MAX` bytes or more than `SIGNATURES_MAX` signatures.
    TooLarge,
    /// It is not a text, an empty line and signature lines.
    Malformed,
    /// None of the known keys signed it.
    Unsigned,
    /// The signature by a known key is wrong.
    Forged,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the note is too large, or has too many signatures",
            Self::Malformed => "it is no signed note",
            Self::Unsigned => "none of the keys that were given signed it",
            Self::Forged => "the signature is wrong: the text was changed, or somebody else signed it",
        })
    }
}

impl std::error::Error for NoteError {}

impl<'n> Note<'n> {
    /// Takes a note apart.
    pub fn parse(bytes: &'n [u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLarge);
        }
        let note = str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Malformed);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = note.split_at_checked(end + 1).ok_or(NoteError::Malformed)?;
        let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Malformed)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::TooLarge);
            }
            signatures.push(signature(line).ok_or(NoteError::Malformed)?);
        }
        Ok(Self { text, signatures })
    }

    /// The first of the keys that signed it. One wrong signature by a key of these spoils the note; others do not count.
    pub fn signer<'k>(&self, keys: &'k [VerifierKey]) -> Result<&'k VerifierKey, NoteError> {
        let mut signer = None;
        for (name, id, signature) in &self.signatures {
            for key in keys.iter().filter(|key| key.name == *name && key.id == *id) {
                let signature = Signature::from_slice(signature).map_err(|_| NoteError::Forged)?;
                key.key.verify_strict(self.text.as_bytes(), &signature).map_err(|_| NoteError::Forged)?;
                signer = signer.or(Some(key));
            }
        }
        signer.ok_or(NoteError::Unsigned)
    }
}

fn signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (is_name(name) && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}
