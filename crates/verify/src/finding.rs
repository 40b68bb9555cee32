//! What can be wrong with a log, and where.

use std::fmt;

/// Most findings that are listed; the last one then says that there are more.
pub const FINDINGS_MAX: usize = 1_000;

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A checkpoint does not count: it is no checkpoint, or its signature is missing or wrong.
    CheckpointRefused,
    /// A checkpoint is of another log.
    OriginDiffers,
    /// The log ends before a checkpoint that was seen earlier: leaves that were there are gone.
    RolledBack,
    /// The log leads to its newest checkpoint and not to an earlier one: history was rewritten after it was signed.
    Forked,
    /// The leaves and hashes that are there do not lead to the checkpoint.
    Unproven,
    /// A leaf is not what was signed.
    LeafChanged,
    /// A leaf is not there.
    LeafMissing,
    /// There is a leaf that was not signed.
    LeafInserted,
    /// A leaf stands at another place than the one that was signed.
    LeafMoved,
    /// The bytes of a bundle are not length, entry, length, entry …
    BundleDamaged,
    /// A tile has other hashes than those that lead to the checkpoint.
    TileChanged,
    /// A tile is not there, or is no list of hashes.
    TileMissing,
    /// There are more findings than are listed.
    NotAllListed,
}

impl What {
    /// The code that scripts may depend on.
    pub fn code(self) -> &'static str {
        match self {
            Self::CheckpointRefused => "ledger.checkpoint_refused",
            Self::OriginDiffers => "ledger.origin_differs",
            Self::RolledBack => "ledger.rolled_back",
            Self::Forked => "ledger.forked",
            Self::Unproven => "ledger.unproven",
            Self::LeafChanged => "ledger.leaf_changed",
            Self::LeafMissing => "ledger.leaf_missing",
            Self::LeafInserted => "ledger.leaf_inserted",
            Self::LeafMoved => "ledger.leaf_moved",
            Self::BundleDamaged => "ledger.bundle_damaged",
            Self::TileChanged => "ledger.tile_changed",
            Self::TileMissing => "ledger.tile_missing",
            Self::NotAllListed => "ledger.not_all_listed",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::CheckpointRefused => "the checkpoint does not count",
            Self::OriginDiffers => "the checkpoint is of another log",
            Self::RolledBack => "leaves that an earlier checkpoint counts are gone",
            Self::Forked => {
                "the log leads to its newest checkpoint but not to an earlier one: these leaves were rewritten"
            }
            Self::Unproven => "these leaves do not lead to the checkpoint",
            Self::LeafChanged => "changed",
            Self::LeafMissing => "missing",
            Self::LeafInserted => "something that was not signed stands before this leaf",
            Self::LeafMoved => "moved to another place",
            Self::BundleDamaged => "the bundle of these leaves is damaged",
            Self::TileChanged => "the tile over these leaves has wrong hashes",
            Self::TileMissing => "the tile over these leaves is missing or damaged",
            Self::NotAllListed => "there is more wrong than is listed here",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// The first leaf it is about.
    pub from: u64,
    /// The leaf after the last one; the same as `from` where it is about none, or about what stands between two.
    pub to: u64,
    /// A path of the log, or which checkpoint.
    pub place: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to.saturating_sub(self.from) {
            0 if self.what == What::LeafInserted => write!(f, "leaf {}: ", self.from)?,
            0 => {}
            1 => write!(f, "leaf {}: ", self.from)?,
            _ => write!(f, "leaves {} to {}: ", self.from, self.to - 1)?,
        }
        write!(f, "{} ({})", self.what.sentence(), self.place)
    }
}
