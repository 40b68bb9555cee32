//! The gate at its edges: rows in which one thing alone decides.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use serde_json::{Value, json};
use watchfloor_govern::budget::USES_MAX;
use watchfloor_govern::plan::{ACTIONS_MAX, CLAIMS_MAX, NAME_BYTES_MAX, Plan, REASON_BYTES_MAX};
use watchfloor_govern::state::State;
use watchfloor_govern::{ApprovedPlan, admit, decide};
use watchfloor_model::action::{Level, Tier, Verb};

use house::acme::{LATER, NOW, OPEN, ask, made, plan, shown, state, with};

fn one(action: Value) -> Value {
    with(&plan(), &json!({"/actions/0": action}))
}

#[test]
fn plans_are_bounded() {
    let notify = |number: usize| json!({"verb": "notify", "target": format!("recipient:r{number}"), "parameters": {"text": "x"}});
    let actions = |count: usize| (0..count).map(notify).collect::<Vec<Value>>();
    let claims = |count: usize| (0..count).map(|number| format!("e{number}")).collect::<Vec<String>>();
    let name = |bytes: usize| "n".repeat(bytes);
    for over in [-1, 0, 1] {
        let size = |most: usize| most.strict_add_signed(over);
        for (pointer, value) in [
            ("/actions", json!(actions(size(ACTIONS_MAX)))),
            ("/evidence", json!(claims(size(CLAIMS_MAX)))),
            ("/reason", json!(name(size(REASON_BYTES_MAX)))),
            ("/id", json!(name(size(NAME_BYTES_MAX)))),
            ("/tenant", json!(name(size(NAME_BYTES_MAX)))),
            ("/alert_class", json!(name(size(NAME_BYTES_MAX)))),
            ("/actions/0/verb", json!(name(size(NAME_BYTES_MAX)))),
            ("/actions/0/target", json!(name(size(NAME_BYTES_MAX)))),
            ("/evidence", json!([name(size(NAME_BYTES_MAX))])),
        ] {
            let decision = ask(&state(), &with(&plan(), &json!({pointer: value})), &OPEN);
            let found = decision.reasons.iter().any(|reason| reason.code == "plan.too_large");
            assert_eq!(found, over > 0, "{pointer} {over}");
        }
    }
}

#[test]
fn parameters_are_what_they_may_be() {
    let ticket = |priority: i64| {
        one(json!({"verb": "open_ticket", "target": "ticket:a", "parameters": {"summary": "x", "priority": priority}}))
    };
    let notify = |text: &str| one(json!({"verb": "notify", "target": "recipient:a", "parameters": {"text": text}}));
    for (plan, expected) in [
        (ticket(0), "deny: parameter.value"),
        (ticket(1), "allow: "),
        (ticket(5), "allow: "),
        (ticket(6), "deny: parameter.value"),
        (notify("two\nlines"), "allow: "),
        (notify("a\tb"), "deny: parameter.value"),
        (notify("a\rb"), "deny: parameter.value"),
    ] {
        assert_eq!(shown(&ask(&state(), &plan, &OPEN)), expected, "{plan}");
    }
}

#[test]
fn evidence_is_weak_only_if_it_is_one_source_that_anybody_can_write_to() {
    let evidence =
        |source: &str, trust: &str| json!({"tenant": "acme", "case": "c9", "source": source, "trust": trust});
    let low = "unauthenticated";
    for (first, second, expected) in [
        (evidence("syslog", low), evidence("syslog", low), "deny: evidence.weak level.quorum"),
        (evidence("syslog", low), evidence("web", low), "people 1: level.quorum"),
        (evidence("syslog", low), evidence("syslog", "authenticated"), "people 1: level.quorum"),
        (evidence("edr", "attested"), evidence("edr", low), "people 1: level.quorum"),
    ] {
        let state = with(&state(), &json!({"/evidence/f1": first, "/evidence/f2": second}));
        let plan = with(&plan(), &json!({"/case": "c9", "/evidence": ["f1", "f2"], "/actions/0/target": "host:db-1"}));
        assert_eq!(shown(&ask(&state, &plan, &OPEN)), expected, "{first} {second}");
    }
}

