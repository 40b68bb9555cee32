//! `watchfloor normalize --quality` from the outside: output, exit codes, baseline, and the same answer with any number of workers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may stop anywhere")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let received = ["normalize", "--received", "2026-03-03T00:00:00Z"];
    Command::new(env!("CARGO_BIN_EXE_watchfloor")).args(received).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn write(name: &str, content: &str) -> String {
    let path = folder().join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// Sysmon-like Security records with record ids: enough of them for several batches.
fn records(skip: std::ops::Range<usize>) -> String {
    let mut out = String::new();
    for number in (0..4_000).filter(|number| !skip.contains(number)) {
        let (minute, second) = (number / 60 % 60, number % 60);
        let hour = 8 + number / 3_600;
        out.push_str(&format!(
            "{{\"@timestamp\":\"2026-03-02T{hour:02}:{minute:02}:{second:02}Z\",\"winlog\":{{\"channel\":\"Security\",\"provider_name\":\"Microsoft-Windows-Security-Auditing\",\"event_id\":\"4634\",\"record_id\":{},\"computer_name\":\"WS-014\",\"event_data\":{{\"TargetUserSid\":\"S-1-5-21-1-1-1-1107\",\"TargetUserName\":\"amira\",\"TargetDomainName\":\"CORP\",\"TargetLogonId\":\"0x{number:x}\",\"LogonType\":\"3\"}}}}}}\n",
            41_000 + number
        ));
    }
    out
}

#[test]
fn a_gap_is_told_and_a_clean_stream_is_fine() {
    let (clean, gap) = (write("clean.jsonl", &records(0..0)), write("gap.jsonl", &records(2_000..2_010)));
    let usual = run(&["--quality=json", &clean]);
    assert_eq!(usual.status.code(), Some(0), "{}", text(&usual.stderr));
    let baseline = write("usual.json", &text(&usual.stdout));
    for (arguments, code, shown) in [
        (vec!["--quality", &clean], 0, "no alarms"),
        (vec!["--quality", "--baseline", &baseline, &clean], 0, "no alarms"),
        (vec!["--quality", &gap], 1, "quality.sequence_gap  windows.security\n  10 record numbers never came"),
        (vec!["--quality", "--baseline", &baseline, &gap], 1, "\n1 alarm\n"),
        (
            vec!["--quality=json", &gap],
            1,
            "\"alarms\":[{\"alarm\":\"quality.sequence_gap\",\"source\":\"windows.security\",\"measured\":10.0,",
        ),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", text(&output.stdout));
        assert!(text(&output.stdout).contains(shown), "{arguments:?}\n{}", text(&output.stdout));
    }
}

#[test]
fn workers_do_not_change_the_answer() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sources");
    let folders: Vec<String> = ["windows.security", "linux.sshd", "linux.auditd", "zeek.log"]
        .map(|kind| samples.join(kind).join("samples").display().to_string())
        .into();
    let disordered =
        write("disordered.jsonl", &records(0..0).lines().rev().map(|line| format!("{line}\n")).collect::<String>());
    let mut arguments = vec!["--quality=json", "--jobs", "1", &disordered];
    arguments.extend(folders.iter().map(String::as_str));
    let alone = run(&arguments);
    arguments[2] = "7";
    assert_eq!(text(&alone.stdout), text(&run(&arguments).stdout));
}

#[test]
fn mistakes_are_usage_errors() {
    let wrong = write("wrong.json", "{\"a\":1}");
    for (arguments, shown) in [
        (vec!["--baseline", wrong.as_str(), "x"], "`--baseline` goes with `--quality`"),
        (vec!["--quality", "--baseline", &wrong, "x"], "is no baseline: it is not what `--quality=json` prints"),
        (vec!["--quality=yaml", "x"], "there are `table` and `json`"),
    ] {
        let output = run(&arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
        assert!(text(&output.stderr).contains(shown), "{}", text(&output.stderr));
    }
}
