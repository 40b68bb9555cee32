//! Fault injection: clean streams made here, one fault at a time, and exactly the alarms that name it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failing test may stop anywhere"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use watchfloor_decode::{Batch, Framer};
use watchfloor_normalize::quality::{Alarm, Figures, Observer, Quality, Report, baseline, judge};
use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};

/// 2026-03-02T08:00:00Z, a Monday.
const START: i64 = 1_772_438_400_000;
const RECORDS: usize = 600;
const HOUR: i64 = 3_600_000;

/// A record on its way: when it happened, when it was received, and its text.
#[derive(Clone)]
struct Record {
    time: i64,
    received: i64,
    text: String,
}

/// One source's stream.
#[derive(Clone)]
struct Stream {
    source: &'static str,
    records: Vec<Record>,
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

fn stamp(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).unwrap().to_string()
}

const PEOPLE: &[&str] = &["amira", "kim", "jlindqvist", "mara.okafor", "svc-backup"];

fn security(number: usize, time: i64, dice: &mut Dice) -> Value {
    let user = dice.pick(PEOPLE);
    let (id, data) = match dice.roll(10) {
        0..4 => (
            4624,
            json!({
            "SubjectUserSid": "S-1-0-0", "TargetUserSid": "S-1-5-21-31-31-31-1107", "TargetUserName": user, "TargetDomainName": "CORP",
            "TargetLogonId": format!("0x{:x}", dice.roll(1 << 30)), "LogonType": 3, "LogonProcessName": "NtLmSsp ",
            "AuthenticationPackageName": "NTLM", "KeyLength": 128, "IpAddress": format!("198.51.100.{}", dice.roll(250)), "IpPort": "52211"}),
        ),
        4..6 => (
            4634,
            json!({
            "TargetUserSid": "S-1-5-21-31-31-31-1107", "TargetUserName": user, "TargetDomainName": "CORP",
            "TargetLogonId": format!("0x{:x}", dice.roll(1 << 30)), "LogonType": 3}),
        ),
        _ => (
            4688,
            json!({
            "SubjectUserSid": "S-1-5-21-31-31-31-1107", "SubjectUserName": user, "SubjectDomainName": "CORP",
            "SubjectLogonId": format!("0x{:x}", dice.roll(1 << 30)), "NewProcessId": format!("0x{:x}", dice.roll(30_000)),
            "NewProcessName": format!("C:\\Windows\\System32\\{}.exe", dice.pick(&["cmd", "whoami", "svchost"])),
            "ProcessId": "0x10d8", "ParentProcessName": "C:\\Windows\\explorer.exe", "CommandLine": "whoami /all", "TokenElevationType": "%%1936"}),
        ),
    };
    json!({
        "@timestamp": stamp(time),
        "event": {"code": id.to_string(), "created": stamp(time + 500 + dice.roll(1_500) as i64), "outcome": "success", "kind": "event"},
        "host": {"name": "WS-014"}, "agent": {"type": "winlogbeat", "version": "8.12.2"},
        "winlog": {
            "channel": "Security", "provider_name": "Microsoft-Windows-Security-Auditing", "event_id": id.to_string(),
            "record_id": 41_000 + number, "computer_name": "WS-014.corp.example.com", "keywords": ["Audit Success"], "event_data": data,
        }
    })
}

fn trail(time: i64, dice: &mut Dice) -> Value {
    let user = dice.pick(PEOPLE);
    let (service, name, parameters) = match dice.roll(3) {
        0 => ("s3.amazonaws.com", "PutObject", json!({"bucketName": "example-drop", "key": "a.txt"})),
        1 => ("ec2.amazonaws.com", "RunInstances", json!({"instanceType": "t3.micro", "minCount": 1})),
        _ => ("kms.amazonaws.com", "Decrypt", json!({"keyId": "alias/backup"})),
    };
    json!({
        "eventVersion": "1.10",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDACKCEVSQ6C2EXAMPLE", "accountId": "111122223333", "userName": user,
            "arn": format!("arn:aws:iam::111122223333:user/{user}"), "accessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        "eventTime": stamp(time), "eventSource": service, "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": format!("203.0.113.{}", dice.roll(250)), "userAgent": "aws-cli/2.17.9", "requestParameters": parameters,
        "responseElements": null, "requestID": format!("{:016x}", dice.roll(1 << 31)), "eventID": format!("{:016x}-{}", dice.roll(1 << 31), time),
        "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333", "eventCategory": "Management",
    })
}

