//! The beginning of a line, and lines.

use watchfloor_model::limits::RECORD_BYTES_MAX;

use super::list::BLANKS_MAX;
use super::object::Scan;
use super::skip::{self, PIECE_BYTES, Run};
use super::{Framer, State, Step, trim_line};
use crate::Format;
use crate::frame::{Batch, Shape};

/// Longest line that begins with `{` and is judged as a whole instead of being followed.
const LINE_LOOK_BYTES: usize = 1024 * 1024;
/// Longest row over several lines.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Longest message of octet-counted syslog.
const COUNTED_BYTES_MAX: usize = 1024 * 1024;

impl Framer {
    /// Looks at the beginning of a line and decides what it is.
    pub(super) fn item(&mut self, end: bool, out: &mut Batch) -> Step {
        // Line ends, zeros of a preallocated or crashed file, and the record separators of RFC 7464.
        let rest = self.buffer.rest();
        let gap = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r' | 0 | 0x1E)).count();
        let zeros = rest.iter().take(gap).filter(|byte| **byte == 0).count();
        self.zeros += zeros as u64;
        self.buffer.consume(gap);
        let rest = self.buffer.rest();
        let indent = rest.iter().take(BLANKS_MAX).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let Some(first) = rest.get(indent).copied() else {
            if end {
                self.buffer.consume(indent);
            }
            return Step::More;
        };
        match first {
            b'\n' | b'\r' => {
                self.buffer.consume(indent);
                Step::Again
            }
            b'{' => self.object_line(indent, end, out),
            b'[' => self.root_list(indent, end, out),
            b'<' => self.tag(indent, end, out),
            b'#' if indent == 0 => self.directive(end, out),
            b'_' if indent == 0 => self.journal_or_line(end, out),
            b'0'..=b'9' if indent == 0 => self.counted_or_line(end, out),
            _ => self.line(end, out),
        }
    }

    /// A line that begins with `{`. Nearly always it is one object, which its brackets tell without looking at its texts.
    fn object_line(&mut self, indent: usize, end: bool, out: &mut Batch) -> Step {
        match self.behind(indent + 1) {
            Some(b'"' | b'}') => {}
            None if !end && self.buffer.rest().len() < BLANKS_MAX => return Step::More,
            _ => return self.line(end, out),
        }
        let line_end = self.buffer.line_end();
        let rest = self.buffer.rest();
        let line_end = match line_end {
            None if rest.len() <= LINE_LOOK_BYTES && !end => return Step::More,
            None => rest.len(),
            Some(line_end) => line_end,
        };
        if line_end <= LINE_LOOK_BYTES {
            let line = rest.get(indent..line_end).unwrap_or_default().trim_ascii_end();
            let brackets = self.brackets(line);
            if brackets.balanced && !brackets.two_objects && !brackets.wrapped {
                let range = indent..indent + line.len();
                let consumed = (line_end + 1).min(rest.len());
                self.emit(range, Shape::Json, None, out);
                self.buffer.consume(consumed);
                return Step::Again;
            }
        }
        self.state = State::Object(Scan::object(indent));
        Step::Again
    }

    /// A line of text, a row, or a line of an audit event.
    pub(super) fn line(&mut self, end: bool, out: &mut Batch) -> Step {
        let found = self.buffer.line_end();
        let rest = self.buffer.rest();
        let line_end = match found {
            Some(line_end) => line_end,
            None if end => rest.len(),
            None if rest.len() <= RECORD_BYTES_MAX => return Step::More,
            None => rest.len(),
        };
        if line_end > RECORD_BYTES_MAX {
            return self.start_skip(0, Run::line());
        }
        let line = trim_line(rest.get(..line_end).unwrap_or_default());
        if skip::is_garbage(line) {
            if rest.len() < PIECE_BYTES && !end {
                return Step::More;
            }
            if skip::is_garbage(rest.get(..rest.len().min(PIECE_BYTES)).unwrap_or_default()) {
                return self.start_skip(0, Run::garbage());
            }
        }
        let consumed = (line_end + 1).min(rest.len());
        let len = line.len();
        if self.closers && line.iter().all(|byte| matches!(byte, b']' | b'}' | b',' | b' ' | b'\t')) {
            self.buffer.consume(consumed);
            return Step::Again;
        }
        if self.first
            && let Some(step) = self.column_names(len, consumed, end)
        {
            return step;
        }
        if self.header.is_some()
            && let Some(step) = self.row(len, consumed, end, out)
        {
            return step;
        }
        if !self.audit_line(len, out) {
            self.emit(0..len, Shape::Line, None, out);
        }
        self.buffer.consume(consumed);
        Step::Again
    }

