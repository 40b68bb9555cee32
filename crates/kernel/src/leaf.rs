//! What becomes of records when they are leaves: their kind, whose they are, who did it, and who answers for it.
//!
//! The detail of a leaf is the record itself, as it is written in JSON; of what happens to a plan it has the plan's hash besides.

use serde::Serialize;
use serde_json::{Map, Value};
use watchfloor_govern::approvals::{Actor, Happened, Record as Approval};
use watchfloor_govern::autonomy::Record as Autonomy;
use watchfloor_govern::autonomy::closed::Event;
use watchfloor_govern::halt::{self, Scope};
use watchfloor_govern::plan::Plan;
use watchfloor_govern::record::Kept;
use watchfloor_ledger::{Draft, Kind, LeafError};
use watchfloor_model::ids::PersonId;
use watchfloor_respond::{Came, Record as Done, Saga};

/// Whose a leaf is that is about all tenants.
pub const EVERYBODY: &str = "*";
/// Who does what no person and no machine of the house does.
const KERNEL: &str = "kernel";
/// Who answers for what nobody answers for: nothing is done of it.
const NOBODY: &str = "-";

pub(crate) fn draft(
    kind: Kind,
    names: (&str, &str, &str),
    at: i64,
    record: &impl Serialize,
) -> Result<Draft, LeafError> {
    let written = serde_json::to_value(record).map_err(|error| LeafError::Json(error.to_string()))?;
    let detail = match written {
        Value::Object(detail) => detail,
        other => Map::from_iter([("record".to_owned(), other)]),
    };
    Draft::new(kind, names, at, &detail)
}

/// The leaf of a decision.
///
/// # Errors
///
/// A name of the plan cannot stand in a leaf, or what stands there is too large.
pub fn decision(plan: &Plan, kept: &Kept, at: i64) -> Result<Draft, LeafError> {
    let accountable = kept.accountable.as_ref().map_or(NOBODY, PersonId::as_str);
    let actor = plan.requester.to_string();
    Draft::new(Kind::Decision, (plan.tenant.as_str(), &actor, accountable), at, &kept.detail)
}

#[derive(Serialize)]
struct OfPlan<'r, R> {
    plan: String,
    record: &'r R,
}

pub(crate) fn approval(plan: &Plan, record: &Approval, at: i64) -> Result<Draft, LeafError> {
    let (kind, actor) = match &record.what {
        Happened::Opened(ask) => (
            Kind::Approval,
            match &ask.requester {
                Actor::Person { person } => person.to_string(),
                Actor::Machine { machine, .. } => machine.to_string(),
            },
        ),
        Happened::Shown { person, .. } => (Kind::Approval, person.to_string()),
        Happened::Approved(vote) => (Kind::Approval, vote.signed.statement.person.to_string()),
        Happened::Denied(stop) => (Kind::Approval, stop.signed.statement.person.to_string()),
        Happened::Revoked(stop) => (Kind::Revocation, stop.signed.statement.person.to_string()),
        Happened::Edited { .. } | Happened::Expired | Happened::Taken(_) => (Kind::Approval, KERNEL.to_owned()),
    };
    // People answer for what they sign; for the rest, who asks.
    let accountable =
        if kind == Kind::Approval && actor == KERNEL { plan.requester.to_string() } else { actor.clone() };
    let record = OfPlan { plan: plan.hash().to_string(), record };
    draft(kind, (plan.tenant.as_str(), &actor, &accountable), at, &record)
}

pub(crate) fn done(saga: &Saga, record: &Done) -> Result<Draft, LeafError> {
    let plan = saga.plan().plan();
    let kind = match record {
        Done::Intent { .. } => Kind::Intent,
        Done::Started { .. } => Kind::Started,
        Done::Came { act, came: Came::Succeeded { .. }, .. } if act.undo => Kind::Undo,
        Done::Came { .. } | Done::Resolved { .. } => Kind::Outcome,
        Done::Recalled { .. } => Kind::Revocation,
    };
    let actor = match record {
        Done::Resolved { by, .. } | Done::Recalled { by, .. } => by.as_str(),
        _ => KERNEL,
    };
    let of_plan = OfPlan { plan: saga.plan().decision().plan_hash.to_string(), record };
    draft(kind, (plan.tenant.as_str(), actor, saga.plan().accountable().as_str()), record.at(), &of_plan)
}

/// Whose a halt is.
pub(crate) fn scope_of(record: &halt::Record) -> String {
    let scope = match record {
        halt::Record::Set(halt) => &halt.scope,
        halt::Record::Lifting { scope, .. } | halt::Record::Lifted { scope, .. } => scope,
    };
    match scope {
        Scope::Tenant(tenant) => tenant.to_string(),
        _ => EVERYBODY.to_owned(),
    }
}

/// The members of a leaf.
pub(crate) struct Names {
    pub kind: Kind,
    pub tenant: String,
    pub actor: PersonId,
    pub accountable: PersonId,
}

pub(crate) fn autonomy(record: &Autonomy) -> Names {
    let nobody = || PersonId::from(KERNEL);
    let (kind, tenant, actor) = match record {
        Autonomy::Chosen { key, .. } => (Kind::Shadow, &key.tenant, nobody()),
        Autonomy::Judged { key, by, .. } => (Kind::Shadow, &key.tenant, by.clone()),
        Autonomy::Promoted(signed) => (Kind::Promotion, &signed.promotion.key.tenant, signed.promotion.by.clone()),
        Autonomy::Lowered { key, by, .. } => (Kind::Demotion, &key.tenant, by.clone()),
        Autonomy::CoverageMissing { key } | Autonomy::CoverageRestored { key } => {
            (Kind::Demotion, &key.tenant, nobody())
        }
        Autonomy::Entitled { tenant, person, .. } | Autonomy::Disentitled { tenant, person } => {
            (Kind::Promotion, tenant, person.clone())
        }
        Autonomy::Review(event) => match event {
            Event::Promised { tenant, .. } | Event::Closed { tenant, .. } | Event::Drawn { tenant, .. } => {
                (Kind::Verdict, tenant, nobody())
            }
            Event::Reviewed { tenant, by, .. } => (Kind::Verdict, tenant, by.clone()),
        },
    };
    Names { kind, tenant: tenant.to_string(), accountable: actor.clone(), actor }
}
