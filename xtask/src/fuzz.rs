//! `fuzz`: builds the fuzz targets with coverage and runs them, with the stable toolchain and no further tool.
//!
//! What the fuzzer learns stays in `target/fuzz/corpus`; what it finds, in `target/fuzz/found`. `fuzz/corpus` holds the committed seeds and
//! past findings, which the tests replay.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::place::{cargo, program, root, run, target};

/// Seconds that each target runs if none are named.
const SECONDS: u64 = 60;
/// Longest input, in bytes: a chunk of an event log, and a little.
const INPUT_BYTES_MAX: u64 = 70_000;
/// Most memory of a target, in MiB.
const MEMORY_MIB_MAX: u64 = 2_048;
/// Longest time of one input, in seconds.
const INPUT_SECONDS_MAX: u64 = 20;

/// What tells the fuzzer which branches an input took, and what it compared.
const COVERAGE: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// `fuzz [TARGET] [SECONDS]`
pub fn fuzz(mut args: lexopt::Parser) -> Result<()> {
    let (mut wanted, mut seconds) = (None, SECONDS);
    while let Some(arg) = args.next()? {
        let lexopt::Arg::Value(word) = arg else { return Err(arg.unexpected().into()) };
        let word = word.to_string_lossy().into_owned();
        match word.parse() {
            Ok(number) => seconds = number,
            Err(_) => wanted = Some(word),
        }
    }
    let all = targets()?;
    let chosen: Vec<&String> = all.iter().filter(|name| wanted.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are {}", all.join(", "));
    }
    let host = host()?;
    build(&host, wanted.as_deref())?;
    let mut failed = Vec::new();
    for name in chosen {
        println!("── {name}: {seconds} s");
        if let Err(error) = one(name, &host, seconds) {
            println!("   {name}: {error:#}");
            failed.push(name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("found something: {}; put the file into fuzz/corpus/TARGET and mend it", failed.join(", "));
    }
    Ok(())
}

/// The targets: one folder of seeds each.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/corpus");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    found.sort();
    Ok(found)
}

/// The machine's own triple. Naming it keeps the flags away from build scripts.
fn host() -> Result<String> {
    let output = program("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc does not name its host")
}

fn folder(part: &str) -> PathBuf {
    target().join("fuzz").join(part)
}

fn build(host: &str, only: Option<&str>) -> Result<()> {
    let mut command = cargo(&["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host]);
    command.env("CARGO_TARGET_DIR", folder("build")).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
    if let Some(name) = only {
        command.args(["--bin", name]);
    }
    run(&mut command)
}

fn one(name: &str, host: &str, seconds: u64) -> Result<()> {
    let (learnt, found) = (folder("corpus").join(name), folder("found"));
    for folder in [&learnt, &found] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = Command::new(folder("build").join(host).join("release").join(name));
    command.current_dir(root());
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"));
    command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.arg("-print_final_stats=1").arg("-verbosity=1").arg("-len_control=20");
    command.arg(format!("-artifact_prefix={}/{name}-", found.display()));
    command.arg(&learnt).arg(root().join("fuzz/corpus").join(name));
    run(&mut command)
}
