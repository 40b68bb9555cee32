//! The nouns of Watchfloor, and no behaviour beyond them.
//!
//! - [`document`]: one decoded record as a flat tape of named values.
//! - [`diagnostic`]: what was wrong with an input, with a stable code.
//! - [`limits`]: every bound the house puts on its input, with its unit.

pub mod diagnostic;
pub mod document;
pub mod limits;

pub use diagnostic::{Diagnostic, Grade};
pub use document::{Document, Node, NodeId, Span, Value};
