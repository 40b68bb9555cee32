//! Whether enough people agree: counted anew with the people of the moment.

use std::collections::BTreeSet;

use watchfloor_model::ids::PersonId;

use super::{Moment, Refusal, Request, Taken, Vote, What};
use crate::Need;

impl Request {
    /// Who counts now, and what is needed now, if that is enough.
    pub(super) fn count(&self, need: &Need, moment: &Moment<'_>) -> Result<Taken, Refusal> {
        let mut need = stricter(&self.ask().need, need);
        let counted: Vec<&Vote> = self.votes().filter(|vote| self.counts(vote, moment)).collect();
        let marked = counted.iter().filter(|vote| is_marked(vote, moment)).count();
        if marked > 0 {
            need.people = need.people.saturating_add(1);
        }
        if counted.len() < usize::from(need.people) {
            return Err(Refusal::Quorum);
        }
        if marked == counted.len() {
            return Err(Refusal::Unseconded);
        }
        let held = |role: &String| counted.iter().any(|vote| vote.roles.contains(role) && holds(vote, role, moment));
        if !need.roles.iter().all(held) {
            return Err(Refusal::RoleMissing);
        }
        let people: BTreeSet<PersonId> = counted.iter().map(|vote| vote.person().clone()).collect();
        Ok(Taken { plan: *self.ask().matter.plan(), need, people })
    }

    /// Whether an approval still counts: its person is active, may approve this and holds the role, and its signature holds with a key that is still theirs. So
    /// a request that somebody wrote by hand is worth nothing.
    fn counts(&self, vote: &Vote, moment: &Moment<'_>) -> bool {
        self.may_approve(vote.person(), moment.people).is_ok()
            && self.is_about(&vote.signed.statement, What::Approve)
            && vote.signed.still_holds(moment.people)
    }
}

impl Vote {
    /// Who approved.
    #[must_use]
    pub fn person(&self) -> &PersonId {
        &self.signed.statement.person
    }
}

/// What is at least as strict as both.
fn stricter(one: &Need, other: &Need) -> Need {
    Need { people: one.people.max(other.people), roles: one.roles.union(&other.roles).cloned().collect() }
}

fn is_marked(vote: &Vote, moment: &Moment<'_>) -> bool {
    !vote.marks.is_empty() || !moment.stamps.marks(vote.person(), moment.rules, moment.now).is_empty()
}

fn holds(vote: &Vote, role: &str, moment: &Moment<'_>) -> bool {
    moment.people.active(vote.person()).is_ok_and(|person| person.roles.contains(role))
}
