//! Zeek's tab-separated logs.
//!
//! ```text
//! #separator \x09
//! #set_separator ⇥ ,
//! #empty_field ⇥ (empty)
//! #unset_field ⇥ -
//! #path ⇥ conn
//! #fields ⇥ ts ⇥ uid ⇥ id.orig_h ⇥ …
//! #types ⇥ time ⇥ string ⇥ addr ⇥ …
//! ```
//!
//! Numbers get their type from `#types`, sets and vectors become lists, unset fields are left out, the empty field is an empty list or text.
//! `_path` is the log's name.

use watchfloor_model::{Diagnostic, Document, Value};

use crate::number::{self, Exactness};
use crate::{Format, Framed, Scratch, Zeek};

pub(crate) fn decode(
    framed: &Framed,
    body: &str,
    doc: &mut Document,
    notes: &mut Vec<Diagnostic>,
    scratch: &mut Scratch,
) -> bool {
    let Some(context) = framed.context.as_deref().filter(|context| context.format == Format::Zeek) else {
        return false;
    };
    let Some(zeek) = &context.zeek else { return false };
    let Some(root) = doc.open_object("") else { return false };
    if !zeek.path.is_empty() {
        doc.push_text("_path", &zeek.path);
    }
    let mut count = 0;
    for value in body.split(char::from(context.separator)) {
        let kind = zeek.types.get(count).map_or("string", String::as_str);
        let name = match context.columns.get(count) {
            Some(name) => name.as_str(),
            None => {
                scratch.key.clear();
                scratch.key.push('c');
                scratch.key.push_str(&(count + 1).to_string());
                &scratch.key
            }
        };
        count += 1;
        if value != zeek.unset {
            push(name, value, kind, zeek, doc);
        }
    }
    doc.close(root);
    if count != context.columns.len() {
        notes.push(Diagnostic::warning(
            "row.columns",
            format!("{count} fields under {} columns", context.columns.len()),
        ));
    }
    true
}

fn push(name: &str, value: &str, kind: &str, zeek: &Zeek, doc: &mut Document) {
    let inner = kind.split_once('[').filter(|(outer, _)| matches!(*outer, "set" | "vector" | "list"));
    if let Some((_, inner)) = inner {
        let Some(list) = doc.open_list(name) else { return };
        if value != zeek.empty {
            let inner = inner.trim_end_matches(']');
            for element in value.split(zeek.set_separator.as_str()).filter(|element| *element != zeek.unset) {
                scalar("", element, inner, doc);
            }
        }
        doc.close(list);
        return;
    }
    let value = if value == zeek.empty { "" } else { value };
    scalar(name, value, kind, doc);
}

fn scalar(name: &str, text: &str, kind: &str, doc: &mut Document) {
    let value = match kind {
        "bool" => match text {
            "T" => Some(Value::Bool(true)),
            "F" => Some(Value::Bool(false)),
            _ => None,
        },
        "count" | "int" | "port" | "counter" if number::is_json(text) => text.parse().ok().map(Value::Int),
        "double" | "time" | "interval" => double(text, doc),
        _ => None,
    };
    let key = doc.keep(name);
    let value = value.unwrap_or_else(|| Value::Text(doc.keep(text)));
    doc.push(key, value);
}

fn double(text: &str, doc: &mut Document) -> Option<Value> {
    // What JSON does not write as a number stays a text: `001`, `+1`, `1.`.
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite() && number::is_json(text))?;
    // Zeek writes whole seconds with six zeros: the text with them is the same number.
    let exact = text.contains('.') && number::exactness(text, value) == Exactness::Same;
    Some(if exact { Value::Float(value) } else { Value::Number(doc.keep(text)) })
}
