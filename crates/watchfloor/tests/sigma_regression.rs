//! SigmaHQ's regression: 202 real events, each with the rules that must match it, among all rules that are published.
//!
//! Neither rules nor events are part of the project. Where they are missing the test says so and passes; CI has them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use watchfloor_decode::{Batch, Framer};
use watchfloor_detect::{Detection, Reader, Taxonomy};
use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};
use watchfloor_sigma::{Document, read};

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|end| end == ending) {
            into.push(path);
        }
    }
    into.sort();
}

fn all(folder: &str, ending: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs").join(folder), ending, &mut found);
    let read =
        |file: PathBuf| SourceFile { text: std::fs::read_to_string(&file).unwrap(), file: file.display().to_string() };
    found.into_iter().map(read).collect()
}

#[test]
fn every_event_matches_its_rules() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/conformance");
    if !shared.exists() {
        eprintln!("skipped: no rules and events at {}", shared.display());
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("regression");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let archive = shared.join("sigma-rules.tar.xz");
    assert!(Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(&folder).status().unwrap().success());
    let mut rules = Vec::new();
    files(&folder, "yml", &mut rules);
    let documents: Vec<Document> = rules
        .iter()
        .flat_map(|file| read(&std::fs::read_to_string(file).unwrap(), &watchfloor_sigma::Options::default()).documents)
        .collect();
    let (library, faults) = Library::compile(&all("sources", "wfm"), &all("names", "wfn"));
    assert!(faults.is_empty());
    let mut taxonomy = Taxonomy::default();
    for file in all("taxonomy", "yml") {
        assert_eq!(taxonomy.add(&file.text), vec![], "{}", file.file);
    }
    let detection = Arc::new(Detection::new(&library, &documents, taxonomy, None).unwrap());
    let set = Arc::clone(&detection.set);
    let clock = Clock { received: 1_795_000_000_000, zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(&library, Options { clock, raw: true, source: None });
    let mut reader = Reader::new(detection);
    let events = std::fs::read_to_string(shared.join("sigma-regression.jsonl")).unwrap();
    let (mut right, mut wrong, mut extra) = (0, Vec::new(), 0);
    for line in events.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut framer = Framer::new(library.wrappers.clone().into());
        let mut batch = Batch::default();
        framer.feed(case["event_json"].as_str().unwrap().as_bytes(), &mut batch);
        framer.finish(&mut batch);
        let mut found = BTreeSet::new();
        for framed in &batch.records {
            let outcome = engine.examine(framed, batch.raw(framed));
            for id in reader.read(&mut engine, &outcome) {
                found.extend(set.rules[id.0 as usize].meta.id.clone());
            }
        }
        let due: BTreeSet<String> =
            case["rule_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        extra += found.difference(&due).count();
        if due.is_subset(&found) {
            right += 1;
        } else {
            wrong.push(format!(
                "{}: {}",
                case["rule"],
                case["event_json"].to_string().chars().take(300).collect::<String>()
            ));
        }
    }
    eprintln!("{right} of {} events match their rules; {extra} further matches", right + wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(right >= 202, "{right}");
}
