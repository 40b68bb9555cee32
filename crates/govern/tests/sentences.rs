//! What a person reads: the sentences of reasons, and what policy is asked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use std::cell::RefCell;

use serde_json::{Value, json};
use watchfloor_govern::plan::{Hash, Plan, Principal};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::{admit, decide};

use house::acme::{NOW, OPEN, ask, made, plan, state, with};

#[test]
fn reasons_say_what_is_wrong() {
    let act = |action: Value| json!({"/actions/0": action});
    let notify = |parameters: Value| act(json!({"verb": "notify", "target": "recipient:a", "parameters": parameters}));
    let ticket = |priority: i64| {
        act(json!({"verb": "open_ticket", "target": "ticket:a", "parameters": {"summary": "x", "priority": priority}}))
    };
    for (changes, code, says) in [
        (json!({"/requester": {"person": "nobody"}}), "requester.unknown", "nobody knows nobody"),
        (json!({"/requester": {"machine": "robot"}}), "requester.unknown", "nobody knows robot"),
        (json!({"/requester": {"person": "otto"}}), "requester.inactive", "otto may not ask any more"),
        (json!({"/actions/0/verb": "stop\nit"}), "verb.unknown", "there is no verb `stop\u{fffd}it`"),
        (json!({"/actions/0/target": "ws\u{1b}17"}), "target.kind", "`ws\u{fffd}17` names no kind of target"),
        (json!({"/actions/0/lease": 0}), "lease.range", "the lease of isolate_host is 1 to 259200 s, not 0"),
        (notify(json!({})), "parameter.missing", "notify needs `text`: a text of at most 256 bytes"),
        (ticket(6), "parameter.value", "`priority` of open_ticket cannot be that: a number from 1 to 5"),
        (
            json!({"/actions/0/parameters": {"keep_channel": 1}}),
            "parameter.value",
            "`keep_channel` of isolate_host cannot be that: true or false",
        ),
        (
            act(json!({"verb": "collect_evidence", "target": "host:ws-17"})),
            "parameter.missing",
            "collect_evidence needs `what`: one of processes, connections, memory, files, logs",
        ),
        (
            json!({"/actions/0/parameters": {"for\u{7}ce": true}}),
            "parameter.unknown",
            "isolate_host has no parameter `for\u{fffd}ce`",
        ),
    ] {
        let decision = ask(&state(), &with(&plan(), &changes), &OPEN);
        let found = decision.reasons.iter().find(|reason| reason.code == code).map(|reason| reason.says.as_str());
        assert_eq!(found, Some(says), "{changes}: {:#?}", decision.reasons);
    }
}

#[test]
fn a_name_is_shown_to_its_80th_character() {
    for (length, shown) in [(79, 79), (80, 80), (81, 80)] {
        let decision = ask(&state(), &with(&plan(), &json!({"/actions/0/verb": "\u{e4}".repeat(length)})), &OPEN);
        assert_eq!(decision.reasons[0].says, format!("there is no verb `{}`", "\u{e4}".repeat(shown)));
    }
}

#[test]
fn eight_of_those_that_would_be_lost_are_named() {
    let name = |number: usize| format!("n{number}");
    for (count, named, more) in [(1, 1, ""), (8, 8, ""), (9, 8, " and others")] {
        // All of them need the first.
        let host = |number: usize| json!({"name": name(number), "tier": 3, "needs": if number == 0 { json!([]) } else { json!([["host:n0"]]) }});
        let hosts: Vec<Value> = (0..count).map(host).collect();
        let state = with(
            &state(),
            &json!({"/tenants/acme/inventory": {"assets": {"host": hosts}, "paths": [{"name": "shop", "members": ["host:n0"], "least": 1}]}}),
        );
        let decision = ask(&state, &with(&plan(), &json!({"/actions/0/target": "host:n0"})), &OPEN);
        let names: Vec<String> = (0..named).map(|number| format!("host:n{number}")).collect();
        let says = format!("shop would have 0 of the 1 that it needs: {} would be lost{more}", names.join(", "));
        assert_eq!(decision.reasons.iter().map(|reason| &reason.says).collect::<Vec<_>>(), [&says]);
    }
}

