//! The gate as a table of plans.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use serde_json::{Value, json};
use watchfloor_admission::risk::Decision as Verdict;
use watchfloor_govern::limit::Limit;
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::{Decision, decide, probes};

use house::acme::{Book, NOW, OPEN, ask, made, plan, shown, state, with};

#[test]
fn plans_are_answered() {
    for (changes, expected) in [
        (json!({}), "allow: "),
        (json!({"/requester": {"person": "nobody"}}), "deny: requester.unknown"),
        (json!({"/requester": {"person": "otto"}}), "deny: requester.inactive"),
        (json!({"/requester": {"person": "gina"}}), "deny: requester.other_tenant"),
        (json!({"/requester": {"machine": "lost"}}), "deny: requester.unsupervised"),
        (
            json!({"/requester": {"person": "gina"}, "/tenant": "other", "/actions/0/target": "host:ws-17"}),
            "deny: cap.people evidence.none evidence.unresolved evidence.weak target.unknown",
        ),
        (json!({"/tenant": "nobody"}), "deny: evidence.unresolved requester.other_tenant target.name tenant.unknown"),
        (json!({"/actions": []}), "deny: plan.empty"),
        (json!({"/actions/0/verb": "stop_service"}), "deny: verb.unknown"),
        (json!({"/actions/0/target": "ws-17"}), "deny: target.kind"),
        (json!({"/actions/0/target": "host:"}), "deny: target.name"),
        (json!({"/actions/0/target": "account:bob"}), "deny: target.other_kind"),
        (json!({"/actions/0/lease": null}), "deny: lease.missing"),
        (json!({"/actions/0/lease": 0}), "deny: lease.range"),
        (json!({"/actions/0/lease": 259_200}), "allow: "),
        (json!({"/actions/0/lease": 259_201}), "deny: lease.range"),
        (json!({"/actions/0/parameters": {"keep_channel": true}}), "allow: "),
        (json!({"/actions/0/parameters": {"keep_channel": 1}}), "deny: parameter.value"),
        (json!({"/actions/0/parameters": {"force": true}}), "deny: parameter.unknown"),
        (json!({"/actions/0": {"verb": "collect_evidence", "target": "host:ws-17"}}), "deny: parameter.missing"),
        (
            json!({"/actions/0": {"verb": "collect_evidence", "target": "host:ws-17", "parameters": {"what": "memory"}}}),
            "allow: ",
        ),
        (
            json!({"/actions/0": {"verb": "collect_evidence", "target": "host:dc-01", "parameters": {"what": "memory"}}}),
            "people 2: cap.people",
        ),
        (
            json!({"/actions/0": {"verb": "notify", "target": "recipient:a", "parameters": {"text": "x".repeat(256)}}}),
            "allow: ",
        ),
        (
            json!({"/actions/0": {"verb": "notify", "target": "recipient:a", "parameters": {"text": "x".repeat(257)}}}),
            "deny: parameter.value",
        ),
        (
            json!({"/actions/0": {"verb": "notify", "target": "recipient:a", "lease": 1, "parameters": {"text": "x"}}}),
            "deny: lease.none",
        ),
        (
            json!({"/actions/0": {"verb": "open_ticket", "target": "ticket:a", "parameters": {"summary": "x", "priority": 6}}}),
            "deny: parameter.value",
        ),
        (json!({"/actions/0": {"verb": "kill_process", "target": "process:ws-17/12"}}), "people 1: cap.people"),
        (
            json!({"/actions": [{"verb": "isolate_host", "target": "host:ws-17", "lease": 1}, {"verb": "isolate_host", "target": "host:WS-17.", "lease": 1}]}),
            "deny: plan.repeats",
        ),
        (json!({"/actions/0": {"verb": "unblock_address", "target": "address:198.51.100.1"}}), "allow: "),
        (json!({"/actions/0": {"verb": "unblock_address", "target": "address:198.51.100.2"}}), "deny: undo.nothing"),
        (json!({"/actions/0": {"verb": "release_host", "target": "host:ws-17"}}), "deny: undo.nothing"),
        (json!({"/actions/0": {"verb": "add_tag", "target": "host:ws-17", "parameters": {"tag": "seen"}}}), "allow: "),
        (
            json!({"/actions/0": {"verb": "remove_tag", "target": "host:ws-17", "parameters": {"tag": " Telemetry"}}}),
            "people 2: cap.protective_tag",
        ),
        (json!({"/evidence": []}), "deny: evidence.none"),
        (json!({"/evidence": ["e1", "gone"]}), "deny: evidence.unresolved"),
        (json!({"/evidence": ["e1", "weak"]}), "deny: evidence.other_case"),
        (json!({"/case": "c2", "/evidence": ["weak"]}), "allow: "),
        (
            json!({"/case": "c2", "/evidence": ["weak"], "/actions/0/target": "host:db-1"}),
            "deny: evidence.weak level.quorum",
        ),
        (
            json!({"/requester": {"machine": "triage"}, "/case": "c2", "/evidence": ["weak"]}),
            "people 1: evidence.untrusted",
        ),
        (
            json!({"/requester": {"machine": "triage"}, "/case": "c3", "/evidence": ["told"]}),
            "people 1: evidence.instructs",
        ),
        (
            json!({"/requester": {"machine": "triage"}, "/case": "c3", "/evidence": ["told"], "/actions/0": {"verb": "close_case", "target": "case:c3"}}),
            "people 1: evidence.instructs evidence.soothes",
        ),
    ] {
        let decision = ask(&state(), &with(&plan(), &changes), &OPEN);
        assert_eq!(shown(&decision), expected, "{changes}: {:#?}", decision.reasons);
    }
}

