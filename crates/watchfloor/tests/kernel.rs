//! `watchfloor simulate` and `watchfloor decide` through the real binary.

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

fn root() -> String {
    format!("{}/../../packs", env!("CARGO_MANIFEST_DIR"))
}

fn decide(plan: &str, more: &[&str]) -> (i32, String, String) {
    let (state, policy) = (format!("{}/examples/state.json", root()), format!("{}/policies/small-office", root()));
    run(&[&["decide", "--state", &state, "--policy", &policy, "--at", "2026-03-02T12:00:00Z", plan][..], more].concat())
}

#[test]
fn plans_are_decided() {
    let (code, out, error) = decide(&format!("{}/examples/isolate.json", root()), &[]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    assert!(
        out.starts_with("allow: plan example-1 (") && out.contains("isolate_host host:ws-17 (tier 3) for 3600 s"),
        "{out}"
    );
    let (code, out, _) = decide(&format!("{}/examples/isolate-telemetry.json", root()), &["--json"]);
    let decision: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, decision["outcome"].as_str()), (3, Some("deny")), "{out}");
    let codes: Vec<&str> =
        decision["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect();
    for expected in ["world.telemetry", "policy.forbids", "cap.people", "level.manual"] {
        assert!(codes.contains(&expected), "{expected}: {codes:?}");
    }
    // The same bytes each time.
    assert_eq!(decide(&format!("{}/examples/isolate-telemetry.json", root()), &["--json"]).1, out);
}

#[test]
fn policy_knows_every_verb_that_the_gate_knows() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel");
    std::fs::create_dir_all(&folder).unwrap();
    let text = std::fs::read_to_string(format!("{}/examples/isolate.json", root())).unwrap();
    for verb in watchfloor_model::action::Verb::ALL {
        let row = verb.row();
        let name = if row.kind.is_asset() { "ws-17/1" } else { "1" };
        let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        plan["actions"] = serde_json::json!([{"verb": verb.name(), "target": format!("{}:{name}", row.kind.name())}]);
        let path = folder.join(format!("{}.json", verb.name())).display().to_string();
        std::fs::write(&path, plan.to_string()).unwrap();
        let (_, out, error) = decide(&path, &[]);
        assert!(error.is_empty() && !out.contains("policy.failed"), "{}: {out}{error}", verb.name());
    }
}

#[test]
fn what_cannot_be_decided_is_told() {
    let plan = format!("{}/examples/isolate.json", root());
    assert_eq!(run(&["decide", &plan]).0, 2);
    assert_eq!(decide(&plan, &["--at", "yesterday"]).0, 2);
    let (code, _, error) = decide(&format!("{}/examples/state.json", root()), &[]);
    assert!(code == 1 && error.contains("state.json is not what it should be"), "{code} {error}");
    let (code, _, error) = decide("nowhere.json", &[]);
    assert!(code == 1 && error.contains("cannot read nowhere.json"), "{code} {error}");
}
