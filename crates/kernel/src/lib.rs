//! The kernel, wired to its ledger: whatever changes what may be done, and whatever is done, is a leaf first.
//!
//! A [`Kernel`] holds what the gate knows, the requests that wait for people, and the plans that are carried out. Each of its inputs comes to leaves, which are
//! handed to a [`Journal`]; only when they are durable is the input answered. When they cannot be written, nothing more is done: the kernel is
//! [broken](Refused::Broken) until it is made again, as nobody knows what is on disk.
//!
//! It reads no clock and calls nobody: times, nonces and the answers of connectors are arguments.

mod agree;
mod carry;
mod leaf;
mod refused;

use std::collections::BTreeMap;

use serde::Serialize;
use watchfloor_govern::approvals::{Digest, Matter, People, Request, RequestId, Rules, Stamps};
use watchfloor_govern::halt::{Halt, Scope};
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::Policy;
use watchfloor_govern::record::Kept;
use watchfloor_govern::state::State;
use watchfloor_govern::{Admitted, Decision, Limit, Need, admit, autonomy, decide, halt};
use watchfloor_ledger::{Draft, Kind};
use watchfloor_model::ids::{PersonId, TenantId};
use watchfloor_respond::Saga;

pub use leaf::{EVERYBODY, decision as decision_leaf};
pub use refused::{NotWritten, Refused};

use leaf::Names;

/// Policies, and the text that they are known by.
pub trait Written: Policy + Send {
    /// The text whose SHA-256 is [`Policy::hash`].
    fn text(&self) -> String;
}

/// Where leaves go.
pub trait Journal {
    /// Keeps the pieces that leaves name, then appends the leaves with no other between them; returns the number of the first when all of it is durable.
    ///
    /// # Errors
    ///
    /// Not all of it is durable.
    fn write(&mut self, pieces: &BTreeMap<Hash, Vec<u8>>, leaves: &[Draft]) -> Result<u64, NotWritten>;
}

/// A plan that somebody has proposed.
struct Proposed {
    plan: Plan,
    admitted: Vec<Admitted>,
    /// What waits for people, if people must agree.
    request: Option<Request>,
    /// Its carrying out, once that has begun.
    saga: Option<Saga>,
}

/// What came of a proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What the gate said.
    pub decision: Decision,
    /// What people are asked, if they must agree.
    pub request: Option<RequestId>,
    /// The number of its leaf.
    pub leaf: u64,
}

/// The kernel of a house.
pub struct Kernel {
    state: State,
    policy: Box<dyn Written>,
    people: People,
    rules: Rules,
    stamps: Stamps,
    plans: BTreeMap<Hash, Proposed>,
    is_broken: bool,
}

impl Kernel {
    /// A house with what it knows, its policies, and its people with their keys.
    #[must_use]
    pub fn new(state: State, policy: Box<dyn Written>, people: People, rules: Rules) -> Self {
        let (stamps, plans) = (Stamps::default(), BTreeMap::new());
        Self { state, policy, people, rules, stamps, plans, is_broken: false }
    }

    /// What the gate knows.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// A request that was made for a plan.
    #[must_use]
    pub fn request(&self, plan: &Hash) -> Option<&Request> {
        self.plans.get(plan)?.request.as_ref()
    }

    /// How a plan is carried out.
    #[must_use]
    pub fn saga(&self, plan: &Hash) -> Option<&Saga> {
        self.plans.get(plan)?.saga.as_ref()
    }

