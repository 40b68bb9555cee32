//! What is true of the gate whatever it is asked: random plans over random states.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use watchfloor_govern::gate::Settled;
use watchfloor_govern::limit::Limit;
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::record::{Kept, Lost, Names};
use watchfloor_govern::state::{State, StateParts, TenantParts, Trust};
use watchfloor_govern::{Decision, admit, autonomy, decide};
use watchfloor_model::action::{Kind, Level, Sort, Tier, Verb};

const NOW: i64 = 1_772_452_800_000;

thread_local! {
    /// The machine has earned to act alone, everywhere.
    static EARNED: RefCell<autonomy::State> = RefCell::new(house::earned(Verb::ALL, &Tier::ALL, Level::Conditional, NOW));
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.next(all.len())].clone()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.next(times) == 0
    }
}

/// Forbids by number of the verb.
#[derive(Clone)]
struct Book(BTreeSet<usize>);

impl Policy for Book {
    fn ask(&self, request: &Request<'_>) -> Answer {
        if self.0.contains(&(request.verb as usize)) {
            Answer::Forbid(vec!["p".into()])
        } else {
            Answer::Permit(vec!["q".into()])
        }
    }

    fn hash(&self) -> Hash {
        Hash::of_bytes(self.text().as_bytes())
    }
}

