//! Bad input through the real binary: every kind has its exit code and coded diagnostics with place and hash, the good record behind it
//! still becomes its event, and memory stays bounded.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Stands behind what is bad, and must still become an event.
const GOOD: &str = "Mar  2 10:15:02 web01 sshd[1234]: Accepted password for alice from 192.0.2.7 port 50022 ssh2\n";
/// Most address space of the binary, in KiB: a record of 16 MiB and what is made of it, on two threads, whatever the input.
const MEMORY_KIB_MAX: u32 = 900_000;

/// What is said of records that are short, not of bad ones.
const ORDINARY: [&str; 3] = ["time.no_zone", "time.missing", "source.unknown"];

/// What a run gave.
struct Ran {
    code: i32,
    events: Vec<Value>,
    /// As it was printed: numbers have all their digits.
    text: String,
    told: Vec<Value>,
}

impl Ran {
    fn codes(&self) -> Vec<&str> {
        self.told.iter().map(|told| told["code"].as_str().unwrap()).collect()
    }

    fn told(&self, code: &str) -> &Value {
        self.told.iter().find(|told| told["code"] == code).unwrap_or_else(|| panic!("no {code} in {:?}", self.codes()))
    }

    /// The good record became its event.
    fn goes_on(&self) {
        let is_good = |event: &Value| event["class_uid"] == 3002 && event["user"]["name"] == "alice";
        assert!(self.events.iter().any(is_good), "the good record is not among {} events", self.events.len());
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad_input").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The binary with a bound on its memory.
fn binary() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY_KIB_MAX}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_watchfloor")]);
    // One heap for all threads, or the address space says nothing of what is used.
    command.env("MALLOC_ARENA_MAX", "1").args(["normalize", "--jobs", "2", "--received", "2026-03-03T00:00:00Z"]);
    command
}

fn ran(output: Output) -> Ran {
    let lines = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (text, errors) = (lines(output.stdout), lines(output.stderr));
    let json = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let events: Vec<Value> = text.lines().map(json).collect();
    let told: Vec<Value> = errors.lines().map(json).collect();
    for told in &told {
        for key in ["code", "grade", "message", "input"] {
            assert!(told[key].is_string(), "no {key} in {told}");
        }
        // What is said of a record has its place and its hash.
        if told["line"].is_number() {
            assert!(told["offset"].is_number(), "{told}");
            assert_eq!(told["sha256"].as_str().map(str::len), Some(64), "{told}");
        }
    }
    Ran { code: output.status.code().unwrap_or(-1), events, text, told }
}

fn run(inputs: &[&Path]) -> Ran {
    ran(binary().args(inputs).output().unwrap())
}

