//! Plans that may be carried out.
//!
//! Only the gate makes an [`ApprovedPlan`]: from a plan that it allows at this moment, or that the people have agreed to whom it asks for. What is approved is
//! taken from the budgets at once, and each of its actions has a token: bound to the plan, the verb, the target and the parameters, good for one use and for a
//! short time. Nothing else can be carried out, as nothing else is taken by who carries out.
//!
//! Where it is kept between two starts of the house it is sealed: HMAC-SHA256 over its canonical JSON, with a key that only the house has. What does not bear
//! the seal is not opened.

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use watchfloor_model::action::{Idempotency, Verb};
use watchfloor_model::ids::{EntityId, MachineId, PersonId};

use crate::admit::Admitted;
use crate::approvals::Ticket;
use crate::budget::Use;
use crate::gate::{Decision, decide};
use crate::limit::{Limit, Need};
use crate::plan::{Hash, Plan, Principal, Value};
use crate::policy::Policy;
use crate::state::{Machine, State};

/// How long a token is good for, in milliseconds: 300 s.
pub const TOKEN_MS: i64 = 300_000;

/// People who agreed to a plan, as they were counted when it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Agreement {
    /// What was needed.
    need: Need,
    /// Who agreed.
    people: BTreeSet<PersonId>,
}

impl Agreement {
    /// Of a ticket for a plan; of one for another plan nothing.
    fn of(ticket: Option<Ticket>, plan: Hash) -> Self {
        let taken = ticket.map(|ticket| ticket.taken().clone()).filter(|taken| taken.plan.0 == plan.0);
        taken.map_or_else(Self::default, |taken| Self { need: taken.need, people: taken.people })
    }

    /// Whether what is needed now was asked for when people were counted.
    fn meets(&self, need: &Need) -> bool {
        Limit::People(self.need.clone()).is_as_strict_as(&Limit::People(need.clone()))
    }
}

/// Leave to do one thing once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is known by: the key of the call.
    pub id: Hash,
    /// Number of the action in the plan.
    pub action: usize,
    /// What may be done.
    pub verb: Verb,
    /// To what.
    pub target: EntityId,
    /// With which parameters.
    pub parameters: BTreeMap<String, Value>,
    /// What undoes it.
    pub inverse: Option<Verb>,
    /// After how many milliseconds it is undone.
    pub lease: Option<i64>,
    /// Until when it may begin, in epoch milliseconds.
    pub expires: i64,
}

impl Token {
    /// How the verb's connectors are held to behave at least.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency {
        self.verb.row().idempotency
    }
}

/// A plan that may be carried out. Nobody but the gate makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedPlan {
    plan: Plan,
    decision: Decision,
    agreement: Agreement,
    tokens: Vec<Token>,
    accountable: PersonId,
}

/// Why a plan is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The gate says no.
    Denied(Box<Decision>),
    /// Not all have agreed who must.
    NotAgreed(Box<Decision>, Need),
    /// Nobody answers for it.
    Unaccountable(Box<Decision>),
}

impl ApprovedPlan {
    /// Asks the gate once more, at the moment at which the plan is to be carried out, and takes it from the budgets.
    ///
    /// # Errors
    ///
    /// The gate says no, or asks for people who have not agreed.
    pub fn new(
        plan: Plan,
        ticket: Option<Ticket>,
        state: &mut State,
        policy: &dyn Policy,
        admitted: &[Admitted],
        now: i64,
    ) -> Result<Self, Refused> {
        let decision = decide(&plan, state, policy, admitted, now);
        let agreement = Agreement::of(ticket, decision.plan_hash);
        match &decision.limit {
            Limit::Allow => {}
            Limit::Deny => return Err(Refused::Denied(Box::new(decision))),
            Limit::People(need) => {
                if !agreement.meets(need) {
                    let need = need.clone();
                    return Err(Refused::NotAgreed(Box::new(decision), need));
                }
            }
        }
        let Some(accountable) = accountable(&plan, &decision, &agreement, &state.machines) else {
            return Err(Refused::Unaccountable(Box::new(decision)));
        };
        for settled in &decision.actions {
            let (tenant, requester) = (plan.tenant.clone(), plan.requester.clone());
            state.budgets.take(&Use { tenant, verb: settled.verb, tier: settled.tier, requester }, 1, now);
        }
        state.done.insert(decision.plan_hash);
        let tokens = tokens(&plan, &decision, now);
        Ok(Self { plan, decision, agreement, tokens, accountable })
    }

    /// What was asked for.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the gate said.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Leave to do each of its actions.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The one person who answers for it.
    #[must_use]
    pub fn accountable(&self) -> &PersonId {
        &self.accountable
    }

    /// It, to be kept.
    #[must_use]
    pub fn seal(&self, key: &[u8]) -> Sealed {
        let Self { plan, decision, agreement, tokens, accountable } = self.clone();
        let content = Content { plan, decision, agreement, tokens, accountable };
        let seal = mac(key, &content).map(|mac| Hash(mac.finalize().into_bytes().into()));
        Sealed { content, seal: seal.unwrap_or(Hash([0; 32])) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    plan: Plan,
    decision: Decision,
    agreement: Agreement,
    tokens: Vec<Token>,
    accountable: PersonId,
}

/// A plan that may be carried out, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    content: Content,
    seal: Hash,
}

impl Sealed {
    /// Opens it, if it bears the seal of this house.
    #[must_use]
    pub fn open(self, key: &[u8]) -> Option<ApprovedPlan> {
        mac(key, &self.content)?.verify_slice(&self.seal.0).ok()?;
        let Content { plan, decision, agreement, tokens, accountable } = self.content;
        Some(ApprovedPlan { plan, decision, agreement, tokens, accountable })
    }
}

fn mac(key: &[u8], content: &Content) -> Option<Hmac<Sha256>> {
    let bytes = serde_json_canonicalizer::to_vec(content).ok()?;
    // The length of a key does not matter to it; an empty one is none.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok().filter(|_| !key.is_empty())?;
    mac.update(&bytes);
    Some(mac)
}

impl Decision {
    /// Who answers for it before anybody has agreed: who asked; or who granted the level under which a machine asks; or who answers for the machine.
    #[must_use]
    pub fn accountable(&self, plan: &Plan, machines: &BTreeMap<MachineId, Machine>) -> Option<PersonId> {
        accountable(plan, self, &Agreement::default(), machines)
    }
}

/// The person who asked; or the first of those who agreed; or who granted the level under which a machine acts alone; or who answers for the machine.
fn accountable(
    plan: &Plan,
    decision: &Decision,
    agreement: &Agreement,
    machines: &BTreeMap<MachineId, Machine>,
) -> Option<PersonId> {
    match &plan.requester {
        Principal::Person(id) => Some(id.clone()),
        Principal::Machine(id) => {
            let agreed = agreement.people.first().or_else(|| decision.grantors.first()).cloned();
            agreed.or_else(|| machines.get(id).map(|machine| machine.supervisor.clone()))
        }
    }
}

fn tokens(plan: &Plan, decision: &Decision, now: i64) -> Vec<Token> {
    let actions = plan.actions.iter().zip(&decision.actions).enumerate();
    actions
        .map(|(number, (action, settled))| Token {
            id: Hash::of(&(decision.hash(), number)),
            action: number,
            verb: settled.verb,
            target: settled.target.clone(),
            parameters: action.parameters.clone(),
            inverse: settled.inverse,
            lease: settled.lease.map(|seconds| i64::from(seconds) * 1_000),
            expires: now.saturating_add(TOKEN_MS),
        })
        .collect()
}
