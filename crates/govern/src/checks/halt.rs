//! What is stopped, and whether what is decided can be written down at all.

use std::collections::BTreeSet;

use crate::gate::Question;
use crate::halt::Scope;
use crate::limit::{Limit, Reason};
use crate::plan::Principal;

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let Question { plan, state, .. } = question;
    if !state.ledger {
        let says = "the ledger cannot be written, and what is not recorded is not done";
        reasons.push(Question::reason("ledger.unavailable", Limit::Deny, says.to_owned()));
    }
    let mut tell = |scope: &Scope, code: &str, what: &str| {
        if let Some(halt) = state.halts.of(scope) {
            let drill = if halt.drill { " (a drill)" } else { "" };
            let says = format!("{what} is stopped by {}{drill}: {}", halt.by, halt.reason);
            reasons.push(Question::reason(code, Limit::Deny, says));
        }
    };
    if state.halts.all().next().is_none() {
        return;
    }
    tell(&Scope::Everything, "halt.everything", "everything");
    tell(&Scope::Tenant(plan.tenant.clone()), "halt.tenant", &format!("tenant {}", plan.tenant));
    if let Principal::Machine(id) = &plan.requester {
        tell(&Scope::Machine(id.clone()), "halt.machine", &format!("machine {id}"));
    }
    let verbs: BTreeSet<_> = question.steps.iter().filter_map(|step| step.verb.map(|row| row.verb)).collect();
    for verb in verbs {
        tell(&Scope::Verb(verb), "halt.verb", &format!("verb {}", verb.name()));
    }
}
