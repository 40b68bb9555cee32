//! A tree that grows, and the tiles that come out of it.
//!
//! It remembers, for each level of tiles, the hashes of the last tile that is not full: at most 255 for each of 8 levels, however large the
//! log is. A tile goes out when it is full; what is not full goes out when a checkpoint is made.

use std::collections::BTreeMap;

use watchfloor_verify::{Frontier, HASH_BYTES, Hash, TILE_HEIGHT, TILE_WIDTH, tile_path};

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Where it belongs.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The right edge of a tree in tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// By level, the hashes of the tile that is not full.
    levels: BTreeMap<u32, Vec<Hash>>,
}

impl Tree {
    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// One of so many leaves, of which nothing else is known.
    #[cfg(test)]
    pub(crate) fn of_size(size: u64) -> Self {
        Self { size, levels: BTreeMap::new() }
    }

    /// Appends the hash of a leaf; gives the tiles that are full now.
    pub fn append(&mut self, leaf: Hash) -> Vec<Tile> {
        self.size += 1;
        let (mut full, mut hash, mut level) = (Vec::new(), leaf, 0);
        loop {
            let hashes = self.levels.entry(level).or_default();
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                return full;
            }
            let hashes = std::mem::take(hashes);
            full.push(tile(level, self.size.checked_shr(TILE_HEIGHT * (level + 1)).unwrap_or(0) - 1, &hashes));
            hash = Frontier::root_of(&hashes);
            level += 1;
        }
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        let mut frontier = Frontier::default();
        for (level, hashes) in self.levels.iter().rev() {
            hashes.iter().for_each(|hash| frontier.push(TILE_HEIGHT * level, *hash));
        }
        frontier.root()
    }

    /// The tiles that are not full.
    pub fn partial(&self) -> Vec<Tile> {
        let levels = self.levels.iter().filter(|(_, hashes)| !hashes.is_empty());
        levels
            .map(|(level, hashes)| tile(*level, self.size.checked_shr(TILE_HEIGHT * (level + 1)).unwrap_or(0), hashes))
            .collect()
    }
}

fn tile(level: u32, index: u64, hashes: &[Hash]) -> Tile {
    let mut bytes = Vec::with_capacity(hashes.len() * HASH_BYTES);
    hashes.iter().for_each(|hash| bytes.extend_from_slice(hash));
    Tile { path: tile_path(level, index, hashes.len() as u64), bytes }
}