#[test]
fn names_are_shown_as_they_are() {
    let hash = Hash([0xab; 32]);
    assert_eq!((hash.to_string(), format!("{hash:?}")), ("ab".repeat(32), "ab".repeat(32)));
    let (person, machine) = (Principal::Person("anna".into()), Principal::Machine("triage".into()));
    assert_eq!((person.to_string(), machine.to_string()), ("anna".to_owned(), "triage".to_owned()));
}

/// Writes down what it is asked.
#[derive(Default)]
struct Listener(RefCell<Vec<String>>);

impl Policy for Listener {
    fn ask(&self, request: &Request<'_>) -> Answer {
        let Request { tenant, principal, sort, roles, tenants, verb, target, tier, tags, owner, .. } = request;
        let Request { alert_class, level, trust, risk, tag, targets, lease, now, .. } = request;
        self.0.borrow_mut().push(format!(
            "{tenant} {principal} {sort:?} {roles:?} {} | {} {target} {} {tags:?} {owner:?} | {alert_class} {level:?} {trust:?} {risk} `{tag}` {targets} {lease} {}",
            tenants.iter().map(|tenant| tenant.as_str()).collect::<Vec<_>>().join(","),
            verb.name(),
            u8::from(*tier),
            now - NOW
        ));
        Answer::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash([0; 32])
    }
}

#[test]
fn policy_is_asked_with_all_that_is_known() {
    let state = with(
        &state(),
        &json!({
            "/tenants/acme/inventory/assets/host/7": {"name": "ws-17", "tier": 3, "tags": ["kiosk"], "owner": "anna"},
            "/evidence/e2/trust": "attested",
        }),
    );
    let actions = json!([
        {"verb": "isolate_host", "target": "host:ws-17", "lease": 60},
        {"verb": "isolate_host", "target": "host:ws-18", "lease": 61},
        {"verb": "add_tag", "target": "host:ws-17", "parameters": {"tag": "seen"}},
    ]);
    let asked = |requester: Value| {
        let plan: Plan =
            serde_json::from_value(with(&plan(), &json!({"/requester": requester, "/actions": actions}))).unwrap();
        let (mut state, listener) = (made(&state), Listener::default());
        let admitted = admit(&plan, &mut state, NOW);
        let scores: Vec<u8> = admitted.iter().map(|admitted| admitted.score).collect();
        let decision = decide(&plan, &state, &listener, &admitted, NOW + 5);
        assert_eq!(decision.policy_hash, listener.hash());
        (listener.0.into_inner(), scores)
    };
    let (found, scores) = asked(json!({"person": "anna"}));
    assert!(scores.is_empty());
    assert_eq!(
        found,
        [
            r#"acme anna None {"analyst"} acme | isolate_host host:ws-17 3 {"kiosk"} Some(PersonId("anna")) | credential_theft Manual Authenticated 0 `` 2 60 5"#,
            r#"acme anna None {"analyst"} acme | isolate_host host:ws-18 3 {} None | credential_theft Manual Authenticated 0 `` 2 61 5"#,
            r#"acme anna None {"analyst"} acme | add_tag host:ws-17 3 {"kiosk"} Some(PersonId("anna")) | credential_theft Manual Authenticated 0 `seen` 2 0 5"#,
        ]
    );
    // The scores of the actions differ, so that one cannot stand for another.
    let (found, scores) = asked(json!({"machine": "triage"}));
    assert!(scores.len() == 3 && scores[0] != scores[2], "{scores:?}");
    let [one, two, three] = scores[..] else { panic!("{scores:?}") };
    assert_eq!(
        found,
        [
            format!(
                r#"acme triage Some(Agent) {{}} acme | isolate_host host:ws-17 3 {{"kiosk"}} Some(PersonId("anna")) | credential_theft Conditional Authenticated {one} `` 2 60 5"#
            ),
            format!(
                r#"acme triage Some(Agent) {{}} acme | isolate_host host:ws-18 3 {{}} None | credential_theft Conditional Authenticated {two} `` 2 61 5"#
            ),
            format!(
                r#"acme triage Some(Agent) {{}} acme | add_tag host:ws-17 3 {{"kiosk"}} Some(PersonId("anna")) | credential_theft Manual Authenticated {three} `seen` 2 0 5"#
            ),
        ]
    );
}
