//! `watchfloor rules` and `watchfloor hunt` through the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hunt").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_watchfloor")).args(arguments).current_dir(root()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const RULES: &str = "
title: Shadow copies deleted
id: 6b1f8f6c-3a1b-4f39-8f0a-0d5c4f0f5a11
status: test
level: high
tags: [attack.impact, attack.t1490]
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\\vssadmin.exe', CommandLine|contains|all: [delete, shadows]}
  condition: selection
---
title: Failed logon
id: 6b1f8f6c-3a1b-4f39-8f0a-0d5c4f0f5a12
name: failed
level: low
logsource: {product: linux, service: sshd}
detection: {selection: ['Failed password'], condition: selection}
---
title: Many failed logons
id: 6b1f8f6c-3a1b-4f39-8f0a-0d5c4f0f5a13
level: medium
correlation: {type: event_count, rules: [failed], group-by: [src_ip], timespan: 1m, condition: {gte: 3}}
";

const RECORDS: &str = r#"{"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Computer":"ws01","UtcTime":"2026-03-02 10:15:02.123","Image":"C:\\Windows\\System32\\vssadmin.exe","CommandLine":"vssadmin.exe Delete Shadows /all","User":"ACME\\bob"}
{"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Computer":"ws02","UtcTime":"2026-03-02 10:15:03.123","Image":"C:\\Windows\\System32\\vssadmin.exe","CommandLine":"vssadmin.exe list shadows","User":"ACME\\bob"}
Mar  2 10:15:04 web01 sshd[1]: Failed password for root from 192.0.2.7 port 50022 ssh2
Mar  2 10:15:05 web01 sshd[1]: Failed password for root from 192.0.2.7 port 50023 ssh2
Mar  2 10:15:06 web01 sshd[1]: Failed password for root from 192.0.2.7 port 50024 ssh2
Mar  2 10:15:06 web01 sshd[1]: Failed password for root from 192.0.2.8 port 50024 ssh2
"#;

fn files(name: &str) -> (String, String) {
    let folder = scratch(name);
    let (rules, records) = (folder.join("rules.yml"), folder.join("records.log"));
    fs::write(&rules, RULES).unwrap();
    fs::write(&records, RECORDS).unwrap();
    (rules.display().to_string(), records.display().to_string())
}

