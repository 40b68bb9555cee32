//! Every rule of the decision function by itself, at its bounds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it counted"
)]

use watchfloor_admission::risk::{
    Changes, Context, Counter, Counts, CustomRule, Decision, Factor, History, Hot, Named, Names, Profile, Reason,
    Record, Request, ResourceClass, Rules, Scope, ScopeCounts, SharedRule, Standing, evaluate,
};

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

fn changed(change: impl FnOnce(&mut Rules)) -> Profile {
    let mut rules = Profile::spec().rules().clone();
    change(&mut rules);
    Profile::new(rules).unwrap()
}

fn names<T: Named>(names: Names<T>) -> Vec<&'static str> {
    names.iter().map(Named::name).collect()
}

#[test]
fn refusals_are_all_reported_and_the_first_is_named() {
    let long = "x".repeat(1024);
    let longer = "x".repeat(1025);
    let missing_context = Context { off_hours: None, ..Context::CALM };
    let missing_history = History { no_history: None, ..History::CLEAN };
    let standing = |agent_registered, ledger_available, policy_verified| Standing {
        agent_registered,
        ledger_available,
        policy_verified,
    };
    let table: Vec<(Request<'_>, &[&str])> = vec![
        (CALM, &[]),
        (Request { autonomy_level: 0, ..CALM }, &["AUTONOMY_LEVEL_0"]),
        (Request { autonomy_level: 4, ..CALM }, &[]),
        (Request { autonomy_level: 5, ..CALM }, &["AUTONOMY_LEVEL_0"]),
        (Request { standing: standing(false, true, true), ..CALM }, &["AGENT_UNREGISTERED"]),
        (Request { standing: standing(true, false, true), ..CALM }, &["LEDGER_UNAVAILABLE"]),
        (Request { standing: standing(true, true, false), ..CALM }, &["POLICY_UNVERIFIED"]),
        (
            Request { standing: Standing::default(), autonomy_level: 0, ..CALM },
            &["AUTONOMY_LEVEL_0", "POLICY_UNVERIFIED", "LEDGER_UNAVAILABLE", "AGENT_UNREGISTERED"],
        ),
        (Request { capability: "data.read", ..CALM }, &["CAPABILITY_INVALID", "SCORE_ESCALATED", "CAPABILITY_UNKNOWN"]),
        (Request { context: missing_context, ..CALM }, &["CONTEXT_MISSING"]),
        (Request { history: missing_history, ..CALM }, &["CONTEXT_MISSING"]),
        (Request { context: Context::default(), history: History::default(), ..CALM }, &["CONTEXT_MISSING"]),
        (Request { agent_id: "", ..CALM }, &["NAME_INVALID"]),
        (Request { tenant: "", ..CALM }, &["NAME_INVALID"]),
        (Request { resource: "", ..CALM }, &["NAME_INVALID"]),
        (Request { target_shape: "", ..CALM }, &["NAME_INVALID"]),
        (Request { resource: &long, ..CALM }, &[]),
        (Request { resource: &longer, ..CALM }, &["NAME_INVALID"]),
        (Request { resource: &longer[2..], ..CALM }, &[]),
    ];
    let profile = Profile::spec();
    for (request, expected) in table {
        let record = evaluate(&profile, &request, &Counts::NONE);
        assert_eq!(names(record.reasons), expected, "{request:?}");
        assert_eq!(record.denied_reason.map(Named::name), expected.first().copied(), "{request:?}");
        let decision = if expected.is_empty() { Decision::Approved } else { Decision::Denied };
        assert_eq!(record.decision, decision, "{request:?}");
        let executed = !expected.contains(&"CONTEXT_MISSING");
        assert_eq!((record.factors.is_some(), record.rs_final.is_some()), (executed, executed), "{request:?}");
        assert!(record.recomputes(&profile));
    }
}

#[test]
fn every_missing_member_refuses() {
    let profile = Profile::spec();
    for calm in [serde_json::to_value(Context::CALM).unwrap(), serde_json::to_value(History::CLEAN).unwrap()] {
        for name in calm.as_object().unwrap().keys() {
            let mut without = calm.clone();
            without[name] = serde_json::Value::Null;
            let mut request = CALM;
            match serde_json::from_value::<Context>(without.clone()) {
                Ok(context) if calm.get("off_hours").is_some() => request.context = context,
                _ => request.history = serde_json::from_value(without).unwrap(),
            }
            let record = evaluate(&profile, &request, &Counts::NONE);
            assert_eq!(names(record.reasons), ["CONTEXT_MISSING"], "{name}");
        }
    }
}

