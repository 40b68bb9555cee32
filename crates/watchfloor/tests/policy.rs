//! `watchfloor policy` from the outside: what it prints and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a failing test may stop anywhere; tables are written out; what is skipped is said"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_watchfloor")).arg("policy").args(arguments).output().unwrap()
}

/// Without a solver: what holds on every machine.
fn alone(command: &str, arguments: &[&str]) -> Output {
    let all: Vec<&str> = [command, "--solver", "/nowhere/cvc5"].iter().chain(arguments).copied().collect();
    run(&all)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

fn pack(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/policies").join(name).display().to_string()
}

/// A folder of this test's own with a pack in it, one text of it replaced, and one more file.
fn changed(name: &str, base: &str, from: &str, to: &str, more: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policy").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut times = 0;
    for file in ["guards.cedar", "policies.cedar", "tests.json"] {
        let text = std::fs::read_to_string(Path::new(&pack(base)).join(file)).unwrap();
        times += text.matches(from).count();
        std::fs::write(folder.join(file), text.replace(from, to)).unwrap();
    }
    assert!(times > 0, "`{from}` is not in {base}");
    if !more.is_empty() {
        std::fs::write(folder.join("more.cedar"), more).unwrap();
    }
    folder.display().to_string()
}

fn has_solver() -> bool {
    let found = Command::new("cvc5").arg("--version").output().is_ok();
    if !found {
        println!("skipped: cvc5 is not installed");
    }
    found
}

#[test]
fn what_check_says_and_how_it_ends() {
    let permit = "@id(\"more\") @why(\"more\") permit (principal, action == Action::\"isolate_host\", resource)";
    let overflow = format!("{permit} when {{ context.risk * 922337203685477580 > 1 }};");
    let shown = |code: &'static str| format!("[{code}]");
    let table: Vec<(&str, String, i32, String)> = vec![
        (
            "a pack",
            pack("msp"),
            0,
            "not proved: no solver at `/nowhere/cvc5`; nothing is known beyond the requests tried".into(),
        ),
        ("syntax", changed("syntax", "msp", "permit (", "permitt (", ""), 1, shown("policy_syntax")),
        ("type", changed("type", "msp", "resource.tier >= 1", "resource.teir >= 1", ""), 1, shown("policy_type")),
        ("verb", changed("verb", "msp", "\"close_ticket\"", "\"close_tickets\"", ""), 1, shown("policy_type")),
        ("no id", changed("id", "msp", "@id(\"lead-does-all\")", "", ""), 1, shown("policy_id")),
        ("id twice", changed("twice", "msp", "lead-does-all", "api-tickets", ""), 1, shown("policy_id_twice")),
        (
            "no why",
            changed("why", "msp", "@why(\"leads may ask for everything\")", "", ""),
            1,
            shown("policy_without_why"),
        ),
        (
            "annotation",
            changed("note", "msp", "@guard(\"hearsay\")", "@gaurd(\"hearsay\")", ""),
            1,
            shown("policy_annotation"),
        ),
        (
            "unknown guard",
            changed("unknown", "msp", "@guard(\"hearsay\")", "@guard(\"rumour\")", ""),
            1,
            shown("policy_guard_unknown"),
        ),
        (
            "template",
            changed("template", "msp", "permit (principal is Api,", "permit (principal == ?principal,", ""),
            1,
            shown("policy_template"),
        ),
        ("no guard", changed("missing", "msp", "@guard(\"hearsay\")", "", ""), 3, shown("guard_missing")),
        (
            "guard broken",
            changed(
                "broken",
                "msp",
                "resource.tier == 0 && context.level > 2",
                "resource.tier == 0 && context.level > 3",
                "",
            ),
            3,
            shown("guard_broken"),
        ),
        (
            "guard wider",
            changed(
                "wider",
                "msp",
                "resource.tier == 0 && context.level > 2",
                "resource.tier < 2 && context.level > 2",
                "",
            ),
            3,
            shown("guard_differs"),
        ),
        ("fails", changed("fails", "msp", "// A provider", "// The provider", &overflow), 3, shown("policy_fails")),
    ];
    for (name, path, code, text) in table {
        let output = alone("check", &[&path]);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", out(&output));
        assert!(out(&output).contains(&text), "{name}: {}", out(&output));
    }
}

/// Findings name file, line and column, and what does not hold is shown by a request.
#[test]
fn findings_have_a_place_and_an_example() {
    let output = alone("check", &[&changed("place", "msp", "resource.tier >= 1", "resource.teir >= 1", "")]);
    assert!(out(&output).contains("policies.cedar:8:8: error[policy_type]"), "{}", out(&output));
    let broken = changed(
        "example",
        "msp",
        "unless { resource in principal.tenants }",
        "unless { resource in principal.tenants || context.level == 4 }",
        "",
    );
    let output = alone("check", &["--json", &broken]);
    let lines: Vec<serde_json::Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let finding = lines.iter().find(|line| line["code"] == "guard_broken").unwrap();
    assert_eq!(finding["example"]["circumstances"]["level"], 4, "{finding}");
    assert_eq!(finding["example"]["principal"]["tenants"], serde_json::json!([]));
    assert_eq!(lines.last().unwrap()["proof"]["code"], "solver_missing");
}

#[test]
fn without_a_proof_prove_cannot_verify() {
    let output = alone("check", &["--prove", &pack("small-office")]);
    assert_eq!(output.status.code(), Some(4), "{}", out(&output));
    // Something that is not a solver is none.
    let output = run(&["check", "--prove", "--solver", "true", &pack("small-office")]);
    assert_eq!(output.status.code(), Some(4), "{}", out(&output));
}

#[test]
fn the_solver_shows_what_the_grid_does_not_try() {
    if !has_solver() {
        return;
    }
    let output = run(&["check", "--prove", "--json", &pack("small-office")]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let last: serde_json::Value = serde_json::from_str(out(&output).lines().last().unwrap()).unwrap();
    assert_eq!((&last["proof"]["ran"], &last["proof"]["holds"]), (&true.into(), &true.into()));
    let broken = changed(
        "solver",
        "small-office",
        "context.level > 2 }",
        "context.level > 2 && !(resource.owner like \"*x*\" && resource.site like \"*y*\") }",
        "",
    );
    assert_eq!(alone("check", &[&broken]).status.code(), Some(0), "the grid does not try this");
    let output = run(&["check", &broken]);
    assert_eq!(output.status.code(), Some(3), "{}", out(&output));
    assert!(out(&output).contains("error[guard_broken]"), "{}", out(&output));
    assert!(out(&output).contains("such as: "), "{}", out(&output));
}

#[test]
fn test_runs_tables() {
    let all: Vec<String> = ["small-office", "msp", "hospital", "cloud-first"].iter().map(|name| pack(name)).collect();
    let arguments: Vec<&str> = std::iter::once("test").chain(all.iter().map(String::as_str)).collect();
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert_eq!(out(&output).matches(" 0 failed, 0 policies untested").count(), 4, "{}", out(&output));

    let table = [
        (
            "another answer",
            changed("answer", "msp", "context.lease_minutes <= 120", "context.lease_minutes <= 119", ""),
            "expected allow by machine-contains-least, is no_permit",
        ),
        (
            "untested",
            changed(
                "untested",
                "msp",
                "// A provider",
                "// The provider",
                "@id(\"more\") @why(\"more\") permit (principal is Rule, action == Action::\"notify\", resource);",
            ),
            "`more` decides no test",
        ),
    ];
    for (name, path, text) in table {
        let output = run(&["test", &path]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", out(&output));
        assert!(out(&output).contains(text), "{name}: {}", out(&output));
    }
}

#[test]
fn diff_shows_what_is_newly_allowed() {
    let (old, new) = (
        pack("hospital"),
        changed("diff", "hospital", "context.lease_minutes <= 60", "context.lease_minutes <= 90", ""),
    );
    let output = alone("diff", &[&old, &new]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("newly allowed: Agent · isolate_host · Host"), "{}", out(&output));
    assert!(out(&output).contains("newly denied for 0"), "{}", out(&output));
    let output = alone("diff", &[&old, &old]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("not proved: no solver"), "{}", out(&output));
}

#[test]
fn past_requests_are_asked_again() {
    let request = r#"{"principal":{"kind":"Agent","id":"a","roles":[],"tenants":["t"]},"verb":"isolate_host","target":{"kind":"Host","id":"h","tenant":"t","tier":3,"tags":[],"owner":"","site":"office"},"circumstances":{"level":3,"risk":1,"alert_class":"","trust":2,"hour":1,"targets":1,"lease_minutes":70,"tag":""}}"#;
    let past = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("past.jsonl");
    let line =
        format!("{{\"request\":{request},\"answer\":{{\"verdict\":\"no_permit\",\"policies\":[],\"errors\":[]}}}}\n");
    std::fs::write(&past, line).unwrap();
    let new = changed("past", "hospital", "context.lease_minutes <= 60", "context.lease_minutes <= 90", "");
    let output = alone("diff", &["--past", past.to_str().unwrap(), &pack("hospital"), &new]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(
        out(&output)
            .contains("past request 1: another decision\n  before: no_permit\n  after: allow by agent-contains-office"),
        "{}",
        out(&output)
    );
    assert!(out(&output).contains("1 of 1 past requests would be answered otherwise"), "{}", out(&output));
}

#[test]
fn usage() {
    for arguments in
        [&["check"][..], &["diff", "one"], &["guess", "x"], &["test", "/nowhere/file"], &["check", "--past", "x", "y"]]
    {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(run(&["--help"]).status.code(), Some(0));
}
