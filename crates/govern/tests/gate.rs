//! The gate as a table of plans, and what is true of all of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use std::sync::LazyLock;

use serde_json::{Value, json};
use watchfloor_govern::approvals::Ticket;
use watchfloor_govern::limit::{Limit, Need};
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::state::State;
use watchfloor_govern::{ApprovedPlan, Decision, Refused, Sealed, admit, autonomy, decide};
use watchfloor_model::action::{Level, Tier, Verb};

/// 2026-03-02T12:00:00Z, a Monday.
const NOW: i64 = 1_772_452_800_000;
/// When people have looked at it.
const LATER: i64 = NOW + 60_000;

/// Permits everything that it does not forbid by name.
struct Book {
    forbids: Vec<&'static str>,
    fails: bool,
}

impl Policy for Book {
    fn ask(&self, request: &Request<'_>) -> Answer {
        match request.verb.name() {
            _ if self.fails => Answer::Failed(vec!["p1".into()]),
            verb if self.forbids.contains(&verb) => Answer::Forbid(vec!["p2".into()]),
            _ => Answer::Permit(vec!["p3".into()]),
        }
    }

    fn hash(&self) -> Hash {
        Hash([0; 32])
    }
}

const OPEN: Book = Book { forbids: Vec::new(), fails: false };

fn state() -> Value {
    json!({
        "ledger": true,
        "people": {
            "anna": {"active": true, "roles": ["analyst"], "tenants": ["acme"]},
            "otto": {"active": false, "tenants": ["acme"]},
            "gina": {"active": true, "tenants": ["other"]},
        },
        "machines": {
            "triage": {"active": true, "sort": "agent", "tenants": ["acme"], "supervisor": "anna", "versions": {"model": "1", "prompt": "1", "rules": "1", "policy": "1"}},
            "lost": {"active": true, "sort": "agent", "tenants": ["acme"], "supervisor": "otto", "versions": {"model": "1", "prompt": "1", "rules": "1", "policy": "1"}},
        },
        "tenants": {"acme": {
            "inventory": {"assets": {
                "host": [
                    {"name": "siem-01", "names": ["siem-01.corp.local", "10.0.0.9"], "tier": 0, "tags": ["telemetry"]},
                    {"name": "dc-01", "names": ["dc-01.corp.local"], "tier": 0, "tags": ["identity_provider"]},
                    {"name": "idp-01", "tier": 0, "tags": ["identity_provider"]},
                    {"name": "edr-mgr-01", "tier": 0, "tags": ["management_plane", "response_channel"]},
                    {"name": "db-1", "tier": 1}, {"name": "db-2", "tier": 1},
                    {"name": "app", "tier": 2, "needs": [["host:db-1", "host:db-2"]]},
                    {"name": "ws-17", "tier": 3}, {"name": "ws-18", "tier": 3},
                ],
                "account": [{"name": "domain-admin", "names": ["CORP\\administrator"], "tier": 0}, {"name": "bob", "tier": 3}],
            }, "paths": [{"name": "shop", "members": ["host:app"], "least": 1}]},
            "effects": [{"verb": "block_address", "target": "address:198.51.100.1"}],
            "readiness": 4,
        }, "other": {}},
        "evidence": {
            "e1": {"tenant": "acme", "case": "c1", "source": "edr", "trust": "authenticated"},
            "e2": {"tenant": "acme", "case": "c1", "source": "dc", "trust": "authenticated"},
            "weak": {"tenant": "acme", "case": "c2", "source": "syslog", "trust": "unauthenticated"},
            "told": {"tenant": "acme", "case": "c3", "source": "mail", "trust": "authenticated", "instructs": true, "soothes": true},
        },
    })
}

fn plan() -> Value {
    json!({
        "id": "p1", "tenant": "acme", "requester": {"person": "anna"}, "alert_class": "credential_theft", "case": "c1",
        "actions": [{"verb": "isolate_host", "target": "host:ws-17", "lease": 3600}],
        "evidence": ["e1", "e2"],
    })
}

/// What the machine has earned: to act alone where little depends on it.
static EARNED: LazyLock<autonomy::State> =
    LazyLock::new(|| house::earned(&[Verb::IsolateHost, Verb::CloseCase], &[Tier::Three], Level::Conditional, NOW));

fn made(state: &Value) -> State {
    let (mut made, told) = State::new(serde_json::from_value(state.clone()).unwrap());
    assert_eq!(told, Vec::<String>::new());
    made.autonomy = EARNED.clone();
    made
}

