//! Real recordings through the whole engine: every event must validate, and nearly every record must become a class of its own.
//!
//! The recordings are not part of the project. Where they are missing the tests say so and pass; CI has them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use watchfloor_decode::Batch;
use watchfloor_intake::{Input, read_inputs};
use watchfloor_model::{Document, Span};
use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};
use watchfloor_ocsf::{Schema, validate};

/// What became of a set.
#[derive(Debug, Default)]
struct Tally {
    events: usize,
    base: usize,
    /// Base events that no diagnostic explains.
    unexplained: usize,
    invalid: usize,
    first: Vec<String>,
}

fn recordings(part: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bench").join(part);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("skipped: no recordings at {}", folder.display());
    None
}

fn library() -> Library {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        SourceFile { file: file.display().to_string(), text }
    };
    let list = |folder: &str| {
        let mut found: Vec<PathBuf> =
            std::fs::read_dir(packs.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
        found.sort();
        found
    };
    let mappings: Vec<_> =
        list("sources").into_iter().map(|kind| kind.join("mapping.wfm")).filter(|f| f.is_file()).map(read).collect();
    let names: Vec<_> = list("names").into_iter().map(read).collect();
    let (library, faults) = Library::compile(&mappings, &names);
    assert!(faults.is_empty(), "{}", faults.iter().map(|f| f.shown.clone()).collect::<Vec<_>>().join("\n\n"));
    library
}

fn run(input: PathBuf) -> Tally {
    let library = library();
    let clock = Clock { received: 1_767_225_600_000, zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(&library, Options { clock, raw: true, source: None });
    let mut tally = Tally::default();
    let mut bytes = Vec::new();
    let mut doc = Document::new();
    let mut sink = |input: std::sync::Arc<str>, batch: Batch| {
        for framed in &batch.records {
            bytes.clear();
            let outcome = engine.normalize(framed, batch.raw(framed), &mut bytes);
            let out = std::str::from_utf8(&bytes).unwrap();
            tally.events += 1;
            let is_base = library.schema.class_info(outcome.class).uid == 0;
            tally.base += usize::from(is_base);
            tally.unexplained += usize::from(is_base && engine.diagnostics().is_empty());
            doc.start(out);
            doc.seal();
            watchfloor_decode::json_into(&mut doc, Span::default(), out).unwrap();
            let problems = validate(Schema::v1_8(), &doc);
            if !problems.is_empty() {
                tally.invalid += 1;
                if tally.first.len() < 5 {
                    tally.first.push(format!("{input}: {:?}\n{out}", problems.first()));
                }
            }
        }
        ControlFlow::Continue(())
    };
    read_inputs(&[Input::Path(input)], library.wrappers.clone().into(), 1 << 18, &mut sink, &mut |_| {});
    tally
}

/// Most base events, of ten thousand records, on a set of whole records.
fn check(tally: &Tally, least: usize, base_per_10k: usize) {
    eprintln!("{} events, {} base events, {} invalid", tally.events, tally.base, tally.invalid);
    assert_eq!(tally.invalid, 0, "{}", tally.first.join("\n\n"));
    assert_eq!(tally.unexplained, 0, "a base event without a word why");
    assert!(tally.events >= least, "only {} events", tally.events);
    assert!(
        tally.base * 10_000 <= base_per_10k * tally.events,
        "{} of {} records stayed base events",
        tally.base,
        tally.events
    );
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn event_logs_of_attacks() {
    let Some(folder) = recordings("evtx/evtx-samples.tar.xz") else { return };
    let unpacked = scratch("evtx");
    let status = Command::new("tar").arg("-xJf").arg(folder).arg("-C").arg(&unpacked).status().unwrap();
    assert!(status.success());
    check(&run(unpacked), 14_000, 50);
}

/// A chunk whose header's tables are damaged gives the same records, and says that it is damaged.
#[test]
fn an_event_log_with_damaged_tables() {
    let Some(folder) = recordings("evtx/evtx-samples.tar.xz") else { return };
    let unpacked = scratch("evtx-tables");
    let name = "YamatoSecurity/ImpairDefenses/T1562.010_DowngradeAttack_PowerShell.evtx";
    let extracted = Command::new("tar").arg("-xJf").arg(folder).arg("-C").arg(&unpacked).arg(name).status().unwrap();
    assert!(extracted.success());
    let records = |bytes: &[u8]| {
        let mut framer = watchfloor_decode::Framer::new(std::sync::Arc::default());
        let mut batch = Batch::default();
        framer.feed(bytes, &mut batch);
        framer.finish(&mut batch);
        let codes = batch.records.iter().flat_map(|record| &record.trouble).map(|trouble| trouble.code).collect();
        let texts: Vec<Vec<u8>> = batch.records.iter().map(|record| batch.raw(record).to_vec()).collect();
        (texts, codes)
    };
    let mut bytes = std::fs::read(unpacked.join(name)).unwrap();
    let (whole, codes): (_, Vec<&str>) = records(&bytes);
    assert_eq!((whole.len(), codes), (26, vec![]));
    // The first entry of the table of strings of the first chunk.
    bytes[4096 + 128..4096 + 132].fill(0xEE);
    let (damaged, codes): (_, Vec<&str>) = records(&bytes);
    assert_eq!(codes, ["evtx.chunk", "evtx.chunk"]);
    assert!(damaged == whole, "the records differ");
}

#[test]
fn recorded_windows_hosts() {
    let Some(folder) = recordings("otrf/recordings/atomic/windows") else { return };
    check(&run(folder), 500_000, 50);
}

/// Lines of `{"event": {…}, …}`: the events alone, one a line.
fn events_of(text: &str, name: &str) -> PathBuf {
    let folder = scratch(name);
    let mut lines = String::new();
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        lines.push_str(&record["event"].to_string());
        lines.push('\n');
    }
    std::fs::write(folder.join("events.jsonl"), lines).unwrap();
    folder
}

#[test]
fn cloud_attacks() {
    let Some(file) = recordings("cloud/stratus_detonations.jsonl.xz") else { return };
    let unpacked = Command::new("xz").arg("-dc").arg(file).output().unwrap();
    let folder = events_of(&String::from_utf8(unpacked.stdout).unwrap(), "stratus");
    check(&run(folder), 300, 0);
}

/// Fragments written for rule tests: many leave out what makes a record recognisable, so the share is lower here.
#[test]
fn cloud_rule_tests() {
    let Some(file) = recordings("cloud/panther-tests.jsonl.gz") else { return };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    check(&run(events_of(&text, "panther")), 3_000, 600);
}
