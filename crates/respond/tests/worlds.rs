//! Worlds in which everything goes wrong. `WATCHFLOOR_WORLDS` sets how many.

#![allow(clippy::print_stderr, reason = "a test tells what it did")]

use watchfloor_model::action::{Idempotency, Verb};
use watchfloor_respond::simulator::{Survived, crash_at_every_record, fail_at_every_step, run, run_every_step_twice};

#[test]
#[allow(clippy::disallowed_methods, reason = "the person who runs the tests says how many worlds")]
fn plans_survive_their_worlds() {
    let worlds: u64 = std::env::var("WATCHFLOOR_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut all = Survived::default();
    for seed in 0..worlds {
        let one = run(seed);
        assert_eq!(one.findings, Vec::<String>::new(), "seed {seed}: {one:#?}");
        all.add(&one);
        if seed % 97 == 0 {
            assert_eq!(run(seed), one, "the same seed makes the same world");
        }
    }
    eprintln!("{all:#?}");
    for (what, count) in all.counts() {
        assert!(count * 20 > worlds, "{what}: {count}");
    }
}

#[test]
fn every_verb_goes_through_the_three_harnesses() {
    let declared = [Idempotency::Keyed, Idempotency::Queryable, Idempotency::None];
    for verb in Verb::ALL {
        for declared in declared {
            for (name, harness) in [
                ("fail", fail_at_every_step as fn(Verb, Idempotency) -> Vec<String>),
                ("twice", run_every_step_twice),
                ("crash", crash_at_every_record),
            ] {
                assert_eq!(harness(*verb, declared), Vec::<String>::new(), "{name} {} {declared:?}", verb.name());
            }
        }
    }
}
