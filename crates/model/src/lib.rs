//! The nouns of Watchfloor, and no behaviour beyond them.
//!
//! - [`action`]: the closed vocabulary of what can be done, with its table; levels and tiers.
//! - [`ids`]: names of people, machines, entities, plans.
//! - [`document`]: one decoded record as a flat tape of named values.
//! - [`diagnostic`]: what was wrong with an input, with a stable code.
//! - [`limits`]: every bound the house puts on its input, with its unit.

pub mod action;
pub mod diagnostic;
pub mod document;
pub mod ids;
pub mod limits;

pub use diagnostic::{Diagnostic, Grade};
pub use document::{Document, Node, NodeId, Span, Value};
