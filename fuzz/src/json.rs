//! JSON, beside two oracles: `serde_json` on what is JSON, and a scanner of our own on what its texts and numbers are.

use watchfloor_decode::json_into;
use watchfloor_model::{Document, NodeId, Span, Value};

use super::formats::{is_json, well_formed};

/// A text or number of a record, in order.
#[derive(Debug, PartialEq)]
enum Leaf {
    Text(String),
    Number(String),
}

/// Any bytes.
pub fn json(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut doc = Document::new();
    doc.start(&text);
    let read = json_into(&mut doc, Span::default(), &text);
    doc.seal();
    let expected = is_json(&text);
    match read {
        Ok(()) => {
            assert!(expected, "read as JSON, and is none: {text}");
            well_formed(&doc);
            same_leaves(&text, &doc);
        }
        Err(told) if expected => {
            assert!(matches!(told.code, "record.too_deep" | "record.too_many_values"), "{told:?} of {text}")
        }
        Err(told) => assert!(
            matches!(told.code, "json.syntax" | "record.too_deep" | "record.too_many_values"),
            "{told:?} of {text}"
        ),
    }
}

fn same_leaves(text: &str, doc: &Document) {
    let found = scan(text);
    let mut kept = Vec::new();
    gather(doc, 0, false, &mut kept);
    assert_eq!(found.len(), kept.len(), "texts and numbers of {text}");
    for (found, kept) in found.iter().zip(&kept) {
        let same = match (found, kept) {
            // Half of a surrogate pair has no text of its own.
            (Leaf::Text(quoted), Leaf::Text(kept)) => {
                serde_json::from_str::<String>(quoted).map_or(kept.contains('\u{fffd}'), |quoted| quoted == *kept)
            }
            (Leaf::Number(found), Leaf::Number(kept)) => same_number(found, kept),
            // What no double can hold is kept as a text.
            (Leaf::Number(found), Leaf::Text(kept)) => found == kept,
            (Leaf::Text(_), Leaf::Number(_)) => false,
        };
        assert!(same, "{found:?} was kept as {kept:?}");
    }
}

/// The same digits, or the same double written another way.
fn same_number(found: &str, kept: &str) -> bool {
    found == kept || (found == "-0" && kept == "0") || digits(found) == digits(kept)
}

/// Sign, significant digits and exponent of a number.
fn digits(number: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(i64::MIN / 2);
    let negative = mantissa.starts_with('-');
    let (whole, fraction) =
        mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let short = significant.trim_end_matches('0');
    if short.is_empty() {
        // Zero has no sign worth keeping.
        return (false, String::new(), 0);
    }
    (negative, short.to_owned(), exponent - fraction.len() as i64 + (significant.len() - short.len()) as i64)
}

fn gather(doc: &Document, id: NodeId, member: bool, kept: &mut Vec<Leaf>) {
    let Some(node) = doc.node(id) else { return };
    if member {
        kept.push(Leaf::Text(doc.key(id).to_owned()));
    }
    match node.value {
        Value::Null | Value::Bool(_) => {}
        Value::Int(number) => kept.push(Leaf::Number(number.to_string())),
        Value::Float(number) => kept.push(Leaf::Number(format!("{number:?}"))),
        Value::Number(span) => kept.push(Leaf::Number(doc.text(span).to_owned())),
        Value::Text(span) => kept.push(Leaf::Text(doc.text(span).to_owned())),
        Value::List | Value::Object => {
            for child in doc.children(id) {
                gather(doc, child, node.value == Value::Object, kept);
            }
        }
    }
}

/// The quoted texts and the numbers of a JSON text.
fn scan(text: &str) -> Vec<Leaf> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'"' => {
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                found.push(Leaf::Text(text[start..at].to_owned()));
            }
            b'-' | b'0'..=b'9' => {
                while at < bytes.len() && matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    at += 1;
                }
                found.push(Leaf::Number(text[start..at].to_owned()));
            }
            _ => at += 1,
        }
    }
    found
}
