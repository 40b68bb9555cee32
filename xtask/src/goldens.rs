//! The events that the packs' samples must become: `packs/sources/<kind>/golden/<sample>.jsonl`.
//!
//! `goldens` builds the release binary and writes them anew, `goldens --check` compares instead. The receipt time is fixed and paths are
//! relative to the repository, so that the result is the same on every machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::place::{cargo, files, program, relative, root, run, target};

const RECEIVED: &str = "2026-01-01T00:00:00Z";
/// Differing lines that are printed of one golden.
const SHOWN: usize = 3;

/// `goldens [--check] [KIND…]`
pub fn goldens(mut args: lexopt::Parser) -> Result<()> {
    let (mut check, mut only) = (false, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            lexopt::Arg::Long("check") => check = true,
            lexopt::Arg::Value(kind) => only.push(kind.to_string_lossy().into_owned()),
            other => return Err(other.unexpected().into()),
        }
    }
    run(&mut cargo(&["build", "--release", "--quiet", "--package", "watchfloor"]))?;
    each(&target().join("release/watchfloor"), &only, check)
}

/// Writes or compares the goldens of these kinds (all, if none is named) with this binary.
pub fn each(binary: &Path, only: &[String], check: bool) -> Result<()> {
    let (mut count, mut differ) = (0, 0);
    for folder in kinds()? {
        let kind = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !only.is_empty() && !only.contains(&kind) {
            continue;
        }
        for sample in samples_of(&folder)? {
            let events = events(binary, &sample)?;
            let golden = golden_of(&folder, &sample);
            count += 1;
            if check {
                differ += usize::from(!is_same(&golden, &events));
            } else {
                std::fs::create_dir_all(folder.join("golden"))?;
                std::fs::write(&golden, events).with_context(|| format!("cannot write {}", golden.display()))?;
            }
        }
    }
    if differ > 0 {
        bail!(
            "{differ} of {count} goldens differ; `cargo xtask goldens` writes them anew, the diff is then for you to judge"
        );
    }
    println!("goldens: {count} {}", if check { "as they should be" } else { "written" });
    Ok(())
}

/// What the samples become; diagnostics are no part of it, and neither is the exit code: a sample may be damaged on purpose.
fn events(binary: &Path, sample: &Path) -> Result<String> {
    let mut command = program(binary);
    command.args(["normalize", "--received", RECEIVED]).arg(relative(sample));
    let output = command.output().with_context(|| format!("cannot run {}", binary.display()))?;
    if output.stdout.is_empty() && !output.status.success() {
        bail!("{}: {}", relative(sample), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not become text", relative(sample)))
}

fn is_same(golden: &Path, events: &str) -> bool {
    let due = std::fs::read_to_string(golden).unwrap_or_default();
    if due == events {
        return true;
    }
    let name = relative(golden);
    eprintln!("{name}: {} lines due, {} found", due.lines().count(), events.lines().count());
    let pairs = due.lines().zip(events.lines()).enumerate().filter(|(_, (due, found))| due != found);
    for (at, (due, found)) in pairs.take(SHOWN) {
        let same = due.chars().zip(found.chars()).take_while(|(left, right)| left == right).count();
        let part = |line: &str| line.chars().skip(same.saturating_sub(60)).take(160).collect::<String>();
        eprintln!("  line {}: due   …{}…\n  line {}: found …{}…", at + 1, part(due), at + 1, part(found));
    }
    false
}

/// The folders of the packs' kinds.
pub fn kinds() -> Result<Vec<PathBuf>> {
    let folder = root().join("packs/sources");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The samples of a kind.
pub fn samples_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let samples = folder.join("samples");
    if samples.exists() { files(&samples) } else { Ok(Vec::new()) }
}

/// The file with what a sample must become.
pub fn golden_of(folder: &Path, sample: &Path) -> PathBuf {
    let name = sample.strip_prefix(folder.join("samples")).unwrap_or(sample);
    folder.join("golden").join(format!("{}.jsonl", name.to_string_lossy().replace(['/', '\\'], "-")))
}
