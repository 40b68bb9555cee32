//! The one gate.
//!
//! [`decide`] makes all checks, whatever the first of them says, and the answer is what is as strict as all of them. It changes nothing: the same plan,
//! state, policy and time give the same decision, byte for byte, in whatever order the checks are made.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::{Row, Tier, Verb};
use watchfloor_model::ids::{EntityId, PersonId, PlanId};

use crate::admit::Admitted;
use crate::autonomy::Levels;
use crate::checks;
use crate::inventory::{Asset, NoTarget, Target};
use crate::limit::{Limit, Reason};
use crate::plan::{Action, Hash, Plan, Principal};
use crate::policy::Policy;
use crate::state::{Machine, Person, State, Tenant};

/// What an action comes to, if its verb and target exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub target: EntityId,
    /// How protected that is.
    pub tier: Tier,
    /// What undoes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<Verb>,
    /// After how many seconds it undoes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<u32>,
}

/// What the gate says of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The plan's name.
    pub plan: PlanId,
    /// What it is bound by.
    pub plan_hash: Hash,
    /// The policies that were asked.
    pub policy_hash: Hash,
    /// Epoch milliseconds.
    pub at: i64,
    /// How far it may go.
    #[serde(flatten)]
    pub limit: Limit,
    /// Why: what every check says.
    pub reasons: Vec<Reason>,
    /// Its actions, as they are meant.
    pub actions: Vec<Settled>,
    /// Who granted the levels under which a machine asks.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub grantors: BTreeSet<PersonId>,
    /// What admission said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admitted: Vec<Admitted>,
    /// The first action is done and verified before the others begin.
    pub canary: bool,
}

impl Decision {
    /// What it is known by.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(self)
    }
}

/// One action, and what is known of it.
pub(crate) struct Step<'q> {
    pub number: usize,
    pub action: &'q Action,
    pub verb: Option<&'static Row>,
    pub target: Result<Target, NoTarget>,
    pub asset: Option<&'q Asset>,
    /// How far the machine that asks may go with it.
    pub levels: Option<Levels<'q>>,
}

impl Step<'_> {
    /// The verb and the target, if both exist.
    pub fn meant(&self) -> Option<(&'static Row, &Target)> {
        Some((self.verb?, self.target.as_ref().ok()?))
    }

    /// A reason that is about this action.
    pub fn reason(&self, code: &str, limit: Limit, says: String) -> Reason {
        Reason { code: code.to_owned(), limit, action: Some(self.number), says }
    }
}

/// What all checks look at.
pub(crate) struct Question<'q> {
    pub plan: &'q Plan,
    pub hash: Hash,
    pub state: &'q State,
    pub policy: &'q dyn Policy,
    pub admitted: &'q [Admitted],
    pub now: i64,
    pub tenant: Option<&'q Tenant>,
    pub person: Option<&'q Person>,
    pub machine: Option<&'q Machine>,
    pub steps: Vec<Step<'q>>,
}

impl<'q> Question<'q> {
    fn new(plan: &'q Plan, state: &'q State, policy: &'q dyn Policy, admitted: &'q [Admitted], now: i64) -> Self {
        let tenant = state.tenants.get(&plan.tenant);
        let step = |(number, action): (usize, &'q Action)| {
            let target = tenant.map_or(Err(NoTarget::Name), |tenant| tenant.inventory.resolve(&action.target));
            let asset = target.as_ref().ok().and_then(|target| target.asset.as_ref());
            let asset = asset.and_then(|asset| tenant?.inventory.asset(asset));
            let verb = Verb::parse(&action.verb).map(Verb::row);
            let meant = verb.zip(target.as_ref().ok());
            let levels = meant.and_then(|(row, target)| state.levels(plan, row.verb, target.tier, now));
            Step { number, action, verb, target, asset, levels }
        };
        let (person, machine) = match &plan.requester {
            Principal::Person(id) => (state.people.get(id), None),
            Principal::Machine(id) => (None, state.machines.get(id)),
        };
        let limited = plan.actions.iter().take(crate::plan::ACTIONS_MAX).enumerate();
        Self {
            plan,
            hash: plan.hash(),
            state,
            policy,
            admitted,
            now,
            tenant,
            person,
            machine,
            steps: limited.map(step).collect(),
        }
    }

    /// Actions whose verb and target exist.
    pub fn meant(&self) -> impl Iterator<Item = (&Step<'q>, &'static Row, &Target)> {
        self.steps.iter().filter_map(|step| step.meant().map(|(row, target)| (step, row, target)))
    }

