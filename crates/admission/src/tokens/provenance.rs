//! Provenance (PROVENANCE-1.0): who handed the authority for one execution on to whom, signed at every step.
//!
//! The object: `ver` 1.0, `provenance_id`, `execution_id`, `principal`, `executor`, `authority_scope`, `policy_hash`, `policy_ref`,
//! `captured_at`, `chain`, `sig` of the institution. A step: `step` from 1, `delegation_id`, `delegator`, `executor`,
//! `capability_subset`, `delegated_at`, `valid_until`, `delegation_sig` of its delegator. An empty chain is direct authority.
//! PROV-006, 008 and 010 are ours, see `docs/acp-deviations.md`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{text, whole};
use super::signature::{VerifyingKey, verified};
use super::{Refused, faults};

/// Most steps of a chain.
pub const STEPS_MAX: usize = super::delegation::DEPTH_MAX as usize;

faults! {
    /// Why a provenance is refused.
    ProvenanceFault {
        Chain = "PROV-001", "a step's delegator is not who the step before gave the authority to";
        Escalation = "PROV-002", "a step grants more than the one before";
        StepExpired = "PROV-003", "a step was not valid when the provenance was captured";
        StepSignature = "PROV-004", "a step's signature is not its delegator's";
        Signature = "PROV-005", "the signature is not the institution's";
        Malformed = "PROV-006", "a member is missing or of the wrong kind, or the chain is too long";
        Execution = "PROV-007", "the provenance is of another execution";
        Captured = "PROV-008", "the provenance was captured after the execution token's end or after now";
        Executor = "PROV-009", "the executor is not the last of the chain";
        Principal = "PROV-010", "the chain does not start at the principal";
    }
}

/// What the provenance must fit.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// Id of the execution token.
    pub execution_id: &'a str,
    /// The token's end, epoch seconds.
    pub expires_at: i64,
    /// Epoch seconds.
    pub now: i64,
}

/// Verifies a provenance under the institution's key and the keys of those who may delegate.
pub fn verify(
    provenance: &Value,
    bound: &Bound<'_>,
    institution: &VerifyingKey,
    delegators: &BTreeMap<String, VerifyingKey>,
) -> Result<(), Refused<ProvenanceFault>> {
    let read = Provenance::of(provenance).ok_or(Refused::one(ProvenanceFault::Malformed))?;
    let mut faults = read.faults(bound);
    for step in &read.chain {
        let key = delegators.get(step.delegator);
        if !key.is_some_and(|key| verified(key, step.object, "delegation_sig")) {
            faults.push(ProvenanceFault::StepSignature);
        }
    }
    if !verified(institution, provenance, "sig") {
        faults.push(ProvenanceFault::Signature);
    }
    Refused::unless((), faults)
}

struct Provenance<'v> {
    execution_id: &'v str,
    principal: &'v str,
    executor: &'v str,
    scope: &'v str,
    captured_at: i64,
    chain: Vec<Step<'v>>,
}

struct Step<'v> {
    object: &'v Value,
    delegator: &'v str,
    executor: &'v str,
    capability: &'v str,
    delegated_at: i64,
    valid_until: i64,
}

impl<'v> Provenance<'v> {
    fn of(object: &'v Value) -> Option<Self> {
        for name in ["provenance_id", "policy_hash", "policy_ref"] {
            text(object, name)?;
        }
        let chain = object.get("chain")?.as_array()?;
        if chain.len() > STEPS_MAX || text(object, "ver")? != "1.0" {
            return None;
        }
        Some(Self {
            execution_id: text(object, "execution_id")?,
            principal: text(object, "principal")?,
            executor: text(object, "executor")?,
            scope: text(object, "authority_scope")?,
            captured_at: whole(object, "captured_at")?,
            chain: chain.iter().zip(1..).map(|(step, number)| Step::of(step, number)).collect::<Option<_>>()?,
        })
    }

    /// Everything but the signatures.
    fn faults(&self, bound: &Bound<'_>) -> Vec<ProvenanceFault> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, fault| {
            if !holds {
                faults.push(fault);
            }
        };
        let mut before: Option<&Step<'_>> = None;
        for step in &self.chain {
            match before {
                None => require(step.delegator == self.principal, ProvenanceFault::Principal),
                Some(before) => {
                    require(step.delegator == before.executor, ProvenanceFault::Chain);
                    require(within(step.capability, before.capability), ProvenanceFault::Escalation);
                }
            }
            let valid = step.delegated_at..=step.valid_until;
            require(valid.contains(&self.captured_at), ProvenanceFault::StepExpired);
            before = Some(step);
        }
        if let Some(last) = before {
            require(within(self.scope, last.capability), ProvenanceFault::Escalation);
            require(last.executor == self.executor, ProvenanceFault::Executor);
        }
        require(self.execution_id == bound.execution_id, ProvenanceFault::Execution);
        let captured = self.captured_at <= bound.expires_at && self.captured_at <= bound.now;
        require(captured, ProvenanceFault::Captured);
        faults
    }
}

impl<'v> Step<'v> {
    fn of(object: &'v Value, number: i64) -> Option<Self> {
        text(object, "delegation_id")?;
        if whole(object, "step")? != number {
            return None;
        }
        Some(Self {
            object,
            delegator: text(object, "delegator")?,
            executor: text(object, "executor")?,
            capability: text(object, "capability_subset")?,
            delegated_at: whole(object, "delegated_at")?,
            valid_until: whole(object, "valid_until")?,
        })
    }
}

/// Whether a capability lies within another: the same, or of the domain of `DOMAIN.*`.
fn within(capability: &str, granted: &str) -> bool {
    capability == granted
        || granted.strip_suffix('*').is_some_and(|domain| domain.ends_with('.') && capability.starts_with(domain))
}
