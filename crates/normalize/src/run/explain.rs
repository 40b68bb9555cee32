//! What a run made, for a person to read.

use watchfloor_model::Span;

use super::{Machine, TimeState};
use crate::event::Val;
use crate::paths::PathId;

/// One attribute and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// `user.groups[1].name`
    pub path: String,
    /// The value as JSON, cut to one readable line.
    pub value: String,
    /// Line of the mapping; 0 for the engine.
    pub line: u32,
}

/// Longest value shown, in characters.
const SHOWN_CHARS: usize = 120;

impl Machine<'_> {
    /// The attributes of the last event in the order in which they were set.
    pub fn explanation(&self) -> impl Iterator<Item = Explained> + '_ {
        self.entries.iter().map(|entry| {
            let mut path = String::new();
            if let Some(known) = self.library.paths.get(entry.path) {
                let mut depth = 0;
                for (name, is_array) in &known.steps {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    if *is_array {
                        path.push_str(&format!("[{}]", entry.indices.get(depth)));
                        depth += 1;
                    }
                }
            }
            let mut value = self.shown(entry.value);
            if let (Val::Member(member), Some(id)) = (entry.value, entry.enumeration)
                && let Some(caption) = self.library.schema.enumeration(id).caption(member)
            {
                value = format!("{member} ({caption})");
            }
            Explained { path, value, line: entry.line }
        })
    }

    /// The event's time in epoch milliseconds, if the record names one that can be used.
    #[must_use]
    pub fn event_time(&self) -> Option<i64> {
        let entry = self.entry(self.library.known.time).filter(|_| self.time_state == TimeState::Known)?;
        match entry.value {
            Val::Time(time) | Val::Int(time) => Some(time),
            _ => None,
        }
    }

    /// Appends the values of an attribute, those of lists one by one.
    pub fn attribute_values(&self, path: PathId, out: &mut Vec<Val>) {
        for entry in self.entries.iter().filter(|entry| entry.path == path) {
            match entry.value {
                Val::List(start, len) => out.extend_from_slice(self.items_of(start, len)),
                other => out.push(other),
            }
        }
    }

    /// The text of a value as a span of the document: what is not there as text is written there.
    pub fn written(&mut self, value: Val) -> Option<Span> {
        match value {
            Val::Node(node) => Some(self.json_text(node)),
            other => self.text_span(other),
        }
    }

    fn shown(&self, value: Val) -> String {
        let mut text = String::new();
        match value {
            Val::Text(span) => crate::json::write_str(&mut text, self.doc.text(span)),
            Val::Const(id) => text.push_str(self.library.consts.json(id)),
            Val::Int(number) | Val::Time(number) | Val::Member(number) => crate::json::write_int(&mut text, number),
            Val::Float(number) => crate::json::write_float(&mut text, number),
            Val::Number(span) => text.push_str(self.doc.text(span)),
            Val::Bool(value) => text.push_str(if value { "true" } else { "false" }),
            Val::Node(id) => crate::tape::write_node(&mut text, &self.doc, id),
            Val::List(_, len) => text.push_str(&format!("[{len} values]")),
        }
        if text.chars().count() > SHOWN_CHARS {
            text = text.chars().take(SHOWN_CHARS).chain(['…']).collect();
        }
        text
    }
}
