//! `demo`: builds the release binary and runs the main jobs: the packs' samples become events, the quality table is printed, and the built-in
//! rules are run over them.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::goldens::{kinds, samples_of};
use crate::place::{cargo, files, program, relative, root, run, target};

/// `demo`
pub fn demo(mut args: lexopt::Parser) -> Result<()> {
    if let Some(arg) = args.next()? {
        return Err(arg.unexpected().into());
    }
    println!("building the release binary…");
    run(&mut cargo(&["build", "--release", "--package", "watchfloor"]))?;
    let bag = bag()?;
    let samples = bag.len();
    println!("\n$ watchfloor normalize --quality …   ({samples} samples; without --quality it prints the events)\n");
    let mut command = program(target().join("release/watchfloor"));
    command.args(["normalize", "--quality"]).args(bag.iter().map(|path| relative(path)));
    let start = Instant::now();
    let output = command.output().context("cannot run the release binary")?;
    let time = start.elapsed();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr);
    // Diagnostics are JSON lines; whatever else it says is for the person here.
    let (diagnostics, other): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.starts_with('{'));
    for line in other {
        eprintln!("{line}");
    }
    println!("\n{samples} samples in {:.2} s; {} lines of diagnostics, such as", time.as_secs_f64(), diagnostics.len());
    for line in diagnostics.iter().take(3) {
        println!("{line}");
    }
    match output.status.code() {
        // Findings: some samples are damaged on purpose.
        Some(0 | 1) => hunt(&bag),
        _ => bail!("`watchfloor normalize --quality` failed ({})", output.status),
    }
}

/// The built-in rules over the same samples.
fn hunt(bag: &[PathBuf]) -> Result<()> {
    println!("\n$ watchfloor hunt --level high …   (the same samples and the built-in rules)\n");
    let mut command = program(target().join("release/watchfloor"));
    command.args(["hunt", "--level", "high"]).args(bag.iter().map(|path| relative(path)));
    let output = command.output().context("cannot run the release binary")?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr);
    println!("\n{}", said.lines().last().unwrap_or_default());
    match output.status.code() {
        Some(0 | 1) => Ok(()),
        _ => bail!("`watchfloor hunt` failed ({})", output.status),
    }
}

/// The bundled bag: `packs/demo` if it is there, and every sample of every kind.
fn bag() -> Result<Vec<PathBuf>> {
    let folder = root().join("packs/demo");
    let mut bag = if folder.exists() { files(&folder)? } else { Vec::new() };
    for kind in kinds()? {
        bag.extend(samples_of(&kind)?);
    }
    if bag.is_empty() {
        bail!("packs/sources has no samples");
    }
    Ok(bag)
}
