//! The counters: contract, windows, time, room, and state that is saved.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it counted"
)]

use watchfloor_admission::counters::{Counters, KEYS_MAX, Limits, pattern_key};
use watchfloor_admission::risk::{
    Context, Decision, FloodCounts, History, Profile, Reason, Request, ResourceClass, Rules, Scope, Shared, Standing,
};

const START: i64 = 1_767_225_600_000;
const MINUTE: i64 = 60_000;

const CALM: Request<'static> = Request {
    eval_id: "eval",
    request_id: "request",
    agent_id: "agent",
    tenant: "tenant",
    capability: "acp:cap:data.read",
    resource: "report/1",
    target_shape: "report",
    resource_class: ResourceClass::Public,
    autonomy_level: 2,
    context: Context::CALM,
    history: History::CLEAN,
    standing: Standing::GOOD,
};

/// Denied by its score: 10 + 45 + 20.
const HOPELESS: Request<'static> = Request {
    capability: "acp:cap:data.write",
    resource_class: ResourceClass::Restricted,
    context: Context { external_ip: Some(true), ..Context::CALM },
    ..CALM
};

fn counters() -> Counters {
    Counters::new(Limits { scopes: 1000, patterns: 1000 }, [3; 16]).unwrap()
}

fn alone() -> Profile {
    Profile::new(Rules { shared: Shared::default(), ..Profile::spec().rules().clone() }).unwrap()
}

#[test]
fn pattern_keys_are_those_of_the_specification() {
    // SHA-256 of `agent|acp:cap:data.read|report/1`, by another implementation.
    assert_eq!(format!("{:?}", pattern_key(&CALM)), "f1701d0501a7d8d63724b3b1f681c56f");
    let others = [
        Request { agent_id: "other", ..CALM },
        Request { capability: "acp:cap:data.write", ..CALM },
        Request { resource: "report/2", ..CALM },
    ];
    for other in others {
        assert_ne!(pattern_key(&other), pattern_key(&CALM));
    }
    assert_eq!(pattern_key(&Request { tenant: "other", target_shape: "other", ..CALM }), pattern_key(&CALM));
}

#[test]
fn counts_are_as_of_before_the_request_and_windows_take_in_their_cutoff() {
    let profile = Profile::spec();
    for (passed, flood, repeats) in
        [(0, 4, 4), (MINUTE, 4, 4), (MINUTE + 1, 0, 4), (5 * MINUTE, 0, 4), (5 * MINUTE + 1, 0, 0)]
    {
        let mut counters = counters();
        for number in 0..4 {
            let detail = counters.admit(&profile, &CALM, START).anomaly_detail;
            assert_eq!((detail.rule1_count, detail.rule3_count), (number, number));
            assert_eq!(detail.rule3_triggered, number >= 3, "from the fourth on");
        }
        let record = counters.admit(&profile, &CALM, START + passed);
        let detail = record.anomaly_detail;
        assert_eq!((detail.rule1_count, detail.rule3_count), (flood, repeats), "after {passed} ms");
        for scope in [detail.resource, detail.tenant, detail.shape] {
            assert_eq!((scope.flood, scope.repeats, scope.denials), (flood, repeats, 0), "after {passed} ms");
        }
        assert_eq!((record.timestamp, detail.pattern_key), (START + passed, pattern_key(&CALM)));
        assert!(record.recomputes(&profile));
    }
}

#[test]
fn denials_count_for_a_day_and_start_a_cooldown_within_ten_minutes() {
    let day = 24 * 60 * MINUTE;
    for (passed, denials) in [(0, 1), (day, 1), (day + 1, 0)] {
        let mut counters = counters();
        counters.admit(&alone(), &HOPELESS, START);
        assert_eq!(counters.admit(&alone(), &CALM, START + passed).anomaly_detail.rule2_count, denials, "{passed}");
    }
    for (passed, starts) in [(10 * MINUTE, true), (10 * MINUTE + 1, false)] {
        let mut counters = counters();
        let profile = alone();
        counters.admit(&profile, &HOPELESS, START);
        counters.admit(&profile, &HOPELESS, START + 1000 * i64::from(starts));
        let at = START + passed;
        let third = counters.admit(&profile, &HOPELESS, at);
        assert_eq!(third.changes.entered.has(Scope::Agent), starts, "{passed}");
        assert_eq!(third.changes.until, if starts { at + 5 * MINUTE } else { 0 });
        assert!(!third.cooldown_active && third.changes.left.is_empty());
    }
}

