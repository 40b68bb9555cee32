//! `watchfloor audit verify`: whether a ledger, or what was exported of it, is what was signed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lexopt::ValueExt as _;
use watchfloor_ledger::{Log, LogError, check_export};
use watchfloor_normalize::json::write_str;
use watchfloor_store::Folder;
use watchfloor_verify::{
    Checkpoint, Report, TILE_WIDTH, Tiles, VerifierKey, bundle_path, compare, split_bundle, verify, width,
};

use super::{due, help, small, verifier};
use crate::Ended;

/// What was asked for.
#[derive(Default)]
struct Options {
    log: Option<PathBuf>,
    checkpoints: Vec<PathBuf>,
    keys: Vec<VerifierKey>,
    json: bool,
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("checkpoint") => options.checkpoints.push(PathBuf::from(parser.value()?)),
            Long("key") => options.keys.push(verifier(&parser.value()?.string()?)?),
            Long("json") => options.json = true,
            Value(value) if options.log.is_none() => options.log = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let log = due(options.log.take(), "`watchfloor audit verify` takes the folder of a ledger, or an exported file")?;
    if log.is_file() {
        return exported(&log, &options);
    }
    let disk = Folder::reading(&log);
    if disk.tile("checkpoint").is_none() && options.checkpoints.is_empty() {
        crate::terminal::complain(&format!("{}: there is no checkpoint, so nothing can be verified", log.display()));
        return Ok(Ended::CannotVerify);
    }
    let mut outside = Vec::new();
    for path in &options.checkpoints {
        outside.push(small(path)?);
    }
    let report = if options.keys.is_empty() {
        unsigned(&disk, &outside)?
    } else {
        let outside: Vec<&[u8]> = outside.iter().map(Vec::as_slice).collect();
        verify(&disk, &outside, &options.keys)
    };
    // Who is told that a range of leaves is wrong may learn from the leaves which one.
    let told = if report.findings.is_empty() && report.size.is_some() {
        numbers(&disk, report.proven)
    } else {
        numbers(&disk, report.size.unwrap_or(report.proven))
    };
    print(&report, told.as_ref(), options.json)?;
    remark(&report, &options);
    let is_wrong = !report.findings.is_empty() || told.is_some();
    Ok(match (is_wrong, options.keys.is_empty()) {
        (true, _) => Ended::Findings,
        (false, true) => Ended::CannotVerify,
        (false, false) => Ended::Fine,
    })
}

/// Compares a log with checkpoints whose signatures cannot be checked.
fn unsigned(disk: &Folder, outside: &[Vec<u8>]) -> anyhow::Result<Report> {
    let read = |note: &[u8]| Checkpoint::unsigned(note).context("a checkpoint cannot be read");
    let own = disk.tile("checkpoint").map(|note| read(&note)).transpose()?;
    let outside = outside.iter().map(|note| read(note)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(compare(disk, own, &outside))
}

/// The first leaf that says another number than its place, or is none.
fn numbers(disk: &Folder, size: u64) -> Option<(u64, LogError)> {
    let mut log = Log::default();
    for index in 0..size.div_ceil(TILE_WIDTH) {
        let wide = width(0, index, size);
        let bytes = disk.tile(&bundle_path(index, wide)).or_else(|| disk.tile(&bundle_path(index, TILE_WIDTH)))?;
        for entry in split_bundle(&bytes).0.into_iter().take(wide as usize) {
            if let Err(error) = log.take_up(entry) {
                return Some((log.size(), error));
            }
        }
    }
    None
}

fn print(report: &Report, told: Option<&(u64, LogError)>, json: bool) -> anyhow::Result<()> {
    let mut out = String::new();
    for finding in &report.findings {
        if json {
            line(&mut out, finding.what.code(), &finding.to_string(), finding.from, finding.to);
        } else {
            out.push_str(&format!("{finding} [{}]\n", finding.what.code()));
        }
    }
    if let Some((leaf, error)) = told {
        if json {
            line(&mut out, "ledger.leaf_refused", &error.to_string(), *leaf, leaf + 1);
        } else {
            out.push_str(&format!("leaf {leaf}: {error} [ledger.leaf_refused]\n"));
        }
    }
    if !json {
        let leaves = |count: u64| if count == 1 { "1 leaf".to_owned() } else { format!("{count} leaves") };
        let of = report.size.map_or("an unknown number of leaves".to_owned(), leaves);
        let wrong = report.findings.len() + usize::from(told.is_some());
        out.push_str(&format!("{} of {of} lead to a checkpoint; {wrong} findings\n", report.proven));
    }
    Ok(crate::terminal::print(&crate::terminal::plain(&out))?)
}

fn line(out: &mut String, code: &str, message: &str, from: u64, to: u64) {
    out.push_str(&format!("{{\"code\":\"{code}\",\"from\":{from},\"to\":{to},\"message\":"));
    write_str(out, message);
    out.push_str("}\n");
}

/// What the verdict does not show.
fn remark(report: &Report, options: &Options) {
    if options.keys.is_empty() {
        crate::terminal::say(
            "no --key was given: hashes were compared, but not who signed them; anybody could have written all of it\n",
        );
    }
    if report.outside == 0 {
        crate::terminal::say(
            "no earlier checkpoint from outside of the ledger was given: a ledger that was cut back to an older state, or rewritten and signed again, cannot be told from a whole one\n",
        );
    }
}

/// Checks what a tenant took away.
fn exported(path: &Path, options: &Options) -> anyhow::Result<Ended> {
    if options.keys.is_empty() || !options.checkpoints.is_empty() {
        let what = if options.keys.is_empty() {
            "an exported file needs --key"
        } else {
            "an exported file has its own checkpoint: leave --checkpoint out"
        };
        crate::terminal::complain(what);
        return Ok(Ended::CannotVerify);
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (checkpoint, wrong) = check_export(text.lines(), &options.keys);
    let mut out = String::new();
    wrong.iter().for_each(|error| out.push_str(&format!("{error}\n")));
    let leaves = text.lines().count().saturating_sub(1);
    match checkpoint {
        Some(checkpoint) => {
            out.push_str(&format!("{leaves} leaves of a ledger of {}; {} findings\n", checkpoint.size, wrong.len()))
        }
        None => out.push_str("nothing is proven\n"),
    }
    crate::terminal::print(&crate::terminal::plain(&out))?;
    crate::terminal::say(
        "an export shows that its leaves are in the ledger, and that none is left out between two of them; not that none came after\n",
    );
    Ok(if wrong.is_empty() { Ended::Fine } else { Ended::Findings })
}
