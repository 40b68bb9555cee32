//! Autonomy that is earned: how far a machine may go alone is kept for each tenant, verb, class of alerts and tier, and is the least of five levels: what a
//! person granted, what outcomes have earned, how far the house is ready, how far the verb may ever go, and what the task bears.
//!
//! - [`bound`]: what so many agreements and failures prove, however often one looks.
//! - [`cell`]: choices of the machine, what people say of them, and when what was granted falls by itself.
//! - [`drift`]: whether the last outcomes are worse than those before.
//! - [`promotion`]: what a person signs to let the machine go further.
//! - [`closed`]: how cases that were closed without a person are looked at again.
//! - [`standing`]: the five levels and the least of them.
//! - [`report`]: what the machine would have done beside what people did.
//! - [`state`]: all cells, made by records.

pub mod bound;
pub mod cell;
pub mod closed;
pub mod drift;
pub mod promotion;
pub mod refused;
pub mod report;
pub mod standing;
pub mod state;

pub use crate::hex::Hex;
pub use bound::Share;
pub use cell::{Cell, Choice, Judgement, Key, ShadowId, Versions, Why};
pub use promotion::{Promotion, Signed};
pub use refused::Refused;
pub use standing::{Conditions, Levels, Mohsin, Standing};
pub use state::{CELLS_MAX, NAME_BYTES_MAX, PROMOTERS_MAX, Record, State};
