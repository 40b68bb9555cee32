//! The Open Cybersecurity Schema Framework (OCSF) as a table of facts.
//!
//! - [`schema`]: what classes, objects, attributes and types there are; loaded from the embedded text tables of `schema/`.
//! - [`table`]: the format of those tables. `cargo xtask ocsf-table` makes them from a compiled schema.
//! - [`enumeration`]: the members of an attribute's enumeration, by number, text and caption.
//! - [`check`]: whether a text is of its type, by hand-written checks that agree with the schema's regular expressions.
//! - [`validate`]: whether an event is what its class says, attribute by attribute.
//! - [`export`]: an event as a valid event of an older version, with what was lost.
//! - [`specimen`]: valid events made out of the schema, for tests and fuzzing.
//!
//! A class is never materialised: authentication alone has 3,602 attributes at depth 3. Attributes are looked up as they occur.

pub mod check;
mod convert;
pub mod enumeration;
pub mod export;
mod json_text;
pub mod problem;
#[cfg(test)]
mod reading;
pub mod schema;
pub mod specimen;
pub mod table;
pub mod validate;

pub use check::{Check, TypeProblem, check_text};
pub use enumeration::Enumeration;
pub use export::{Loss, Why, export};
pub use problem::{PROBLEMS_MAX, Problem, ProblemKind};
pub use schema::{
    Attr, Class, ClassId, Constraint, EnumId, Object, ObjectId, Owner, Requirement, Schema, Type, TypeFacts, Version,
};
pub use specimen::specimen;
pub use table::TableError;
pub use validate::validate;
