//! Records that are too long to keep, and bytes that are no text.
//!
//! Both leave one record: the beginning, the length and the SHA-256 of the whole. A line that is too long goes to its end; an object over
//! many lines to a line that begins with a brace; garbage to the first piece of [`PIECE_BYTES`] that looks like text. Garbage is recognised
//! by its control characters: at least one byte in [`CONTROLS_ONE_IN`].

use sha2::{Digest, Sha256};
use watchfloor_model::Diagnostic;
use watchfloor_model::limits::RECORD_BYTES_MAX;

use super::{Framer, OVERSIZE_KEPT_BYTES, State, Step};
use crate::frame::{Batch, Framed, Shape};

/// Bytes of garbage that are shown, and in which text is looked for.
pub(super) const PIECE_BYTES: usize = 4096;
/// Garbage has at least one control character in this many bytes.
const CONTROLS_ONE_IN: usize = 20;

/// A record that is followed without being kept.
pub(super) struct Run {
    until: Until,
    head: Vec<u8>,
    hash: Sha256,
    len: u64,
    offset: u64,
    line: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    LineEnd,
    /// A line that begins with a brace.
    Brace,
    Text,
}

impl Run {
    fn new(until: Until) -> Self {
        Self { until, head: Vec::new(), hash: Sha256::new(), len: 0, offset: 0, line: 0 }
    }

    /// A line that is too long.
    pub fn line() -> Self {
        Self::new(Until::LineEnd)
    }

    /// An object over many lines that is too long.
    pub fn pretty() -> Self {
        Self::new(Until::Brace)
    }

    /// Garbage.
    pub fn garbage() -> Self {
        Self::new(Until::Text)
    }

    fn absorb(&mut self, piece: &[u8]) {
        let kept = if self.until == Until::Text { PIECE_BYTES } else { OVERSIZE_KEPT_BYTES };
        let room = kept.saturating_sub(self.head.len());
        self.head.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
        self.hash.update(piece);
        self.len += piece.len() as u64;
    }
}

/// Longest character of UTF-8.
const CHARACTER_BYTES_MAX: usize = 4;

/// How many bytes behind a position belong to the character before it.
fn behind_cut(bytes: &[u8], at: usize) -> usize {
    (1..CHARACTER_BYTES_MAX)
        .filter_map(|back| {
            let start = at.checked_sub(back)?;
            let rest = bytes.get(start..)?;
            let len = (back + 1..=CHARACTER_BYTES_MAX).find(|len| {
                rest.get(..*len).is_some_and(|one| std::str::from_utf8(one).is_ok_and(|one| one.chars().count() == 1))
            })?;
            Some(len - back)
        })
        .next()
        .unwrap_or(0)
}

/// Whether bytes are no text.
pub(super) fn is_garbage(bytes: &[u8]) -> bool {
    let controls = controls(bytes);
    controls >= 2 && controls * CONTROLS_ONE_IN >= bytes.len()
}

/// Number of control characters that text does not have. Colours (ESC) and separators (FS to US) are text.
fn controls(bytes: &[u8]) -> usize {
    // Sums of bytes in pieces of fewer than 256 are what the compiler turns into vectors.
    let is_control = |byte: &u8| u8::from(*byte < 0x1B && *byte != b'\t' && *byte != b'\r' && *byte != b'\n');
    bytes.chunks(255).map(|piece| usize::from(piece.iter().map(is_control).sum::<u8>())).sum()
}

impl Framer {
    /// Begins to skip at a position of the buffer.
    pub(super) fn start_skip(&mut self, at: usize, mut run: Run) -> Step {
        self.buffer.consume(at);
        (run.offset, run.line) = (self.buffer.offset, self.buffer.line);
        self.state = State::Skip(Box::new(run));
        Step::Again
    }

    /// Skips as far as the bytes go.
    pub(super) fn skip(&mut self, mut run: Box<Run>, end: bool, out: &mut Batch) -> Step {
        let rest = self.buffer.rest();
        if run.until == Until::Text {
            if rest.len() < PIECE_BYTES + CHARACTER_BYTES_MAX && !end {
                self.state = State::Skip(run);
                return Step::More;
            }
            let mut len = rest.len().min(PIECE_BYTES);
            // A character is not cut: half of one that was transcoded has no place in the input.
            len += behind_cut(rest, len);
            let piece = rest.get(..len).unwrap_or_default();
            if run.len > 0 && !is_garbage(piece) || piece.is_empty() {
                return self.emit_skipped(*run, out);
            }
            run.absorb(piece);
            self.buffer.consume(len);
            self.state = State::Skip(run);
            return Step::Again;
        }
        let Some(line_end) = memchr::memchr(b'\n', rest) else {
            let len = rest.len();
            run.absorb(rest);
            self.buffer.consume(len);
            if end {
                return self.emit_skipped(*run, out);
            }
            self.state = State::Skip(run);
            return Step::More;
        };
        if run.until == Until::LineEnd {
            run.absorb(rest.get(..line_end).unwrap_or_default());
            self.buffer.consume(line_end + 1);
            return self.emit_skipped(*run, out);
        }
        let Some(next) = rest.get(line_end + 1).copied() else {
            if end {
                run.absorb(rest);
                self.buffer.consume(line_end + 1);
                return self.emit_skipped(*run, out);
            }
            self.state = State::Skip(run);
            return Step::More;
        };
        run.absorb(rest.get(..=line_end).unwrap_or_default());
        self.buffer.consume(line_end + 1);
        match next {
            b'{' => return self.emit_skipped(*run, out),
            b'}' => run.until = Until::LineEnd,
            _ => {}
        }
        self.state = State::Skip(run);
        Step::Again
    }

    fn emit_skipped(&mut self, run: Run, out: &mut Batch) -> Step {
        let start = out.bytes.len();
        let garbage = run.until == Until::Text;
        if garbage {
            out.bytes.extend_from_slice(String::from_utf8_lossy(&run.head).as_bytes());
            let message = format!("{} bytes that are no text", run.len);
            self.pending.push(Diagnostic::error("record.binary", message));
        } else {
            out.bytes.extend_from_slice(whole_characters(&run.head));
            let message = format!("{} bytes are more than {RECORD_BYTES_MAX}: only the beginning is kept", run.len);
            self.pending.push(Diagnostic::error("record.oversize", message));
        }
        out.records.push(Framed {
            start: start as u32,
            len: (out.bytes.len() - start) as u32,
            offset: run.offset,
            line: run.line,
            shape: if garbage { Shape::Binary } else { Shape::Line },
            context: None,
            trouble: self.trouble(),
            lossy: garbage,
            original_sha256: Some(run.hash.finalize().into()),
            original_len: run.len,
        });
        Step::Again
    }
}

/// Without the beginning of a character that was cut.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    let cut = bytes.iter().rev().take(3).position(|byte| *byte >= 0xC0).map_or(0, |back| back + 1);
    let tail = bytes.get(bytes.len() - cut..).unwrap_or_default();
    if std::str::from_utf8(tail).is_ok() { bytes } else { bytes.get(..bytes.len() - cut).unwrap_or_default() }
}
