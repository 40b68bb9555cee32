//! Every file of the fuzz corpora through its target: what was found once stays found. `fuzz/src/lib.rs` says what is checked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// Most bytes of all corpora together: they are part of the repository.
const CORPUS_BYTES_MAX: u64 = 300 * 1024;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn files(target: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(corpora().join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn replay(target: &str) {
    let files = files(target);
    assert!(!files.is_empty(), "no corpus of {target}");
    for file in files {
        // A panic names the target; this names the file.
        eprintln!("{}", file.display());
        targets::run(target, &std::fs::read(&file).unwrap());
    }
}

macro_rules! replays {
    ($($target:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*
    };
}

replays! {
    frame json syslog kv_cef_leef rows auditd winevent_xml evtx journal_export utf16 archives mapping_language engine
    ocsf_validate_export sigma_rules webauthn acp_tokens checkpoint
}

#[test]
fn every_target_is_replayed_and_has_a_binary() {
    let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, REPLAYED);
    let mut folders: Vec<String> =
        std::fs::read_dir(corpora()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(folders, sorted);
    for name in names {
        assert!(corpora().join("../fuzz_targets").join(format!("{name}.rs")).is_file(), "{name}");
    }
}

#[test]
fn the_corpora_stay_small() {
    let all = targets::TARGETS.iter().flat_map(|(name, _)| files(name));
    let bytes: u64 = all.map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes");
}
