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

#[test]
fn what_machines_have_earned_is_made_again_from_the_ledger() {
    let folder = folder("earned");
    let ledger = folder.join("ledger").display().to_string();
    let script = packs().join("earned.json").display().to_string();
    assert_eq!(run(&["rehearse", "--ledger", &ledger, &script]).0, 0);
    let at = ["--at", "2026-03-02T13:10:00Z"];
    let (code, out, error) = run(&[&["audit", "autonomy", &ledger][..], &at].concat());
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    for line in [
        "acme: isolate_host for credential_theft on tier 3\n",
        "counted: 158 agreed, 1 not; at least 0.936386362867 agree; judged by 2 people\n",
        "level 2 granted by gus; level 2 earned: a person took back what had been done\n",
        "  choice-159: would Leave; anna said Reverse, did Leave\n",
        "1 cells; 0 leaves that are not what their kind says\n",
    ] {
        assert!(out.contains(line), "{line}{out}");
    }
    let (_, json, _) = run(&[&["audit", "autonomy", "--json", &ledger][..], &at].concat());
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["standing"]["granted"], &value["report"]["totals"]["recorded"]), (&2.into(), &159.into()));
    // A promotion that nobody signed is a leaf like any other, and counts for nothing.
    let text = fs::read_dir(folder.join("ledger/journal")).unwrap().next().unwrap().unwrap().path();
    let text = String::from_utf8_lossy(&fs::read(text).unwrap()).into_owned();
    let promoted = text.split("\"detail\":").find(|detail| detail.contains("\"promotion\":")).unwrap();
    let detail = promoted.split(",\"format\"").next().unwrap();
    let line = format!(
        r#"{{"kind":"promotion","tenant":"acme","actor":"gus","accountable":"gus","time":1772456000000,"detail":{detail}}}"#
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchfloor"))
        .args(["audit", "append", &ledger])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), line.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let (code, again, error) = run(&[&["audit", "autonomy", &ledger][..], &at].concat());
    assert!(code == 1 && error.contains("(autonomy.expired)"), "{error}");
    assert_eq!(again.replace("1 leaves that", "0 leaves that"), out);
}

#[test]
fn whether_anything_is_held_back_is_told() {
    let folder = folder("boundary");
    let ledger = folder.join("ledger").display().to_string();
    let script = packs().join("earned.json").display().to_string();
    assert_eq!(run(&["rehearse", "--ledger", &ledger, &script]).0, 0);
    let (code, out, error) = run(&["audit", "boundary", &ledger]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("7 requests of machines; 285 of 1,000 were held back lately; too few yet"), "{out}");
    assert!(out.ends_with("0 would still pass each time, 0 would be treated more mildly\n"), "{out}");
    // The last two were let through: with a window of two nobody knows whether anything still is held back.
    let (code, json, _) = run(&["audit", "boundary", &ledger, "--window", "2", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &value["alert"], &value["probed"]), (1, &"threshold".into(), &7.into()), "{json}");
    assert_eq!(run(&["audit", "boundary", &ledger, "--window", "3"]).0, 2);
    let pieces = folder.join("ledger/piece");
    fs::remove_dir_all(pieces).unwrap();
    let (code, _, error) = run(&["audit", "boundary", &ledger]);
    assert!(code == 4 && error.contains("(replay.missing)"), "{code} {error}");
}