#[test]
fn weights_are_those_of_the_tables() {
    let flagged = |set: &[&str]| {
        let mut request = CALM;
        let mut context = serde_json::to_value(Context::CALM).unwrap();
        let mut history = serde_json::to_value(History::CLEAN).unwrap();
        for name in set {
            let part = if context.get(name).is_some() { &mut context } else { &mut history };
            part[name] = true.into();
        }
        (request.context, request.history) =
            (serde_json::from_value(context).unwrap(), serde_json::from_value(history).unwrap());
        request
    };
    let table: [(&[&str], u32, u32); 13] = [
        (&["external_ip"], 20, 20),
        (&["off_hours"], 15, 15),
        (&["non_business_day"], 10, 10),
        (&["geo_outside"], 25, 15),
        (&["timestamp_drift"], 30, 10),
        (&["untrusted_device"], 10, 10),
        (&["denial_rate_high"], 15, 15),
        (&["unresolved_escalations"], 10, 10),
        (&["recent_denial"], 20, 20),
        (&["freq_anomaly"], 15, 15),
        (&["amount_near_limit"], 20, 10),
        (&["no_history"], 10, 5),
        (&["external_ip", "geo_outside", "recent_denial", "no_history"], 75, 60),
    ];
    for (set, spec, go) in table {
        for (profile, points) in [(Profile::spec(), spec), (Profile::go(), go)] {
            let record = evaluate(&profile, &flagged(set), &Counts::NONE);
            let factors = record.factors.unwrap();
            assert_eq!((factors.context + factors.history, factors.sum()), (points, points), "{set:?}");
            assert_eq!(names(record.factors_applied), set.to_vec());
            assert!(record.recomputes(&profile));
        }
    }
}

#[test]
fn capabilities_and_targets_weigh_what_the_tables_say() {
    let table = [
        ("data.read", ResourceClass::Public, 0, 0),
        ("data.notify", ResourceClass::Public, 5, 20),
        ("data.write", ResourceClass::Internal, 15, 10),
        ("financial.payment", ResourceClass::Sensitive, 50, 50),
        ("financial.transfer", ResourceClass::Unclassified, 55, 50),
        ("financial.other", ResourceClass::Public, 40, 35),
        ("infrastructure.delete", ResourceClass::Critical, 85, 20),
        ("agent.revoke", ResourceClass::Restricted, 85, 65),
        ("admin.write", ResourceClass::Public, 40, 60),
        ("nothing.known", ResourceClass::Public, 40, 20),
        ("fleet.monitor", ResourceClass::Public, 0, 0),
        ("identity.delegate", ResourceClass::Public, 25, 20),
        ("communication.webhook", ResourceClass::Public, 15, 20),
        ("audit.export", ResourceClass::Public, 20, 20),
    ];
    for (name, resource_class, spec, go) in table {
        let capability = format!("acp:cap:{name}");
        let request = Request { capability: &capability, resource_class, ..CALM };
        let score = |profile: &Profile| evaluate(profile, &request, &Counts::NONE).rs_final.unwrap();
        assert_eq!((score(&Profile::spec()), score(&Profile::go())), (spec, go), "{name}");
    }
    let unknown = Request { capability: "acp:cap:nothing.known", ..CALM };
    let lenient = Request { autonomy_level: 4, ..unknown };
    let record = |profile: &Profile| evaluate(profile, &lenient, &Counts::NONE).decision;
    assert_eq!((record(&Profile::spec()), record(&Profile::go())), (Decision::Escalated, Decision::Approved));
    let unclassified = Request { resource_class: ResourceClass::Unclassified, ..CALM };
    let record = evaluate(&Profile::spec(), &unclassified, &Counts::NONE).factors_applied;
    assert!(record.has(Factor::ResourceUnclassified) && !record.has(Factor::CapabilityUnknown));
}

