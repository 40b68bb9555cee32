//! A set of policies from a folder or a file, and its findings on a terminal.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use watchfloor_policy::{Finding, MAX_TEXT_BYTES, Policies, Source};

/// Most files of one folder that are read.
const FILES_MAX: usize = 1_000;

/// A set and where it is from.
pub struct Set {
    /// The folder or file.
    pub path: PathBuf,
    /// The set, if it has no error.
    pub policies: Option<Policies>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Reads the policies of a folder (its `.cedar` files, not those of folders in it) or of one file.
pub fn set(path: &Path) -> anyhow::Result<Set> {
    let mut sources = Vec::new();
    for file in files(path, "cedar")? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.push(Source { name, text: text(&file)? });
    }
    anyhow::ensure!(!sources.is_empty(), "{}: no policies here (files ending in .cedar)", path.display());
    let (policies, findings) = Policies::read(&sources);
    Ok(Set { path: path.to_owned(), policies, findings })
}

/// The files of one ending in a folder, by name; or the file itself.
pub fn files(path: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        let file = entry.with_context(|| path.display().to_string())?.path();
        if file.extension().is_some_and(|found| found == ending) && file.is_file() {
            files.push(file);
        }
        anyhow::ensure!(files.len() <= FILES_MAX, "{}: more than {FILES_MAX} files", path.display());
    }
    files.sort();
    Ok(files)
}

/// The text of a file that is not too long.
pub fn text(file: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::metadata(file).with_context(|| file.display().to_string())?.len();
    anyhow::ensure!(bytes <= MAX_TEXT_BYTES as u64, "{}: {bytes} bytes, more than {MAX_TEXT_BYTES}", file.display());
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}

impl Set {
    /// The set, if it can be used; otherwise what is wrong is told.
    pub fn usable(&self) -> Option<&Policies> {
        if self.policies.is_none() {
            crate::terminal::say(&self.findings.iter().map(|finding| self.render(finding)).collect::<String>());
        }
        self.policies.as_ref()
    }

    /// A finding as text.
    pub fn render(&self, finding: &Finding) -> String {
        let mut text = match &finding.place {
            Some(place) => {
                let file = if self.path.is_dir() { self.path.join(&place.file) } else { self.path.clone() };
                format!("{}:{}:{}", file.display(), place.line, place.column)
            }
            None => self.path.display().to_string(),
        };
        let grade = if finding.is_error() { "error" } else { "warning" };
        text.push_str(&format!(": {grade}[{}]: {}\n", finding.code, finding.message));
        if let Some(note) = &finding.note {
            text.push_str(&format!("  note: {note}\n"));
        }
        if let Some(example) = &finding.example {
            text.push_str(&format!("  such as: {example}\n"));
        }
        text
    }
}
