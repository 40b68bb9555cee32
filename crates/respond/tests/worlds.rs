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

/// Every verb, with every class of connectors: each call fails, everything comes twice, and the house crashes at each record, twice.
#[test]
fn every_verb_goes_through_the_three_harnesses() {
    let declared = [Idempotency::Keyed, Idempotency::Queryable, Idempotency::None];
    for (name, harness, due) in [
        (
            "fail",
            fail_at_every_step as fn(Verb, Idempotency) -> Survived,
            [4110, 0, 51870, 16468, 40076, 14958, 5262, 0, 1008, 1680, 0, 0, 2862],
        ),
        ("twice", run_every_step_twice, [156, 0, 2084, 672, 1344, 672, 204, 0, 0, 0, 0, 0, 68]),
        ("crash", crash_at_every_record, [2162, 0, 29415, 8747, 20095, 8714, 2838, 2084, 0, 0, 0, 0, 1290]),
    ] {
        let mut all = Survived::default();
        for (verb, declared) in Verb::ALL.iter().flat_map(|verb| declared.map(|declared| (*verb, declared))) {
            let one = harness(verb, declared);
            assert_eq!(one.findings, Vec::<String>::new(), "{name} {} {declared:?}", verb.name());
            all.add(&one);
        }
        assert_eq!(all.counts().map(|(_, count)| count), due, "{name}");
    }
}
