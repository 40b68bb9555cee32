//! The hands of the ledger: what is written, in which order. One thread at a time has them.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use watchfloor_ledger::Tile;

use super::{Failure, journal};
use crate::disk::Disk;

pub(super) struct Shelf<D: Disk> {
    pub disk: D,
    journal: D::File,
    path: String,
    /// Counts the marks.
    turn: u64,
    /// Full bundles and tiles whose leaves are durable in the journal, and which are not on disk yet.
    pub full: Vec<Tile>,
}

/// The path of the journal that begins with this leaf.
pub(super) fn journal_path(first: u64) -> String {
    format!("journal/{first:020}")
}

/// The folder of a path.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<D: Disk> Shelf<D> {
    /// Writes a journal with these records, durable, and takes it in use.
    pub fn new(disk: D, first: u64, records: &[u8], size: u64) -> io::Result<Self> {
        disk.make_folder("journal")?;
        disk.sync_folder("")?;
        let (journal, path) = new_journal(&disk, first, records, size)?;
        Ok(Self { disk, journal, path, turn: 1, full: Vec::new() })
    }

    /// Appends records; returns when they are durable.
    pub fn write(&mut self, records: &[u8], size: u64) -> Result<(), Arc<Failure>> {
        if records.is_empty() {
            return Ok(());
        }
        let written = self.disk.append(&mut self.journal, records).and_then(|()| self.disk.sync(&self.journal));
        written.map_err(|error| Failure::new("write to the journal", &error))?;
        let (at, mark) = journal::next_mark(self.turn, size);
        self.turn += 1;
        self.disk
            .write_at(&mut self.journal, at, &mark)
            .map_err(|error| Failure::new("write a mark to the journal", &error))
    }

    /// Puts the full tiles on disk and begins a new journal without their leaves.
    pub fn begin(&mut self, first: u64, records: &[u8], size: u64) -> Result<(), Arc<Failure>> {
        self.put(&[])?;
        let begun = new_journal(&self.disk, first, records, size).and_then(|(journal, path)| {
            self.journal = journal;
            let old = std::mem::replace(&mut self.path, path);
            if old == self.path { Ok(()) } else { self.disk.remove(&old) }
        });
        begun.map_err(|error| Failure::new("begin a new journal", &error))
    }

    /// Puts the full tiles that wait, and these, on disk.
    pub fn put(&mut self, more: &[Tile]) -> Result<(), Arc<Failure>> {
        let full = std::mem::take(&mut self.full);
        self.put_tiles(&full, more).map_err(|error| Failure::new("write tiles", &error))
    }

    /// Puts pieces on disk that are not there yet.
    pub fn keep(&self, pieces: &[Tile]) -> Result<(), Arc<Failure>> {
        self.put_tiles(&[], pieces).map_err(|error| Failure::new("keep what a leaf names", &error))
    }

    fn put_tiles(&self, full: &[Tile], partial: &[Tile]) -> io::Result<()> {
        let (mut files, mut names, mut folders) = (Vec::new(), Vec::new(), BTreeSet::new());
        for tile in full.iter().chain(partial) {
            match self.disk.read(&tile.path)? {
                Some(found) if found == tile.bytes => continue,
                // What was published once is never written again.
                Some(_) => {
                    return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is another one", tile.path)));
                }
                None => {}
            }
            let folder = folder(&tile.path);
            if folders.insert(folder.to_owned()) {
                self.disk.make_folder(folder)?;
            }
            let name = format!("{}.new", tile.path);
            let mut file = self.disk.create(&name)?;
            self.disk.append(&mut file, &tile.bytes)?;
            files.push(file);
            names.push((name, tile.path.as_str()));
        }
        self.disk.sync_all(&files)?;
        for (name, path) in names {
            self.disk.rename(&name, path)?;
        }
        // A folder may be new itself: those above it have to know.
        let above: Vec<String> = folders.iter().flat_map(|path| ancestors(path)).collect();
        folders.extend(above);
        folders.iter().rev().try_for_each(|path| self.disk.sync_folder(path))?;
        // A partial tile may go when the full one is there.
        for tile in full {
            let folder = format!("{}.p", tile.path);
            for name in self.disk.list(&folder)? {
                self.disk.remove(&format!("{folder}/{name}"))?;
            }
        }
        Ok(())
    }

    /// Puts the checkpoint in the place of the last one.
    pub fn put_checkpoint(&self, note: &str) -> Result<(), Arc<Failure>> {
        let put = || {
            let mut file = self.disk.create("checkpoint.new")?;
            self.disk.append(&mut file, note.as_bytes())?;
            self.disk.sync(&file)?;
            self.disk.rename("checkpoint.new", "checkpoint")?;
            self.disk.sync_folder("")
        };
        put().map_err(|error| Failure::new("write the checkpoint", &error))
    }
}

/// The folders above one, up to that of the log.
fn ancestors(path: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    found.extend(path.match_indices('/').filter_map(|(at, _)| path.get(..at)).map(str::to_owned));
    found
}

fn new_journal<D: Disk>(disk: &D, first: u64, records: &[u8], size: u64) -> io::Result<(D::File, String)> {
    let mut bytes = journal::head(first, size);
    bytes.extend_from_slice(records);
    let path = journal_path(first);
    let mut file = disk.create("journal/new")?;
    disk.append(&mut file, &bytes)?;
    disk.sync(&file)?;
    disk.rename("journal/new", &path)?;
    disk.sync_folder("journal")?;
    Ok((file, path))
}
