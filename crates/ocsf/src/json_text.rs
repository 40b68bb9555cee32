//! Writes values of a document as JSON text.

use std::fmt::Write as _;

use watchfloor_model::{Document, NodeId, Value};

/// Writes a node and everything in it. Numbers beyond 64 bits keep their exact text.
pub(crate) fn write_value(out: &mut String, doc: &Document, id: NodeId) {
    let Some(node) = doc.node(id) else { return };
    match node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Int(value) => write_int(out, value),
        Value::Float(value) if value.is_finite() => {
            // The debug form keeps the fraction that makes it a float: `1.0`. Writing to a string cannot fail.
            let _ = write!(out, "{value:?}");
        }
        Value::Float(_) => out.push_str("null"),
        Value::Number(span) => out.push_str(doc.text(span)),
        Value::Text(span) => write_text(out, doc.text(span)),
        Value::List => {
            out.push('[');
            for element in doc.children(id) {
                separate(out);
                write_value(out, doc, element);
            }
            out.push(']');
        }
        Value::Object => {
            out.push('{');
            for member in doc.children(id) {
                write_key(out, doc.key(member));
                write_value(out, doc, member);
            }
            out.push('}');
        }
    }
}

/// Writes a member's key, behind a comma if it is not the first.
pub(crate) fn write_key(out: &mut String, key: &str) {
    separate(out);
    write_text(out, key);
    out.push(':');
}

/// Writes a comma, unless a list or object has just been opened.
pub(crate) fn separate(out: &mut String) {
    if !out.ends_with(['[', '{']) {
        out.push(',');
    }
}

pub(crate) fn write_int(out: &mut String, value: i64) {
    let _ = write!(out, "{value}");
}

/// Writes a text in quotes.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (plain, escaped) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = escaped.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}
