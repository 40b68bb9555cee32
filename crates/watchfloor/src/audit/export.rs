//! `watchfloor audit export`: what verifies on another machine.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lexopt::ValueExt as _;
use watchfloor_ledger::{export_head, export_line, inclusion, read_leaf};
use watchfloor_store::{Disk as _, Folder, PIECES};
use watchfloor_verify::{Checkpoint, TILE_WIDTH, Tiles, bundle_path, split_bundle, tile_path, width};

use super::{due, help};
use crate::{Ended, Usage};

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut folder, mut output, mut tenant, mut pieces) = (None, None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("output") => output = Some(PathBuf::from(parser.value()?)),
            Long("pieces") => pieces = true,
            Long("tenant") => tenant = Some(parser.value()?.string()?),
            Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let what = "`watchfloor audit export` takes the folder of a ledger and --output";
    let (folder, output) = (due(folder, what)?, due(output, what)?);
    let disk = Folder::reading(&folder);
    let Some(note) = disk.tile("checkpoint") else {
        crate::terminal::complain("there is no checkpoint, so nothing that is exported could be verified");
        return Ok(Ended::CannotVerify);
    };
    let checkpoint = Checkpoint::unsigned(&note).context("the checkpoint cannot be read")?;
    if output.exists() {
        return Err(Usage(format!("{} is there already", output.display())).into());
    }
    if pieces && tenant.is_some() {
        return Err(Usage("--pieces goes with the whole ledger, not with --tenant".to_owned()).into());
    }
    match tenant {
        Some(tenant) => one(&disk, &checkpoint, &String::from_utf8_lossy(&note), &tenant, &output),
        None => {
            all(&disk, &checkpoint, &note, &output)?;
            if pieces { named(&disk, &output) } else { Ok(Ended::Fine) }
        }
    }
}

/// The leaves of one tenant with their proofs, as a file.
fn one(disk: &Folder, checkpoint: &Checkpoint, note: &str, tenant: &str, output: &Path) -> anyhow::Result<Ended> {
    let mut lines = Vec::new();
    for index in 0..checkpoint.size.div_ceil(TILE_WIDTH) {
        let bytes = bundle(disk, index, checkpoint.size)?;
        for (number, entry) in (index * TILE_WIDTH..checkpoint.size).zip(split_bundle(&bytes).0) {
            let leaf = read_leaf(entry).with_context(|| format!("leaf {number}"))?;
            if leaf.tenant == tenant {
                let proof = inclusion(disk, number, checkpoint.size)?;
                lines.push(export_line(number, str::from_utf8(entry)?, &proof));
            }
        }
    }
    let mut file = fs::File::create_new(output).with_context(|| format!("cannot make {}", output.display()))?;
    writeln!(file, "{}", export_head(tenant, lines.len() as u64, note))?;
    lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
    file.sync_all()?;
    crate::terminal::print(&format!("{} leaves of {tenant} with their proofs\n", lines.len()))?;
    Ok(Ended::Fine)
}

fn bundle(disk: &Folder, index: u64, size: u64) -> anyhow::Result<Vec<u8>> {
    let path = bundle_path(index, width(0, index, size));
    let full = || disk.tile(&bundle_path(index, TILE_WIDTH));
    disk.tile(&path).or_else(full).with_context(|| format!("{path} is missing"))
}

/// Everything that the checkpoint counts, as a folder of the same form.
fn all(disk: &Folder, checkpoint: &Checkpoint, note: &[u8], output: &Path) -> anyhow::Result<Ended> {
    let (mut level, mut count, mut files) = (0, checkpoint.size, 1_u64);
    while count > 0 {
        for index in 0..count.div_ceil(TILE_WIDTH) {
            let wide = width(level, index, checkpoint.size);
            let mut paths = vec![(tile_path(level, index, wide), tile_path(level, index, TILE_WIDTH))];
            if level == 0 {
                paths.push((bundle_path(index, wide), bundle_path(index, TILE_WIDTH)));
            }
            for (path, full) in paths {
                // A full tile that took the place of the partial one holds leaves after the checkpoint too; they are not exported.
                let bytes = disk.tile(&path).or_else(|| part(disk, &full, wide));
                let bytes = bytes.with_context(|| format!("{path} is missing"))?;
                write(&output.join(&path), &bytes)?;
                files += 1;
            }
        }
        (level, count) = (level + 1, count / TILE_WIDTH);
    }
    write(&output.join("checkpoint"), note)?;
    crate::terminal::print(&format!("{} leaves in {files} files\n", checkpoint.size))?;
    Ok(Ended::Fine)
}

/// What leaves name by its hash: with it, decisions can be made again.
fn named(disk: &Folder, output: &Path) -> anyhow::Result<Ended> {
    let mut count = 0_u64;
    for folder in disk.list(PIECES)? {
        for name in disk.list(&format!("{PIECES}/{folder}"))?.iter().filter(|name| !name.ends_with(".new")) {
            let path = format!("{PIECES}/{folder}/{name}");
            let bytes = disk.tile(&path).with_context(|| format!("{path} cannot be read"))?;
            write(&output.join(&path), &bytes)?;
            count += 1;
        }
    }
    crate::terminal::print(&format!("{count} pieces that leaves name\n"))?;
    Ok(Ended::Fine)
}

/// The first hashes or entries of a full file.
fn part(disk: &Folder, path: &str, wide: u64) -> Option<Vec<u8>> {
    let bytes = disk.tile(path)?;
    if !path.starts_with("tile/entries/") {
        return bytes.get(..wide as usize * watchfloor_verify::HASH_BYTES).map(<[u8]>::to_vec);
    }
    let length: usize = split_bundle(&bytes).0.iter().take(wide as usize).map(|entry| entry.len() + 2).sum();
    bytes.get(..length).map(<[u8]>::to_vec)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let mut file = fs::File::create_new(path)?;
        file.write_all(bytes)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