/// One file of these bytes with the good record behind them: its exit code and what is said, with the place of the record it is said of.
fn check(name: &str, bytes: &[u8], code: i32, expected: &[(&str, Option<u64>)]) -> Ran {
    let file = scratch(name).join("input");
    fs::write(&file, [bytes, GOOD.as_bytes()].concat()).unwrap();
    let ran = run(&[&file]);
    let found: Vec<(&str, Option<u64>)> = ran
        .told
        .iter()
        .filter(|told| !ORDINARY.iter().any(|code| told["code"] == *code))
        .map(|told| (told["code"].as_str().unwrap(), told["offset"].as_u64()))
        .collect();
    assert_eq!(found, expected, "{name}: {:?}", ran.told);
    assert_eq!(ran.code, code, "{name}: {:?}", ran.told);
    ran.goes_on();
    ran
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn bytes_that_are_no_text() {
    let ran = check("utf8", b"first\nbad \xFF\xFE byte\n", 0, &[("text.invalid_utf8", Some(6))]);
    assert_eq!(ran.told("text.invalid_utf8")["sha256"], hash(b"bad \xFF\xFE byte"));
    assert!(ran.text.contains("YmFkIP/+IGJ5dGU="), "the bytes are kept");
    let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x9F;
    let garbage: Vec<u8> = [1, 2, 3, 4].into_iter().chain((0..20_476).map(noise)).collect();
    // What is behind is found in the next piece of 4 KiB that looks like text.
    let ran = check("garbage", &[&garbage[..], &[b'\n'; 8192]].concat(), 1, &[("record.binary", Some(0))]);
    assert_eq!(ran.told("record.binary")["sha256"], hash(&garbage));
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let file = scratch("utf16").join("input");
    fs::write(&file, [&[0xFF, 0xFE][..], &wide("{\"a\":\"\u{e9}\"}\r\n"), &wide(GOOD)].concat()).unwrap();
    let ran = run(&[&file]);
    assert_eq!((ran.code, ran.told("text.utf16")["grade"].as_str()), (0, Some("note")));
    assert!(ran.text.contains('\u{e9}'));
    ran.goes_on();
}

#[test]
fn json_that_is_none() {
    check("nan", b"{\"n\":NaN}\n", 1, &[("json.syntax", Some(0))]);
    check("cut", b"{\"n\":[1,2\n", 1, &[("json.syntax", Some(0))]);
    check("deep", format!("{}\n", "{\"a\":".repeat(100_000)).as_bytes(), 1, &[("record.too_deep", Some(0))]);
    let ran = check("twice", b"{\"a\":1,\"a\":2}\n", 0, &[("json.duplicate_key", Some(0))]);
    assert!(ran.text.contains(r#""a":1,"a#2":2"#), "{}", ran.text);
    let numbers = "{\"n\":123456789012345678901234567890,\"m\":18446744073709551616,\"f\":0.12345678901234567890123,\"i\":1e999}\n";
    let ran = check("numbers", numbers.as_bytes(), 0, &[]);
    for digits in ["123456789012345678901234567890", "18446744073709551616", "0.12345678901234567890123", "1e999"] {
        assert_eq!(ran.text.matches(digits).count(), 2, "{digits} in raw_data and in unmapped: {}", ran.text);
    }
}

#[test]
fn a_line_of_100_megabytes() {
    let file = scratch("long").join("input");
    let mut writer = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    let mut digest = Sha256::new();
    for _ in 0..100 {
        let piece = vec![b'x'; 1_000_000];
        digest.update(&piece);
        writer.write_all(&piece).unwrap();
    }
    writer.write_all(b"\n").and_then(|()| writer.write_all(GOOD.as_bytes())).unwrap();
    drop(writer);
    let ran = run(&[&file]);
    assert_eq!(ran.code, 1);
    let told = ran.told("record.oversize");
    let hash: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (told["offset"].as_u64(), told["line"].as_u64(), told["sha256"].as_str()),
        (Some(0), Some(1), Some(&hash[..]))
    );
    assert_eq!(ran.events[0]["raw_data_size"], 100_000_000);
    ran.goes_on();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file of these bytes, and a good one behind it: what is said of inputs has no line.
fn check_file(name: &str, bytes: &[u8], code: i32, expected: &[&str]) -> Ran {
    let folder = scratch(name);
    fs::write(folder.join("a"), bytes).unwrap();
    fs::write(folder.join("b"), GOOD).unwrap();
    let ran = run(&[&folder]);
    let found: Vec<&str> = ran.codes().into_iter().filter(|code| !ORDINARY.contains(code)).collect();
    assert_eq!(found, expected, "{name}");
    assert_eq!(ran.code, code, "{name}");
    ran.goes_on();
    ran
}

#[test]
fn archives_that_are_bad() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        encoder.write_all(&[b'\n'; 1 << 20]).unwrap();
    }
    check_file("bomb", &encoder.finish().unwrap(), 1, &["archive.bomb"]);
    let lines: String = (0..10_000).map(|at| format!("{{\"line\":{at}}}\n")).collect();
    let packed = gzip(lines.as_bytes());
    let ran = check_file("truncated", &packed[..packed.len() / 2], 1, &["archive.truncated", "json.syntax"]);
    assert!(ran.events.len() > 1_000, "what came before is read");
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("../../slipped", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(GOOD.as_bytes()).unwrap();
    let ran = check_file("slip", &writer.finish().unwrap().into_inner(), 0, &["archive.member_name"]);
    assert!(!Path::new(env!("CARGO_TARGET_TMPDIR")).join("slipped").exists());
    assert_eq!(ran.events.len(), 2, "the member is read, whatever its name");
}

#[test]
fn files_that_are_no_logs() {
    for (name, bytes, what) in [
        ("pcap", &b"\xD4\xC3\xB2\xA1\x02\0\x04\0"[..], "packet capture"),
        ("elf", b"\x7FELF\x02\x01\x01\0", "ELF"),
        ("pdf", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "PDF"),
        ("png", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "PNG"),
        ("xz", b"\xFD7zXZ\0\0\x04", "xz"),
        ("7z", b"7z\xBC\xAF\x27\x1C\0\x04", "7z"),
    ] {
        let bytes = [bytes, &[0x80; 100_000]].concat();
        let ran = check_file(name, &bytes, 1, &["input.not_a_log"]);
        assert!(ran.told("input.not_a_log")["message"].as_str().unwrap().contains(what));
        assert_eq!(ran.events.len(), 1);
    }
    check_file("empty", b"", 0, &["input.empty"]);
    check_file("evtx", b"ElfFile\0cut", 1, &["evtx.truncated"]);
}

#[test]
fn clocks_that_are_absurd() {
    let record = |time: &str| {
        format!(
            "{{\"eventVersion\":\"1.08\",\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\",\"awsRegion\":\"us-east-1\",\
             \"eventID\":\"1\",\"eventTime\":{time},\"sourceIPAddress\":\"192.0.2.1\",\"userIdentity\":{{\"type\":\"IAMUser\",\"userName\":\"a\"}}}}\n"
        )
    };
    for (name, time, code) in [
        ("future", "\"2999-01-01T00:00:00Z\"", "time.absurd"),
        ("past", "\"1601-01-01T00:00:00Z\"", "time.absurd"),
        ("zero", "\"1970-01-01T00:00:00Z\"", "time.absurd"),
        ("words", "\"the day before\"", "time.unreadable"),
        ("month", "\"2024-13-41T25:61:61Z\"", "time.unreadable"),
        ("huge", "99999999999999999999999999", "time.unreadable"),
    ] {
        let ran = check(name, record(time).as_bytes(), 0, &[(code, Some(0))]);
        let label = code.replace('.', ":");
        assert_eq!(ran.events[0]["metadata"]["labels"][0], label, "{name}");
        assert_eq!(ran.events[0]["time"], 1_772_496_000_000_i64, "its receipt time stands in: {name}");
    }
}

#[test]
fn inputs_that_cannot_be_read() {
    let folder = scratch("unreadable");
    let good = folder.join("good");
    fs::write(&good, GOOD).unwrap();
    for (name, code) in [("missing", "input.missing"), ("/proc/self/mem", "input.unreadable")] {
        let ran = run(&[&folder.join(name), &good]);
        assert_eq!((ran.code, ran.told(code)["grade"].as_str()), (1, Some("error")), "{name}");
        assert!(ran.told(code)["input"].as_str().unwrap().ends_with(name));
        ran.goes_on();
    }
    let folder = scratch("loop");
    fs::create_dir(folder.join("deep")).unwrap();
    fs::write(folder.join("z.log"), GOOD).unwrap();
    std::os::unix::fs::symlink(&folder, folder.join("deep/up")).unwrap();
    std::os::unix::fs::symlink(folder.join("itself"), folder.join("itself")).unwrap();
    let ran = run(&[&folder]);
    assert_eq!(ran.code, 1, "a link to itself cannot be read");
    assert_eq!(ran.events.len(), 1);
    assert!(ran.told("input.symlink_loop")["input"].as_str().unwrap().ends_with("deep/up"));
    assert!(ran.told("input.unreadable")["input"].as_str().unwrap().ends_with("itself"));
    ran.goes_on();
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let folder = scratch("changes");
    let file = folder.join("growing.log");
    fs::write(&file, GOOD.repeat(200_000)).unwrap();
    let mut child = binary().arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Once there is output the file is open, and the pipe is full long before its end.
    let mut first = [0; 1];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(GOOD.as_bytes()).unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stdout.insert(0, first[0]);
    let ran = ran(output);
    assert_eq!(ran.told("input.changed")["grade"], "warning");
    assert_eq!(ran.code, 0);
    ran.goes_on();
}

#[test]
fn a_folder_without_packs() {
    let folder = scratch("packs").join("acme.door");
    fs::create_dir_all(&folder).unwrap();
    let told = |folder: &Path| {
        let output = binary().arg("--packs").arg(folder).arg("/dev/null").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = told(&folder);
    assert!(code == Some(1) && error.contains("no packs in"), "{code:?} {error}");
    fs::write(folder.join("mapping.wfm"), "").unwrap();
    let (code, error) = told(&folder);
    assert!(code == Some(1) && error.contains("name the folder that holds it"), "{code:?} {error}");
}