#[test]
fn our_rules_are_clean_and_do_what_their_fixtures_say() {
    let (code, out, error) = run(&["rules", "check", "--strict"]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    assert!(out.contains("0 refused; 0 errors, 0 warnings"), "{out}");
    let (code, out, error) = run(&["rules", "test", "packs/rules"]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    assert!(out.contains(" 0 failures; 0 files without fixtures"), "{out}");
}

#[test]
fn fixtures_that_do_not_hold_are_told() {
    let (rules, _) = files("fixtures");
    let fixture = Path::new(&rules).with_extension("test.yml");
    fs::write(&fixture, "match:\n- line: 'Mar  2 10:15:04 web01 sshd[1]: Accepted password for root from 192.0.2.7 port 1 ssh2'\npass:\n- record: {Channel: Microsoft-Windows-Sysmon/Operational, SourceName: Microsoft-Windows-Sysmon, EventID: 1, Image: 'C:\\vssadmin.exe', CommandLine: delete shadows}\n- {}\n- line: nothing that anybody knows\n").unwrap();
    let (code, out, error) = run(&["rules", "test", &rules]);
    assert_eq!(code, 1, "{out}");
    assert!(error.contains("test.yml:2: no rule matches") && error.contains("test.yml:4: a rule matches"), "{error}");
    assert!(error.contains("test.yml:5: an entry has"), "{error}");
    assert!(error.contains("test.yml:6: no rule of the file looks at such records"), "{error}");
    assert!(out.contains("4 failures"), "{out}");
}

#[test]
fn matches_come_as_table_json_and_csv() {
    let (rules, records) = files("formats");
    let (code, table, error) = run(&["hunt", "--rules", &rules, &records]);
    assert_eq!(code, 0, "{error}");
    let lines: Vec<&str> = table.lines().collect();
    // The failed logons alone are told by their correlation only.
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[1].starts_with("2026-03-02T10:15:02.123Z  high") && lines[1].contains("ws01"), "{table}");
    assert!(lines[2].contains("medium") && lines[2].contains("Many failed logons"), "{table}");
    assert!(error.contains("6 records, 3 rules, 2 matches"), "{error}");
    let (_, json, _) = run(&["hunt", "--rules", &rules, "--format", "jsonl", &records]);
    let matches: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(matches[0]["rule_id"], "6b1f8f6c-3a1b-4f39-8f0a-0d5c4f0f5a11");
    assert_eq!(matches[0]["values"][0][0], "Image");
    assert_eq!(
        matches[1]["values"],
        serde_json::json!([["src_ip", "192.0.2.7"], ["matches", "3"], ["since", "2026-03-02T10:15:04.000Z"]])
    );
    let lines: Vec<u64> =
        matches[1]["made_of"].as_array().unwrap().iter().map(|place| place["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5]);
    assert_eq!(matches[0]["log"], "Microsoft-Windows-Sysmon/Operational");
    assert_eq!(matches[0]["event_id"], "1");
    let (_, csv, _) = run(&["hunt", "--rules", &rules, "--format", "csv", &records]);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let (_, stats, _) = run(&["hunt", "--rules", &rules, "--stats", &records]);
    assert!(stats.contains("        1  T1490"), "{stats}");
}

#[test]
fn hunts_are_narrowed_and_fail_when_asked() {
    let (rules, records) = files("filters");
    let matches = |more: &[&str]| {
        let arguments: Vec<&str> = ["hunt", "--rules", &rules, "--format", "jsonl"]
            .iter()
            .chain(more)
            .copied()
            .chain([records.as_str()])
            .collect();
        let (code, out, error) = run(&arguments);
        (code, out.lines().count(), error)
    };
    for (more, code, count) in [
        (&["--level", "high"][..], 0, 1),
        // What a correlation is about is run for it, and not told.
        (&["--level", "medium"], 0, 2),
        (&["--rule", "many failed"], 0, 1),
        (&["--tag", "T1490"], 0, 1),
        (&["--rule", "shadow"], 0, 1),
        (&["--status", "stable"], 2, 0),
        (&["--from", "2026-03-02T10:15:03Z"], 0, 1),
        (&["--to", "2026-03-02T10:15:03Z"], 0, 1),
        (&["--to", "2026-03-02"], 0, 0),
        // The records that name no zone are an hour earlier there too.
        (&["--to", "2026-03-02T10:15", "--tz", "Europe/Berlin"], 0, 0),
        (&["--to", "2026-03-02T10:16", "--tz", "Europe/Berlin"], 0, 1),
        (&["--fail-on", "high"], 1, 2),
        (&["--fail-on", "critical"], 0, 2),
        (&["--level", "most"], 2, 0),
        (&["--format", "xml"], 2, 0),
        (&["--preview"], 2, 0),
        (&["--rule-budget", "off"], 0, 2),
        (&["--rule-budget", "100"], 0, 2),
        (&["--rule-budget", "0"], 2, 0),
        (&["--rule-budget", "much"], 2, 0),
        (&["--source", "no.such"], 2, 0),
    ] {
        let (found_code, found, error) = matches(more);
        assert_eq!((found_code, found), (code, count), "{more:?}: {error}");
    }
}

#[test]
fn what_is_written_takes_nothing_away() {
    let (rules, records) = files("output");
    let folder = Path::new(&records).parent().unwrap().display().to_string();
    // A file that is hunted in is not written over, by whatever name.
    let link = format!("{folder}/link");
    std::os::unix::fs::symlink(&records, &link).unwrap();
    for output in [&records, &link, &format!("{folder}/new.txt")] {
        let inputs = if output.ends_with("new.txt") { &folder } else { &records };
        let (code, _, error) = run(&["hunt", "--rules", &rules, "--output", output, inputs]);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains("is one of the inputs, or in one of their folders"), "{error}");
    }
    assert_eq!(fs::read_to_string(&records).unwrap(), RECORDS);
    // What was there stays until all is written.
    let output = scratch("output-elsewhere").join("out.txt").display().to_string();
    fs::write(&output, "before").unwrap();
    let (code, _, error) = run(&["hunt", "--rules", &rules, "--output", &output, "--level", "nonsense", &records]);
    assert_eq!((code, fs::read_to_string(&output).unwrap().as_str()), (2, "before"), "{error}");
    let (code, _, _) = run(&["hunt", "--rules", &rules, "--output", &output, &records]);
    assert_eq!((code, fs::read_to_string(&output).unwrap().lines().count()), (0, 3));
    let beside = |output: &str| fs::read_dir(Path::new(output).parent().unwrap()).unwrap().count();
    assert_eq!(beside(&output), 1, "nothing else is left");
    // What is called like a file that is not whole yet is not touched.
    let part = format!("{output}.part");
    fs::write(&part, RECORDS).unwrap();
    let (code, _, error) = run(&["hunt", "--rules", &rules, "--output", &output, &part]);
    assert_eq!((code, fs::read_to_string(&part).unwrap().as_str()), (0, RECORDS), "{error}");
    let (code, _, error) = run(&["hunt", "--rules", &rules, "--output", "/dev/full", &records]);
    assert_eq!(code, 1);
    assert!(error.contains("cannot write /dev/full"), "{error}");
}

#[test]
fn what_has_the_same_name_is_told() {
    let (rules, records) = files("doubles");
    fs::write(&rules, format!("{RULES}---\n{}", RULES.split("---\n").next().unwrap())).unwrap();
    let (code, out, error) = run(&["hunt", "--rules", &rules, &records]);
    assert_eq!((code, out.lines().count()), (0, 4), "{error}");
    assert!(error.contains("warning[sigma.duplicate_id]: 1 ids are those of several rules"), "{error}");
    let (code, json, _) = run(&["rules", "check", "--json", "--strict", &rules]);
    assert_eq!(code, 1);
    let codes = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["code"].clone());
    assert!(codes.clone().any(|code| code == "sigma.duplicate_id"), "{json}");
}

#[test]
fn an_exit_code_outlives_its_reader() {
    let (rules, records) = files("pipe");
    for (format, fail_on, expected) in [("table", "high", 1), ("jsonl", "high", 1), ("table", "critical", 0)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_watchfloor"))
            .args(["hunt", "--rules", &rules, "--format", format, "--fail-on", fail_on, &records])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{format}");
    }
}

#[test]
fn what_cannot_be_read_or_used_is_told() {
    let (rules, records) = files("told");
    let broken = format!("{RECORDS}{{\"Channel\": \n");
    fs::write(&records, broken).unwrap();
    let (code, out, error) = run(&["hunt", "--rules", &rules, &records]);
    assert_eq!((code, out.lines().count()), (1, 3), "{error}");
    assert_eq!(error.matches("\"code\":\"json.syntax\"").count(), 1, "{error}");
    // A correlation over a rule that is missing is told, and takes no other matches away.
    let lost = "---\ntitle: Lost\ncorrelation: {type: temporal, rules: [Shadow copies deleted, missing], timespan: 1m}\n\
                ---\ntitle: Idle\nlogsource: {product: linux}\nfilter: {rules: [nobody], s: {A: 1}, condition: s}\n";
    let lost = lost.replace("Shadow copies deleted", "6b1f8f6c-3a1b-4f39-8f0a-0d5c4f0f5a11");
    fs::write(&rules, format!("{RULES}{lost}")).unwrap();
    fs::write(&records, RECORDS).unwrap();
    let (code, out, error) = run(&["hunt", "--rules", &rules, &records]);
    assert_eq!((code, out.lines().count()), (1, 3), "{error}");
    assert_eq!(error.matches("error[sigma.unknown_rule]").count(), 2, "{error}");
    let (code, out, _) = run(&["rules", "check", &rules]);
    assert_eq!(code, 1);
    assert!(out.contains("2 errors"), "{out}");
}

#[test]
fn nothing_of_a_rule_moves_the_cursor() {
    let (rules, records) = files("cursor");
    let text = RULES.replace("tags: [attack.impact", "tags: [\"attack.t1\\e[2J\", attack.impact");
    fs::write(&rules, text.replace("condition: selection", "condition: \"sel\\e]0;x\\a or selection\"")).unwrap();
    for command in [
        &["hunt", "--stats", "--rules", &rules, &records][..],
        &["rules", "check", &rules],
        &["rules", "coverage", &rules],
    ] {
        let (_, out, error) = run(command);
        assert!(!out.contains('\u{1b}') && !error.contains('\u{1b}'), "{command:?}: {out}{error}");
    }
}

#[test]
fn events_that_are_ocsf_already_are_hunted_too() {
    let (rules, records) = files("ocsf");
    let (code, events, error) = run(&["normalize", &records]);
    assert_eq!(code, 0, "{error}");
    // Somebody else's event, and one that no rule is for.
    let foreign = r#"{"class_uid":1007,"activity_id":1,"time":1772446502123,"metadata":{"version":"1.3.0","product":{"name":"Acme EDR","vendor_name":"Acme"}},"device":{"hostname":"ws09","os":{"type_id":100}},"process":{"cmd_line":"vssadmin delete shadows","file":{"path":"C:\\vssadmin.exe"}}}
{"class_uid":1007,"activity_id":1,"time":1772446502123,"metadata":{"version":"1.3.0","product":{"name":"Acme EDR","vendor_name":"Acme"}},"device":{"hostname":"ws09","os":{"type_id":200}},"process":{"cmd_line":"vssadmin delete shadows","file":{"path":"C:\\vssadmin.exe"}}}
"#;
    fs::write(&records, events + foreign).unwrap();
    let (code, out, error) = run(&["hunt", "--rules", &rules, "--format", "jsonl", &records]);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("8 records, 3 rules, 3 matches") && !error.contains("unknown"), "{error}");
    let found: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<[&str; 4]> = found
        .iter()
        .map(|one| ["rule", "time", "host", "source"].map(|key| one[key].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        shown,
        [
            ["Shadow copies deleted", "2026-03-02T10:15:02.123Z", "ws01", "ocsf"],
            ["Shadow copies deleted", "2026-03-02T10:15:02.123Z", "ws09", "ocsf"],
            ["Many failed logons", "2026-03-02T10:15:06.000Z", "web01", "ocsf"],
        ]
    );
}

#[test]
fn a_rule_that_takes_too_long_is_told_and_left_out() {
    let (rules, records) = files("slow");
    // Values without order, and an expression that must keep hundreds of beginnings in mind.
    let slow = "---\ntitle: Never ends\nlogsource: {product: windows}\n\
                detection: {s: {CommandLine|re: 'x[abx]{300}y'}, condition: s}\n";
    fs::write(&rules, format!("{RULES}{slow}")).unwrap();
    let mut seed = 1_u64;
    let mut text = String::new();
    for _ in 0..60 {
        let value: String = (0..70_000)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ['a', 'b', 'x'][(seed >> 33) as usize % 3]
            })
            .collect();
        text.push_str(&format!(
            "{{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"EventID\":1,\"CommandLine\":\"{value}\"}}\n"
        ));
    }
    fs::write(&records, text + RECORDS).unwrap();
    let arguments = ["hunt", "--rules", &rules, "--jobs", "1", "--rule-budget", "1", &records];
    let (code, out, error) = run(&arguments);
    assert_eq!(code, 1, "{error}");
    assert_eq!(error.matches("error[detect.rule_suspended]: Never ends: took about").count(), 1, "{error}");
    assert!(error.contains("rules suspended because they took too long: 1"), "{error}");
    assert_eq!(out.lines().count(), 3, "the others go on: {out}");
    let page = Path::new(&records).with_extension("html").display().to_string();
    run(&[&arguments[..6], &["1", "--format", "html", "-o", &page, &records]].concat());
    assert!(fs::read_to_string(&page).unwrap().contains("ran over a part of the records only"));
}

