//! JSON lists whose elements are records, and the objects that wrap them.
//!
//! A list is never held: its elements are handed over one by one, however long it is. The keys that stand before a wrapper's list are
//! kept as its **envelope**, up to [`ENVELOPE_BYTES_MAX`]; those behind it are not (they are counts and links to the next page), which a
//! note says, except for further wrapped lists. OTLP (`resourceLogs[].scopeLogs[].logRecords[]`) is three such lists; `resource` and `scope` of the
//! envelopes stand beside the log record's own keys.
//!
//! Something other than an object in a list ends it: the framer goes on line by line.

use std::sync::Arc;

use watchfloor_model::Diagnostic;
use watchfloor_model::limits::RECORD_BYTES_MAX;

use super::object::{Brackets, Scan, Stop};
use super::skip::Run;
use super::{Framer, State, Step, trim_line};
use crate::Format;
use crate::frame::{Batch, Context, Shape};

/// Longest envelope that is kept with every record of its list.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of what is not kept that are shown.
const SHOWN_BYTES: usize = 200;
/// Bytes in which a line end is looked for, so that an element on a line of its own need not be followed byte by byte.
const LINE_LOOK_BYTES: usize = 64 * 1024;
/// Blanks that may stand before what decides.
pub(super) const BLANKS_MAX: usize = 4096;

/// A list whose elements are being taken out.
pub(super) struct Level {
    kind: Kind,
    /// Members of the objects around the list, as JSON text.
    members: String,
    context: Option<Arc<Context>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The input's outermost list.
    Root,
    Wrapped,
    /// `resourceLogs`, `scopeLogs`, `logRecords`.
    Resources,
    Scopes,
    Logs,
}

/// Whether a key's list is taken apart in an object that is an element of `level`.
fn is_wrapper(level: Option<&Level>, wrappers: &[String], key: &[u8]) -> bool {
    match level.map(|level| level.kind) {
        None | Some(Kind::Root) => key == b"resourceLogs" || wrappers.iter().any(|name| name.as_bytes() == key),
        Some(Kind::Resources) => key == b"scopeLogs",
        Some(Kind::Scopes) => key == b"logRecords",
        Some(Kind::Wrapped | Kind::Logs) => false,
    }
}

impl Framer {
    /// `[` at the beginning of a line: a list of objects, or text.
    pub(super) fn root_list(&mut self, indent: usize, end: bool, out: &mut Batch) -> Step {
        match self.behind(indent + 1) {
            Some(b'{') => {
                self.levels.push(Level { kind: Kind::Root, members: String::new(), context: None });
                self.first = false;
                self.buffer.consume(indent + 1);
                Step::Again
            }
            None if !end && self.buffer.rest().len() < BLANKS_MAX => Step::More,
            _ => self.line(end, out),
        }
    }

    /// The first byte behind a position that is not blank.
    pub(super) fn behind(&self, at: usize) -> Option<u8> {
        let rest = self.buffer.rest().get(at..).unwrap_or_default();
        rest.iter().take(BLANKS_MAX).find(|byte| !byte.is_ascii_whitespace()).copied()
    }

    /// The next element of a list, or its end.
    pub(super) fn element(&mut self, end: bool, out: &mut Batch) -> Step {
        let is_gap = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b',';
        let gap = self.buffer.rest().iter().take_while(is_gap).count();
        self.buffer.consume(gap);
        match self.buffer.rest().first() {
            None if end => {
                self.levels.clear();
                Step::More
            }
            None => Step::More,
            Some(b'{') => self.element_object(end, out),
            Some(b']') => {
                self.buffer.consume(1);
                if self.levels.pop().is_some_and(|level| level.kind != Kind::Root) {
                    self.state = State::Tail(Scan::tail());
                }
                Step::Again
            }
            Some(_) => self.leave_lists(),
        }
    }

    fn leave_lists(&mut self) -> Step {
        self.levels.clear();
        self.closers = true;
        Step::Again
    }

