//! IBM log event extended format.
//!
//! ```text
//! LEEF:1.0|vendor|product|product version|event id|key=value<tab>key=value
//! LEEF:2.0|vendor|product|product version|event id|^|key=value^key=value
//! ```
//!
//! The delimiter of 2.0 is one character or its code (`x09`, `0x5e`); left out it is a tab. Senders that separate attributes with blanks
//! in spite of that are read like a CEF extension.

use watchfloor_model::{Diagnostic, Document};

use crate::{Scratch, cef};

const HEADER: [&str; 4] = ["vendor", "product", "product_version", "event_id"];

pub(crate) fn decode(body: &str, doc: &mut Document, notes: &mut Vec<Diagnostic>, _scratch: &mut Scratch) -> bool {
    let Some(rest) = body.split_once("LEEF:").map(|(_, rest)| rest) else { return false };
    let Some((version, mut rest)) = cef::field(rest) else { return false };
    if !matches!(version, "1.0" | "2.0" | "1" | "2") {
        return false;
    }
    let Some(root) = doc.open_object("") else { return false };
    let Some(header) = doc.open_object("leef") else { return false };
    doc.push_text("version", version);
    let mut missing = 0;
    for name in HEADER {
        let (value, behind) = cef::field(rest).unwrap_or_else(|| {
            missing += 1;
            (rest, "")
        });
        doc.push_text(name, value.trim());
        rest = behind;
    }
    doc.close(header);
    let (delimiter, attributes) = if version.starts_with('2') { delimiter(rest) } else { ('\t', rest) };
    push_attributes(attributes, delimiter, doc);
    doc.close(root);
    if missing > 0 {
        notes.push(Diagnostic::warning("leef.header", format!("{missing} of 5 header fields are missing")));
    }
    true
}

/// The sixth field of version 2: `^|`, `x5e|`, `0x5e|`, `|`; some leave it out.
fn delimiter(rest: &str) -> (char, &str) {
    let Some((field, behind)) = rest.split_once('|') else { return ('\t', rest) };
    let mut characters = field.chars();
    match (characters.next(), characters.next()) {
        (None, _) => ('\t', behind),
        (Some(only), None) => (only, behind),
        _ => {
            let code = field.strip_prefix("0x").or_else(|| field.strip_prefix('x')).filter(|code| code.len() <= 4);
            let code = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
            code.map_or(('\t', rest), |code| (code, behind))
        }
    }
}

fn push_attributes(text: &str, delimiter: char, doc: &mut Document) {
    if !text.contains(delimiter) {
        cef::push_extension(text, doc);
        return;
    }
    for attribute in text.split(delimiter) {
        if let Some((key, value)) = attribute.split_once('=') {
            doc.push_text(key.trim(), value.trim_end_matches(['\r', '\n']));
        } else if !attribute.trim().is_empty() {
            doc.push_text("_", attribute);
        }
    }
}
