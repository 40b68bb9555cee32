//! The log itself: leaves in, tiles and roots out. It holds no more than its right edge and a number for each tenant.

use std::collections::BTreeMap;
use std::fmt;

use watchfloor_verify::{Checkpoint, Hash, TILE_WIDTH, bundle_path, leaf_hash};

use crate::leaf::{Draft, Leaf, LeafError, SEQUENCE_MAX, read_leaf};
use crate::tree::{Tile, Tree};

/// A log that grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    tree: Tree,
    /// How many leaves each tenant has.
    tenants: BTreeMap<String, u64>,
    /// The entries of the bundle that is not full.
    bundle: Vec<u8>,
}

/// A leaf that was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub sequence: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: Hash,
    /// The bundle and tiles that are full with it.
    pub full: Vec<Tile>,
}

/// Why a leaf is not appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// The log has as many leaves as it can number.
    Full,
    /// Stored bytes are no leaf.
    Leaf(LeafError),
    /// A stored leaf has another number than its place.
    Sequence {
        /// Its place in the log.
        due: u64,
        /// The number in it.
        found: u64,
    },
    /// A stored leaf has another number among the leaves of its tenant than its place.
    TenantSequence {
        /// Its place in the log.
        sequence: u64,
        /// Its place among the leaves of its tenant.
        due: u64,
        /// The number in it.
        found: u64,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the log is full"),
            Self::Leaf(error) => error.fmt(f),
            Self::Sequence { due, found } => write!(f, "leaf {due} says that it is leaf {found}"),
            Self::TenantSequence { sequence, due, found } => {
                write!(f, "leaf {sequence} is number {due} of its tenant and says that it is {found}")
            }
        }
    }
}

impl std::error::Error for LogError {}

impl Log {
    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// How many leaves each tenant has.
    pub fn tenants(&self) -> &BTreeMap<String, u64> {
        &self.tenants
    }

    /// Appends a leaf.
    pub fn append(&mut self, draft: &Draft) -> Result<Appended, LogError> {
        let sequence = self.size();
        if sequence > SEQUENCE_MAX {
            return Err(LogError::Full);
        }
        let bytes = draft.seal(sequence, self.tenants.get(draft.tenant()).copied().unwrap_or(0));
        Ok(self.push(draft.tenant(), bytes))
    }

    /// Takes up a leaf that was stored: it must be the one that is due.
    pub fn take_up(&mut self, bytes: &[u8]) -> Result<(Leaf, Appended), LogError> {
        let leaf = read_leaf(bytes).map_err(LogError::Leaf)?;
        let sequence = self.size();
        if leaf.sequence != sequence {
            return Err(LogError::Sequence { due: sequence, found: leaf.sequence });
        }
        let due = self.tenants.get(&leaf.tenant).copied().unwrap_or(0);
        if leaf.tenant_sequence != due {
            return Err(LogError::TenantSequence { sequence, due, found: leaf.tenant_sequence });
        }
        let appended = self.push(&leaf.tenant, bytes.to_vec());
        Ok((leaf, appended))
    }

    fn push(&mut self, tenant: &str, bytes: Vec<u8>) -> Appended {
        match self.tenants.get_mut(tenant) {
            Some(count) => *count += 1,
            None => _ = self.tenants.insert(tenant.to_owned(), 1),
        }
        let (sequence, hash) = (self.size(), leaf_hash(&bytes));
        // A draft is not larger than what 16 bits can say.
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(&bytes);
        let mut full = self.tree.append(hash);
        if self.size().is_multiple_of(TILE_WIDTH) {
            let path = bundle_path(sequence / TILE_WIDTH, TILE_WIDTH);
            full.insert(0, Tile { path, bytes: std::mem::take(&mut self.bundle) });
        }
        Appended { sequence, bytes, hash, full }
    }

    /// The bundle and tiles that are not full: they belong to a checkpoint of this size.
    pub fn partial(&self) -> Vec<Tile> {
        let mut tiles = self.tree.partial();
        if !self.bundle.is_empty() {
            let (index, width) = (self.size() / TILE_WIDTH, self.size() % TILE_WIDTH);
            tiles.insert(0, Tile { path: bundle_path(index, width), bytes: self.bundle.clone() });
        }
        tiles
    }

    /// What a checkpoint says of the log as it is now.
    pub fn checkpoint(&self, origin: &str) -> Checkpoint {
        Checkpoint { origin: origin.to_owned(), size: self.size(), root: self.tree.root() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::leaf::Kind;

    #[test]
    fn a_log_is_full_when_it_can_number_no_more() {
        let draft = Draft::new(Kind::Query, ("acme", "ada", "ada"), 0, &Map::new()).unwrap();
        for (size, is_full) in [(SEQUENCE_MAX - 1, false), (SEQUENCE_MAX, false), (SEQUENCE_MAX + 1, true)] {
            let mut log = Log { tree: Tree::of_size(size), ..Log::default() };
            match log.append(&draft) {
                Ok(appended) => {
                    assert!(!is_full, "{size}");
                    assert_eq!((appended.sequence, read_leaf(&appended.bytes).unwrap().sequence), (size, size));
                }
                Err(error) => assert_eq!((error, is_full), (LogError::Full, true), "{size}"),
            }
        }
    }
}