fn login(time: i64, dice: &mut Dice) -> String {
    let (user, ip, port) = (dice.pick(PEOPLE), format!("198.51.100.{}", dice.roll(250)), 1_024 + dice.roll(60_000));
    let text = match dice.roll(3) {
        0 => format!("Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 SHA256:Qm9uZGUgYXV0aCB0ZXN0"),
        1 => format!("Failed password for {user} from {ip} port {port} ssh2"),
        _ => format!("Disconnected from user {user} {ip} port {port}"),
    };
    format!("{} web-01 sshd[{}]: {text}", stamp(time), 1_000 + dice.roll(30_000))
}

/// Three sources, five hours, live: each record is received a moment after it happened.
fn clean(seed: u64) -> Vec<Stream> {
    let mut dice = Dice(seed);
    let mut stream = |source: &'static str, delay: i64| {
        let mut records = Vec::new();
        let mut time = START;
        for number in 0..RECORDS {
            time += 10_000 + dice.roll(40_000) as i64;
            let text = match source {
                "windows.security" => security(number, time, &mut dice).to_string(),
                "aws.cloudtrail" => trail(time, &mut dice).to_string(),
                _ => login(time, &mut dice),
            };
            let received = time + delay + dice.roll(delay as u64 / 2) as i64;
            records.push(Record { time, received, text });
        }
        Stream { source, records }
    };
    vec![stream("windows.security", 900), stream("aws.cloudtrail", 240_000), stream("linux.sshd", 600)]
}