    /// A reason that is about the whole plan.
    pub fn reason(code: &str, limit: Limit, says: String) -> Reason {
        Reason { code: code.to_owned(), limit, action: None, says }
    }

    /// Who granted the levels that the machine stands at: they do not approve what is done under them, and answer for what is done under them alone.
    fn grantors(&self) -> BTreeSet<PersonId> {
        self.steps.iter().filter_map(|step| step.levels.as_ref()?.grantor().cloned()).collect()
    }

    fn settled(&self) -> Vec<Settled> {
        let settled = |(step, row, target): (&Step<'_>, &Row, &Target)| Settled {
            verb: row.verb,
            target: target.id.clone(),
            tier: target.tier,
            inverse: row.inverse,
            lease: step.action.lease,
        };
        self.meant().map(settled).collect()
    }

    /// Whether there is more than one target whose work is touched.
    fn has_several_targets(&self) -> bool {
        let touched: BTreeSet<&EntityId> =
            self.meant().filter(|(_, row, _)| row.touches).map(|(_, _, target)| &target.id).collect();
        touched.len() > 1
    }
}

/// Says how far a plan may go. `admitted` is what [`admit`](crate::admit()) said of it.
#[must_use]
pub fn decide(plan: &Plan, state: &State, policy: &dyn Policy, admitted: &[Admitted], now: i64) -> Decision {
    decide_with(&checks::ALL, plan, state, policy, admitted, now)
}

pub(crate) fn decide_with(
    checks: &[checks::Check],
    plan: &Plan,
    state: &State,
    policy: &dyn Policy,
    admitted: &[Admitted],
    now: i64,
) -> Decision {
    let question = Question::new(plan, state, policy, admitted, now);
    let mut reasons = Vec::new();
    checks.iter().for_each(|check| check(&question, &mut reasons));
    reasons.sort_unstable_by(|a, b| (a.action, &a.code, &a.says).cmp(&(b.action, &b.code, &b.says)));
    let limit = reasons.iter().fold(Limit::Allow, |limit, reason| limit.meet(reason.limit.clone()));
    Decision {
        plan: plan.id.clone(),
        plan_hash: question.hash,
        policy_hash: policy.hash(),
        at: now,
        limit,
        reasons,
        actions: question.settled(),
        grantors: question.grantors(),
        admitted: admitted.to_vec(),
        canary: question.has_several_targets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Answer, Request};
    use crate::state::StateParts;

    struct Silent;

    impl Policy for Silent {
        fn ask(&self, _: &Request<'_>) -> Answer {
            Answer::Silent
        }

        fn hash(&self) -> Hash {
            Hash([2; 32])
        }
    }

    #[test]
    fn the_order_of_checks_does_not_matter() {
        let plan: Plan = serde_json::from_str(
            r#"{"id":"p","tenant":"t","requester":{"machine":"m"},"alert_class":"c","evidence":["a","b"],
                "actions":[{"verb":"shutdown","target":"host:a"},{"verb":"isolate_host","target":"host:b","lease":0},
                           {"verb":"kill_process","target":"file:b"},{"verb":"isolate_host","target":"host:B."}]}"#,
        )
        .unwrap();
        let parts: StateParts = serde_json::from_str(
            r#"{"halts":[{"scope":"everything","by":"anna","reason":"r","at":0}],
                "tenants":{"t":{"degraded":true,"windows":{"windows":[{"name":"w","purpose":"test","from":0,"to":9}]}}},
                "budgets":{"budgets":[{"name":"b","window":1000,"count":1}]}}"#,
        )
        .unwrap();
        let (state, _) = State::new(parts);
        let bytes = serde_json::to_string(&decide(&plan, &state, &Silent, &[], 5)).unwrap();
        let mut checks = checks::ALL;
        for turn in 0..checks.len() {
            for swap in 0..checks.len() - 1 {
                checks.swap(swap, swap + 1);
                let other = decide_with(&checks, &plan, &state, &Silent, &[], 5);
                assert_eq!(serde_json::to_string(&other).unwrap(), bytes, "{turn} {swap}");
            }
        }
        // And all of them say something here: to leave one out makes a difference.
        for left in 0..checks.len() {
            let others: Vec<checks::Check> =
                checks::ALL.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, check)| *check).collect();
            let other = decide_with(&others, &plan, &state, &Silent, &[], 5);
            assert!(serde_json::to_string(&other).unwrap() != bytes || left == 4, "{left}");
        }
    }
}