#[test]
fn a_path_is_lost_with_what_it_cannot_do_without() {
    let isolate = |names: &[&str]| {
        let action = |name: &&str| json!({"verb": "isolate_host", "target": format!("host:{name}"), "lease": 60});
        with(&plan(), &json!({"/actions": names.iter().map(action).collect::<Vec<Value>>()}))
    };
    let path = |least: usize| json!({"/tenants/acme/inventory/paths": [{"name": "pair", "members": ["host:ws-17", "host:ws-18"], "least": least}]});
    let effect = |name: &str| json!([{"verb": "isolate_host", "target": name, "asset": name}]);
    let gone = with(&with(&state(), &path(2)), &json!({"/tenants/acme/effects": effect("host:ws-18")}));
    let ticket = json!({"verb": "add_tag", "target": "host:ws-17", "parameters": {"tag": "seen"}});
    for (state, plan, expected) in [
        (with(&state(), &path(1)), isolate(&["ws-17"]), "allow: "),
        (with(&state(), &path(2)), isolate(&["ws-17"]), "deny: world.path"),
        (with(&state(), &path(1)), isolate(&["ws-17", "ws-18"]), "deny: world.path"),
        // It is lost already: what takes nothing more from it is not held up by that, what does is.
        (gone.clone(), one(json!({"verb": "disable_account", "target": "account:bob", "lease": 60})), "allow: "),
        (gone.clone(), isolate(&["ws-17"]), "deny: world.path"),
        (gone, one(ticket), "allow: "),
    ] {
        assert_eq!(shown(&ask(&state, &plan, &OPEN)), expected, "{plan}");
    }
}

#[test]
fn what_takes_an_asset_down() {
    // Who kills a process takes down that process, not its host; but of a host that protects nobody knows which of its processes matter.
    let state = with(
        &state(),
        &json!({
            "/tenants/acme/inventory/assets/process": [{"name": "ws-17/shop.exe", "tier": 3}],
            "/tenants/acme/inventory/assets/file": [{"name": "ws-17/shop.db", "tier": 3}],
            "/tenants/acme/inventory/assets/account": [{"name": "bob", "tier": 3}, {"name": "sso", "tier": 3, "tags": ["identity_provider"]}],
            "/tenants/acme/inventory/paths": [
                {"name": "shop", "members": ["host:ws-17"], "least": 1},
                {"name": "till", "members": ["process:ws-17/shop.exe"], "least": 1},
                {"name": "book", "members": ["file:ws-17/shop.db"], "least": 1},
                {"name": "desk", "members": ["account:bob"], "least": 1},
            ],
        }),
    );
    let act = |verb: &str, target: &str, lease: Value| one(json!({"verb": verb, "target": target, "lease": lease}));
    for (plan, expected) in [
        (act("kill_process", "process:ws-17/shop.exe", Value::Null), "deny: cap.people world.path"),
        (act("kill_process", "process:ws-17/4711", Value::Null), "people 1: cap.people"),
        (act("quarantine_file", "file:ws-17/shop.db", json!(60)), "deny: world.path"),
        (act("quarantine_file", "file:ws-17/other", json!(60)), "allow: "),
        (act("quarantine_file", "file:siem-01/other", json!(60)), "deny: cap.people world.telemetry"),
        (act("disable_account", "account:bob", json!(60)), "deny: world.path"),
        (act("reset_credential", "account:bob", Value::Null), "people 1: cap.people"),
        (act("revoke_sessions", "account:bob", Value::Null), "people 1: cap.people"),
        (act("reset_credential", "account:sso", Value::Null), "deny: cap.people world.identity"),
        (act("revoke_sessions", "account:sso", Value::Null), "deny: cap.people world.identity"),
        (one(json!({"verb": "add_tag", "target": "host:ws-17", "parameters": {"tag": "seen"}})), "allow: "),
    ] {
        assert_eq!(shown(&ask(&state, &plan, &OPEN)), expected, "{plan}");
    }
}

