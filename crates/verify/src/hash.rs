//! The tree of RFC 6962, section 2.1, with SHA-256.
//!
//! A leaf's hash is `SHA-256(0x00 ‖ entry)`, a node's `SHA-256(0x01 ‖ left ‖ right)`, the root of no leaves `SHA-256("")`. The left part
//! of a tree of n leaves is the largest power of two below n.

use sha2::{Digest, Sha256};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;
/// A hash of the tree.
pub type Hash = [u8; HASH_BYTES];

/// The hash of a leaf.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of a node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The right edge of a growing tree: the roots of its perfect parts, largest first. It is all that is needed to append, and to tell the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    peaks: Vec<(u32, Hash)>,
}

impl Frontier {
    /// Appends a perfect subtree of 2^height leaves. Subtrees must not grow from left to right unless what is there adds up to their size:
    /// all of one height, then smaller ones, is the order in which this crate uses it.
    pub fn push(&mut self, height: u32, hash: Hash) {
        let (mut height, mut hash) = (height, hash);
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| *peak == height) {
            hash = node_hash(&left, &hash);
            height += 1;
        }
        self.peaks.push((height, hash));
    }

    /// The root over all that was appended.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some((_, last)) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, (_, left)| node_hash(left, &right))
    }

    /// The root over hashes of one height.
    pub fn root_of<'h>(hashes: impl IntoIterator<Item = &'h Hash>) -> Hash {
        let mut frontier = Self::default();
        hashes.into_iter().for_each(|hash| frontier.push(0, *hash));
        frontier.root()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word by word.
    fn by_definition(entries: &[Vec<u8>]) -> Hash {
        match entries {
            [] => Sha256::digest([]).into(),
            [one] => leaf_hash(one),
            many => {
                let left = many.len().next_power_of_two() / 2;
                node_hash(&by_definition(&many[..left]), &by_definition(&many[left..]))
            }
        }
    }

    fn hex(hash: Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn known_hashes() {
        assert_eq!(hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        // SHA-256 of one zero byte.
        assert_eq!(hex(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        let expected = Sha256::digest([&[1_u8][..], &[2; 32], &[3; 32]].concat());
        assert_eq!(node_hash(&[2; 32], &[3; 32]), <Hash>::from(expected));
    }

    #[test]
    fn the_frontier_tells_the_root_of_every_size() {
        let entries: Vec<Vec<u8>> = (0..70_u8).map(|number| vec![number; usize::from(number)]).collect();
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        for size in 0..=entries.len() {
            assert_eq!(Frontier::root_of(&hashes[..size]), by_definition(&entries[..size]), "{size}");
            // The same, by perfect parts of eight leaves and single ones after them.
            let mut frontier = Frontier::default();
            let parts = hashes[..size].chunks_exact(8);
            let rest = parts.remainder();
            parts.for_each(|part| frontier.push(3, Frontier::root_of(part)));
            rest.iter().for_each(|hash| frontier.push(0, *hash));
            assert_eq!(frontier.root(), by_definition(&entries[..size]), "{size}");
        }
    }
}
