//! What admission said of a machine's actions: whether it asks too often, too much alike, or for too much, by itself or together with others.

use watchfloor_admission::risk::Decision;

use crate::gate::Question;
use crate::limit::{Limit, Reason};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    if !question.plan.requester.is_machine() {
        return;
    }
    for (step, row, _) in question.meant() {
        let Some(admitted) = question.admitted.iter().find(|admitted| admitted.action == step.number) else {
            let says = format!("nobody has looked how often {} is asked for", row.verb.name());
            reasons.push(step.reason("admission.missing", Limit::Deny, says));
            continue;
        };
        let why = admitted.reasons.join(", ");
        let (code, limit) = match admitted.decision {
            Decision::Approved => continue,
            Decision::Escalated => ("admission.escalated", Limit::people(1)),
            Decision::Denied => ("admission.denied", Limit::Deny),
        };
        reasons.push(step.reason(code, limit, format!("admission: score {} ({why})", admitted.score)));
    }
}
