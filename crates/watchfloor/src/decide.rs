//! `watchfloor decide`: what the gate says of a plan, and why.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use lexopt::ValueExt as _;
use watchfloor_govern::plan::{Hash, Plan, Principal};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::record::Kept;
use watchfloor_govern::state::{Sort, State, StateParts, Trust};
use watchfloor_govern::{Decision, Limit, admit, decide};
use watchfloor_kernel::decision_leaf;
use watchfloor_model::action::{Kind, Verb};
use watchfloor_policy as cedar;

use crate::policy::load;
use crate::{Ended, Usage};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut state, mut policy, mut plan, mut at, mut ledger, mut json) = (None, None, None, None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                crate::terminal::print(crate::help::DECIDE)?;
                return Ok(Ended::Fine);
            }
            Long("state") => state = Some(PathBuf::from(parser.value()?)),
            Long("policy") => policy = Some(PathBuf::from(parser.value()?)),
            Long("ledger") => ledger = Some(PathBuf::from(parser.value()?)),
            Long("at") => at = Some(time(&parser.value()?.string()?)?),
            Long("json") => json = true,
            Value(path) if plan.is_none() => plan = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let needed = |what: Option<PathBuf>, name: &str| {
        what.ok_or_else(|| Usage(format!("`watchfloor decide` takes {name}: see `watchfloor decide --help`")))
    };
    let (state, policy) = (needed(state, "--state FILE")?, needed(policy, "--policy PATH")?);
    let plan: Plan = read(&needed(plan, "a plan")?)?;
    let (mut state, told) = State::new(read::<StateParts>(&state)?);
    told.iter().for_each(|told| crate::terminal::say(&format!("warning: {told}\n")));
    let set = load::set(&policy)?;
    let Some(policies) = set.usable() else { anyhow::bail!("{}: these policies cannot be used", policy.display()) };
    let book = Book::of(policies);
    let now = at.unwrap_or_else(|| Timestamp::now().as_millisecond());
    let admitted = admit(&plan, &mut state, now);
    let decision = decide(&plan, &state, &book, &admitted, now);
    let leaf = ledger.map(|ledger| record(&ledger, &plan, &state, policies, &decision)).transpose()?;
    if json {
        let text = serde_json::to_string(&decision).context("a decision can always be written")?;
        crate::terminal::print(&format!("{text}\n"))?;
    } else {
        crate::terminal::print(&crate::terminal::plain(&table(&decision)))?;
    }
    if let Some(leaf) = leaf {
        crate::terminal::say(&format!("recorded as leaf {leaf}\n"));
    }
    Ok(match decision.limit {
        Limit::Allow => Ended::Fine,
        Limit::People(_) => Ended::Findings,
        Limit::Deny => Ended::Refused,
    })
}

/// Writes a decision to a ledger, with all that it was made of. Nothing is told of it before it is durable.
fn record(
    folder: &Path,
    plan: &Plan,
    state: &State,
    policies: &cedar::Policies,
    decision: &Decision,
) -> anyhow::Result<u64> {
    let kept = Kept::of(plan, state, &policies.canonical_text(), decision)?;
    let draft = decision_leaf(plan, &kept, decision.at)
        .map_err(|error| anyhow::anyhow!("the decision cannot be recorded: {error} ({})", error.code()))?;
    let ledger = crate::audit::open(folder, &[])?;
    let pieces: Vec<&[u8]> = kept.pieces.values().map(Vec::as_slice).collect();
    let written = ledger.keep(&pieces).and_then(|_| ledger.append(&draft));
    written.map_err(|error| anyhow::anyhow!("the decision is not recorded: {error} ({})", error.code()))
}

pub fn time(text: &str) -> anyhow::Result<i64> {
    let time: Timestamp =
        text.parse().map_err(|_| Usage(format!("`--at {text}` is no time: write it as 2026-01-31T12:00:00Z")))?;
    Ok(time.as_millisecond())
}

pub fn read<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let shown = path.display();
    let bytes = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    anyhow::ensure!(bytes <= FILE_BYTES_MAX, "{shown}: {bytes} bytes, more than {FILE_BYTES_MAX}");
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    serde_json::from_str(&text).with_context(|| format!("{shown} is not what it should be"))
}

