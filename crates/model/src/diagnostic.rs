//! What was wrong with an input: a stable code, how bad it is, and a sentence for a person.

use std::borrow::Cow;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Worth knowing; nothing is lost or doubtful.
    Note,
    /// The record became an event, but something in it is doubtful or incomplete.
    Warning,
    /// The record could not be read as what it should be; it is kept as a base event.
    Error,
}

impl Grade {
    /// The word a user sees.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding about one record or input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, `area.what`, such as `json.syntax`.
    pub code: &'static str,
    /// How bad it is.
    pub grade: Grade,
    /// Lower case, no full stop.
    pub message: Cow<'static, str>,
}

impl Diagnostic {
    /// A note.
    pub fn note(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, grade: Grade::Note, message: message.into() }
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, grade: Grade::Warning, message: message.into() }
    }

    /// An error.
    pub fn error(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, grade: Grade::Error, message: message.into() }
    }
}
