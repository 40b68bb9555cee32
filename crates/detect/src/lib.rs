//! Sigma rules compiled together and run over a stream of records.
//!
//! [`RuleSet::compile`] takes the questions that all rules ask ([`watchfloor_sigma::Predicate`]), keeps each of them once, and gathers them by
//! field: exact values by hash, pieces of text in one automaton ([`index`]). For every rule it chooses questions of which one must be true if
//! the rule is to match ([`access`]): only rules with such a question answered yes are evaluated at all.
//!
//! An [`Engine`] runs a set over the [`Facts`] of one record after another. Values repeat: what a field's value answers is remembered.
//!
//! Which rules are for a record is decided by its log source ([`source`]); where the fields of rules are found in a record by [`record`].

pub mod access;
pub mod binding;
pub mod budget;
pub mod correlation;
pub mod engine;
pub mod facts;
pub mod index;
pub mod live;
pub mod record;
pub mod ruleset;
pub mod source;
pub mod taxonomy;
pub mod tests_of_values;

pub use binding::Binding;
pub use budget::{Budget, Suspension, Suspensions};
pub use correlation::{Correlated, Correlator, Hit, Settings, State};
pub use engine::Engine;
pub use facts::{Fact, Facts, FieldId};
pub use live::{Detection, Live};
pub use record::Reader;
pub use ruleset::{RuleId, RuleSet, TooLarge};
pub use source::{EventSource, SourceId};
pub use taxonomy::Taxonomy;
