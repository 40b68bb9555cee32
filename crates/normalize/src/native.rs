//! Records that are OCSF events already: passed through after validation.
//!
//! An event is validated against its own version where that is one we hold (1.1, 1.3, 1.8); other 1.x versions are validated as
//! 1.8, the versions being additive. What does not validate becomes a base event like any record that cannot be read, with
//! the first problem said. So does an event in which a key stands twice: its readers would not agree on what it says.

use watchfloor_model::{Diagnostic, Value};
use watchfloor_ocsf::{ClassId, Schema, Version, validate};

use crate::run::Machine;
use crate::tape::write_node;

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
