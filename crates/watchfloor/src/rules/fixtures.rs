//! `watchfloor rules test`: a rule's own records, those that must match and those that must not.
//!
//! The fixtures of `name.yml` stand in `name.test.yml`: lists `match` and `pass`. An entry has `record` (a map, which becomes a line of JSON) or
//! `line` (text as it is), or several that belong together: `records`, `lines`. `source` names their kind if it cannot be seen.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use watchfloor_decode::{Batch, Framer};
use watchfloor_detect::{Detection, Reader, RuleId, Settings};
use watchfloor_normalize::json::write_str;
use watchfloor_normalize::{Clock, Engine, Library, Options};
use watchfloor_sigma::yaml::{self, Node, Value};
use watchfloor_sigma::{Document, Meta, Options as RuleOptions};

use super::load::{placeholders, rules, taxonomy};
use crate::Ended;

/// Receipt time of fixtures.
const RECEIVED: i64 = 1_795_000_000_000;

/// An entry of a fixture file.
struct Fixture {
    text: String,
    kind: Option<String>,
    /// The rule that is meant, if not any of the file.
    rule: Option<String>,
    line: u32,
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let mut paths = Vec::new();
    let (mut packs, mut options) = (None, RuleOptions::default());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                crate::terminal::print(crate::help::RULES)?;
                return Ok(Ended::Fine);
            }
            Long("packs") => packs = Some(PathBuf::from(parser.value()?)),
            Long("placeholders") => options.placeholders = placeholders(&PathBuf::from(parser.value()?))?,
            Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    anyhow::ensure!(!paths.is_empty(), crate::Usage("`watchfloor rules test` takes files or folders of rules".into()));
    let (library, _) = crate::packs::library(packs.as_deref())?;
    let loaded = rules(&paths, &options)?;
    loaded.tell(false);
    let mut tally = Tally { failed: loaded.refused, ..Tally::default() };
    for (number, file) in loaded.files.iter().enumerate() {
        let fixtures = Path::new(&file.path).with_extension("test.yml");
        let documents: Vec<Document> = loaded
            .documents
            .iter()
            .zip(&loaded.from)
            .filter(|(_, from)| **from == number)
            .map(|(document, _)| document.clone())
            .collect();
        if documents.is_empty() {
            continue;
        }
        if !fixtures.exists() {
            tally.without += 1;
            continue;
        }
        test(&library, &documents, &fixtures, &mut tally)?;
    }
    crate::terminal::print(&format!(
        "{} rule files tested: {} records match, {} pass; {} failures; {} files without fixtures\n",
        tally.files, tally.matched, tally.passed, tally.failed, tally.without
    ))?;
    Ok(if tally.failed > 0 { Ended::Findings } else { Ended::Fine })
}

#[derive(Default)]
struct Tally {
    files: usize,
    matched: usize,
    passed: usize,
    failed: usize,
    without: usize,
}

fn test(library: &Library, documents: &[Document], file: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let (parsed, findings) = yaml::documents(&text);
    for finding in &findings {
        crate::terminal::say(&finding.render(&shown, &text));
    }
    tally.failed += findings.len();
    tally.files += 1;
    let detection = Arc::new(Detection::new(library, documents, taxonomy(), None)?);
    for (key, is_match) in [("match", true), ("pass", false)] {
        let entries = parsed.first().and_then(|document| document.get(key)).map(Node::items).unwrap_or_default();
        if entries.is_empty() {
            crate::terminal::say(&format!("{shown}: there is nothing under `{key}`\n"));
            tally.failed += 1;
        }
        for entry in entries {
            let fixture = match fixture(entry, library, documents) {
                Ok(fixture) => fixture,
                Err(why) => {
                    crate::terminal::say(&format!("{shown}:{}: {why}\n", entry.place.line));
                    tally.failed += 1;
                    continue;
                }
            };
            let Tried { found, asked, kinds } = matches(library, &detection, &fixture);
            if !is_match && !asked {
                crate::terminal::say(&format!(
                    "{shown}:{}: no rule of the file looks at such records, so this proves nothing (source: {kinds})\n",
                    fixture.line
                ));
                tally.failed += 1;
            } else if found == is_match {
                *(if is_match { &mut tally.matched } else { &mut tally.passed }) += 1;
            } else {
                let what = if is_match { "no rule matches" } else { "a rule matches" };
                crate::terminal::say(&format!("{shown}:{}: {what} (source: {kinds})\n", fixture.line));
                tally.failed += 1;
            }
        }
    }
    Ok(())
}

