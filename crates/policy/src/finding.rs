//! What is wrong with a set of policies, and where.

use serde::Serialize;

use crate::request::Request;

/// Whether a set with this finding may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The set cannot be used.
    Error,
    /// The set can be used; a person should look.
    Warning,
}

/// A place in a file, from 1; `start` and `length` are bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
    /// Bytes before it.
    pub start: usize,
    /// Bytes of it.
    pub length: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is, if it has a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The policy that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A request that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Box<Request>>,
}

impl Finding {
    /// An error without a place.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            place: None,
            policy: None,
            message: message.into(),
            note: None,
            example: None,
        }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// With its place.
    #[must_use]
    pub fn at(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }

    /// With the policy that it is about.
    #[must_use]
    pub fn of(self, policy: &str) -> Self {
        Self { policy: Some(policy.to_owned()), ..self }
    }

    /// With what to do.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// With a request that shows it.
    #[must_use]
    pub fn shown_by(self, request: Request) -> Self {
        Self { example: Some(Box::new(request)), ..self }
    }

    /// Whether the set cannot be used.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

impl Place {
    /// The place of `length` bytes after `start` bytes of a file.
    #[must_use]
    pub fn in_text(file: &str, text: &str, start: usize, length: usize) -> Self {
        let start = start.min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { file: file.to_owned(), line, column, start, length: length.min(text.len() - start) }
    }
}