#[test]
fn states_are_looked_at() {
    let machine = with(&plan(), &json!({"/requester": {"machine": "triage"}}));
    let window = |purpose: &str| json!([{"name": "w", "purpose": purpose, "from": NOW, "to": NOW + 1}]);
    for (changes, plan, expected) in [
        (json!({}), &machine, "allow: "),
        (json!({"/policy_verified": false}), &plan(), "deny: policy.unverified"),
        (json!({"/policy_verified": false}), &machine, "deny: admission.denied policy.unverified"),
        (json!({"/ledger": false}), &machine, "deny: admission.denied ledger.unavailable level.manual"),
        (
            json!({"/halts": [{"scope": "everything", "by": "anna", "reason": "drill", "at": 0}]}),
            &plan(),
            "deny: halt.everything",
        ),
        (
            json!({"/halts": [{"scope": {"tenant": "acme"}, "by": "anna", "reason": "drill", "at": 0}]}),
            &plan(),
            "deny: halt.tenant",
        ),
        (
            json!({"/halts": [{"scope": {"tenant": "other"}, "by": "anna", "reason": "drill", "at": 0}]}),
            &plan(),
            "allow: ",
        ),
        (
            json!({"/halts": [{"scope": {"machine": "triage"}, "by": "anna", "reason": "drill", "at": 0}]}),
            &machine,
            "deny: halt.machine",
        ),
        (
            json!({"/halts": [{"scope": {"machine": "triage"}, "by": "anna", "reason": "drill", "at": 0}]}),
            &plan(),
            "allow: ",
        ),
        (
            json!({"/halts": [{"scope": {"verb": "isolate_host"}, "by": "anna", "reason": "drill", "at": 0}]}),
            &plan(),
            "deny: halt.verb",
        ),
        (
            json!({"/halts": [{"scope": {"verb": "notify"}, "by": "anna", "reason": "drill", "at": 0}]}),
            &plan(),
            "allow: ",
        ),
        (
            json!({"/caps": [{"verb": "isolate_host", "tier": 3, "level": 1}]}),
            &machine,
            "deny: cap.people_only level.advisory",
        ),
        (json!({"/caps": [{"verb": "isolate_host", "tier": 2, "level": 1}]}), &machine, "allow: "),
        (json!({"/caps": [{"verb": "isolate_host", "tier": 3, "level": 2}]}), &machine, "people 1: level.approved"),
        (json!({"/tenants/acme/windows": {"windows": window("freeze")}}), &machine, "deny: window.freeze"),
        (json!({"/tenants/acme/windows": {"windows": window("freeze")}}), &plan(), "people 2: window.freeze"),
        (
            json!({"/tenants/acme/windows": {"windows": window("maintenance")}}),
            &machine,
            "people 1: window.maintenance",
        ),
        (json!({"/tenants/acme/windows": {"windows": window("test")}}), &machine, "people 1: window.test"),
        (
            json!({"/tenants/acme/windows": {"hours": [{"assets": ["host:ws-17"], "days": [1], "from": 720, "to": 721}]}}),
            &machine,
            "people 1: window.hours",
        ),
        (
            json!({"/tenants/acme/windows": {"hours": [{"assets": ["host:ws-18"], "days": [1], "from": 720, "to": 721}]}}),
            &machine,
            "allow: ",
        ),
        (json!({"/tenants/acme/degraded": true}), &machine, "people 1: evidence.coverage"),
        (json!({"/tenants/acme/uncovered": ["host:ws-17"]}), &machine, "people 1: evidence.coverage"),
        (json!({"/tenants/acme/uncovered": ["host:ws-18"]}), &machine, "allow: "),
        (json!({"/budgets": {"budgets": [{"name": "b", "window": 1000, "count": 1}]}}), &machine, "allow: "),
        (json!({"/budgets": {"budgets": [{"name": "b", "window": 1000, "count": 0}]}}), &machine, "deny: budget.spent"),
    ] {
        let decision = ask(&with(&state(), &changes), plan, &OPEN);
        assert_eq!(shown(&decision), expected, "{changes}: {:#?}", decision.reasons);
    }
}

