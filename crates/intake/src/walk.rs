//! Paths to files: directories in order of name, down to [`DIRECTORY_DEPTH_MAX`], without going in circles.

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use watchfloor_model::Diagnostic;
use watchfloor_model::limits::DIRECTORY_DEPTH_MAX;

use crate::stream::Session;

/// Reads a file, or everything in a directory.
pub(crate) fn path(path: &Path, session: &mut Session<'_>) -> ControlFlow<()> {
    let mut above = Vec::new();
    visit(path, &mut above, session)
}

/// `above` are the directories on the way here, with all links resolved.
fn visit(path: &Path, above: &mut Vec<PathBuf>, session: &mut Session<'_>) -> ControlFlow<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => directory(path, above, session),
        Ok(metadata) if metadata.is_file() => file(path, &metadata, session),
        // A pipe that somebody named is meant; one that lies in a directory is not.
        Ok(_) if above.is_empty() => match File::open(path) {
            Ok(pipe) => session.unseekable(&path.to_string_lossy(), pipe),
            Err(error) => unreadable(path, &error, session),
        },
        Ok(_) => {
            session.say(
                &path.to_string_lossy(),
                Diagnostic::note("input.special", "neither file nor directory: left out"),
            );
            ControlFlow::Continue(())
        }
        Err(error) => unreadable(path, &error, session),
    }
}

fn directory(path: &Path, above: &mut Vec<PathBuf>, session: &mut Session<'_>) -> ControlFlow<()> {
    let name = path.to_string_lossy();
    if above.len() >= DIRECTORY_DEPTH_MAX {
        let message = format!("directories deeper than {DIRECTORY_DEPTH_MAX} are left out");
        session.say(&name, Diagnostic::error("input.too_deep", message));
        return ControlFlow::Continue(());
    }
    let resolved = match fs::canonicalize(path) {
        Ok(resolved) => resolved,
        Err(error) => return unreadable(path, &error, session),
    };
    if above.iter().any(|directory| directory.starts_with(&resolved)) {
        session.say(
            &name,
            Diagnostic::warning("input.symlink_loop", "the link leads back to a directory above it: left out"),
        );
        return ControlFlow::Continue(());
    }
    let mut entries: Vec<PathBuf> = Vec::new();
    let read = fs::read_dir(path).and_then(|list| {
        for entry in list {
            entries.push(entry?.path());
        }
        Ok(())
    });
    if let Err(error) = read {
        // What was listed before the error is still read.
        unreadable(path, &error, session)?;
    } else if entries.is_empty() {
        session.say(&name, Diagnostic::note("input.empty", "the directory is empty"));
    }
    entries.sort();
    above.push(resolved);
    for entry in entries {
        visit(&entry, above, session)?;
    }
    above.pop();
    ControlFlow::Continue(())
}

fn file(path: &Path, before: &Metadata, session: &mut Session<'_>) -> ControlFlow<()> {
    let name = path.to_string_lossy();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return unreadable(path, &error, session),
    };
    if before.len() == 0 {
        // What the kernel shows as files (`/proc`) has no length and may have content.
        return session.unseekable(&name, file);
    }
    let flow = session.file(&name, file, before.len());
    let changed = match fs::metadata(path) {
        Ok(after) => after.len() != before.len() || after.modified().ok() != before.modified().ok(),
        Err(_) => true,
    };
    if changed {
        let message = "the file changed while it was read: records may be missing or cut";
        session.say(&name, Diagnostic::warning("input.changed", message));
    }
    flow
}

fn unreadable(path: &Path, error: &io::Error, session: &mut Session<'_>) -> ControlFlow<()> {
    let code = if error.kind() == io::ErrorKind::NotFound { "input.missing" } else { "input.unreadable" };
    session.say(&path.to_string_lossy(), Diagnostic::error(code, error.to_string().to_lowercase()));
    ControlFlow::Continue(())
}
