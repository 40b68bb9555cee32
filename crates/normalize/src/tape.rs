//! Nodes of a document as JSON text.

use watchfloor_model::{Document, NodeId, Value};

use crate::json::{Sink, write_float, write_int, write_str};

/// Appends a node's value.
pub fn write_node(out: &mut impl Sink, doc: &Document, id: NodeId) {
    let Some(node) = doc.node(id) else { return };
    match node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Int(number) => write_int(out, number),
        Value::Float(number) => write_float(out, number),
        Value::Number(span) => out.push_str(doc.text(span)),
        Value::Text(span) => write_str(out, doc.text(span)),
        Value::List => {
            out.push('[');
            for (i, child) in doc.children(id).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_node(out, doc, child);
            }
            out.push(']');
        }
        Value::Object => {
            out.push('{');
            write_members(out, doc, id);
            out.push('}');
        }
    }
}

/// An object's members. Of two with one key the last stands, as most readers of JSON have it.
fn write_members(out: &mut impl Sink, doc: &Document, id: NodeId) {
    let twice = !doc.duplicates().is_empty();
    let mut first = true;
    for child in doc.children(id) {
        if twice && doc.children(id).any(|later| later > child && doc.key(later) == doc.key(child)) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        write_str(out, doc.key(child));
        out.push(':');
        write_node(out, doc, child);
    }
}