#[test]
fn levels_have_their_thresholds() {
    use Decision::{Approved, Denied, Escalated};
    // A score is made from custom weights: base of the capability alone.
    let at = |profile: &Profile, level: u8, score: u16| {
        let mut rules = profile.rules().clone();
        rules.base.exact.entry("data".to_owned()).or_default().insert("read".to_owned(), score);
        let profile = Profile::new(rules).unwrap();
        evaluate(&profile, &Request { autonomy_level: level, ..CALM }, &Counts::NONE).decision
    };
    let spec = [
        (1, 19, Approved),
        (1, 20, Escalated),
        (1, 1000, Escalated),
        (2, 39, Approved),
        (2, 40, Escalated),
        (2, 69, Escalated),
        (2, 70, Denied),
        (3, 59, Approved),
        (3, 60, Escalated),
        (3, 79, Escalated),
        (3, 80, Denied),
        (4, 79, Approved),
        (4, 80, Escalated),
        (4, 89, Escalated),
        (4, 90, Denied),
        (0, 0, Denied),
        (5, 0, Denied),
        (255, 0, Denied),
    ];
    for (level, score, decision) in spec {
        assert_eq!(at(&Profile::spec(), level, score), decision, "level {level} at {score}");
    }
    for (level, score, decision) in
        [(1, 0, Escalated), (1, 69, Escalated), (1, 70, Denied), (4, 39, Approved), (4, 70, Denied)]
    {
        assert_eq!(at(&Profile::go(), level, score), decision, "level {level} at {score}");
    }
}

#[test]
fn rules_fire_at_their_thresholds_in_every_scope() {
    let counts = |scope: Scope, counted: ScopeCounts| {
        let mut counts = Counts::NONE;
        match scope {
            Scope::Agent => {
                (counts.flood, counts.denials, counts.repeats) = (counted.flood, counted.denials, counted.repeats);
            }
            Scope::Resource => counts.resource = counted,
            Scope::Tenant => counts.tenant = counted,
            Scope::Shape => counts.shape = counted,
        }
        counts
    };
    let none = ScopeCounts::default();
    let profile = changed(|rules| {
        let rule = SharedRule {
            flood: Some(12),
            denials: Some(5),
            repeats: Some(7),
            hot_denials: Some(3),
            hot: Hot::Escalate,
        };
        (rules.shared.resource, rules.shared.tenant, rules.shared.shape) = (rule, rule, rule);
    });
    for (scope, flood, denials, repeats) in
        [(Scope::Agent, 10, 3, 3), (Scope::Resource, 12, 5, 7), (Scope::Tenant, 12, 5, 7), (Scope::Shape, 12, 5, 7)]
    {
        let table = [
            (ScopeCounts { flood, ..none }, 0),
            (ScopeCounts { flood: flood + 1, ..none }, 20),
            (ScopeCounts { denials: denials - 1, ..none }, 0),
            (ScopeCounts { denials, ..none }, 15),
            (ScopeCounts { repeats: repeats - 1, ..none }, 0),
            (ScopeCounts { repeats, ..none }, 15),
            (ScopeCounts { repeats: 15, denials: 8, flood: 15, hot: false }, 50),
        ];
        for (counted, points) in table {
            let record = evaluate(&profile, &CALM, &counts(scope, counted));
            assert_eq!(record.factors.unwrap().anomaly, points, "{scope:?} {counted:?}");
            assert!(record.recomputes(&profile));
            if scope != Scope::Agent {
                let off = changed(|rules| rules.shared = Default::default());
                assert_eq!(evaluate(&off, &CALM, &counts(scope, counted)).factors.unwrap().anomaly, 0);
            }
        }
    }
}