    /// Somebody asks for something. It is counted, decided and recorded; if people must agree, a request is opened, with a `nonce` that nobody can foretell.
    ///
    /// # Errors
    ///
    /// It is carried out already, or cannot be recorded.
    pub fn propose(
        &mut self,
        plan: Plan,
        nonce: Digest,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<Answer, Refused> {
        self.ask(plan, None, nonce, now, journal)
    }

    /// A plan that must be refused is shown to people as if it needed them: who approves it has not looked.
    ///
    /// # Errors
    ///
    /// The gate does not refuse it, or it cannot be recorded.
    pub fn decoy(
        &mut self,
        plan: Plan,
        need: Need,
        nonce: Digest,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<Answer, Refused> {
        self.ask(plan, Some(need), nonce, now, journal)
    }

    fn ask(
        &mut self,
        plan: Plan,
        decoy: Option<Need>,
        nonce: Digest,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<Answer, Refused> {
        self.whole()?;
        let hash = plan.hash();
        if self.plans.get(&hash).is_some_and(|known| known.saga.is_some()) {
            return Err(Refused::Running);
        }
        // A decoy is nobody's request: it does not count against who seems to ask.
        let admitted = if decoy.is_some() { Vec::new() } else { admit(&plan, &mut self.state, now) };
        let decision = decide(&plan, &self.state, self.policy.as_ref(), &admitted, now);
        let (need, matter) = match (&decision.limit, decoy) {
            (Limit::Deny, Some(need)) => (Some(need), Matter::Decoy(Digest(hash.0))),
            (_, Some(_)) => return Err(Refused::NoDecoy),
            (Limit::People(need), None) => (Some(need.clone()), Matter::Plan(Digest(hash.0))),
            (_, None) => (None, Matter::Plan(Digest(hash.0))),
        };
        let (draft, pieces) = self.decided(&plan, &decision, now)?;
        let mut drafts = vec![draft];
        let mut request = None;
        if let Some(need) = need {
            let opened = agree::opened(&plan, &decision, matter, need, nonce, now)?;
            drafts.push(leaf::approval(&plan, &opened, now)?);
            request = Some(Request::opened(&opened)?);
        }
        let leaf = self.write(journal, &pieces, &drafts)?;
        let id = request.as_ref().map(|request| request.ask().request.clone());
        self.plans.insert(hash, Proposed { plan, admitted, request, saga: None });
        Ok(Answer { decision, request: id, leaf })
    }

    /// The leaf of a decision, and what it names.
    fn decided(&self, plan: &Plan, decision: &Decision, now: i64) -> Result<(Draft, BTreeMap<Hash, Vec<u8>>), Refused> {
        let kept = Kept::of(plan, &self.state, &self.policy.text(), decision)?;
        Ok((leaf::decision(plan, &kept, now)?, kept.pieces))
    }

    /// A person stops something, at once. For a tenant, they act for it; who may stop more than one is for the caller to know.
    ///
    /// # Errors
    ///
    /// Nobody of that name is active there, or the halt is refused, or it cannot be recorded; then everything is stopped.
    pub fn halt(&mut self, halt: Halt, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.known(&halt.by, tenant_of(&halt.scope))?;
        let (by, at) = (halt.by.clone(), halt.at);
        let kind = if halt.drill { Kind::Drill } else { Kind::Halt };
        let record = self.state.halts.set(halt)?;
        self.record(kind, &leaf::scope_of(&record), &by, &by, at, &record, journal)
    }

    /// A person lifts a halt: the first of two only says so. Gives whether it is lifted.
    ///
    /// # Errors
    ///
    /// As [`Kernel::halt`].
    pub fn lift(&mut self, scope: &Scope, by: &PersonId, now: i64, journal: &mut dyn Journal) -> Result<bool, Refused> {
        self.known(by, tenant_of(scope))?;
        let record = self.state.halts.lift(scope, by.clone(), now)?;
        self.record(Kind::Resume, &leaf::scope_of(&record), by, by, now, &record, journal)?;
        Ok(matches!(record, halt::Record::Lifted { .. }))
    }

    /// Something about what machines have earned: a choice, a judgement, a promotion, a level that is lost.
    ///
    /// # Errors
    ///
    /// It is refused, or cannot be recorded.
    pub fn autonomy(&mut self, record: autonomy::Record, now: i64, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.whole()?;
        let about = leaf::autonomy(&record);
        self.state.autonomy.apply(record.clone(), now)?;
        let Names { kind, tenant, actor, accountable } = about;
        self.record(kind, &tenant, &actor, &accountable, now, &record, journal)
    }

    /// Other policies are in force: a signed version that the caller has verified, recorded as `version`.
    ///
    /// # Errors
    ///
    /// It cannot be recorded.
    pub fn activate(
        &mut self,
        policy: Box<dyn Written>,
        version: &impl Serialize,
        by: &PersonId,
        now: i64,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        self.whole()?;
        let text = policy.text().into_bytes();
        let pieces = [(Hash::of_bytes(&text), text)].into();
        let draft = leaf::draft(Kind::Policy, (EVERYBODY, by.as_str(), by.as_str()), now, version)?;
        self.write(journal, &pieces, &[draft])?;
        (self.policy, self.state.policy_verified) = (policy, true);
        Ok(())
    }

    /// Other people, keys and roles from now on. Who signed is looked at again when a plan is taken.
    pub fn set_people(&mut self, people: People) {
        self.people = people;
    }

    /// What the gate knows, to be changed by who learns something new: an inventory, evidence, coverage.
    pub fn learn(&mut self) -> &mut State {
        &mut self.state
    }

    fn whole(&self) -> Result<(), Refused> {
        if self.is_broken { Err(Refused::Broken) } else { Ok(()) }
    }

    /// A person who is there, and acts for a tenant, if it is about one.
    fn known(&self, person: &PersonId, tenant: Option<&TenantId>) -> Result<(), Refused> {
        self.whole()?;
        let known = self.state.people.get(person).filter(|person| person.active);
        let acts = known.is_some_and(|person| tenant.is_none_or(|tenant| person.tenants.contains(tenant)));
        if acts { Ok(()) } else { Err(Refused::Person(person.clone())) }
    }

    #[allow(clippy::too_many_arguments, reason = "they are the members of a leaf")]
    fn record(
        &mut self,
        kind: Kind,
        tenant: &str,
        actor: &PersonId,
        accountable: &PersonId,
        now: i64,
        record: &impl Serialize,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        let draft = leaf::draft(kind, (tenant, actor.as_str(), accountable.as_str()), now, record);
        // What was changed and cannot be a leaf is as bad as what cannot be written.
        self.is_broken |= draft.is_err();
        self.write(journal, &BTreeMap::new(), &[draft?]).map(drop)
    }

    fn write(
        &mut self,
        journal: &mut dyn Journal,
        pieces: &BTreeMap<Hash, Vec<u8>>,
        drafts: &[Draft],
    ) -> Result<u64, Refused> {
        journal.write(pieces, drafts).map_err(|error| {
            self.is_broken = true;
            Refused::NotWritten(error)
        })
    }
}

/// The tenant that a halt is about, if it is about one.
fn tenant_of(scope: &Scope) -> Option<&TenantId> {
    match scope {
        Scope::Tenant(tenant) => Some(tenant),
        Scope::Everything | Scope::Machine(_) | Scope::Verb(_) => None,
    }
}
