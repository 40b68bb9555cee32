//! Counting what machines ask for, in one step with looking at it, so that nobody who asks at the same moment sees counters of before.
//!
//! Verbs are capabilities of ACP, tiers are its classes of resources. People are not counted: what they ask for is bounded by who must agree.

use serde::{Deserialize, Serialize};
use watchfloor_admission::counters::Counters;
use watchfloor_admission::risk::{Context, Decision, History, Profile, Request, ResourceClass, Standing};
use watchfloor_model::action::{Tier, Verb};

use crate::plan::{Hash, Plan, Principal};
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
    let asked: Vec<(usize, Verb, String, Tier)> = match state.tenants.get(&plan.tenant) {
        None => Vec::new(),
        Some(tenant) => {
            let one = |(number, action): (usize, &crate::plan::Action)| {
                let verb = Verb::parse(&action.verb)?;
                let target = tenant.inventory.resolve(&action.target).ok()?;
                Some((number, verb, target.id.0, target.tier))
            };
            plan.actions.iter().take(crate::plan::ACTIONS_MAX).enumerate().filter_map(one).collect()
        }
    };
    let hash = Hash::of(plan).to_string();
    let standing = Standing {
        agent_registered: state.machines.get(id).is_some_and(|machine| machine.active),
        ledger_available: state.ledger,
        policy_verified: state.policy_verified,
    };
    let levels: Vec<u8> =
        asked.iter().map(|(_, verb, _, tier)| u8::from(state.level(plan, *verb, *tier, now))).collect();
    let Admission { profile, counters } = &mut state.admission;
    let mut admitted = Vec::new();
    for ((number, verb, target, tier), level) in asked.into_iter().zip(levels) {
        let shape = target.split_once(':').map_or("", |(kind, _)| kind);
        let request = Request {
            eval_id: &hash,
            request_id: plan.id.as_str(),
            agent_id: id.as_str(),
            tenant: plan.tenant.as_str(),
            capability: capability(verb),
            resource: &target,
            target_shape: shape,
            resource_class: if verb.row().kind.is_asset() { class(tier) } else { ResourceClass::Public },
            // At level 0 and 1 the check of levels says what is to be said; here it would hide the score.
            autonomy_level: level.max(2),
            context: Context::CALM,
            history: History::CLEAN,
            standing,
        };
        let record = counters.admit(profile, &request, now);
        let reasons = record.reasons.iter().map(|reason| format!("{reason:?}")).collect();
        admitted.push(Admitted {
            action: number,
            decision: record.decision,
            score: record.rs_final.unwrap_or(100),
            reasons,
        });
    }
    admitted
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
