//! Admission control of agents' actions after ACP (the Agent Control Protocol, arXiv 2603.18829).
//!
//! The crate is pure: no clock, file, socket or random number. Times are epoch milliseconds in [`risk`] and [`counters`], epoch
//! seconds in [`tokens`], as the specification has them there.
//!
//! `docs/acp-deviations.md` lists where the published specification, its vectors and its reference implementation contradict each
//! other, and what this crate does.

pub mod bar;
pub mod counters;
pub mod risk;
pub mod tokens;
