//! Delegation (DCMA-1.1): who handed what on to whom.
//!
//! A capability token carries `delegation`: `delegator`, `delegatee`, `depth`, `max_depth`, `constraints` (`action_set`,
//! `resource`), optional `chain`, and `delegation_signature`, the delegator's over the delegation without it. The registry knows
//! what every delegator holds, from whom, and whether it was revoked; a revocation anywhere above revokes what is below.
//!
//! Deepest chain: 7 (DCMA-1.1; CT-1.0 says 8), or less where an institution says so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{text, texts};
use super::signature::{VerifyingKey, verified};
use super::{Refused, faults};

/// Deepest delegation.
pub const DEPTH_MAX: u64 = 7;

faults! {
    /// Why a delegation is refused.
    DelegationFault {
        Malformed = "MALFORMED_INPUT", "a member is missing or of the wrong kind";
        Scope = "ACCESS_DENIED", "more is delegated than the delegator holds";
        Revoked = "REVOKED", "a delegator was revoked";
        Depth = "DELEGATION_DEPTH", "the chain is longer than allowed";
        Unknown = "DELEGATOR_UNKNOWN", "the registry does not know a delegator, or they form a circle";
        Delegatee = "DELEGATEE_MISMATCH", "the delegation is another agent's";
        Signature = "INVALID_SIGNATURE", "the signature is not the delegator's";
    }
}

/// What an agent holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// What it may do.
    pub action_set: Vec<String>,
    /// On what.
    pub resource: String,
    /// It may no more.
    pub revoked: bool,
    /// From whom it holds this; `None` for the first of a chain.
    #[serde(default)]
    pub delegated_by: Option<String>,
    /// Deepest chain that the institution allows below it.
    #[serde(default)]
    pub institutional_max_depth: Option<u64>,
}

/// What every agent holds, by its id.
pub type Registry = BTreeMap<String, Holding>;

/// Verifies the delegation in a token against the registry and under the delegator's key.
pub fn verify(token: &Value, registry: &Registry, delegator: &VerifyingKey) -> Result<(), Refused<DelegationFault>> {
    let mut faults = match check(token, registry) {
        Ok(()) => Vec::new(),
        Err(refused) => refused.faults().collect(),
    };
    let delegation = token.get("delegation").unwrap_or(&Value::Null);
    if !verified(delegator, delegation, "delegation_signature") {
        faults.push(DelegationFault::Signature);
    }
    Refused::unless((), faults)
}

/// Everything but the signature. On its own it accepts nothing: it is what the published vectors can show, whose delegations
/// carry a placeholder for the signature.
pub fn check(token: &Value, registry: &Registry) -> Result<(), Refused<DelegationFault>> {
    let delegation = Delegation::of(token).ok_or(Refused::one(DelegationFault::Malformed))?;
    let mut faults = Vec::new();
    if text(token, "sub") != Some(delegation.delegatee) {
        faults.push(DelegationFault::Delegatee);
    }
    let above = above(delegation.delegator, registry);
    let (known, complete) = &above;
    let limit = known.iter().filter_map(|holding| holding.institutional_max_depth).fold(DEPTH_MAX, u64::min);
    // Whoever says fewer steps than the registry or the chain show has more of them all the same.
    let steps = delegation.depth.max(known.len() as u64).max(delegation.chain);
    if delegation.depth == 0 || steps > delegation.depth_max.min(limit) {
        faults.push(DelegationFault::Depth);
    }
    if !complete {
        faults.push(DelegationFault::Unknown);
    }
    if known.iter().any(|holding| holding.revoked) {
        faults.push(DelegationFault::Revoked);
    }
    let granted = |actions: &[&str], resource: &str| {
        known.iter().all(|holding| {
            holding.resource == resource
                && actions.iter().all(|action| holding.action_set.iter().any(|own| own == action))
        })
    };
    let used = delegation.used.iter().all(|action| delegation.actions.contains(action));
    if !used || delegation.used_on != delegation.resource || !granted(&delegation.actions, delegation.resource) {
        faults.push(DelegationFault::Scope);
    }
    Refused::unless((), faults)
}

/// Holdings from a delegator up to the first of its chain, and whether all of them are known.
fn above<'r>(delegator: &str, registry: &'r Registry) -> (Vec<&'r Holding>, bool) {
    let mut known = Vec::new();
    let mut next = Some(delegator);
    while let Some(agent) = next {
        // One more than the deepest chain is enough to refuse, and ends circles.
        if known.len() as u64 > DEPTH_MAX {
            return (known, false);
        }
        let Some(holding) = registry.get(agent) else { return (known, false) };
        known.push(holding);
        next = holding.delegated_by.as_deref();
    }
    (known, true)
}

struct Delegation<'v> {
    delegator: &'v str,
    delegatee: &'v str,
    depth: u64,
    depth_max: u64,
    chain: u64,
    actions: Vec<&'v str>,
    resource: &'v str,
    used: Vec<&'v str>,
    used_on: &'v str,
}

impl<'v> Delegation<'v> {
    fn of(token: &'v Value) -> Option<Self> {
        let delegation = token.get("delegation")?;
        let constraints = delegation.get("constraints")?;
        Some(Self {
            delegator: text(delegation, "delegator")?,
            delegatee: text(delegation, "delegatee")?,
            depth: delegation.get("depth")?.as_u64()?,
            depth_max: delegation.get("max_depth")?.as_u64()?,
            chain: match delegation.get("chain") {
                None => 0,
                Some(chain) => (chain.as_array()?.len() as u64).saturating_sub(1),
            },
            actions: texts(constraints, "action_set")?,
            resource: text(constraints, "resource")?,
            used: texts(token, "action_set")?,
            used_on: text(token, "resource")?,
        })
    }
}
