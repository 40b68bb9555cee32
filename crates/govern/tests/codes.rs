//! Every code that a check says stands in the document of the gate, and every code there is said by a check.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

const CHECKS: [&str; 10] = [
    include_str!("../src/checks/admission.rs"),
    include_str!("../src/checks/budgets.rs"),
    include_str!("../src/checks/caps.rs"),
    include_str!("../src/checks/evidence.rs"),
    include_str!("../src/checks/halt.rs"),
    include_str!("../src/checks/identity.rs"),
    include_str!("../src/checks/invariants.rs"),
    include_str!("../src/checks/level.rs"),
    include_str!("../src/checks/policy.rs"),
    include_str!("../src/checks/windows.rs"),
];

/// Words such as `budget.spent` between two marks.
fn codes(text: &str, mark: char) -> BTreeSet<&str> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let is_code = |text: &&str| text.split_once('.').is_some_and(|(area, what)| is_word(area) && is_word(what));
    text.split(mark).filter(is_code).collect()
}

#[test]
fn codes_and_their_document_agree() {
    let said: BTreeSet<&str> = CHECKS.iter().flat_map(|text| codes(text, '"')).collect();
    let table = include_str!("../../../docs/gate.md").split("## Checks and their codes").nth(1).unwrap();
    let table = table.split("## Carrying out").next().unwrap();
    let documented = codes(table, '`');
    assert_eq!(said.difference(&documented).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in docs/gate.md");
    assert_eq!(documented.difference(&said).collect::<Vec<_>>(), Vec::<&&str>::new(), "said by no check");
    assert!(said.len() > 45, "{}", said.len());
}
