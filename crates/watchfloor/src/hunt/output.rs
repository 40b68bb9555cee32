//! Where the matches go.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use watchfloor_intake::Input;

use crate::Usage;

/// A file that is written beside the one it takes the place of: until everything stands in it, what was there before stays.
pub struct Output {
    path: PathBuf,
    part: Option<PathBuf>,
    file: File,
}

impl Output {
    /// Makes the file. It must be none of the inputs, and stand in none of their folders.
    pub fn create(path: &Path, inputs: &[Input]) -> anyhow::Result<Self> {
        let shown = path.display();
        let real = |path: &Path| fs::canonicalize(path).ok();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let there = real(path).or_else(|| Some(real(folder)?.join(path.file_name()?)));
        for input in inputs {
            if let Input::Path(input) = input
                && let (Some(input), Some(there)) = (real(input), &there)
                && there.starts_with(&input)
            {
                let message =
                    format!("`--output {shown}` is one of the inputs, or in one of their folders: name another place");
                return Err(Usage(message).into());
            }
        }
        let failed = || format!("cannot write {shown}");
        // What is no file (a device, a pipe) is written as it is.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Self { path: path.to_owned(), part: None, file: File::create(path).with_context(failed)? });
        }
        let target = real(path).unwrap_or_else(|| path.to_owned());
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = target.with_file_name(name);
        // A file that is there already is somebody else's.
        let file = File::create_new(&part).with_context(|| format!("cannot write {}", part.display()))?;
        Ok(Self { path: target, part: Some(part), file })
    }

    /// Everything was written: the file takes its place.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let failed = || format!("cannot write {}", self.path.display());
        if let Some(part) = &self.part {
            self.file.sync_all().with_context(failed)?;
            fs::rename(part, &self.path).with_context(failed)?;
        }
        self.part = None;
        Ok(())
    }

    /// What failed, with the name of the file.
    pub fn named(&self, error: io::Error) -> anyhow::Error {
        anyhow::Error::new(error).context(format!("cannot write {}", self.path.display()))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // It is not whole; if it cannot be removed, its name says so.
            let _ = fs::remove_file(part);
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Standard output. If nobody reads it any more, who asked for an exit code still gets it: the rest is written to nobody.
pub struct Patient {
    patient: bool,
    gone: bool,
}

impl Patient {
    /// Whether a closed pipe is no reason to stop.
    pub fn new(patient: bool) -> Self {
        Self { patient, gone: false }
    }

    fn bear<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error) if self.patient && error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let done = io::stdout().lock().write(bytes);
        self.bear(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = if self.gone { Ok(()) } else { io::stdout().lock().flush() };
        self.bear(done, ())
    }
}
