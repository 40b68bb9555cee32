//! Worlds in which everything goes wrong. `WATCHFLOOR_WORLDS` sets how many.

#![allow(clippy::print_stderr, reason = "a test tells what it did")]

use watchfloor_respond::simulator::{Survived, run};

#[test]
#[allow(clippy::disallowed_methods, reason = "the person who runs the tests says how many worlds")]
fn plans_survive_their_worlds() {
    let worlds: u64 = std::env::var("WATCHFLOOR_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut all = Survived::default();
    for seed in 0..worlds {
        let one = run(seed);
        assert_eq!(one.findings, Vec::<String>::new(), "seed {seed}: {one:#?}");
        all.plans += one.plans;
        all.refused += one.refused;
        all.calls += one.calls;
        all.looks += one.looks;
        all.effects += one.effects;
        all.undone += one.undone;
        all.crashes += one.crashes;
        all.lost += one.lost;
        all.lies += one.lies;
        all.jumps += one.jumps;
        all.halts += one.halts;
        all.people += one.people;
        if seed % 97 == 0 {
            assert_eq!(run(seed), one, "the same seed makes the same world");
        }
    }
    eprintln!("{all:#?}");
    for (what, count) in [
        ("effects", all.effects),
        ("undone", all.undone),
        ("crashes", all.crashes),
        ("lost", all.lost),
        ("lies", all.lies),
        ("jumps", all.jumps),
        ("halts", all.halts),
        ("people", all.people),
        ("refused", all.refused),
    ] {
        assert!(count * 20 > worlds, "{what}: {count}");
    }
}
