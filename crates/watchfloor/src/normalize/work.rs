//! What a worker thread does with a batch.

use std::io::Write as _;
use std::sync::Arc;

use watchfloor_decode::{Batch, Framed};
use watchfloor_model::{Diagnostic, Document, Span};
use watchfloor_normalize::entities::{entities, write_entities};
use watchfloor_normalize::json::{Sink as _, write_int, write_str};
use watchfloor_normalize::quality::{Observation, Observer};
use watchfloor_normalize::{Clock, Engine, Library, Outcome};
use watchfloor_ocsf::{Schema, Version, export};

use super::options::{Options, Show};
use super::output::write_told;

/// The output of a batch.
#[derive(Debug)]
pub struct Piece {
    /// Where its records come from.
    pub input: Arc<str>,
    /// Lines for standard output.
    pub events: Vec<u8>,
    /// Diagnostics of records.
    pub told: Vec<Told>,
    /// Number of records.
    pub records: u64,
    /// What quality is measured from, if it is.
    pub observations: Vec<Observation>,
}

/// A diagnostic of a record, ready to print.
#[derive(Debug)]
pub struct Told {
    pub diagnostic: Diagnostic,
    pub input: Arc<str>,
    pub source: Option<String>,
    pub offset: u64,
    pub line: u64,
    pub hash: String,
}

/// One worker.
pub struct Worker<'l> {
    library: &'l Library,
    options: &'l Options,
    engine: Engine<'l>,
    event: Vec<u8>,
    document: Document,
    observer: Option<Observer<'l>>,
}

impl<'l> Worker<'l> {
    pub fn new(library: &'l Library, options: &'l Options) -> Self {
        let clock = Clock { received: options.received.unwrap_or(0), zone: options.zone.clone() };
        let source = options.source.as_deref().and_then(|kind| library.kind(kind));
        let wish = watchfloor_normalize::Options { clock, raw: options.raw, source };
        let observer = options.show.is_quality().then(|| Observer::new(library));
        Self {
            library,
            options,
            engine: Engine::new(library, wish),
            event: Vec::new(),
            document: Document::new(),
            observer,
        }
    }

    /// Normalises a batch.
    pub fn batch(&mut self, input: &Arc<str>, batch: &Batch) -> Piece {
        let mut piece = Piece {
            input: Arc::clone(input),
            events: Vec::new(),
            told: Vec::new(),
            records: 0,
            observations: Vec::new(),
        };
        if self.options.received.is_none() {
            self.engine.received(jiff::Timestamp::now().as_millisecond());
        }
        for framed in &batch.records {
            self.event.clear();
            let outcome = self.engine.normalize(framed, batch.raw(framed), &mut self.event);
            piece.records += 1;
            if let Some(observer) = &mut self.observer {
                piece.observations.push(observer.observe(&self.engine, &outcome));
            }
            self.show(&mut piece, input, framed, &outcome);
            let source = outcome.pack.and_then(|pack| self.library.pack(pack)).map(|pack| pack.kind.as_str());
            for diagnostic in self.engine.diagnostics() {
                piece.told.push(Told {
                    diagnostic: diagnostic.clone(),
                    input: Arc::clone(input),
                    source: source.map(str::to_owned),
                    offset: framed.offset,
                    line: framed.line,
                    hash: outcome.hash.clone(),
                });
            }
        }
        piece
    }

    fn show(&mut self, piece: &mut Piece, input: &Arc<str>, framed: &Framed, outcome: &Outcome) {
        match self.options.show {
            Show::Events if self.options.version == Version::V1_8 => {
                piece.events.extend_from_slice(&self.event);
                piece.events.push(b'\n');
            }
            Show::Events => self.export(piece, input, framed, outcome),
            Show::Explanation => self.explain(&mut piece.events, input, framed, outcome),
            Show::Entities => self.entities(&mut piece.events, input, framed, outcome),
            Show::QualityTable | Show::QualityJson => {}
        }
    }

    /// The event in an older version, and what it lost.
    fn export(&mut self, piece: &mut Piece, input: &Arc<str>, framed: &Framed, outcome: &Outcome) {
        let mut tell = |code, grade: fn(&'static str, String) -> Diagnostic, message: String| {
            piece.told.push(Told {
                diagnostic: grade(code, message),
                input: Arc::clone(input),
                source: None,
                offset: framed.offset,
                line: framed.line,
                hash: outcome.hash.clone(),
            });
        };
        let event = String::from_utf8_lossy(&self.event);
        self.document.start(&event);
        self.document.seal();
        let mut lost = Vec::new();
        let mut older = String::new();
        let exported = watchfloor_decode::json_into(&mut self.document, Span::default(), &event).is_ok()
            && export(Schema::v1_8(), Schema::version(self.options.version), &self.document, &mut older, &mut lost)
                .is_ok();
        if exported {
            piece.events.extend_from_slice(older.as_bytes());
            piece.events.push(b'\n');
        } else {
            let version = self.options.version.as_str();
            tell("ocsf.export", Diagnostic::error, format!("the event cannot be written as OCSF {version}"));
        }
        for loss in lost {
            tell("ocsf.export_loss", Diagnostic::note, format!("`{}`: {}", loss.path, loss.why));
        }
    }

    /// The entities of an event as a line of JSON.
    fn entities(&self, out: &mut Vec<u8>, input: &str, framed: &Framed, outcome: &Outcome) {
        out.push_str("{\"input\":");
        write_str(out, input);
        out.push_str(",\"line\":");
        write_int(out, framed.line as i64);
        out.push_str(",\"class_uid\":");
        write_int(out, i64::from(self.library.schema.class_info(outcome.class).uid));
        out.push_str(",\"record_sha256\":");
        write_str(out, &outcome.hash);
        out.push_str(",\"entities\":");
        write_entities(out, &entities(&self.engine.machine));
        out.push_str("}\n");
    }

    fn explain(&self, out: &mut Vec<u8>, input: &str, framed: &Framed, outcome: &Outcome) {
        let pack = outcome.pack.and_then(|pack| self.library.pack(pack));
        let class = &self.library.schema.class_info(outcome.class).name;
        let kind = pack.map_or("unknown source", |pack| pack.kind.as_str());
        // Writing to memory cannot fail.
        let _ = writeln!(out, "{input}, line {}: {kind}, class {class}", framed.line);
        for line in self.engine.machine.explanation() {
            let made_by = match pack {
                Some(pack) if line.line > 0 => format!("{}:{}", pack.file, line.line),
                _ => "the engine".to_owned(),
            };
            let _ = writeln!(out, "  {:<44} {:<48} {made_by}", line.path, line.value);
        }
        out.push(b'\n');
    }
}

impl Told {
    /// As a line of JSON.
    pub fn write(&self, out: &mut String) {
        let record = (self.line, self.hash.as_str());
        write_told(out, &self.diagnostic, &self.input, self.source.as_deref(), Some(self.offset), Some(record));
    }
}
