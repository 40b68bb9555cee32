//! What the gate knows besides the plan: everything that a decision depends on, as one value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::{CaseId, EntityId, EvidenceId, MachineId, PersonId, TenantId};

use crate::admit::Admission;
use crate::autonomy::{self, Conditions, Key, Levels, Mohsin, Share, Standing, Versions};
use crate::budget::{BudgetParts, Budgets};
use crate::halt::Halts;
use crate::inventory::{Inventory, Parts};
use crate::plan::{Hash, Plan, Principal};
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
    /// What is running.
    #[serde(default)]
    pub versions: Versions,
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

/// What all the evidence of a case comes to, whatever a plan chooses to name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfCase {
    /// The lowest trust of any of it; none if there is none.
    pub trust: Option<Trust>,
    /// Text in some of it looks like an instruction.
    pub instructs: bool,
    /// The verdict is milder when text in some of it is read.
    pub soothes: bool,
}

impl OfCase {
    fn add(&mut self, evidence: &Evidence) {
        self.trust = Some(self.trust.map_or(evidence.trust, |trust| trust.min(evidence.trust)));
        self.instructs |= evidence.instructs;
        self.soothes |= evidence.soothes;
    }
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
#[derive(Clone, Debug)]
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
    /// How far the house is ready.
    pub readiness: Level,
    /// What its tasks bear.
    pub task: Mohsin,
}

/// What the gate knows.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whether the ledger can be written.
    pub ledger: bool,
    /// Whether the policy that is asked is a signed version that was verified; if nobody said, it is not.
    pub policy_verified: bool,
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
    /// What the evidence of each case comes to.
    pub by_case: BTreeMap<TenantId, BTreeMap<CaseId, OfCase>>,
    /// How much may be done, and how much was.
    pub budgets: Budgets,
    /// Plans that were given out to be carried out: no plan is twice.
    pub done: BTreeSet<Hash>,
    /// What machines have earned.
    pub autonomy: autonomy::State,
    /// What machines have asked for.
    pub admission: Admission,
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
    /// How far the house is ready; 0 if nobody said.
    pub readiness: Level,
    /// What its tasks bear; half of everything if nobody said.
    pub task: Task,
}

/// What tasks bear, if nobody said otherwise: half of everything, which is up to level 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Task(pub Mohsin);

impl Default for Task {
    fn default() -> Self {
        let half = Share::percent(50);
        Self(Mohsin { complexity: half, risk: half, trust: half, complexity_weight: half, risk_weight: half })
    }
}

/// A state as it is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateParts {
    /// Whether the ledger can be written.
    pub ledger: bool,
    /// Whether the policy that is asked is a signed version that was verified; if nobody said, it is not.
    pub policy_verified: bool,
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
    /// What machines have earned.
    pub autonomy: autonomy::State,
    /// What machines have asked for.
    pub admission: Admission,
}

impl Tenant {
    fn parts(&self) -> TenantParts {
        TenantParts {
            inventory: self.inventory.parts(),
            effects: self.effects.clone(),
            uncovered: self.uncovered.clone(),
            degraded: self.degraded,
            windows: self.windows.clone(),
            readiness: self.readiness,
            task: Task(self.task),
        }
    }
}

impl State {
    /// As it is written, what of it the gate looks at when it is asked about a plan: neither other tenants and their evidence, nor other plans, nor the
    /// counters of admission.
    #[must_use]
    pub fn parts_for(&self, plan: &Plan) -> StateParts {
        let tenant = self.tenants.get(&plan.tenant).map(|tenant| (plan.tenant.clone(), tenant.parts()));
        let is_seen = |(id, one): &(&EvidenceId, &Evidence)| one.tenant == plan.tenant || plan.evidence.contains(id);
        let evidence = self.evidence.iter().filter(is_seen).map(|(id, one)| (id.clone(), one.clone()));
        StateParts {
            ledger: self.ledger,
            policy_verified: self.policy_verified,
            halts: self.halts.clone(),
            people: self.people.clone(),
            machines: self.machines.clone(),
            caps: self.caps.clone(),
            tenants: tenant.into_iter().collect(),
            evidence: evidence.collect(),
            budgets: self.budgets.parts().clone(),
            done: self.done.get(&plan.hash()).copied().into_iter().collect(),
            autonomy: self.autonomy.clone(),
            admission: Admission::default(),
        }
    }

    /// How far the machine that asks may go with a verb and a tier; of a person, and of what nobody knows, nothing comes back.
    #[must_use]
    pub fn standing(&self, plan: &Plan, verb: Verb, tier: Tier, now: i64) -> Option<Standing> {
        self.levels(plan, verb, tier, now).map(|levels| levels.standing())
    }

    /// The same without words.
    pub(crate) fn levels(&self, plan: &Plan, verb: Verb, tier: Tier, now: i64) -> Option<Levels<'_>> {
        let Principal::Machine(id) = &plan.requester else { return None };
        let (machine, tenant) = (self.machines.get(id)?, self.tenants.get(&plan.tenant)?);
        let conditions = Conditions {
            readiness: tenant.readiness,
            mohsin: tenant.task,
            running: &machine.versions,
            ledger_reachable: self.ledger,
        };
        let key = Key { tenant: plan.tenant.clone(), verb, class: plan.alert_class.clone(), tier };
        Some(self.autonomy.levels(key, &conditions, now))
    }

    /// The same as a level: none is level 0.
    #[must_use]
    pub fn level(&self, plan: &Plan, verb: Verb, tier: Tier, now: i64) -> Level {
        self.levels(plan, verb, tier, now).map_or(Level::Manual, |levels| levels.level())
    }

    /// Makes a state of what is written. What means nothing is told, and left out.
    #[must_use]
    pub fn new(parts: StateParts) -> (Self, Vec<String>) {
        let mut told = Vec::new();
        let mut tenants = BTreeMap::new();
        for (id, parts) in parts.tenants {
            let (inventory, more) = Inventory::new(parts.inventory);
            told.extend(more.into_iter().map(|told| format!("{id}: {told}")));
            let TenantParts { effects, uncovered, degraded, windows, readiness, task, .. } = parts;
            let tenant = Tenant { inventory, effects, uncovered, degraded, windows, readiness, task: task.0 };
            tenants.insert(id, tenant);
        }
        let mut by_case: BTreeMap<TenantId, BTreeMap<CaseId, OfCase>> = BTreeMap::new();
        for evidence in parts.evidence.values() {
            let cases = by_case.entry(evidence.tenant.clone()).or_default();
            cases.entry(evidence.case.clone()).or_default().add(evidence);
        }
        let state = Self {
            ledger: parts.ledger,
            policy_verified: parts.policy_verified,
            halts: parts.halts,
            people: parts.people,
            machines: parts.machines,
            caps: parts.caps,
            tenants,
            evidence: parts.evidence,
            by_case,
            budgets: Budgets::new(parts.budgets),
            done: parts.done,
            autonomy: parts.autonomy,
            admission: parts.admission,
        };
        (state, told)
    }
}