    /// A line under a header, if it looks like a row of it.
    fn row(&mut self, len: usize, consumed: usize, end: bool, out: &mut Batch) -> Option<Step> {
        let header = self.header.clone()?;
        let rest = self.buffer.rest();
        let line = rest.get(..len).unwrap_or_default();
        let separator = if header.format == Format::Ssv { b' ' } else { header.separator };
        let tabs = header.format == Format::W3c && memchr::memchr(b'\t', line).is_some();
        let separator = if tabs { b'\t' } else { separator };
        let fields = memchr::memchr_iter(separator, line).count() + 1;
        if header.columns.len() > 1 && fields < (header.columns.len() / 2).max(2) {
            return None;
        }
        let quotes = memchr::memchr_iter(b'"', line).count();
        if header.format == Format::Csv && quotes % 2 == 1 {
            match closing_line(rest, consumed, end) {
                Closing::At(line_end) => {
                    let len = trim_line(rest.get(..line_end).unwrap_or_default()).len();
                    let consumed = (line_end + 1).min(rest.len());
                    self.emit(0..len, Shape::Row, Some(header), out);
                    self.buffer.consume(consumed);
                    return Some(Step::Again);
                }
                Closing::Unknown if !end => return Some(Step::More),
                Closing::Unknown | Closing::Nowhere => {}
            }
        }
        self.emit(0..len, Shape::Row, Some(header), out);
        self.buffer.consume(consumed);
        Some(Step::Again)
    }

    /// `83 <34>1 …`: a message of that many bytes, if another one or nothing follows it.
    fn counted_or_line(&mut self, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        let digits = rest.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
        let Some(behind) = rest.get(digits + 1) else {
            return if end { self.line(end, out) } else { Step::More };
        };
        let count = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
        let count = count.filter(|count| (1..=COUNTED_BYTES_MAX).contains(count));
        let (Some(count), Some(b' '), b'<') = (count, rest.get(digits), behind) else {
            return self.line(end, out);
        };
        let start = digits + 1;
        if rest.len() <= start + count && !end {
            return Step::More;
        }
        let next = rest.get(start + count);
        let fits = rest.len() >= start + count
            && next.is_none_or(|next| next.is_ascii_digit() || matches!(next, b'\n' | b'\r'));
        if !fits {
            return self.line(end, out);
        }
        let message = rest.get(start..start + count).unwrap_or_default().trim_ascii_end();
        let range = start..start + message.len();
        self.emit(range, Shape::Line, None, out);
        self.buffer.consume(start + count);
        Step::Again
    }
}

enum Closing {
    /// The line end behind the line that closes the quote.
    At(usize),
    /// Not in the bytes at hand.
    Unknown,
    /// Too far away.
    Nowhere,
}

/// The end of the row whose first line has an odd number of quotes: that of the next line that has, too.
fn closing_line(rest: &[u8], mut at: usize, end: bool) -> Closing {
    while at <= ROW_BYTES_MAX {
        let behind = rest.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'\n', behind) else {
            return match rest.len() {
                len if len > ROW_BYTES_MAX => Closing::Nowhere,
                len if end && memchr::memchr_iter(b'"', behind).count() % 2 == 1 => Closing::At(len),
                _ => Closing::Unknown,
            };
        };
        if memchr::memchr_iter(b'"', behind.get(..found).unwrap_or_default()).count() % 2 == 1 {
            return if at + found <= ROW_BYTES_MAX { Closing::At(at + found) } else { Closing::Nowhere };
        }
        at += found + 1;
    }
    Closing::Nowhere
}
