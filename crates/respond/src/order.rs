//! What is to be done next, and what came of it.

use std::collections::BTreeMap;

use watchfloor_govern::plan::{Hash, Value};
use watchfloor_model::action::Verb;
use watchfloor_model::ids::EntityId;

use crate::record::{Act, Came, Record};

/// A moment, by two clocks: one that people set, and one that nobody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Epoch milliseconds. It may jump, both ways.
    pub wall: i64,
    /// Milliseconds since some moment of this start of the house. It never goes back, and never jumps.
    pub steady: i64,
}

/// How an act stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It has not begun.
    #[default]
    Waiting,
    /// It is about to be done; nobody was called.
    Intended,
    /// The connector was perhaps called, so many times, last at this moment.
    Started {
        /// How many times.
        attempts: u32,
        /// When, last.
        at: i64,
    },
    /// It is settled.
    Settled {
        /// What came of it.
        came: Came,
        /// When.
        at: i64,
    },
}

/// What a connector is asked to do, or about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The number of this question: its answer bears it.
    pub number: u64,
    /// What it is for.
    pub act: Act,
    /// The same for all calls of an act.
    pub key: Hash,
    /// What to do, or what is asked about.
    pub verb: Verb,
    /// To what.
    pub target: EntityId,
    /// How.
    pub parameters: BTreeMap<String, Value>,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Write this; when it is durable, [`Saga::apply`] it.
    Write(Record),
    /// Call the connector.
    Do(Call),
    /// Ask it whether the effect of the plan's action is there.
    Look(Call),
    /// Nothing before this moment of the steady clock, unless something comes.
    Pause(i64),
    /// Nothing before this moment, in epoch milliseconds.
    Until(i64),
    /// Nothing, until the halt is lifted.
    Halted,
    /// Nothing, until a person says how an act stands.
    Person(Act),
    /// Nothing any more.
    Rest,
}

/// What a connector says when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done,
    /// It is not done.
    Refused,
    /// Something went wrong: it may have been done.
    Broken,
}

/// What a connector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To a call.
    Did(Answer),
    /// To a look: whether the effect is there; none if it cannot say.
    Saw(Option<bool>),
    /// To a look: nobody can look for this.
    CannotLook,
}
