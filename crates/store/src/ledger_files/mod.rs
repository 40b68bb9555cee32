//! A ledger in files. A leaf is acknowledged when it is durable, and what was acknowledged is there again whatever happens to the process
//! or the machine.
//!
//! | path | is |
//! |---|---|
//! | `checkpoint` | the newest signed checkpoint |
//! | `tile/…` | tiles and bundles after C2SP tlog-tiles, of all checkpoints that were made |
//! | `journal/<first leaf, 20 digits>` | the leaves that are not in full bundles on disk yet (see `journal`) |
//! | `piece/<first 2 digits>/<64 digits>` | what leaves name by its SHA-256, in lower case hexadecimal |
//! | `lock` | held by the process that writes |
//!
//! **Group commit.** Leaves that are appended while a sync runs wait together for the next one; whoever finds no sync running does it for all
//! that wait. **Files** are written under the name `…new`, synced, renamed, and their folder synced; tiles stand before the journal that no
//! longer has their leaves, and before the checkpoint that needs them. **A failure** to write or sync breaks the log until it is opened again:
//! after a failed sync nobody knows what is on disk. Opening reads everything, checks it, and writes the journal anew.

mod journal;
mod open;
mod reading;
mod shelf;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use watchfloor_ledger::{Draft, Log, LogError, Signer, Tile};
use watchfloor_verify::{Checkpoint, Hash};

use crate::disk::Disk;
use shelf::Shelf;

pub use open::OpenError;
pub use reading::{Leaves, PIECES, leaves, piece};

/// Most bytes of leaves that wait for a sync; who wants to append more waits.
pub const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How a ledger is kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Leaves after which their tiles are written and a new journal begins.
    pub journal_leaves: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { journal_leaves: 16_384 }
    }
}

/// Why the log cannot be written to any more, until it is opened again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code that scripts may depend on.
    pub code: &'static str,
    /// What happened.
    pub text: String,
}

impl Failure {
    fn new(doing: &str, error: &io::Error) -> Arc<Self> {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "ledger.disk_full",
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "ledger.read_only",
            _ => "ledger.write_failed",
        };
        Arc::new(Self { code, text: format!("cannot {doing}: {error}") })
    }
}

/// Why a leaf was not acknowledged. It may or may not be in the log when it is opened again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The log does not take it.
    Log(LogError),
    /// The log is broken.
    Broken(Arc<Failure>),
    /// A piece could not be kept. The log is as it was.
    Piece(Arc<Failure>),
}

impl AppendError {
    /// The code that scripts may depend on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log(_) => "ledger.refused",
            Self::Broken(failure) | Self::Piece(failure) => failure.code,
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Broken(failure) => {
                write!(f, "{}; nothing more is taken until the ledger is opened again", failure.text)
            }
            Self::Piece(failure) => f.write_str(&failure.text),
        }
    }
}

impl std::error::Error for AppendError {}

/// A ledger that is open for writing.
pub struct LedgerFiles<D: Disk> {
    shelf: Mutex<Shelf<D>>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    log: Log,
    /// What waits for the next sync.
    waiting: Waiting,
    /// Leaves that are durable.
    durable: u64,
    /// Whether somebody writes.
    is_writing: bool,
    broken: Option<Arc<Failure>>,
    /// The leaf that the journal in use begins with.
    journal_first: u64,
    journal_leaves: u64,
    /// Records of the leaves after the last full bundle.
    tail: Vec<u8>,
}

/// What was appended and is not durable.
#[derive(Default)]
struct Waiting {
    records: Vec<u8>,
    /// Bundles and tiles that are full with it.
    full: Vec<Tile>,
}

/// One turn of writing.
struct Turn {
    waiting: Waiting,
    /// Leaves that are durable after it.
    size: u64,
    /// Where a new journal has to begin, and its records.
    journal: Option<(u64, Vec<u8>)>,
}

impl<D: Disk> LedgerFiles<D> {
    /// Appends a leaf; returns its number when it is durable.
    pub fn append(&self, draft: &Draft) -> Result<u64, AppendError> {
        let sequence = self.submit(draft)?;
        self.wait(sequence)?;
        Ok(sequence)
    }

    /// Appends leaves with no other between them; returns their numbers when all are durable.
    pub fn append_all(&self, drafts: &[Draft]) -> Result<Range<u64>, AppendError> {
        let mut state = self.room()?;
        let first = state.log.size();
        for draft in drafts {
            state.take(draft)?;
        }
        let end = state.log.size();
        drop(state);
        match end.checked_sub(1).filter(|_| end > first) {
            Some(last) => self.wait(last).map(|()| first..end),
            None => Ok(first..end),
        }
    }

    /// Hands a leaf over without waiting. It is not acknowledged before `wait` with its number returns.
    pub fn submit(&self, draft: &Draft) -> Result<u64, AppendError> {
        self.room()?.take(draft)
    }

