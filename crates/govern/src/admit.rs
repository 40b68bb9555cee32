//! Counting what machines ask for, in one step with looking at it, so that nobody who asks at the same moment sees counters of before.
//!
//! Verbs are capabilities of ACP, tiers are its classes of resources. People are not counted: what they ask for is bounded by who must agree.

use serde::{Deserialize, Serialize};
use watchfloor_admission::bar::{Probed, probe};
use watchfloor_admission::counters::Counters;
use watchfloor_admission::risk::{Context, Counts, Decision, History, Profile, Request, ResourceClass, Standing};
use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::MachineId;

use crate::inventory::Target;
use crate::plan::{ACTIONS_MAX, Action, Plan, Principal};
use crate::state::State;

/// What admission says of one action of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// Number of the action.
    pub action: usize,
    /// What it says.
    pub decision: Decision,
    /// The score of risk, of 100.
    pub score: u8,
    /// Why, as codes.
    pub reasons: Vec<String>,
}

/// Counters and the weights that they are looked at with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admission {
    /// Weights and thresholds.
    pub profile: Profile,
    /// What was asked for.
    pub counters: Counters,
}

impl Default for Admission {
    fn default() -> Self {
        Self { profile: Profile::spec(), counters: Counters::default() }
    }
}

/// Looks at what a machine asks for, and counts it. Of a person nothing comes back.
pub fn admit(plan: &Plan, state: &mut State, now: i64) -> Vec<Admitted> {
    let Principal::Machine(id) = &plan.requester else { return Vec::new() };
    let (asked, standing) = (asked(plan, state, now), standing(id, state));
    let Admission { profile, counters } = &mut state.admission;
    let mut admitted = Vec::with_capacity(asked.len());
    for one in asked {
        let record = counters.admit(profile, &one.request(plan, id, standing), now);
        let reasons = record.reasons.iter().map(|reason| format!("{reason:?}")).collect();
        let score = record.rs_final.unwrap_or(100);
        admitted.push(Admitted { action: one.action, decision: record.decision, score, reasons });
    }
    admitted
}

/// Asks what would have been said of each action of a machine's plan if it were worse in three ways, by whoever has asked for nothing yet. It counts nowhere.
#[must_use]
pub fn probes(plan: &Plan, state: &State, now: i64) -> Vec<Probed> {
    let Principal::Machine(id) = &plan.requester else { return Vec::new() };
    let (standing, counts) = (standing(id, state), Counts::NONE);
    let asked = asked(plan, state, now);
    asked.iter().map(|one| probe(&state.admission.profile, &one.request(plan, id, standing), &counts)).collect()
}

fn standing(id: &MachineId, state: &State) -> Standing {
    Standing {
        agent_registered: state.machines.get(id).is_some_and(|machine| machine.active),
        ledger_available: state.ledger,
        policy_verified: state.policy_verified,
    }
}

/// What a machine asks for, where there is such a verb and such a target.
struct Asked {
    action: usize,
    verb: Verb,
    target: Target,
    level: Level,
}

impl Asked {
    fn request<'a>(&'a self, plan: &'a Plan, id: &'a MachineId, standing: Standing) -> Request<'a> {
        let (row, resource) = (self.verb.row(), self.target.id.as_str());
        Request {
            // The record is not kept, what it says is: to hash the plan for its name would take longer than all else.
            eval_id: plan.id.as_str(),
            request_id: plan.id.as_str(),
            agent_id: id.as_str(),
            tenant: plan.tenant.as_str(),
            capability: capability(self.verb),
            resource,
            target_shape: resource.split_once(':').map_or("", |(kind, _)| kind),
            resource_class: if row.kind.is_asset() { class(self.target.tier) } else { ResourceClass::Public },
            // At level 0 and 1 the check of levels says what is to be said; here it would hide the score.
            autonomy_level: u8::from(self.level).max(2),
            context: Context::CALM,
            history: History::CLEAN,
            standing,
        }
    }
}

fn asked(plan: &Plan, state: &State, now: i64) -> Vec<Asked> {
    let Some(tenant) = state.tenants.get(&plan.tenant) else { return Vec::new() };
    let one = |(number, action): (usize, &Action)| {
        let verb = Verb::parse(&action.verb)?;
        let target = tenant.inventory.resolve(&action.target).ok()?;
        let level = state.level(plan, verb, target.tier, now);
        Some(Asked { action: number, verb, target, level })
    };
    plan.actions.iter().take(ACTIONS_MAX).enumerate().filter_map(one).collect()
}

fn class(tier: Tier) -> ResourceClass {
    match tier {
        Tier::Zero => ResourceClass::Restricted,
        Tier::One => ResourceClass::Critical,
        Tier::Two => ResourceClass::Sensitive,
        Tier::Three => ResourceClass::Internal,
    }
}

/// A verb as a capability of ACP.
fn capability(verb: Verb) -> &'static str {
    match verb {
        Verb::BlockAddress
        | Verb::UnblockAddress
        | Verb::BlockDomain
        | Verb::UnblockDomain
        | Verb::BlockHash
        | Verb::UnblockHash
        | Verb::IsolateHost
        | Verb::ReleaseHost => "acp:cap:infrastructure.modify",
        Verb::KillProcess => "acp:cap:infrastructure.restart",
        Verb::QuarantineFile | Verb::PurgeMessage => "acp:cap:data.delete",
        Verb::RestoreFile | Verb::RestoreMessage => "acp:cap:data.import",
        Verb::DisableAccount | Verb::EnableAccount | Verb::ResetCredential => "acp:cap:identity.modify",
        Verb::RevokeSessions => "acp:cap:identity.revoke",
        Verb::RemoveMailboxRule | Verb::RestoreMailboxRule | Verb::CloseCase => "acp:cap:data.write",
        Verb::OpenTicket | Verb::CloseTicket | Verb::Notify => "acp:cap:communication.notify",
        Verb::CollectEvidence => "acp:cap:data.export",
        Verb::AddTag | Verb::RemoveTag => "acp:cap:data.classify",
    }
}
