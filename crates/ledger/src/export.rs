//! What one tenant may take away: its leaves, each with the proof that it is in the log.
//!
//! JSON lines. The first is `{"format":"watchfloor-ledger-export/1","tenant":…,"leaves":N,"checkpoint":"…"}` with the signed note as it
//! stands; then N lines `{"index":…,"leaf":"…","proof":["…",…]}` in the order of the log: the canonical JSON of the leaf as a text, and the
//! hashes of RFC 6962, base64, from the leaf's neighbour up. Leaves of a tenant are numbered by `tenant_sequence`, so one that was left out
//! between two others shows; that the last ones were left out does not, unless their number is known from elsewhere.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use watchfloor_verify::{
    Checkpoint, CheckpointError, Hash, PROOF_HASHES_MAX, ProofError, VerifierKey, leaf_hash, verify_inclusion,
};

use crate::leaf::{Leaf, LeafError, read_leaf};
use crate::strict::Strict;

/// What the first line says.
pub const EXPORT_FORMAT: &str = "watchfloor-ledger-export/1";

/// The first line of an export.
pub fn export_head(tenant: &str, leaves: u64, checkpoint: &str) -> String {
    json!({"format": EXPORT_FORMAT, "tenant": tenant, "leaves": leaves, "checkpoint": checkpoint}).to_string()
}

/// The line of a leaf.
pub fn export_line(index: u64, leaf: &str, proof: &[Hash]) -> String {
    let proof: Vec<String> = proof.iter().map(|hash| STANDARD.encode(hash)).collect();
    json!({"index": index, "leaf": leaf, "proof": proof}).to_string()
}

/// Why an export proves nothing, or not all it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// The first line is not that of an export.
    Head,
    /// The checkpoint does not count.
    Checkpoint(CheckpointError),
    /// A line is not index, leaf and proof.
    Line(u64),
    /// What stands for a leaf is none.
    Leaf(u64, LeafError),
    /// The leaf is not in the log.
    Proof(u64, ProofError),
    /// The leaf is of another tenant, or says another number than its place.
    Place(u64),
    /// Leaves of the tenant are left out before this one.
    Gap {
        /// The number that is due.
        due: u64,
        /// The number that is there.
        found: u64,
    },
    /// There are more or fewer lines than the first one says.
    Count {
        /// What it says.
        due: u64,
        /// How many there are.
        found: u64,
    },
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => write!(f, "line 1: this is no export ({EXPORT_FORMAT})"),
            Self::Checkpoint(error) => write!(f, "line 1: {error}"),
            Self::Line(line) => write!(f, "line {line}: no index, leaf and proof"),
            Self::Leaf(index, error) => write!(f, "leaf {index}: {error}"),
            Self::Proof(index, error) => write!(f, "leaf {index}: {error}"),
            Self::Place(index) => write!(f, "leaf {index}: it is of another tenant, or says another number"),
            Self::Gap { due, found } => {
                write!(f, "number {due} of the tenant's leaves is due, and number {found} comes")
            }
            Self::Count { due, found } => write!(f, "{due} leaves are due, and {found} are there"),
        }
    }
}

impl std::error::Error for ExportError {}

/// A line that was checked.
pub type ExportLine = Result<Leaf, ExportError>;

/// Checks an export: what its checkpoint says, and what is wrong; nothing is wrong if there is nothing in the list.
pub fn check_export<'l>(
    mut lines: impl Iterator<Item = &'l str>,
    keys: &[VerifierKey],
) -> (Option<Checkpoint>, Vec<ExportError>) {
    let Some((tenant, due, note)) = lines.next().and_then(head) else { return (None, vec![ExportError::Head]) };
    let checkpoint = match Checkpoint::signed(note.as_bytes(), keys) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return (None, vec![ExportError::Checkpoint(error)]),
    };
    let (mut wrong, mut found, mut next) = (Vec::new(), 0, 0);
    for (line, number) in lines.zip(2..) {
        found += 1;
        match one(line, number, &tenant, &checkpoint) {
            Ok(leaf) => {
                if leaf.tenant_sequence != next {
                    wrong.push(ExportError::Gap { due: next, found: leaf.tenant_sequence });
                }
                next = leaf.tenant_sequence.saturating_add(1);
            }
            Err(error) => wrong.push(error),
        }
    }
    if found != due {
        wrong.push(ExportError::Count { due, found });
    }
    (Some(checkpoint), wrong)
}

fn head(line: &str) -> Option<(String, u64, String)> {
    let Strict(head) = serde_json::from_str(line).ok()?;
    let text = |name: &str| head.get(name).and_then(Value::as_str).map(str::to_owned);
    (text("format")? == EXPORT_FORMAT).then_some(())?;
    Some((text("tenant")?, head.get("leaves")?.as_u64()?, text("checkpoint")?))
}

fn one(line: &str, number: u64, tenant: &str, checkpoint: &Checkpoint) -> ExportLine {
    let (index, leaf, proof) = parts(line).ok_or(ExportError::Line(number))?;
    verify_inclusion(index, checkpoint.size, &leaf_hash(leaf.as_bytes()), &proof, &checkpoint.root)
        .map_err(|error| ExportError::Proof(index, error))?;
    let leaf = read_leaf(leaf.as_bytes()).map_err(|error| ExportError::Leaf(index, error))?;
    if leaf.tenant == tenant && leaf.sequence == index { Ok(leaf) } else { Err(ExportError::Place(index)) }
}

fn parts(line: &str) -> Option<(u64, String, Vec<Hash>)> {
    let Strict(line) = serde_json::from_str(line).ok()?;
    let proof = line.get("proof")?.as_array().filter(|proof| proof.len() <= PROOF_HASHES_MAX)?;
    let hash = |text: &Value| STANDARD.decode(text.as_str()?).ok()?.try_into().ok();
    let proof = proof.iter().map(hash).collect::<Option<Vec<Hash>>>()?;
    Some((line.get("index")?.as_u64()?, line.get("leaf")?.as_str()?.to_owned(), proof))
}