#[test]
fn a_cooldown_ends_at_its_end_and_starts_again_while_denials_count() {
    let (profile, mut counters) = (alone(), counters());
    (0..3).for_each(|_| drop(counters.admit(&profile, &HOPELESS, START)));
    let during = counters.admit(&profile, &CALM, START + 5 * MINUTE - 1);
    assert_eq!((during.denied_reason, during.changes.entered.is_empty()), (Some(Reason::Cooldown), true));
    let after = counters.admit(&profile, &CALM, START + 5 * MINUTE);
    assert!(!after.cooldown_active);
    assert!(after.changes.left.has(Scope::Agent) && after.changes.entered.has(Scope::Agent), "four in ten minutes");
    assert_eq!(after.changes.until, START + 10 * MINUTE);
    let over = counters.admit(&profile, &CALM, START + 20 * MINUTE);
    assert!(over.changes.left.has(Scope::Agent) && over.changes.entered.is_empty());
    assert_eq!(over.decision, Decision::Approved);
    let other = counters.admit(&profile, &Request { agent_id: "other", ..CALM }, START + 1);
    assert_eq!(other.decision, Decision::Approved);
}

#[test]
fn agents_count_every_denial_and_shared_scopes_those_by_score() {
    let profile = Profile::spec();
    let level_0 = Request { autonomy_level: 0, ..CALM };
    let no_ledger = Request { standing: Standing { ledger_available: false, ..Standing::GOOD }, ..CALM };
    for (request, agent, shared) in [(CALM, 0, 0), (HOPELESS, 1, 1), (level_0, 1, 0), (no_ledger, 1, 0)] {
        let mut counters = counters();
        counters.admit(&profile, &request, START);
        let probe = Request { agent_id: "agent", capability: request.capability, ..CALM };
        let detail = counters.admit(&profile, &probe, START).anomaly_detail;
        assert_eq!(detail.rule2_count, agent, "{request:?}");
        for scope in [detail.resource, detail.tenant, detail.shape] {
            assert_eq!(scope.denials, shared, "{request:?}");
        }
    }
    let mut counters = counters();
    (0..6).for_each(|_| drop(counters.admit(&profile, &HOPELESS, START)));
    let detail = counters.admit(&profile, &HOPELESS, START).anomaly_detail;
    assert_eq!((detail.rule2_count, detail.tenant.denials), (6, 3), "cooldowns do not feed the shared scopes");
}

#[test]
fn scopes_are_those_of_their_tenant() {
    let profile = Profile::spec();
    // Request, then whether it shares the agent's, resource's, tenant's and shape's counters with CALM.
    let table = [
        (CALM, [1, 1, 1, 1]),
        (Request { agent_id: "other", ..CALM }, [0, 1, 1, 1]),
        (Request { resource: "report/2", ..CALM }, [1, 0, 1, 1]),
        (Request { capability: "acp:cap:data.write", ..CALM }, [1, 1, 1, 0]),
        (Request { target_shape: "other", ..CALM }, [1, 1, 1, 0]),
        (Request { tenant: "other", ..CALM }, [1, 0, 0, 0]),
        (Request { agent_id: "report/1", resource: "agent", ..CALM }, [0, 0, 1, 1]),
    ];
    for (request, expected) in table {
        let mut counters = counters();
        counters.admit(&profile, &CALM, START);
        let detail = counters.admit(&profile, &request, START).anomaly_detail;
        let found = [detail.rule1_count, detail.resource.flood, detail.tenant.flood, detail.shape.flood];
        assert_eq!(found, expected, "{request:?}");
    }
    let mut rules = Profile::spec().rules().clone();
    rules.anomaly.flood_counts = FloodCounts::Pattern;
    let pattern = Profile::new(rules).unwrap();
    let mut counters = counters();
    counters.admit(&pattern, &CALM, START);
    let other = counters.admit(&pattern, &Request { resource: "report/2", ..CALM }, START);
    assert_eq!(other.anomaly_detail.rule1_count, 0);
    assert_eq!(counters.admit(&pattern, &CALM, START).anomaly_detail.rule1_count, 1);
    assert_eq!(counters.admit(&pattern, &CALM, START + MINUTE + 1).anomaly_detail.rule1_count, 0);
}

#[test]
fn names_that_anyone_can_invent_do_not_count() {
    let (profile, mut counters) = (Profile::spec(), counters());
    let stranger = Request { standing: Standing { agent_registered: false, ..Standing::GOOD }, ..CALM };
    let record = counters.admit(&profile, &stranger, START);
    assert_eq!((record.denied_reason, record.timestamp), (Some(Reason::AgentUnregistered), START));
    assert_eq!(record.anomaly_detail.pattern_key, pattern_key(&CALM));
    assert!(counters.is_empty());
    counters.admit(&profile, &CALM, START);
    assert_eq!((counters.len(), counters.is_empty()), (5, false), "agent, resource, tenant, shape, pattern");
}

