//! Plans are carried out.

use std::collections::BTreeMap;

use watchfloor_govern::approvals::{Digest, Moment as At};
use watchfloor_govern::plan::Hash;
use watchfloor_govern::state::Effect;
use watchfloor_govern::{ApprovedPlan, Limit, Refused as NotApproved, Token, decide};
use watchfloor_model::action::Idempotency;
use watchfloor_model::ids::PersonId;
use watchfloor_respond::{Act, Came, Moment, Order, Record, Reply, Saga};

use crate::{Journal, Kernel, Refused, leaf};

impl Kernel {
    /// Begins to carry a plan out, if the gate still lets it and all have agreed who must. `declared` says how the connector of each step behaves when it is
    /// called twice.
    ///
    /// # Errors
    ///
    /// Why it is not begun. What people have agreed to is not used up by a plan that the gate denies now.
    pub fn begin(
        &mut self,
        hash: &Hash,
        declared: &dyn Fn(&Token) -> Idempotency,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        self.whole()?;
        let proposed = self.plans.get(hash).ok_or(Refused::NoPlan(*hash))?;
        if proposed.saga.is_some() {
            return Err(Refused::Running);
        }
        let (plan, admitted) = (proposed.plan.clone(), proposed.admitted.clone());
        let decision = decide(&plan, &self.state, self.policy.as_ref(), &admitted, now);
        let (mut drafts, mut ticket, mut next) = (Vec::new(), None, proposed.request.clone());
        match (&decision.limit, &mut next) {
            (Limit::Allow, _) => {}
            (Limit::Deny, _) => return Err(Refused::Denied(Box::new(decision))),
            (Limit::People(need), None) => return Err(Refused::NotAgreed(need.clone())),
            (Limit::People(need), Some(request)) => {
                let at = At { people: &self.people, stamps: &self.stamps, rules: &self.rules, now };
                let record = request.handle_take(&Digest(hash.0), need, &at)?;
                ticket = Some(request.take(&record)?);
                drafts.push(leaf::approval(&plan, &record, now)?);
            }
        }
        // What the gate knew is kept before the plan is taken from the budgets.
        let (draft, pieces) = self.decided(&plan, &decision, now)?;
        drafts.push(draft);
        let approved = ApprovedPlan::new(plan, ticket, &mut self.state, self.policy.as_ref(), &admitted, now).map_err(
            |refused| match refused {
                NotApproved::Denied(decision) => Refused::Denied(decision),
                NotApproved::NotAgreed(_, need) => Refused::NotAgreed(need),
                NotApproved::Unaccountable(_) => Refused::Unaccountable,
            },
        )?;
        self.write(journal, &pieces, &drafts)?;
        if let Some(proposed) = self.plans.get_mut(hash) {
            (proposed.request, proposed.saga) = (next, Some(Saga::new(approved, declared)));
        }
        Ok(())
    }

    /// What is to be done next for a plan: a connector is to be called or asked, or something is waited for. What is to be written is written.
    ///
    /// # Errors
    ///
    /// Nothing is carried out, or it cannot be recorded.
    pub fn poll(&mut self, hash: &Hash, now: Moment, journal: &mut dyn Journal) -> Result<Order, Refused> {
        loop {
            self.whole()?;
            let is_halted = self.is_halted(hash);
            match self.saga_mut(hash)?.poll(now, is_halted) {
                Order::Write(record) => self.note(hash, &record, journal)?,
                order => return Ok(order),
            }
        }
    }

    /// What a connector says.
    ///
    /// # Errors
    ///
    /// Nothing is carried out.
    pub fn hear(&mut self, hash: &Hash, number: u64, reply: Reply, now: Moment) -> Result<(), Refused> {
        self.saga_mut(hash)?.handle(number, reply, now);
        Ok(())
    }

    /// A person has looked at what nobody knew.
    ///
    /// # Errors
    ///
    /// Nobody was asked, or it cannot be recorded.
    pub fn resolve(
        &mut self,
        hash: &Hash,
        act: Act,
        is_there: bool,
        by: &PersonId,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        self.acts_for(by, hash)?;
        let record = self.saga_mut(hash)?.resolve(act, is_there, by.clone(), now).ok_or(Refused::NotOpen)?;
        self.note(hash, &record, journal)
    }

    /// A person wants all of a plan undone.
    ///
    /// # Errors
    ///
    /// Somebody wanted that before, or it cannot be recorded.
    pub fn recall(&mut self, hash: &Hash, by: &PersonId, now: i64, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.acts_for(by, hash)?;
        let record = self.saga_mut(hash)?.recall(by.clone(), now).ok_or(Refused::NotOpen)?;
        self.note(hash, &record, journal)
    }

    /// A person who acts for the tenant of a plan.
    fn acts_for(&self, person: &PersonId, hash: &Hash) -> Result<(), Refused> {
        self.whole()?;
        let proposed = self.plans.get(hash).ok_or(Refused::NoPlan(*hash))?;
        self.known(person, Some(&proposed.plan.tenant))
    }

    fn saga_mut(&mut self, hash: &Hash) -> Result<&mut Saga, Refused> {
        let proposed = self.plans.get_mut(hash).ok_or(Refused::NoPlan(*hash))?;
        proposed.saga.as_mut().ok_or(Refused::NoRequest)
    }

    /// Whether somebody has stopped what a plan does.
    fn is_halted(&self, hash: &Hash) -> bool {
        let Some(saga) = self.saga(hash) else { return true };
        let plan = saga.plan().plan();
        let stops = |token: &Token| self.state.halts.stopping(&plan.tenant, &plan.requester, token.verb).is_some();
        saga.plan().tokens().iter().any(stops)
    }

    /// Writes a record, and takes it.
    fn note(&mut self, hash: &Hash, record: &Record, journal: &mut dyn Journal) -> Result<(), Refused> {
        let draft = leaf::done(self.saga_mut(hash)?, record)?;
        self.write(journal, &BTreeMap::new(), &[draft])?;
        let saga = self.saga_mut(hash)?;
        saga.apply(record);
        let plan = saga.plan();
        let change = is_in_force(record).and_then(|(step, is)| Some((plan.tokens().get(step).cloned()?, is)));
        let tenant = plan.plan().tenant.clone();
        if let (Some((token, is_there)), Some(tenant)) = (change, self.state.tenants.get_mut(&tenant)) {
            let asset = tenant.inventory.resolve(token.target.as_str()).ok().and_then(|target| target.asset);
            let effect = Effect { verb: token.verb, target: token.target, asset };
            tenant.effects.retain(|known| *known != effect);
            if is_there {
                tenant.effects.push(effect);
            }
        }
        Ok(())
    }
}

/// Which action is in force from a record on, or is not any more. What may have happened counts as if it had: the next plan must not rely on what this one
/// has perhaps taken away.
fn is_in_force(record: &Record) -> Option<(usize, bool)> {
    match record {
        // Of what is about to be undone that is so already.
        Record::Started { act, .. } => Some((act.step, true)),
        Record::Came { act, came, .. } => match (came, act.undo) {
            (Came::Succeeded { .. }, undo) => Some((act.step, !undo)),
            // It is as somebody else has made it.
            (Came::AlreadySo, _) | (Came::Failed(_), false) => Some((act.step, false)),
            (Came::Failed(_), true) | (Came::Unknown(_), _) => None,
        },
        Record::Resolved { act, is_there, .. } => Some((act.step, *is_there)),
        Record::Intent { .. } | Record::Recalled { .. } => None,
    }
}
