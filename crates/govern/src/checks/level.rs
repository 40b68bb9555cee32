//! How far the machine may go here: the least of what was granted, what was earned, what the house is ready for, what the verb may ever do, and what the task
//! bears. A person who asks has no level; who must agree with them stands in the table of verbs.

use watchfloor_model::action::{Kind, Level, Tier};

use super::caps::cap;
use crate::autonomy::Levels;
use crate::gate::Question;
use crate::limit::{Limit, Reason};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    for (step, row, target) in question.meant() {
        let quorum = row.quorum(target.tier);
        if !question.plan.requester.is_machine() {
            // Where the caps ask for people, they ask for at least as many.
            if quorum > 0 && target.tier != Tier::Zero && row.is_reversible() {
                let says = format!("{} at tier {}: {quorum} others agree", row.verb.name(), u8::from(target.tier));
                reasons.push(step.reason("level.quorum", Limit::people(quorum), says));
            }
            continue;
        }
        let levels = step.levels.as_ref();
        let level = levels.map_or(Level::Manual, Levels::level).min(cap(question, row.verb, target.tier));
        let alone = row.alone(target.tier).filter(|needed| level >= *needed);
        let (code, limit, what) = match (alone, level) {
            (Some(_), _) => ("level.alone", Limit::Allow, "acts alone"),
            // What only tells somebody, or opens a ticket, is advice.
            (None, Level::Advisory) if !row.kind.is_asset() && row.kind != Kind::Case => {
                ("level.advice", Limit::Allow, "advises")
            }
            (None, Level::Manual) => ("level.manual", Limit::Deny, "does nothing: people do it"),
            (None, Level::Advisory) => ("level.advisory", Limit::Deny, "only advises: a person may ask for it"),
            (None, _) => ("level.approved", Limit::people(quorum.max(1)), "acts when people have agreed"),
        };
        let at = u8::from(level);
        let says = match levels {
            Some(levels) => format!("at level {at} the machine {what} ({levels})"),
            None => format!("at level {at} the machine {what} ()"),
        };
        reasons.push(step.reason(code, limit, says));
    }
}
