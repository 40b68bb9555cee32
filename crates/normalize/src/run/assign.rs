//! Assignments: values into entries.

use watchfloor_model::limits::LIST_ELEMENTS_MAX;
use watchfloor_model::{Diagnostic, NodeId, Value};
use watchfloor_ocsf::Type;

use super::convert::Fits;
use super::{Machine, TimeState, Touch};
use crate::event::{Entry, Val};
use crate::paths::{Indices, Leaf, PathId};
use crate::plan::Set;

impl<'l> Machine<'l> {
    pub(super) fn set(&mut self, set: &'l Set) {
        let mark = self.touched.len();
        if let Some(value) = self.evaluate(&set.value) {
            let Some(path) = self.library.paths.get(set.path) else { return };
            let leaf = Leaf { enumeration: set.enumeration, ..path.leaf };
            let many = set.append.is_some() || leaf.is_array;
            let stored = match (many, self.items(value)) {
                (true, Some(items)) if leaf.ty != Type::Json || leaf.is_array => {
                    self.store_all(set, leaf, path.arrays, items)
                }
                _ => self.store(set, leaf, path.arrays, value, 0),
            };
            if stored {
                self.sourced += u32::from(self.touched.len() > mark);
                let touched = std::mem::take(&mut self.touched);
                self.mark_used(touched.get(mark..).unwrap_or_default());
                self.touched = touched;
            } else {
                self.note_misfit(set, leaf, mark);
            }
        }
        self.touched.truncate(mark);
    }

    /// The items of a list value.
    fn items(&mut self, value: Val) -> Option<Vec<Val>> {
        match value {
            Val::List(start, len) => Some(self.lists.get(start as usize..(start + len) as usize)?.to_vec()),
            Val::Node(id) if self.doc.node(id)?.value == Value::List => {
                let children: Vec<NodeId> = self.doc.children(id).collect();
                let mark = self.touched.len();
                let items = children.into_iter().filter_map(|child| self.node(child)).collect();
                // The list as a whole is used already.
                self.touched.truncate(mark);
                Some(items)
            }
            _ => None,
        }
    }

    fn store_all(&mut self, set: &'l Set, leaf: Leaf, arrays: u8, items: Vec<Val>) -> bool {
        if items.len() > LIST_ELEMENTS_MAX {
            self.note_long_list(set.path);
            return false;
        }
        let mut stored = false;
        for (position, item) in items.into_iter().enumerate() {
            stored |= self.store(set, leaf, arrays, item, position as u32);
        }
        stored
    }

    /// Converts one value and stores it; `position` is its place in a list.
    fn store(&mut self, set: &'l Set, leaf: Leaf, arrays: u8, value: Val, position: u32) -> bool {
        let is_event_time = set.path == self.library.known.time;
        let fits = self.convert(value, leaf, is_event_time);
        if is_event_time {
            self.keep_original_time(value);
        }
        let (value, word) = match fits {
            Fits::Yes(value) => (value, None),
            Fits::Other(other, word) => (Val::Member(other), Some(word)),
            Fits::No => return false,
        };
        let Some(indices) = self.place(set, arrays, leaf.is_array.then_some(position)) else { return false };
        self.put(Entry { path: set.path, enumeration: set.enumeration, line: set.line, indices, value });
        // The source's own word for what is no member stands beside it.
        if let Some(word) = word
            && let Some(sibling) = self.library.paths.get(set.path).and_then(|path| path.sibling)
        {
            self.put(Entry { path: sibling, enumeration: None, line: set.line, indices, value: word });
        }
        true
    }

    /// Where in the arrays the value goes.
    fn place(&mut self, set: &Set, arrays: u8, position: Option<u32>) -> Option<Indices> {
        let mut indices = self.indices.above(self.nested);
        if let Some((depth, array)) = set.append {
            let counter = self.counter(array, indices.above(depth));
            let (.., next) = self.counters.get_mut(counter)?;
            if *next as usize >= LIST_ELEMENTS_MAX {
                self.note_long_list(array);
                return None;
            }
            indices = indices.with(depth, *next);
            *next += 1;
        } else if let Some(position) = position {
            indices = indices.with(arrays.saturating_sub(1), position);
        }
        Some(indices)
    }

    /// Stores an entry; a later value replaces an earlier one of the same place.
    pub(crate) fn put(&mut self, entry: Entry) {
        if entry.indices == Indices::default() {
            let at = self.entries.len() as u32;
            let generation = self.generation;
            if let Some(latest) = self.latest.get_mut(usize::from(entry.path.0)) {
                if latest.0 == generation
                    && let Some(known) = self.entries.get_mut(latest.1 as usize)
                {
                    *known = entry;
                    return;
                }
                *latest = (generation, at);
            }
        } else {
            let from = if self.nested > 0 { self.first_of_element } else { 0 };
            let recent = self.entries.get_mut(from..).unwrap_or_default();
            if let Some(known) =
                recent.iter_mut().rev().find(|known| known.path == entry.path && known.indices == entry.indices)
            {
                *known = entry;
                return;
            }
        }
        self.entries.push(entry);
    }

    /// The entry of a path outside of arrays.
    #[must_use]
    pub fn entry(&self, path: PathId) -> Option<&Entry> {
        let (generation, at) = self.latest.get(usize::from(path.0))?;
        (*generation == self.generation).then(|| self.entries.get(*at as usize)).flatten()
    }

    /// Keeps what the source wrote as the time beside what it was read as.
    fn keep_original_time(&mut self, value: Val) {
        let text = match value {
            // A computed time: what it was read from.
            Val::Time(_) => self.time_text.map(Val::Text),
            other => Some(other),
        };
        // What a mapping says itself stands.
        if self.entry(self.library.known.original_time).is_some_and(|entry| entry.line > 0) {
            return;
        }
        if let Some(span) = text.and_then(|value| self.text_span(value)) {
            let path = self.library.known.original_time;
            self.put(Entry { path, enumeration: None, line: 0, indices: Indices::default(), value: Val::Text(span) });
        }
    }

    fn note_misfit(&mut self, set: &Set, leaf: Leaf, mark: usize) {
        if set.path == self.library.known.time {
            let touched: Vec<Touch> = self.touched.get(mark..).unwrap_or_default().to_vec();
            self.mark_used(&touched);
            return;
        }
        let path = self.library.paths.text(set.path);
        let message = format!("a value for `{path}` is no {}; it stays in `unmapped`", shown(leaf.ty));
        self.diagnostics.push(Diagnostic::warning("map.type", message));
    }

    /// Whether the record had a time that could not be used.
    #[must_use]
    pub fn time_trouble(&self) -> Option<Diagnostic> {
        let (code, message) = match self.time_state {
            TimeState::Known => return None,
            TimeState::Missing => ("time.missing", "the record names no time; its receipt time stands in"),
            TimeState::Unreadable => {
                ("time.unreadable", "the record's time cannot be read; its receipt time stands in")
            }
            TimeState::Absurd => {
                ("time.absurd", "the record's time lies decades back or over a year ahead; its receipt time stands in")
            }
        };
        Some(Diagnostic::warning(code, message))
    }
}

fn shown(ty: Type) -> &'static str {
    match ty {
        Type::Ip => "IP address",
        Type::Mac => "MAC address",
        Type::Port => "port",
        Type::Integer | Type::Long => "whole number",
        Type::Float => "number",
        Type::Boolean => "truth value",
        Type::Timestamp | Type::Datetime => "time",
        Type::Email => "e-mail address",
        Type::Uuid => "UUID",
        Type::Subnet => "subnet",
        Type::Bytes => "Base64 text",
        _ => "value of its type",
    }
}
