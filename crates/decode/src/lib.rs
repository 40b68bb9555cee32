//! Bytes to records, and records to documents. No input or output: bytes come in as slices, in any chunking.
//!
//! 1. The [`Framer`] cuts a stream into records and never fails on content ([`framer`] says how).
//! 2. [`candidates`] says which formats a record may be in, best first, from a look at its first bytes.
//! 3. [`decode`] fills a [`Document`] with the record's fields, or says that the record is not in that format.
//!
//! A structured record inside a syslog header is decoded as the inner format; its fields stand on top and the header's under `syslog`.
//! What each format yields is specified in `docs/mapping.md`, how it is read in the format's module.

pub mod auditd;
pub mod candidates;
pub mod cef;
pub mod format;
pub mod frame;
pub mod framer;
pub mod json;
pub mod kv;
pub mod leef;
mod number;
pub mod row;
pub mod syslog;
mod twice;
pub mod winevent;
pub mod zeek;

pub use candidates::{Candidates, candidates};
pub use format::Format;
pub use frame::{Batch, Context, Framed, Shape, Zeek};
pub use framer::Framer;
pub use json::json_into;
pub use kv::kv_into;
use watchfloor_model::{Diagnostic, Document};

/// Characters of a key that a diagnostic shows.
const KEY_SHOWN_CHARS: usize = 80;

/// Buffers that are reused from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) text: String,
    pub(crate) lines: Vec<auditd::Line>,
    pub(crate) key: String,
}

/// Decodes a record as this format. `raw` is the record's text; `doc` is started, filled and sealed.
///
/// Returns false if the record is not in this format; the document is then empty.
pub fn decode(
    format: Format,
    framed: &Framed,
    raw: &str,
    doc: &mut Document,
    notes: &mut Vec<Diagnostic>,
    scratch: &mut Scratch,
) -> bool {
    doc.start(raw);
    let header = if framed.shape == Shape::Line && format != Format::Text { syslog::header(raw) } else { None };
    let body = header.as_ref().map_or(raw, |header| header.body);
    let before = notes.len();
    let decoded = match format {
        Format::Json => json::root(doc, syslog::skip_cookie(body), notes),
        Format::Syslog => header.as_ref().is_some_and(|header| syslog::decode(header, doc)),
        Format::Text => text(raw, doc),
        Format::Kv => kv::decode(body, doc, scratch),
        Format::Cef => cef::decode(body, doc, notes, scratch),
        Format::Leef => leef::decode(body, doc, notes, scratch),
        Format::Csv | Format::Ssv | Format::W3c => row::decode(format, framed, body, doc, notes, scratch),
        Format::Zeek => zeek::decode(framed, body, doc, notes, scratch),
        Format::Auditd => auditd::decode(raw, doc, notes, scratch),
        Format::Winevent if body.trim_start().starts_with('{') => json::root(doc, body, notes),
        Format::Winevent => winevent::decode(body, doc, notes, scratch),
    };
    let mut surrounded = false;
    if decoded {
        surrounded = surround(framed, header.as_ref(), doc, notes);
        if let Some(full) = doc.full() {
            notes.push(json::too_large(full));
        }
    } else {
        doc.restart();
    }
    let is_json = format == Format::Json;
    // JSON notes them while it is read.
    if decoded && (surrounded || !is_json) {
        twice::note_all(doc);
    }
    // Any number of keys may stand twice: the document has them, the reader needs one sentence.
    if let Some(key) = doc.duplicates().first() {
        // A key is as long as its writer likes, and may have line ends.
        let first: String = doc.text(*key).chars().take(KEY_SHOWN_CHARS).collect();
        let message = format!("{} keys stand twice in one object, first {first:?}", doc.duplicates().len());
        let told = if is_json {
            Diagnostic::warning("json.duplicate_key", message)
        } else {
            Diagnostic::note("record.duplicate_key", message)
        };
        notes.insert(before, told);
    }
    doc.seal();
    decoded
}

/// Adds what stood around the record to the root; whether there was anything.
fn surround(
    framed: &Framed,
    header: Option<&syslog::Header<'_>>,
    doc: &mut Document,
    notes: &mut Vec<Diagnostic>,
) -> bool {
    let envelope = framed.context.as_ref().and_then(|context| Some((context.envelope.as_deref()?, context.beside)));
    if header.is_none() && envelope.is_none() {
        return false;
    }
    if let Some(header) = header {
        syslog::push(header, doc);
    }
    if let Some((text, beside)) = envelope {
        let pushed = if beside {
            json::members(doc, text)
        } else {
            let key = doc.keep("envelope");
            json_into(doc, key, text)
        };
        if let Err(error) = pushed {
            notes.push(Diagnostic::warning("json.envelope", error.message));
        }
    }
    doc.close(0);
    true
}

fn text(raw: &str, doc: &mut Document) -> bool {
    if let Some(root) = doc.open_object("") {
        doc.push_text("message", raw);
        doc.close(root);
    }
    true
}
