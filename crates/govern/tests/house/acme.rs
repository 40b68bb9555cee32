//! A tenant, its state and a plan for it, as JSON that tests change.

use std::sync::LazyLock;

use serde_json::{Value, json};
use watchfloor_govern::limit::Limit;
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::state::State;
use watchfloor_govern::{Decision, admit, autonomy, decide};
use watchfloor_model::action::{Level, Tier, Verb};

use super::earned;

/// 2026-03-02T12:00:00Z, a Monday.
pub const NOW: i64 = 1_772_452_800_000;
/// When people have looked at it.
pub const LATER: i64 = NOW + 60_000;

/// Permits everything that it does not forbid by name.
pub struct Book {
    pub forbids: Vec<&'static str>,
    pub fails: bool,
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

pub const OPEN: Book = Book { forbids: Vec::new(), fails: false };

pub fn state() -> Value {
    json!({
        "ledger": true, "policy_verified": true,
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

pub fn plan() -> Value {
    json!({
        "id": "p1", "tenant": "acme", "requester": {"person": "anna"}, "alert_class": "credential_theft", "case": "c1",
        "actions": [{"verb": "isolate_host", "target": "host:ws-17", "lease": 3600}],
        "evidence": ["e1", "e2"],
    })
}

/// What the machine has earned: to act alone where little depends on it.
pub static EARNED: LazyLock<autonomy::State> =
    LazyLock::new(|| earned(&[Verb::IsolateHost, Verb::CloseCase], &[Tier::Three], Level::Conditional, NOW));

pub fn made(state: &Value) -> State {
    let (mut made, told) = State::new(serde_json::from_value(state.clone()).unwrap());
    assert_eq!(told, Vec::<String>::new());
    made.autonomy = EARNED.clone();
    made
}

pub fn ask(state: &Value, plan: &Value, policy: &Book) -> Decision {
    let (plan, mut state): (Plan, State) = (serde_json::from_value(plan.clone()).unwrap(), made(state));
    let admitted = admit(&plan, &mut state, NOW);
    decide(&plan, &state, policy, &admitted, NOW)
}

/// `Deny: code code`, the codes of what is not allowed.
pub fn shown(decision: &Decision) -> String {
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

pub fn with(value: &Value, changes: &Value) -> Value {
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
