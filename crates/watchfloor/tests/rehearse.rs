//! `watchfloor rehearse` through the real binary, and the ledgers that it leaves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_watchfloor")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/rehearsals")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rehearse").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn scripts() -> Vec<PathBuf> {
    let files = fs::read_dir(packs()).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<PathBuf> = files.filter(|path| path.file_name().unwrap() != "state.json").collect();
    scripts.sort();
    assert!(scripts.len() >= 5);
    scripts
}

#[test]
fn every_script_comes_out_as_it_expects_and_leaves_a_ledger_that_can_be_replayed() {
    let folder = folder("all");
    for script in scripts() {
        let ledger = folder.join(script.file_stem().unwrap()).display().to_string();
        let script = script.display().to_string();
        let (code, out, error) = run(&["rehearse", "--ledger", &ledger, &script]);
        assert_eq!((code, error.as_str()), (0, ""), "{script}: {out}");
        let (_, again, _) = run(&["rehearse", &script]);
        assert_eq!(again, out, "the same each time, with a ledger or without");
        let leaves = out.trim().rsplit(' ').nth(1).unwrap().parse::<usize>().unwrap();
        assert!(leaves > 0, "{out}");
        let (code, out, _) = run(&["audit", "replay", &ledger]);
        assert!(code == 0 && out.contains(" 0 otherwise, 0 damaged, 0 that cannot"), "{script}: {out}");
        // And it verifies, whole.
        let key = format!("{ledger}.key");
        let (_, public, _) = run(&["audit", "key", "--name", "rehearsal.example/ledger", "--output", &key]);
        assert_eq!(run(&["audit", "checkpoint", &ledger, "--key-file", &key]).0, 0);
        let (code, out, _) = run(&["audit", "verify", &ledger, "--key", public.trim()]);
        assert!(code == 0 && out.starts_with(&format!("{leaves} of {leaves} leaves lead")), "{script}: {out}");
    }
}

#[test]
fn a_step_that_comes_out_otherwise_is_told() {
    let folder = folder("otherwise");
    let script = fs::read_to_string(packs().join("halted.json")).unwrap();
    let root = format!("{}/..", packs().display());
    let script = script
        .replace("\"state.json\"", &format!("\"{root}/rehearsals/state.json\""))
        .replace("../policies", &format!("{root}/policies"));
    let path = folder.join("script.json").display().to_string();
    let mut seen = 0;
    for (from, to) in [
        ("\"expect\": \"halt.already\"", "\"expect\": \"ok\""),
        ("\"deny halt.verb\"", "\"deny halt.tenant\""),
        ("\"lifted\"", "\"lift\""),
        (", \"expect\": \"kernel.person\"", ""),
    ] {
        assert!(script.contains(from), "{from}");
        fs::write(&path, script.replacen(from, to, 1)).unwrap();
        let (code, out, _) = run(&["rehearse", &path]);
        assert!(code == 1 && out.matches("EXPECTED").count() == 1, "{from}: {code} {out}");
        let (_, json, _) = run(&["rehearse", "--json", &path]);
        seen += json.matches("\"met\":false").count();
    }
    assert_eq!(seen, 4);
    for (from, to, says) in [
        ("\"wait\": {}", "\"wiat\": {}", "step 9: unknown variant `wiat`"),
        ("\"after\": 4000", "\"after\": -1", "step 9: `after` takes 0 to"),
        ("\"wait\": {}", "\"wait\": {}, \"halt\": {}", "step 9: a step says one thing"),
        ("{\"plan\": \"p1\"}", "{\"plan\": \"p9\"}", "step 2: no plan `p9` was proposed"),
        ("{\"plan\": \"p1\"}", "{\"plan\": \"p1\", \"x\": 1}", "unknown field `x`"),
        ("\"start\"", "\"begin\"", "unknown field `begin`"),
        ("small-office", "nowhere", "nowhere"),
    ] {
        assert!(script.contains(from), "{from}");
        fs::write(&path, script.replacen(from, to, 1)).unwrap();
        let (code, _, error) = run(&["rehearse", &path]);
        assert!(code != 0 && error.contains(says), "{to}: {code} {error}");
    }
    assert_eq!(run(&["rehearse"]).0, 2);
    assert_eq!(run(&["rehearse", "nowhere.json"]).0, 1);
}
