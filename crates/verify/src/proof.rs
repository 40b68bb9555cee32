//! Proofs without the whole tree: that a leaf is in it, and that a larger tree begins with a smaller one (RFC 9162, sections 2.1.3.2 and
//! 2.1.4.2, which say how to check what RFC 6962 proves).

use std::fmt;

use crate::hash::{Hash, empty_root, node_hash};

/// Most hashes that a proof can have: two for each of 64 levels.
pub const PROOF_HASHES_MAX: usize = 128;

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The leaf is not within the tree, or the smaller tree is the larger one.
    Range,
    /// It has too few hashes, or too many.
    Length,
    /// It leads to another root.
    Root,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Range => "what is to be proven is not within the tree",
            Self::Length => "the proof has too few hashes, or too many",
            Self::Root => "the proof leads to another root",
        })
    }
}

impl std::error::Error for ProofError {}

/// Whether the leaf with this hash has this number in the tree of this size and root.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for step in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Whether the tree of the larger size begins with all leaves of the tree of the smaller size.
pub fn verify_consistency(
    (old_size, old_root): (u64, &Hash),
    (size, root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > size {
        return Err(ProofError::Range);
    }
    if old_size == 0 || old_size == size {
        let due = if old_size == 0 { empty_root() } else { *root };
        return match (proof.is_empty(), due == *old_root) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::Root),
            _ => Err(ProofError::Length),
        };
    }
    // A smaller tree that is perfect is itself the first hash, and is left out of the proof.
    let is_perfect = old_size.is_power_of_two();
    let mut steps = proof.iter();
    let first = if is_perfect { old_root } else { steps.next().ok_or(ProofError::Length)? };
    let trailing = (old_size - 1).trailing_ones();
    let (mut node, mut last) = ((old_size - 1) >> trailing, (size - 1) >> trailing);
    let (mut old, mut new) = (*first, *first);
    for step in steps {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(step, &old);
            new = node_hash(step, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, step);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, old == *old_root && new == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}