fn table(decision: &Decision) -> String {
    let answer = match &decision.limit {
        Limit::Allow => "allow".to_owned(),
        Limit::People(need) => {
            let roles = need.roles.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!("needs {} people{}", need.people, if roles.is_empty() { roles } else { format!(" ({roles})") })
        }
        Limit::Deny => "deny".to_owned(),
    };
    let mut text = format!("{answer}: plan {} ({})\n", decision.plan, decision.plan_hash);
    for (number, action) in decision.actions.iter().enumerate() {
        let lease = action.lease.map(|lease| format!(" for {lease} s")).unwrap_or_default();
        let first = if number == 0 && decision.canary { ", first, and verified before the others" } else { "" };
        text.push_str(&format!(
            "  {number}  {} {} (tier {}){lease}{first}\n",
            action.verb.name(),
            action.target,
            u8::from(action.tier)
        ));
    }
    for reason in &decision.reasons {
        let limit = reason.limit.to_string();
        let action = reason.action.map_or_else(|| "-".to_owned(), |action| action.to_string());
        text.push_str(&format!("  {limit:<9} {action:>3}  {:<24} {}\n", reason.code, reason.says));
    }
    text
}

/// Policies in Cedar, as the gate asks them.
pub struct Book<'p> {
    pub policies: &'p cedar::Policies,
    pub hash: Hash,
}

impl<'p> Book<'p> {
    pub fn of(policies: &'p cedar::Policies) -> Self {
        Self { policies, hash: Hash(policies.hash().0) }
    }
}

impl Policy for Book<'_> {
    fn ask(&self, request: &Request<'_>) -> Answer {
        let cedar::Answer { verdict, policies, errors } = self.policies.ask(&question(request));
        match verdict {
            cedar::Verdict::Allow => Answer::Permit(policies),
            cedar::Verdict::Forbid => Answer::Forbid(policies),
            cedar::Verdict::NoPermit => Answer::Silent,
            cedar::Verdict::Error => {
                Answer::Failed(errors.into_iter().map(|(policy, error)| format!("{policy}: {error}")).collect())
            }
        }
    }

    fn hash(&self) -> Hash {
        self.hash
    }
}

fn question(request: &Request<'_>) -> cedar::Request {
    let kind = match request.sort {
        None => cedar::vocabulary::PrincipalKind::Person,
        Some(Sort::Agent) => cedar::vocabulary::PrincipalKind::Agent,
        Some(Sort::Rule) => cedar::vocabulary::PrincipalKind::Rule,
        Some(Sort::Client) => cedar::vocabulary::PrincipalKind::Api,
    };
    let id = match request.principal {
        Principal::Person(id) => id.to_string(),
        Principal::Machine(id) => id.to_string(),
    };
    let trust = match request.trust {
        Trust::Unauthenticated => 0,
        Trust::Authenticated => 1,
        Trust::Attested => 2,
    };
    let hour = request.now.div_euclid(3_600_000).rem_euclid(24);
    cedar::Request {
        principal: cedar::Principal {
            kind,
            id,
            roles: request.roles.iter().cloned().collect(),
            tenants: request.tenants.iter().map(ToString::to_string).collect(),
        },
        verb: request.verb.name().to_owned(),
        target: cedar::Target {
            kind: kind_of(request.verb),
            id: request.target.to_string(),
            tenant: request.tenant.to_string(),
            tier: i64::from(u8::from(request.tier)),
            tags: request.tags.iter().cloned().collect(),
            owner: request.owner.map(ToString::to_string).unwrap_or_default(),
            site: String::new(),
        },
        circumstances: cedar::Circumstances {
            level: i64::from(u8::from(request.level)),
            risk: i64::from(request.risk),
            alert_class: request.alert_class.to_string(),
            trust,
            hour,
            targets: i64::try_from(request.targets.max(1)).unwrap_or(i64::MAX),
            lease_minutes: i64::from(request.lease.div_ceil(60)),
            tag: request.tag.to_owned(),
        },
    }
}

fn kind_of(verb: Verb) -> cedar::vocabulary::TargetKind {
    match verb.row().kind {
        // A ticket that is not there yet is about a case.
        Kind::Ticket if verb == Verb::OpenTicket => cedar::vocabulary::TargetKind::Case,
        Kind::Host => cedar::vocabulary::TargetKind::Host,
        Kind::Account => cedar::vocabulary::TargetKind::Account,
        Kind::Address => cedar::vocabulary::TargetKind::Address,
        Kind::Domain => cedar::vocabulary::TargetKind::Domain,
        Kind::Hash => cedar::vocabulary::TargetKind::FileHash,
        Kind::File => cedar::vocabulary::TargetKind::File,
        Kind::Process => cedar::vocabulary::TargetKind::Process,
        Kind::MailboxRule => cedar::vocabulary::TargetKind::MailboxRule,
        Kind::Message => cedar::vocabulary::TargetKind::Message,
        Kind::Ticket => cedar::vocabulary::TargetKind::Ticket,
        // Whoever is told is told about a case.
        Kind::Recipient | Kind::Case => cedar::vocabulary::TargetKind::Case,
    }
}
