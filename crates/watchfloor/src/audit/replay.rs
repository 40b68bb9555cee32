//! `watchfloor audit replay`: decisions that stand in a ledger are made again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use lexopt::ValueExt as _;
use serde_json::json;
use watchfloor_govern::plan::Hash;
use watchfloor_govern::record::{GATE, Lost, Names, Recalled};
use watchfloor_govern::{Decision, Limit, Reason, decide};
use watchfloor_ledger::{Kind, Leaf, read_leaf};
use watchfloor_policy::Policies;
use watchfloor_store::{Folder, leaves, piece};
use watchfloor_verify::{Tiles as _, VerifierKey, verify};

use super::{due, help, reading, small, verifier};
use crate::Ended;
use crate::decide::Book;
use crate::policy::load;
use crate::terminal::{plain, print, say};

/// What was asked for.
#[derive(Default)]
struct Options {
    folder: Option<PathBuf>,
    /// Leaf numbers, names of plans, hashes of plans; empty: all.
    which: Vec<String>,
    keys: Vec<VerifierKey>,
    checkpoints: Vec<PathBuf>,
    policy: Option<PathBuf>,
    json: bool,
}

/// What came of one decision.
enum Came {
    /// The same bytes.
    Same(Box<Decision>),
    /// Something else.
    Other(Box<Decision>, Box<Decision>),
    /// Nothing: why, and its code.
    Nothing(&'static str, String),
}

/// How many of each.
#[derive(Default)]
struct Count {
    same: usize,
    other: usize,
    broken: usize,
    lost: usize,
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("key") => options.keys.push(verifier(&parser.value()?.string()?)?),
            Long("checkpoint") => options.checkpoints.push(PathBuf::from(parser.value()?)),
            Long("policy") => options.policy = Some(PathBuf::from(parser.value()?)),
            Long("json") => options.json = true,
            Value(value) if options.folder.is_none() => options.folder = Some(PathBuf::from(value)),
            Value(value) => options.which.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let folder = due(options.folder.take(), "`watchfloor audit replay` takes the folder of a ledger")?;
    let disk = reading(&folder)?;
    let signed = match verified(&disk, &options)? {
        Ok(signed) => signed,
        Err(ended) => return Ok(ended),
    };
    let instead = options.policy.as_ref().map(|path| load::set(path)).transpose()?;
    let instead = match instead.as_ref().map(|set| (set, set.usable())) {
        Some((set, None)) => anyhow::bail!("{}: these policies cannot be used", set.path.display()),
        Some((_, some)) => some,
        None => None,
    };
    let mut known = Known { disk: &disk, policies: BTreeMap::new() };
    let (mut count, mut found) = (Count::default(), vec![false; options.which.len()]);
    for leaf in leaves(&disk)? {
        let (number, bytes) = leaf.with_context(|| folder.display().to_string())?;
        if signed.is_some_and(|signed| number >= signed) {
            break;
        }
        let leaf = read_leaf(&bytes).with_context(|| format!("leaf {number}"))?;
        if leaf.kind == Kind::Decision && is_wanted(&leaf, &options.which, &mut found) {
            let came = known.replay(&leaf, instead);
            count.add(&came);
            print(&if options.json {
                as_json(&leaf, &came)
            } else {
                plain(&as_text(&leaf, &came, instead.is_some()))
            })?;
        }
    }
    if let Some(missing) = options.which.iter().zip(found).find_map(|(which, found)| (!found).then_some(which)) {
        anyhow::bail!("there is no decision `{missing}` in {}", folder.display());
    }
    if !options.json {
        print(&count.told(instead.is_some()))?;
    }
    Ok(count.ended())
}

/// Up to which leaf the ledger is what was signed; none if nobody asked. The error is how the command ends.
fn verified(disk: &Folder, options: &Options) -> anyhow::Result<Result<Option<u64>, Ended>> {
    if options.keys.is_empty() {
        anyhow::ensure!(options.checkpoints.is_empty(), "--checkpoint says nothing without --key");
        say("no --key was given: what the leaves say was not checked against a signature (watchfloor audit verify)\n");
        return Ok(Ok(None));
    }
    if disk.tile("checkpoint").is_none() {
        crate::terminal::complain("there is no checkpoint, so nothing can be verified");
        return Ok(Err(Ended::CannotVerify));
    }
    let outside = options.checkpoints.iter().map(|path| small(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let outside: Vec<&[u8]> = outside.iter().map(Vec::as_slice).collect();
    let report = verify(disk, &outside, &options.keys);
    for finding in &report.findings {
        say(&format!("{finding} [{}]\n", finding.what.code()));
    }
    Ok(match report.size {
        _ if !report.findings.is_empty() => Err(Ended::Findings),
        None => Err(Ended::CannotVerify),
        Some(size) => Ok(Some(size)),
    })
}

fn is_wanted(leaf: &Leaf, which: &[String], found: &mut [bool]) -> bool {
    let names: Vec<&str> = ["plan", "plan_id"].iter().filter_map(|name| leaf.detail.get(*name)?.as_str()).collect();
    let number = leaf.sequence.to_string();
    let mut wanted = which.is_empty();
    for (which, found) in which.iter().zip(found) {
        if *which == number || names.contains(&which.as_str()) {
            (*found, wanted) = (true, true);
        }
    }
    wanted
}

/// What was read of a ledger.
struct Known<'d> {
    disk: &'d Folder,
    /// Policies that decided, by their hash.
    policies: BTreeMap<Hash, Result<Policies, String>>,
}

impl Known<'_> {
    fn replay(&mut self, leaf: &Leaf, instead: Option<&Policies>) -> Came {
        let told = |lost: Lost| Came::Nothing(lost.code(), lost.to_string());
        let names = match Names::read(&leaf.detail) {
            Ok(names) => names,
            Err(lost) => return told(lost),
        };
        let fetch = |hash: &Hash| piece(self.disk, &hash.0).ok().flatten();
        let then = match names.recall(&fetch) {
            Ok(then) => then,
            Err(lost) => return told(lost),
        };
        let now = match instead {
            Some(policies) => again(&then, policies),
            None => match self.policies.entry(names.policy).or_insert_with(|| compiled(&then.policy)) {
                Ok(policies) => again(&then, policies),
                Err(error) => return Came::Nothing("replay.policy", error.clone()),
            },
        };
        let then = then.decision;
        match () {
            () if instead.is_some() && says(&now) == says(&then) => Came::Same(Box::new(then)),
            () if instead.is_none() && now.hash() == names.decision => Came::Same(Box::new(then)),
            () if names.gate != GATE => Came::Nothing(
                "replay.gate",
                format!("gate {} decided, this is gate {GATE}, which decides otherwise", names.gate),
            ),
            () => Came::Other(Box::new(then), Box::new(now)),
        }
    }
}

fn again(then: &Recalled, policies: &Policies) -> Decision {
    decide(&then.plan, &then.state, &Book::of(policies), &then.decision.admitted, then.decision.at)
}

/// What a decision comes to, whichever policies were asked.
fn says(decision: &Decision) -> (&Limit, &[Reason]) {
    (&decision.limit, &decision.reasons)
}

fn compiled(text: &str) -> Result<Policies, String> {
    let files = Policies::files_of(text).ok_or("the policies are of another schema, or of another release")?;
    let (policies, findings) = Policies::read(&files);
    policies.ok_or_else(|| findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("; "))
}

impl Count {
    fn add(&mut self, came: &Came) {
        match came {
            Came::Same(_) => self.same += 1,
            Came::Other(..) => self.other += 1,
            Came::Nothing("replay.changed" | "replay.leaf" | "replay.unreadable", _) => self.broken += 1,
            Came::Nothing(..) => self.lost += 1,
        }
    }

