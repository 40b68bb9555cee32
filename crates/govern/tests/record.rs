//! What is kept of a decision, member by member, and what is said where it cannot be made again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use watchfloor_govern::inventory::{Inventory, Parts};
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::record::{GATE, KeepError, Kept, Lost, Names};
use watchfloor_govern::{Decision, admit, decide};

use house::acme::{NOW, made, plan, state, with};

const TEXT: &str = "all is permitted";

struct Open;

impl Policy for Open {
    fn ask(&self, _: &Request<'_>) -> Answer {
        Answer::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash::of_bytes(TEXT.as_bytes())
    }
}

fn kept(state: &Value, plan: &Value) -> (Plan, Decision, Kept) {
    let plan: Plan = serde_json::from_value(plan.clone()).unwrap();
    let mut state = made(state);
    let admitted = admit(&plan, &mut state, NOW);
    let decision = decide(&plan, &state, &Open, &admitted, NOW);
    let kept = Kept::of(&plan, &state, TEXT, &decision).unwrap();
    (plan, decision, kept)
}

/// A piece as JSON.
fn piece(pieces: &BTreeMap<Hash, Vec<u8>>, hash: &Value) -> Value {
    serde_json::from_slice(&pieces[&serde_json::from_value::<Hash>(hash.clone()).unwrap()]).unwrap()
}

#[test]
fn a_leaf_names_what_a_decision_was_made_of() {
    for (changes, limit, codes, accountable) in [
        (json!({}), "allow", json!([]), Some("anna")),
        (json!({"/actions/0/target": "host:db-1"}), "people 1", json!(["level.quorum"]), Some("anna")),
        (json!({"/requester": {"machine": "triage"}}), "allow", json!(["level.alone"]), Some("gus")),
        (
            json!({"/requester": {"machine": "triage"}, "/alert_class": "other"}),
            "deny",
            json!(["level.manual"]),
            Some("anna"),
        ),
        (
            json!({"/requester": {"machine": "robot"}}),
            "deny",
            json!(["admission.denied", "level.manual", "requester.unknown"]),
            None,
        ),
    ] {
        let (plan, decision, kept) = kept(&state(), &with(&plan(), &changes));
        let mut detail = kept.detail.clone();
        assert_eq!(piece(&kept.pieces, &detail.remove("state").unwrap())["of"]["ledger"], json!({"is": true}));
        let due = json!({
            "codes": codes, "decision": decision.hash(), "gate": GATE, "limit": limit, "plan": plan.hash(), "plan_id": "p1", "policy": Open.hash(),
        });
        assert_eq!(Value::Object(detail), due, "{changes}");
        assert_eq!(kept.accountable.as_ref().map(|person| person.as_str()), accountable, "{changes}");
        let names = Names::read(&kept.detail).unwrap();
        let again = names.recall(&|hash| kept.pieces.get(hash).cloned()).unwrap();
        assert_eq!((again.plan, again.decision, again.policy.as_str()), (plan, decision, TEXT));
        assert_eq!(again.state.people, made(&state()).people);
    }
}

#[test]
fn a_frame_holds_what_is_short_and_names_what_is_long() {
    // A text of JSON has two bytes more than its letters.
    for (letters, is_inline) in [(253, true), (254, true), (255, false)] {
        let source = "s".repeat(letters);
        let (_, _, kept) = kept(&with(&state(), &json!({"/evidence/e1/source": source})), &plan());
        let frame = piece(&kept.pieces, &kept.detail["state"]);
        let found = &frame["of"]["evidence"]["of"]["e1"]["of"]["source"];
        if is_inline {
            assert_eq!(*found, json!({"is": source}), "{letters}");
        } else {
            assert_eq!(piece(&kept.pieces, &found["at"]), json!(source), "{letters}");
        }
        // Down to the members of a tenant, and no further.
        let tenant = &frame["of"]["tenants"]["of"]["acme"]["of"];
        assert_eq!(tenant["windows"], json!({"is": {"windows": [], "hours": []}}));
        let inventory: Parts = serde_json::from_value(piece(&kept.pieces, &tenant["inventory"]["at"])).unwrap();
        let written: Parts = serde_json::from_value(state()["tenants"]["acme"]["inventory"].clone()).unwrap();
        assert_eq!((&inventory, Inventory::new(written).0.parts()), (&inventory, inventory.clone()));
        assert_eq!(inventory.assets.values().map(Vec::len).sum::<usize>(), 11);
    }
}

