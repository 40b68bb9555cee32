//! Opening a ledger: every leaf is read and put into the tree again, every full tile and the checkpoint compared with what comes out.

use std::fmt;
use std::io;
use std::sync::{Condvar, Mutex};

use watchfloor_ledger::{Log, Tile};
use watchfloor_verify::{Checkpoint, CheckpointError, TILE_WIDTH, VerifierKey, bundle_path, split_bundle};

use super::shelf::{Shelf, journal_path};
use super::{LedgerFiles, Settings, State, Waiting, journal};
use crate::disk::Disk;

/// Why a ledger is not opened. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// It cannot be read or written.
    Io(io::Error),
    /// What is there is not what was acknowledged.
    Damaged {
        /// The first leaf it is about.
        leaf: u64,
        /// What is wrong.
        text: String,
    },
    /// The checkpoint does not count.
    Checkpoint(CheckpointError),
}

impl OpenError {
    /// The code that scripts may depend on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(error) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "ledger.disk_full",
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "ledger.read_only",
                io::ErrorKind::ResourceBusy => "ledger.locked",
                _ => "ledger.unreadable",
            },
            Self::Damaged { .. } => "ledger.damaged",
            Self::Checkpoint(_) => "ledger.checkpoint_refused",
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Damaged { leaf, text } => write!(f, "the ledger is damaged at leaf {leaf}: {text}"),
            Self::Checkpoint(error) => write!(f, "the ledger's checkpoint: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn damaged(leaf: u64, text: impl Into<String>) -> OpenError {
    OpenError::Damaged { leaf, text: text.into() }
}

impl<D: Disk> LedgerFiles<D> {
    /// Opens the ledger in a folder; an empty folder becomes an empty ledger. If keys are given, its checkpoint must be signed by one of them.
    pub fn open(disk: D, keys: &[VerifierKey], settings: Settings) -> Result<Self, OpenError> {
        let checkpoint = match disk.read("checkpoint")? {
            Some(note) if keys.is_empty() => Some(Checkpoint::unsigned(&note).map_err(OpenError::Checkpoint)?),
            Some(note) => Some(Checkpoint::signed(&note, keys).map_err(OpenError::Checkpoint)?),
            None => None,
        };
        let names = disk.list("journal")?;
        let journals: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let mut reading = Reading { disk: &disk, log: Log::default(), checkpoint, full: Vec::new() };
        let (first, records) = match journals.iter().max() {
            Some(first) => reading.all(*first)?,
            None => (0, reading.nothing()?),
        };
        let Reading { log, full, .. } = reading;
        let size = log.size();
        let tail = tail(&records, size % TILE_WIDTH);
        let mut shelf = Shelf::new(disk, first, &records, size)?;
        for name in names.iter().filter(|name| format!("journal/{name}") != journal_path(first) && *name != "new") {
            // It was to be taken away when the machine stopped.
            shelf.disk.remove(&format!("journal/{name}"))?;
        }
        shelf.full = full;
        let state = State {
            log,
            waiting: Waiting::default(),
            durable: size,
            is_writing: false,
            broken: None,
            journal_first: first,
            journal_leaves: settings.journal_leaves.max(TILE_WIDTH),
            tail,
        };
        Ok(Self { shelf: Mutex::new(shelf), state: Mutex::new(state), changed: Condvar::new() })
    }
}

/// The last records of a journal.
fn tail(records: &[u8], leaves: u64) -> Vec<u8> {
    let mut head = journal::head(0, 0);
    head.extend_from_slice(records);
    let all = journal::read(&head).map(|journal| journal.leaves).unwrap_or_default();
    let mut tail = Vec::new();
    for leaf in all.iter().skip(all.len().saturating_sub(usize::try_from(leaves).unwrap_or(0))) {
        journal::record(&mut tail, leaf, &watchfloor_verify::leaf_hash(leaf));
    }
    tail
}

struct Reading<'d, D: Disk> {
    disk: &'d D,
    log: Log,
    checkpoint: Option<Checkpoint>,
    /// Tiles of leaves in the journal, which may not be on disk yet.
    full: Vec<Tile>,
}

impl<D: Disk> Reading<'_, D> {
    /// A ledger without a journal is a new one, or none of ours.
    fn nothing(&mut self) -> Result<Vec<u8>, OpenError> {
        if self.checkpoint.is_some() || !self.disk.list("tile")?.is_empty() {
            return Err(damaged(0, "there are tiles or a checkpoint, but no journal"));
        }
        Ok(Vec::new())
    }

    /// Reads tiles and journal; gives the first leaf of the journal and its records.
    fn all(&mut self, first: u64) -> Result<(u64, Vec<u8>), OpenError> {
        let path = journal_path(first);
        let bytes = self.disk.read(&path)?.unwrap_or_default();
        let journal =
            journal::read(&bytes).filter(|journal| journal.first == first && first.is_multiple_of(TILE_WIDTH));
        let journal = journal.ok_or_else(|| damaged(first, format!("{path} has no head of a journal")))?;
        self.check_root()?;
        for index in 0..first / TILE_WIDTH {
            self.bundle(index)?;
        }
        for leaf in &journal.leaves {
            let full = self.take_up(leaf)?;
            self.full.extend(full);
        }
        let size = self.log.size();
        let due = self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size).max(journal.durable);
        if size < due {
            return Err(damaged(size, format!("{due} leaves were acknowledged, and {path} is damaged after {size}")));
        }
        let records = bytes.get(journal::HEAD_BYTES..journal::HEAD_BYTES + journal.bytes);
        Ok((first, records.unwrap_or_default().to_vec()))
    }

    /// Reads a full bundle, and compares the tiles that are full with it.
    fn bundle(&mut self, index: u64) -> Result<(), OpenError> {
        let (path, start) = (bundle_path(index, TILE_WIDTH), index * TILE_WIDTH);
        let bytes = self.disk.read(&path)?.ok_or_else(|| damaged(start, format!("{path} is missing")))?;
        let (entries, is_whole) = split_bundle(&bytes);
        if !is_whole || entries.len() as u64 != TILE_WIDTH {
            return Err(damaged(start, format!("{path} has not 256 entries")));
        }
        for entry in entries {
            for tile in self.take_up(entry)? {
                if self.disk.read(&tile.path)?.as_ref() != Some(&tile.bytes) {
                    return Err(damaged(start, format!("{} is not that of its leaves", tile.path)));
                }
            }
        }
        Ok(())
    }

    fn take_up(&mut self, leaf: &[u8]) -> Result<Vec<Tile>, OpenError> {
        let sequence = self.log.size();
        let (_, appended) = self.log.take_up(leaf).map_err(|error| damaged(sequence, error.to_string()))?;
        self.check_root()?;
        Ok(appended.full)
    }

    /// Compares the root with that of the checkpoint, where the log is as large.
    fn check_root(&self) -> Result<(), OpenError> {
        match &self.checkpoint {
            Some(due) if due.size == self.log.size() && *due != self.log.checkpoint(&due.origin) => {
                Err(damaged(due.size.saturating_sub(1), "the leaves up to here do not lead to the checkpoint"))
            }
            _ => Ok(()),
        }
    }
}
