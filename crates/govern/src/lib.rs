//! The gate. Every action, whoever asks for it, goes through it; its answer is the most restrictive of all checks, and each of them is told.
//!
//! Nothing here reads a clock, a file or a socket: the same plan, state and time give the same decision, byte for byte.

pub mod approvals;
pub mod limit;

pub use limit::{Limit, Need, Reason};
