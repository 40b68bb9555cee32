//! Cuts a stream of bytes into records.
//!
//! The stream is looked at record by record, so that mixed files work: whatever stands at the beginning of a line decides what comes
//! next, and a damaged record costs itself, not what follows. The result depends on the bytes alone, never on how they were chunked.
//!
//! | at the beginning of a line | becomes |
//! |---|---|
//! | `{` | a JSON object, on one line or on many; several on a line are several records ([`object`]) |
//! | `[{` | a JSON list, streamed: every element is a record ([`list`]) |
//! | `{… "Records": [{` | a wrapper, if the key is one: every element is a record, what stood before the list is its envelope |
//! | `<Event` | an XML element up to `</Event>` ([`xml`]) |
//! | `type=… msg=audit(1:2)` | part of a Linux audit event, assembled by serial number ([`audit`]) |
//! | `#Fields:`, `#separator`, column names | a header for the rows below it ([`header`]) |
//! | `__CURSOR=` | a block of `journalctl -o export` ([`journal`]) |
//! | `83 <34>1 …` | a syslog message of 83 bytes, line ends included (RFC 6587) |
//! | control characters | binary garbage, one record up to where text goes on ([`skip`]) |
//! | anything else | a line |
//!
//! At the beginning of the input `ElfFile` makes it EVTX ([`evtx`]), and UTF-16 or a byte order mark is transcoded or dropped
//! ([`encoding`]). What is held in memory is bounded by [`RECORD_BYTES_MAX`]; a longer record is cut: its beginning, its length and its
//! hash remain.

mod audit;
mod buffer;
mod encoding;
mod evtx;
mod header;
mod journal;
mod list;
mod object;
mod skip;
mod text;
mod xml;

use std::ops::Range;
use std::sync::Arc;

use watchfloor_model::Diagnostic;

use self::buffer::Buffer;
use crate::frame::{Batch, Context, Framed, Shape};

/// Bytes of an oversize record that are kept.
const OVERSIZE_KEPT_BYTES: usize = 64 * 1024;

/// Cuts a stream into records. Never fails on content; see the [module](self).
pub struct Framer {
    wrappers: Arc<[String]>,
    encoding: encoding::Encoding,
    buffer: Buffer,
    state: State,
    /// The lists whose elements are being taken out, outermost first.
    levels: Vec<list::Level>,
    /// The header in force.
    header: Option<Arc<Context>>,
    audit: audit::Assembly,
    /// No line has been taken yet.
    first: bool,
    /// The input has had an XML declaration or root.
    xml: bool,
    /// A list was left because it is damaged: its closing brackets are no records.
    closers: bool,
    /// What the next record is to say of what stood before it.
    pending: Vec<Diagnostic>,
    /// What stands behind a wrapper's list was said.
    tail_told: bool,
    /// Zero bytes skipped since the last record.
    zeros: u64,
}

/// What is at the beginning of the buffer.
enum State {
    /// A new record, or an element if [`Framer::levels`] has a list.
    Item,
    /// A JSON object, scanned so far.
    Object(object::Scan),
    /// What follows a wrapper's list.
    Tail(object::Scan),
    /// An XML element, scanned so far.
    Xml(xml::Scan),
    /// A journal block, scanned so far.
    Journal(journal::Scan),
    /// An oversize record or garbage, whose end is looked for.
    Skip(Box<skip::Run>),
}

/// Whether the state machine can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Again,
    /// More input is needed. At the end of input everything is consumed instead.
    More,
}

impl Framer {
    /// A framer that takes the elements of these top-level lists as records of their own.
    #[must_use]
    pub fn new(wrappers: Arc<[String]>) -> Self {
        let mut buffer = Buffer::default();
        buffer.line = 1;
        Self {
            wrappers,
            encoding: encoding::Encoding::default(),
            buffer,
            state: State::Item,
            levels: Vec::new(),
            header: None,
            audit: audit::Assembly::default(),
            first: true,
            xml: false,
            closers: false,
            pending: Vec::new(),
            tail_told: false,
            zeros: 0,
        }
    }

    /// Takes the next bytes of the input, in any chunking. Complete records are appended to `out`.
    pub fn feed(&mut self, chunk: &[u8], out: &mut Batch) {
        self.take(chunk, false, out);
    }

    /// The input is at its end: what is left becomes records.
    pub fn finish(&mut self, out: &mut Batch) {
        self.take(&[], true, out);
        self.flush_audit(out);
    }

    /// Runs the state machine as far as the bytes go.
    fn run(&mut self, end: bool, out: &mut Batch) {
        loop {
            let before = (self.buffer.rest().len(), std::mem::discriminant(&self.state), self.levels.len());
            let step = match std::mem::replace(&mut self.state, State::Item) {
                State::Item if self.levels.is_empty() => self.item(end, out),
                State::Item => self.element(end, out),
                State::Object(scan) => self.object(scan, end, out),
                State::Tail(scan) => self.tail(scan, end, out),
                State::Xml(scan) => self.xml(scan, end, out),
                State::Journal(scan) => self.journal(scan, end, out),
                State::Skip(run) => self.skip(run, end, out),
            };
            if step == Step::Again {
                continue;
            }
            let stuck = before == (self.buffer.rest().len(), std::mem::discriminant(&self.state), self.levels.len());
            if !end || self.buffer.rest().is_empty() || stuck {
                return;
            }
        }
    }

    /// Hands over a range of the buffer as a record.
    fn emit(&mut self, range: Range<usize>, shape: Shape, context: Option<Arc<Context>>, out: &mut Batch) {
        let (offset, line) = self.buffer.place(range.start);
        let Some(bytes) = self.buffer.rest().get(range) else { return };
        let lossy = self.buffer.utf16 && memchr::memmem::find(bytes, "\u{fffd}".as_bytes()).is_some();
        let start = out.bytes.len() as u32;
        out.bytes.extend_from_slice(bytes);
        let len = bytes.len();
        out.records.push(Framed {
            start,
            len: len as u32,
            offset,
            line,
            shape,
            context,
            trouble: self.trouble(),
            lossy,
            original_sha256: None,
            original_len: len as u64,
        });
    }

    /// What the next record says of what stood before it.
    fn trouble(&mut self) -> Vec<Diagnostic> {
        self.first = false;
        if self.zeros > 0 {
            let message = format!("{} zero bytes before the record were skipped", self.zeros);
            self.pending.push(Diagnostic::note("text.zeros", message));
            self.zeros = 0;
        }
        std::mem::take(&mut self.pending)
    }
}

/// A line without the carriage return and the zeros at its end.
fn trim_line(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let [before @ .., b'\r' | 0] = line {
        line = before;
    }
    line
}
