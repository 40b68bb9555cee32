//! What is stopped, and whether what is decided can be written down at all.

use crate::gate::Question;
use crate::limit::{Limit, Reason};
use crate::plan::Principal;
use crate::state::Scope;

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let Question { plan, state, .. } = question;
    if !state.ledger {
        let says = "the ledger cannot be written, and what is not recorded is not done";
        reasons.push(Question::reason("ledger.unavailable", Limit::Deny, says.to_owned()));
    }
    if state.halts.is_empty() {
        return;
    }
    let mut tell = |scope: &Scope, code: &str, what: &str| {
        if let Some(why) = state.halts.get(scope) {
            reasons.push(Question::reason(code, Limit::Deny, format!("{what} is stopped: {why}")));
        }
    };
    tell(&Scope::Everything, "halt.everything", "everything");
    tell(&Scope::Tenant(plan.tenant.clone()), "halt.tenant", &format!("tenant {}", plan.tenant));
    if let Principal::Machine(id) = &plan.requester {
        tell(&Scope::Machine(id.clone()), "halt.machine", &format!("machine {id}"));
    }
    let verbs: std::collections::BTreeSet<_> =
        question.steps.iter().filter_map(|step| step.verb.map(|row| row.verb)).collect();
    for verb in verbs {
        tell(&Scope::Verb(verb), "halt.verb", &format!("verb {}", verb.name()));
    }
}