#[test]
fn a_hot_scope_takes_the_right_to_approve_alone() {
    use Decision::{Approved, Denied, Escalated};
    let spec = Profile::spec();
    let hot = ScopeCounts { hot: true, ..ScopeCounts::default() };
    let in_scope = [
        Counts { resource: hot, ..Counts::NONE },
        Counts { tenant: hot, ..Counts::NONE },
        Counts { shape: hot, ..Counts::NONE },
    ];
    let payment = Request { capability: "acp:cap:financial.payment", ..CALM };
    let classed = |resource_class| Request { resource_class, ..payment };
    let table = [
        (CALM, Approved, Escalated),
        (classed(ResourceClass::Sensitive), Escalated, Escalated),
        (classed(ResourceClass::Restricted), Denied, Denied),
    ];
    for (request, without, with) in table {
        assert_eq!(evaluate(&spec, &request, &Counts::NONE).decision, without);
        for (place, counts) in in_scope.iter().enumerate() {
            let record = evaluate(&spec, &request, counts);
            assert_eq!((record.decision, record.reasons.has(Reason::SharedCooldown)), (with, true));
            let reason = (with == Denied).then_some(Reason::SharedCooldown);
            assert_eq!(record.denied_reason, reason);
            // Only the scope that says so denies.
            for strict in 0..3 {
                let profile = changed(|rules| {
                    let shared = &mut rules.shared;
                    [&mut shared.resource, &mut shared.tenant, &mut shared.shape][strict].hot = Hot::Deny;
                });
                let expected = if strict == place { Denied } else { with };
                assert_eq!(evaluate(&profile, &request, counts).decision, expected, "{place} {strict}");
            }
        }
    }
    let kept = evaluate(&spec, &CALM, &Counts { kept: false, ..Counts::NONE });
    assert_eq!((kept.decision, kept.denied_reason), (Denied, Some(Reason::CountersFull)));
    let waits = evaluate(&spec, &CALM, &Counts { cooldown_active: true, ..Counts::NONE });
    assert_eq!((waits.decision, waits.denied_reason, waits.factors), (Denied, Some(Reason::Cooldown), None));
    assert_eq!((waits.threshold_config, waits.rs_raw), (None, None));
}

#[test]
fn custom_rules_add_and_never_replace() {
    let counts = Counts {
        flood: 2,
        denials: 1,
        repeats: 2,
        resource: ScopeCounts { denials: 1, ..ScopeCounts::default() },
        tenant: ScopeCounts { denials: 2, ..ScopeCounts::default() },
        shape: ScopeCounts { denials: 2, ..ScopeCounts::default() },
        ..Counts::NONE
    };
    let rule = |counter, at_least, capability_prefix: &str| CustomRule {
        name: "F_anom_custom_acme".to_owned(),
        counter,
        at_least,
        capability_prefix: capability_prefix.to_owned(),
        weight: 7,
    };
    let table = [
        (Counter::Flood, 2, "", 7),
        (Counter::Flood, 3, "", 0),
        (Counter::Denials, 1, "", 7),
        (Counter::Denials, 2, "", 0),
        (Counter::Repeats, 2, "", 7),
        (Counter::Repeats, 3, "", 0),
        (Counter::ResourceDenials, 1, "", 7),
        (Counter::ResourceDenials, 2, "", 0),
        (Counter::TenantDenials, 2, "", 7),
        (Counter::TenantDenials, 3, "", 0),
        (Counter::ShapeDenials, 2, "acp:cap:data.", 7),
        (Counter::ShapeDenials, 3, "", 0),
        (Counter::Flood, 1, "acp:cap:financial.", 0),
    ];
    for (counter, at_least, prefix, points) in table {
        let profile = changed(|rules| rules.custom = vec![rule(counter, at_least, prefix)]);
        let record = evaluate(&profile, &CALM, &counts);
        assert_eq!(record.factors.unwrap().anomaly, points, "{counter:?} {at_least} {prefix}");
        let applied: &[&str] = if points > 0 { &["F_anom_custom_acme"] } else { &[] };
        assert_eq!(record.custom_applied, applied);
        assert_eq!(record.factors_applied.has(Factor::Custom), points > 0);
    }
    let many = changed(|rules| rules.custom = vec![rule(Counter::Flood, 1, ""); 16]);
    assert_eq!(evaluate(&many, &CALM, &counts).factors.unwrap().anomaly, 50, "capped");
}

