//! The second opinion on the ledger: PyPI's `aics-tlog`, which we did not write, checks checkpoints, tiles and proofs of a ledger that our
//! binary made. Skipped, which is said, where Python 3.12 or the package cannot be had.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::oracle::environment;
use crate::place::{program, target};

const PACKAGES: [&str; 1] = ["aics-tlog==0.2.1"];
const ORIGIN: &str = "oracle.example/ledger";
/// Leaves at the first checkpoint and at the second: no multiples of 256, and more than one level of tiles.
const SIZES: [u64; 2] = [300, 70_000];
/// Leaves whose inclusion is checked.
const INDEXES: [u64; 6] = [0, 255, 256, 299, 65_536, 69_999];

/// `ledger-oracle`
pub fn ledger_oracle(mut args: lexopt::Parser) -> Result<()> {
    if let Some(arg) = args.next()? {
        return Err(arg.unexpected().into());
    }
    check(&target().join("debug/watchfloor"))
}

/// Makes a ledger with this binary, and has it checked.
pub fn check(binary: &Path) -> Result<()> {
    let Some(interpreter) = interpreter() else {
        println!("   skipped: aics-tlog needs Python 3.12 or newer, and none was found");
        return Ok(());
    };
    let home = target().join("ledger-oracle-venv");
    if let Err(error) = environment(&home, &interpreter, &PACKAGES) {
        println!("   skipped: {error:#}");
        return Ok(());
    }
    let python = home.join("bin/python");
    let folder = target().join("ledger-oracle");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let ours = |args: &[&str], input: &str| ours(binary, &folder, args, input);
    std::fs::write(folder.join("key.pub"), ours(&["key", "--name", ORIGIN, "--output", "key"], "")?)?;
    let mut size = 0;
    for (at, next) in SIZES.into_iter().enumerate() {
        ours(&["append", "ledger"], &(size..next).map(line).collect::<String>())?;
        std::fs::write(
            folder.join(format!("checkpoint-{at}")),
            ours(&["checkpoint", "ledger", "--key-file", "key"], "")?,
        )?;
        size = next;
    }
    let theirs = |args: &[&str]| theirs(&python, &folder, args);
    for at in 0..SIZES.len() {
        theirs(&["verify-checkpoint", "--note", &format!("checkpoint-{at}")])?;
    }
    theirs(&["verify-consistency", "--tiles", "ledger", "--old-checkpoint", "checkpoint-0"])?;
    for index in INDEXES {
        let index = index.to_string();
        theirs(&["verify-inclusion", "--tiles", "ledger", "--index", &index, "--entry-out", "entry"])?;
        let entry: Value = serde_json::from_slice(&std::fs::read(folder.join("entry"))?)?;
        if entry.get("sequence").map(Value::to_string) != Some(index.clone()) {
            bail!("leaf {index} is read as {entry}");
        }
    }
    // They see what we see: a changed leaf is not in the log.
    let path = folder.join("ledger/tile/entries/001");
    let mut bytes = std::fs::read(&path)?;
    bytes.iter_mut().skip(9).take(1).for_each(|byte| *byte ^= 1);
    std::fs::write(&path, bytes)?;
    if theirs(&["verify-inclusion", "--tiles", "ledger", "--index", "256"]).is_ok() {
        bail!("aics-tlog takes a changed leaf");
    }
    println!(
        "   aics-tlog agrees: {} checkpoints, their consistency, {} leaves, and a changed one",
        SIZES.len(),
        INDEXES.len()
    );
    Ok(())
}

fn line(number: u64) -> String {
    format!(
        "{{\"kind\":\"query\",\"tenant\":\"acme\",\"actor\":\"ada\",\"accountable\":\"ada\",\"time\":{number},\"detail\":{{}}}}\n"
    )
}

fn ours(binary: &Path, folder: &Path, args: &[&str], input: &str) -> Result<String> {
    let mut command = program(binary);
    command.arg("audit").args(args).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {}", binary.display()))?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("`watchfloor audit {}` failed", args.join(" "));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn theirs(python: &Path, folder: &Path, args: &[&str]) -> Result<()> {
    let mut command = program(python);
    command.args(["-m", "aics_tlog"]).args(args).args(["--vkey-file", "key.pub", "--origin", ORIGIN]);
    let output = command.current_dir(folder).output().context("cannot run aics-tlog")?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("`aics-tlog {}`: {}", args.join(" "), String::from_utf8_lossy(&said).trim());
    }
    Ok(())
}

/// A Python of 3.12 or newer: on the path, or among those that pyenv keeps.
fn interpreter() -> Option<PathBuf> {
    let names = ["python3.14", "python3.13", "python3.12", "python3"].map(PathBuf::from);
    let kept = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv/versions"));
    let mut kept: Vec<PathBuf> = kept
        .and_then(|kept| std::fs::read_dir(kept).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .collect();
    kept.sort();
    let is_new = |path: &PathBuf| {
        let asked = program(path).args(["-c", "import sys; sys.exit(sys.version_info < (3, 12))"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    names.into_iter().chain(kept).find(is_new)
}
