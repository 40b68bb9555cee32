//! Properties over requests, counters and tokens that nobody wrote by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it counted"
)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use watchfloor_admission::counters::{Counters, Limits};
use watchfloor_admission::risk::{
    Context, Counts, Decision, History, Profile, Request, ResourceClass, ScopeCounts, Standing, evaluate,
};
use watchfloor_admission::tokens::capability::{self, Trust};
use watchfloor_admission::tokens::execution::{self, Consumed};
use watchfloor_admission::tokens::handshake::{self, Challenges};
use watchfloor_admission::tokens::signature::{SigningKey, sign};
use watchfloor_admission::tokens::{delegation, json as strict, ledger_view, policy_context, provenance, reputation};

const CLASSES: [ResourceClass; 5] = [
    ResourceClass::Public,
    ResourceClass::Internal,
    ResourceClass::Sensitive,
    ResourceClass::Critical,
    ResourceClass::Restricted,
];
const CAPABILITIES: [&str; 5] =
    ["acp:cap:data.read", "acp:cap:data.write", "acp:cap:financial.payment", "acp:cap:what.ever", "broken"];

/// Numbers that a request and its counts are made of; more of any is worse.
#[derive(Clone, Debug)]
struct Drawn {
    flags: [bool; 12],
    class: usize,
    counts: [u16; 12],
    hot: [bool; 4],
    level: u8,
    capability: usize,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (any::<[bool; 12]>(), 0..5_usize, prop::array::uniform12(0..15_u16), any::<[bool; 4]>(), 0..6_u8, 0..5_usize)
        .prop_map(|(flags, class, counts, hot, level, capability)| Drawn {
            flags,
            class,
            counts,
            hot: hot.map(|hot| hot && flags[0]),
            level,
            capability,
        })
}

impl Drawn {
    fn request(&self) -> Request<'static> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = self.flags.map(Some);
        Request {
            eval_id: "eval",
            request_id: "request",
            agent_id: "agent",
            tenant: "tenant",
            capability: CAPABILITIES[self.capability],
            resource: "report",
            target_shape: "report",
            resource_class: CLASSES[self.class],
            autonomy_level: self.level,
            context: Context {
                external_ip: a,
                off_hours: b,
                non_business_day: c,
                geo_outside: d,
                timestamp_drift: e,
                untrusted_device: f,
            },
            history: History {
                denial_rate_high: g,
                unresolved_escalations: h,
                recent_denial: i,
                freq_anomaly: j,
                amount_near_limit: k,
                no_history: l,
            },
            standing: Standing::GOOD,
        }
    }

    fn counts(&self) -> Counts {
        let scope = |place: usize| ScopeCounts {
            flood: self.counts[place],
            denials: self.counts[place + 1],
            repeats: self.counts[place + 2],
            hot: self.hot[place / 3],
        };
        Counts {
            flood: self.counts[0],
            denials: self.counts[1],
            repeats: self.counts[2],
            cooldown_active: self.hot[0],
            resource: scope(3),
            tenant: scope(6),
            shape: scope(9),
            ..Counts::NONE
        }
    }

    /// The same with one thing worse.
    fn worse(mut self, what: usize) -> Self {
        match what {
            0..12 => self.flags[what] = true,
            12..24 => self.counts[what - 12] += 1,
            24..28 => self.hot[what - 24] = true,
            _ => self.class = (self.class + 1).min(4),
        }
        self
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn risk_is_monotone_in_every_factor(drawn in drawn(), what in 0..29_usize) {
        let worse = drawn.clone().worse(what);
        for profile in [Profile::spec(), Profile::go()] {
            let before = evaluate(&profile, &drawn.request(), &drawn.counts());
            let after = evaluate(&profile, &worse.request(), &worse.counts());
            // The reference's table weighs a critical target less than a sensitive one.
            let known_fault = what == 28 && profile == Profile::go();
            prop_assert!(after.decision >= before.decision || known_fault, "{before:?} {after:?}");
            if let (Some(before), Some(after)) = (before.rs_final, after.rs_final) {
                prop_assert!(after >= before || known_fault);
            }
            prop_assert!(before.recomputes(&profile) && after.recomputes(&profile));
        }
    }

    #[test]
    fn the_decision_is_the_meet_of_all_reasons(drawn in drawn(), registered: bool, ledger: bool, policy: bool) {
        let profile = Profile::spec();
        let standing = Standing { agent_registered: registered, ledger_available: ledger, policy_verified: policy };
        let record = evaluate(&profile, &Request { standing, ..drawn.request() }, &drawn.counts());
        // In any order of the reasons the most restrictive one decides.
        let reasons: Vec<Decision> = record.reasons.iter().map(|reason| reason.decision()).collect();
        prop_assert_eq!(record.decision, reasons.iter().rev().copied().max().unwrap_or(Decision::Approved));
        prop_assert!(record.decision == Decision::Denied || registered && ledger && policy);
        let good = evaluate(&profile, &drawn.request(), &drawn.counts());
        prop_assert!(record.decision >= good.decision);
    }

    #[test]
    fn restoring_state_changes_nothing(
        asked in prop::collection::vec((0..6_usize, 0..6_usize, drawn(), 0..400_000_i64), 1..60),
        cut in 0..60_usize,
        small: bool,
    ) {
        let profile = Profile::spec();
        let names = ["a", "b", "c", "d", "e", "f"];
        let keys = if small { 1 } else { 100 };
        let mut first = Counters::new(Limits { scopes: keys, patterns: keys }, [5; 16]).unwrap();
        let mut second = None;
        let mut now = 1_767_225_600_000_i64;
        for (number, (agent, resource, drawn, passed)) in asked.iter().enumerate() {
            if number == cut {
                let saved = serde_json::to_string(&first).unwrap();
                let restored: Counters = serde_json::from_str(&saved).unwrap();
                prop_assert_eq!(&saved, &serde_json::to_string(&restored).unwrap());
                second = Some(restored);
            }
            // Clocks go back now and then.
            now += passed - 100_000;
            let request = Request { agent_id: names[*agent], resource: names[*resource], ..drawn.request() };
            let record = first.admit(&profile, &request, now);
            if let Some(second) = &mut second {
                prop_assert_eq!(&second.admit(&profile, &request, now), &record);
                prop_assert_eq!(serde_json::to_string(second).unwrap(), serde_json::to_string(&first).unwrap());
            }
        }
    }

    #[test]
    fn no_input_makes_a_verifier_panic_or_accept(text in "\\PC{0,80}", value in token()) {
        let key = SigningKey::from_bytes(&[8; 32]);
        let _ = strict::read(text.as_bytes());
        for value in [value.clone(), Value::String(text)] {
            prop_assert!(refused_by_all(&value, &key));
        }
    }

    #[test]
    fn a_changed_execution_token_is_refused(member in 0..11_usize, change in value()) {
        let key = SigningKey::from_bytes(&[8; 32]);
        let expected = execution::Expected { agent_id: "agent", resource: "host/1", parameters_hash: "hash" };
        let grant = execution::Grant { id: "et-1", authorization_id: "auth-1", capability: "acp:cap:host.isolate", expected };
        let token = execution::issue(&key, &grant, 1000).unwrap();
        let mut changed = token.clone();
        let name = token.as_object().unwrap().keys().nth(member).unwrap().clone();
        changed[&name] = change;
        let mut consumed = Consumed::default();
        let accepted = consumed.consume(&changed, &expected, &key.verifying_key(), 1001).is_ok();
        prop_assert_eq!(accepted, changed == token, "{}", name);
    }
}