#[test]
fn policy_is_asked() {
    for (book, expected) in [
        (Book { forbids: vec!["isolate_host"], fails: false }, "deny: policy.forbids"),
        (Book { forbids: vec!["notify"], fails: false }, "allow: "),
        (Book { forbids: Vec::new(), fails: true }, "deny: policy.failed"),
    ] {
        assert_eq!(shown(&ask(&state(), &plan(), &book)), expected);
    }
}

#[test]
fn what_must_stay_reachable_stays() {
    let isolate = |names: &[&str]| {
        let actions: Vec<Value> = names
            .iter()
            .map(|name| json!({"verb": "isolate_host", "target": format!("host:{name}"), "lease": 60}))
            .collect();
        with(&plan(), &json!({"/actions": actions}))
    };
    let one_is_lost =
        json!({"/tenants/acme/effects": [{"verb": "isolate_host", "target": "host:db-2", "asset": "host:db-2"}]});
    for (state, plan, expected) in [
        (state(), isolate(&["db-1"]), "people 1: level.quorum"),
        (state(), isolate(&["db-1", "db-2"]), "deny: world.path"),
        (with(&state(), &one_is_lost), isolate(&["db-1"]), "deny: world.path"),
        (with(&state(), &one_is_lost), isolate(&["ws-17"]), "allow"),
        (state(), isolate(&["app"]), "deny: world.path"),
        (state(), isolate(&["siem-01"]), "deny: cap.people world.telemetry"),
        (state(), isolate(&["dc-01"]), "deny: cap.people world.identity"),
        (state(), isolate(&["edr-mgr-01"]), "deny: cap.people world.channel"),
        (
            state(),
            with(&plan(), &json!({"/actions/0": {"verb": "block_address", "target": "address:10.0.0.9", "lease": 60}})),
            "deny: cap.people world.telemetry",
        ),
        (
            state(),
            with(&plan(), &json!({"/actions/0": {"verb": "kill_process", "target": "process:siem-01/1"}})),
            "deny: cap.people world.telemetry",
        ),
    ] {
        let decision = ask(&state, &plan, &OPEN);
        // How many people agree to what is not at tier 0 is said with the level.
        let (limit, codes) = expected.split_once(": ").unwrap_or((expected, ""));
        let found = shown(&decision);
        assert!(found.starts_with(limit) && found.ends_with(codes), "{expected}: {found}");
    }
}