    /// Returns when the leaf with this number, and all before it, are durable.
    pub fn wait(&self, sequence: u64) -> Result<(), AppendError> {
        let mut state = self.lock();
        while state.durable <= sequence {
            state = match self.progress(state) {
                Ok(state) => state,
                // What failed may have come after the sync that this leaf waited for.
                Err(_) if self.lock().durable > sequence => return Ok(()),
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// Keeps pieces under their SHA-256; returns it of each when they are durable, so that a leaf can name them. What is there already stays.
    pub fn keep(&self, pieces: &[&[u8]]) -> Result<Vec<Hash>, AppendError> {
        let hashes: Vec<Hash> = pieces.iter().map(|bytes| Sha256::digest(bytes).into()).collect();
        let files: Vec<Tile> = hashes
            .iter()
            .zip(pieces)
            .map(|(hash, bytes)| Tile { path: reading::piece_path(hash), bytes: bytes.to_vec() })
            .collect();
        if let Some(failure) = &self.lock().broken {
            return Err(AppendError::Broken(Arc::clone(failure)));
        }
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.keep(&files).map_err(AppendError::Piece)?;
        Ok(hashes)
    }

    /// Signs the log as it is now. Everything it counts is durable before the checkpoint is, and the checkpoint before it is returned.
    pub fn checkpoint(&self, signer: &Signer) -> Result<String, AppendError> {
        let mut state = self.lock();
        while state.is_writing {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(failure) = &state.broken {
            return Err(AppendError::Broken(Arc::clone(failure)));
        }
        let turn = state.turn();
        let (partial, note) = (state.log.partial(), signer.sign(&state.log.checkpoint(signer.name())));
        drop(state);
        let result = self.write(turn).and_then(|()| {
            let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            shelf.put(&partial)?;
            shelf.put_checkpoint(&note)
        });
        self.end(result)?;
        Ok(note)
    }

    /// Leaves that are durable.
    pub fn size(&self) -> u64 {
        self.lock().durable
    }

    /// What a checkpoint would say of the leaves that were appended so far.
    pub fn head(&self, origin: &str) -> Checkpoint {
        self.lock().log.checkpoint(origin)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that ended in the middle leaves numbers that are still true: what is durable is only ever set after a sync.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, when there is room for another leaf.
    fn room(&self) -> Result<MutexGuard<'_, State>, AppendError> {
        let mut state = self.lock();
        while state.waiting.records.len() >= WAITING_BYTES_MAX {
            state = self.progress(state)?;
        }
        match &state.broken {
            Some(failure) => Err(AppendError::Broken(Arc::clone(failure))),
            None => Ok(state),
        }
    }

    /// Waits for whoever writes, or writes.
    fn progress<'s>(&'s self, mut state: MutexGuard<'s, State>) -> Result<MutexGuard<'s, State>, AppendError> {
        if let Some(failure) = &state.broken {
            return Err(AppendError::Broken(Arc::clone(failure)));
        }
        if state.is_writing {
            return Ok(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
        }
        let turn = state.turn();
        drop(state);
        let result = self.write(turn);
        self.end(result)?;
        Ok(self.lock())
    }

    /// Makes a turn durable, and tells those who wait for it; the tiles of a full journal follow.
    fn write(&self, turn: Turn) -> Result<(), Arc<Failure>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.write(&turn.waiting.records, turn.size)?;
        shelf.full.extend(turn.waiting.full);
        self.lock().durable = turn.size;
        self.changed.notify_all();
        if let Some((first, records)) = turn.journal {
            shelf.begin(first, &records, turn.size)?;
            self.lock().journal_first = first;
        }
        Ok(())
    }

    fn end(&self, result: Result<(), Arc<Failure>>) -> Result<(), AppendError> {
        let mut state = self.lock();
        state.is_writing = false;
        if let Err(failure) = &result {
            state.broken = Some(Arc::clone(failure));
        }
        drop(state);
        self.changed.notify_all();
        result.map_err(AppendError::Broken)
    }
}

impl State {
    fn take(&mut self, draft: &Draft) -> Result<u64, AppendError> {
        let appended = self.log.append(draft).map_err(AppendError::Log)?;
        let start = self.waiting.records.len();
        journal::record(&mut self.waiting.records, &appended.bytes, &appended.hash);
        if appended.full.is_empty() {
            self.tail.extend_from_slice(self.waiting.records.get(start..).unwrap_or_default());
        } else {
            self.tail.clear();
        }
        self.waiting.full.extend(appended.full);
        Ok(appended.sequence)
    }

    /// Takes what waits; nobody else writes until `end`.
    fn turn(&mut self) -> Turn {
        self.is_writing = true;
        let size = self.log.size();
        let first = size - size % watchfloor_verify::TILE_WIDTH;
        let is_full = first.saturating_sub(self.journal_first) >= self.journal_leaves;
        let journal = is_full.then(|| (first, self.tail.clone()));
        Turn { waiting: std::mem::take(&mut self.waiting), size, journal }
    }
}
