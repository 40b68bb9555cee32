//! Policy, as the gate asks it: written rules of the house, in a language of their own.

use std::collections::BTreeSet;

use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::{AlertClass, EntityId, PersonId, TenantId};

use crate::plan::{Hash, Principal};
use crate::state::{Sort, Trust};

/// What policy is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// For whom.
    pub tenant: &'r TenantId,
    /// Who asks.
    pub principal: &'r Principal,
    /// What they are, if no person.
    pub sort: Option<Sort>,
    /// What they may be asked for, if a person.
    pub roles: &'r BTreeSet<String>,
    /// Tenants that they act for.
    pub tenants: &'r BTreeSet<TenantId>,
    /// To do what.
    pub verb: Verb,
    /// To what.
    pub target: &'r EntityId,
    /// How protected that is.
    pub tier: Tier,
    /// What it is.
    pub tags: &'r BTreeSet<String>,
    /// Who answers for it.
    pub owner: Option<&'r PersonId>,
    /// What kind of alert it answers.
    pub alert_class: &'r AlertClass,
    /// How far the machine may go here by itself; where a person asks, 0: no machine acts.
    pub level: Level,
    /// The lowest trust of the evidence.
    pub trust: Trust,
    /// The score of risk that admission gave, of 100; of a person 0.
    pub risk: u8,
    /// The tag that is added or taken away; none: an empty text.
    pub tag: &'r str,
    /// How many targets the plan has.
    pub targets: usize,
    /// After how many seconds it undoes itself; 0: not by itself.
    pub lease: u32,
    /// Epoch milliseconds.
    pub now: i64,
}

/// What policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These policies permit it.
    Permit(Vec<String>),
    /// These policies forbid it.
    Forbid(Vec<String>),
    /// No policy permits it.
    Silent,
    /// These policies could not be evaluated: what they would have said is not known.
    Failed(Vec<String>),
}

/// Written rules of the house.
pub trait Policy {
    /// Asks.
    fn ask(&self, request: &Request<'_>) -> Answer;

    /// What they are known by.
    fn hash(&self) -> Hash;
}