    /// An element: on a line of its own it is taken as a whole, otherwise followed.
    fn element_object(&mut self, end: bool, out: &mut Batch) -> Step {
        let line_end = self.buffer.line_end();
        let rest = self.buffer.rest();
        let line_end = match line_end {
            None if rest.len() <= LINE_LOOK_BYTES && !end => return Step::More,
            None => rest.len(),
            Some(line_end) => line_end,
        };
        if line_end <= LINE_LOOK_BYTES {
            let line = trim_line(rest.get(..line_end).unwrap_or_default()).trim_ascii_end();
            let line = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
            let brackets = self.brackets(line);
            if brackets.balanced && !brackets.two_objects && !brackets.two_elements && !brackets.wrapped {
                let len = line.len();
                self.emit(0..len, Shape::Json, self.context(), out);
                self.buffer.consume(len);
                return Step::Again;
            }
        }
        self.state = State::Object(Scan::object(0));
        Step::Again
    }

    /// What a line's brackets say here.
    pub(super) fn brackets(&self, line: &[u8]) -> Brackets {
        let level = self.levels.last();
        Brackets::of(line, &|key| is_wrapper(level, &self.wrappers, key))
    }

    /// The envelope of the list at hand.
    fn context(&self) -> Option<Arc<Context>> {
        self.levels.last().and_then(|level| level.context.clone())
    }

    /// Follows an object.
    pub(super) fn object(&mut self, mut scan: Scan, end: bool, out: &mut Batch) -> Step {
        let level = self.levels.last();
        let rest = self.buffer.rest();
        let stop = scan.advance(rest, end, &|key| is_wrapper(level, &self.wrappers, key));
        let reached = match stop {
            Stop::More => rest.len(),
            Stop::End(at) | Stop::Damaged(at) | Stop::List { inside: at, .. } => at,
        };
        if reached - scan.start > RECORD_BYTES_MAX {
            return self.oversize_object(&scan, out);
        }
        match stop {
            Stop::More if !end => {
                self.state = State::Object(scan);
                Step::More
            }
            Stop::More => self.damaged(&scan, reached, out),
            Stop::Damaged(at) => self.damaged(&scan, at, out),
            Stop::List { key, inside } => self.enter(&scan, key, inside),
            Stop::End(at) if self.levels.is_empty() => self.behind_object(scan, at, end, out),
            Stop::End(at) => {
                self.emit(scan.start..at, Shape::Json, self.context(), out);
                self.buffer.consume(at);
                Step::Again
            }
        }
    }

    /// What stands behind an object on its line: nothing, another object, or something that makes it text.
    fn behind_object(&mut self, scan: Scan, at: usize, end: bool, out: &mut Batch) -> Step {
        let start = scan.start;
        let rest = self.buffer.rest();
        let blanks = rest.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        let next = at + blanks.take(BLANKS_MAX).count();
        let taken = match rest.get(next) {
            None if !end && next - at < BLANKS_MAX => {
                self.state = State::Object(scan);
                return Step::More;
            }
            None | Some(b'\n' | b'{' | 0x1E | 0) => next,
            Some(b',') => next + 1,
            Some(b']' | b'}') if self.closers => next + 1,
            Some(_) => {
                let found = rest.get(next..).and_then(|rest| memchr::memchr(b'\n', rest)).map(|found| next + found);
                if found.is_none() && !end && rest.len() - start <= RECORD_BYTES_MAX {
                    self.state = State::Object(scan);
                    return Step::More;
                }
                let line_end = found.unwrap_or(rest.len());
                if line_end - start > RECORD_BYTES_MAX {
                    return self.oversize_object(&scan, out);
                }
                let len = trim_line(rest.get(start..line_end).unwrap_or_default()).len();
                let shape = if scan.first_line_end.is_some() { Shape::Json } else { Shape::Line };
                self.emit(start..start + len, shape, None, out);
                self.buffer.consume((line_end + 1).min(self.buffer.rest().len()));
                return Step::Again;
            }
        };
        self.emit(start..at, Shape::Json, None, out);
        self.buffer.consume(taken);
        Step::Again
    }

    /// An object that is damaged before `at`, a line end or the end of input. If it was written over many lines it is one damaged record;
    /// otherwise its first line is, and what follows is looked at anew.
    fn damaged(&mut self, scan: &Scan, at: usize, out: &mut Batch) -> Step {
        let line_end = if scan.pretty { at } else { scan.first_line_end.unwrap_or(at) };
        let rest = self.buffer.rest();
        let len = trim_line(rest.get(scan.start..line_end).unwrap_or_default()).len();
        let shape = if scan.first_line_end.is_some_and(|first| first < line_end) { Shape::Json } else { Shape::Line };
        let consumed = (line_end + 1).min(rest.len());
        self.emit(scan.start..scan.start + len, shape, self.context(), out);
        self.buffer.consume(consumed);
        Step::Again
    }