#[test]
fn what_the_gate_does_not_look_at_is_left_out() {
    let theirs = json!({"tenant": "other", "case": "c1", "source": "edr", "trust": "authenticated"});
    let parts = with(&state(), &json!({"/evidence/theirs": theirs, "/evidence/named": theirs}));
    let plan = with(&plan(), &json!({"/evidence": ["e1", "named"]}));
    let (_, decision, kept) = kept(&parts, &plan);
    let frame = piece(&kept.pieces, &kept.detail["state"]);
    let names = |member: &str| frame["of"][member]["of"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        (names("tenants"), names("evidence")),
        (vec!["acme".to_owned()], ["e1", "e2", "named", "told", "weak"].map(str::to_owned).to_vec())
    );
    // With all of it the gate would have said the same.
    assert_eq!(decision.reasons.iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>(), ["evidence.unresolved"]);
}

#[test]
fn a_decision_of_something_else_is_not_kept() {
    let (one, decision, _) = kept(&state(), &plan());
    let other = Plan { reason: "another".into(), ..one.clone() };
    let state = made(&state());
    for (plan, text, why, says) in [
        (&one, "nothing is", KeepError::Policy, "the policies are known by something else than their text"),
        (&other, TEXT, KeepError::Plan, "the decision is of another plan"),
    ] {
        let found = Kept::of(plan, &state, text, &decision).unwrap_err();
        assert_eq!((found, found.to_string().as_str()), (why, says));
    }
    assert_eq!(KeepError::State.to_string(), "the state cannot be written");
}

#[test]
fn what_cannot_be_made_again_says_why() {
    let (_, _, kept) = kept(&state(), &plan());
    let names = Names::read(&kept.detail).unwrap();
    let lost = |frame: &str| {
        let state = Hash::of_bytes(frame.as_bytes());
        let names = Names { state, ..names.clone() };
        let fetch = |hash: &Hash| if *hash == state { Some(frame.into()) } else { kept.pieces.get(hash).cloned() };
        names.recall(&fetch).map(drop).map_err(|lost| match lost {
            Lost::Unreadable(hash, why) if hash == state => why,
            other => other.code().to_owned(),
        })
    };
    let none = "it is no frame of a state";
    let missing = Hash([0; 32]);
    for (frame, due) in [
        (r#"{"is":{}}"#.to_owned(), Ok(())),
        (r#"{"of":{"ledger":{"is":true},"tenants":{"of":{"t":{"of":{"degraded":{"is":true}}}}}}}"#.to_owned(), Ok(())),
        (r#"{"of":{"tenants":{"of":{"t":{"of":{"windows":{"of":{}}}}}}}}"#.to_owned(), Err(none)),
        ("[]".to_owned(), Err(none)),
        ("{}".to_owned(), Err(none)),
        (r#"{"is":{},"of":{}}"#.to_owned(), Err(none)),
        (r#"{"was":{}}"#.to_owned(), Err(none)),
        (r#"{"of":[]}"#.to_owned(), Err(none)),
        (r#"{"at":1}"#.to_owned(), Err(none)),
        (format!(r#"{{"at":"{missing}"}}"#), Err("replay.missing")),
        (r#"{"is":1}"#.to_owned(), Err("invalid type: integer `1`, expected struct StateParts")),
    ] {
        assert_eq!(lost(&frame).as_ref().map_err(|why| why.as_str()), due.as_ref().map_err(|why| *why), "{frame}");
    }
    let zeros = "0".repeat(64);
    for (lost, code, says) in [
        (Lost::Leaf("x".into()), "replay.leaf", "the leaf does not name what the decision was made of: x".to_owned()),
        (Lost::Missing(missing), "replay.missing", format!("what it was made of is not kept: {zeros}")),
        (Lost::Changed(missing), "replay.changed", format!("what is kept as {zeros} was changed")),
        (
            Lost::Unreadable(missing, "x".into()),
            "replay.unreadable",
            format!("what is kept as {zeros} cannot be read: x"),
        ),
    ] {
        assert_eq!((lost.code(), lost.to_string()), (code, says));
    }
    assert_eq!(Names::read(&Map::new()).unwrap_err().code(), "replay.leaf");
    let changed = names.recall(&|hash| kept.pieces.get(hash).map(|bytes| [&bytes[..], b" "].concat()));
    assert_eq!(changed.unwrap_err().code(), "replay.changed");
}