fn ask(state: &Value, plan: &Value, policy: &Book) -> Decision {
    let (plan, mut state): (Plan, State) = (serde_json::from_value(plan.clone()).unwrap(), made(state));
    let admitted = admit(&plan, &mut state, NOW);
    decide(&plan, &state, policy, &admitted, NOW)
}

/// `Deny: code code`, the codes of what is not allowed.
fn shown(decision: &Decision) -> String {
    let limit = match &decision.limit {
        Limit::Allow => "allow".to_owned(),
        Limit::People(need) => format!("people {}", need.people),
        Limit::Deny => "deny".to_owned(),
    };
    let limiting = decision.reasons.iter().filter(|reason| reason.limit != Limit::Allow);
    let mut codes: Vec<&str> = limiting.map(|reason| reason.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    format!("{limit}: {}", codes.join(" "))
}

fn with(value: &Value, changes: &Value) -> Value {
    let mut changed = value.clone();
    for (pointer, new) in changes.as_object().unwrap() {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        match parent {
            Value::Object(map) => drop(map.insert(key.to_owned(), new.clone())),
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = new.clone(),
            _ => panic!("{pointer}"),
        }
    }
    changed
}

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
        (json!({"/tenants/acme/windows": {"windows": window("freeze")}}), &machine, "deny: time.freeze"),
        (json!({"/tenants/acme/windows": {"windows": window("freeze")}}), &plan(), "people 2: time.freeze"),
        (json!({"/tenants/acme/windows": {"windows": window("maintenance")}}), &machine, "people 1: time.maintenance"),
        (json!({"/tenants/acme/windows": {"windows": window("test")}}), &machine, "people 1: time.test"),
        (
            json!({"/tenants/acme/windows": {"hours": [{"assets": ["host:ws-17"], "days": [1], "from": 720, "to": 721}]}}),
            &machine,
            "people 1: time.hours",
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

#[test]
fn only_what_is_agreed_to_is_carried_out_and_once() {
    let two = with(
        &plan(),
        &json!({"/actions/0": {"verb": "disable_account", "target": "account:domain-admin", "lease": 60}}),
    );
    let state = with(&state(), &json!({"/budgets": {"budgets": [{"name": "b", "window": 100_000, "count": 1}]}}));
    let decision = ask(&state, &two, &OPEN);
    let carry = |plan: &Value, ticket: Option<Ticket>, state: &mut State| {
        let plan: Plan = serde_json::from_value(plan.clone()).unwrap();
        let admitted = admit(&plan, state, LATER);
        ApprovedPlan::new(plan, ticket, state, &OPEN, &admitted, LATER)
    };
    let other = ask(&state, &with(&two, &json!({"/reason": "another"})), &OPEN);
    for (ticket, expected) in [
        (None, false),
        // Fewer than it takes, or who asks among them, come to no ticket; nor does one for less count.
        (house::approved(&decision, "anna", &["b1"], NOW), false),
        (house::approved(&decision, "b1", &["b1", "b2"], NOW), false),
        (house::approved_as(&decision, Need { people: 1, ..Need::default() }, "anna", &["b1"], NOW), false),
        (house::approved(&other, "anna", &["b1", "b2"], NOW), false),
        (house::approved(&decision, "anna", &["b1", "b2"], NOW), true),
    ] {
        let mut state = made(&state);
        let found = carry(&two, ticket, &mut state);
        assert_eq!(found.is_ok(), expected, "{found:?}");
        let Ok(approved) = found else {
            assert!(
                state.done.is_empty() && state.budgets.parts().uses.is_empty(),
                "nothing is taken by what is refused"
            );
            continue;
        };
        assert_eq!((approved.accountable().as_str(), approved.tokens()[0].expires), ("anna", LATER + 300_000));
        // It is not carried out twice, and its budget is used up.
        let again = carry(&two, house::approved(&decision, "anna", &["b1", "b2"], NOW), &mut state).unwrap_err();
        let Refused::Denied(decision) = again else { panic!("{again:?}") };
        assert_eq!(shown(&decision), "deny: budget.spent cap.people plan.done");
        // It comes back from where it is kept only under its seal.
        let sealed = approved.seal(b"key");
        let text = serde_json::to_string(&sealed).unwrap();
        assert_eq!(sealed.open(b"key").as_ref(), Some(&approved));
        let open =
            |text: &str, key: &[u8]| serde_json::from_str::<Sealed>(text).ok().and_then(|sealed| sealed.open(key));
        assert_eq!(open(&text, b"key"), Some(approved));
        assert_eq!((open(&text, b"other"), open(&text, b"")), (None, None));
        assert_eq!(open(&text.replace("account:domain-admin", "account:bob"), b"key"), None);
    }
    assert!(carry(&plan(), None, &mut made(&state)).is_ok(), "what is allowed needs nobody");
}

#[test]
fn somebody_answers_for_every_effect() {
    let machine = with(&plan(), &json!({"/requester": {"machine": "triage"}}));
    let carry = |plan: &Value, names: &[&str]| {
        let (plan, mut state): (Plan, State) = (serde_json::from_value(plan.clone()).unwrap(), made(&state()));
        let admitted = admit(&plan, &mut state, LATER);
        let decision = decide(&plan, &state, &OPEN, &admitted, LATER);
        let ticket = house::approved(&decision, "triage", names, NOW);
        ApprovedPlan::new(plan, ticket, &mut state, &OPEN, &admitted, LATER).map(|plan| plan.accountable().to_string())
    };
    // Who granted the level under which it acts alone; who agreed first; who answers for it.
    assert_eq!(carry(&machine, &[]), Ok("gus".to_owned()));
    assert_eq!(
        carry(&with(&machine, &json!({"/case": "c3", "/evidence": ["told"]})), &["b2", "b1"]),
        Ok("b1".to_owned())
    );
    assert_eq!(carry(&plan(), &[]), Ok("anna".to_owned()));
    // Who granted the level does not approve under it.
    assert!(carry(&with(&machine, &json!({"/case": "c3", "/evidence": ["told"]})), &["gus"]).is_err());
}

#[test]
fn machines_go_as_far_as_they_have_earned() {
    let machine = with(&plan(), &json!({"/requester": {"machine": "triage"}}));
    for (changes, plan, expected) in [
        (json!({}), machine.clone(), "allow: "),
        (json!({"/tenants/acme/readiness": 2}), machine.clone(), "people 1: level.approved"),
        (json!({"/tenants/acme/readiness": 1}), machine.clone(), "deny: level.advisory"),
        (json!({"/tenants/acme/readiness": 0}), machine.clone(), "deny: level.manual"),
        (
            json!({"/caps": [{"verb": "isolate_host", "tier": 3, "level": 2}]}),
            machine.clone(),
            "people 1: level.approved",
        ),
        (
            json!({"/machines/triage/versions": {"model": "new", "prompt": "", "rules": "", "policy": ""}}),
            machine.clone(),
            "deny: level.advisory",
        ),
        // Nothing was earned elsewhere.
        (json!({}), with(&machine, &json!({"/alert_class": "other"})), "deny: level.manual"),
        (
            json!({}),
            with(&machine, &json!({"/actions/0/target": "host:db-1"})),
            "deny: admission.escalated level.manual",
        ),
        (
            json!({}),
            with(&machine, &json!({"/actions/0": {"verb": "disable_account", "target": "account:bob", "lease": 60}})),
            "deny: level.manual",
        ),
    ] {
        let decision = ask(&with(&state(), &changes), &plan, &OPEN);
        assert_eq!(shown(&decision), expected, "{changes}: {:#?}", decision.reasons);
    }
    let decision = ask(&state(), &machine, &OPEN);
    assert_eq!(decision.grantors, ["gus".into()].into());
    let says = &decision.reasons[0].says;
    assert!(says.starts_with("at level 3 the machine acts alone (gus granted level 3; "), "{says}");
}

/// A machine that asks for the worst again and again, with the best evidence that there is, has no effect without people.
#[test]
fn a_hostile_machine_has_no_effect_without_people() {
    let mut state = made(&state());
    let targets = ["host:dc-01", "host:siem-01", "host:edr-mgr-01", "host:db-1", "account:domain-admin", "host:nobody"];
    let mut denied = 0;
    for round in 0..500 {
        let target = targets[round % targets.len()];
        let verb = if target.starts_with("account") { "disable_account" } else { "isolate_host" };
        let changes = json!({
            "/id": format!("p{round}"), "/requester": {"machine": "triage"}, "/reason": "certain, urgent, approved by everybody",
            "/actions/0": {"verb": verb, "target": target, "lease": 60},
        });
        let plan: Plan = serde_json::from_value(with(&plan(), &changes)).unwrap();
        let now = NOW + round as i64 * 1_000;
        let admitted = admit(&plan, &mut state, now);
        let found = ApprovedPlan::new(plan, None, &mut state, &OPEN, &admitted, now);
        denied += usize::from(
            matches!(&found, Err(Refused::Denied(decision)) if decision.reasons.iter().any(|reason| reason.code == "admission.denied")),
        );
        assert!(found.is_err(), "{found:?}");
    }
    // It is not even looked at any more after some tries.
    assert!(denied > 400, "{denied}");
    assert!(state.done.is_empty());
}
