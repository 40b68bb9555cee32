//! `journalctl -o export` (systemd's journal export format).
//!
//! A record is a block of fields up to an empty line. A field is `KEY=value` and a line end, or, if the value has line ends or is
//! no text, `KEY`, a line end, the value's length in 8 bytes (little end first), the value, a line end. A block is recognised by its first
//! field, `__CURSOR`, `__REALTIME_TIMESTAMP` or `__SEQNUM`.
//!
//! A block becomes the JSON object that `journalctl -o json` writes: texts; a list where a key stands several times; a list of numbers where
//! a value is no UTF-8.

use std::ops::Range;

use watchfloor_model::Diagnostic;
use watchfloor_model::limits::RECORD_BYTES_MAX;

use super::skip::Run;
use super::{Framer, State, Step};
use crate::frame::{Batch, Framed, Shape};

const FIRST_KEYS: [&[u8]; 3] = [b"__CURSOR=", b"__REALTIME_TIMESTAMP=", b"__SEQNUM="];
/// Longest of [`FIRST_KEYS`].
const FIRST_KEY_BYTES_MAX: usize = 21;

/// How far a block has been followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// The beginning of the next field.
    at: usize,
    /// Bytes behind `at` without a line end.
    searched: usize,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

enum Stop {
    More,
    /// At the empty line, and behind it.
    End(usize, usize),
    /// What stands at the field is none.
    Damaged,
}

impl Framer {
    /// `_` at the beginning of a line.
    pub(super) fn journal_or_line(&mut self, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        if FIRST_KEYS.iter().any(|key| rest.starts_with(key)) {
            self.state = State::Journal(Scan::default());
            return Step::Again;
        }
        let undecided = rest.len() < FIRST_KEY_BYTES_MAX && FIRST_KEYS.iter().any(|key| key.starts_with(rest));
        if undecided && !end { Step::More } else { self.line(end, out) }
    }

    /// Follows a block.
    pub(super) fn journal(&mut self, mut scan: Scan, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        let (len, consumed) = match scan.advance(rest, end) {
            Stop::More if rest.len() > RECORD_BYTES_MAX => return self.start_skip(0, Run::line()),
            Stop::More if !end => {
                self.state = State::Journal(scan);
                return Step::More;
            }
            Stop::More | Stop::Damaged => {
                self.pending.push(Diagnostic::error("journal.field", "the block ends with what is no field"));
                // The fields so far; what is left is looked at as lines.
                (scan.at, scan.at)
            }
            Stop::End(len, consumed) => (len, consumed),
        };
        if len > RECORD_BYTES_MAX {
            return self.start_skip(0, Run::line());
        }
        if scan.fields.is_empty() {
            return self.line(end, out);
        }
        let (offset, line) = self.buffer.place(0);
        let start = out.bytes.len();
        render(rest, &scan.fields, &mut out.bytes);
        out.records.push(Framed {
            start: start as u32,
            len: (out.bytes.len() - start) as u32,
            offset,
            line,
            shape: Shape::Json,
            context: None,
            trouble: self.trouble(),
            lossy: false,
            original_sha256: None,
            original_len: len as u64,
        });
        self.buffer.consume(consumed);
        Step::Again
    }
}

impl Scan {
    fn advance(&mut self, bytes: &[u8], end: bool) -> Stop {
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let found = memchr::memchr(b'\n', rest.get(self.searched..).unwrap_or_default());
            let line_end = match found {
                Some(found) => self.searched + found,
                None if end && rest.is_empty() => return Stop::End(self.at, self.at),
                None if end && memchr::memchr(b'=', rest).is_some() => rest.len(),
                None => {
                    self.searched = rest.len();
                    return Stop::More;
                }
            };
            if line_end == 0 {
                return Stop::End(self.at, self.at + 1);
            }
            let line = rest.get(..line_end).unwrap_or_default();
            let equals = memchr::memchr(b'=', line);
            let key = self.at..self.at + equals.unwrap_or(line_end);
            if !bytes.get(key.clone()).is_some_and(is_key) {
                return Stop::Damaged;
            }
            let behind = self.at + line_end + 1;
            let value = match equals {
                Some(equals) => self.at + equals + 1..self.at + line_end,
                None => {
                    let Some(len) = bytes.get(behind..).and_then(|rest| rest.first_chunk::<8>()) else {
                        return Stop::More;
                    };
                    let len = u64::from_le_bytes(*len);
                    if len > RECORD_BYTES_MAX as u64 {
                        return Stop::Damaged;
                    }
                    behind + 8..behind + 8 + len as usize
                }
            };
            let next = if equals.is_some() { behind.min(bytes.len()) } else { value.end + 1 };
            if next > bytes.len() {
                return Stop::More;
            }
            if equals.is_none() && bytes.get(value.end) != Some(&b'\n') {
                return Stop::Damaged;
            }
            self.fields.push((key, value));
            self.at = next;
            self.searched = 0;
        }
    }
}

fn is_key(key: &[u8]) -> bool {
    !key.is_empty()
        && key.len() <= 64
        && key.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Writes the fields as a JSON object.
fn render(bytes: &[u8], fields: &[(Range<usize>, Range<usize>)], out: &mut Vec<u8>) {
    let part = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
    // Stable, so that values of one key keep their order.
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.sort_by_key(|at| fields.get(*at).map(|(key, _)| part(key)));
    let mut first = true;
    out.push(b'{');
    for group in
        order.chunk_by(|a, b| fields.get(*a).map(|(key, _)| part(key)) == fields.get(*b).map(|(key, _)| part(key)))
    {
        let values: Vec<&[u8]> = group.iter().filter_map(|at| fields.get(*at)).map(|(_, value)| part(value)).collect();
        let Some((key, _)) = group.first().and_then(|at| fields.get(*at)) else { continue };
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_text(&String::from_utf8_lossy(part(key)), out);
        out.push(b':');
        match values.as_slice() {
            [value] => write_value(value, out),
            values => write_list(values, out, |value, out| write_value(value, out)),
        }
    }
    out.push(b'}');
}

fn write_list<T>(values: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(value, out);
    }
    out.push(b']');
}

fn write_value(value: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(value) {
        Ok(text) => write_text(text, out),
        Err(_) => write_list(value, out, |byte, out| out.extend_from_slice(byte.to_string().as_bytes())),
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1F => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
