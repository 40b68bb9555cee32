//! An event as one line of JSON.

use watchfloor_model::{Document, NodeId, Value};
use watchfloor_ocsf::{EnumId, Schema, Type};

use crate::event::{Entry, Val};
use crate::json::{Sink as _, write_float, write_inner, write_int, write_str};
use crate::layout::{Layout, Step};
use crate::run::Machine;
use crate::tape::write_node;

/// What the record was, besides its fields.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// SHA-256 of the record's own bytes, as hex digits.
    pub hash: &'a str,
    /// Its size in bytes.
    pub size: u64,
    /// Its own bytes as Base64, if they are no text.
    pub bytes: Option<&'a str>,
    /// Names of the columns `c1`, `c2`, …, if they have names.
    pub columns: &'a [String],
}

/// Appends an event.
pub fn write_event(out: &mut Vec<u8>, machine: &Machine<'_>, layout: &Layout, origin: Origin<'_>) {
    let emitter = Emitter { machine, layout, schema: machine.library.schema, origin };
    for step in &layout.steps {
        emitter.step(out, *step);
    }
}

struct Emitter<'a> {
    machine: &'a Machine<'a>,
    layout: &'a Layout,
    schema: &'static Schema,
    origin: Origin<'a>,
}

impl Emitter<'_> {
    fn step(&self, out: &mut Vec<u8>, step: Step) {
        match step {
            Step::Text(from, to) => out.push_str(self.layout.text.get(from as usize..to as usize).unwrap_or_default()),
            Step::Value(number) => {
                if let Some(entry) = self.entry(number) {
                    self.value(out, entry.value);
                }
            }
            Step::Quoted(number) => self.quoted(out, number),
            Step::Member(number, id) => write_int(out, self.member(number, id)),
            Step::Caption(number, id, word) => self.caption(out, number, id, word),
            Step::TypeUid => write_int(out, i64::from(self.class_uid()) * 100 + self.activity()),
            Step::TypeName => {
                out.push(b'"');
                write_inner(out, &self.schema.class_info(self.layout.class).caption);
                out.push_str(": ");
                let caption =
                    self.layout.activities.and_then(|id| self.schema.enumeration(id).caption(self.activity()));
                write_inner(out, caption.unwrap_or("Unknown"));
                out.push(b'"');
            }
            Step::Received => write_int(out, self.machine.clock.received),
            Step::Raw => write_str(out, self.machine.doc.raw()),
            Step::RawHash => out.push_str(self.origin.hash),
            Step::RawSize => write_int(out, self.origin.size as i64),
            Step::Unmapped => self.unmapped(out),
        }
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        self.machine.entries.get(number as usize)
    }

    fn class_uid(&self) -> u32 {
        self.schema.class_info(self.layout.class).uid
    }

    fn activity(&self) -> i64 {
        match (self.layout.activity, self.layout.activities) {
            (Some(number), Some(id)) => self.member(number, id),
            _ => 0,
        }
    }

    /// An entry's member, in the enumeration of the class it came out as: an activity chosen for another class may not be one.
    fn member(&self, number: u32, id: EnumId) -> i64 {
        let Some(entry) = self.entry(number) else { return 0 };
        let (Val::Member(member) | Val::Int(member)) = entry.value else { return 0 };
        if entry.enumeration == Some(id) || self.schema.enumeration(id).has(member) {
            return member;
        }
        if self.schema.enumeration(id).has(99) { 99 } else { 0 }
    }

    fn caption(&self, out: &mut Vec<u8>, number: u32, id: EnumId, word: Option<u32>) {
        let member = self.member(number, id);
        if member == 99
            && let Some(entry) = word.and_then(|word| self.entry(word))
        {
            return self.value(out, entry.value);
        }
        write_str(out, self.schema.enumeration(id).caption(member).unwrap_or("Other"));
    }

    fn value(&self, out: &mut Vec<u8>, value: Val) {
        match value {
            Val::Text(span) => write_str(out, self.machine.doc.text(span)),
            Val::Const(id) => out.push_str(self.machine.library.consts.json(id)),
            Val::Int(number) | Val::Time(number) | Val::Member(number) => write_int(out, number),
            Val::Float(number) => write_float(out, number),
            Val::Number(span) => out.push_str(self.machine.doc.text(span)),
            Val::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Val::Node(id) => write_node(out, &self.machine.doc, self.machine.structure_of(id)),
            Val::List(start, len) => {
                out.push(b'[');
                for (i, item) in self.machine.items_of(start, len).iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    self.value(out, *item);
                }
                out.push(b']');
            }
        }
    }

    fn quoted(&self, out: &mut Vec<u8>, number: u32) {
        let Some(entry) = self.entry(number) else { return out.push_str("\"\"") };
        match entry.value {
            Val::Text(_) | Val::Const(_) => self.value(out, entry.value),
            other => {
                let mut text = Vec::new();
                self.value(&mut text, other);
                write_str(out, &String::from_utf8_lossy(&text));
            }
        }
    }

    /// What no statement used, under its own names.
    fn unmapped(&self, out: &mut Vec<u8>) {
        let before = out.len();
        out.push_str(",\"unmapped\":{");
        let empty = out.len();
        let rest = Rest { machine: self.machine, columns: self.origin.columns };
        rest.members(out, 0);
        for number in &self.layout.moved {
            if let Some(entry) = self.entry(*number) {
                self.moved(out, entry);
            }
        }
        for (name, value) in self.machine.unused_captures() {
            comma(out);
            write_str(out, name);
            out.push(b':');
            self.value(out, value);
        }
        if let Some(bytes) = self.origin.bytes {
            comma(out);
            out.push_str("\"record_base64\":");
            write_str(out, bytes);
        }
        if out.len() == empty {
            out.truncate(before);
        } else {
            out.push(b'}');
        }
    }

    /// An attribute without a place: its path, with indices.
    fn moved(&self, out: &mut Vec<u8>, entry: &Entry) {
        let Some(path) = self.machine.library.paths.get(entry.path) else { return };
        comma(out);
        out.push(b'"');
        let mut depth = 0;
        for (i, (name, is_array)) in path.steps.iter().enumerate() {
            if i > 0 {
                out.push(b'.');
            }
            write_inner(out, name);
            if *is_array {
                out.push(b'[');
                write_int(out, i64::from(entry.indices.get(depth)));
                out.push(b']');
                depth += 1;
            }
        }
        out.push_str("\":");
        match (path.leaf.ty, entry.value) {
            (Type::Json, value) => self.value(out, value),
            (_, value) => self.value(out, value),
        }
    }
}