    fn told(&self, instead: bool) -> String {
        let Self { same, other, broken, lost } = self;
        let all = same + other + broken + lost;
        let (again, alike) =
            if instead { ("asked of other policies", "as they were") } else { ("made again", "the same") };
        format!(
            "{all} decisions {again}: {same} {alike}, {other} otherwise, {broken} damaged, {lost} that cannot be made again\n"
        )
    }

    fn ended(&self) -> Ended {
        match self {
            Self { other: 0, broken: 0, lost: 0, .. } => Ended::Fine,
            Self { other: 0, broken: 0, .. } => Ended::CannotVerify,
            _ => Ended::Findings,
        }
    }
}

fn as_text(leaf: &Leaf, came: &Came, instead: bool) -> String {
    let head = |how: &str| {
        let plan = leaf.detail.get("plan_id").and_then(serde_json::Value::as_str).unwrap_or("?");
        format!("leaf {:<6} {how:<10} {plan}", leaf.sequence)
    };
    match came {
        Came::Same(decision) => {
            format!("{}: {}\n", head(if instead { "as it was" } else { "same" }), decision.limit)
        }
        Came::Nothing(code, why) => format!("{}: {why} [{code}]\n", head("unknown")),
        Came::Other(then, now) => {
            let mut text = format!("{}: {}, then {}\n", head("otherwise"), now.limit, then.limit);
            let only = |these: &Decision, those: &Decision, sign: &str| -> String {
                let reasons = these.reasons.iter().filter(|reason| !those.reasons.contains(reason));
                reasons.map(|reason| format!("  {sign} {:<24} {}\n", reason.code, reason.says)).collect()
            };
            text.push_str(&only(then, now, "then"));
            text.push_str(&only(now, then, "now "));
            text
        }
    }
}

fn as_json(leaf: &Leaf, came: &Came) -> String {
    let plan = leaf.detail.get("plan_id");
    let value = match came {
        Came::Same(then) => json!({"leaf": leaf.sequence, "plan": plan, "came": "same", "then": then}),
        Came::Other(then, now) => {
            json!({"leaf": leaf.sequence, "plan": plan, "came": "otherwise", "then": then, "now": now})
        }
        Came::Nothing(code, why) => {
            json!({"leaf": leaf.sequence, "plan": plan, "came": "nothing", "code": code, "why": why})
        }
    };
    format!("{value}\n")
}
