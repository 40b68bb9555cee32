//! The shipped sets: they fit the schema, keep the guards, and say what their tables say.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::disallowed_methods,
    reason = "a failing test may stop anywhere; tables are written out; packs are files"
)]

use std::path::{Path, PathBuf};

use watchfloor_policy::{Policies, Source, Table, Verdict, enumerate};

const PACKS: &[&str] = &["small-office", "msp", "hospital", "cloud-first"];

fn folder(pack: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/policies").join(pack)
}

fn read(pack: &str) -> Policies {
    let sources: Vec<Source> = ["guards.cedar", "policies.cedar"]
        .iter()
        .map(|name| Source {
            name: (*name).to_owned(),
            text: std::fs::read_to_string(folder(pack).join(name)).unwrap(),
        })
        .collect();
    let (policies, findings) = Policies::read(&sources);
    assert!(findings.is_empty(), "{pack}: {findings:#?}");
    policies.unwrap()
}

#[test]
fn every_pack_says_what_its_table_says_and_every_policy_decides() {
    for pack in PACKS {
        let policies = read(pack);
        let table = Table::read(&std::fs::read_to_string(folder(pack).join("tests.json")).unwrap()).unwrap();
        let (failures, idle) = table.run(&policies);
        for failure in &failures {
            println!(
                "{pack}: {}: expected {:?} by {:?}, is {:?}\n  {}",
                failure.test, failure.expected, failure.by, failure.answer, failure.request
            );
        }
        assert!(failures.is_empty(), "{pack}: {} failures", failures.len());
        assert!(idle.is_empty(), "{pack}: decide no test: {idle:?}");
        for test in &table.tests {
            assert_eq!(policies.ask(&test.request), policies.ask_whole(&test.request), "{pack}: {}", test.name);
        }
    }
}

#[test]
fn every_pack_keeps_the_guards_on_the_grid() {
    for pack in PACKS {
        let shown = enumerate(&read(pack));
        assert!(shown.findings.is_empty(), "{pack}: {:#?}", shown.findings);
        assert!(!shown.walked.cut, "{pack}: {:?}", shown.walked);
        assert!(shown.walked.requests > 40_000, "{pack}: {:?}", shown.walked);
        assert!(shown.allowed > 1_000, "{pack}: {} allowed", shown.allowed);
        println!("{pack}: {:?}, {} allowed", shown.walked, shown.allowed);
    }
}

/// The folder holds the packs that are tested, and no other.
#[test]
fn no_pack_is_untested() {
    let mut found: Vec<String> = std::fs::read_dir(folder(""))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut known = PACKS.to_vec();
    known.sort_unstable();
    assert_eq!(found, known);
    assert_eq!(Verdict::Allow.word(), "allow");
}
