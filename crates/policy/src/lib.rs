//! Policy in Cedar: who may ask for which verb on what.
//!
//! [`Policies::read`] makes a set of files, strictly checked against the schema; [`Policies::ask`] answers a request, with the policies
//! that decided. [`enumerate()`] tries a set on every request of a grid against the written guards ([`guard`]); [`differences`] and
//! [`preview`] say what a change changes; [`Version`] says which set is in force and which two people put it there. Proofs beyond the
//! grid need a solver, which is a process: they are in `watchfloor-policy-proof`.
//!
//! Nothing here reads a clock, a file or the environment.

mod ask;
mod diff;
mod enumerate;
mod finding;
mod grid;
pub mod guard;
mod literals;
mod read;
mod request;
mod schema;
mod slice;
mod table;
mod version;
pub mod vocabulary;

pub use ask::{Answer, Verdict};
pub use diff::{Changed, Difference, Past, Way, differences, preview};
pub use enumerate::{Enumeration, enumerate, shows_broken};
pub use finding::{Finding, Place, Severity};
pub use grid::{MAX_COMBINATIONS, MAX_REQUESTS, Walked};
pub use read::{MAX_ID, MAX_POLICIES, MAX_TEXT_BYTES, Policies, Source};
pub use request::{
    BOUNDS, Circumstances, MAX_ROLES, MAX_TAGS, MAX_TENANTS, MAX_TEXT, Principal, Request, RequestError, Target,
};
pub use schema::SCHEMA;
pub use table::{Failure, MAX_TESTS, Table, TableError, Test};
pub use version::{Activation, Hash, Signer, Version, VersionError};
