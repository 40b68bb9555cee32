//! Carries approved plans out.
//!
//! A [`Saga`] says what to do next and is told what came of it; it calls nobody itself. What it says is to be written must be durable before it is told so,
//! and only what was written counts after a crash. It takes an approved plan and nothing else.

pub mod order;
pub mod record;
pub mod saga;
pub mod simulator;

pub use order::{Answer, Call, Moment, Order, Reply, Standing};
pub use record::{Act, Came, Fault, Record};
pub use saga::Saga;
