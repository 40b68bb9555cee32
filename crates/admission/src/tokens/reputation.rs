//! Reputation snapshots as another institution says them: form, range, time and signature.
//!
//! What the score means is the issuer's matter. The formula of REP-1.2 is not here: `docs/acp-deviations.md` says why.

use serde_json::Value;

use super::json::{text, whole};
use super::signature::{VerifyingKey, verified};
use super::{Refused, faults};

faults! {
    /// Why a reputation snapshot is refused.
    ReputationFault {
        Order = "REP-001", "it was evaluated after its end";
        Range = "REP-002", "the score is not on a known scale";
        Malformed = "REP-003", "a member is missing or of the wrong kind";
        Issuer = "REP-004", "there is no issuer";
        Signature = "REP-010", "there is no signature of the issuer";
        Expired = "REP-011", "the snapshot has expired";
    }
}

/// Verifies a snapshot: `ver` 1.0 or 1.1, `rep_id`, `subject_id`, `issuer`, `score`, `evaluated_at`, `signature`; 1.1 adds `scale`
/// (`0-1`), `model_id` and `valid_until`, which is valid itself. In 1.0 nothing expires.
pub fn verify(snapshot: &Value, issuer: &VerifyingKey, now: i64) -> Result<(), Refused<ReputationFault>> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, fault| {
        if !holds {
            faults.push(fault);
        }
    };
    let ends = match text(snapshot, "ver") {
        Some("1.1") => true,
        Some("1.0") => false,
        _ => return Err(Refused::one(ReputationFault::Malformed)),
    };
    let evaluated = whole(snapshot, "evaluated_at");
    let named = text(snapshot, "rep_id").is_some() && text(snapshot, "subject_id").is_some();
    require(named && evaluated.is_some(), ReputationFault::Malformed);
    if ends {
        let valid_until = whole(snapshot, "valid_until");
        require(valid_until.is_some() && text(snapshot, "model_id").is_some(), ReputationFault::Malformed);
        if let (Some(evaluated), Some(end)) = (evaluated, valid_until) {
            require(evaluated <= end, ReputationFault::Order);
            require(now <= end, ReputationFault::Expired);
        }
    }
    let scale = text(snapshot, "scale").or(if ends { None } else { Some("0-1") });
    let score = snapshot.get("score").and_then(Value::as_f64);
    require(scale == Some("0-1") && score.is_some_and(|score| (0.0..=1.0).contains(&score)), ReputationFault::Range);
    require(text(snapshot, "issuer").is_some(), ReputationFault::Issuer);
    require(verified(issuer, snapshot, "signature"), ReputationFault::Signature);
    Refused::unless((), faults)
}
