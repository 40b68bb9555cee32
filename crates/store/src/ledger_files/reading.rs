//! Reading a ledger that nobody has to have open: its leaves, and the pieces that they name.
//!
//! Nothing is verified here. Leaves come from full bundles, then from the journal; where there is no journal, as in an export, up to the checkpoint.

use std::io;

use watchfloor_verify::{Checkpoint, Hash, TILE_WIDTH, bundle_path, split_bundle, width};

use super::journal;
use super::shelf::journal_path;
use crate::disk::Disk;

/// The folder of what leaves name by its hash.
pub const PIECES: &str = "piece";

/// The path of a piece.
pub(super) fn piece_path(hash: &Hash) -> String {
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PIECES}/{}/{digits}", digits.get(..2).unwrap_or_default())
}

/// What is kept under a hash; none if nothing is. Whether it still has that hash is for the reader to see.
pub fn piece(disk: &impl Disk, hash: &Hash) -> io::Result<Option<Vec<u8>>> {
    disk.read(&piece_path(hash))
}

/// The leaves of a ledger, by number.
pub struct Leaves<'d, D> {
    disk: &'d D,
    /// Leaves of the journal and the number of the first, if there is a journal.
    journal: Option<(u64, Vec<u8>)>,
    /// How many leaves the checkpoint counts.
    signed: u64,
    next: u64,
    /// What was read and not given yet, the last first.
    read: Vec<Vec<u8>>,
}

/// Reads a ledger from its first leaf on.
pub fn leaves<D: Disk>(disk: &D) -> io::Result<Leaves<'_, D>> {
    let newest = disk.list("journal")?.iter().filter_map(|name| name.parse::<u64>().ok()).max();
    let journal = match newest {
        Some(first) => disk.read(&journal_path(first))?.map(|bytes| (first, bytes)),
        None => None,
    };
    let note = disk.read("checkpoint")?;
    let signed = note.and_then(|note| Checkpoint::unsigned(&note).ok()).map_or(0, |checkpoint| checkpoint.size);
    Ok(Leaves { disk, journal, signed, next: 0, read: Vec::new() })
}

impl<D: Disk> Leaves<'_, D> {
    /// The leaves that follow, the last first; none at the end.
    fn more(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let damaged = |path: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{path} is missing or damaged"));
        if let Some((first, bytes)) = self.journal.as_ref().filter(|(first, _)| *first <= self.next) {
            let journal = journal::read(bytes).filter(|journal| journal.first == *first);
            let journal = journal.ok_or_else(|| damaged(&journal_path(*first)))?;
            let skipped = usize::try_from(self.next - first).unwrap_or(usize::MAX);
            return Ok(journal.leaves.iter().skip(skipped).rev().map(|leaf| leaf.to_vec()).collect());
        }
        let end = self.journal.as_ref().map_or(self.signed, |(first, _)| *first);
        if self.next >= end {
            return Ok(Vec::new());
        }
        let (index, within) = (self.next / TILE_WIDTH, usize::try_from(self.next % TILE_WIDTH).unwrap_or(0));
        let (wide, full) = (bundle_path(index, width(0, index, end)), bundle_path(index, TILE_WIDTH));
        let bytes = match self.disk.read(&wide)? {
            Some(bytes) => bytes,
            None => self.disk.read(&full)?.ok_or_else(|| damaged(&wide))?,
        };
        let due = usize::try_from(width(0, index, end)).unwrap_or(0);
        let entries = split_bundle(&bytes).0;
        if entries.len() < due {
            return Err(damaged(&wide));
        }
        Ok(entries.into_iter().take(due).skip(within).rev().map(<[u8]>::to_vec).collect())
    }
}

impl<D: Disk> Iterator for Leaves<'_, D> {
    type Item = io::Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() {
            match self.more() {
                Ok(more) => self.read = more,
                Err(error) => {
                    // Once: what comes after it is not known.
                    (self.journal, self.signed, self.next) = (None, 0, u64::MAX);
                    return Some(Err(error));
                }
            }
        }
        let leaf = self.read.pop()?;
        self.next += 1;
        Some(Ok((self.next - 1, leaf)))
    }
}
