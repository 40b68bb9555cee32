//! All rules of SigmaHQ: each loads, or is refused with a code.
//!
//! The rules are not part of the project. Where they are missing the test says so and passes; CI has them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, reads files and looks at the clock"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use watchfloor_model::Grade;
use watchfloor_sigma::{Options, read};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|end| end == "yml") {
            into.push(path);
        }
    }
}

#[test]
fn published_rules_load() {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/conformance/sigma-rules.tar.xz");
    if !archive.exists() {
        eprintln!("skipped: no rules at {}", archive.display());
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sigma-rules");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    assert!(Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(&folder).status().unwrap().success());
    let mut all = Vec::new();
    files(&folder, &mut all);
    let (mut loaded, mut codes) = (0, BTreeMap::new());
    for file in &all {
        let text = std::fs::read_to_string(file).unwrap();
        let read = read(&text, &Options::default());
        loaded += read.documents.len();
        assert!(read.documents.len() + read.refused > 0, "{}", file.display());
        for finding in &read.findings {
            if finding.grade == Grade::Error {
                eprintln!("{}", finding.render(&file.display().to_string(), &text));
            }
            *codes.entry((finding.grade, finding.code)).or_insert(0) += 1;
        }
    }
    eprintln!("{} files, {loaded} documents, {codes:?}", all.len());
    // What is refused has placeholders that nobody gave a value, and nothing else.
    let errors: Vec<_> = codes.keys().filter(|(grade, _)| *grade == Grade::Error).map(|(_, code)| *code).collect();
    assert_eq!(errors, ["sigma.placeholder"]);
    assert!(loaded >= 3_750, "{loaded}");
}
