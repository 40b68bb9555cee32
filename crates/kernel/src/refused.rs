//! Why nothing came of an input.

use std::fmt;

use watchfloor_govern::approvals::Refusal;
use watchfloor_govern::plan::Hash;
use watchfloor_govern::record::KeepError;
use watchfloor_govern::{Decision, Need, autonomy, halt};
use watchfloor_ledger::LeafError;
use watchfloor_model::ids::PersonId;

/// Leaves that are not durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotWritten {
    /// What programs know it by.
    pub code: &'static str,
    /// What happened.
    pub text: String,
}

/// Why nothing came of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// Leaves could not be written: from now on everything is refused.
    NotWritten(NotWritten),
    /// Leaves could not be written before.
    Broken,
    /// It cannot be a leaf.
    Leaf(LeafError),
    /// The decision cannot be kept.
    Keep(KeepError),
    /// No plan of this hash was proposed.
    NoPlan(Hash),
    /// Nobody was asked about it, or nothing is carried out.
    NoRequest,
    /// It is carried out already.
    Running,
    /// The gate does not refuse it: it is no decoy.
    NoDecoy,
    /// Nobody active of that name is known there.
    Person(PersonId),
    /// The act does not wait for a person.
    NotOpen,
    /// The gate says no.
    Denied(Box<Decision>),
    /// Not all have agreed who must.
    NotAgreed(Need),
    /// Nobody answers for it.
    Unaccountable,
    /// About approvals.
    Approval(Refusal),
    /// About halts.
    Halt(halt::Refused),
    /// About autonomy.
    Autonomy(autonomy::Refused),
}

impl Refused {
    /// What programs know it by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWritten(error) => error.code,
            Self::Broken => "kernel.broken",
            Self::Leaf(error) => error.code(),
            Self::Keep(_) => "kernel.keep",
            Self::NoPlan(_) => "kernel.no_plan",
            Self::NoRequest => "kernel.no_request",
            Self::Running => "kernel.running",
            Self::NoDecoy => "kernel.no_decoy",
            Self::Person(_) => "kernel.person",
            Self::NotOpen => "kernel.not_open",
            Self::Denied(_) => "kernel.denied",
            Self::NotAgreed(_) => "kernel.not_agreed",
            Self::Unaccountable => "kernel.unaccountable",
            Self::Approval(refusal) => refusal.code(),
            Self::Halt(refused) => refused.code(),
            Self::Autonomy(refused) => refused.code(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWritten(error) => write!(f, "the ledger could not be written: {}", error.text),
            Self::Broken => f.write_str("the ledger could not be written before, nothing more is done"),
            Self::Leaf(error) => write!(f, "it cannot be recorded: {error}"),
            Self::Keep(error) => write!(f, "it cannot be recorded: {error}"),
            Self::NoPlan(hash) => write!(f, "no plan {hash} was proposed"),
            Self::NoRequest => f.write_str("nobody is asked about this plan"),
            Self::Running => f.write_str("this plan is carried out already"),
            Self::NoDecoy => f.write_str("the gate does not refuse this plan, so it is no decoy"),
            Self::Person(person) => write!(f, "nobody active is known there as {person}"),
            Self::NotOpen => f.write_str("nobody is asked how this stands"),
            Self::Denied(decision) => {
                let codes: Vec<&str> = decision
                    .reasons
                    .iter()
                    .filter(|reason| reason.limit == watchfloor_govern::Limit::Deny)
                    .map(|reason| reason.code.as_str())
                    .collect();
                write!(f, "the gate denies it: {}", codes.join(", "))
            }
            Self::NotAgreed(need) => write!(f, "{} people must agree, and have not", need.people),
            Self::Unaccountable => f.write_str("nobody answers for it"),
            Self::Approval(refusal) => refusal.fmt(f),
            Self::Halt(refused) => write!(f, "the halt is refused: {}", refused.code()),
            Self::Autonomy(refused) => refused.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

macro_rules! from {
    ($($what:ty => $variant:ident),*) => {$(
        impl From<$what> for Refused {
            fn from(error: $what) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    LeafError => Leaf, KeepError => Keep, Refusal => Approval, halt::Refused => Halt, autonomy::Refused => Autonomy
}
