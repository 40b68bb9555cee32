//! Records that are OCSF events already: passed through after validation.
//!
//! An event is validated against its own version where that is one we hold (1.1, 1.3, 1.8); other 1.x versions are validated as
//! 1.8, the versions being additive. What does not validate becomes a base event like any record that cannot be read, with
//! the first problem said. So does an event in which a key stands twice: its readers would not agree on what it says.

use std::collections::HashMap;

use watchfloor_model::limits::LIST_ELEMENTS_MAX;
use watchfloor_model::{Diagnostic, NodeId, Value};
use watchfloor_ocsf::{ClassId, Schema, Version, validate};

use crate::event::{Entry, Val};
use crate::paths::{Indices, PathId};
use crate::run::{Machine, TimeState};
use crate::tape::write_node;

/// Appends the record's own text as the event, if it is a valid one.
pub fn pass(machine: &mut Machine<'_>, raw: &str, out: &mut Vec<u8>) -> Option<ClassId> {
    let uid = class_uid(machine)?;
    let doc = &machine.doc;
    let version = doc.child(0, "metadata").and_then(|metadata| doc.child(metadata, "version"))?;
    let named = doc.str(version)?.to_owned();
    let schema = Version::of(&named).map_or_else(Schema::v1_8, Schema::version);
    let foreign = Version::of(&named).is_none();
    let problems = validate(schema, doc);
    let serious: Vec<_> = problems.iter().filter(|problem| !(foreign && problem.path == "metadata.version")).collect();
    if let Some(first) = serious.first() {
        let more = serious.len() - 1;
        let message = format!(
            "an OCSF {named} event that does not validate: {}: {} (and {more} more)",
            first.path, first.message
        );
        machine.diagnostics.push(Diagnostic::error("ocsf.invalid", message));
        return None;
    }
    if let Some(key) = doc.duplicates().first() {
        let key: String = doc.text(*key).chars().take(80).collect();
        let message = format!("an OCSF {named} event in which the key {key:?} stands twice in one object");
        machine.diagnostics.push(Diagnostic::error("ocsf.invalid", message));
        return None;
    }
    if foreign {
        machine.diagnostics.push(Diagnostic::note(
            "ocsf.version",
            format!("an OCSF {named} event; it is valid as 1.8.0 and passed on as that"),
        ));
        let text = machine.doc.keep("1.8.0");
        machine.doc.set_value(version, Value::Text(text));
        write_node(out, &machine.doc, 0);
    } else {
        // A pretty-printed event becomes one line: line ends are only blanks between its values.
        out.extend(raw.trim().bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    }
    Schema::v1_8().class_by_uid(uid).or_else(|| Schema::v1_8().class("base_event"))
}

fn class_uid(machine: &Machine<'_>) -> Option<u32> {
    let doc = &machine.doc;
    match doc.node(doc.child(0, "class_uid")?)?.value {
        Value::Int(uid) => u32::try_from(uid).ok(),
        _ => None,
    }
}

/// Paths of attributes by their texts.
pub type ByText = HashMap<String, PathId>;

/// Makes attributes of what an event has, for those who look at attributes: as if a mapping had made it. Nothing is validated.
pub fn take_over(machine: &mut Machine<'_>, paths: &ByText) {
    machine.class = class_uid(machine).and_then(|uid| machine.library.schema.class_by_uid(uid));
    let mut entries = Vec::new();
    gather(machine, 0, &mut String::new(), (Indices::default(), 0), paths, &mut entries);
    for entry in entries {
        machine.put(entry);
    }
    if let Some(entry) = machine.entry(machine.library.known.time)
        && matches!(entry.value, Val::Int(_))
    {
        machine.time_state = TimeState::Known;
    }
}

fn gather(
    machine: &Machine<'_>,
    node: NodeId,
    path: &mut String,
    (indices, depth): (Indices, u8),
    paths: &ByText,
    out: &mut Vec<Entry>,
) {
    let doc = &machine.doc;
    let Some(value) = doc.node(node).map(|node| node.value) else { return };
    let value = match value {
        Value::Null => return,
        Value::Bool(value) => Val::Bool(value),
        Value::Int(number) => Val::Int(number),
        Value::Float(number) => Val::Float(number),
        Value::Number(span) => Val::Number(span),
        Value::Text(span) => Val::Text(span),
        Value::Object => {
            for child in doc.children(node) {
                let before = path.len();
                if before > 0 {
                    path.push('.');
                }
                path.push_str(doc.key(child));
                gather(machine, child, path, (indices, depth), paths, out);
                path.truncate(before);
            }
            return;
        }
        Value::List => {
            for (number, child) in (0..).zip(doc.children(node)).take(LIST_ELEMENTS_MAX) {
                gather(machine, child, path, (indices.with(depth, number), depth.saturating_add(1)), paths, out);
            }
            return;
        }
    };
    if let Some(path) = paths.get(path.as_str()) {
        out.push(Entry { path: *path, enumeration: None, line: 0, indices, value });
    }
}
