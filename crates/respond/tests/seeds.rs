//! Worlds that are known.

use watchfloor_respond::simulator::{Survived, run};

/// A seed that somebody reports is the same world for who looks into it. When worlds are changed on purpose, these figures change.
#[test]
fn a_seed_is_the_same_world_everywhere() {
    let mut all = Survived::default();
    (0..60).for_each(|seed| all.add(&run(seed)));
    let due = [
        ("plans carried out", 80),
        ("plans refused", 73),
        ("records", 521),
        ("calls", 157),
        ("looks", 577),
        ("effects", 110),
        ("undone", 36),
        ("crashes", 37),
        ("answers lost", 74),
        ("answers untrue", 20),
        ("jumps of the clock", 23),
        ("halts", 20),
        ("left to people", 31),
    ];
    assert_eq!(all.counts(), due);
}
