//! `docs/diagnostics.md` lists exactly the codes that the sources have, and every limit's code among them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// First words of codes. One that is missing here is found by the constructors.
const AREAS: [&str; 17] = [
    "archive", "auditd", "cef", "evtx", "input", "journal", "json", "leef", "map", "ocsf", "quality", "record", "row",
    "source", "text", "time", "xml",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // Tests stand last in a file.
            into.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
}

fn code_of(literal: &str) -> Option<&str> {
    let (area, what) = literal.split_once('.')?;
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
    };
    (AREAS.contains(&area) && is_word(what) && what != "wfm").then_some(literal)
}

/// The codes of every crate's sources.
fn in_sources() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut texts);
    }
    let mut found = BTreeSet::new();
    for text in &texts {
        found.extend(text.split('"').filter_map(code_of).map(str::to_owned));
        for constructor in ["Diagnostic::note(", "Diagnostic::warning(", "Diagnostic::error("] {
            for behind in text.split(constructor).skip(1) {
                if let Some(code) = behind.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                    assert_eq!(code_of(code), Some(code), "the area of `{code}` is not known to this test");
                }
            }
        }
    }
    found
}

/// The codes of the page, with their grades.
fn in_page() -> BTreeMap<String, String> {
    let page = fs::read_to_string(root().join("docs/diagnostics.md")).unwrap();
    let mut found = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let code = cells[0].trim_matches('`').to_owned();
        if code.contains('.') {
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{line}");
            assert!(found.insert(code, cells[1].to_owned()).is_none(), "twice: {line}");
        }
    }
    found
}

#[test]
fn the_page_lists_the_codes_of_the_sources() {
    let (source, page) = (in_sources(), in_page());
    let listed: BTreeSet<String> = page.keys().cloned().collect();
    let missing: Vec<_> = source.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&source).collect();
    assert!(missing.is_empty() && stale.is_empty(), "not on the page: {missing:?}; not in the sources: {stale:?}");
    for (code, grade) in page.iter().filter(|(code, _)| !code.starts_with("quality.")) {
        assert!(grade.split(", ").all(|grade| ["note", "warning", "error"].contains(&grade)), "{code}: {grade}");
    }
}

#[test]
fn every_limit_names_a_code_of_the_page() {
    let page = in_page();
    let limits = fs::read_to_string(root().join("crates/model/src/limits.rs")).unwrap();
    let mut comment = String::new();
    for line in limits.lines() {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
        } else if line.starts_with("pub const") {
            if comment.contains("an error at start") {
                comment.clear();
                continue;
            }
            let code = comment.split('`').find_map(code_of).unwrap_or_else(|| panic!("{line} names no code"));
            assert!(page.contains_key(code), "{code} of {line}");
            comment.clear();
        }
    }
}
