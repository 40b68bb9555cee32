//! A disk in memory that fails and crashes on purpose.
//!
//! What was not synced may be lost, kept, or kept in part: writes of a file each for itself and cut anywhere, names of a folder in the order
//! in which they changed. A failed sync loses what it was to make durable, though it can still be read until the machine stops, as Linux does.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use watchfloor_store::Disk;
use watchfloor_verify::Tiles;

#[derive(Clone, Default)]
struct Node {
    durable: Vec<u8>,
    /// As it reads now.
    bytes: Vec<u8>,
    /// Writes since the last sync: offset and bytes.
    writes: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone)]
enum Change {
    Link(String, usize),
    Unlink(String),
}

#[derive(Clone, Default)]
struct State {
    nodes: Vec<Node>,
    names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// Changes of names since the folder was synced.
    changes: Vec<Change>,
    steps: usize,
    crash_at: Option<usize>,
    fail_at: Option<(usize, ErrorKind)>,
    is_down: bool,
}

#[derive(Clone, Default)]
pub struct Simulated(Arc<Mutex<State>>);

/// Small numbers that look random.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound.max(1) as u64) as usize
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Simulated {
    /// Crashes instead of the step with this number.
    pub fn crash_at(&self, step: usize) {
        self.state().crash_at = Some(step);
    }

    /// Lets the step with this number fail.
    pub fn fail_at(&self, step: usize, kind: ErrorKind) {
        self.state().fail_at = Some((step, kind));
    }

    pub fn steps(&self) -> usize {
        self.state().steps
    }

    pub fn is_down(&self) -> bool {
        self.state().is_down
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The disk as the machine finds it when it starts again.
    pub fn after_crash(&self, seed: u64) -> Self {
        let old = self.state().clone();
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut names = old.durable.clone();
        let kept = dice.below(old.changes.len() + 1);
        for change in &old.changes[..kept] {
            match change {
                Change::Link(path, node) => _ = names.insert(path.clone(), *node),
                Change::Unlink(path) => _ = names.remove(path),
            }
        }
        let mut state = State::default();
        for (path, node) in names {
            let old = &old.nodes[node];
            let mut bytes = old.durable.clone();
            for (offset, written) in &old.writes {
                let part = match dice.below(3) {
                    0 => 0,
                    1 => written.len(),
                    _ => dice.below(written.len() + 1),
                };
                put(&mut bytes, *offset, &written[..part]);
            }
            state.names.insert(path, state.nodes.len());
            state.nodes.push(Node { durable: bytes.clone(), bytes, writes: Vec::new() });
        }
        state.durable = state.names.clone();
        Self(Arc::new(Mutex::new(state)))
    }

    /// The disk as another process finds it after this one was ended: nothing is lost.
    pub fn after_kill(&self) -> Self {
        let mut state = self.state().clone();
        (state.crash_at, state.fail_at, state.is_down, state.steps) = (None, None, false, 0);
        Self(Arc::new(Mutex::new(state)))
    }

    pub fn write_file(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let node = state.names[path];
        let node = &mut state.nodes[node];
        change(&mut node.bytes);
        node.durable = node.bytes.clone();
        node.writes.clear();
    }

    pub fn remove_file(&self, path: &str) {
        let mut state = self.state();
        state.names.remove(path).unwrap();
        state.durable.remove(path);
    }

    pub fn paths(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Counts a step that changes something.
    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.is_down || state.crash_at == Some(state.steps) {
            state.is_down = true;
            return Err(io::Error::other("the machine stopped"));
        }
        state.steps += 1;
        Ok(state)
    }

    fn failure(state: &mut State) -> Option<io::Error> {
        let (_, kind) = state.fail_at.take_if(|(step, _)| *step + 1 == state.steps)?;
        Some(kind.into())
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    if !written.is_empty() {
        bytes.resize(bytes.len().max(offset + written.len()), 0);
        bytes[offset..offset + written.len()].copy_from_slice(written);
    }
}

impl Disk for Simulated {
    type File = usize;

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let state = self.state();
        Ok(state.names.get(path).map(|node| state.nodes[*node].bytes.clone()))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.names.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
        let mut names: Vec<String> = inside.map(|path| path.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        Ok(names)
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        let mut state = self.step()?;
        Self::failure(&mut state).map_or(Ok(()), Err)
    }

    fn create(&self, path: &str) -> io::Result<usize> {
        let mut state = self.step()?;
        if let Some(error) = Self::failure(&mut state) {
            return Err(error);
        }
        let node = state.nodes.len();
        state.nodes.push(Node::default());
        state.names.insert(path.to_owned(), node);
        state.changes.push(Change::Link(path.to_owned(), node));
        Ok(node)
    }

    fn append(&self, file: &mut usize, bytes: &[u8]) -> io::Result<()> {
        let end = self.state().nodes[*file].bytes.len();
        self.write_at(file, end as u64, bytes)
    }

    fn write_at(&self, file: &mut usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.step()?;
        let error = Self::failure(&mut state);
        // A write that fails may have written a part.
        let part = if error.is_some() { bytes.len() / 2 } else { bytes.len() };
        let node = &mut state.nodes[*file];
        put(&mut node.bytes, offset as usize, &bytes[..part]);
        node.writes.push((offset as usize, bytes[..part].to_vec()));
        error.map_or(Ok(()), Err)
    }

    fn sync(&self, file: &usize) -> io::Result<()> {
        let mut state = self.step()?;
        let error = Self::failure(&mut state);
        let node = &mut state.nodes[*file];
        let writes = std::mem::take(&mut node.writes);
        if error.is_none() {
            writes.iter().for_each(|(offset, bytes)| put(&mut node.durable, *offset, bytes));
        }
        error.map_or(Ok(()), Err)
    }

    fn sync_all(&self, files: &[usize]) -> io::Result<()> {
        files.iter().try_for_each(|file| self.sync(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.step()?;
        if let Some(error) = Self::failure(&mut state) {
            return Err(error);
        }
        let node = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), node);
        // Both names change together or not at all: the new one is enough to find the file.
        state.changes.push(Change::Link(to.to_owned(), node));
        state.changes.push(Change::Unlink(from.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.step()?;
        if let Some(error) = Self::failure(&mut state) {
            return Err(error);
        }
        if state.names.remove(path).is_some() {
            state.changes.push(Change::Unlink(path.to_owned()));
        }
        Ok(())
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        let mut state = self.step()?;
        if let Some(error) = Self::failure(&mut state) {
            return Err(error);
        }
        let state = &mut *state;
        let (synced, rest): (Vec<Change>, Vec<Change>) = state.changes.drain(..).partition(|change| {
            let (Change::Link(name, _) | Change::Unlink(name)) = change;
            folder(name) == path
        });
        for change in synced {
            match change {
                Change::Link(path, node) => _ = state.durable.insert(path, node),
                Change::Unlink(path) => _ = state.durable.remove(&path),
            }
        }
        state.changes = rest;
        Ok(())
    }
}

impl Tiles for Simulated {
    fn tile(&self, path: &str) -> Option<Vec<u8>> {
        self.read(path).unwrap()
    }
}
