//! What the published vectors do not show: single use, derived tokens, room, and the ledger written and damaged.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and prints what it counted"
)]

use serde_json::{Value, json};
use watchfloor_admission::tokens::capability::{self, CapabilityFault, Trust};
use watchfloor_admission::tokens::execution::{self, Consumed, ExecutionFault, Expected, Grant};
use watchfloor_admission::tokens::handshake::{Bound, Challenges, HandshakeFault};
use watchfloor_admission::tokens::ledger_view::{self, Event, LedgerFault};
use watchfloor_admission::tokens::signature::{SigningKey, hash_text, sign};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

fn signed(mut object: Value, member: &str) -> Value {
    object[member] = sign(&key(), &object, member).unwrap().into();
    object
}

const EXPECTED: Expected<'static> = Expected { agent_id: "agent", resource: "host/1", parameters_hash: "hash" };

fn token(id: &str, capability: &str, now: i64) -> Value {
    let grant = Grant { id, authorization_id: "auth", capability, expected: EXPECTED };
    execution::issue(&key(), &grant, now).unwrap()
}

#[test]
fn an_execution_token_is_good_once_and_as_long_as_its_class() {
    let public = key().verifying_key();
    let classes = [
        ("acp:cap:infrastructure.delete", 30),
        ("acp:cap:financial.read", 60),
        ("acp:cap:infrastructure.deploy", 120),
        ("acp:cap:data.read", 300),
        ("acp:cap:host.isolate", 120),
        ("broken", 120),
    ];
    for (capability, seconds) in classes {
        let token = token("et", capability, 1000);
        for (now, sound) in [(994, false), (995, true), (1000 + seconds, true), (1001 + seconds, false)] {
            let result = Consumed::default().consume(&token, &EXPECTED, &public, now);
            assert_eq!(result.is_ok(), sound, "{capability} at {now}");
        }
        for (extra, sound) in [(-1, true), (0, true), (1, false)] {
            let mut longer = token.clone();
            longer["expires_at"] = (1000 + seconds + extra).into();
            let longer = signed(longer, "sig");
            assert_eq!(Consumed::default().consume(&longer, &EXPECTED, &public, 1000).is_ok(), sound, "{capability}");
        }
    }
    let mut consumed = Consumed::default();
    let token = token("et", "acp:cap:data.read", 1000);
    consumed.consume(&token, &EXPECTED, &public, 1000).unwrap();
    let again = consumed.consume(&token, &EXPECTED, &public, 1001).unwrap_err();
    assert_eq!(again.first(), ExecutionFault::Used);
    let saved = serde_json::to_string(&consumed).unwrap();
    let mut restored: Consumed = serde_json::from_str(&saved).unwrap();
    assert!(restored.consume(&token, &EXPECTED, &public, 1001).is_err());
}

#[test]
fn a_clock_set_back_brings_no_token_to_life() {
    let public = key().verifying_key();
    let mut consumed = Consumed::with_capacity(1);
    let old = token("old", "acp:cap:host.isolate", 1000);
    consumed.consume(&old, &EXPECTED, &public, 1000).unwrap();
    let full = consumed.consume(&token("new", "acp:cap:host.isolate", 1180), &EXPECTED, &public, 1180).unwrap_err();
    assert_eq!(full.first(), ExecutionFault::Full, "kept until 60 s after its end");
    consumed.consume(&token("new", "acp:cap:host.isolate", 1181), &EXPECTED, &public, 1181).unwrap();
    assert_eq!((consumed.len(), consumed.is_empty()), (1, false));
    let replayed = consumed.consume(&old, &EXPECTED, &public, 1001).unwrap_err();
    assert!(replayed.has(ExecutionFault::Expired));
}

#[test]
fn a_challenge_is_good_once() {
    let keys = [("agent".to_owned(), key().verifying_key())].into();
    let mut challenges = Challenges::default();
    let challenge = challenges.issue("chg", [1; 16], "agent", 1000).unwrap();
    assert_eq!(challenges.issue("chg", [2; 16], "agent", 1000), None, "the id is taken");
    let bound = Bound { method: "POST", path: "/x", body_hash: "hash", subject: "agent" };
    let proof = signed(
        json!({"ver": "1.0", "agent_id": "agent", "challenge_id": "chg", "challenge": challenge.challenge, "issued_at": 1010,
            "request_method": "POST", "request_path": "/x", "request_body_hash": "hash"}),
        "sig",
    );
    let table = [
        (Bound { method: "GET", ..bound }, HandshakeFault::Method),
        (Bound { path: "/y", ..bound }, HandshakeFault::Path),
        (Bound { body_hash: "other", ..bound }, HandshakeFault::Body),
        (Bound { subject: "other", ..bound }, HandshakeFault::Agent),
    ];
    for (other, fault) in table {
        assert_eq!(challenges.verify(&proof, &other, &keys, 1010).unwrap_err().first(), fault);
    }
    assert_eq!(
        challenges.verify(&proof, &bound, &Default::default(), 1010).unwrap_err().first(),
        HandshakeFault::KeyUnknown
    );
    challenges.verify(&proof, &bound, &keys, 1030).unwrap();
    assert_eq!(challenges.verify(&proof, &bound, &keys, 1010).unwrap_err().first(), HandshakeFault::ChallengeUnknown);
    assert!(challenges.is_empty());
    challenges.issue("chg", [1; 16], "agent", 1000).unwrap();
    assert_eq!(challenges.verify(&proof, &bound, &keys, 1031).unwrap_err().first(), HandshakeFault::Late);
}