#[test]
fn windows_hold_and_concern() {
    let machine = with(&plan(), &json!({"/requester": {"machine": "triage"}}));
    let window = |from: i64, verbs: &[&str]| json!({"/tenants/acme/windows": {"windows": [{"name": "w", "purpose": "test", "from": from, "to": from + 1, "verbs": verbs}]}});
    let hours =
        json!({"/tenants/acme/windows": {"hours": [{"assets": ["host:ws-17"], "days": [1], "from": 720, "to": 721}]}});
    let tag = json!({"verb": "add_tag", "target": "host:ws-17", "parameters": {"tag": "seen"}});
    for (changes, plan, expected) in [
        (window(NOW, &["isolate_host"]), machine.clone(), "people 1: window.test"),
        (window(NOW, &["notify"]), machine.clone(), "allow: "),
        (window(NOW + 1, &["isolate_host"]), machine.clone(), "allow: "),
        // Who works with an asset is asked before a machine touches their work; a person asks for themselves, and what touches nothing disturbs nobody.
        (hours.clone(), machine.clone(), "people 1: window.hours"),
        (hours.clone(), plan(), "allow: "),
        (hours, with(&machine, &json!({"/actions/0": tag})), "deny: level.manual"),
    ] {
        let decision = ask(&with(&state(), &changes), &plan, &OPEN);
        assert_eq!(shown(&decision), expected, "{changes}");
    }
}

#[test]
fn what_only_tells_is_advice() {
    let mut state = made(&state());
    state.autonomy =
        house::earned(&[Verb::Notify, Verb::CloseCase, Verb::IsolateHost], &[Tier::Three], Level::Conditional, NOW);
    let actions = [
        json!({"verb": "notify", "target": "recipient:a", "parameters": {"text": "x"}}),
        json!({"verb": "close_case", "target": "case:c1"}),
        json!({"verb": "isolate_host", "target": "host:ws-17", "lease": 60}),
    ];
    for (readiness, expected) in [
        (Level::Manual, ["deny: level.manual", "deny: level.manual", "deny: level.manual"]),
        (Level::Advisory, ["allow: ", "deny: level.advisory", "deny: level.advisory"]),
        (Level::Approved, ["people 1: level.approved"; 3]),
        (Level::Conditional, ["allow: "; 3]),
    ] {
        state.tenants.get_mut(&"acme".into()).unwrap().readiness = readiness;
        for (action, expected) in actions.iter().zip(expected) {
            let plan = with(&plan(), &json!({"/requester": {"machine": "triage"}, "/actions/0": action}));
            let (plan, mut state): (Plan, State) = (serde_json::from_value(plan).unwrap(), state.clone());
            let admitted = admit(&plan, &mut state, NOW);
            let decision = decide(&plan, &state, &OPEN, &admitted, NOW);
            assert_eq!(shown(&decision), expected, "{readiness:?} {action}");
        }
    }
}

#[test]
fn nothing_is_said_of_what_needs_nobody() {
    assert_eq!(ask(&state(), &plan(), &OPEN).reasons, []);
}

#[test]
fn a_level_is_what_was_earned() {
    let (plan, state): (Plan, State) = (serde_json::from_value(plan()).unwrap(), made(&state()));
    let machine = Plan { requester: watchfloor_govern::plan::Principal::Machine("triage".into()), ..plan.clone() };
    assert_eq!(state.level(&machine, Verb::IsolateHost, Tier::Three, NOW), Level::Conditional);
    assert_eq!(state.level(&machine, Verb::IsolateHost, Tier::Two, NOW), Level::Manual);
    assert_eq!(state.level(&plan, Verb::IsolateHost, Tier::Three, NOW), Level::Manual);
    let standing = |plan: &Plan| {
        let standing = state.standing(plan, Verb::IsolateHost, Tier::Three, NOW)?;
        Some((standing.level, standing.grantor))
    };
    assert_eq!(standing(&machine), Some((Level::Conditional, Some("gus".into()))));
    assert_eq!(standing(&plan), None);
    let elsewhere = Plan { tenant: "nobody".into(), ..machine.clone() };
    assert_eq!(state.level(&elsewhere, Verb::IsolateHost, Tier::Three, NOW), Level::Manual);
    assert!(serde_json::from_str::<watchfloor_govern::plan::Hash>("1").is_err());
}

