//! `watchfloor policy diff`: what a change newly allows and newly denies.

use std::path::Path;

use anyhow::Context as _;
use serde_json::json;
use watchfloor_policy::{Difference, Past, Policies, Way, differences, preview};
use watchfloor_policy_proof::{ProofError, prove_differences};

use super::check::chain;
use super::table::answer;
use super::{Options, load};
use crate::terminal::{plain, print};
use crate::{Ended, Usage};

/// Most past requests that are asked again.
const PAST_MAX: usize = 1_000_000;

/// Runs the command.
pub fn run(options: &Options) -> anyhow::Result<Ended> {
    let [old, new] = options.sets("diff")? else {
        return Err(Usage("`watchfloor policy diff` takes two sets: OLD NEW".to_owned()).into());
    };
    let (old, new) = (load::set(old)?, load::set(new)?);
    let (Some(old), Some(new)) = (old.usable(), new.usable()) else { return Ok(Ended::Findings) };

    let (walked, mut found) = differences(old, new);
    let proof = options.solver().and_then(|solver| prove_differences(old, new, &solver));
    if let Ok(proof) = &proof {
        let known = |shown: &&Difference| !found.iter().any(|tried| is_alike(tried, shown));
        let more: Vec<Difference> = proof.differences.iter().filter(known).cloned().collect();
        found.extend(more);
        found.sort_by(|a, b| (a.way, a.principal, &a.verb, a.target).cmp(&(b.way, b.principal, &b.verb, b.target)));
    }
    for difference in &found {
        print(&if options.json {
            format!("{}\n", serde_json::to_value(difference)?)
        } else {
            plain(&text(difference))
        })?;
    }
    let past = match &options.past {
        Some(file) => changed(file, new, options.json)?,
        None => 0,
    };
    let told = match &proof {
        Ok(proof) => {
            let beyond = proof.beyond.len();
            json!({"ran": true, "solver": proof.solver, "questions": proof.questions, "beyond_requests": beyond})
        }
        Err(error) => json!({"ran": false, "code": error.code(), "why": chain(error)}),
    };
    if options.json {
        let tried = json!({"requests": walked.requests, "cut": walked.cut});
        print(&format!("{}\n", json!({"differences": found.len(), "tried": tried, "proof": told})))?;
    } else {
        let kinds = |way| found.iter().filter(|difference| difference.way == way).count();
        print(&format!(
            "newly allowed for {} kinds of request, newly denied for {}; {} requests tried\n",
            kinds(Way::NewlyAllowed),
            kinds(Way::NewlyDenied),
            walked.requests
        ))?;
        print(&plain(&match &proof {
            Ok(proof) => {
                format!("proved: no other kind changes, by {} in {} questions\n", proof.solver, proof.questions)
            }
            Err(error) => format!("not proved: {}; nothing is known beyond the requests tried\n", chain(error)),
        }))?;
    }
    Ok(match &proof {
        _ if !found.is_empty() || past > 0 => Ended::Findings,
        Err(ProofError::NoSolver(_)) if !options.prove => Ended::Fine,
        Err(_) => Ended::CannotVerify,
        Ok(_) => Ended::Fine,
    })
}

fn is_alike(one: &Difference, other: &Difference) -> bool {
    (one.way, one.principal, &one.verb, one.target) == (other.way, other.principal, &other.verb, other.target)
}

fn text(difference: &Difference) -> String {
    let way = match difference.way {
        Way::NewlyAllowed => "newly allowed",
        Way::NewlyDenied => "newly denied",
    };
    let times = match difference.times {
        0 => "found by the solver".to_owned(),
        times => format!("{times} of the requests tried"),
    };
    format!(
        "{way}: {} · {} · {} ({times})\n  before: {}\n  after: {}\n  such as: {}\n",
        difference.principal.name(),
        difference.verb,
        difference.target.name(),
        answer(&difference.before),
        answer(&difference.after),
        difference.example
    )
}

/// Asks past requests again, one JSON object a line; how many would be answered otherwise.
fn changed(file: &Path, new: &Policies, as_json: bool) -> anyhow::Result<usize> {
    let mut past = Vec::new();
    for (number, line) in load::text(file)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        anyhow::ensure!(past.len() < PAST_MAX, "{}: more than {PAST_MAX} past requests", file.display());
        let one: Past = serde_json::from_str(line).with_context(|| format!("{}:{}", file.display(), number + 1))?;
        past.push(one);
    }
    let changed = preview(new, &past);
    for change in &changed {
        let Some(before) = past.get(change.place) else { continue };
        print(&if as_json {
            format!("{}\n", json!({"past": change, "request": before.request}))
        } else {
            let what = if change.decision { "decision" } else { "reason" };
            plain(&format!(
                "past request {}: another {what}\n  before: {}\n  after: {}\n  asked: {}\n",
                change.place + 1,
                answer(&change.before),
                answer(&change.after),
                before.request
            ))
        })?;
    }
    if !as_json {
        print(&format!("{} of {} past requests would be answered otherwise\n", changed.len(), past.len()))?;
    }
    Ok(changed.len())
}
