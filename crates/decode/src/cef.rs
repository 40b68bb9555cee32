//! `ArcSight` common event format.
//!
//! `CEF:0|vendor|product|device version|signature|name|severity|key=value key=value with blanks`
//!
//! In the header `\|` and `\\` are escaped; in the extension `\=`, `\\`, `\n` and `\r`. A value goes up to the blank before the next key.
//! The header is found anywhere in the text, since devices put all sorts of things before it.

use watchfloor_model::{Diagnostic, Document, Span, Value};

use crate::Scratch;

const HEADER: [&str; 6] = ["vendor", "product", "device_version", "signature", "name", "severity"];

pub(crate) fn decode(body: &str, doc: &mut Document, notes: &mut Vec<Diagnostic>, _scratch: &mut Scratch) -> bool {
    let Some(mut rest) = body.split_once("CEF:").map(|(_, rest)| rest) else { return false };
    let Some((version, behind)) = field(rest) else { return false };
    if version.is_empty() || version.len() > 4 || !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return false;
    }
    rest = behind;
    let Some(root) = doc.open_object("") else { return false };
    let Some(header) = doc.open_object("cef") else { return false };
    doc.push_text("version", version);
    let mut missing = 0;
    for (at, name) in HEADER.into_iter().enumerate() {
        let (value, behind) = field(rest).unwrap_or((rest, ""));
        // The last field may end the line.
        missing += usize::from(rest.is_empty() && at < HEADER.len() - 1);
        let key = doc.keep(name);
        let value = unescaped(value.trim(), doc);
        doc.push(key, Value::Text(value));
        rest = behind;
    }
    doc.close(header);
    push_extension(rest, doc);
    doc.close(root);
    if missing > 0 {
        notes.push(Diagnostic::warning("cef.header", format!("{missing} of 7 header fields are missing")));
    }
    true
}

/// Up to the next `|` that is not escaped.
pub(crate) fn field(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'|', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'|') {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
        at += 2;
    }
}

/// `key=value` up to the blank before the next key.
pub(crate) fn push_extension(text: &str, doc: &mut Document) {
    let Some(mut equals) = next_equals(text, 0) else { return };
    let mut start = key_start(text, equals);
    loop {
        let next = following_key(text, equals + 1);
        let end = next.map_or(text.len(), |(start, _)| start);
        let key = text.get(start..equals).unwrap_or_default();
        let value = text.get(equals + 1..end).unwrap_or_default();
        let key = doc.keep(key);
        let value = unescaped(value.trim(), doc);
        doc.push(key, Value::Text(value));
        let Some((key_at, equals_at)) = next else { return };
        (start, equals) = (key_at, equals_at);
    }
}

/// The next `=` behind a byte that has a key before it, and where that key begins.
fn following_key(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let equals = next_equals(text, at)?;
        let start = key_start(text, equals);
        let blank = text.as_bytes().get(start.checked_sub(1)?).is_some_and(u8::is_ascii_whitespace);
        if start >= from && start < equals && blank {
            return Some((start, equals));
        }
        at = equals + 1;
    }
}

fn next_equals(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr2(b'=', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'=') {
            return Some(at);
        }
        at += 2;
    }
}

/// Where the key before a `=` begins.
fn key_start(text: &str, equals: usize) -> usize {
    let before = text.as_bytes().get(..equals).unwrap_or_default();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']' | b'$');
    equals - before.iter().rev().take_while(is_part).count()
}

/// Resolves `\=`, `\|`, `\\`, `\n`, `\r`; any other backslash stays.
pub(crate) fn unescaped(value: &str, doc: &mut Document) -> Span {
    if memchr::memchr(b'\\', value.as_bytes()).is_none() {
        return doc.keep(value);
    }
    doc.compose(|out| {
        let mut characters = value.chars().peekable();
        while let Some(character) = characters.next() {
            let plain = match characters.peek() {
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                Some(next @ ('=' | '|' | '\\')) => Some(*next),
                _ => None,
            };
            match plain {
                Some(plain) if character == '\\' => {
                    out.push(plain);
                    characters.next();
                }
                _ => out.push(character),
            }
        }
    })
}
