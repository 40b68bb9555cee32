//! What an event costs as a flat list beside a tree of maps: making it, and reading six attributes of it.
//!
//! `cargo run --release -p watchfloor-normalize --example event_form -- MAPPING NAMES FILE` (one mapping, one names file, JSON lines)

#![allow(clippy::disallowed_methods, reason = "a measurement reads files and the clock")]

use std::collections::BTreeMap;
use std::time::Instant;

use watchfloor_decode::{Batch, Framer};
use watchfloor_normalize::event::Val;
use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};

/// A tree of boxed maps, as most tools hold an event.
enum Tree {
    Leaf(String),
    Node(BTreeMap<String, Tree>),
}

const READ: [&str; 6] = [
    "process.name",
    "process.cmd_line",
    "actor.process.file.path",
    "device.hostname",
    "user.name",
    "metadata.event_code",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [mapping, names, records] = files.as_slice() else { return Err("MAPPING NAMES FILE".into()) };
    let source = |file: &String| std::fs::read_to_string(file).map(|text| SourceFile { file: file.clone(), text });
    let (library, _) = Library::compile(&[source(mapping)?], &[source(names)?]);
    let mut batch = Batch::default();
    let mut framer = Framer::new(library.wrappers.clone().into());
    framer.feed(&std::fs::read(records)?, &mut batch);
    framer.finish(&mut batch);
    let clock = Clock { received: 1_767_225_600_000, zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(&library, Options { clock, raw: false, source: None });
    let ids: Vec<_> = (0..library.paths.len() as u16).map(watchfloor_normalize::paths::PathId).collect();
    let wanted: Vec<_> =
        READ.iter().filter_map(|path| ids.iter().copied().find(|id| library.paths.text(*id) == *path)).collect();
    let (mut flat_read, mut tree_made, mut tree_read) = (0.0, 0.0, 0.0);
    let (mut found, mut entries) = (0_usize, 0_usize);
    let mut out = Vec::new();
    for framed in &batch.records {
        out.clear();
        engine.normalize(framed, batch.raw(framed), &mut out);
        let machine = &engine.machine;
        entries += machine.entries.len();
        let start = Instant::now();
        for path in &wanted {
            found += usize::from(machine.entries.iter().any(|entry| entry.path == *path));
        }
        flat_read += start.elapsed().as_secs_f64();
        let start = Instant::now();
        let mut tree = BTreeMap::new();
        for entry in &machine.entries {
            let text = match entry.value {
                Val::Text(span) | Val::Number(span) => machine.doc.text(span).to_owned(),
                Val::Const(id) => library.consts.text(id).to_owned(),
                Val::Int(number) | Val::Time(number) | Val::Member(number) => number.to_string(),
                _ => String::new(),
            };
            insert(&mut tree, library.paths.text(entry.path), text);
        }
        tree_made += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for path in READ {
            found += usize::from(get(&tree, path).is_some());
        }
        tree_read += start.elapsed().as_secs_f64();
    }
    let each = |seconds: f64| seconds * 1e9 / batch.records.len() as f64;
    let mean = entries / batch.records.len().max(1);
    let mut report = std::io::stdout().lock();
    std::io::Write::write_all(
        &mut report,
        format!(
            "{} events of {mean} attributes, found {found}\nflat: 6 reads {:.0} ns\ntree: made on top in {:.0} ns, 6 reads {:.0} ns\n",
            batch.records.len(),
            each(flat_read),
            each(tree_made),
            each(tree_read)
        )
        .as_bytes(),
    )?;
    Ok(())
}

fn insert(tree: &mut BTreeMap<String, Tree>, path: &str, text: String) {
    match path.split_once('.') {
        None => {
            tree.insert(path.to_owned(), Tree::Leaf(text));
        }
        Some((head, rest)) => {
            let inner = tree.entry(head.to_owned()).or_insert_with(|| Tree::Node(BTreeMap::new()));
            if let Tree::Node(inner) = inner {
                insert(inner, rest, text);
            }
        }
    }
}

fn get<'t>(tree: &'t BTreeMap<String, Tree>, path: &str) -> Option<&'t str> {
    match path.split_once('.') {
        None => match tree.get(path)? {
            Tree::Leaf(text) => Some(text),
            Tree::Node(_) => None,
        },
        Some((head, rest)) => match tree.get(head)? {
            Tree::Node(inner) => get(inner, rest),
            Tree::Leaf(_) => None,
        },
    }
}
