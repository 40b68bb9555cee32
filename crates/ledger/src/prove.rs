//! Proofs out of tiles: RFC 6962, sections 2.1.1 and 2.1.2.

use std::collections::BTreeMap;
use std::fmt;

use watchfloor_verify::{Frontier, Hash, TILE_HEIGHT, TILE_WIDTH, Tiles, tile_hashes, tile_path, width};

/// Why a proof cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProveError {
    /// What is to be proven is not within the tree.
    Range,
    /// A tile that is needed is missing or damaged.
    Tile(String),
}

impl fmt::Display for ProveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range => f.write_str("what is to be proven is not within the log"),
            Self::Tile(path) => write!(f, "{path} is missing or damaged"),
        }
    }
}

impl std::error::Error for ProveError {}

/// The proof that a leaf is in the tree of this size.
pub fn inclusion(tiles: &dyn Tiles, index: u64, size: u64) -> Result<Vec<Hash>, ProveError> {
    if index >= size {
        return Err(ProveError::Range);
    }
    let mut reader = Reader { tiles, size, read: BTreeMap::new() };
    let (mut from, mut to, mut proof) = (0, size, Vec::new());
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(reader.root(middle, to)?);
            to = middle;
        } else {
            proof.push(reader.root(from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of this size begins with the one of the smaller size.
pub fn consistency(tiles: &dyn Tiles, old: u64, size: u64) -> Result<Vec<Hash>, ProveError> {
    if old > size {
        return Err(ProveError::Range);
    }
    if old == 0 || old == size {
        return Ok(Vec::new());
    }
    let mut reader = Reader { tiles, size, read: BTreeMap::new() };
    let (mut from, mut to, mut proof) = (0, size, Vec::new());
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(reader.root(middle, to)?);
            to = middle;
        } else {
            proof.push(reader.root(from, middle)?);
            from = middle;
        }
    }
    // What is left ends with the smaller tree; if it is all of that tree, who checks has its root already.
    if from > 0 {
        proof.push(reader.root(from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two below a size of two or more.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

struct Reader<'t> {
    tiles: &'t dyn Tiles,
    size: u64,
    read: BTreeMap<(u32, u64), Vec<Hash>>,
}

impl Reader<'_> {
    /// The root over a range that a tree can have: it begins at a multiple of the power of two that covers it.
    fn root(&mut self, from: u64, to: u64) -> Result<Hash, ProveError> {
        let mut frontier = Frontier::default();
        let mut at = from;
        while at < to {
            // The largest perfect part that begins here, in whole tiles as far as they go.
            let height = (to - at).ilog2().min(at.trailing_zeros());
            let level = height / TILE_HEIGHT;
            let count = 1_u64 << (height % TILE_HEIGHT);
            let first = at.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
            let hashes = self.hashes(level, first, count)?;
            frontier.push(height, Frontier::root_of(&hashes));
            at += 1 << height;
        }
        Ok(frontier.root())
    }

    /// So many hashes of a level, all in one tile.
    fn hashes(&mut self, level: u32, first: u64, count: u64) -> Result<Vec<Hash>, ProveError> {
        let index = first / TILE_WIDTH;
        if !self.read.contains_key(&(level, index)) {
            let due = width(level, index, self.size);
            let paths = [tile_path(level, index, due), tile_path(level, index, TILE_WIDTH)];
            let read = |path: &String| tile_hashes(&self.tiles.tile(path)?).filter(|all| all.len() as u64 >= due);
            let hashes = paths.iter().find_map(read);
            let hashes = hashes.ok_or_else(|| ProveError::Tile(tile_path(level, index, due)))?;
            self.read.insert((level, index), hashes);
        }
        let start = (first % TILE_WIDTH) as usize;
        let hashes = self.read.get(&(level, index)).and_then(|all| all.get(start..start + count as usize));
        hashes.map(<[Hash]>::to_vec).ok_or_else(|| ProveError::Tile(tile_path(level, index, TILE_WIDTH)))
    }
}
