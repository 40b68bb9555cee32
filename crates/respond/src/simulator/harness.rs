//! Three things that every verb goes through: each of its steps fails in every way, each happens twice, and the house crashes at each of its records. What
//! comes back is what all of that went through, and what was wrong.

use watchfloor_model::action::{Idempotency, Verb};

use super::outside::Fate;
use super::{Chaos, Survived, scene};
use crate::order::Answer;
use crate::saga::SETTLE_MS;

/// A run without anything wrong.
fn plain(verb: Verb, declared: Idempotency) -> Survived {
    scene::with(verb, declared, Chaos::Crash { at: 0, before: true }).ended()
}

/// Makes each call of a plan with a verb end in every way.
#[must_use]
pub fn fail_at_every_step(verb: Verb, declared: Idempotency) -> Survived {
    let mut all = plain(verb, declared);
    let answers = [None, Some(Answer::Done), Some(Answer::Refused), Some(Answer::Broken)];
    for at in 1..=all.calls {
        for lands in [None, Some(10), Some(SETTLE_MS)] {
            for answer in answers {
                let fate = Fate { lands, again: None, answer: answer.map(|answer| (20, answer)) };
                all.add(
                    &scene::with(verb, declared, Chaos::Fail { at, fate })
                        .ended()
                        .named(&format!("call {at}, {fate:?}")),
                );
            }
        }
    }
    all
}

/// Makes each call and each answer of a plan with a verb come twice.
#[must_use]
pub fn run_every_step_twice(verb: Verb, declared: Idempotency) -> Survived {
    let mut all = plain(verb, declared);
    let twice = scene::with(verb, declared, Chaos::Twice).ended();
    if (all.effects, all.undone) != (twice.effects, twice.undone) {
        all.findings.push(format!("{} effects, and {} when all comes twice", all.effects, twice.effects));
    }
    all.add(&twice);
    all
}

/// Crashes at each record of a plan with a verb, before and behind that it is durable.
#[must_use]
pub fn crash_at_every_record(verb: Verb, declared: Idempotency) -> Survived {
    let mut all = plain(verb, declared);
    for at in 1..=all.records {
        for before in [true, false] {
            let name = format!("record {at}, before {before}");
            let survived = scene::with(verb, declared, Chaos::Crash { at, before }).ended().named(&name);
            if survived.crashes != 1 {
                all.findings.push(format!("{name}: {} crashes", survived.crashes));
            }
            all.add(&survived);
        }
    }
    all
}
