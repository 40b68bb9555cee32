//! `watchfloor simulate` through the real binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::process::Command;

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_watchfloor")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn worlds_are_the_same_each_time() {
    let (code, first, error) = run(&["simulate", "--seed", "7", "--worlds", "200", "--json"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let figures: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert!(figures["findings"] == 0 && figures["crashes"].as_u64() > Some(50), "{first}");
    assert_eq!(run(&["simulate", "--seed", "7", "--worlds", "200", "--json", "--jobs", "1"]).1, first);
    assert_ne!(run(&["simulate", "--seed", "8", "--worlds", "200", "--json"]).1, first);
    let (code, table, _) = run(&["simulate", "--seed", "7"]);
    assert!(code == 0 && table.starts_with("world 7\n") && table.lines().count() == 14, "{table}");
    for wrong in [&["simulate"][..], &["simulate", "--seed", "x"], &["simulate", "--seed", "1", "--worlds", "0"]] {
        assert_eq!(run(wrong).0, 2, "{wrong:?}");
    }
}
