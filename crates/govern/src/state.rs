//! What the gate knows besides the plan: everything that a decision depends on, as one value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::{CaseId, EntityId, EvidenceId, MachineId, PersonId, TenantId};

use crate::budget::{BudgetParts, Budgets};
use crate::halt::Halts;
use crate::inventory::{Inventory, Parts};
use crate::plan::Hash;
use crate::window::Windows;

/// A named person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Whether they are with the house now.
    pub active: bool,
    /// What they may be asked for.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Tenants that they act for.
    pub tenants: BTreeSet<TenantId>,
}

/// What asks without being a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Something that investigates and proposes.
    Agent,
    /// A detection rule.
    Rule,
    /// A client of the interface.
    Client,
}

/// A machine that may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Whether it may ask now.
    pub active: bool,
    /// What it is.
    pub sort: Sort,
    /// Tenants that it acts for.
    pub tenants: BTreeSet<TenantId>,
    /// Who answers for it.
    pub supervisor: PersonId,
}

/// How much a source of evidence is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Anybody can send it.
    Unauthenticated,
    /// Who sent it is known.
    Authenticated,
    /// Who made it has signed it.
    Attested,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Whose it is.
    pub tenant: TenantId,
    /// The case that it belongs to.
    pub case: CaseId,
    /// Where it comes from.
    pub source: String,
    /// The lowest trust of all sources that it was made of.
    pub trust: Trust,
    /// Text in it looks like an instruction to whoever reads it.
    #[serde(default)]
    pub instructs: bool,
    /// The verdict is milder when text in it is read.
    #[serde(default)]
    pub soothes: bool,
}

/// Something in force that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// What was done.
    pub verb: Verb,
    /// To what.
    pub target: EntityId,
    /// The asset that it is, or stands in.
    #[serde(default)]
    pub asset: Option<EntityId>,
}

/// A cap below that of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// For this verb.
    pub verb: Verb,
    /// And assets of this tier, or of one that is as protected or more.
    pub tier: Tier,
    /// Up to this level.
    pub level: Level,
}

/// What belongs to a tenant.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// What there is.
    pub inventory: Inventory,
    /// What was done and is in force.
    pub effects: Vec<Effect>,
    /// Assets of which nothing is known at the moment, though it should be; everything, if the tenant itself is not covered.
    pub uncovered: BTreeSet<EntityId>,
    /// The tenant's telemetry as a whole is missing or degraded.
    pub degraded: bool,
    /// When what may be done.
    pub windows: Windows,
}

/// What the gate knows.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whether the ledger can be written.
    pub ledger: bool,
    /// What is stopped.
    pub halts: Halts,
    /// People.
    pub people: BTreeMap<PersonId, Person>,
    /// Machines.
    pub machines: BTreeMap<MachineId, Machine>,
    /// Caps below those of the table.
    pub caps: Vec<Cap>,
    /// Tenants.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// Evidence.
    pub evidence: BTreeMap<EvidenceId, Evidence>,
    /// Evidence of each case.
    pub by_case: BTreeMap<(TenantId, CaseId), BTreeSet<EvidenceId>>,
    /// How much may be done, and how much was.
    pub budgets: Budgets,
    /// Plans that were given out to be carried out: no plan is twice.
    pub done: BTreeSet<Hash>,
}

/// A tenant as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantParts {
    /// What there is.
    pub inventory: Parts,
    /// What was done and is in force.
    pub effects: Vec<Effect>,
    /// Assets of which nothing is known at the moment.
    pub uncovered: BTreeSet<EntityId>,
    /// The tenant's telemetry as a whole is missing or degraded.
    pub degraded: bool,
    /// When what may be done.
    pub windows: Windows,
}

/// A state as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateParts {
    /// Whether the ledger can be written.
    pub ledger: bool,
    /// What is stopped.
    pub halts: Halts,
    /// People.
    pub people: BTreeMap<PersonId, Person>,
    /// Machines.
    pub machines: BTreeMap<MachineId, Machine>,
    /// Caps below those of the table.
    pub caps: Vec<Cap>,
    /// Tenants.
    pub tenants: BTreeMap<TenantId, TenantParts>,
    /// Evidence.
    pub evidence: BTreeMap<EvidenceId, Evidence>,
    /// How much may be done, and how much was.
    pub budgets: BudgetParts,
    /// Plans that were given out to be carried out: no plan is twice.
    pub done: BTreeSet<Hash>,
}

impl State {
    /// Makes a state of what is written. What means nothing is told, and left out.
    #[must_use]
    pub fn new(parts: StateParts) -> (Self, Vec<String>) {
        let mut told = Vec::new();
        let mut tenants = BTreeMap::new();
        for (id, parts) in parts.tenants {
            let (inventory, more) = Inventory::new(parts.inventory);
            told.extend(more.into_iter().map(|told| format!("{id}: {told}")));
            let TenantParts { effects, uncovered, degraded, windows, .. } = parts;
            tenants.insert(id, Tenant { inventory, effects, uncovered, degraded, windows });
        }
        let mut by_case: BTreeMap<(TenantId, CaseId), BTreeSet<EvidenceId>> = BTreeMap::new();
        for (id, evidence) in &parts.evidence {
            by_case.entry((evidence.tenant.clone(), evidence.case.clone())).or_default().insert(id.clone());
        }
        let state = Self {
            ledger: parts.ledger,
            halts: parts.halts,
            people: parts.people,
            machines: parts.machines,
            caps: parts.caps,
            tenants,
            evidence: parts.evidence,
            by_case,
            budgets: Budgets::new(parts.budgets),
            done: parts.done,
        };
        (state, told)
    }
}
