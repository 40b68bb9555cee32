//! What is written down of a plan that is carried out. A saga is its records: read again in their order, they make the same saga.

use serde::{Deserialize, Serialize};
use watchfloor_model::ids::PersonId;

/// An action, or what undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Act {
    /// Number of the action in the plan.
    pub step: usize,
    /// What undoes it is meant.
    pub undo: bool,
}

/// Why something was not done, or why nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The time to begin was over.
    Expired,
    /// A person wanted it undone before it began.
    Recalled,
    /// The connector said no, and the effect is not there.
    Refused,
    /// The connector was called, and the effect is not there.
    NotThere,
    /// An effect is still there that was to be undone.
    StillThere,
    /// No answer came, and what it was called for cannot be asked for.
    NoAnswer,
    /// Whether the effect is there could not be found out.
    CannotTell,
}

/// What came of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// It is as it should be; whether that was looked at.
    Succeeded {
        /// The effect was looked for, and is there; or is gone, if it was to be undone.
        verified: bool,
    },
    /// It was so before: nothing was done, and nothing is to be undone.
    AlreadySo,
    /// It was not done.
    Failed(Fault),
    /// Nobody knows: a person looks.
    Unknown(Fault),
}

/// One thing that was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// It is about to be done. Nobody was called.
    Intent {
        /// What.
        act: Act,
        /// Epoch milliseconds.
        at: i64,
    },
    /// The connector is about to be called: from now on it may have been.
    Started {
        /// What.
        act: Act,
        /// Which call it is, from 1.
        attempt: u32,
        /// Epoch milliseconds.
        at: i64,
    },
    /// What came of it.
    Came {
        /// What.
        act: Act,
        /// What came.
        came: Came,
        /// Who answers for it.
        accountable: PersonId,
        /// Epoch milliseconds.
        at: i64,
    },
    /// A person has looked at what nobody knew.
    Resolved {
        /// What.
        act: Act,
        /// Whether the effect is there.
        is_there: bool,
        /// Who.
        by: PersonId,
        /// Epoch milliseconds.
        at: i64,
    },
    /// A person wants all of it undone.
    Recalled {
        /// Who.
        by: PersonId,
        /// Epoch milliseconds.
        at: i64,
    },
}

impl Record {
    /// When it was written.
    #[must_use]
    pub fn at(&self) -> i64 {
        match self {
            Self::Intent { at, .. }
            | Self::Started { at, .. }
            | Self::Came { at, .. }
            | Self::Resolved { at, .. }
            | Self::Recalled { at, .. } => *at,
        }
    }
}
