//! Whether what is asked exists: the verb, its parameters, the target, and whoever asks.

use std::collections::BTreeSet;

use watchfloor_model::action::{Kind, PARAMETER_BYTES_MAX, Parameter, Row, Sort};

use crate::gate::{Question, Step};
use crate::inventory::{NoTarget, Target};
use crate::limit::{Limit, Reason};
use crate::plan::{ACTIONS_MAX, CLAIMS_MAX, NAME_BYTES_MAX, Principal, REASON_BYTES_MAX, Value};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    size(question, reasons);
    requester(question, reasons);
    if question.tenant.is_none() {
        let says = format!("there is no tenant {}", question.plan.tenant);
        reasons.push(Question::reason("tenant.unknown", Limit::Deny, says));
    }
    for step in &question.steps {
        verb(step, reasons);
        target(step, reasons);
    }
    let mut seen = BTreeSet::new();
    for (step, row, target) in question.meant() {
        parameters(step, row, reasons);
        lease(step, row, reasons);
        if !seen.insert((row.verb, &target.id)) {
            let says = format!("the plan does {} to {} twice", row.verb.name(), target.id);
            reasons.push(step.reason("plan.repeats", Limit::Deny, says));
        }
        undo(question, step, row, target, reasons);
    }
}

fn size(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let Question { plan, state, hash, .. } = question;
    let names = [plan.id.as_str(), plan.tenant.as_str(), plan.alert_class.as_str()];
    let actions = plan.actions.iter().flat_map(|action| [action.verb.as_str(), action.target.as_str()]);
    let evidence = plan.evidence.iter().map(|id| id.as_str());
    let is_large = plan.actions.len() > ACTIONS_MAX
        || plan.evidence.len() > CLAIMS_MAX
        || plan.reason.len() > REASON_BYTES_MAX
        || names.into_iter().chain(actions).chain(evidence).any(|name| name.len() > NAME_BYTES_MAX);
    if is_large {
        let says = format!(
            "a plan has at most {ACTIONS_MAX} actions, {CLAIMS_MAX} claims, names of {NAME_BYTES_MAX} bytes and a reason of {REASON_BYTES_MAX}"
        );
        reasons.push(Question::reason("plan.too_large", Limit::Deny, says));
    }
    if state.done.contains(hash) {
        let says = "the plan was carried out already; who wants it again asks again".to_owned();
        reasons.push(Question::reason("plan.done", Limit::Deny, says));
    }
    if plan.actions.is_empty() {
        reasons.push(Question::reason("plan.empty", Limit::Deny, "the plan does nothing".to_owned()));
    }
}

fn requester(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let Question { plan, state, person, machine, .. } = question;
    let known = match (&plan.requester, person, machine) {
        (Principal::Person(_), Some(person), _) => Some((person.active, &person.tenants)),
        (Principal::Machine(_), _, Some(machine)) => Some((machine.active, &machine.tenants)),
        _ => None,
    };
    let (code, says) = match known {
        None => ("requester.unknown", format!("nobody knows {}", plan.requester)),
        Some((false, _)) => ("requester.inactive", format!("{} may not ask any more", plan.requester)),
        Some((_, tenants)) if !tenants.contains(&plan.tenant) => {
            ("requester.other_tenant", format!("{} does not act for {}", plan.requester, plan.tenant))
        }
        Some(_) => ("", String::new()),
    };
    if !code.is_empty() {
        reasons.push(Question::reason(code, Limit::Deny, says));
    }
    // Somebody answers for every machine.
    if let Some(machine) = machine
        && !state.people.get(&machine.supervisor).is_some_and(|person| person.active)
    {
        let says = format!("nobody who is there answers for {}: {} is not", plan.requester, machine.supervisor);
        reasons.push(Question::reason("requester.unsupervised", Limit::Deny, says));
    }
}

fn verb(step: &Step<'_>, reasons: &mut Vec<Reason>) {
    if step.verb.is_none() {
        let says = format!("there is no verb `{}`", shown(&step.action.verb));
        reasons.push(step.reason("verb.unknown", Limit::Deny, says));
    }
}

fn target(step: &Step<'_>, reasons: &mut Vec<Reason>) {
    let name = shown(&step.action.target);
    let (code, says) = match (&step.target, step.verb) {
        (Err(NoTarget::Kind), _) => ("target.kind", format!("`{name}` names no kind of target")),
        (Err(NoTarget::Name), _) => ("target.name", format!("`{name}` is no name of a target")),
        (Ok(target), Some(row)) if target.kind != row.kind => (
            "target.other_kind",
            format!(
                "{} is done to a {}, and {} is a {}",
                row.verb.name(),
                row.kind.name(),
                target.id,
                target.kind.name()
            ),
        ),
        _ => return unknown(step, reasons),
    };
    reasons.push(step.reason(code, Limit::Deny, says));
}

