//! The ledger: what was decided, by whom, on what evidence, and what came of it, as a log that only grows and proves it.
//!
//! A leaf is canonical JSON of a closed set of kinds (`leaf`), the log a Merkle tree after RFC 6962 (`log`, `tree`) that goes out as C2SP
//! tlog-tiles, and a checkpoint signs its size and root (`signer`). Proofs are built from tiles (`prove`); what one tenant may see goes out as
//! leaves with their proofs (`export`). Files are the business of `watchfloor-store`, checking that of `watchfloor-verify`: nothing here reads
//! a clock, a file or a random number.

mod export;
mod leaf;
mod log;
mod prove;
mod signer;
mod strict;
mod tree;

pub use export::{EXPORT_FORMAT, ExportError, ExportLine, check_export, export_head, export_line};
pub use leaf::{
    Draft, KINDS, Kind, LEAF_BYTES_MAX, Leaf, LeafError, NAME_BYTES_MAX, SEQUENCE_MAX, TIME_MAX, read_draft, read_leaf,
};
pub use log::{Appended, Log, LogError};
pub use prove::{ProveError, consistency, inclusion};
pub use signer::{Signer, SignerError};
pub use tree::{Tile, Tree};
