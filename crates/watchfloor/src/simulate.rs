//! `watchfloor simulate`: worlds in which plans are carried out while everything goes wrong.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use lexopt::ValueExt as _;
use watchfloor_respond::simulator::{Survived, run as world};

use crate::{Ended, Usage, arguments};

/// Most worlds of a run.
const WORLDS_MAX: u64 = 1_000_000_000;
/// Most findings that are told.
const FINDINGS_MAX: usize = 20;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short};
    let (mut seed, mut worlds, mut jobs, mut json) = (None, 1_u64, arguments::default_jobs(), false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                crate::terminal::print(crate::help::SIMULATE)?;
                return Ok(Ended::Fine);
            }
            Long("seed") => seed = Some(parser.value()?.parse::<u64>()?),
            Long("worlds") => worlds = parser.value()?.parse()?,
            Long("jobs") => jobs = arguments::jobs(parser)?,
            Long("json") => json = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let seed = seed.ok_or_else(|| Usage("`watchfloor simulate` takes `--seed N`".into()))?;
    anyhow::ensure!((1..=WORLDS_MAX).contains(&worlds), Usage(format!("`--worlds` takes 1 to {WORLDS_MAX}")));
    let (all, findings) = worlds_of(seed, worlds, jobs);
    crate::terminal::print(&if json {
        as_json(seed, worlds, &all, findings.len())
    } else {
        as_text(seed, worlds, &all)
    })?;
    for (seed, finding) in findings.iter().take(FINDINGS_MAX) {
        crate::terminal::complain(&format!("seed {seed}: {finding}"));
    }
    Ok(if findings.is_empty() { Ended::Fine } else { Ended::Findings })
}

/// What some worlds went through together, and what was wrong with which of them.
fn worlds_of(seed: u64, worlds: u64, jobs: usize) -> (Survived, Vec<(u64, String)>) {
    let next = AtomicU64::new(0);
    let some = || {
        let (mut all, mut findings) = (Survived::default(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= worlds {
                return (all, findings);
            }
            let seed = seed.wrapping_add(number);
            let mut one = world(seed);
            findings.extend(one.findings.drain(..).map(|finding| (seed, finding)));
            all.add(&one);
        }
    };
    let mut together = (Survived::default(), Vec::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(some)).collect();
        for thread in threads {
            match thread.join() {
                Ok((all, mut findings)) => {
                    together.0.add(&all);
                    together.1.append(&mut findings);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    together.1.sort_unstable();
    together
}

fn as_text(seed: u64, worlds: u64, all: &Survived) -> String {
    let last = seed.wrapping_add(worlds - 1);
    let mut text = if worlds == 1 { format!("world {seed}\n") } else { format!("worlds {seed} to {last}\n") };
    for (name, count) in all.counts() {
        let _ = writeln!(text, "{count:>12}  {name}");
    }
    text
}

fn as_json(seed: u64, worlds: u64, all: &Survived, findings: usize) -> String {
    let mut text = format!("{{\"seed\":{seed},\"worlds\":{worlds},\"findings\":{findings}");
    for (name, count) in all.counts() {
        let _ = write!(text, ",\"{}\":{count}", name.replace(' ', "_"));
    }
    text.push_str("}\n");
    text
}
