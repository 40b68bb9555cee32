//! `demo`: builds the release binary and runs the main job: the packs' samples become events, and the quality table is printed.

use std::path::PathBuf;
use std::process::Stdio;

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
    println!("normalising {} samples; events go nowhere here, the table below says what became of them\n", bag.len());
    let mut command = program(target().join("release/watchfloor"));
    command.args(["normalize", "--quality"]).args(bag.iter().map(|path| relative(path)));
    command.stderr(Stdio::inherit());
    let output = command.output().context("cannot run the release binary")?;
    let text = String::from_utf8_lossy(&output.stdout);
    // Events are JSON lines; the table is not.
    let (events, table): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('{'));
    for line in table {
        println!("{line}");
    }
    if !events.is_empty() {
        println!("\n{} events; the first:\n{}", events.len(), events.first().unwrap_or(&""));
    }
    match output.status.code() {
        // Findings: some samples are damaged on purpose.
        Some(0 | 1) => Ok(()),
        _ => bail!("`watchfloor normalize --quality` failed ({})", output.status),
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
