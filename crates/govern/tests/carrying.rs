//! From a plan that the gate allows to one that may be carried out, and how far machines come.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use serde_json::{Value, json};
use watchfloor_govern::approvals::Ticket;
use watchfloor_govern::limit::Need;
use watchfloor_govern::plan::Plan;
use watchfloor_govern::state::State;
use watchfloor_govern::{ApprovedPlan, Refused, Sealed, admit, decide};

use house::acme::{LATER, NOW, OPEN, ask, made, plan, shown, state, with};

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
