//! The part of a file system that the ledger uses, and the real one.
//!
//! What is written is durable after `sync` of the file, and found again under its name after `sync_folder` of the folder it stands in. Paths
//! are relative, with `/`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use watchfloor_verify::Tiles;

/// Files that are synced at the same time: the file system then makes one commit for many of them.
const SYNCS_AT_ONCE: usize = 16;

/// Largest file that is read, in bytes: a journal of 16,384 of the largest leaves, and its head. A folder from elsewhere can hold anything.
pub const FILE_BYTES_MAX: u64 = 16_384 * 65_545 + 64;
/// Largest tile or bundle that is read, in bytes: 256 of the largest leaves.
pub const TILE_BYTES_MAX: u64 = 256 * 65_537;

/// A folder and what can be done in it.
pub trait Disk: Send + Sync {
    /// A file that is open for writing.
    type File: Send;

    /// The bytes of a file; none if it does not exist.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
    /// The names in a folder; none if it does not exist.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Makes a folder and those above it.
    fn make_folder(&self, folder: &str) -> io::Result<()>;
    /// Makes an empty file; one of that name is emptied.
    fn create(&self, path: &str) -> io::Result<Self::File>;
    /// Writes at the end.
    fn append(&self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()>;
    /// Writes at a place before the end.
    fn write_at(&self, file: &mut Self::File, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was written is durable.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// The same of many files.
    fn sync_all(&self, files: &[Self::File]) -> io::Result<()>;
    /// Gives a file another name, which may be taken.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Returns when the names in a folder are durable.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// A folder of the machine.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Held as long as the folder is open for writing.
    _lock: Option<File>,
}

impl Folder {
    /// A folder to read from. Nothing is made.
    pub fn reading(root: &Path) -> Self {
        Self { root: root.to_owned(), _lock: None }
    }

    /// A folder to write to; it is made if it is missing. Only one process at a time can have it.
    pub fn writing(root: &Path) -> io::Result<Self> {
        if !root.is_dir() {
            fs::create_dir_all(root)?;
            if let Some(above) = root.canonicalize()?.parent() {
                File::open(above)?.sync_all()?;
            }
        }
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(root.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another process has it open"),
            fs::TryLockError::Error(error) => error,
        })?;
        Ok(Self { root: root.to_owned(), _lock: Some(lock) })
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The bytes of a file that is not too large.
    fn read_up_to(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = found(File::open(self.at(path)))? else { return Ok(None) };
        let told = file.metadata()?.len();
        let mut bytes = Vec::new();
        // It may grow while it is read.
        file.take(if told > most { 0 } else { most + 1 }).read_to_end(&mut bytes)?;
        if told.max(bytes.len() as u64) > most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{path} has more than {most} bytes")));
        }
        Ok(Some(bytes))
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Disk for Folder {
    type File = File;

    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.read_up_to(path, FILE_BYTES_MAX)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in found(fs::read_dir(self.at(folder)))?.into_iter().flatten() {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        fs::create_dir_all(self.at(folder))
    }

    fn create(&self, path: &str) -> io::Result<File> {
        File::create(self.at(path))
    }

    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        io::Seek::seek(file, io::SeekFrom::End(0))?;
        file.write_all(bytes)
    }

    fn write_at(&self, file: &mut File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        io::Seek::seek(file, io::SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_all(&self, files: &[File]) -> io::Result<()> {
        let share = files.len().div_ceil(SYNCS_AT_ONCE).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                files.chunks(share).map(|part| scope.spawn(|| part.iter().try_for_each(File::sync_data))).collect();
            let broken = || io::Error::other("a thread that synced files ended");
            parts.into_iter().try_for_each(|part| part.join().unwrap_or_else(|_| Err(broken())))
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        found(fs::remove_file(self.at(path))).map(|_| ())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        File::open(self.at(folder))?.sync_all()
    }
}

/// What cannot be read is not there: for whoever checks, that is the same.
impl Tiles for Folder {
    fn tile(&self, path: &str) -> Option<Vec<u8>> {
        self.read_up_to(path, TILE_BYTES_MAX).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_too_large_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Folder::reading(folder.path());
        for (bytes, is_tile) in [(TILE_BYTES_MAX - 1, true), (TILE_BYTES_MAX, true), (TILE_BYTES_MAX + 1, false)] {
            // Holes take no room.
            File::create(folder.path().join("tile")).unwrap().set_len(bytes).unwrap();
            assert_eq!(disk.tile("tile").is_some(), is_tile, "{bytes}");
            assert_eq!(disk.read("tile").unwrap().unwrap().len() as u64, bytes);
        }
        File::create(folder.path().join("piece")).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        assert_eq!(disk.read("piece").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(disk.read("nothing").unwrap(), None);
        assert!(disk.read(".").is_err(), "a folder is no file");
    }
}