fn library() -> Library {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let read =
        |path: PathBuf| SourceFile { file: path.display().to_string(), text: std::fs::read_to_string(path).unwrap() };
    let kinds = ["windows.security", "windows.event", "aws.cloudtrail", "linux.sshd", "linux.syslog"];
    let mappings: Vec<_> = kinds.map(|kind| read(packs.join("sources").join(kind).join("mapping.wfm"))).into();
    let mut names: Vec<_> =
        std::fs::read_dir(packs.join("names")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let names: Vec<_> =
        names.into_iter().filter(|path| path.extension().is_some_and(|e| e == "wfn")).map(read).collect();
    let (library, faults) = Library::compile(&mappings, &names);
    assert!(faults.is_empty(), "{faults:?}");
    library
}

fn figures(library: &Library, streams: &[Stream]) -> Figures {
    let clock = Clock { received: START, zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(library, Options { clock, raw: false, source: None });
    let mut observer = Observer::new(library);
    let mut quality = Quality::new(library);
    for stream in streams {
        quality.begin_input(&Arc::from(stream.source));
        let mut framer = Framer::new(library.wrappers.clone().into());
        let mut batch = Batch::default();
        for record in &stream.records {
            framer.feed(format!("{}\n", record.text).as_bytes(), &mut batch);
            if !batch.records.is_empty() {
                engine.received(record.received);
                add_all(&mut engine, &mut observer, &mut quality, &mut batch);
            }
        }
        framer.finish(&mut batch);
        add_all(&mut engine, &mut observer, &mut quality, &mut batch);
    }
    quality.figures()
}

fn add_all<'l>(engine: &mut Engine<'l>, observer: &mut Observer<'l>, quality: &mut Quality<'l>, batch: &mut Batch) {
    for framed in &batch.records {
        let mut out = Vec::new();
        let outcome = engine.normalize(framed, batch.raw(framed), &mut out);
        quality.add(&observer.observe(engine, &outcome));
    }
    batch.clear();
}

/// Changes each record of a stream as JSON.
fn each(stream: &mut Stream, change: impl Fn(&mut Value)) {
    for record in &mut stream.records {
        let mut value: Value = serde_json::from_str(&record.text).unwrap();
        change(&mut value);
        record.text = value.to_string();
    }
}

fn rename(value: &mut Value, object: &str, from: &str, to: &str) {
    if let Some(object) = value.pointer_mut(object).and_then(Value::as_object_mut)
        && let Some(field) = object.remove(from)
    {
        object.insert(to.to_owned(), field);
    }
}

fn remove(value: &mut Value, object: &str, name: &str) {
    value.pointer_mut(object).and_then(Value::as_object_mut).map(|object| object.remove(name));
}

fn set(value: &mut Value, at: &str, change: impl Fn(&Value) -> Value) {
    if let Some(field) = value.pointer_mut(at) {
        *field = change(field);
    }
}

/// Moves the clock that writes the events; observers and receipts stay right.
fn shift(stream: &mut Stream, by: i64) {
    for record in &mut stream.records {
        let (before, after) = (stamp(record.time), stamp(record.time + by));
        record.text = record.text.replacen(&before, &after, 1);
    }
}

fn every(stream: &mut Stream, nth: usize, change: impl Fn(&mut String)) {
    stream.records.iter_mut().skip(nth - 1).step_by(nth).for_each(|record| change(&mut record.text));
}

fn repeat(stream: &mut Stream, nth: usize) {
    let copies = stream
        .records
        .iter()
        .enumerate()
        .flat_map(|(at, record)| vec![record.clone(); if at % nth == 0 { 2 } else { 1 }]);
    stream.records = copies.collect();
}

/// Batches overtake each other.
fn reorder(stream: &mut Stream) {
    stream.records.chunks_mut(10).for_each(|chunk| chunk.reverse());
}

/// Puts a line that means nothing before a record, each time another one.
fn garbage(text: &mut String) {
    let odd = text.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    text.insert_str(0, &format!("\u{1}%&!! {odd:x} ~~\n"));
}

type Fault = fn(&mut Stream);

/// A fault, the source it is made in, and the alarms it must raise.
const FAULTS: &[(&str, &str, Fault, &[&str])] = &[
    (
        "rename",
        "windows.security",
        |s| each(s, |v| rename(v, "/winlog/event_data", "IpAddress", "SourceIp")),
        &["field_gone", "field_new", "fill_drop"],
    ),
    (
        "rename",
        "aws.cloudtrail",
        |s| each(s, |v| rename(v, "", "sourceIPAddress", "sourceAddress")),
        &["field_gone", "field_new", "fill_drop"],
    ),
    (
        "drop",
        "windows.security",
        |s| each(s, |v| remove(v, "/winlog/event_data", "CommandLine")),
        &["field_gone", "fill_drop"],
    ),
    (
        "drop the user",
        "windows.security",
        |s| each(s, |v| remove(v, "/winlog/event_data", "TargetUserName")),
        &["field_gone", "fill_drop"],
    ),
    ("drop", "aws.cloudtrail", |s| each(s, |v| remove(v, "", "awsRegion")), &["field_gone", "fill_drop"]),
    (
        "drop the time",
        "aws.cloudtrail",
        |s| each(s, |v| remove(v, "", "eventTime")),
        &["field_gone", "fill_drop", "time_missing"],
    ),
    (
        "number to text",
        "windows.security",
        |s| each(s, |v| set(v, "/winlog/event_data/KeyLength", |n| n.to_string().into())),
        &["type_changed"],
    ),
    (
        "number to object",
        "windows.security",
        |s| each(s, |v| set(v, "/winlog/event_data/LogonType", |n| json!({"value": n}))),
        &["fill_drop", "type_changed", "unknown_rise"],
    ),
    (
        "text to object",
        "aws.cloudtrail",
        |s| each(s, |v| set(v, "/sourceIPAddress", |n| json!({"v4": n}))),
        &["fill_drop", "type_changed"],
    ),
    ("clock by hours", "windows.security", |s| shift(s, -2 * HOUR), &["clock_shift"]),
    ("clock by hours", "linux.sshd", |s| shift(s, HOUR), &["clock_shift"]),
    ("clock by hours", "aws.cloudtrail", |s| shift(s, -5 * HOUR), &["clock_shift"]),
    ("clock by minutes", "windows.security", |s| shift(s, 7 * 60_000), &["clock_skew"]),
    ("clock by minutes", "linux.sshd", |s| shift(s, -11 * 60_000), &["clock_skew"]),
    ("stop", "windows.security", |s| s.records.truncate(RECORDS / 2), &["silence"]),
    ("stop", "aws.cloudtrail", |s| s.records.truncate(RECORDS / 2), &["silence"]),
    ("stop", "linux.sshd", |s| s.records.truncate(RECORDS / 2), &["silence"]),
    ("never start", "linux.sshd", |s| s.records.clear(), &["silence"]),
    ("pause", "aws.cloudtrail", |s| drop(s.records.drain(200..400)), &["silence"]),
    ("duplicate", "windows.security", |s| repeat(s, 5), &["duplicates"]),
    ("duplicate", "linux.sshd", |s| repeat(s, 5), &["duplicates"]),
    ("truncate", "aws.cloudtrail", |s| every(s, 20, |text| text.truncate(300)), &["truncated"]),
    ("lose", "windows.security", |s| drop(s.records.drain(300..310)), &["sequence_gap"]),
    ("lose one", "windows.security", |s| drop(s.records.remove(300)), &["sequence_gap"]),
    ("reorder", "linux.sshd", reorder, &["disorder"]),
    ("reorder", "windows.security", reorder, &["disorder"]),
    (
        "a key twice",
        "aws.cloudtrail",
        |s| every(s, 10, |text| *text = text.replacen('{', "{\"awsRegion\":\"us-east-1\",", 1)),
        &["duplicate_keys"],
    ),
    ("garbage", "aws.cloudtrail", |s| every(s, 30, garbage), &["parse_failures"]),
    (
        "other words",
        "linux.sshd",
        |s| every(s, 1, |text| *text = text.replace(" for ", " voor ").replace("Disconnected", "Verbroken")),
        &["class_gone"],
    ),
];

fn codes(alarms: &[Alarm]) -> Vec<&str> {
    let mut codes: Vec<&str> = alarms.iter().map(|alarm| alarm.code.trim_start_matches("quality.")).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn each_fault_raises_its_alarms_and_no_others() {
    let library = library();
    let usual = figures(&library, &clean(1));
    let mut wrong = Vec::new();
    for (fault, source, inject, expected) in FAULTS {
        let mut streams = clean(2);
        inject(streams.iter_mut().find(|stream| stream.source == *source).unwrap());
        let alarms = judge(&figures(&library, &streams), Some(&usual));
        if codes(&alarms) != *expected || alarms.iter().any(|alarm| alarm.source != *source) {
            wrong.push(format!("{fault} in {source}: expected {expected:?}, found {alarms:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn clean_streams_raise_none() {
    let library = library();
    let usual = figures(&library, &clean(1));
    assert_eq!(judge(&usual, None), [], "without a baseline");
    assert_eq!(judge(&usual, Some(&usual)), [], "against itself");
    for seed in 2..8 {
        assert_eq!(judge(&figures(&library, &clean(seed)), Some(&usual)), [], "seed {seed}");
    }
}

#[test]
fn some_faults_are_seen_without_a_baseline() {
    let library = library();
    let alone = [
        "stop in windows.security",
        "stop in aws.cloudtrail",
        "pause",
        "duplicate",
        "truncate",
        "lose",
        "lose one",
        "a key twice",
        "garbage",
        "clock by hours in windows.security",
    ];
    for (fault, source, inject, expected) in FAULTS {
        if !alone.iter().any(|name| *name == *fault || *name == format!("{fault} in {source}")) {
            continue;
        }
        let mut streams = clean(3);
        inject(streams.iter_mut().find(|stream| stream.source == *source).unwrap());
        let alarms = judge(&figures(&library, &streams), None);
        assert_eq!(codes(&alarms), *expected, "{fault} in {source}: {alarms:#?}");
    }
}

#[test]
fn figures_come_back_from_their_json() {
    let library = library();
    let usual = figures(&library, &clean(1));
    let read = baseline::read(&usual.json()).unwrap();
    let mut streams = clean(2);
    reorder(&mut streams[0]);
    each(&mut streams[1], |value| remove(value, "", "awsRegion"));
    let now = figures(&library, &streams);
    assert_eq!(judge(&now, Some(&read)), judge(&now, Some(&usual)));
    assert_eq!(judge(&usual, Some(&read)), []);
    let report = Report { alarms: judge(&now, Some(&read)), figures: now };
    let value: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(value["quality"], 1);
    assert_eq!(value["alarms"][0]["alarm"], "quality.field_gone");
    assert_eq!(value["sources"][0]["source"], "aws.cloudtrail");
    assert!(report.table().contains("\nquality.disorder  windows.security\n"), "{}", report.table());
    for (text, problem) in
        [("{", "not JSON"), ("{\"a\":1}", "not what `--quality=json` prints"), ("{\"quality\":2}", "version 2")]
    {
        assert!(baseline::read(text).unwrap_err().to_string().contains(problem), "{text}");
    }
}
