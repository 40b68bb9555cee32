//! One pass over a stored log.
//!
//! The hash over 256 leaves can be known in three ways: from the entries, from the tile of level 0, and from the tile of level 1 above it. The
//! pass keeps these three for every full tile (96 bytes for 256 leaves), and the hashes of the leaves where a checkpoint cuts a tile. From
//! them the root at any checkpoint's size can be told in several views, so that damage to one of the three does not hide what the others
//! still prove.

use std::collections::BTreeMap;

use crate::hash::{Frontier, Hash, leaf_hash};
use crate::tiles::{TILE_HEIGHT, TILE_WIDTH, Tiles, bundle_path, split_bundle, tile_hashes, tile_path, width};

/// After so many tiles in a row of which neither hashes nor entries are there, the rest of the log counts as missing.
pub const MISSING_MAX: u64 = 1_024;

/// What is known of 256 leaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    /// Their hash as the tile above has it.
    pub parent: Option<Hash>,
    /// Their hash out of the tile of level 0.
    pub stored: Option<Hash>,
    /// Their hash out of the entries.
    pub entries: Option<Hash>,
}

/// The hashes of the leaves between the last full tile and a checkpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    pub stored: Option<Vec<Hash>>,
    pub entries: Option<Vec<Hash>>,
}

/// Which of the three is believed first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View {
    /// What two of the three say.
    Agreed,
    Parent,
    Stored,
    Entries,
}

impl View {
    pub const ALL: [Self; 4] = [Self::Agreed, Self::Parent, Self::Stored, Self::Entries];

    pub fn of(self, row: &Row) -> Option<Hash> {
        match self {
            Self::Agreed if row.stored == row.entries => row.stored.or(row.parent),
            Self::Agreed | Self::Parent => row.parent.or(row.stored).or(row.entries),
            Self::Stored => row.stored.or(row.entries),
            Self::Entries => row.entries.or(row.stored),
        }
    }
}

/// The entries of a bundle as hashes.
pub(crate) struct Bundle {
    pub hashes: Vec<Hash>,
    /// Whether its bytes are entries to the end.
    pub is_whole: bool,
}

pub(crate) struct Survey<'t> {
    tiles: &'t dyn Tiles,
    /// The size of the log.
    pub size: u64,
    /// One for each full tile of level 0.
    pub rows: Vec<Row>,
    /// By the size of a checkpoint that does not end with a full tile.
    pub cuts: BTreeMap<u64, Cut>,
    /// Leaves up to which anything is there.
    pub reached: u64,
}

impl<'t> Survey<'t> {
    /// Looks at all tiles of a log of this size, and keeps what is needed to tell the roots at these sizes.
    pub fn new(tiles: &'t dyn Tiles, size: u64, sizes: impl Iterator<Item = u64>) -> Self {
        let cuts = sizes.filter(|cut| cut % TILE_WIDTH > 0).map(|cut| (cut, Cut::default())).collect();
        let mut survey = Self { tiles, size, rows: Vec::new(), cuts, reached: size };
        let (mut missing, mut parents) = (0, Vec::new());
        for index in 0..size.div_ceil(TILE_WIDTH) {
            if index % TILE_WIDTH == 0 {
                let upper = index / TILE_WIDTH;
                parents = survey.hashes(1, upper, 1).unwrap_or_default();
            }
            let is_there = survey.look(index, parents.get((index % TILE_WIDTH) as usize).copied());
            missing = if is_there { 0 } else { missing + 1 };
            if missing > MISSING_MAX {
                let first = index + 1 - missing;
                survey.reached = first * TILE_WIDTH + survey.held(first);
                survey.rows.truncate(first as usize);
                break;
            }
        }
        survey
    }

    /// Takes up one tile; whether it is there as it should be.
    fn look(&mut self, index: u64, parent: Option<Hash>) -> bool {
        let due = width(0, index, self.size);
        let start = index * TILE_WIDTH;
        let sizes: Vec<u64> = self.cuts.range(start..start.saturating_add(TILE_WIDTH)).map(|(size, _)| *size).collect();
        for size in sizes {
            let count = size - start;
            let part = |hashes: Vec<Hash>| hashes.get(..count as usize).map(<[Hash]>::to_vec);
            let bundle = self.bundle(index, count).filter(|bundle| bundle.is_whole);
            let stored = self.hashes(0, index, count).and_then(part);
            self.cuts.insert(size, Cut { stored, entries: bundle.and_then(|bundle| part(bundle.hashes)) });
        }
        if due < TILE_WIDTH {
            return self.hashes(0, index, due).is_some() || self.bundle(index, due).is_some();
        }
        let stored = self.hashes(0, index, due);
        let bundle = self.bundle(index, due);
        let is_there = stored.is_some() || bundle.is_some();
        let entries = bundle.filter(|bundle| bundle.is_whole && bundle.hashes.len() as u64 == due);
        let root = |hashes: Vec<Hash>| Frontier::root_of(&hashes);
        self.rows.push(Row { parent, stored: stored.map(root), entries: entries.map(|entries| root(entries.hashes)) });
        is_there
    }

    /// At least so many hashes of a tile: from the partial tile of this size, from the full one that took its place, or from a wider one.
    pub fn hashes(&self, level: u32, index: u64, due: u64) -> Option<Vec<Hash>> {
        let wide = width(level, index, self.size);
        let mut found = [wide, TILE_WIDTH].into_iter().chain(due..TILE_WIDTH).filter_map(|wide| {
            let mut hashes = tile_hashes(&self.tiles.tile(&tile_path(level, index, wide))?)?;
            hashes.truncate(width(level, index, self.size) as usize);
            (hashes.len() as u64 >= due).then_some(hashes)
        });
        found.next()
    }

    /// The first entries of a bundle, from the partial one of this size, from the full one that took its place, or from a wider one.
    pub fn bundle(&self, index: u64, due: u64) -> Option<Bundle> {
        let read = |wide: u64| {
            let bytes = self.tiles.tile(&bundle_path(index, wide))?;
            let (mut entries, is_whole) = split_bundle(&bytes);
            if wide > due {
                entries.truncate(due as usize);
            }
            Some(Bundle { hashes: entries.into_iter().map(leaf_hash).collect(), is_whole })
        };
        [due, TILE_WIDTH].into_iter().chain(due..TILE_WIDTH).find_map(read)
    }

    /// How many leaves of a tile that is not there as it should be are there: the width of the widest partial bundle.
    pub fn held(&self, index: u64) -> u64 {
        let due = width(0, index, self.size);
        (1..due).rev().find(|wide| self.tiles.tile(&bundle_path(index, *wide)).is_some()).unwrap_or(0)
    }

    /// The hashes over full tiles that one view believes, as far as it knows them.
    pub fn parents(&self, view: View, size: u64) -> Option<Vec<Hash>> {
        let full = usize::try_from(size / TILE_WIDTH).ok()?;
        self.rows.get(..full)?.iter().map(|row| view.of(row)).collect()
    }

    /// The bytes at a path.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.tiles.tile(path)
    }
}

/// The root over full tiles and the leaves after them.
pub(crate) fn root(parents: &[Hash], edge: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    parents.iter().for_each(|hash| frontier.push(TILE_HEIGHT, *hash));
    edge.iter().for_each(|hash| frontier.push(0, *hash));
    frontier.root()
}
