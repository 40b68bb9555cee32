//! Data quality, measured record by record and judged at the end.
//!
//! A worker makes one [`Observation`] of each record after the engine has normalised it ([`observe`]); one thread feeds them, in the
//! order of the records, into a [`Quality`] ([`gather`]), so that disorder and gaps do not depend on the number of workers. At the end
//! [`Quality::figures`] gives the [`Figures`] of each source ([`figures`]), and [`judge`] compares them with fixed thresholds and
//! with the figures of an earlier run ([`alarms`]). Figures are written as JSON ([`json`]) and read back as a baseline ([`baseline`]);
//! [`table`] is for people. `docs/quality.md` says what each figure means.
//!
//! Nothing here does input or output. Memory is bounded by the limits below, whatever the records hold.

pub mod alarms;
pub mod baseline;
pub mod figures;
pub mod gather;
pub mod json;
pub mod observe;
mod presence;
mod sequence;
mod shape;
mod spread;
pub mod table;
mod tally;

pub use alarms::{Alarm, judge};
pub use figures::{ClassFigures, Figures, Report, SourceFigures};
pub use gather::Quality;
pub use observe::{Observation, Observer};

/// Record hashes kept to find duplicates. Past it, only copies of records seen before are still found.
pub const HASHES_MAX: usize = 1_000_000;
/// Different fields, over all sources and classes. Past it, new ones are not counted, and drift is not judged for their class.
pub const FIELDS_MAX: usize = 100_000;
/// Different fields looked at in one record.
pub const FIELDS_PER_RECORD_MAX: usize = 1_024;
/// Shapes of records and of events whose counts wait to be added up, for each class of a source.
pub const SHAPES_WAITING_MAX: usize = 512;
/// Shapes of records that one worker remembers.
pub const SHAPES_KNOWN_MAX: usize = 4_096;
/// Hours with figures of their own, over all sources and classes.
pub const HOURS_MAX: usize = 50_000;
/// Streams (host and log) followed for order and for sequence numbers.
pub const SERIES_MAX: usize = 10_000;
/// Runs of numbers kept for one sequence; then the lowest two become one and what lay between them stays missing.
pub const RUNS_MAX: usize = 1_024;
/// Moments kept for each source to find its silences; then they are kept half as finely.
pub const MOMENTS_MAX: usize = 16_384;
/// Different codes and signatures kept for each source.
pub const SIGNATURES_MAX: usize = 256;
/// Signatures reported for each code.
pub const SIGNATURES_SHOWN: usize = 3;
/// Longest signature, in characters.
pub const SIGNATURE_CHARS: usize = 120;
/// Inputs whose source is remembered, so that what is wrong with the input itself is told of that source.
pub const INPUTS_MAX: usize = 10_000;
