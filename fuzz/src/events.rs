//! Whole events: from any bytes, and out of the schema.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use watchfloor_decode::{Batch, Framed, Framer, json_into};
use watchfloor_model::{Document, NodeId, Span, Value};
use watchfloor_normalize::{Clock, Engine, Library, Options, Outcome, SourceFile};
use watchfloor_ocsf::{ClassId, Schema, Version, export, specimen, validate};

use super::formats::is_json;
use super::framing::wrappers;

/// When every record was received: 2026-01-01.
pub const RECEIVED: i64 = 1_767_225_600_000;

/// The built-in packs, read from the repository.
fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let packs = packs();
        let read = |file: PathBuf| {
            let text = std::fs::read_to_string(&file).unwrap();
            SourceFile { file: file.display().to_string(), text }
        };
        let list = |folder: &str| {
            let entries = std::fs::read_dir(packs.join(folder)).unwrap();
            let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
            found.sort();
            found
        };
        let mappings: Vec<_> = list("sources")
            .into_iter()
            .map(|kind| kind.join("mapping.wfm"))
            .filter(|file| file.is_file())
            .map(read)
            .collect();
        let names: Vec<_> = list("names").into_iter().map(read).collect();
        Library::compile(&mappings, &names).0
    })
}

fn packs() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .map(|folder| folder.join("packs"))
        .find(|packs| packs.join("sources").is_dir())
        .expect("the packs of the repository")
}

fn new_engine(raw: bool) -> Engine<'static> {
    let clock = Clock { received: RECEIVED, zone: jiff::tz::TimeZone::UTC };
    Engine::new(library(), Options { clock, raw, source: None })
}

