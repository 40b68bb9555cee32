//! What happened to a request, for the ledger.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use watchfloor_model::ids::PersonId;

use super::{Actor, Ask, Digest, Mark, RequestId, Signed};
use crate::Need;

/// One thing that happened to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// To which request.
    pub request: RequestId,
    /// Its number: 0 is the opening.
    pub number: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What.
    pub what: Happened,
}

/// What can happen to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happened {
    /// It was made.
    Opened(Box<Ask>),
    /// It was shown to a person.
    Shown {
        /// To whom.
        person: PersonId,
        /// Hash of what they saw.
        shown: Digest,
    },
    /// A person approved.
    Approved(Box<Vote>),
    /// A person denied it.
    Denied(Box<Stop>),
    /// A person took back what was approved.
    Revoked(Box<Stop>),
    /// The plan was edited.
    Edited {
        /// By whom.
        by: Actor,
        /// Hash of the plan that it has become.
        plan: Digest,
    },
    /// Its time was over.
    Expired,
    /// The plan was taken to be done.
    Taken(Taken),
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// What was signed.
    pub signed: Signed,
    /// What the counter of the passkey has come to; 0: there is none.
    pub counter: u32,
    /// Roles that the person held.
    pub roles: BTreeSet<String>,
    /// How long they had looked at it, in milliseconds.
    pub dwell_ms: i64,
    /// Whether that is less than the rules ask for.
    pub hurried: bool,
    /// Whether the request is a decoy.
    pub decoy: bool,
    /// Why this person's approvals need a second one.
    pub marks: BTreeSet<Mark>,
}

/// A denial or a revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// What was signed.
    pub signed: Signed,
    /// What the counter of the passkey has come to; 0: there is none.
    pub counter: u32,
    /// Whether the request is a decoy.
    pub decoy: bool,
}

/// How a plan was taken to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Hash of the plan.
    pub plan: Digest,
    /// What was needed at that moment.
    pub need: Need,
    /// Whose approvals counted at that moment.
    pub people: BTreeSet<PersonId>,
}
