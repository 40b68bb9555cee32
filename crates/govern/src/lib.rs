//! The gate. Every action, whoever asks for it, goes through it; its answer is the most restrictive of all checks, and each of them is told.
//!
//! Nothing here reads a clock, a file or a socket: the same plan, state and time give the same decision, byte for byte.

pub mod admit;
pub mod approvals;
pub mod approved;
pub mod autonomy;
pub mod budget;
mod checks;
pub mod gate;
pub mod halt;
pub mod hex;
pub mod inventory;
pub mod limit;
pub mod plan;
pub mod policy;
pub mod record;
pub mod state;
pub mod window;

pub use admit::{Admitted, admit, probes};
pub use approved::{ApprovedPlan, Refused, Sealed, Token};
pub use gate::{Decision, decide};
pub use limit::{Limit, Need, Reason};