#[test]
fn a_record_is_written_and_read_and_recomputes() {
    let counts = Counts { repeats: 3, denials: 4, ..Counts::NONE };
    let profile = changed(|rules| {
        rules.policy_hash = "sha256:abc".to_owned();
        rules.custom = vec![CustomRule {
            name: "F_anom_custom_acme".to_owned(),
            counter: Counter::Repeats,
            at_least: 1,
            capability_prefix: String::new(),
            weight: 1,
        }];
    });
    let request = Request { resource: "say \"hi\"", resource_class: ResourceClass::Critical, ..CALM };
    let record = evaluate(&profile, &request, &counts);
    let text = serde_json::to_string(&record).unwrap();
    let read: Record<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, record);
    assert!(read.recomputes(&profile) && !read.recomputes(&Profile::go()));
    for (member, value) in [("decision", "\"APPROVED\""), ("rs_final", "1"), ("cooldown_active", "true")] {
        let mut changed: serde_json::Value = serde_json::from_str(&text).unwrap();
        changed[member] = serde_json::from_str(value).unwrap();
        let text = changed.to_string();
        assert!(!serde_json::from_str::<Record<'_>>(&text).unwrap().recomputes(&profile), "{member}");
    }
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["factors_applied"], serde_json::json!(["f_anom_rule2", "f_anom_rule3", "f_anom_custom"]));
    assert_eq!(written["anomaly_detail"]["pattern_key"], "0".repeat(32));
    for (member, wrong) in [("factors_applied", "[\"x\"]"), ("reasons", "3"), ("denied_reason", "\"x\"")] {
        let mut changed = written.clone();
        changed[member] = serde_json::from_str(wrong).unwrap();
        assert!(serde_json::from_str::<Record<'_>>(&changed.to_string()).is_err(), "{member}");
    }
    for key in ["", "0", "+0000000000000000000000000000000", &"g".repeat(32), &"0".repeat(33)] {
        let mut changed = written.clone();
        changed["anomaly_detail"]["pattern_key"] = key.into();
        assert!(serde_json::from_str::<Record<'_>>(&changed.to_string()).is_err(), "{key}");
    }
}

#[test]
fn names_have_places_and_codes() {
    fn placed<T: Named + std::fmt::Debug>() {
        let mut seen = std::collections::BTreeSet::new();
        let mut all = Names::default();
        assert!(all.is_empty() && all.first().is_none());
        for (member, place) in T::ALL.iter().zip(0..) {
            assert_eq!(member.place(), place, "{member:?}");
            assert!(seen.insert(member.name()));
            let mut one = Names::default();
            one.add_if(false, *member);
            assert!(one.is_empty() && !one.has(*member));
            one.add_if(true, *member);
            assert_eq!(
                (one.first(), one.is_empty(), format!("{one:?}")),
                (Some(*member), false, format!("[{:?}]", member.name()))
            );
            all.add(*member);
        }
        assert_eq!(all.iter().count(), T::ALL.len());
        assert_eq!(serde_json::from_str::<Names<T>>(&serde_json::to_string(&all).unwrap()).unwrap(), all);
    }
    placed::<Reason>();
    placed::<Factor>();
    placed::<Scope>();
    let codes: Vec<_> = Reason::ALL.iter().filter_map(|reason| reason.code()).collect();
    let expected = ["RISK-006", "RISK-007", "RISK-009", "RISK-008", "RISK-001", "RISK-002", "RISK-004", "RISK-005"];
    assert_eq!(codes, expected);
    let milder: Vec<_> = Reason::ALL.iter().filter(|reason| reason.decision() == Decision::Escalated).collect();
    assert_eq!(milder, [&Reason::SharedCooldown, &Reason::ScoreEscalated, &Reason::CapabilityUnknown]);
}

#[test]
fn state_changes_are_told_as_events() {
    let profile = changed(|rules| {
        rules.cooldown.trigger_denials = 4;
        rules.shared.resource.hot_denials = Some(2);
        rules.shared.tenant.hot_denials = Some(5);
        rules.shared.shape.hot_denials = Some(6);
    });
    let mut record = evaluate(&profile, &CALM, &Counts::NONE);
    assert_eq!(record.state_changes(&profile).count(), 0);
    let mut changes = Changes { until: 77, ..Changes::default() };
    changes.left.add(Scope::Agent);
    Scope::ALL.iter().for_each(|scope| changes.entered.add(*scope));
    record.changes = changes;
    assert!(record.recomputes(&profile), "what the counters did is no part of the decision");
    let events = serde_json::to_value(record.state_changes(&profile).collect::<Vec<_>>()).unwrap();
    let entered = |scope, denials: u8| {
        serde_json::json!({"scope": scope, "previous_status": "ACTIVE", "new_status": "COOLDOWN", "until": 77,
            "triggered_by": format!("{denials}_DENIED_in_10min"), "policy_hash": ""})
    };
    let left =
        serde_json::json!({"scope": "agent", "previous_status": "COOLDOWN", "new_status": "ACTIVE", "policy_hash": ""});
    assert_eq!(
        events,
        serde_json::json!([
            left,
            entered("agent", 4),
            entered("resource", 2),
            entered("tenant", 5),
            entered("shape", 6)
        ])
    );
}
