//! Records that are OCSF events already: passed through after validation.
//!
//! An event is validated against its own version where that is one we hold (1.1, 1.3, 1.8); other 1.x versions are validated as
//! 1.8, the versions being additive. What does not validate becomes a base event like any record that cannot be read, with
//! the first problem said.

use watchfloor_model::{Diagnostic, NodeId, Value};
use watchfloor_ocsf::{ClassId, Schema, Version, validate};

use crate::run::Machine;

/// Appends the record's own text as the event, if it is a valid one.
pub fn pass(machine: &mut Machine<'_>, raw: &str, out: &mut Vec<u8>) -> Option<ClassId> {
    let doc = &machine.doc;
    let uid = doc.child(0, "class_uid").and_then(|node| match doc.node(node)?.value {
        Value::Int(uid) => u32::try_from(uid).ok(),
        _ => None,
    })?;
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
    if foreign {
        machine.diagnostics.push(Diagnostic::note(
            "ocsf.version",
            format!("an OCSF {named} event; it is valid as 1.8.0 and passed on as that"),
        ));
        write_as(out, machine, version);
    } else {
        // A pretty-printed event becomes one line: line ends are only blanks between its values.
        out.extend(raw.trim().bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    }
    Schema::v1_8().class_by_uid(uid).or_else(|| Schema::v1_8().class("base_event"))
}

/// The event with another version text.
fn write_as(out: &mut Vec<u8>, machine: &Machine<'_>, version: NodeId) {
    let mut text = String::new();
    crate::tape::write_node(&mut text, &machine.doc, 0);
    let mut old = String::from("\"version\":");
    crate::json::write_str(&mut old, machine.doc.str(version).unwrap_or_default());
    // Only the metadata's own version: it stands in the object, and the first match inside it is taken.
    let metadata = text.find("\"metadata\":").unwrap_or(0);
    let (before, after) = text.split_at(metadata);
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(after.replacen(&old, "\"version\":\"1.8.0\"", 1).as_bytes());
}
