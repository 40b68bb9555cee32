//! People agree, or do not.

use watchfloor_govern::approvals::{
    Actor, Ask, Digest, LIFETIME_MS, Matter, Moment, ROLE_APPROVER, Record, Request, RequestId, Signed,
};
use watchfloor_govern::plan::{Hash, Plan, Principal};
use watchfloor_govern::{Decision, Need};
use watchfloor_model::ids::PersonId;

use crate::{Journal, Kernel, Refused, leaf};

/// The record that opens a request about a plan. People are shown the decision; the request is known by its hash, so that a plan can be asked for again.
pub(crate) fn opened(
    plan: &Plan,
    decision: &Decision,
    matter: Matter,
    need: Need,
    nonce: Digest,
    now: i64,
) -> Result<Record, Refused> {
    let hash = decision.hash();
    let requester = match &plan.requester {
        Principal::Person(person) => Actor::Person { person: person.clone() },
        Principal::Machine(machine) => Actor::Machine { machine: machine.clone(), people: [].into() },
    };
    let ask = Ask {
        request: RequestId(hash.to_string()),
        tenant: plan.tenant.clone(),
        matter,
        decision: Digest(hash.0),
        shown: Digest(hash.0),
        nonce,
        need,
        role: ROLE_APPROVER.to_owned(),
        requester,
        grantors: decision.grantors.clone(),
        lifetime_ms: LIFETIME_MS,
    };
    Ok(Request::handle_open(ask, now)?)
}

impl Kernel {
    /// A person is shown what a request is about.
    ///
    /// # Errors
    ///
    /// Why they are not.
    pub fn show(&mut self, plan: &Hash, person: &PersonId, now: i64, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.answer(plan, now, journal, |request, moment| {
            request.handle_show(person, &request.ask().shown, moment.people, now)
        })
    }

    /// A person approves, after having looked for so many milliseconds.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    pub fn approve(
        &mut self,
        plan: &Hash,
        signed: &Signed,
        looked_ms: i64,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        self.answer(plan, now, journal, |request, moment| request.handle_approve(signed, looked_ms, &moment))
    }

    /// A person denies.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    pub fn deny(&mut self, plan: &Hash, signed: &Signed, now: i64, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.answer(plan, now, journal, |request, moment| request.handle_deny(signed, &moment))
    }

    /// A person takes back what was approved.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    pub fn revoke(&mut self, plan: &Hash, signed: &Signed, now: i64, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.answer(plan, now, journal, |request, moment| request.handle_revoke(signed, &moment))
    }

    /// The time of a request is over.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn expire(&mut self, plan: &Hash, now: i64, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.answer(plan, now, journal, |request, _| request.handle_expire(now))
    }

    fn answer(
        &mut self,
        hash: &Hash,
        now: i64,
        journal: &mut dyn Journal,
        handle: impl FnOnce(&Request, Moment<'_>) -> Result<Record, watchfloor_govern::approvals::Refusal>,
    ) -> Result<(), Refused> {
        self.whole()?;
        let proposed = self.plans.get(hash).ok_or(Refused::NoPlan(*hash))?;
        let request = proposed.request.as_ref().ok_or(Refused::NoRequest)?;
        let moment = Moment { people: &self.people, stamps: &self.stamps, rules: &self.rules, now };
        let record = handle(request, moment)?;
        let mut next = request.clone();
        next.apply(&record)?;
        let draft = leaf::approval(&proposed.plan, &record, now)?;
        self.write(journal, &std::collections::BTreeMap::new(), &[draft])?;
        self.people.apply(&record);
        self.stamps.apply(&record);
        if let Some(proposed) = self.plans.get_mut(hash) {
            proposed.request = Some(next);
        }
        Ok(())
    }
}