#[test]
fn a_token_has_the_lease_in_milliseconds() {
    let mut state = made(&state());
    let plan: Plan = serde_json::from_value(plan()).unwrap();
    let approved = ApprovedPlan::new(plan, None, &mut state, &OPEN, &[], LATER).unwrap();
    assert_eq!(approved.tokens()[0].lease, Some(3_600_000));
}

#[test]
fn rows_that_one_thing_decides() {
    let machine = with(&plan(), &json!({"/requester": {"machine": "triage"}}));
    let nothing = |plan: &Value| with(plan, &json!({"/case": "c2", "/evidence": ["weak"]}));
    let on = |plan: &Value, action: Value| with(plan, &json!({"/actions/0": action}));
    let tag = json!({"verb": "add_tag", "target": "host:db-1", "parameters": {"tag": "seen"}});
    let notify = json!({"verb": "notify", "target": "recipient:a", "parameters": {"text": "x"}});
    let cap = |verb: &str| json!({"/caps": [{"verb": verb, "tier": 3, "level": 1}]});
    for (changes, plan, expected) in [
        // A cap is that of its verb.
        (cap("notify"), machine.clone(), "allow: "),
        (cap("isolate_host"), machine.clone(), "deny: cap.people_only level.advisory"),
        // What touches nothing may rest on little if a person asks; a machine's may not, and what is no asset has no tier that matters.
        (json!({}), nothing(&on(&plan(), tag.clone())), "allow: "),
        (
            json!({}),
            nothing(&on(&machine, tag)),
            "deny: admission.escalated evidence.untrusted evidence.weak level.manual",
        ),
        (json!({}), nothing(&on(&plan(), notify.clone())), "allow: "),
        (json!({}), nothing(&on(&machine, notify)), "deny: evidence.untrusted level.manual"),
        // What undoes is about its own kind of target; of tickets and tags nobody asks whether they were there.
        (json!({}), on(&plan(), json!({"verb": "release_host", "target": "account:bob"})), "deny: target.other_kind"),
        (json!({}), on(&plan(), json!({"verb": "close_ticket", "target": "ticket:17"})), "allow: "),
        (
            json!({}),
            on(&plan(), json!({"verb": "remove_tag", "target": "host:ws-17", "parameters": {"tag": "seen"}})),
            "allow: ",
        ),
        // So much was used that nobody can say how much.
        (
            json!({"/budgets": {
                "budgets": [{"name": "b", "window": 1000, "count": 1_000_000}],
                "uses": [[{"tenant": "acme", "verb": "isolate_host", "tier": 3, "requester": {"person": "anna"}}, vec![NOW; USES_MAX]]],
            }}),
            plan(),
            "deny: budget.unknown",
        ),
        // Nothing resolves for a machine either, and what it asks of a tenant that does not exist is looked at by nobody.
        (json!({}), with(&machine, &json!({"/actions/0/target": "nothing"})), "deny: target.kind"),
        (
            json!({}),
            with(&machine, &json!({"/tenant": "nobody"})),
            "deny: evidence.coverage evidence.none evidence.unresolved requester.other_tenant target.name tenant.unknown",
        ),
        (
            json!({}),
            with(&plan(), &json!({"/requester": {"machine": "robot"}})),
            "deny: admission.denied level.manual requester.unknown",
        ),
    ] {
        assert_eq!(shown(&ask(&with(&state(), &changes), &plan, &OPEN)), expected, "{changes} {plan}");
    }
}

