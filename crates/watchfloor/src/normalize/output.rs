//! What is printed: diagnostics as JSON lines on standard error, notes only once for each input and counted at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use watchfloor_intake::Placed;
use watchfloor_model::{Diagnostic, Grade};
use watchfloor_normalize::Library;
use watchfloor_normalize::json::{write_int, write_str};

use super::quality::Measure;
use super::work::{Piece, Told};
use crate::Ended;

/// Most different notes that are told apart.
const NOTES_MAX: usize = 10_000;

/// What makes two notes the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    input: Arc<str>,
    code: &'static str,
    source: Option<String>,
    message: String,
}

/// A message without its numbers: `resources[3].uid` and `resources[4].uid` are the same complaint.
fn squeezed(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            other => out.push(other),
        }
    }
    out
}

/// The printer's memory.
pub struct Output<'l> {
    failed: bool,
    notes: BTreeMap<Note, u64>,
    line: String,
    measure: Option<Measure<'l>>,
}

impl<'l> Output<'l> {
    pub fn new(measure: Option<Measure<'l>>) -> Self {
        Self { failed: false, notes: BTreeMap::new(), line: String::new(), measure }
    }

    /// Prints what is wrong with an input.
    pub fn trouble(&mut self, placed: &Placed) -> io::Result<()> {
        self.failed |= placed.diagnostic.grade == Grade::Error;
        if let Some(measure) = &mut self.measure {
            measure.trouble(placed);
        }
        self.line.clear();
        let Placed { diagnostic, input, offset } = placed;
        write_told(&mut self.line, diagnostic, input, None, *offset, None);
        io::stderr().lock().write_all(self.line.as_bytes())
    }

    /// Prints the diagnostics of a batch.
    pub fn piece(&mut self, piece: Piece) -> io::Result<()> {
        if let Some(measure) = &mut self.measure {
            measure.batch(&piece.input, &piece.observations);
        }
        self.line.clear();
        for told in &piece.told {
            self.failed |= told.diagnostic.grade == Grade::Error;
            if told.diagnostic.grade == Grade::Note && self.seen(told) {
                continue;
            }
            told.write(&mut self.line);
        }
        if self.line.is_empty() {
            return Ok(());
        }
        io::stderr().lock().write_all(self.line.as_bytes())
    }

    /// Counts a note; true if one like it was printed before.
    fn seen(&mut self, told: &Told) -> bool {
        // Once very many different notes are known, the rest of a code counts as one.
        let full = self.notes.len() >= NOTES_MAX;
        let key = Note {
            input: Arc::clone(&told.input),
            code: told.diagnostic.code,
            source: told.source.clone(),
            message: if full { String::new() } else { squeezed(&told.diagnostic.message) },
        };
        let count = self.notes.entry(key).or_insert(0);
        *count += 1;
        *count > 1
    }

    /// Says how often notes would have been repeated.
    pub fn finish(self, out: &mut dyn Write) -> anyhow::Result<Ended> {
        let mut line = String::new();
        for (note, count) in self.notes.iter().filter(|(_, count)| **count > 1) {
            let Note { input, code, source, message } = note;
            line.push_str("{\"code\":");
            write_str(&mut line, code);
            line.push_str(",\"grade\":\"note\",\"message\":");
            write_str(&mut line, &format!("the same of further records: {message}"));
            line.push_str(",\"input\":");
            write_str(&mut line, input);
            if let Some(source) = source {
                line.push_str(",\"source\":");
                write_str(&mut line, source);
            }
            line.push_str(",\"count\":");
            write_int(&mut line, *count as i64 - 1);
            line.push_str("}\n");
        }
        io::stderr().lock().write_all(line.as_bytes())?;
        let measured = self.measure.map_or(Ok(Ended::Fine), |measure| measure.finish(out))?;
        Ok(if self.failed { Ended::Findings } else { measured })
    }
}

/// Prints the kinds.
pub fn list_sources(library: &Library) -> anyhow::Result<()> {
    let mut kinds = BTreeSet::new();
    for pack in &library.packs {
        let silence = pack.silence.as_ref().map_or(String::new(), |silence| match silence.seconds {
            Some(seconds) => format!("silent after {}: {}", interval(seconds), silence.meaning),
            None => format!("silence says nothing: {}", silence.meaning),
        });
        kinds.insert(format!("{:<36} {:<52} {silence}\n", pack.kind, pack.title));
    }
    Ok(crate::terminal::print(&kinds.into_iter().collect::<String>())?)
}

fn interval(seconds: u64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// Appends a diagnostic as a line of JSON. `record` is the line and the hash of the record that it is about.
pub fn write_told(
    out: &mut String,
    diagnostic: &Diagnostic,
    input: &str,
    source: Option<&str>,
    offset: Option<u64>,
    record: Option<(u64, &str)>,
) {
    out.push_str("{\"code\":");
    write_str(out, diagnostic.code);
    out.push_str(",\"grade\":");
    write_str(out, diagnostic.grade.as_str());
    out.push_str(",\"message\":");
    write_str(out, &diagnostic.message);
    out.push_str(",\"input\":");
    write_str(out, input);
    if let Some(source) = source {
        out.push_str(",\"source\":");
        write_str(out, source);
    }
    if let Some(offset) = offset {
        out.push_str(",\"offset\":");
        write_int(out, offset as i64);
    }
    if let Some((line, hash)) = record {
        out.push_str(",\"line\":");
        write_int(out, line as i64);
        out.push_str(",\"sha256\":");
        write_str(out, hash);
    }
    out.push_str("}\n");
}
