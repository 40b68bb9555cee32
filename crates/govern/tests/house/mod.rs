//! People who sign, and a machine that has earned something: what several tests begin with.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "not every test needs all of it, and a test fails by panicking"
)]

pub mod acme;

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use watchfloor_govern::approvals::{
    Actor, Ask, Bytes, Digest, House, Key, KeyId, LIFETIME_MS, Matter, Moment, People, Person, Proof, Public, Request,
    RequestId, Rules, Signed, Stamps, Statement, Ticket, What,
};
use watchfloor_govern::autonomy::{self, Choice, Hex, Judgement, Promotion, Record, ShadowId, Versions};
use watchfloor_govern::{Decision, Limit, Need};
use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::PersonId;

fn pen(name: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    SigningKey::from_bytes(&seed)
}

/// People with a key each, who may approve.
pub fn people(names: &[&str]) -> People {
    let person = |name: &&str| {
        let public = Public::Ed25519(Bytes(pen(name).verifying_key().to_bytes().to_vec()));
        let keys = [(KeyId(format!("key-{name}")), Key { public, revoked: false, counter: 0 })].into();
        let roles = ["approver".to_owned(), "owner".to_owned()].into();
        (PersonId::from(*name), Person { active: true, roles, keys })
    };
    People::new(House::default(), names.iter().map(person).collect::<BTreeMap<_, _>>()).unwrap()
}

/// What people who approve a decision come to, some time after it.
pub fn approved(decision: &Decision, requester: &str, names: &[&str], now: i64) -> Option<Ticket> {
    let Limit::People(need) = &decision.limit else { return None };
    approved_as(decision, need.clone(), requester, names, now)
}

/// The same, for what somebody thinks is needed.
pub fn approved_as(decision: &Decision, need: Need, requester: &str, names: &[&str], now: i64) -> Option<Ticket> {
    let people = people(names);
    let shown = Digest([3; 32]);
    let ask = Ask {
        request: RequestId("r".into()),
        tenant: "acme".into(),
        matter: Matter::Plan(Digest(decision.plan_hash.0)),
        decision: Digest(decision.hash().0),
        shown,
        nonce: Digest([4; 32]),
        need: need.clone(),
        role: "approver".into(),
        requester: Actor::Person { person: requester.into() },
        grantors: decision.grantors.clone(),
        lifetime_ms: LIFETIME_MS,
    };
    let mut request = Request::opened(&Request::handle_open(ask.clone(), now).unwrap()).unwrap();
    let (stamps, rules, later) = (Stamps::default(), Rules::default(), now + 60_000);
    for name in names {
        let record = request.handle_show(&(*name).into(), &shown, &people, now).unwrap();
        request.apply(&record).unwrap();
    }
    for name in names {
        let statement = Statement {
            what: What::Approve,
            request: ask.request.clone(),
            nonce: ask.nonce,
            plan: *ask.matter.plan(),
            decision: ask.decision,
            shown,
            person: (*name).into(),
            reason: "looked at the host".into(),
            time: later,
        };
        let signature = Bytes(pen(name).sign(&statement.canonical().unwrap()).to_bytes().to_vec());
        let signed = Signed { statement, proof: Proof::Ed25519 { key: KeyId(format!("key-{name}")), signature } };
        let moment = Moment { people: &people, stamps: &stamps, rules: &rules, now: later };
        let record = request.handle_approve(&signed, 60_000, &moment).ok()?;
        request.apply(&record).unwrap();
    }
    let moment = Moment { people: &people, stamps: &stamps, rules: &rules, now: later };
    let record = request.handle_take(ask.matter.plan(), &need, &moment).ok()?;
    Some(request.take(&record).unwrap())
}

/// What a machine has when a person has granted it a level for some verbs and tiers, after as many agreements as it takes.
pub fn earned(verbs: &[Verb], tiers: &[Tier], to: Level, now: i64) -> autonomy::State {
    let mut state = autonomy::State::default();
    let key = Hex(pen("gus").verifying_key().to_bytes());
    let entitled = Record::Entitled { tenant: "acme".into(), person: "gus".into(), key, up_to: Level::HighStakes };
    let then = now - 100_000;
    state.apply(entitled, then).unwrap();
    for (verb, tier) in verbs.iter().flat_map(|verb| tiers.iter().map(move |tier| (*verb, *tier))) {
        let key = autonomy::Key { tenant: "acme".into(), verb, class: "credential_theft".into(), tier };
        for number in 0..if to > Level::Conditional { 1_000 } else { 160 } {
            let (id, would) = (ShadowId(number.to_string()), Choice::Leave);
            let versions = versions();
            let chosen = Record::Chosen {
                key: key.clone(),
                id: id.clone(),
                versions,
                level: Level::Manual,
                would: would.clone(),
            };
            state.apply(chosen, then).unwrap();
            let judged =
                Record::Judged { key: key.clone(), id, judgement: Judgement::Agree, by: "anna".into(), did: would };
            state.apply(judged, then).unwrap();
        }
        let cell = state.cell(&key).unwrap();
        let promotion = Promotion {
            key: key.clone(),
            // No more than may ever be granted there.
            to: to.min(verb.row().cap(tier)),
            by: "gus".into(),
            versions: cell.versions().cloned(),
            generation: cell.generation(),
            at: then,
            reason: "it has earned it".into(),
        };
        let signature = Hex(pen("gus").sign(&promotion.bytes()).to_bytes());
        state.apply(Record::Promoted(autonomy::Signed { promotion, signature }), then).unwrap();
    }
    state
}

/// What is running.
pub fn versions() -> Versions {
    let one = || "1".to_owned();
    Versions { model: one(), prompt: one(), rules: one(), policy: one() }
}