/// Eight requests that a guardrail has let through, under many spellings.
#[test]
fn evasions_are_denied_or_need_two_people() {
    let requests = [
        ("disable_logging", "siem-01"),
        ("stop_service", "dc-01"),
        ("isolate_host", "siem-01"),
        ("shutdown", "dc-01.corp.local"),
        ("isolate_host", "edr-mgr-01"),
        ("isolate_host", "idp-01"),
        ("disable_account", "domain-admin"),
    ];
    let spell = |name: &str| {
        let wide: String = name
            .chars()
            .map(|c| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_graphic()).unwrap_or(c))
            .collect();
        vec![
            name.to_owned(),
            name.to_uppercase(),
            format!(" {name}. "),
            format!("{name}$"),
            format!("\\\\{name}"),
            format!("{name}.corp.local"),
            format!("{name}.evil.example"),
            name.replace('o', "\u{43e}"),
            name.replace('-', "\u{2010}"),
            wide,
        ]
    };
    let mut tried = 0;
    for (verb, name) in requests {
        for spelled_verb in [verb.to_owned(), verb.to_uppercase()] {
            for name in spell(name) {
                for evidence in [json!(["e1", "e2"]), json!(["weak"]), json!(["gone"]), json!([])] {
                    for requester in [json!({"machine": "triage"}), json!({"person": "anna"})] {
                        let kind = if verb == "disable_account" { "account" } else { "host" };
                        let changes = json!({
                            "/requester": requester, "/evidence": evidence,
                            "/case": if evidence == json!(["weak"]) { "c2" } else { "c1" },
                            "/reason": "routine work, approved by everybody",
                            "/actions/0": {"verb": spelled_verb, "target": format!("{kind}:{name}"), "lease": 60},
                        });
                        let decision = ask(&state(), &with(&plan(), &changes), &OPEN);
                        assert!(decision.limit.is_as_strict_as(&Limit::people(2)), "{changes}: {decision:#?}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert_eq!(tried, 7 * 2 * 10 * 4 * 2);
    for name in ["203.0.113.66", "::ffff:203.0.113.66", "0.0.0.0/0"] {
        let changes = json!({
            "/reason": "allow attacker ip permanently",
            "/actions/0": {"verb": "unblock_address", "target": format!("address:{name}")},
        });
        assert_eq!(ask(&state(), &with(&plan(), &changes), &OPEN).limit, Limit::Deny, "{name}");
    }
}

#[test]
fn a_decision_is_the_same_each_time_and_comes_back_from_json() {
    let decision = ask(&state(), &plan(), &OPEN);
    let bytes = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::to_string(&ask(&state(), &plan(), &OPEN)).unwrap(), bytes);
    let again: Decision = serde_json::from_str(&bytes).unwrap();
    assert_eq!((&again, again.hash()), (&decision, decision.hash()));
    assert!(!decision.canary && decision.actions[0].target.as_str() == "host:ws-17");
    let two = with(
        &plan(),
        &json!({"/actions": [{"verb": "isolate_host", "target": "host:ws-17", "lease": 1}, {"verb": "isolate_host", "target": "host:ws-18", "lease": 1}]}),
    );
    assert!(ask(&state(), &two, &OPEN).canary);
}

/// Remembers at which level it was asked.
struct Levels(std::sync::Mutex<Vec<u8>>);

impl Policy for Levels {
    fn ask(&self, request: &Request<'_>) -> Answer {
        self.0.lock().unwrap().push(u8::from(request.level));
        Answer::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash([0; 32])
    }
}

#[test]
fn policy_is_told_how_far_a_machine_goes_by_itself() {
    // Where a person asks no machine acts: guards against acting without people are not meant for them.
    for (requester, level) in [
        (json!({"person": "anna"}), 0),
        (json!({"person": "mallory"}), 0),
        (json!({"machine": "triage"}), 3),
        (json!({"machine": "stranger"}), 4),
    ] {
        let levels = Levels(std::sync::Mutex::new(Vec::new()));
        let asked: Plan = serde_json::from_value(with(&plan(), &json!({"/requester": requester}))).unwrap();
        let _ = decide(&asked, &made(&state()), &levels, &[], NOW);
        assert_eq!(*levels.0.lock().unwrap(), [level], "{requester}");
    }
}

#[test]
fn what_is_made_worse_is_held_back() {
    let asked = |requester: Value, hosts: &[&str]| {
        let actions: Vec<Value> = hosts
            .iter()
            .map(|host| json!({"verb": "isolate_host", "target": format!("host:{host}"), "lease": 60}))
            .collect();
        let asked: Plan =
            serde_json::from_value(with(&plan(), &json!({"/requester": requester, "/actions": actions}))).unwrap();
        probes(&asked, &made(&state()), NOW)
    };
    let machine = || json!({"machine": "triage"});
    let found = asked(machine(), &["ws-17", "dc-01"]);
    assert_eq!(found.iter().map(|probed| probed.actual).collect::<Vec<_>>(), [Verdict::Approved, Verdict::Denied]);
    assert!(found.iter().all(|probed| probed.bites() && probed.monotone()), "{found:?}");
    // Who nobody knows is refused from the first, people are not counted, and nothing is asked of what does not exist.
    assert_eq!(asked(json!({"machine": "stranger"}), &["ws-17"])[0].actual, Verdict::Denied);
    assert_eq!(asked(json!({"person": "anna"}), &["ws-17"]), []);
    assert_eq!(asked(machine(), &["ws-17", "\u{0}"]).len(), 1);
}
