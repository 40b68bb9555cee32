//! Approvals: people agree to one plan, for a short time, in writing.
//!
//! A [`Request`] is a value. `handle_*` say what an input comes to: a [`Record`] for the ledger, or a [`Refusal`] with a stable code; they change nothing.
//! [`Request::apply`] makes the change that a record tells, so that the same records always give the same request. A [`Desk`] is where requests are decided
//! by several at a time: a record is written before it counts, and who stops wins.
//!
//! What is agreed to is the hash of a plan. An edit of the plan, a denial, a revocation or the end of its time end the request for good; nothing that comes
//! after brings it back. When the plan is taken to be done, everything is looked at again with the [`People`] of that moment: who has left, lost the role or
//! the key does not count any more.
//!
//! # What is signed
//!
//! The canonical JSON (RFC 8785) of a [`Statement`] with `"type":"watchfloor.approval.v1"`: request, its nonce, what is said (approve, deny, revoke), hashes of the
//! plan, of the decision that asked and of what was shown, the person, the reason, and the time. An Ed25519 key signs these bytes. A passkey signs an
//! assertion whose challenge is their SHA-256. Who has no passkey signs in again: the house's key for signing in says so, about that SHA-256, at most 5
//! minutes ago.
//!
//! Hashes are written in lower case hexadecimal digits, other bytes in base64url without padding. Times are milliseconds since 1970, UTC.

mod bytes;
mod count;
mod desk;
mod habit;
mod handle;
mod people;
mod proof;
mod record;
mod refusal;
mod request;
mod stamps;
mod statement;
mod webauthn;

pub use crate::plan::Hash as Digest;
pub use bytes::Bytes;
pub use desk::{Desk, DeskError, Exclusive};
pub use habit::{Given, Habit};
pub use people::{House, Key, KeyId, People, Person, Public};
pub use proof::{Proof, SignIn, Signed};
pub use record::{Happened, Record, Stop, Taken, Vote};
pub use refusal::Refusal;
pub use request::{Actor, Ask, Matter, Moment, Phase, Request, RequestId, Ticket, replay};
pub use stamps::{
    DECOY_MEMORY_MS, DECOY_RATE_MAX, DWELL_MS_MAX, GIVEN_MAX, HOUR_MS, Mark, RUN_MAX, Rules, Stamps, decoy_due,
};
pub use statement::{Statement, What};
pub use webauthn::{Assertion, AssertionError, Relying};

/// How long a request lives where nobody says otherwise, in milliseconds: 15 minutes.
pub const LIFETIME_MS: i64 = 15 * 60_000;
/// Shortest life of a request, in milliseconds: 1 minute.
pub const LIFETIME_MS_MIN: i64 = 60_000;
/// Longest life of a request, in milliseconds: 24 hours.
pub const LIFETIME_MS_MAX: i64 = 24 * 3_600_000;
/// Shortest reason, in characters, spaces around it not counted.
pub const REASON_CHARS_MIN: usize = 10;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 1_000;
/// Most people that a request may ask for.
pub const PEOPLE_MAX: u8 = 16;
/// Most approvals of a request.
pub const VOTES_MAX: usize = 32;
/// Most people to whom a request is shown.
pub const SHOWN_MAX: usize = 1_000;
/// Longest id or role, in bytes. The id of a passkey has up to 1,023 bytes, which are 1,364 letters.
pub const NAME_BYTES_MAX: usize = 1_364;
/// Oldest statement that is taken, in milliseconds: 5 minutes.
pub const STATEMENT_AGE_MS_MAX: i64 = 5 * 60_000;
/// Oldest sign-in that stands in for a passkey, in milliseconds: 5 minutes.
pub const SIGN_IN_AGE_MS_MAX: i64 = 5 * 60_000;
/// Latest time, in milliseconds since 1970: the end of the year 9999. Canonical JSON writes it exactly.
pub const TIME_MS_MAX: i64 = 253_402_300_799_999;
/// Longest `clientDataJSON`, in bytes.
pub const CLIENT_DATA_BYTES_MAX: usize = 4_096;
/// Longest `authenticatorData`, in bytes.
pub const AUTHENTICATOR_DATA_BYTES_MAX: usize = 1_024;
/// Most people of a house.
pub const PERSONS_MAX: usize = 100_000;
/// Most keys, and most roles, of one person.
pub const KEYS_MAX: usize = 32;
/// What every approver holds where nobody says otherwise.
pub const ROLE_APPROVER: &str = "approver";

#[cfg(test)]
mod tests;