#[test]
fn exceptions_hide_what_somebody_answers_for() {
    let (rules, records) = files("exceptions");
    let file = Path::new(&rules).with_file_name("exceptions.yml");
    let shown = file.display().to_string();
    let exception = |rule: &str, when: &str, expires: &str| {
        format!(
            "- rule: '{rule}'\n  when: {when}\n  owner: alice@example.com\n  reason: the backup\n  expires: {expires}\n"
        )
    };
    let hunt = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let arguments: Vec<&str> = ["hunt", "--rules", &rules, "--format", "jsonl", "--exceptions", &shown]
            .iter()
            .chain(more)
            .copied()
            .chain([records.as_str()])
            .collect();
        let (code, out, error) = run(&arguments);
        (code, out.lines().count(), error)
    };
    let own = exception("Shadow copies deleted", "{Computer: ws01}", "2099-01-01");
    let (_, count, error) = hunt(&own, &[]);
    assert_eq!(count, 1, "{error}");
    assert!(error.contains("(the backup; alice@example.com, until 2099-01-01) hid 1 matches"), "{error}");
    let (_, count, error) = hunt(&own, &["--preview"]);
    assert!(count == 1 && error.contains("would hide 1 matches"), "{count} {error}");
    assert_eq!(hunt(&exception("*", "{Computer: ws02}", "2099-01-01"), &[]).1, 2);
    let (_, count, error) = hunt(&exception("*", "{Computer: ws01}", "2020-01-01"), &[]);
    assert!(count == 2 && error.contains("exception.expired"), "{count} {error}");
    // A correlation is covered if all that it is made of is.
    let (_, count, error) = hunt(&exception("Many failed logons", "{src_ip: 192.0.2.7}", "2099-01-01"), &[]);
    assert!(count == 1 && error.contains("hid 1 matches"), "{count} {error}");
    let some = exception("Many failed logons", "{'|contains': 'port 50022'}", "2099-01-01");
    assert_eq!(hunt(&some, &[]).1, 2);
    for broken in [
        "- rule: x\n",
        &own.replace("owner: alice@example.com", "owner: ''"),
        &own.replace("2099-01-01", "soon"),
        &own.replace("{Computer: ws01}", "{}"),
    ] {
        let (code, count, error) = hunt(broken, &[]);
        assert!(code == 1 && count == 0 && error.contains("cannot be used"), "{code} {error}");
    }
}

