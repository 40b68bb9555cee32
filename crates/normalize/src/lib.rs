//! Bytes to OCSF events, with diagnostics and data-quality counts.
//!
//! The way of a record: decode it into a [`watchfloor_model::Document`], bind the document's fields to slots ([`fields`]), find the
//! plan that detects it ([`detect`]), run the plan ([`run`]) into a flat list of attributes ([`event`]), lay that shape of event out
//! ([`layout`]), write it ([`emit`]). Mapping files are parsed by [`language`] and compiled by [`compile`].
//!
//! Nothing here does input or output or reads a clock: the receipt time is an argument.

pub mod compile;
pub mod detect;
pub mod emit;
pub mod engine;
pub mod entities;
pub mod event;
pub mod fields;
pub mod json;
pub mod keys;
pub mod language;
pub mod layout;
pub mod native;
pub mod paths;
pub mod patterns;
pub mod plan;
pub mod quality;
pub mod run;
pub mod shapes;
pub mod tape;
pub mod times;

pub use compile::{Library, PackFault, SourceFile};
pub use engine::{Engine, Options, Outcome, sha256};
pub use plan::PackId;
pub use times::Clock;
