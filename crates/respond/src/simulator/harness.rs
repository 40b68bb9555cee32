//! Three things that every verb goes through: each of its steps fails in every way, each happens twice, and the house crashes at each of its records. What
//! comes back is what was wrong.

use watchfloor_model::action::{Idempotency, Verb};

use super::outside::Fate;
use super::{Chaos, Survived, scene};
use crate::order::Answer;
use crate::saga::SETTLE_MS;

/// A run without anything wrong: how many records and calls it has.
fn plain(verb: Verb, declared: Idempotency) -> (u64, Survived) {
    let world = scene::with(verb, declared, Chaos::Crash { at: 0, before: true });
    let survived = world.ended();
    (survived.records, survived)
}

/// Makes each call of a plan with a verb end in every way.
#[must_use]
pub fn fail_at_every_step(verb: Verb, declared: Idempotency) -> Vec<String> {
    let (_, first) = plain(verb, declared);
    let mut findings = first.findings;
    let answers = [None, Some(Answer::Done), Some(Answer::Refused), Some(Answer::Broken)];
    for at in 1..=first.calls {
        for lands in [None, Some(10), Some(SETTLE_MS - 1)] {
            for answer in answers {
                let fate = Fate { lands, again: None, answer: answer.map(|answer| (20, answer)) };
                let found = scene::with(verb, declared, Chaos::Fail { at, fate }).ended().findings;
                findings.extend(found.into_iter().map(|found| format!("call {at}, {fate:?}: {found}")));
            }
        }
    }
    findings
}

/// Makes each call and each answer of a plan with a verb come twice.
#[must_use]
pub fn run_every_step_twice(verb: Verb, declared: Idempotency) -> Vec<String> {
    let (_, first) = plain(verb, declared);
    let twice = scene::with(verb, declared, Chaos::Twice).ended();
    let mut findings = [first.findings, twice.findings].concat();
    if (first.effects, first.undone) != (twice.effects, twice.undone) {
        findings.push(format!("{} effects, and {} when all comes twice", first.effects, twice.effects));
    }
    findings
}

/// Crashes at each record of a plan with a verb, before and behind that it is durable.
#[must_use]
pub fn crash_at_every_record(verb: Verb, declared: Idempotency) -> Vec<String> {
    let (records, first) = plain(verb, declared);
    let mut findings = first.findings;
    for at in 1..=records {
        for before in [true, false] {
            let survived = scene::with(verb, declared, Chaos::Crash { at, before }).ended();
            findings
                .extend(survived.findings.into_iter().map(|found| format!("record {at}, before {before}: {found}")));
            if survived.crashes != 1 {
                findings.push(format!("record {at}, before {before}: {} crashes", survived.crashes));
            }
        }
    }
    findings
}
