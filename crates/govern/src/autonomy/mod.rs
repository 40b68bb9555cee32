//! Autonomy that is earned.

pub mod bound;
pub mod drift;
