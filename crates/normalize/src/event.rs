//! The event in memory: a flat list of attributes over the record's own text.
//!
//! An [`Entry`] is a path number, the array indices on the way, and a value that points into the record's document or into the
//! engine's constants. There is no tree and nothing is copied; nesting is made when an event is written.

use watchfloor_model::{NodeId, Span};
use watchfloor_ocsf::EnumId;

use crate::paths::{Indices, PathId};
use crate::plan::ConstId;

/// A value of an attribute or of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Val {
    /// Text of the record or computed from it.
    Text(Span),
    /// Text of a mapping.
    Const(ConstId),
    /// Whole number.
    Int(i64),
    /// Fraction.
    Float(f64),
    /// Number that is neither: its exact text.
    Number(Span),
    /// Truth value.
    Bool(bool),
    /// Epoch milliseconds.
    Time(i64),
    /// A member of the enumeration it is assigned to.
    Member(i64),
    /// A list or object of the record.
    Node(NodeId),
    /// A list of computed values: range of the machine's list items.
    List(u32, u32),
}

/// One attribute of an event.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Which.
    pub path: PathId,
    /// Members, if it is an enumeration.
    pub enumeration: Option<EnumId>,
    /// Line of the mapping that set it; 0 for what the engine sets.
    pub line: u32,
    /// Where in the arrays.
    pub indices: Indices,
    /// What.
    pub value: Val,
}
