//! Which formats a record may be in, from a cheap look at its beginning.
//!
//! A record that a header or a syntax makes sure of has one candidate. Of a line the order is: what stands inside a syslog header first,
//! then the header around plain text, then rows, then text, which always fits.

use std::ops::Deref;

use crate::{Format, Framed, Shape, kv, syslog};

/// Most formats that are tried of one record.
const CANDIDATES_MAX: usize = 8;
/// Fewest commas that make a line worth reading as a row.
const COMMAS_MIN: usize = 4;
/// Fewest blanks that make a line worth reading as a row.
const BLANKS_MIN: usize = 5;
/// Bytes looked at where a line is only judged by what it looks like.
const LOOK_BYTES: usize = 512;

/// Formats worth trying, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidates {
    list: [Format; CANDIDATES_MAX],
    len: usize,
}

impl Candidates {
    fn none() -> Self {
        Self { list: [Format::Text; CANDIDATES_MAX], len: 0 }
    }

    fn one(format: Format) -> Self {
        let mut found = Self::none();
        found.push(format);
        found
    }

    fn push(&mut self, format: Format) {
        if self.contains(&format) {
            return;
        }
        if let Some(slot) = self.list.get_mut(self.len) {
            *slot = format;
            self.len += 1;
        }
    }
}

impl Deref for Candidates {
    type Target = [Format];

    fn deref(&self) -> &[Format] {
        self.list.get(..self.len).unwrap_or_default()
    }
}

/// Formats worth trying for a record, best first. The last one, [`Format::Text`], fits every line.
#[must_use]
pub fn candidates(framed: &Framed, raw: &str) -> Candidates {
    let mut found = match framed.shape {
        Shape::Json => return with_text(Candidates::one(Format::Json)),
        Shape::Evtx | Shape::Xml => return with_text(Candidates::one(Format::Winevent)),
        Shape::Auditd => return with_text(Candidates::one(Format::Auditd)),
        Shape::Binary => return Candidates::one(Format::Text),
        Shape::Row => framed.context.as_ref().map_or(Candidates::none(), |context| Candidates::one(context.format)),
        Shape::Line => Candidates::none(),
    };
    match syslog::header(raw) {
        Some(header) => {
            inner(header.body, &mut found);
            found.push(Format::Syslog);
        }
        None => {
            inner(raw, &mut found);
            if spaced(raw) {
                found.push(Format::Ssv);
            }
        }
    }
    with_text(found)
}

fn with_text(mut found: Candidates) -> Candidates {
    found.push(Format::Text);
    found
}

/// What a line, or the text of a syslog record, looks like.
fn inner(body: &str, found: &mut Candidates) {
    let body = syslog::skip_cookie(body).trim_start();
    let bytes = body.as_bytes();
    match bytes.first() {
        Some(b'{') if next_is(body, b"\"}'") => found.push(Format::Json),
        Some(b'[') if next_is(body, b"{\"][") => found.push(Format::Json),
        Some(b'<') if body.contains("<Event") => found.push(Format::Winevent),
        _ => {}
    }
    let look = bytes.get(..bytes.len().min(LOOK_BYTES)).unwrap_or_default();
    if memchr::memmem::find(look, b"CEF:").is_some() {
        found.push(Format::Cef);
    }
    if memchr::memmem::find(look, b"LEEF:").is_some() {
        found.push(Format::Leef);
    }
    if memchr::memmem::find(look, b"audit(").is_some() {
        found.push(Format::Auditd);
    }
    if kv::looks_like(body) {
        found.push(Format::Kv);
    }
    if memchr::memchr_iter(b',', look).take(COMMAS_MIN).count() == COMMAS_MIN && !body.starts_with('{') {
        found.push(Format::Csv);
    }
}

/// The first byte that is not blank behind the first byte.
fn next_is(body: &str, wanted: &[u8]) -> bool {
    body.bytes().skip(1).find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| wanted.contains(&byte))
}

fn spaced(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let look = bytes.get(..bytes.len().min(LOOK_BYTES)).unwrap_or_default();
    memchr::memchr_iter(b' ', look).take(BLANKS_MIN).count() == BLANKS_MIN
}
