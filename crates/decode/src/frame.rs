//! What the framer hands over: records as ranges of a batch's bytes, with what stood around them.

use std::sync::Arc;

use watchfloor_model::Diagnostic;

use crate::Format;

/// The header of a file (csv, ssv, w3c, zeek) or the envelope of a record that was taken out of a wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// What the rows are ([`Format::Json`] for an envelope).
    pub format: Format,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// What stands between two columns.
    pub separator: u8,
    /// JSON object text of the wrapper without the list, if it had anything before the list.
    pub envelope: Option<String>,
    /// The envelope's keys stand beside the record's own (`resource` and `scope` of OTLP), not under `envelope`.
    pub beside: bool,
    /// What is particular to Zeek.
    pub zeek: Option<Zeek>,
}

impl Context {
    /// A header with these columns.
    #[must_use]
    pub fn header(format: Format, separator: u8, columns: Vec<String>) -> Self {
        Self { format, columns, separator, envelope: None, beside: false, zeek: None }
    }
}

/// The directives of a Zeek log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zeek {
    /// `#path`: the log's name.
    pub path: String,
    /// `#set_separator`.
    pub set_separator: String,
    /// `#empty_field`: an empty set or text.
    pub empty: String,
    /// `#unset_field`: no value.
    pub unset: String,
    /// `#types`, by column.
    pub types: Vec<String>,
}

/// How a record's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One line of text; its format is found by looking at it.
    Line,
    /// One JSON value.
    Json,
    /// A row under the header in [`Framed::context`].
    Row,
    /// The lines of one Linux audit event, joined by `\n`.
    Auditd,
    /// One `<Event>` element.
    Xml,
    /// A Windows event from EVTX, rendered to JSON text.
    Evtx,
    /// Bytes that are no text, shown as far as they can be.
    Binary,
}

/// One record.
#[derive(Clone, Debug)]
pub struct Framed {
    /// First byte in [`Batch::bytes`].
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
    /// First byte in the input.
    pub offset: u64,
    /// Line in the input, from 1; the record's number in EVTX.
    pub line: u64,
    /// How to read it.
    pub shape: Shape,
    /// What stood around it.
    pub context: Option<Arc<Context>>,
    /// What was wrong with it; usually empty.
    pub trouble: Vec<Diagnostic>,
    /// The bytes in the batch are not the input's: something could not be represented as text.
    pub lossy: bool,
    /// Hash of the whole, where the batch holds only its beginning.
    pub original_sha256: Option<[u8; 32]>,
    /// Length of the record in the input.
    pub original_len: u64,
}

/// Records and their bytes.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The bytes of all records.
    pub bytes: Vec<u8>,
    /// The records, in the order in which they were complete.
    pub records: Vec<Framed>,
    /// What is said of the input between records, with the byte it begins at.
    pub told: Vec<(Diagnostic, u64)>,
}

impl Batch {
    /// The bytes of a record.
    #[must_use]
    pub fn raw(&self, framed: &Framed) -> &[u8] {
        let start = framed.start as usize;
        self.bytes.get(start..start + framed.len as usize).unwrap_or_default()
    }

    /// Empties the batch and keeps its buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.told.clear();
    }
}