    fn oversize_object(&mut self, scan: &Scan, out: &mut Batch) -> Step {
        match scan.first_line_end {
            Some(first) if !scan.pretty && first - scan.start <= RECORD_BYTES_MAX => self.damaged(scan, first, out),
            Some(_) if scan.pretty => self.start_skip(scan.start, Run::pretty()),
            _ => self.start_skip(scan.start, Run::line()),
        }
    }

    /// Goes into a wrapper's list. What stands before it becomes the envelope.
    fn enter(&mut self, scan: &Scan, key: usize, inside: usize) -> Step {
        let rest = self.buffer.rest();
        let name = rest.get(key + 1..inside).unwrap_or_default();
        let parent = self.levels.last();
        let kind = match parent.map(|level| level.kind) {
            None | Some(Kind::Root) if name.starts_with(b"resourceLogs\"") => Kind::Resources,
            Some(Kind::Resources) => Kind::Scopes,
            Some(Kind::Scopes) => Kind::Logs,
            _ => Kind::Wrapped,
        };
        let before = rest.get(scan.start + 1..key).unwrap_or_default().trim_ascii();
        let before = before.strip_suffix(b",").unwrap_or(before).trim_ascii();
        let mut members = parent.map(|level| level.members.clone()).unwrap_or_default();
        if members.len() + before.len() <= ENVELOPE_BYTES_MAX {
            if !members.is_empty() && !before.is_empty() {
                members.push(',');
            }
            members.push_str(&String::from_utf8_lossy(before));
        } else {
            let message =
                format!("what stands before the list is longer than {ENVELOPE_BYTES_MAX} bytes and was left out");
            self.pending.push(Diagnostic::warning("json.envelope", message));
        }
        let context = (!members.is_empty()).then(|| {
            let mut context = Context::header(Format::Json, b',', Vec::new());
            context.envelope = Some(format!("{{{members}}}"));
            context.beside = kind != Kind::Wrapped;
            Arc::new(context)
        });
        self.levels.push(Level { kind, members, context });
        self.first = false;
        self.buffer.consume(inside);
        Step::Again
    }

    /// Follows what is left of a wrapper behind its list.
    pub(super) fn tail(&mut self, mut scan: Scan, end: bool, out: &mut Batch) -> Step {
        let level = self.levels.last();
        let rest = self.buffer.rest();
        match scan.advance(rest, end, &|key| is_wrapper(level, &self.wrappers, key)) {
            Stop::More if !end && rest.len() <= RECORD_BYTES_MAX => {
                self.state = State::Tail(scan);
                Step::More
            }
            Stop::More | Stop::Damaged(_) => self.leave_lists(),
            Stop::End(at) if at <= RECORD_BYTES_MAX => {
                let members = rest.get(..at.saturating_sub(1)).unwrap_or_default();
                if let Some(note) = not_kept(members).filter(|_| !self.tail_told) {
                    // Once for an input: the next wrapper has the same.
                    self.tail_told = true;
                    out.told.push((note, self.buffer.place(0).0));
                }
                self.buffer.consume(at);
                Step::Again
            }
            Stop::List { key, inside } if inside <= RECORD_BYTES_MAX => self.enter(&scan, key, inside),
            Stop::End(_) | Stop::List { .. } => self.leave_lists(),
        }
    }
}

/// What is said of the members behind a wrapper's list.
fn not_kept(members: &[u8]) -> Option<Diagnostic> {
    let members = members.trim_ascii();
    let members = String::from_utf8_lossy(members.strip_prefix(b",").unwrap_or(members).trim_ascii()).into_owned();
    let shown = members.get(..members.floor_char_boundary(SHOWN_BYTES)).unwrap_or_default();
    let message =
        || format!("what stands behind the list of records is not kept with them (said once for an input): {shown}");
    (!members.is_empty()).then(|| Diagnostic::note("json.envelope", message()))
}