#[test]
fn rules_that_cannot_be_used_are_refused_and_the_others_run() {
    let (rules, records) = files("refused");
    let broken = Path::new(&rules).with_file_name("broken.yml");
    fs::write(&broken, "title: x\nlogsource: {product: windows}\ndetection:\n  s: {A|contians: b}\n  condition: s\n")
        .unwrap();
    let folder = Path::new(&rules).parent().unwrap().display().to_string();
    let (code, out, error) = run(&["rules", "check", &folder]);
    assert!(code == 1 && out.contains("1 refused") && error.contains("is `contains` meant?"), "{code} {out} {error}");
    let (code, out, _) = run(&["rules", "check", "--json", &folder]);
    let told = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let error = told.into_iter().find(|told| told["grade"] == "error").unwrap();
    assert_eq!((code, &error["code"], &error["line"]), (1, &Value::from("sigma.modifier"), &Value::from(4)));
    let (code, out, error) = run(&["hunt", "--rules", &folder, "--format", "jsonl", &records]);
    assert!(code == 0 && out.lines().count() == 2 && error.contains("sigma.modifier"), "{code} {out} {error}");
    let (code, _, error) = run(&["hunt", "--rules", "/nonexistent", &records]);
    assert!(code == 1 && error.contains("cannot read /nonexistent"), "{code} {error}");
}