#[test]
fn a_drill_says_that_it_is_one() {
    for (drill, says) in [
        (true, "verb isolate_host is stopped by anna (a drill): the quarter's drill"),
        (false, "verb isolate_host is stopped by anna: the quarter's drill"),
    ] {
        let halt = json!({"scope": {"verb": "isolate_host"}, "by": "anna", "reason": "the quarter's drill", "at": 0, "drill": drill});
        let decision = ask(&with(&state(), &json!({"/halts": [halt]})), &plan(), &OPEN);
        assert_eq!(decision.reasons.iter().map(|reason| reason.says.as_str()).collect::<Vec<_>>(), [says]);
    }
}

#[test]
fn a_path_that_cannot_be_right_is_lost_with_the_first_of_its_members() {
    let paths = json!([{"name": "shop", "members": ["host:gone", "host:ws-17", "host:ws-18"], "least": 2}]);
    let parts = with(&state(), &json!({"/tenants/acme/inventory/paths": paths}));
    let (mut state, told) = State::new(serde_json::from_value(parts).unwrap());
    assert_eq!(told, ["acme: inventory.path: shop: members are not there (host:gone), or it needs 2 of 3"]);
    let plan: Plan = serde_json::from_value(plan()).unwrap();
    let admitted = admit(&plan, &mut state, NOW);
    assert_eq!(shown(&decide(&plan, &state, &OPEN, &admitted, NOW)), "deny: world.path");
}

#[test]
fn who_answers_for_the_machine_answers_if_nobody_granted_anything() {
    let mut state = made(&state());
    let text = serde_json::to_string(&state.autonomy).unwrap();
    let nobodys = text.replace(r#""grantor":"gus""#, r#""grantor":null"#);
    assert_ne!(nobodys, text);
    state.autonomy = serde_json::from_str(&nobodys).unwrap();
    let machine = with(&plan(), &json!({"/requester": {"machine": "triage"}}));
    let plan: Plan = serde_json::from_value(machine).unwrap();
    let admitted = admit(&plan, &mut state, NOW);
    let approved = ApprovedPlan::new(plan.clone(), None, &mut state, &OPEN, &admitted, NOW).unwrap();
    assert_eq!((approved.accountable().as_str(), approved.plan()), ("anna", &plan));
    assert_eq!(approved.decision().plan_hash, plan.hash());
    assert_eq!(approved.tokens()[0].idempotency(), Verb::IsolateHost.row().idempotency);
}

/// What a verb weighs as a capability of ACP, and a tier as a class of resources: with nothing else against it, the score is their sum.
#[test]
fn verbs_and_tiers_have_their_weights() {
    for (verb, target, score) in [
        ("block_address", "address:203.0.113.9", 25 + 5),
        ("unblock_address", "address:203.0.113.9", 25 + 5),
        ("block_domain", "domain:evil.example", 25 + 5),
        ("isolate_host", "host:ws-17", 25 + 5),
        ("isolate_host", "host:app", 25 + 15),
        ("isolate_host", "host:db-1", 25 + 30),
        ("isolate_host", "host:dc-01", 25 + 45),
        ("kill_process", "process:ws-17/1", 15 + 5),
        ("quarantine_file", "file:ws-17/a", 30 + 5),
        ("restore_file", "file:ws-17/a", 15 + 5),
        ("disable_account", "account:bob", 20 + 5),
        ("revoke_sessions", "account:bob", 30 + 5),
        ("remove_mailbox_rule", "mailbox_rule:bob/1", 10 + 5),
        ("purge_message", "message:bob/1", 30 + 5),
        ("restore_message", "message:bob/1", 15 + 5),
        ("notify", "recipient:a", 5),
        ("open_ticket", "ticket:a", 5),
        ("close_case", "case:a", 10),
        ("collect_evidence", "host:ws-17", 25 + 5),
        ("add_tag", "host:ws-17", 10 + 5),
    ] {
        let changes = json!({"/requester": {"machine": "triage"}, "/actions/0": {"verb": verb, "target": target}});
        let plan: Plan = serde_json::from_value(with(&plan(), &changes)).unwrap();
        let admitted = admit(&plan, &mut made(&state()), NOW);
        assert_eq!(admitted.iter().map(|admitted| admitted.score).collect::<Vec<_>>(), [score], "{verb} {target}");
    }
}