/// No verifier accepts this.
fn refused_by_all(value: &Value, key: &SigningKey) -> bool {
    let public = key.verifying_key();
    let keys = [("a".to_owned(), public)].into();
    let trust = Trust { issuers: [("a".to_owned(), public)].into(), ..Trust::default() };
    let bound = handshake::Bound { method: "a", path: "a", body_hash: "a", subject: "a" };
    let expected = execution::Expected { agent_id: "a", resource: "a", parameters_hash: "a" };
    let captured = provenance::Bound { execution_id: "a", expires_at: 1, now: 1 };
    let snapshot =
        policy_context::Bound { execution_id: "a", issued_at: 0, expires_at: 1, policy_hash: "a", freshness_max: 60 };
    capability::verify(value, &trust).is_err()
        && capability::verify_derived(value, value, &trust).is_err()
        && delegation::verify(value, &delegation::Registry::new(), &public).is_err()
        && Challenges::default().verify(value, &bound, &keys, 1).is_err()
        && Consumed::default().consume(value, &expected, &public, 1).is_err()
        && provenance::verify(value, &captured, &public, &keys).is_err()
        && policy_context::verify(value, &snapshot, &public).is_err()
        && reputation::verify(value, &public, 1).is_err()
        && !ledger_view::verify(std::slice::from_ref(value), &public).is_empty()
}

/// Any small value.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0), Just(1), Just(i64::MIN), Just(i64::MAX), any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just("a"), Just("1.0"), Just("1.1"), Just(""), Just("é")].prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop_oneof![Just("max_depth"), Just("step"), Just("a")], inner, 0..3)
                .prop_map(|members| json!(members)),
        ]
    })
}

/// An object with the members that verifiers look for.
fn token() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 40] = [
        "ver",
        "sig",
        "signature",
        "iss",
        "issuer",
        "sub",
        "cap",
        "action_set",
        "res",
        "resource",
        "exp",
        "iat",
        "nonce",
        "jti",
        "deleg",
        "delegation",
        "parent_hash",
        "agent_id",
        "challenge",
        "challenge_id",
        "issued_at",
        "expires_at",
        "request_method",
        "request_path",
        "request_body_hash",
        "et_id",
        "authorization_id",
        "capability",
        "used",
        "action_parameters_hash",
        "chain",
        "captured_at",
        "policy",
        "snapshot_at",
        "delta_max",
        "policy_captured_at",
        "score",
        "scale",
        "sequence",
        "timestamp",
    ];
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), value(), 0..20).prop_map(|members| json!(members))
}

/// The same objects signed by the right key, so that the checks after the signature are reached as well.
#[test]
fn signed_nonsense_is_refused() {
    let key = SigningKey::from_bytes(&[8; 32]);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..500 {
        let mut value = token().new_tree(&mut runner).unwrap().current();
        for member in ["sig", "signature"] {
            value[member] = sign(&key, &value, member).map_or(Value::Null, Value::from);
        }
        assert!(refused_by_all(&value, &key), "{value}");
    }
}
