//! Policy context (POLICY-CTX-1.1): which policy applied to one execution, and how fresh it was.
//!
//! The snapshot: `ver` 1.0 or 1.1, `snapshot_id`, `snapshot_at`, `execution_id`, `provenance_id`, `policy` (`policy_id`,
//! `policy_version`, `policy_hash`, `policy_engine`), `evaluation_context`, `evaluation_result`, `sig`; 1.1 adds
//! `policy_captured_at` and `delta_max`. Freshness is `snapshot_at - policy_captured_at`, at most the smaller of `delta_max` and
//! the verifier's limit (300 s at most), the boundary included; a policy captured up to 5 s after the snapshot is clock skew.
//! PCTX-003, 005, 008 and 010 are not used here, see `docs/acp-deviations.md`.

use serde_json::Value;

use super::json::{text, whole};
use super::signature::{VerifyingKey, verified};
use super::{Refused, faults};

/// Longest freshness that any verifier accepts, in seconds.
pub const FRESHNESS_SECONDS_MAX: i64 = 300;
/// Clock skew that is accepted, in seconds.
pub const SKEW_SECONDS_MAX: i64 = 5;

faults! {
    /// Why a policy context is refused.
    PolicyContextFault {
        Execution = "PCTX-001", "the snapshot is of another execution";
        Window = "PCTX-002", "the snapshot was not taken while the execution token was valid";
        PolicyHash = "PCTX-004", "another policy applied";
        Signature = "PCTX-006", "the signature is not the institution's";
        Malformed = "PCTX-007", "a member is missing or of the wrong kind";
        Freshness = "PCTX-009", "the policy was not captured freshly enough, or the snapshot does not say when";
    }
}

/// What the snapshot must fit.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// Id of the execution token.
    pub execution_id: &'a str,
    /// Its issue, epoch seconds.
    pub issued_at: i64,
    /// Its end, epoch seconds.
    pub expires_at: i64,
    /// Hash of the policy in force.
    pub policy_hash: &'a str,
    /// The verifier's limit of freshness, in seconds.
    pub freshness_max: i64,
}

/// Verifies a snapshot.
pub fn verify(
    snapshot: &Value,
    bound: &Bound<'_>,
    institution: &VerifyingKey,
) -> Result<(), Refused<PolicyContextFault>> {
    let read = Snapshot::of(snapshot).ok_or(Refused::one(PolicyContextFault::Malformed))?;
    let mut faults = Vec::new();
    let mut require = |holds: bool, fault| {
        if !holds {
            faults.push(fault);
        }
    };
    require(read.execution_id == bound.execution_id, PolicyContextFault::Execution);
    require((bound.issued_at..=bound.expires_at).contains(&read.taken_at), PolicyContextFault::Window);
    require(read.policy_hash == bound.policy_hash, PolicyContextFault::PolicyHash);
    require(!read.says_freshness || read.fresh(bound.freshness_max), PolicyContextFault::Freshness);
    require(verified(institution, snapshot, "sig"), PolicyContextFault::Signature);
    Refused::unless((), faults)
}

struct Snapshot<'v> {
    execution_id: &'v str,
    policy_hash: &'v str,
    taken_at: i64,
    /// Version 1.1.
    says_freshness: bool,
    captured_at: Option<i64>,
    delta_max: Option<i64>,
}

impl<'v> Snapshot<'v> {
    fn of(object: &'v Value) -> Option<Self> {
        let policy = object.get("policy")?;
        for name in ["snapshot_id", "provenance_id"] {
            text(object, name)?;
        }
        for name in ["policy_id", "policy_version", "policy_engine"] {
            text(policy, name)?;
        }
        object.get("evaluation_context")?.as_object()?;
        object.get("evaluation_result")?.as_object()?;
        Some(Self {
            execution_id: text(object, "execution_id")?,
            policy_hash: text(policy, "policy_hash")?,
            taken_at: whole(object, "snapshot_at")?,
            says_freshness: match text(object, "ver")? {
                "1.0" => false,
                "1.1" => true,
                _ => return None,
            },
            captured_at: whole(object, "policy_captured_at"),
            delta_max: whole(object, "delta_max"),
        })
    }

    fn fresh(&self, verifier_max: i64) -> bool {
        let fresh = || {
            let limit = self.delta_max?.min(verifier_max).min(FRESHNESS_SECONDS_MAX);
            let age = self.taken_at.checked_sub(self.captured_at?)?;
            Some(age >= -SKEW_SECONDS_MAX && age <= limit)
        };
        fresh().unwrap_or(false)
    }
}
