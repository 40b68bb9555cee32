//! Rows: comma-separated (RFC 4180), space-separated, and W3C extended logs.
//!
//! - **csv**: fields in `"` may hold separators and line ends; `""` is a quote in them.
//! - **ssv**: fields end at one or more blanks; `"…"` and `[…]` are one field without their signs, `\"` is a quote in the first.
//! - **w3c**: the columns of the `#Fields:` line in force. Rows are separated by blanks (IIS), by tabs (`CloudFront`), or by commas
//!   (Exchange, whose `#Fields:` has them too).
//!
//! Columns have the header's names, or `c1`, `c2`, … A row with more or fewer fields than the header is noted as `row.columns`.

use watchfloor_model::{Diagnostic, Document, Span, Value};

use crate::{Format, Framed, Scratch};

/// Fewest fields that make a line without a header a row.
const FIELDS_MIN: usize = 2;

pub(crate) fn decode(
    format: Format,
    framed: &Framed,
    body: &str,
    doc: &mut Document,
    notes: &mut Vec<Diagnostic>,
    scratch: &mut Scratch,
) -> bool {
    let context = framed.context.as_deref().filter(|context| context.format == format);
    if context.is_none() && format == Format::W3c {
        return false;
    }
    let columns = context.map(|context| context.columns.as_slice()).unwrap_or_default();
    let separator = match context.map_or(b',', |context| context.separator) {
        b' ' if format == Format::W3c && memchr::memchr(b'\t', body.as_bytes()).is_some() => b'\t',
        separator => separator,
    };
    let Some(root) = doc.open_object("") else { return false };
    let mut row = Row { columns, count: 0, key: &mut scratch.key, doc };
    match format {
        Format::Ssv => blanks(body, true, &mut row),
        Format::W3c if separator == b' ' => blanks(body, false, &mut row),
        _ => commas(body, separator, &mut row),
    }
    let count = row.count;
    doc.close(root);
    if columns.is_empty() {
        return count >= FIELDS_MIN;
    }
    if count != columns.len() {
        notes.push(Diagnostic::warning("row.columns", format!("{count} fields under {} columns", columns.len())));
    }
    true
}

struct Row<'a, 'd> {
    columns: &'a [String],
    count: usize,
    key: &'a mut String,
    doc: &'d mut Document,
}

impl Row<'_, '_> {
    fn push(&mut self, value: Span) {
        let key = match self.columns.get(self.count) {
            Some(name) => self.doc.keep(name),
            None => {
                self.key.clear();
                self.key.push('c');
                self.key.push_str(&(self.count + 1).to_string());
                self.doc.keep(self.key)
            }
        };
        self.doc.push(key, Value::Text(value));
        self.count += 1;
    }
}

fn commas(text: &str, separator: u8, row: &mut Row<'_, '_>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let opening = rest.iter().take_while(|byte| **byte == b' ' && separator != b' ').count();
        if rest.get(opening) == Some(&b'"')
            && let Some((end, doubled)) = quoted_field(bytes, at + opening + 1)
            && bytes.get(end + 1).is_none_or(|byte| *byte == separator)
        {
            let inner = text.get(at + opening + 1..end).unwrap_or_default();
            let value = if doubled { row.doc.compose(|out| push_undoubled(inner, out)) } else { row.doc.keep(inner) };
            row.push(value);
            at = end + 1;
        } else {
            let end = memchr::memchr(separator, rest).map_or(text.len(), |found| at + found);
            let value = row.doc.keep(text.get(at..end).unwrap_or_default());
            row.push(value);
            at = end;
        }
        if at >= text.len() {
            return;
        }
        at += 1;
    }
}

/// The closing quote of a field, and whether quotes are doubled in it.
fn quoted_field(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut doubled = false;
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some((at, doubled));
        }
        doubled = true;
        at += 2;
    }
}

fn push_undoubled(text: &str, out: &mut String) {
    let mut pieces = text.split("\"\"");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push('"');
        out.push_str(piece);
    }
}

fn blanks(text: &str, brackets: bool, row: &mut Row<'_, '_>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += bytes.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let Some(first) = bytes.get(at) else { return };
        let closed = match first {
            b'"' => quoted_end(bytes, at + 1),
            b'[' if brackets => memchr::memchr(b']', bytes.get(at..).unwrap_or_default()).map(|found| at + found),
            _ => None,
        };
        let closed = closed.filter(|end| bytes.get(end + 1).is_none_or(|byte| matches!(byte, b' ' | b'\t')));
        let (start, end, next) = match closed {
            Some(end) => (at + 1, end, end + 1),
            None => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = memchr::memchr2(b' ', b'\t', rest).map_or(text.len(), |found| at + found);
                (at, end, end)
            }
        };
        let inner = text.get(start..end).unwrap_or_default();
        let escaped = closed.is_some() && memchr::memchr(b'\\', inner.as_bytes()).is_some();
        let value = if escaped {
            row.doc.compose(|out| out.push_str(&inner.replace("\\\"", "\"")))
        } else {
            row.doc.keep(inner)
        };
        row.push(value);
        at = next;
    }
}

/// The quote that closes a field: not escaped.
fn quoted_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}
