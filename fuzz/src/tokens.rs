//! Signed objects of anybody.

use watchfloor_admission::tokens::capability::{self, Trust};
use watchfloor_admission::tokens::execution::{self, Consumed};
use watchfloor_admission::tokens::handshake::{self, Challenges};
use watchfloor_admission::tokens::signature::{SigningKey, sign};
use watchfloor_admission::tokens::{delegation, json, ledger_view, policy_context, provenance, reputation};

/// Bytes as a signed object: no verifier panics, and none accepts what its key did not sign.
pub fn acp_tokens(data: &[u8]) {
    let Ok(mut value) = json::read(data) else { return };
    let key = SigningKey::from_bytes(&[8; 32]);
    assert!(!accepted(&value, &key), "accepted without a signature: {value}");
    for member in ["sig", "signature", "delegation_signature"] {
        let signature = sign(&key, &value, member);
        if let (Some(object), Some(signature)) = (value.as_object_mut(), signature) {
            object.insert(member.to_owned(), signature.into());
            accepted(&value, &key);
        }
    }
}

/// Whether any verifier accepts it. The names are those of the seeds in the corpus.
fn accepted(value: &serde_json::Value, key: &SigningKey) -> bool {
    let public = key.verifying_key();
    let keys = [("a".to_owned(), public)].into();
    let trust = Trust { issuers: [("a".to_owned(), public)].into(), ..Trust::default() };
    let bound = handshake::Bound { method: "a", path: "a", body_hash: "a", subject: "a" };
    let expected = execution::Expected { agent_id: "a", resource: "a", parameters_hash: "a" };
    let captured = provenance::Bound { execution_id: "a", expires_at: 1, now: 1 };
    let snapshot =
        policy_context::Bound { execution_id: "a", issued_at: 0, expires_at: 1, policy_hash: "a", freshness_max: 60 };
    let _ = delegation::check(value, &delegation::Registry::new());
    capability::verify(value, &trust).is_ok()
        || capability::verify_derived(value, value, &trust).is_ok()
        || delegation::verify(value, &delegation::Registry::new(), &public).is_ok()
        || Challenges::default().verify(value, &bound, &keys, 1).is_ok()
        || Consumed::default().consume(value, &expected, &public, 1).is_ok()
        || provenance::verify(value, &captured, &public, &keys).is_ok()
        || policy_context::verify(value, &snapshot, &public).is_ok()
        || reputation::verify(value, &public, 1).is_ok()
        || ledger_view::verify(std::slice::from_ref(value), &public).is_empty()
}
