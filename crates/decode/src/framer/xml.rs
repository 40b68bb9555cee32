//! XML: Windows events as `<Event>` elements, one after the other or under an `<Events>` root, on one line or on many.
//!
//! The scan looks for `</Event>` of the same prefix. An element is damaged where another `<Event` begins before it is closed, or where a
//! line begins like another record (`{"`, or `<` and a digit). The declaration, `<Events>` and comments around are no records; a document
//! type definition is refused (`xml.dtd`), and its entities are never known.

use watchfloor_model::Diagnostic;
use watchfloor_model::limits::RECORD_BYTES_MAX;

use super::skip::Run;
use super::{Framer, State, Step};
use crate::frame::{Batch, Shape};

/// Longest tag name that is looked at.
const NAME_BYTES_MAX: usize = 64;
/// Longest tag or declaration outside of events.
const TAG_BYTES_MAX: usize = 64 * 1024;

/// How far an element has been followed.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    start: usize,
    at: usize,
    /// The element's name with its prefix.
    name: Vec<u8>,
}

enum Stop {
    More,
    End(usize),
    Damaged(usize),
}

impl Framer {
    /// `<` at the beginning of a line.
    pub(super) fn tag(&mut self, indent: usize, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest().get(indent + 1..).unwrap_or_default();
        let name_len = rest.iter().take(NAME_BYTES_MAX).position(|byte| !is_name_part(*byte));
        let name = match name_len {
            Some(len) => rest.get(..len).unwrap_or_default(),
            None if !end && rest.len() < NAME_BYTES_MAX => return Step::More,
            None => return self.line(end, out),
        };
        match local(name) {
            b"Event" => {
                self.xml = true;
                let name = name.to_vec();
                self.state = State::Xml(Scan { start: indent, at: indent + 1 + name.len(), name });
                Step::Again
            }
            b"Events" | b"/Events" => {
                self.xml = true;
                self.skip_tag(indent, b">", end, out)
            }
            b"?xml" => {
                self.xml = true;
                self.skip_tag(indent, b"?>", end, out)
            }
            name if self.xml && name.starts_with(b"!--") => self.skip_tag(indent, b"-->", end, out),
            b"!DOCTYPE" => self.definition(indent, end, out),
            _ => self.line(end, out),
        }
    }

    /// Drops a tag up to its closing sign.
    fn skip_tag(&mut self, indent: usize, close: &[u8], end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        let look = rest.get(..rest.len().min(indent + TAG_BYTES_MAX)).unwrap_or_default();
        match memchr::memmem::find(look.get(indent..).unwrap_or_default(), close) {
            Some(found) => {
                self.buffer.consume(indent + found + close.len());
                Step::Again
            }
            None if !end && look.len() == rest.len() => Step::More,
            None => self.line(end, out),
        }
    }

    /// A document type definition: one record that says it was refused.
    fn definition(&mut self, indent: usize, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        let look = rest.get(..rest.len().min(indent + TAG_BYTES_MAX)).unwrap_or_default();
        let mut subset = false;
        let close = look.iter().position(|byte| {
            match byte {
                b'[' => subset = true,
                b']' => subset = false,
                _ => {}
            }
            *byte == b'>' && !subset
        });
        match close {
            Some(close) => {
                let message = "document type definitions are refused, entities are not expanded";
                self.pending.push(Diagnostic::error("xml.dtd", message));
                self.emit(indent..close + 1, Shape::Line, None, out);
                self.buffer.consume(close + 1);
                Step::Again
            }
            None if !end && look.len() == rest.len() => Step::More,
            None => self.line(end, out),
        }
    }

    /// Follows an element.
    pub(super) fn xml(&mut self, mut scan: Scan, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        let stop = scan.advance(rest);
        let reached = match stop {
            Stop::More => rest.len(),
            Stop::End(at) | Stop::Damaged(at) => at,
        };
        if reached - scan.start > RECORD_BYTES_MAX {
            return self.start_skip(scan.start, Run::line());
        }
        let taken = match stop {
            Stop::More if !end => {
                self.state = State::Xml(scan);
                return Step::More;
            }
            Stop::More | Stop::Damaged(_) => {
                self.pending.push(Diagnostic::error("xml.unclosed", "the element is not closed"));
                reached
            }
            Stop::End(_) => reached,
        };
        let len = rest.get(scan.start..taken).unwrap_or_default().trim_ascii_end().len();
        self.emit(scan.start..scan.start + len, Shape::Xml, None, out);
        self.buffer.consume(taken);
        Step::Again
    }
}

impl Scan {
    fn advance(&mut self, bytes: &[u8]) -> Stop {
        loop {
            let Some(found) = bytes.get(self.at..).and_then(|rest| memchr::memchr2(b'<', b'\n', rest)) else {
                self.at = bytes.len();
                return Stop::More;
            };
            self.at += found;
            let behind = bytes.get(self.at + 1..).unwrap_or_default();
            // What decides is a slash, the name, and one byte.
            if behind.len() < self.name.len() + 2 {
                return Stop::More;
            }
            if bytes.get(self.at) == Some(&b'\n') {
                let other = matches!(behind, [b'{', b'"', ..] | [b'<', b'0'..=b'9', ..]);
                if other {
                    return Stop::Damaged(self.at);
                }
                self.at += 1;
                continue;
            }
            if let Some(name) = behind.strip_prefix(b"/")
                && let Some(after) = name.strip_prefix(self.name.as_slice())
                && after.first().is_some_and(|byte| !is_name_part(*byte))
            {
                let Some(close) = memchr::memchr(b'>', after) else { return Stop::More };
                return Stop::End(bytes.len() - after.len() + close + 1);
            }
            let again = behind.strip_prefix(self.name.as_slice()).and_then(<[u8]>::first);
            if again.is_some_and(|byte| !is_name_part(*byte)) {
                return Stop::Damaged(self.at);
            }
            self.at += 1;
        }
    }
}

fn is_name_part(byte: u8) -> bool {
    !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'<')
}

/// A name without its prefix; a closing tag keeps its slash.
fn local(name: &[u8]) -> &[u8] {
    if name.starts_with(b"?") || name.starts_with(b"!") {
        return name;
    }
    let colon = memchr::memrchr(b':', name);
    match (name.starts_with(b"/"), colon) {
        (false, Some(colon)) => name.get(colon + 1..).unwrap_or_default(),
        (true, Some(colon)) if name.get(colon + 1..) == Some(b"Events") => b"/Events",
        _ => name,
    }
}
