//! One record in, one event out. Never fails on content: what cannot be read becomes a base event with the record in it.

use std::borrow::Cow;

use base64::Engine as _;
use sha2::{Digest, Sha256};
use watchfloor_decode::{Format, Framed, Scratch, Shape, candidates, decode};
use watchfloor_model::{Diagnostic, NodeId, Value};
use watchfloor_ocsf::ClassId;

use crate::compile::Library;
use crate::detect::Candidates;
use crate::emit::{Origin, write_event};
use crate::event::{Entry, Val};
use crate::fields::{Bound, KeyIds};
use crate::layout::{Layout, Layouts, Wish};
use crate::native;
use crate::paths::{Indices, PathId};
use crate::plan::{PackId, Plan};
use crate::run::{Machine, TimeState};
use crate::shapes::Shapes;
use crate::times::Clock;

/// How to normalise.
#[derive(Clone, Debug)]
pub struct Options {
    /// Receipt time and zone.
    pub clock: Clock,
    /// Keep the record's text in `raw_data`.
    pub raw: bool,
    /// The kind that every record is of; detected if none is named.
    pub source: Option<PackId>,
}

/// What became of a record.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The kind it was recognised as.
    pub pack: Option<PackId>,
    /// The class it became.
    pub class: ClassId,
    /// SHA-256 of the record, in hex.
    pub hash: String,
    /// Whether it was an OCSF event already.
    pub native: bool,
    /// Number of the family of names that the record's fields have.
    pub family: usize,
}

/// Normalises records one after another; a worker thread has one.
#[derive(Debug)]
pub struct Engine<'l> {
    library: &'l Library,
    options: Options,
    /// The last record and what was made of it.
    pub machine: Machine<'l>,
    gate: Bound,
    key_ids: KeyIds,
    /// The shape of the record at hand.
    pub shapes: Shapes,
    candidates: Candidates,
    layouts: Layouts,
    scratch: Scratch,
    base: ClassId,
    layout: Option<std::sync::Arc<Layout>>,
    /// What was found of a record whose mapping did not run yet.
    unmapped: Unmapped<'l>,
    /// Paths of attributes, once an event came in as such.
    paths: native::ByText,
}

/// What is left to do with a record that was examined.
#[derive(Clone, Copy, Debug)]
enum Unmapped<'l> {
    Nothing,
    Record(Found<'l>),
    /// It is an OCSF event.
    Event,
}

/// A plan and the family it is compiled for.
#[derive(Clone, Copy, Debug)]
struct Found<'l> {
    plan: &'l Plan,
    family: usize,
}

impl<'l> Engine<'l> {
    /// An engine.
    #[must_use]
    pub fn new(library: &'l Library, options: Options) -> Self {
        Self {
            library,
            machine: Machine::new(library, options.clock.clone()),
            options,
            gate: Bound::default(),
            key_ids: KeyIds::default(),
            shapes: Shapes::default(),
            candidates: Candidates::default(),
            layouts: Layouts::default(),
            scratch: Scratch::default(),
            base: library.schema.class("base_event").unwrap_or_default(),
            layout: None,
            unmapped: Unmapped::Nothing,
            paths: native::ByText::new(),
        }
    }

    /// Sets the receipt time of the records that follow.
    pub fn received(&mut self, millis: i64) {
        self.machine.clock.received = millis;
    }