/// What nobody knows is of tier 0: that is said, as it is why two people are needed.
fn unknown(step: &Step<'_>, reasons: &mut Vec<Reason>) {
    let Some((_, target)) = step.meant().filter(|(_, target)| target.kind.is_asset() && target.asset.is_none()) else {
        return;
    };
    if u8::from(target.tier) == 0 {
        let says = format!("nobody knows {}: it counts as most protected", target.id);
        reasons.push(step.reason("target.unknown", Limit::people(2), says));
    }
}

fn parameters(step: &Step<'_>, row: &Row, reasons: &mut Vec<Reason>) {
    let given = &step.action.parameters;
    let mut tell = |code: &str, says: String| reasons.push(step.reason(code, Limit::Deny, says));
    for (name, value) in given {
        let Some(parameter) = row.parameters.iter().find(|known| known.name == name) else {
            tell("parameter.unknown", format!("{} has no parameter `{}`", row.verb.name(), shown(name)));
            continue;
        };
        if !fits(parameter, value) {
            tell("parameter.value", format!("`{name}` of {} cannot be that: {}", row.verb.name(), wanted(parameter)));
        }
    }
    for parameter in row.parameters.iter().filter(|known| known.needed && !given.contains_key(known.name)) {
        tell("parameter.missing", format!("{} needs `{}`: {}", row.verb.name(), parameter.name, wanted(parameter)));
    }
}

fn fits(parameter: &Parameter, value: &Value) -> bool {
    match (parameter.sort, value) {
        (Sort::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
        (Sort::Number(from, to), Value::Number(number)) => (from..=to).contains(number),
        (Sort::Text(most), Value::Text(text)) => {
            text.len() <= most.min(PARAMETER_BYTES_MAX) && !text.chars().any(|c| c.is_control() && c != '\n')
        }
        (Sort::Flag, Value::Flag(_)) => true,
        _ => false,
    }
}

fn wanted(parameter: &Parameter) -> String {
    match parameter.sort {
        Sort::Choice(words) => format!("one of {}", words.join(", ")),
        Sort::Number(from, to) => format!("a number from {from} to {to}"),
        Sort::Text(most) => format!("a text of at most {} bytes", most.min(PARAMETER_BYTES_MAX)),
        Sort::Flag => "true or false".to_owned(),
    }
}

fn lease(step: &Step<'_>, row: &Row, reasons: &mut Vec<Reason>) {
    let (code, says) = match step.action.lease {
        None if row.lease_max > 0 => (
            "lease.missing",
            format!("{} ends by itself: it needs a lease of at most {} s", row.verb.name(), row.lease_max),
        ),
        Some(_) if row.lease_max == 0 => {
            ("lease.none", format!("{} does not end by itself: it has no lease", row.verb.name()))
        }
        Some(lease) if lease == 0 || lease > row.lease_max => {
            ("lease.range", format!("the lease of {} is 1 to {} s, not {lease}", row.verb.name(), row.lease_max))
        }
        _ => return,
    };
    reasons.push(step.reason(code, Limit::Deny, says));
}

/// What only undoes is done to what was done: to allow something that nobody had blocked is another thing.
fn undo(question: &Question<'_>, step: &Step<'_>, row: &Row, target: &Target, reasons: &mut Vec<Reason>) {
    if !row.undoes || target.kind != row.kind {
        return;
    }
    let undone = |verb: watchfloor_model::action::Verb| verb.row().inverse == Some(row.verb);
    let is_there = question
        .tenant
        .is_some_and(|tenant| tenant.effects.iter().any(|effect| undone(effect.verb) && effect.target == target.id));
    // A tag can have been there before.
    if !is_there && target.kind != Kind::Ticket && row.verb != watchfloor_model::action::Verb::RemoveTag {
        let says = format!("nothing that was done to {} is undone by {}", target.id, row.verb.name());
        reasons.push(step.reason("undo.nothing", Limit::Deny, says));
    }
}

/// A name that somebody wrote, short and without what moves a cursor.
fn shown(name: &str) -> String {
    const CHARS_MAX: usize = 80;
    name.chars().take(CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