impl Book {
    fn text(&self) -> String {
        format!("{:?}", self.0)
    }
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const EVIDENCE: [&str; 5] = ["e0", "e1", "e2", "e3", "e4"];

fn state(random: &mut Random) -> StateParts {
    let asset = |random: &mut Random, name: &str| {
        let needs: Vec<String> = (0..random.next(3)).map(|_| format!("host:{}", random.pick(&NAMES))).collect();
        json!({
            "name": name, "names": [format!("{name}.corp.local")], "tier": random.next(4),
            "tags": if random.once_in(6) { json!([random.pick(&["telemetry", "identity_provider", "response_channel"])]) } else { json!([]) },
            "needs": if needs.is_empty() || random.once_in(2) { json!([]) } else { json!([needs]) },
        })
    };
    let hosts: Vec<Value> = NAMES[..5].iter().map(|name| asset(random, name)).collect();
    let accounts: Vec<Value> = NAMES[..4].iter().map(|name| asset(random, name)).collect();
    let window = |random: &mut Random| json!({"name": "w", "purpose": random.pick(&["freeze", "maintenance", "test"]), "from": NOW - 5, "to": NOW + random.next(10) as i64 - 5});
    let windows: Vec<Value> = (0..random.next(2)).map(|_| window(random)).collect();
    let evidence: serde_json::Map<String, Value> = EVIDENCE[..4]
        .iter()
        .map(|id| {
            let evidence = json!({
                "tenant": "acme", "case": random.pick(&["c", "c", "c", "d"]), "source": random.pick(&["s1", "s2", "s3"]),
                "trust": random.pick(&["unauthenticated", "authenticated", "authenticated", "attested"]),
                "instructs": random.once_in(8), "soothes": random.once_in(8),
            });
            ((*id).to_owned(), evidence)
        })
        .collect();
    let effects: Vec<Value> = (0..random.next(3))
        .map(|_| {
            let host = format!("host:{}", random.pick(&NAMES));
            json!({"verb": "isolate_host", "target": host, "asset": host})
        })
        .collect();
    let parts = json!({
        "ledger": !random.once_in(40), "policy_verified": !random.once_in(40),
        "halts": if random.once_in(20) { json!([{"scope": {"verb": "notify"}, "by": "anna", "reason": "r", "at": 0}]) } else { json!([]) },
        "people": {"anna": {"active": !random.once_in(20), "tenants": ["acme"]}, "otto": {"active": true, "tenants": ["acme"]}},
        "machines": {"m": {"active": true, "sort": "agent", "tenants": ["acme"], "supervisor": "otto", "versions": {"model": "1", "prompt": "1", "rules": "1", "policy": "1"}}},
        "caps": if random.once_in(3) { json!([{"verb": random.pick(Verb::ALL), "tier": random.next(4), "level": random.next(5)}]) } else { json!([]) },
        "tenants": {"acme": {
            "inventory": {"assets": {"host": hosts, "account": accounts}, "paths": []},
            "effects": effects, "readiness": random.pick(&[4, 4, 4, 2]), "windows": {"windows": windows}, "degraded": random.once_in(10),
        }},
        "evidence": evidence,
        "budgets": if random.once_in(3) { json!({"budgets": [{"name": "b", "window": 1000, "count": random.next(4)}]}) } else { json!({}) },
    });
    serde_json::from_value(parts).unwrap()
}

fn plan(random: &mut Random) -> Plan {
    let action = |random: &mut Random| {
        let verb = random.pick(Verb::ALL);
        let row = verb.row();
        let kind = if random.once_in(30) { random.pick(&Kind::ALL) } else { row.kind };
        let name = match kind {
            Kind::Address => random.pick(&["203.0.113.9", "10.0.0.1", "a"]).to_owned(),
            Kind::Domain => random.pick(&["evil.example", "net"]).to_owned(),
            Kind::Hash => "a".repeat(64),
            Kind::File | Kind::Process | Kind::Message | Kind::MailboxRule => format!("{}/1", random.pick(&NAMES)),
            _ => random.pick(&["a", "B", "c.corp.local", "d.", "E", "f", "A$"]).to_owned(),
        };
        let value = |sort: Sort| match sort {
            Sort::Choice(words) => json!(words[0]),
            Sort::Number(from, _) => json!(from),
            Sort::Text(_) => json!("text"),
            Sort::Flag => json!(true),
        };
        let parameters: serde_json::Map<String, Value> =
            row.parameters.iter().map(|parameter| (parameter.name.to_owned(), value(parameter.sort))).collect();
        let lease = if row.lease_max > 0 { json!(60) } else { Value::Null };
        let name = format!("{}:{name}", kind.name());
        if random.once_in(40) {
            return json!({"verb": "shutdown", "target": name});
        }
        json!({"verb": verb, "target": name, "parameters": parameters, "lease": lease})
    };
    let actions: Vec<Value> = (0..random.pick(&[1, 1, 1, 2, 3])).map(|_| action(random)).collect();
    // The last of them does not exist.
    let known = 4 + usize::from(random.once_in(12));
    let evidence: Vec<&str> = (0..random.next(5)).map(|_| random.pick(&EVIDENCE[..known])).collect();
    let requester = random.pick(&[json!({"machine": "m"}), json!({"machine": "m"}), json!({"person": "anna"})]);
    serde_json::from_value(json!({
        "id": "p", "tenant": "acme", "requester": requester, "alert_class": "credential_theft",
        "case": random.pick(&[json!("c"), json!("c"), json!("c"), json!("d"), Value::Null]),
        "actions": actions, "evidence": evidence, "reason": "",
    }))
    .unwrap()
}

fn ask(parts: &StateParts, plan: &Plan, book: &Book) -> Decision {
    let (mut state, _) = State::new(parts.clone());
    // It is lent: it is much larger than all else.
    EARNED.with_borrow_mut(|earned| {
        std::mem::swap(&mut state.autonomy, earned);
        let admitted = admit(plan, &mut state, NOW);
        let decision = decide(plan, &state, book, &admitted, NOW);
        std::mem::swap(&mut state.autonomy, earned);
        decision
    })
}

fn book(random: &mut Random) -> Book {
    Book((0..Verb::ALL.len()).filter(|_| random.once_in(10)).collect())
}

/// Something about the state that is stricter than before.
fn stricter(parts: &StateParts, plan: &Plan, book: &Book, random: &mut Random) -> (&'static str, StateParts, Book) {
    let (mut parts, mut book) = (parts.clone(), book.clone());
    let what = match random.next(12) {
        0 => {
            parts.ledger = false;
            "ledger"
        }
        1 => {
            let scope = random.pick(&[json!("everything"), json!({"verb": "isolate_host"}), json!({"machine": "m"})]);
            let _ = parts.halts.set(read(json!({"scope": scope, "by": "anna", "reason": "r", "at": 0})));
            "halt"
        }
        2 => {
            let (verb, tier, level) = (random.pick(Verb::ALL), random.next(4), random.next(5));
            parts.caps.push(read(json!({"verb": verb, "tier": tier, "level": level})));
            "cap"
        }
        3 => {
            book.0.insert(random.next(Verb::ALL.len()));
            "policy"
        }
        4 => {
            parts.budgets.budgets.push(read(json!({"name": "n", "window": 1000, "count": random.next(3)})));
            "budget"
        }
        5 => {
            parts.people.values_mut().for_each(|person| person.active &= random.once_in(2));
            "people"
        }
        6 => {
            for evidence in parts.evidence.values_mut() {
                evidence.trust = Trust::Unauthenticated;
                evidence.instructs |= random.once_in(2);
                evidence.soothes |= random.once_in(2);
            }
            "trust"
        }
        7 => {
            // What the plan rests on is somebody else's.
            for id in &plan.evidence {
                if let Some(evidence) = parts.evidence.get_mut(id) {
                    evidence.tenant = "u".into();
                }
            }
            "evidence of another"
        }
        _ => parts.tenants.values_mut().map(|tenant| stricter_tenant(tenant, random)).next_back().unwrap(),
    };
    (what, parts, book)
}

fn stricter_tenant(tenant: &mut TenantParts, random: &mut Random) -> &'static str {
    match random.next(4) {
        0 => {
            for asset in tenant.inventory.assets.values_mut().flatten() {
                asset.tier = Tier::try_from(u8::from(asset.tier).saturating_sub(random.next(2) as u8)).unwrap();
            }
            "tiers"
        }
        1 => {
            let kind = random.pick(&[Kind::Host, Kind::Account]);
            let assets = tenant.inventory.assets.get_mut(&kind).unwrap();
            let at = random.next(assets.len());
            let tag = random.pick(&["telemetry", "identity_provider", "response_channel"]);
            assets[at].tags.insert(tag.to_owned());
            "tag"
        }
        2 => {
            tenant.degraded = true;
            "coverage"
        }
        _ => {
            let purpose = random.pick(&["freeze", "maintenance", "test"]);
            tenant.windows.windows.push(read(json!({"name": "n", "purpose": purpose, "from": NOW, "to": NOW + 1})));
            "window"
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[test]
fn raising_strictness_never_permits_more() {
    let (mut changed, mut allowed) = (0, 0);
    for seed in 0..30_000 {
        let random = &mut Random(seed);
        let (parts, plan, book) = (state(random), plan(random), book(random));
        let before = ask(&parts, &plan, &book);
        let (what, parts, book) = stricter(&parts, &plan, &book, random);
        let after = ask(&parts, &plan, &book);
        assert!(after.limit.is_as_strict_as(&before.limit), "seed {seed}: {what}: {before:#?} {after:#?}");
        changed += usize::from(after.limit != before.limit);
        allowed += usize::from(before.limit == Limit::Allow);
    }
    assert!(changed > 800 && allowed > 800, "{changed} {allowed}");
}

#[test]
fn leaving_evidence_out_never_permits_more() {
    let (mut changed, mut tried) = (0, 0);
    for seed in 0..30_000 {
        let random = &mut Random(seed ^ 0xABCD);
        let (parts, mut plan, book) = (state(random), plan(random), book(random));
        if plan.evidence.is_empty() {
            continue;
        }
        let before = ask(&parts, &plan, &book);
        plan.evidence.remove(random.next(plan.evidence.len()));
        let after = ask(&parts, &plan, &book);
        // A claim that does not resolve speaks against the plan for as long as it is made.
        let resolved = !before
            .reasons
            .iter()
            .any(|reason| reason.code == "evidence.unresolved" || reason.code == "evidence.other_case");
        if resolved {
            assert!(after.limit.is_as_strict_as(&before.limit), "seed {seed}: {before:#?} {after:#?}");
            tried += 1;
        }
        changed += usize::from(after.limit != before.limit);
    }
    assert!(tried > 5_000 && changed > 300, "{tried} {changed}");
}

#[test]
fn nothing_happens_at_tier_0_below_two_people() {
    let mut tried = 0;
    for seed in 0..100_000 {
        let random = &mut Random(seed ^ 0x5555_0000);
        let (parts, plan, book) = (state(random), plan(random), book(random));
        let decision = ask(&parts, &plan, &book);
        let is_zero = |settled: &Settled| settled.tier == Tier::Zero && settled.verb.row().kind.is_asset();
        if decision.actions.iter().any(is_zero) {
            assert!(decision.limit.is_as_strict_as(&Limit::people(2)), "seed {seed}: {decision:#?}");
            tried += 1;
        }
    }
    assert!(tried > 20_000, "{tried}");
}

#[test]
fn a_kept_decision_is_made_again_to_the_same_bytes() {
    for seed in 0..3_000 {
        let random = &mut Random(seed);
        let (mut parts, plan, book) = (state(random), plan(random), book(random));
        if seed < 30 {
            EARNED.with_borrow(|earned| parts.autonomy = earned.clone());
        }
        let (mut state, _) = State::new(parts.clone());
        let admitted = admit(&plan, &mut state, NOW);
        let decision = decide(&plan, &state, &book, &admitted, NOW);
        let kept = Kept::of(&plan, &state, &book.text(), &decision).unwrap();
        let names = Names::read(&kept.detail).unwrap();
        let again = names.recall(&|hash| kept.pieces.get(hash).cloned()).unwrap();
        assert_eq!(again.policy, book.text());
        let said = decide(&again.plan, &again.state, &book, &again.decision.admitted, again.decision.at);
        assert_eq!(serde_json::to_string(&said).unwrap(), serde_json::to_string(&decision).unwrap(), "seed {seed}");
        assert_eq!(said.hash(), names.decision);
        // Whatever is missing or changed is told, each by its hash.
        let broken = random.pick(&kept.pieces.keys().copied().collect::<Vec<_>>());
        let missing = names.recall(&|hash| kept.pieces.get(hash).filter(|_| *hash != broken).cloned());
        assert_eq!(missing.unwrap_err(), Lost::Missing(broken));
        let changed = names.recall(&|hash| {
            let mut piece = kept.pieces.get(hash)?.clone();
            if *hash == broken {
                piece.push(b' ');
            }
            Some(piece)
        });
        assert_eq!(changed.unwrap_err(), Lost::Changed(broken));
    }
}

#[test]
fn what_two_decisions_share_is_kept_once() {
    let random = &mut Random(7);
    let (mut parts, plan, book) = (state(random), plan(random), book(random));
    let keep = |parts: &StateParts| {
        let (mut state, _) = State::new(parts.clone());
        let admitted = admit(&plan, &mut state, NOW);
        let decision = decide(&plan, &state, &book, &admitted, NOW);
        Kept::of(&plan, &state, &book.text(), &decision).unwrap().pieces
    };
    let before = keep(&parts);
    parts.tenants.values_mut().for_each(|tenant| tenant.degraded = !tenant.degraded);
    let after = keep(&parts);
    let new = after.keys().filter(|hash| !before.contains_key(hash)).count();
    assert!(
        (1..=2).contains(&new) && after.len() > 4,
        "the frame, and the decision if it changes: {new} of {}",
        after.len()
    );
}

/// Decisions, and what admission said, are kept and made again years later: their bytes are part of what is promised. Whoever changes what a
/// decision says on purpose writes the new hash here.
#[test]
fn decisions_keep_their_bytes() {
    let mut all = Vec::new();
    for seed in 0..4_000 {
        let random = &mut Random(seed ^ 0x7777_0000);
        let (mut parts, mut plan, book) = (state(random), plan(random), book(random));
        if random.once_in(4) {
            plan.alert_class = "phishing".into();
        }
        if random.once_in(8) {
            parts.machines.values_mut().for_each(|machine| machine.versions.model = "2".to_owned());
        }
        plan.reason = random.pick(&["", "why \"so\"\n", "\u{1}\u{7f}\u{e9}\u{1f600}"]).to_owned();
        // The policy's own hash is the test's, and no promise.
        all.push(Decision { policy_hash: Hash([1; 32]), ..ask(&parts, &plan, &book) });
    }
    let limits = |limit: &Limit| all.iter().filter(|decision| decision.limit == *limit).count();
    let few = [Limit::Allow, Limit::people(1), Limit::people(2), Limit::Deny].iter().map(limits).min();
    assert!(few > Some(20), "{few:?}");
    let hash = Hash::of(&all).to_string();
    assert_eq!(hash, "e1c92fcc8970cec63aeb1de5c7c56f4eb17310396b3fd122d382dfbff1478808");
}