/// Reads an entry; what means nothing is told.
fn fixture(entry: &Node, library: &Library, documents: &[Document]) -> Result<Fixture, String> {
    let mut text = String::new();
    let (mut kind, mut rule) = (None, None);
    for (key, value) in entry.entries() {
        match key.text.as_str() {
            "record" => json_line(value, &mut text),
            "records" => value.items().iter().for_each(|record| json_line(record, &mut text)),
            "line" | "lines" => {
                for line in value.items() {
                    let line = line.text().ok_or_else(|| format!("a line is a text, not {}", line.kind()))?;
                    text.push_str(&line);
                    text.push('\n');
                }
            }
            "source" => {
                kind = value.text();
                if kind.as_ref().is_none_or(|kind| library.kind(kind).is_none()) {
                    return Err(format!("there is no source `{}`", kind.unwrap_or_default()));
                }
            }
            "rule" => {
                let named = value.text().unwrap_or_default();
                if !documents.iter().any(|document| is_called(document.meta(), &named)) {
                    return Err(format!("there is no rule `{named}` in the file"));
                }
                rule = Some(named);
            }
            other => {
                let message = "an entry has record, records, line or lines, and may have source and rule";
                return Err(format!("`{other}` is nothing here: {message}"));
            }
        }
    }
    if text.is_empty() {
        return Err("an entry has `record`, `line`, `records` or `lines`".to_owned());
    }
    Ok(Fixture { text, kind, rule, line: entry.place.line })
}

fn is_called(meta: &Meta, name: &str) -> bool {
    meta.key() == name || meta.name.as_deref() == Some(name) || meta.title == name
}

fn json_line(record: &Node, out: &mut String) {
    json(record, out);
    out.push('\n');
}

fn json(node: &Node, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(number, _) => out.push_str(&number.to_string()),
        Value::Float(number, _) => out.push_str(&number.to_string()),
        Value::Text(text) => write_str(out, text),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                json(item, out);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_str(out, &key.text);
                out.push(':');
                json(value, out);
            }
            out.push('}');
        }
    }
}

/// What came of a fixture's records.
struct Tried {
    /// A rule matches one of them.
    found: bool,
    /// A rule is for one of them.
    asked: bool,
    /// What they were recognised as.
    kinds: String,
}

fn matches(library: &Library, detection: &Arc<Detection>, fixture: &Fixture) -> Tried {
    let mut framer = Framer::new(library.wrappers.clone().into());
    let mut batch = Batch::default();
    framer.feed(fixture.text.as_bytes(), &mut batch);
    framer.finish(&mut batch);
    let clock = Clock { received: RECEIVED, zone: jiff::tz::TimeZone::UTC };
    let source = fixture.kind.as_deref().and_then(|kind| library.kind(kind));
    let mut engine = Engine::new(library, Options { clock, raw: true, source });
    let mut reader = Reader::new(Arc::clone(detection));
    // Records of a fixture are few: all of them may wait for each other.
    let settings = Settings { lateness: i64::MAX / 2, ..Settings::default() };
    let (mut correlator, _) = crate::detection::correlator(&detection.set, settings);
    let looked_at = correlator.fields();
    // A rule that the fixture names may be one that is not told by itself.
    let told = |id: RuleId| {
        let rule = detection.set.rules.get(id.0 as usize);
        rule.is_some_and(|rule| fixture.rule.as_ref().map_or(!rule.silent, |name| is_called(&rule.meta, name)))
    };
    let (mut found, mut asked, mut kinds, mut correlated) = (false, false, Vec::new(), Vec::new());
    for (id, framed) in batch.records.iter().enumerate() {
        let outcome = engine.examine(framed, batch.raw(framed));
        let kind = outcome.pack.and_then(|pack| library.pack(pack)).map_or("unknown", |pack| pack.kind.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        let matched = reader.read(&mut engine, &outcome).to_vec();
        let source = reader.source(&engine.machine.doc, &outcome);
        asked |= reader.engine.is_asked(source);
        engine.map();
        let time = engine.machine.event_time();
        for rule in matched {
            found |= told(rule);
            if let Some(time) = time.filter(|_| correlator.looks_at(rule)) {
                let hit = reader.hit(rule, time, id as u64, &looked_at, &engine.machine.doc);
                correlator.handle(hit, &mut correlated);
            }
        }
    }
    correlator.finish(&mut correlated);
    found |= correlated.iter().any(|one| told(one.rule));
    Tried { found, asked, kinds: kinds.join(", ") }
}
