//! How much was done lately, and how much may be.

use std::collections::BTreeMap;

use crate::budget::Use;
use crate::gate::Question;
use crate::limit::{Limit, Reason};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let asked = uses(question);
    let hosts = question.tenant.map_or(0, |tenant| tenant.inventory.hosts());
    for short in question.state.budgets.short(&asked, hosts, question.now) {
        let name = &short.budget.name;
        let (code, says) = match short.has {
            Some(has) => (
                "budget.spent",
                format!("{name}: {} of {has} were used, and the plan asks for {}", short.used, short.asked),
            ),
            None => ("budget.unknown", format!("{name}: so much was used that nobody can say how much")),
        };
        reasons.push(Question::reason(code, Limit::Deny, says));
    }
}

/// What a plan would use.
pub(crate) fn uses(question: &Question<'_>) -> BTreeMap<Use, u64> {
    let mut uses = BTreeMap::new();
    for (_, row, target) in question.meant() {
        let (tenant, requester) = (question.plan.tenant.clone(), question.plan.requester.clone());
        *uses.entry(Use { tenant, verb: row.verb, tier: target.tier, requester }).or_insert(0) += 1;
    }
    uses
}
