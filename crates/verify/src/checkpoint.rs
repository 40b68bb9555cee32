//! C2SP checkpoints: a note whose text says which tree is meant.
//!
//! Line 1 is the origin (which log), line 2 the number of leaves in decimal without leading zeroes, line 3 the root in base64. More lines may
//! follow; they mean nothing here. A checkpoint counts if a key that is named like the origin signed it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::note::{Note, NoteError, VerifierKey};

/// Most bytes of an origin.
pub const ORIGIN_BYTES_MAX: usize = 256;

/// A size of a log, and the root of the tree over so many leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Why a checkpoint does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// The note is wrong.
    Note(NoteError),
    /// The text is no origin, size and root.
    Text,
    /// It is signed, but by the key of another log.
    Origin,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(error) => error.fmt(f),
            Self::Text => f.write_str("the note is no checkpoint: origin, size and root are due"),
            Self::Origin => f.write_str("the key that signed it is not named like its origin"),
        }
    }
}

impl std::error::Error for CheckpointError {}

impl From<NoteError> for CheckpointError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl Checkpoint {
    /// Reads a checkpoint that one of the keys signed.
    pub fn signed(note: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let signer = note.signer(keys)?;
        let checkpoint = Self::parse(note.text).ok_or(CheckpointError::Text)?;
        if signer.name() == checkpoint.origin { Ok(checkpoint) } else { Err(CheckpointError::Origin) }
    }

    /// Reads a checkpoint without asking who signed it: good for a look, not for a proof.
    pub fn unsigned(note: &[u8]) -> Result<Self, CheckpointError> {
        Self::parse(Note::parse(note)?.text).ok_or(CheckpointError::Text)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_decimal = size == "0" || !size.starts_with('0') && size.bytes().all(|byte| byte.is_ascii_digit());
        let is_origin = !origin.is_empty() && origin.len() <= ORIGIN_BYTES_MAX;
        if !is_origin || !is_decimal || lines.any(str::is_empty) {
            return None;
        }
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        Some(Self { origin: origin.to_owned(), size: size.parse().ok()?, root })
    }

    /// The text to be signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }
}