fn comma(out: &mut Vec<u8>) {
    if !matches!(out.last_byte(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

/// The record's fields that nothing used.
struct Rest<'a> {
    machine: &'a Machine<'a>,
    columns: &'a [String],
}

impl Rest<'_> {
    fn doc(&self) -> &Document {
        &self.machine.doc
    }

    fn members(&self, out: &mut Vec<u8>, parent: NodeId) {
        let Some(node) = self.doc().node(parent) else { return };
        if self.is_used(parent) {
            return;
        }
        if node.value != Value::Object {
            // A record that is a list or a bare value has no names.
            self.member(out, parent, "value");
            return;
        }
        let twice = !self.doc().duplicates().is_empty();
        for child in self.doc().children(parent) {
            let key = self.doc().key(child);
            if twice && let Some(nth) = self.repeated(parent, child, key) {
                self.member(out, child, &format!("{key}#{nth}"));
            } else {
                self.member(out, child, self.name(key));
            }
        }
    }

    /// Which repetition of its key a member is, from 2.
    fn repeated(&self, parent: NodeId, child: NodeId, key: &str) -> Option<usize> {
        let earlier =
            self.doc().children(parent).filter(|other| *other < child && self.doc().key(*other) == key).count();
        (earlier > 0).then_some(earlier + 1)
    }

    /// `c3` by its name, where columns have names.
    fn name<'n>(&'n self, key: &'n str) -> &'n str {
        if self.columns.is_empty() {
            return key;
        }
        let position =
            key.strip_prefix('c').and_then(|digits| digits.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
        position.and_then(|at| self.columns.get(at)).map(String::as_str).filter(|name| *name != "_").unwrap_or(key)
    }

    fn is_used(&self, id: NodeId) -> bool {
        self.machine.used.get(id as usize).copied().unwrap_or(false)
    }

    /// Appends `,"key":rest` if there is a rest.
    fn member(&self, out: &mut Vec<u8>, id: NodeId, key: &str) {
        let before = out.len();
        comma(out);
        write_str(out, key);
        out.push(b':');
        let start = out.len();
        self.rest(out, id);
        if out.len() == start {
            out.truncate(before);
        }
    }

    /// Appends what is left of a value; nothing if nothing is.
    fn rest(&self, out: &mut Vec<u8>, id: NodeId) {
        if self.is_used(id) {
            return;
        }
        if let Some(expansion) = self.machine.expansions.iter().find(|expansion| expansion.text == id) {
            return self.rest(out, expansion.root);
        }
        let Some(node) = self.doc().node(id) else { return };
        match node.value {
            Value::Null => {}
            Value::Text(span) => {
                let text = self.doc().text(span);
                if !text.is_empty() && !self.machine.absent.iter().any(|absent| **absent == *text) {
                    write_str(out, text);
                }
            }
            Value::Object => {
                let before = out.len();
                out.push(b'{');
                let empty = out.len();
                self.members(out, id);
                close(out, before, empty, b'}');
            }
            Value::List => {
                let before = out.len();
                out.push(b'[');
                let empty = out.len();
                for child in self.doc().children(id) {
                    let here = out.len();
                    comma(out);
                    let start = out.len();
                    self.rest(out, child);
                    if out.len() == start {
                        out.truncate(here);
                    }
                }
                close(out, before, empty, b']');
            }
            _ => write_node(out, self.doc(), id),
        }
    }
}

fn close(out: &mut Vec<u8>, before: usize, empty: usize, bracket: u8) {
    if out.len() == empty {
        out.truncate(before);
    } else {
        out.push(bracket);
    }
}