#[test]
fn a_store_without_room_refuses_and_forgets_nothing() {
    for (scopes, patterns) in [(4, 100), (100, 4)] {
        let (profile, mut counters) = (alone(), Counters::new(Limits { scopes, patterns }, [1; 16]).unwrap());
        let names: Vec<String> = (0..400).map(|number| format!("agent-{number}")).collect();
        let mut kept = Vec::new();
        for name in &names {
            let record = counters.admit(&profile, &Request { agent_id: name, ..HOPELESS }, START);
            assert_eq!(record.counters_kept, !record.reasons.has(Reason::CountersFull));
            assert!(record.recomputes(&profile));
            if record.counters_kept {
                kept.push(name);
            } else {
                assert_eq!(record.decision, Decision::Denied);
            }
        }
        assert!(!kept.is_empty() && kept.len() < 400);
        for name in kept {
            let record = counters.admit(&profile, &Request { agent_id: name, ..CALM }, START + 1);
            assert_eq!(record.anomaly_detail.rule2_count, 1, "{name}");
        }
        let later = counters.admit(&profile, &Request { agent_id: "late", ..CALM }, START + 25 * 60 * MINUTE);
        assert_eq!(later.decision, Decision::Approved, "what says nothing any more gives way");
    }
    for (keys, sound) in [(KEYS_MAX - 1, true), (KEYS_MAX, true), (KEYS_MAX + 1, false)] {
        assert_eq!(Counters::new(Limits { scopes: keys, patterns: 0 }, [0; 16]).is_ok(), sound);
        let patterns = Counters::new(Limits { scopes: 0, patterns: keys }, [0; 16]);
        assert_eq!(patterns.is_ok(), sound);
        if let Err(error) = patterns {
            assert!(error.to_string().contains("16000000"));
        }
    }
}

#[test]
fn a_cooldown_keeps_its_slot() {
    // A cooldown that outlasts every window: its slot must not give way. The store has eight slots for scopes.
    let mut rules = alone().rules().clone();
    rules.cooldown.period_seconds = 86_400;
    let profile = Profile::new(rules).unwrap();
    let mut counters = Counters::new(Limits { scopes: 1, patterns: 1000 }, [1; 16]).unwrap();
    (0..3).for_each(|_| drop(counters.admit(&profile, &HOPELESS, START)));
    let names: Vec<String> = (0..50).map(|number| format!("agent-{number}")).collect();
    for name in &names {
        counters.admit(&profile, &Request { agent_id: name, ..CALM }, START + 86_399_000);
    }
    assert!(counters.admit(&profile, &CALM, START + 86_399_999).cooldown_active);
}

#[test]
fn time_does_not_run_backwards() {
    let (profile, mut counters) = (alone(), counters());
    (0..3).for_each(|_| drop(counters.admit(&profile, &HOPELESS, START)));
    for back in [1, MINUTE, 100 * 24 * 60 * MINUTE, START, i64::MAX] {
        let record = counters.admit(&profile, &CALM, START.saturating_sub(back));
        assert!(record.cooldown_active, "{back}");
    }
    let far = counters.admit(&profile, &CALM, i64::MAX);
    assert_eq!(far.decision, Decision::Approved);
}

#[test]
fn ticks_are_moved_along_without_losing_what_counts() {
    let profile = alone();
    let day = 24 * 60 * MINUTE;
    // The origin lies two days before the first request and moves when 2^31 ms have passed since it.
    let moves = START - 2 * day + (1 << 31);
    for at in [moves - 2, moves - 1, moves, moves + 1, moves + 40 * day, moves + 4000 * day] {
        let mut counters = counters();
        counters.admit(&profile, &CALM, START);
        counters.admit(&profile, &HOPELESS, at - day);
        (0..3).for_each(|_| drop(counters.admit(&profile, &HOPELESS, at - 299_999)));
        assert_eq!(counters.admit(&profile, &CALM, at - 299_998).changes.until, 0);
        let record = counters.admit(&profile, &CALM, at);
        assert!(record.cooldown_active, "{at}: one millisecond is left");
        assert_eq!(record.anomaly_detail.rule2_count, 5, "{at}: the cutoffs are where they were");
        assert_eq!(record.anomaly_detail.rule3_count, 1, "{at}: the one within five minutes");
        let saved = serde_json::to_string(&counters).unwrap();
        let mut restored: Counters = serde_json::from_str(&saved).unwrap();
        assert_eq!(restored.admit(&profile, &CALM, at + 1), counters.admit(&profile, &CALM, at + 1));
    }
}

#[test]
fn damaged_state_is_refused() {
    let mut counters = counters();
    counters.admit(&Profile::spec(), &HOPELESS, START);
    let sound = serde_json::to_value(&counters).unwrap();
    assert!(serde_json::from_value::<Counters>(sound.clone()).is_ok());
    let late = sound["latest"].as_u64().unwrap() + 1;
    let table = [
        ("/latest", serde_json::json!(5)),
        ("/limits/scopes", serde_json::json!(KEYS_MAX + 1)),
        ("/patterns/0/tag", serde_json::json!(0)),
        ("/patterns/0/state/requests", serde_json::json!([late])),
        ("/scopes/0/state/denials", serde_json::json!([late])),
        ("/scopes/0/tag", serde_json::json!(7)),
        ("/scopes/1/tag", sound["scopes"][0]["tag"].clone()),
    ];
    for (place, value) in table {
        let mut damaged = sound.clone();
        *damaged.pointer_mut(place).unwrap() = value;
        assert!(serde_json::from_value::<Counters>(damaged).is_err(), "{place}");
    }
}