#[test]
fn a_derived_token_grants_no_more_than_its_parent() {
    let trust = Trust { issuers: [("a".to_owned(), key().verifying_key())].into(), now: 100, ..Trust::default() };
    let parent = signed(
        json!({"ver": "1.0", "iss": "a", "sub": "b", "cap": ["read", "write"], "res": "r", "exp": 200, "iat": 400,
            "nonce": "0123456789abcdef", "deleg": {"max_depth": 2}}),
        "sig",
    );
    let read = capability::verify(&parent, &trust).unwrap();
    assert!(read.grants("read", "r") && !read.grants("delete", "r") && !read.grants("read", "s"));
    let child = json!({"ver": "1.0", "iss": "a", "sub": "c", "cap": ["read"], "res": "r", "exp": 200,
        "nonce": "0123456789abcdef", "deleg": {"max_depth": 1}, "parent_hash": hash_text(&parent).unwrap()});
    let table = [
        ("cap", json!(["write"]), None),
        ("cap", json!(["delete"]), Some(CapabilityFault::Scope)),
        ("res", json!("s"), Some(CapabilityFault::Scope)),
        ("exp", json!(201), Some(CapabilityFault::Scope)),
        ("exp", json!(99), Some(CapabilityFault::Expired)),
        ("deleg", json!({"max_depth": 2}), Some(CapabilityFault::Depth)),
        ("deleg", json!({}), Some(CapabilityFault::Malformed)),
        ("parent_hash", json!("x"), Some(CapabilityFault::Parent)),
        ("parent_hash", Value::Null, Some(CapabilityFault::Parent)),
        ("iat", json!(400), None),
        ("iat", json!(401), Some(CapabilityFault::IssuedAhead)),
        ("iat", json!("x"), Some(CapabilityFault::Malformed)),
        ("issuer", json!("a"), Some(CapabilityFault::Malformed)),
        ("nonce", json!("0123456789abcde"), Some(CapabilityFault::Malformed)),
        ("cap", json!([]), Some(CapabilityFault::Malformed)),
        ("ver", json!("2.0"), Some(CapabilityFault::Version)),
    ];
    for (member, value, fault) in table {
        let mut changed = child.clone();
        changed[member] = value;
        let result = capability::verify_derived(&parent, &signed(changed, "sig"), &trust);
        assert_eq!(result.err().map(|refused| refused.first()), fault, "{member}");
    }
}

#[test]
fn the_ledger_is_written_and_every_damage_is_located() {
    let event = |number: i64, event_type: &str, payload: Value| Event {
        id: format!("event-{number}"),
        event_type: event_type.to_owned(),
        timestamp: 1000 + number,
        payload,
    };
    let events = [
        event(0, "LEDGER_GENESIS", json!({})),
        event(1, "AUTHORIZATION", json!({"policy_snapshot_ref": "p", "risk": 0.15})),
        event(2, "LIABILITY_RECORD", json!({})),
        event(2, "REVOCATION", json!({})),
    ];
    let chain = ledger_view::export(&events, "org", &key()).unwrap();
    let public = key().verifying_key();
    assert_eq!(ledger_view::verify(&chain, &public), []);
    assert_eq!(ledger_view::verify(&[], &public)[0].fault, LedgerFault::Genesis);
    for index in 0..chain.len() {
        for (member, value) in
            [("timestamp", json!(5)), ("event_id", json!("x")), ("payload", json!({"x": 1})), ("ver", json!("1"))]
        {
            let mut damaged = chain.clone();
            damaged[index][member] = value;
            let found = ledger_view::verify(&damaged, &public);
            assert!(
                found.iter().any(|located| located.index == index && located.fault == LedgerFault::Hash),
                "{index} {member}"
            );
            assert!(found.iter().any(|located| located.index == index && located.fault == LedgerFault::Signature));
        }
        let mut removed = chain.clone();
        removed.remove(index);
        assert_eq!(ledger_view::verify(&removed, &public).is_empty(), index == 3, "only the end can be cut off");
    }
    let mut swapped = chain.clone();
    swapped.swap(2, 3);
    assert!(ledger_view::verify(&swapped, &public).iter().any(|located| located.fault == LedgerFault::Sequence));
    for (wrong, fault) in [
        (vec![event(0, "REVOCATION", json!({}))], LedgerFault::Genesis),
        (vec![events[0].clone(), event(1, "LEDGER_GENESIS", json!({}))], LedgerFault::Genesis),
        (vec![events[0].clone(), event(1, "WHATEVER", json!({}))], LedgerFault::EventType),
        (vec![events[0].clone(), event(1, "RISK_EVALUATION", json!({}))], LedgerFault::Payload),
        (vec![events[0].clone(), event(-1, "REVOCATION", json!({}))], LedgerFault::Time),
        (vec![event(0, "LEDGER_GENESIS", json!(7))], LedgerFault::Malformed),
    ] {
        let faults = ledger_view::export(&wrong, "org", &key()).unwrap_err();
        assert_eq!(faults[0].fault, fault);
        assert!(faults[0].to_string().contains("LEDGER-"));
    }
}
