//! The script of a rehearsal: a JSON file, read strictly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};
use watchfloor_govern::autonomy::Judgement;
use watchfloor_govern::halt::Scope;
use watchfloor_govern::plan::Plan;
use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::{AlertClass, MachineId, PersonId, PlanId, TenantId};

/// Most steps of a script.
const STEPS_MAX: usize = 10_000;
/// Longest time between two steps, in seconds: a year.
const AFTER_MAX: i64 = 366 * 86_400;

/// A rehearsal as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What the gate knows: a file, from where the script stands.
    pub state: PathBuf,
    /// The policies: a folder or a file, from where the script stands.
    pub policy: PathBuf,
    /// When it begins.
    pub start: String,
    /// Who has a key, and the roles of approvals that they hold.
    #[serde(default)]
    pub people: BTreeMap<PersonId, BTreeSet<String>>,
    steps: Vec<Map<String, Value>>,
}

/// One step.
pub struct Step {
    /// Seconds since the step before.
    pub after: i64,
    /// What must come of it, as words: the answer, and codes that must stand beside it.
    pub expect: Option<String>,
    /// What happens.
    pub what: What,
}

/// What happens in a step.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// Somebody asks for something.
    Propose(Plan),
    /// People are shown a plan that must be refused.
    Decoy { plan: Plan, people: u8 },
    /// People are shown what is asked.
    Show { plan: PlanId, to: Vec<PersonId> },
    /// Somebody approves.
    Approve(Word),
    /// Somebody denies.
    Deny(Word),
    /// Somebody takes back what was approved.
    Revoke(Word),
    /// A plan is carried out.
    CarryOut {
        plan: PlanId,
        #[serde(default)]
        connector: Connector,
    },
    /// Nothing but time.
    Wait {},
    /// A person says how something stands that nobody knew.
    Resolve { plan: PlanId, step: usize, undo: bool, there: bool, by: PersonId },
    /// A person wants a plan undone.
    Recall { plan: PlanId, by: PersonId },
    /// A person stops something.
    Halt {
        scope: Scope,
        by: PersonId,
        reason: String,
        #[serde(default)]
        drill: bool,
    },
    /// A person lifts a halt.
    Lift { scope: Scope, by: PersonId },
    /// A machine chooses, and a person judges that, so many times.
    Judge {
        #[serde(flatten)]
        cell: Cell,
        machine: MachineId,
        times: u32,
        judgement: Judgement,
        by: PersonId,
    },
    /// A person gets the right to promote.
    Entitle { tenant: TenantId, person: PersonId, up_to: Level },
    /// A person lets a machine go further.
    Promote {
        #[serde(flatten)]
        cell: Cell,
        to: Level,
        by: PersonId,
        reason: String,
    },
    /// How far a machine stands.
    Standing {
        #[serde(flatten)]
        cell: Cell,
        machine: MachineId,
    },
    /// Other policies are put in force by people who sign.
    Activate { policy: PathBuf, author: String, by: Vec<PersonId> },
    /// Other roles, or nobody any more.
    People(BTreeMap<PersonId, Option<BTreeSet<String>>>),
    /// Whether the ledger can be written.
    Ledger(bool),
}

/// What somebody says of a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// About which plan.
    pub plan: PlanId,
    /// Who.
    pub by: PersonId,
    /// Why.
    pub reason: String,
    /// How long they had looked, in seconds.
    #[serde(default = "minute")]
    pub looked: i64,
    /// Whose key is used; their own, if nobody else is named.
    #[serde(default)]
    pub key_of: Option<PersonId>,
}

fn minute() -> i64 {
    60
}

/// A cell of autonomy.
#[derive(Clone, Deserialize)]
pub struct Cell {
    /// Whose.
    pub tenant: TenantId,
    /// What is done.
    pub verb: Verb,
    /// On what grounds.
    pub class: AlertClass,
    /// To what.
    pub tier: Tier,
}

/// How the other side behaves.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connector {
    /// It does what it is asked.
    #[default]
    Works,
    /// It says no.
    Refuses,
    /// It says nothing, and does nothing.
    Silent,
    /// It says that it was done, and does nothing.
    Lies,
    /// It does what it is asked and nobody can look.
    Blind,
}

impl Script {
    /// The steps, each of which says one thing.
    pub fn steps(&mut self) -> anyhow::Result<Vec<Step>> {
        let steps = std::mem::take(&mut self.steps);
        anyhow::ensure!(steps.len() <= STEPS_MAX, "more than {STEPS_MAX} steps");
        let read = |(number, step)| Step::read(step).with_context(|| format!("step {number}"));
        (1..).zip(steps).map(read).collect()
    }
}

impl Step {
    fn read(mut step: Map<String, Value>) -> anyhow::Result<Self> {
        let after: i64 = step.remove("after").map_or(Ok(0), serde_json::from_value).context("`after` takes seconds")?;
        anyhow::ensure!((0..=AFTER_MAX).contains(&after), "`after` takes 0 to {AFTER_MAX} seconds");
        let expect = step.remove("expect").map(serde_json::from_value).transpose().context("`expect` takes a text")?;
        anyhow::ensure!(step.len() == 1, "a step says one thing besides `after` and `expect`");
        Ok(Self { after, expect, what: serde_json::from_value(Value::Object(step))? })
    }
}