#[test]
fn nothing_hides_in_a_list() {
    let folder = scratch("lists");
    let (rules, records) = (folder.join("rules.yml"), folder.join("records.log"));
    let head = "level: high\nlogsource: {product: windows, category: process_creation}\ndetection: {s: {CommandLine|contains: needle}, condition: s}\n";
    fs::write(&rules, format!("title: Needle\n{head}")).unwrap();
    let record = |value: &str| {
        format!(
            r#"{{"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"UtcTime":"2026-03-02 10:15:02.123","CommandLine":{value}}}"#
        )
    };
    let long = format!("[{}\"needle\"]", "\"straw\",".repeat(5_000));
    let values = [
        r#""a needle""#,
        r#"["straw",{"deep":"needle"}]"#,
        r#"[null,[],["straw",[{"deep":"needle"}]]]"#,
        r#"{"deep":["needle"]}"#,
        r#"["straw",{"deep":"straw"}]"#,
        &long,
    ];
    fs::write(&records, values.map(|value| record(value) + "\n").concat()).unwrap();
    let (rules, records) = (rules.display().to_string(), records.display().to_string());
    let (code, json, error) = run(&["hunt", "--rules", &rules, "--format", "jsonl", &records]);
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap();
    assert_eq!(code, 1, "a list is too long to be looked at one by one: {error}");
    assert!(error.contains("1 records have a list of more than 4096 elements"), "{error}");
    assert_eq!(json.lines().map(line).collect::<Vec<_>>(), [1, 2, 3, 4, 6], "{error}");
}