thread_local! {
    /// Engines that have seen many records: one keeps `raw_data`, one does not.
    static USED: RefCell<[Engine<'static>; 2]> = RefCell::new([new_engine(false), new_engine(true)]);
}

/// The first byte picks what stands before the rest, and whether `raw_data` is kept.
pub fn engine(data: &[u8]) {
    const STARTS: [&str; 8] = [
        "",
        "<34>Oct 11 22:14:15 host prog[12]: ",
        "<165>1 2003-10-11T22:14:15.003Z host prog 12 - - ",
        "{\"Records\":[",
        "type=SYSCALL msg=audit(1700000000.123:45): ",
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>",
        "<134>Jan  1 00:00:00 h CEF:0|v|p|1|id|n|5|",
        "{",
    ];
    let Some((kind, body)) = data.split_first() else { return };
    let input = [STARTS[usize::from(*kind) % STARTS.len()].as_bytes(), body].concat();
    let raw = kind & 0x40 == 0;
    let used = USED.with_borrow_mut(|engines| normalized(&mut engines[usize::from(raw)], &input, raw));
    // A new engine lays every event out anew, which is slow: now and then is enough.
    if input.len() % 8 == 0 {
        assert_eq!(used, normalized(&mut new_engine(raw), &input, raw), "what came before changes the events");
    }
}

/// Normalises an input and checks every event.
pub fn normalized(engine: &mut Engine<'_>, input: &[u8], keeps_raw: bool) -> Vec<String> {
    let mut batch = Batch::default();
    let mut framer = Framer::new(wrappers());
    framer.feed(input, &mut batch);
    framer.finish(&mut batch);
    let mut events = Vec::new();
    for framed in &batch.records {
        let mut out = Vec::new();
        let raw = batch.raw(framed);
        let outcome = engine.normalize(framed, raw, &mut out);
        let out = String::from_utf8(out).expect("an event is UTF-8");
        check(engine, framed, raw, &outcome, &out, keeps_raw);
        events.push(out);
    }
    events
}

fn check(engine: &Engine<'_>, framed: &Framed, raw: &[u8], outcome: &Outcome, event: &str, keeps_raw: bool) {
    assert!(!event.contains(['\n', '\r']), "an event of several lines: {event}");
    assert!(is_json(event), "an event that is no JSON: {event}");
    let doc = document(event);
    let text = |path: &str| at(&doc, path).and_then(|id| doc.str(id));
    let hash: [u8; 32] = framed.original_sha256.unwrap_or_else(|| Sha256::digest(raw).into());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(outcome.hash, hash, "the hash of the record");
    let version = text("metadata.version").and_then(Version::of).filter(|_| outcome.native).unwrap_or(Version::V1_8);
    let problems = validate(Schema::version(version), &doc);
    assert!(problems.is_empty(), "{problems:?}\n{event}");
    for told in engine.diagnostics() {
        assert!(told.code.contains('.') && !told.message.is_empty(), "{told:?}");
    }
    if outcome.native {
        return;
    }
    assert_eq!(text("raw_data_hash.value"), Some(&hash[..]), "{event}");
    let size = at(&doc, "raw_data_size").and_then(|id| doc.node(id)).map(|node| node.value);
    assert_eq!(size, Some(Value::Int(framed.original_len as i64)), "{event}");
    let shown = String::from_utf8_lossy(raw);
    assert_eq!(text("raw_data"), keeps_raw.then_some(&*shown), "{event}");
    if outcome.pack.is_none() {
        nothing_lost(&engine.machine.doc, &doc, event);
    }
}

/// Every text and number of a record that no source recognised is in its event.
fn nothing_lost(record: &Document, event: &Document, shown: &str) {
    let there: HashSet<String> = (0..event.nodes().len() as NodeId).filter_map(|id| leaf(event, id)).collect();
    let mut next = 0;
    while let Some(node) = record.node(next) {
        let id = next;
        next = if leaf(record, id).is_some() { node.end } else { next + 1 };
        if let Some(leaf) = leaf(record, id).filter(|leaf| !leaf.is_empty()) {
            assert!(there.contains(&leaf), "{leaf:?} of the record is not in the event: {shown}");
        }
    }
}

fn leaf(doc: &Document, id: NodeId) -> Option<String> {
    match doc.node(id)?.value {
        Value::Text(span) | Value::Number(span) => Some(doc.text(span).to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(format!("{number:?}")),
        Value::Bool(_) | Value::Null | Value::List | Value::Object => None,
    }
}

fn document(text: &str) -> Document {
    let mut doc = Document::new();
    doc.start(text);
    json_into(&mut doc, Span::default(), text).expect("JSON");
    doc.seal();
    doc
}

fn at(doc: &Document, path: &str) -> Option<NodeId> {
    path.split('.').try_fold(0, |id, key| doc.child(id, key))
}

/// Any JSON; a first byte that is no brace makes an event out of the schema instead, from class and seed.
pub fn ocsf_validate_export(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = if *kind == b'{' {
        String::from_utf8_lossy(data).into_owned()
    } else {
        let schema = Schema::version(Version::ALL[usize::from(*kind) % Version::ALL.len()]);
        let mut numbers = [0; 8];
        let len = rest.len().min(8);
        numbers[..len].copy_from_slice(&rest[..len]);
        let seed = u64::from_le_bytes(numbers);
        let classes = classes(usize::from(*kind) % Version::ALL.len());
        specimen(schema, classes[(seed % classes.len() as u64) as usize], seed >> 8)
    };
    if !is_json(&text) {
        return;
    }
    let mut doc = Document::new();
    doc.start(&text);
    if json_into(&mut doc, Span::default(), &text).is_err() {
        return;
    }
    doc.seal();
    for from in Version::ALL {
        let problems = validate(Schema::version(from), &doc);
        for problem in &problems {
            assert!(!problem.message.is_empty() && !problem.path.contains('\n'), "{problem:?}");
        }
        assert!(
            *kind == b'{' || !problems.is_empty() || from.as_str() == version_of(&doc),
            "a version that the event does not have"
        );
        for to in Version::ALL {
            exported(&text, &doc, from, to, problems.is_empty());
        }
    }
}

/// The classes of a version.
fn classes(version: usize) -> &'static [ClassId] {
    static CLASSES: OnceLock<Vec<Vec<ClassId>>> = OnceLock::new();
    let all = CLASSES.get_or_init(|| {
        let of =
            |version| (0..u32::from(u16::MAX)).filter_map(|uid| Schema::version(version).class_by_uid(uid)).collect();
        Version::ALL.into_iter().map(of).collect()
    });
    &all[version]
}

fn version_of(doc: &Document) -> &str {
    at(doc, "metadata.version").and_then(|id| doc.str(id)).unwrap_or_default()
}

fn exported(text: &str, doc: &Document, from: Version, to: Version, valid: bool) {
    let (mut out, mut lost) = (String::new(), Vec::new());
    let outcome = export(Schema::version(from), Schema::version(to), doc, &mut out, &mut lost);
    let names = format!("{} to {}", from.as_str(), to.as_str());
    match outcome {
        Err(why) => {
            assert!(!valid, "{names}: {why}: {text}");
            assert!(out.is_empty() && lost.is_empty(), "{names}: something is left of what failed");
        }
        Ok(()) => {
            assert!(is_json(&out) && !out.contains('\n'), "{names}: {out}");
            if valid {
                let problems = validate(Schema::version(to), &document(&out));
                assert!(problems.is_empty(), "{names}: {problems:?}\n{text}\n{out}");
                // The name of an activity whose number is missing has no number to stand beside.
                let is_lost = lost.iter().any(|loss| loss.path != "activity_name");
                assert!(from != to || !is_lost, "{names}: {lost:?}: {text}");
            }
        }
    }
}
