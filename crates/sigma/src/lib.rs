//! The Sigma rule language: rules, correlations and filters out of YAML text, checked. It knows no events.
//!
//! [`read`] takes the text of a file and gives its documents and what is to say of them. It never fails as a whole: a document that cannot be
//! used is left out, and every finding has a stable code, a place in the file and, where there is something to do, a note.
//!
//! What a rule asks of an event is a [`Logic`]: a tree of conditions over [`Predicate`]s, each a question to one field (or, for keywords,
//! to all of them). Modifiers, wildcards and escapes, encodings and placeholders are resolved when the rule is read; what is left to an engine
//! are the questions of [`Test`].

pub mod condition;
mod correlation;
mod detection;
mod effort;
mod finding;
mod lint;
pub mod logic;
mod meta;
mod modifiers;
pub mod pattern;
mod read;
mod variants;
pub mod yaml;

pub use correlation::{Bound, Correlation, CorrelationCondition, CorrelationKind};
pub use detection::search;
pub use effort::Reading;
pub use finding::{Finding, Place};
pub use logic::{Logic, Order, Predicate, Test};
pub use meta::{Level, LogSource, Meta, Related, Status};
pub use pattern::{Part, Pattern};
pub use read::{Document, Filter, Options, Read, Rule, read};
