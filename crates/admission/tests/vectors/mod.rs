//! The published vectors, unpacked by `tar` into a folder that vanishes.

#![allow(clippy::disallowed_methods, reason = "tests read the vectors from a folder")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The archive; nothing of it is copied into the repository.
const ARCHIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/conformance/acp-test-vectors.tar.xz");

/// Files of the vectors.
pub struct Vectors {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Vectors {
    /// `None`, with the reason printed, where the archive is not there.
    pub fn unpack() -> Option<Self> {
        if !Path::new(ARCHIVE).exists() {
            eprintln!("skipped: {ARCHIVE} is not there");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new("tar").arg("-xJf").arg(ARCHIVE).arg("-C").arg(folder.path()).status().unwrap();
        assert!(status.success(), "tar: {status}");
        let root = folder.path().join("test-vectors");
        Some(Self { _folder: folder, root })
    }

    /// Names and contents of the files of a folder whose name starts with a word, by name.
    pub fn read(&self, folder: &str, start: &str) -> Vec<(String, Value)> {
        let entries = std::fs::read_dir(self.root.join(folder)).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
        paths
            .iter()
            .filter(|path| path.extension().is_some_and(|kind| kind == "json") && name(path).starts_with(start))
            .map(|path| (name(path), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
            .collect()
    }
}