    /// What was wrong with the last record.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.machine.diagnostics
    }

    /// Appends the event of a record to `out`, without a line end.
    pub fn normalize(&mut self, framed: &Framed, bytes: &[u8], out: &mut Vec<u8>) -> Outcome {
        self.machine.clear();
        self.machine.diagnostics.extend_from_slice(&framed.trouble);
        let hash = framed.original_sha256.map_or_else(|| sha256(bytes), hex);
        match simdutf8::basic::from_utf8(bytes) {
            Ok(raw) => self.text(framed, raw, None, hash, out),
            Err(_) => {
                let problem = Diagnostic::warning(
                    "text.invalid_utf8",
                    "the record is not all UTF-8; its bytes are kept in `unmapped.record_base64`",
                );
                self.machine.diagnostics.push(problem);
                let raw = String::from_utf8_lossy(bytes);
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
                self.text(framed, &raw, Some(&encoded), hash, out)
            }
        }
    }

    /// Recognises a record, for who wants to look at its fields: nothing is hashed or written, and its mapping runs only when [`Self::map`] is
    /// called.
    pub fn examine(&mut self, framed: &Framed, bytes: &[u8]) -> Outcome {
        self.machine.clear();
        self.machine.diagnostics.extend_from_slice(&framed.trouble);
        let raw = match simdutf8::basic::from_utf8(bytes) {
            Ok(raw) => Cow::Borrowed(raw),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        let found = self.recognise(framed, &raw);
        let native = found.is_none() && self.gate.get(self.library.class_uid).is_some();
        self.unmapped = match found {
            Some(found) => Unmapped::Record(found),
            None if native => Unmapped::Event,
            None => Unmapped::Nothing,
        };
        if found.is_none() {
            self.machine.absent = &[];
        }
        Outcome {
            pack: found.map(|found| found.plan.pack),
            class: self.base,
            hash: String::new(),
            native,
            family: found.map_or(0, |found| found.family),
        }
    }

    /// Runs the mapping of the record that was examined, if it was not yet. An OCSF event has its attributes already.
    pub fn map(&mut self) {
        match std::mem::replace(&mut self.unmapped, Unmapped::Nothing) {
            Unmapped::Nothing => {}
            Unmapped::Record(found) => {
                if let Some(family) = self.library.families.get(found.family) {
                    self.machine.run(found.plan, &family.trie);
                }
            }
            Unmapped::Event => {
                if self.paths.is_empty() {
                    let all = (0..self.library.paths.len()).rev().map(|number| PathId(number as u16));
                    self.paths = all.map(|id| (self.library.paths.text(id).to_owned(), id)).collect();
                }
                native::take_over(&mut self.machine, &self.paths);
            }
        }
    }

    fn text(&mut self, framed: &Framed, raw: &str, bytes: Option<&str>, hash: String, out: &mut Vec<u8>) -> Outcome {
        let found = self.recognise(framed, raw);
        if found.is_none() && self.gate.get(self.library.class_uid).is_some() {
            let passed = native::pass(&mut self.machine, raw, out);
            if let Some(class) = passed {
                return Outcome { pack: None, class, hash, native: true, family: 0 };
            }
        }
        let mut columns: &[String] = &[];
        if let Some(found) = found {
            if let Some(family) = self.library.families.get(found.family) {
                columns = &family.columns;
                self.machine.run(found.plan, &family.trie);
            }
        } else {
            self.machine.used.resize(self.machine.doc.nodes().len(), false);
            // What means "no value" to the last mapping that was asked means nothing of this record.
            self.machine.absent = &[];
            self.note_unknown(framed, raw);
        }
        self.complete(found.map(|found| found.plan.pack));
        let class = self.chosen_class(found.is_some());
        let wish = Wish { class, raw: self.options.raw };
        let layout = self.layouts.of(self.library.schema, &self.library.paths, wish, &self.machine.entries);
        self.machine.diagnostics.extend_from_slice(&layout.diagnostics);
        let origin = Origin { hash: &hash, size: framed.original_len, bytes, columns };
        write_event(out, &self.machine, &layout, origin);
        let class = layout.class;
        self.layout = Some(layout);
        Outcome {
            pack: found.map(|found| found.plan.pack),
            class,
            hash,
            native: false,
            family: found.map_or(0, |found| found.family),
        }
    }

    /// The layout of the last event that a mapping made.
    #[must_use]
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_deref()
    }

    /// The same, to keep: records of one shape share it.
    #[must_use]
    pub fn shape(&self) -> Option<std::sync::Arc<Layout>> {
        self.layout.clone()
    }

    fn chosen_class(&mut self, recognised: bool) -> ClassId {
        if let Some(reason) = self.machine.unclassified {
            let reason = self.library.consts.text(reason).to_owned();
            self.machine.diagnostics.push(Diagnostic::note("map.unclassified", reason));
            return self.base;
        }
        if recognised && self.machine.class.is_none() {
            let message = "the mapping chose no class for this record";
            self.machine.diagnostics.push(Diagnostic::warning("map.no_class", message));
        }
        self.machine.class.unwrap_or(self.base)
    }

    fn note_unknown(&mut self, framed: &Framed, raw: &str) {
        if framed.shape == Shape::Binary
            || self.machine.diagnostics.iter().any(|known| known.grade == watchfloor_model::Grade::Error)
        {
            return;
        }
        let start: String = raw.chars().take(60).collect();
        let (code, message) = match self.options.source.and_then(|pack| self.library.pack(pack)) {
            Some(pack) => (
                "source.mismatch",
                format!("the record does not have the format of `{}`: it begins `{start}`", pack.kind),
            ),
            None => ("source.unknown", format!("no source recognises this record: it begins `{start}`")),
        };
        self.machine.diagnostics.push(Diagnostic::warning(code, message));
    }

    /// Adds what the engine knows of every event.
    fn complete(&mut self, pack: Option<PackId>) {
        let known = self.library.known;
        let words = self.library.words;
        let pack = pack.and_then(|pack| self.library.pack(pack));
        let product = pack.map_or(words.unknown, |pack| pack.product);
        let vendor = pack.map_or(words.unknown, |pack| pack.vendor);
        self.put_if_absent(known.product, Val::Const(product));
        self.put_if_absent(known.vendor, Val::Const(vendor));
        let label = match self.machine.time_state {
            TimeState::Known => return,
            TimeState::Missing => words.time_missing,
            TimeState::Unreadable => words.time_unreadable,
            TimeState::Absurd => words.time_absurd,
        };
        // Labels of the mapping stand before this one.
        let next = self
            .machine
            .entries
            .iter()
            .filter(|entry| entry.path == known.labels)
            .map(|entry| entry.indices.get(0) + 1)
            .max();
        let indices = Indices::default().with(0, next.unwrap_or(0));
        self.machine.put(Entry { path: known.labels, enumeration: None, line: 0, indices, value: Val::Const(label) });
        if let Some(trouble) = self.machine.time_trouble() {
            self.machine.diagnostics.push(trouble);
        }
    }

    fn put_if_absent(&mut self, path: PathId, value: Val) {
        if self.machine.entry(path).is_none() {
            self.machine.put(Entry { path, enumeration: None, line: 0, indices: Indices::default(), value });
        }
    }

    /// Decodes the record in the formats it may have until a plan detects it. Without one the first decoding stands.
    fn recognise(&mut self, framed: &Framed, raw: &str) -> Option<Found<'l>> {
        let formats = candidates(framed, raw);
        let before = self.machine.diagnostics.len();
        let mut first: Option<Format> = None;
        let mut broken: Option<Diagnostic> = None;
        for format in formats.iter().copied() {
            self.machine.diagnostics.truncate(before);
            if !self.decode(format, framed, raw) {
                // If nothing else takes it, a record that begins as an object is a broken object.
                if broken.is_none() && raw.trim_start().starts_with('{') {
                    broken = self
                        .machine
                        .diagnostics
                        .drain(before..)
                        .find(|known| known.grade == watchfloor_model::Grade::Error);
                }
                continue;
            }
            let found = match self.options.source {
                Some(pack) => self.forced(pack),
                None => self.detect(),
            };
            if found.is_some() {
                return found;
            }
            if first.is_none() {
                first = Some(format);
                if self.gate.get(self.library.class_uid).is_some() {
                    return None;
                }
            }
        }
        self.machine.diagnostics.truncate(before);
        self.decode(first.unwrap_or(Format::Text), framed, raw);
        self.machine.diagnostics.extend(broken);
        self.bind_gate();
        None
    }

    fn decode(&mut self, format: Format, framed: &Framed, raw: &str) -> bool {
        self.machine.format = format;
        self.key_ids.clear();
        let decoded =
            decode(format, framed, raw, &mut self.machine.doc, &mut self.machine.diagnostics, &mut self.scratch);
        if decoded {
            self.shapes.look(&self.machine.doc);
        }
        decoded
    }

    fn bind_gate(&mut self) {
        self.gate.bind(&self.library.gate, &self.library.keys, &mut self.key_ids, &self.machine.doc, &self.shapes);
        if let Some(node) = self.gate.get(self.library.journal_message) {
            self.bytes_to_text(node);
        }
    }

    /// A list of bytes becomes the text it stands for.
    fn bytes_to_text(&mut self, node: NodeId) {
        let doc = &mut self.machine.doc;
        if doc.node(node).is_none_or(|node| node.value != Value::List) {
            return;
        }
        let byte = |child| match doc.node(child).map(|node| node.value) {
            Some(Value::Int(byte)) => u8::try_from(byte).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = doc.children(node).map(byte).collect();
        if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let span = doc.compose(|out| out.push_str(&text));
            doc.set_value(node, Value::Text(span));
            self.shapes.forget();
        }
    }

    /// Asks the families' plans in order: names files that apply, columns, then plain fields.
    fn detect(&mut self) -> Option<Found<'l>> {
        let library = self.library;
        self.bind_gate();
        let format = self.machine.format;
        let worth: Vec<u16> =
            self.candidates.families(&library.gate, &library.families, format, self.gate.root_keys()).to_vec();
        for number in worth.into_iter().map(usize::from) {
            let Some((family, applies)) =
                library.families.get(number).and_then(|family| Some((family, family.applies.as_ref()?)))
            else {
                continue;
            };
            std::mem::swap(&mut self.machine.bound, &mut self.gate);
            let holds = self.machine.answers(applies);
            std::mem::swap(&mut self.machine.bound, &mut self.gate);
            if !holds {
                continue;
            }
            self.machine.bound.bind(&family.trie, &library.keys, &mut self.key_ids, &self.machine.doc, &self.shapes);
            let named = family.format.unwrap_or(format);
            if let Some(found) = self.detect_in(number, named) {
                return Some(found);
            }
        }
        self.machine.bound.bind(
            &library.families.first()?.trie,
            &library.keys,
            &mut self.key_ids,
            &self.machine.doc,
            &self.shapes,
        );
        self.detect_in(0, format)
    }

    fn detect_in(&mut self, family: usize, format: Format) -> Option<Found<'l>> {
        let library = self.library;
        let asked = library.families.get(family)?;
        self.machine.ask_family(asked);
        let actual = std::mem::replace(&mut self.machine.format, format);
        let candidates = self.candidates.of(
            family,
            &library.families,
            format,
            self.machine.bound.root_keys(),
            self.machine.looked_up(),
        );
        for number in candidates {
            if let Some(plan) = asked.plans.get(usize::from(*number))
                && self.machine.detects(plan)
            {
                return Some(Found { plan, family });
            }
        }
        self.machine.format = actual;
        None
    }

    /// The plan of the kind that was asked for: in the first family that applies.
    fn forced(&mut self, pack: PackId) -> Option<Found<'l>> {
        let library = self.library;
        self.bind_gate();
        let format = self.machine.format;
        for (number, family) in
            library.families.iter().enumerate().skip(1).chain(library.families.iter().enumerate().take(1))
        {
            let Some(plan) = family.plans.iter().find(|plan| plan.pack == pack) else { continue };
            let named = family.format.unwrap_or(format);
            if !plan.formats.contains(&named) {
                continue;
            }
            if let Some(applies) = &family.applies {
                std::mem::swap(&mut self.machine.bound, &mut self.gate);
                let holds = self.machine.answers(applies);
                std::mem::swap(&mut self.machine.bound, &mut self.gate);
                if !holds {
                    continue;
                }
            }
            self.machine.bound.bind(&family.trie, &library.keys, &mut self.key_ids, &self.machine.doc, &self.shapes);
            self.machine.format = named;
            return Some(Found { plan, family: number });
        }
        None
    }
}

/// The SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).into())
}

fn hex(digest: [u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let mut text = String::with_capacity(64);
    for byte in digest {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
