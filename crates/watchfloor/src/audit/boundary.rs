//! `watchfloor audit boundary`: whether anything is still held back of what machines ask for, and would be if it were worse.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use watchfloor_admission::bar::{Alert, Monitor, WINDOW};
use watchfloor_govern::plan::Hash;
use watchfloor_govern::probes;
use watchfloor_govern::record::Names;
use watchfloor_ledger::{Kind, read_leaf};
use watchfloor_store::{leaves, piece};

use super::{due, help, reading};
use crate::terminal::{complain, print};
use crate::{Ended, Usage};

/// Decisions that are told one by one, if their probes show something.
const TOLD_MAX: usize = 100;

/// What was seen.
#[derive(Default)]
struct Seen {
    decisions: usize,
    /// Of no use: what they were made of is not there.
    lost: usize,
    probed: usize,
    /// None of what was made worse was held back.
    toothless: usize,
    /// What was made worse was treated more mildly.
    inverted: usize,
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut folder, mut window, mut as_json) = (None, WINDOW, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("window") => window = lexopt::ValueExt::parse(&parser.value()?)?,
            Long("json") => as_json = true,
            Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let folder = due(folder, "`watchfloor audit boundary` takes the folder of a ledger")?;
    let mut monitor = Monitor::new(window).map_err(|error| Usage(format!("--window {window}: {error}")))?;
    let disk = reading(&folder)?;
    let fetch = |hash: &Hash| piece(&disk, &hash.0).ok().flatten();
    let mut seen = Seen::default();
    for leaf in leaves(&disk)? {
        let (number, bytes) = leaf.with_context(|| folder.display().to_string())?;
        let leaf = read_leaf(&bytes).with_context(|| format!("leaf {number}"))?;
        if leaf.kind != Kind::Decision {
            continue;
        }
        let recalled = match Names::read(&leaf.detail).and_then(|names| names.recall(&fetch)) {
            Ok(recalled) => recalled,
            Err(lost) => {
                seen.lost += 1;
                if seen.lost <= TOLD_MAX {
                    complain(&format!("leaf {number}: {lost} ({})", lost.code()));
                }
                continue;
            }
        };
        for admitted in &recalled.decision.admitted {
            seen.decisions += 1;
            monitor.observe(admitted.decision);
        }
        for probed in probes(&recalled.plan, &recalled.state, recalled.decision.at) {
            seen.probed += 1;
            seen.toothless += usize::from(!probed.bites());
            seen.inverted += usize::from(!probed.monotone());
            let is_shown = (!probed.bites() || !probed.monotone()) && seen.toothless + seen.inverted <= TOLD_MAX;
            if is_shown {
                complain(&format!("leaf {number}: {}", serde_json::to_string(&probed)?));
            }
        }
    }
    print(&told(&seen, &monitor, as_json))?;
    Ok(match (seen.toothless + seen.inverted > 0 || monitor.alert().is_some(), seen.lost) {
        (true, _) => Ended::Findings,
        (false, 0) => Ended::Fine,
        (false, _) => Ended::CannotVerify,
    })
}

fn told(seen: &Seen, monitor: &Monitor, as_json: bool) -> String {
    let Seen { decisions, lost, probed, toothless, inverted } = seen;
    let (permille, drift, alert) = (monitor.permille(), monitor.drift(), monitor.alert());
    if as_json {
        return format!(
            "{}\n",
            json!({"decisions": decisions, "lost": lost, "restricted_permille": permille, "drift_permille": drift, "alert": alert,
                "probed": probed, "toothless": toothless, "inverted": inverted})
        );
    }
    let share = permille.map_or_else(
        || "nothing was decided yet".to_owned(),
        |permille| format!("{permille} of 1,000 were held back lately"),
    );
    let alert = match alert {
        Some(Alert::Threshold) => "; ALERT: hardly anything is",
        Some(Alert::Drift) => "; ALERT: much less than before",
        None if drift.is_none() => "; too few yet for an alert",
        None => "",
    };
    format!(
        "{decisions} requests of machines; {share}{alert}\n{probed} asked again, made worse in three ways: {toothless} would still pass each time, {inverted} would be treated more mildly\n"
    )
}
