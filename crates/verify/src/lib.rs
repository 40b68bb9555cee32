//! Checks a ledger without trusting who wrote it.
//!
//! The log is a Merkle tree after RFC 6962 (SHA-256), stored as C2SP tlog-tiles and vouched for by C2SP signed checkpoints (Ed25519).
//! Everything here is a function of bytes that the caller brings: no file is read, no clock asked, nothing remembered. Any bytes may
//! come in; what is wrong with them is an answer, never a panic, and work is bounded by the bytes that are there.
//!
//! Read it in this order: `hash` (the tree), `tiles` (how it is stored), `note` and `checkpoint` (who vouches for which tree), `proof`
//! (one leaf, or two sizes, without the whole tree), `survey` (all of a stored log), `locate` (which leaf), `check` (the verdict).
//!
//! What it cannot show: that a log was cut back to an older state, unless a checkpoint of the newer one was kept elsewhere; which leaf was
//! changed, where leaves and every hash above them were replaced together (the answer is then the range between two checkpoints); that what
//! the leaves say is true.

mod check;
mod checkpoint;
mod finding;
mod hash;
mod locate;
mod note;
mod proof;
mod survey;
mod tiles;

pub use check::{Report, compare, verify};
pub use checkpoint::{Checkpoint, CheckpointError, ORIGIN_BYTES_MAX};
pub use finding::{FINDINGS_MAX, Finding, What};
pub use hash::{Frontier, HASH_BYTES, Hash, empty_root, leaf_hash, node_hash};
pub use note::{KeyError, NOTE_BYTES_MAX, Note, NoteError, SIGNATURES_MAX, VerifierKey, key_id};
pub use proof::{PROOF_HASHES_MAX, ProofError, verify_consistency, verify_inclusion};
pub use survey::MISSING_MAX;
pub use tiles::{LEVEL_MAX, TILE_HEIGHT, TILE_WIDTH, Tiles, bundle_path, split_bundle, tile_hashes, tile_path, width};
