//! Proofs with a real solver. Without one installed, each test says so and shows nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a failing test may stop anywhere; tables are written out; what is skipped is said"
)]

use std::path::Path;

use watchfloor_policy::{Policies, Source, Way, shows_broken};
use watchfloor_policy_proof::{ProofError, Solver, prove, prove_differences};

const PACKS: &[&str] = &["small-office", "msp", "hospital", "cloud-first"];

fn solver() -> Option<Solver> {
    let found = Solver::at(Path::new("cvc5")).ok();
    if found.is_none() {
        println!("skipped: cvc5 is not installed");
    }
    found
}

fn pack(name: &str) -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/policies").join(name);
    ["guards.cedar", "policies.cedar"]
        .iter()
        .map(|name| Source { name: (*name).to_owned(), text: std::fs::read_to_string(folder.join(name)).unwrap() })
        .collect()
}

fn read(sources: &[Source]) -> Policies {
    let (policies, findings) = Policies::read(sources);
    policies.unwrap_or_else(|| panic!("{findings:#?}"))
}

/// The guards of a pack and a permit, with one text replaced, and what stands beside them.
fn changed(from: &str, to: &str, more: &str) -> Policies {
    let permit = "@id(\"people\") @why(\"people\") permit (principal is Person, action, resource);";
    with(
        vec![pack("msp").remove(0), Source { name: "permit.cedar".to_owned(), text: permit.to_owned() }],
        from,
        to,
        more,
    )
}

fn with(mut sources: Vec<Source>, from: &str, to: &str, more: &str) -> Policies {
    let mut times = 0;
    for source in &mut sources {
        times += source.text.matches(from).count();
        source.text = source.text.replace(from, to);
    }
    assert!(from.is_empty() || times > 0, "`{from}` is not there");
    sources.push(Source { name: "more.cedar".to_owned(), text: more.to_owned() });
    read(&sources)
}

#[test]
fn every_pack_is_proved() {
    let Some(solver) = solver() else { return };
    for name in PACKS {
        let began = std::time::Instant::now();
        let proof = prove(&read(&pack(name)), &solver).unwrap();
        println!("{name}: {} questions to {} in {:?}", proof.questions, proof.solver, began.elapsed());
        assert!(proof.findings.is_empty(), "{name}: {:#?}", proof.findings);
        assert!(proof.questions > 1_000);
    }
}

/// A change of a pack, what is added to it, and the one finding that comes of it; its request shows it when asked again.
fn shown(from: &str, to: &str, more: &str, expected: &str) {
    let Some(solver) = solver() else { return };
    let policies = changed(from, to, more);
    let findings = prove(&policies, &solver).unwrap().findings;
    let (code, name) = expected.split_once(' ').unwrap();
    assert_eq!(findings.len(), 1, "{expected}: {findings:#?}");
    assert_eq!(findings[0].code, code);
    assert!(findings[0].message.contains(&format!("`{name}`")), "{}", findings[0].message);
    if code == "guard_broken" {
        let request = findings[0].example.as_ref().unwrap();
        println!("{expected}: {request}");
        assert!(shows_broken(&policies, name, request).unwrap(), "{expected}: {request}");
    }
}

#[test]
fn a_guard_that_lets_something_through_is_shown() {
    shown("\"telemetry\", \"identity_provider\", ", "\"identity_provider\", ", "", "guard_broken protected");
    let tier_zero = "resource.tier == 0 && context.level > 2";
    shown(tier_zero, "resource.tier == 0 && context.level > 3", "", "guard_broken tier-zero");
    let wall = "unless { resource in principal.tenants }";
    shown(wall, "unless { resource in principal.tenants || context.hour == 3 }", "", "guard_broken tenant-wall");
}

#[test]
fn a_guard_that_is_another_or_none_is_shown() {
    let tier_zero = "resource.tier == 0 && context.level > 2";
    shown(tier_zero, "resource.tier <= 1 && context.level > 2", "", "guard_differs tier-zero");
    shown("@guard(\"hearsay\")", "", "", "guard_missing hearsay");
}

#[test]
fn a_policy_that_cannot_decide_is_shown() {
    let fails = "@id(\"fails\") @why(\"overflows\") forbid (principal, action, resource)\n\
                 when { context.risk * 100000000000000000 > 9000000000000000000 };";
    let dead = "@id(\"dead\") @why(\"never\") permit (principal, action, resource)\n\
                when { resource.tier == 0 && resource.tier == 1 };";
    let shut = "@id(\"shut\") @why(\"beaten\") permit (principal is Agent, action == Action::\"kill_process\", resource)\n\
                when { context.level == 4 };";
    shown("", "", fails, "policy_fails fails");
    shown("", "", dead, "policy_dead dead");
    shown("", "", shut, "policy_dead shut");
}

/// A number that no request can have opens nothing: the grid and the solver agree on the bounds.
#[test]
fn bounds_are_taken_for_granted() {
    let Some(solver) = solver() else { return };
    let policies = changed(
        "resource.tier == 0 && context.level > 2",
        "resource.tier < 1 && context.level != 0 && context.level != 1 && context.level != 2",
        "",
    );
    assert_eq!(prove(&policies, &solver).unwrap().findings, []);
}

#[test]
fn a_change_shows_what_it_newly_allows() {
    let Some(solver) = solver() else { return };
    let old = read(&pack("hospital"));
    let same = prove_differences(&old, &read(&pack("hospital")), &solver).unwrap();
    assert_eq!((same.differences, same.beyond), (vec![], vec![]));

    let new = with(pack("hospital"), "context.lease_minutes <= 60", "context.lease_minutes <= 61", "");
    let shown = prove_differences(&old, &new, &solver).unwrap();
    assert!(!shown.differences.is_empty());
    for difference in &shown.differences {
        println!("{}", difference.example);
        assert_eq!(difference.way, Way::NewlyAllowed);
        assert_eq!(difference.example.circumstances.lease_minutes, 61);
        assert_eq!(difference.after.policies, ["agent-contains-office"]);
        assert!(!difference.before.allows() && difference.after.allows());
    }
    let back = prove_differences(&new, &old, &solver).unwrap();
    assert_eq!(back.differences.len(), shown.differences.len());
    assert!(back.differences.iter().all(|difference| difference.way == Way::NewlyDenied));
}

#[test]
fn no_solver_is_told() {
    let error = Solver::at(Path::new("/nowhere/cvc5")).unwrap_err();
    assert!(matches!(error, ProofError::NoSolver(_)), "{error}");
    assert_eq!(error.code(), "solver_missing");
    // Something that runs and is no solver is none.
    assert_eq!(Solver::at(Path::new("true")).unwrap_err().code(), "solver_missing");
}
