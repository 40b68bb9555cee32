//! What is to say of a file: a code, a place, a sentence, and what to do.

use std::fmt::Write as _;

use watchfloor_model::Grade;

/// A place in a file; line and column count from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
    /// Characters on that line.
    pub len: u32,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, `sigma.what`.
    pub code: &'static str,
    /// How bad it is: an error means that the document cannot be used.
    pub grade: Grade,
    /// Where.
    pub place: Place,
    /// Lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub note: Option<String>,
}

impl Finding {
    /// A document that cannot be used.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { code, grade: Grade::Error, place, message: message.into(), note: None }
    }

    /// Something doubtful.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { code, grade: Grade::Warning, place, message: message.into(), note: None }
    }

    /// What to do about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// For a person: the line of the file, and the place in it.
    #[must_use]
    pub fn render(&self, file: &str, text: &str) -> String {
        let Place { line, column, len } = self.place;
        let mut out = format!("{}[{}]: {}\n", self.grade.as_str(), self.code, self.message);
        let number = line.to_string();
        let blank = " ".repeat(number.len());
        let _ = writeln!(out, "{blank}--> {file}:{line}:{column}");
        if let Some(shown) = text.lines().nth(line.saturating_sub(1) as usize) {
            let shown: String = shown.chars().take(SHOWN_CHARS).collect();
            let room = shown.chars().count().saturating_sub(column.saturating_sub(1) as usize).max(1);
            let marks = "^".repeat((len.max(1) as usize).min(room));
            let before = " ".repeat((column.saturating_sub(1) as usize).min(SHOWN_CHARS));
            let shown = shown.replace('\t', " ");
            let _ = writeln!(out, "{blank} |\n{number} | {shown}\n{blank} | {before}{marks}");
        }
        if let Some(note) = &self.note {
            let _ = writeln!(out, "{blank} = {note}");
        }
        out
    }
}

/// Longest part of a line that is shown.
const SHOWN_CHARS: usize = 200;
