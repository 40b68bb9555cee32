//! Written policy: who may ask for which verb on what. What forbids wins, what cannot be evaluated forbids, and what nobody permits is not permitted.

use std::collections::BTreeSet;

use watchfloor_model::action::Level;
use watchfloor_model::ids::TenantId;

use crate::autonomy::Levels;
use crate::gate::Question;
use crate::limit::{Limit, Reason};
use crate::plan::Value;
use crate::policy::{Answer, Request};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    if !question.state.policy_verified {
        let says = "the policy is no signed version that was verified".to_owned();
        reasons.push(Question::reason("policy.unverified", Limit::Deny, says));
    }
    let (none, nobodys) = (BTreeSet::new(), BTreeSet::new());
    let targets: BTreeSet<_> = question.meant().map(|(_, _, target)| &target.id).collect();
    let trust = super::evidence::trust(question);
    // Where a person asks no machine acts; of a machine that nobody knows the worst is assumed.
    let unknown = if question.plan.requester.is_machine() { Level::HighStakes } else { Level::Manual };
    for (step, row, target) in question.meant() {
        let request = Request {
            tenant: &question.plan.tenant,
            principal: &question.plan.requester,
            sort: question.machine.map(|machine| machine.sort),
            roles: question.person.map_or(&none, |person| &person.roles),
            tenants: tenants(question).unwrap_or(&nobodys),
            verb: row.verb,
            target: &target.id,
            tier: target.tier,
            tags: step.asset.map_or(&none, |asset| &asset.tags),
            owner: step.asset.and_then(|asset| asset.owner.as_ref()),
            alert_class: &question.plan.alert_class,
            level: step.levels.as_ref().map_or(unknown, Levels::level),
            trust,
            risk: question
                .admitted
                .iter()
                .find(|admitted| admitted.action == step.number)
                .map_or(0, |admitted| admitted.score),
            tag: match step.action.parameters.get("tag") {
                Some(Value::Text(tag)) => tag,
                _ => "",
            },
            targets: targets.len(),
            lease: step.action.lease.unwrap_or(0),
            now: question.now,
        };
        let (code, says) = match question.policy.ask(&request) {
            Answer::Permit(_) => continue,
            Answer::Forbid(policies) => ("policy.forbids", format!("policy forbids it: {}", policies.join(", "))),
            Answer::Silent => ("policy.silent", format!("no policy permits {} here", row.verb.name())),
            Answer::Failed(policies) => {
                ("policy.failed", format!("policies could not be evaluated: {}", policies.join(", ")))
            }
        };
        reasons.push(step.reason(code, Limit::Deny, says));
    }
}

/// Tenants that who asks acts for.
fn tenants<'q>(question: &Question<'q>) -> Option<&'q BTreeSet<TenantId>> {
    let machine = question.machine.map(|machine| &machine.tenants);
    question.person.map(|person| &person.tenants).or(machine)
}
