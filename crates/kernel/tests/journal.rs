//! Whatever is done is a leaf first; and a journal that fails stops everything.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use watchfloor_govern::approvals::{
    Bytes, Digest, House, Key, KeyId, People, Person, Proof, Public, Rules, Signed, Statement, What,
};
use watchfloor_govern::halt::{Halt, Scope};
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::record::{Names, Recalled};
use watchfloor_govern::state::State;
use watchfloor_govern::{Limit, autonomy, decide};
use watchfloor_kernel::{Journal, Kernel, NotWritten, Refused, Written};
use watchfloor_ledger::{Draft, Leaf, Log, read_leaf};
use watchfloor_model::action::{Tier, Verb};
use watchfloor_model::ids::PersonId;
use watchfloor_respond::{Act, Answer as Said, Moment, Order, Reply};

const NOW: i64 = 1_772_452_800_000;

struct Open;

impl Policy for Open {
    fn ask(&self, _: &Request<'_>) -> Answer {
        Answer::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash::of_bytes(self.text().as_bytes())
    }
}

impl Written for Open {
    fn text(&self) -> String {
        "permit all".to_owned()
    }
}

/// A journal in memory that takes so many writes and then fails.
struct Paper {
    log: Log,
    leaves: Vec<Leaf>,
    pieces: BTreeMap<Hash, Vec<u8>>,
    room: usize,
    tries_after: usize,
}

impl Paper {
    fn new(room: usize) -> Self {
        Self { log: Log::default(), leaves: Vec::new(), pieces: BTreeMap::new(), room, tries_after: 0 }
    }
}

impl Journal for Paper {
    fn write(&mut self, pieces: &BTreeMap<Hash, Vec<u8>>, leaves: &[Draft]) -> Result<u64, NotWritten> {
        if self.room == 0 {
            self.tries_after += 1;
            return Err(NotWritten { code: "ledger.disk_full", text: "no room".to_owned() });
        }
        self.room -= 1;
        self.pieces.extend(pieces.clone());
        let first = self.log.size();
        for draft in leaves {
            let appended = self.log.append(draft).unwrap();
            self.leaves.push(read_leaf(&appended.bytes).unwrap());
        }
        Ok(first)
    }
}

fn pen(name: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    SigningKey::from_bytes(&seed)
}

fn kernel() -> Kernel {
    let person = |name: &&str| {
        let public = Public::Ed25519(Bytes(pen(name).verifying_key().to_bytes().to_vec()));
        let keys = [(KeyId((*name).to_owned()), Key { public, revoked: false, counter: 0 })].into();
        (PersonId::from(*name), Person { active: true, roles: ["approver".to_owned()].into(), keys })
    };
    let people = People::new(House::default(), ["bert", "cleo"].iter().map(person).collect()).unwrap();
    let parts = json!({
        "ledger": true, "policy_verified": true,
        "people": {"anna": {"active": true, "tenants": ["acme"]}, "bert": {"active": true, "tenants": ["acme"]}, "gina": {"active": true, "tenants": ["other"]}},
        "tenants": {
            "acme": {"inventory": {"assets": {"account": [{"name": "admin", "tier": 0}]}}, "readiness": 4},
            "other": {"inventory": {"assets": {"host": [{"name": "secret"}]}}},
        },
        "evidence": {"e1": {"tenant": "acme", "case": "c1", "source": "edr", "trust": "authenticated"}},
    });
    let (state, told) = State::new(serde_json::from_value(parts).unwrap());
    assert_eq!(told, Vec::<String>::new());
    Kernel::new(state, Box::new(Open), people, Rules::default())
}

fn plan() -> Plan {
    serde_json::from_value(json!({
        "id": "p1", "tenant": "acme", "requester": {"person": "anna"}, "alert_class": "credential_theft", "case": "c1",
        "actions": [{"verb": "disable_account", "target": "account:admin", "lease": 3600}], "evidence": ["e1"],
    }))
    .unwrap()
}

fn approval(kernel: &Kernel, plan: &Hash, person: &str, time: i64) -> Signed {
    let ask = kernel.request(plan).unwrap().ask();
    let statement = Statement {
        what: What::Approve,
        request: ask.request.clone(),
        nonce: ask.nonce,
        plan: *ask.matter.plan(),
        decision: ask.decision,
        shown: ask.shown,
        person: person.into(),
        reason: "looked at the sign-ins".to_owned(),
        time,
    };
    let signature = Bytes(pen(person).sign(&statement.canonical().unwrap()).to_bytes().to_vec());
    Signed { statement, proof: Proof::Ed25519 { key: KeyId(person.to_owned()), signature } }
}

/// How many effects the gate counts with.
fn in_force(kernel: &Kernel) -> usize {
    kernel.state().tenants.values().map(|tenant| tenant.effects.len()).sum()
}

/// A plan from its proposal to the end of its lease, and a halt. Counts the calls of the connector, each of which must have its start written before.
fn story(kernel: &mut Kernel, paper: &mut Paper, calls: &mut usize) -> Result<(), Refused> {
    let plan = plan();
    let hash = plan.hash();
    let answer = kernel.propose(plan, Digest([9; 32]), NOW, paper)?;
    assert_eq!(answer.decision.limit, Limit::people(2));
    for person in ["bert", "cleo"] {
        kernel.show(&hash, &person.into(), NOW, paper)?;
    }
    for person in ["bert", "cleo"] {
        let signed = approval(kernel, &hash, person, NOW + 60_000);
        kernel.approve(&hash, &signed, 60_000, NOW + 60_000, paper)?;
    }
    kernel.begin(&hash, &|token| token.idempotency(), NOW + 60_000, paper)?;
    let (mut time, mut is_there) = (NOW + 60_000, false);
    loop {
        let now = Moment { wall: time, steady: time - NOW };
        match kernel.poll(&hash, now, paper)? {
            Order::Do(call) => {
                let last = paper.leaves.last().unwrap();
                assert_eq!((last.kind.as_str(), last.accountable.as_str()), ("started", "anna"));
                *calls += 1;
                is_there = !call.act.undo;
                kernel.hear(&hash, call.number, Reply::Did(Said::Done), now)?;
            }
            Order::Look(call) => kernel.hear(&hash, call.number, Reply::Saw(Some(is_there)), now)?,
            Order::Until(until) => {
                assert_eq!(in_force(kernel), 1);
                time = until;
            }
            Order::Pause(until) => time = NOW + until,
            Order::Rest => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(in_force(kernel), 0);
    let halt = Halt {
        scope: Scope::Everything,
        by: "anna".into(),
        reason: "enough".into(),
        at: time,
        drill: false,
        lifting: None,
    };
    kernel.halt(halt, paper)?;
    assert!(!kernel.lift(&Scope::Everything, &"anna".into(), time, paper)?);
    assert!(kernel.lift(&Scope::Everything, &"bert".into(), time, paper)?);
    Ok(())
}

#[test]
fn a_story_is_its_leaves_in_their_order() {
    let (mut kernel, mut paper, mut calls) = (kernel(), Paper::new(usize::MAX), 0);
    story(&mut kernel, &mut paper, &mut calls).unwrap();
    let kinds: Vec<&str> = paper.leaves.iter().map(|leaf| leaf.kind.as_str()).collect();
    let expected = "decision approval approval approval approval approval approval decision intent started outcome intent started undo halt resume resume";
    assert_eq!((kinds.join(" ").as_str(), calls), (expected, 2));
    // Both decisions can be made again, and neither shows another tenant.
    for leaf in paper.leaves.iter().filter(|leaf| leaf.kind.as_str() == "decision") {
        let names = Names::read(&leaf.detail).unwrap();
        let Recalled { plan, state, decision, .. } = names.recall(&|hash| paper.pieces.get(hash).cloned()).unwrap();
        assert_eq!(decide(&plan, &state, &Open, &decision.admitted, decision.at).hash(), names.decision);
    }
    assert!(!paper.pieces.values().any(|piece| String::from_utf8_lossy(piece).contains("secret")));
}

#[test]
fn who_acts_for_another_tenant_has_no_word_here() {
    let (mut kernel, mut paper, mut calls) = (kernel(), Paper::new(usize::MAX), 0);
    story(&mut kernel, &mut paper, &mut calls).unwrap();
    let (hash, before) = (plan().hash(), paper.leaves.len());
    let scope = Scope::Tenant("acme".into());
    let halt = |by: &str| Halt {
        scope: scope.clone(),
        by: by.into(),
        reason: "r".into(),
        at: NOW,
        drill: false,
        lifting: None,
    };
    for person in ["gina", "mallory"] {
        let by = PersonId::from(person);
        for code in [
            kernel.halt(halt(person), &mut paper).unwrap_err().code(),
            kernel.lift(&scope, &by, NOW, &mut paper).unwrap_err().code(),
            kernel.recall(&hash, &by, NOW, &mut paper).unwrap_err().code(),
            kernel.resolve(&hash, Act { step: 0, undo: false }, true, &by, NOW, &mut paper).unwrap_err().code(),
        ] {
            assert_eq!(code, "kernel.person", "{person}");
        }
    }
    assert_eq!(paper.leaves.len(), before);
    kernel.halt(halt("bert"), &mut paper).unwrap();
}

#[test]
fn nothing_is_done_after_a_leaf_that_could_not_be_written() {
    let (mut whole, mut all) = (Paper::new(usize::MAX), 0);
    story(&mut kernel(), &mut whole, &mut all).unwrap();
    let writes = usize::MAX - whole.room;
    assert!(writes > 12, "{writes}");
    for room in 0..writes {
        let (mut kernel, mut paper, mut calls) = (kernel(), Paper::new(room), 0);
        let refused = story(&mut kernel, &mut paper, &mut calls).unwrap_err();
        assert_eq!(refused.code(), "ledger.disk_full", "{room}");
        let started = paper.leaves.iter().filter(|leaf| leaf.kind.as_str() == "started").count();
        assert_eq!(calls, started, "{room}: called without a start, or not at all");
        // What was written is a part of the whole story.
        assert_eq!(paper.leaves[..], whole.leaves[..paper.leaves.len()]);
        // From now on everything is refused, and nothing is tried again.
        paper.room = usize::MAX;
        let (hash, by) = (plan().hash(), PersonId::from("anna"));
        let now = Moment { wall: NOW, steady: 0 };
        let halt =
            Halt { scope: Scope::Everything, by: by.clone(), reason: "r".into(), at: NOW, drill: false, lifting: None };
        for code in [
            kernel.propose(plan(), Digest([1; 32]), NOW, &mut paper).unwrap_err().code(),
            kernel.begin(&hash, &|token| token.idempotency(), NOW, &mut paper).unwrap_err().code(),
            kernel.poll(&hash, now, &mut paper).unwrap_err().code(),
            kernel.halt(halt, &mut paper).unwrap_err().code(),
            kernel.lift(&Scope::Everything, &by, NOW, &mut paper).unwrap_err().code(),
            kernel.recall(&hash, &by, NOW, &mut paper).unwrap_err().code(),
            kernel.show(&hash, &by, NOW, &mut paper).unwrap_err().code(),
        ] {
            assert_eq!(code, "kernel.broken", "{room}");
        }
        assert_eq!((paper.tries_after, paper.leaves.len()), (1, paper.log.size() as usize));
    }
}

/// A kernel in which the plan is approved and begun.
fn begun(paper: &mut Paper) -> (Kernel, Hash) {
    let mut kernel = kernel();
    let hash = plan().hash();
    kernel.propose(plan(), Digest([9; 32]), NOW, paper).unwrap();
    for person in ["bert", "cleo"] {
        kernel.show(&hash, &person.into(), NOW, paper).unwrap();
    }
    for person in ["bert", "cleo"] {
        let signed = approval(&kernel, &hash, person, NOW + 60_000);
        kernel.approve(&hash, &signed, 60_000, NOW + 60_000, paper).unwrap();
    }
    kernel.begin(&hash, &|token| token.idempotency(), NOW + 60_000, paper).unwrap();
    (kernel, hash)
}

/// Goes on until nothing but time or a person is waited for; looks are answered with `seen`, calls with `said`, if anything.
fn go(
    kernel: &mut Kernel,
    hash: &Hash,
    paper: &mut Paper,
    time: &mut i64,
    said: Option<Said>,
    seen: Option<bool>,
) -> Order {
    for _ in 0..100 {
        let now = Moment { wall: *time, steady: *time - NOW };
        match kernel.poll(hash, now, paper).unwrap() {
            Order::Do(call) => match said {
                Some(said) => kernel.hear(hash, call.number, Reply::Did(said), now).unwrap(),
                None => *time += 31_000,
            },
            Order::Look(call) => kernel.hear(hash, call.number, Reply::Saw(seen), now).unwrap(),
            Order::Pause(until) => *time = NOW + until,
            order => return order,
        }
    }
    panic!("it does not come to rest");
}

#[test]
fn what_may_have_happened_counts_as_if_it_had() {
    let act = Act { step: 0, undo: false };
    for (said, seen, is_person, counts) in [
        // Nobody answers and nobody can look; it was refused and is not there; it was said to be done and is not there.
        (None, None, true, 1),
        (Some(Said::Refused), Some(false), false, 0),
        (Some(Said::Done), Some(false), false, 0),
    ] {
        let (mut paper, mut time) = (Paper::new(usize::MAX), NOW + 60_000);
        let (mut kernel, hash) = begun(&mut paper);
        assert_eq!(in_force(&kernel), 0);
        // Before the call somebody looks, and sees that it is not there.
        let now = Moment { wall: time, steady: time - NOW };
        let Order::Look(call) = kernel.poll(&hash, now, &mut paper).unwrap() else { panic!() };
        kernel.hear(&hash, call.number, Reply::Saw(Some(false)), now).unwrap();
        assert!(matches!(kernel.poll(&hash, now, &mut paper).unwrap(), Order::Do(_)));
        assert_eq!(in_force(&kernel), 1, "from its start on");
        // The answer to that call was lost; what comes now is that of the next, or none.
        if let (Order::Pause(_), Some(said)) = (kernel.poll(&hash, now, &mut paper).unwrap(), said) {
            kernel.hear(&hash, call.number + 1, Reply::Did(said), now).unwrap();
        }
        let order = go(&mut kernel, &hash, &mut paper, &mut time, said, seen);
        assert_eq!((matches!(order, Order::Person(_)), in_force(&kernel)), (is_person, counts), "{order:?}");
        if is_person {
            kernel.resolve(&hash, act, false, &"bert".into(), time, &mut paper).unwrap();
            let last = paper.leaves.last().unwrap();
            let names = (last.kind.as_str(), last.actor.as_str(), last.accountable.as_str());
            assert_eq!((in_force(&kernel), names), (0, ("outcome", "bert", "anna")));
        }
    }
}

#[test]
fn a_halt_stops_what_it_names() {
    for (scope, stops, tenant) in [
        (json!("everything"), true, "*"),
        (json!({"tenant": "acme"}), true, "acme"),
        (json!({"verb": "disable_account"}), true, "*"),
        (json!({"verb": "isolate_host"}), false, "*"),
        (json!({"machine": "triage"}), false, "*"),
    ] {
        let (mut paper, time) = (Paper::new(usize::MAX), NOW + 60_000);
        let (mut kernel, hash) = begun(&mut paper);
        let halt = Halt {
            scope: serde_json::from_value(scope.clone()).unwrap(),
            by: "anna".into(),
            reason: "r".into(),
            at: NOW,
            drill: false,
            lifting: None,
        };
        kernel.halt(halt, &mut paper).unwrap();
        assert_eq!(paper.leaves.last().unwrap().tenant, tenant, "{scope}");
        let now = Moment { wall: time, steady: time - NOW };
        let Order::Look(call) = kernel.poll(&hash, now, &mut paper).unwrap() else { panic!("{scope}") };
        kernel.hear(&hash, call.number, Reply::Saw(Some(false)), now).unwrap();
        let order = kernel.poll(&hash, now, &mut paper).unwrap();
        assert_eq!(matches!(order, Order::Halted), stops, "{scope} {order:?}");
    }
}

#[test]
fn people_stop_requests_and_time_ends_them() {
    let say = |what: What| {
        let (mut kernel, mut paper) = (kernel(), Paper::new(usize::MAX));
        let hash = plan().hash();
        kernel.propose(plan(), Digest([9; 32]), NOW, &mut paper).unwrap();
        kernel.show(&hash, &"bert".into(), NOW, &mut paper).unwrap();
        let mut signed = approval(&kernel, &hash, "bert", NOW + 60_000);
        signed.statement.what = what;
        let signature = Bytes(pen("bert").sign(&signed.statement.canonical().unwrap()).to_bytes().to_vec());
        signed.proof = Proof::Ed25519 { key: KeyId("bert".to_owned()), signature };
        let at = NOW + 60_000;
        match what {
            What::Deny => kernel.deny(&hash, &signed, at, &mut paper).unwrap(),
            _ => kernel.revoke(&hash, &signed, at, &mut paper).unwrap(),
        }
        let last = paper.leaves.last().unwrap();
        let told = format!("{} by {}, for {}", last.kind.as_str(), last.actor, last.accountable);
        (told, kernel.begin(&hash, &|token| token.idempotency(), at, &mut paper).unwrap_err().code())
    };
    assert_eq!(say(What::Deny), ("approval by bert, for bert".to_owned(), "approvals.denied"));
    assert_eq!(say(What::Revoke), ("revocation by bert, for bert".to_owned(), "approvals.revoked"));
    let (mut kernel, mut paper) = (kernel(), Paper::new(usize::MAX));
    let hash = plan().hash();
    kernel.propose(plan(), Digest([9; 32]), NOW, &mut paper).unwrap();
    let later = NOW + 15 * 60_000;
    assert_eq!(kernel.expire(&hash, later - 1, &mut paper).unwrap_err().code(), "approvals.not_expired");
    kernel.expire(&hash, later, &mut paper).unwrap();
    let last = paper.leaves.last().unwrap();
    assert_eq!((last.actor.as_str(), last.accountable.as_str()), ("kernel", "anna"));
    // Whoever has left does not count, whatever they signed.
    let (mut kernel, _) = begun(&mut paper);
    kernel.set_people(People::new(House::default(), BTreeMap::new()).unwrap());
    let again = serde_json::from_value(with_id("p2")).unwrap();
    kernel.propose(again, Digest([8; 32]), NOW, &mut paper).unwrap();
    let hash = serde_json::from_value::<Plan>(with_id("p2")).unwrap().hash();
    assert_eq!(kernel.show(&hash, &"bert".into(), NOW, &mut paper).unwrap_err().code(), "approvals.person_unknown");
}

fn with_id(id: &str) -> serde_json::Value {
    let mut value = serde_json::to_value(plan()).unwrap();
    value["id"] = id.into();
    value
}

/// Forbids everything.
struct Shut;

impl Policy for Shut {
    fn ask(&self, _: &Request<'_>) -> Answer {
        Answer::Forbid(vec!["all".into()])
    }

    fn hash(&self) -> Hash {
        Hash::of_bytes(self.text().as_bytes())
    }
}

impl Written for Shut {
    fn text(&self) -> String {
        "forbid all".to_owned()
    }
}

#[test]
fn what_is_learnt_and_put_in_force_counts_from_then_on() {
    let (mut kernel, mut paper) = (kernel(), Paper::new(usize::MAX));
    kernel.learn().policy_verified = false;
    let codes = |answer: watchfloor_kernel::Answer| -> Vec<String> {
        answer
            .decision
            .reasons
            .into_iter()
            .map(|reason| reason.code)
            .filter(|code| code.starts_with("policy."))
            .collect()
    };
    let ask = |kernel: &mut Kernel, paper: &mut Paper, id: &str| {
        kernel.propose(serde_json::from_value(with_id(id)).unwrap(), Digest([1; 32]), NOW, paper).unwrap()
    };
    assert_eq!(codes(ask(&mut kernel, &mut paper, "p2")), ["policy.unverified"]);
    kernel.activate(Box::new(Shut), &json!({"number": 1}), &"anna".into(), NOW, &mut paper).unwrap();
    let leaf = paper.leaves.last().unwrap();
    assert_eq!((leaf.kind.as_str(), leaf.actor.as_str(), leaf.detail["number"].as_u64()), ("policy", "anna", Some(1)));
    assert_eq!(codes(ask(&mut kernel, &mut paper, "p3")), ["policy.forbids"]);
    let key = autonomy::Key { tenant: "acme".into(), verb: Verb::Notify, class: "c".into(), tier: Tier::Three };
    kernel.autonomy(autonomy::Record::CoverageMissing { key: key.clone() }, NOW, &mut paper).unwrap();
    assert_eq!(paper.leaves.last().unwrap().kind.as_str(), "demotion");
    assert!(kernel.state().autonomy.cell(&key).is_some());
    // What the kernel has taken and no leaf can hold stops it, as if it could not be written.
    let name = PersonId::from("an\nna");
    let anna = kernel.state().people[&"anna".into()].clone();
    kernel.learn().people.insert(name.clone(), anna);
    let halt = Halt { scope: Scope::Everything, by: name, reason: "r".into(), at: NOW, drill: true, lifting: None };
    let refused = kernel.halt(halt, &mut paper).unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().starts_with("it cannot be recorded: `actor`")),
        ("leaf.name", true)
    );
    assert_eq!(kernel.lift(&Scope::Everything, &"anna".into(), NOW, &mut paper).unwrap_err().code(), "kernel.broken");
}

#[test]
fn a_plan_that_the_gate_denies_is_told_with_what_denies_it() {
    let (mut paper, hash) = (Paper::new(usize::MAX), plan().hash());
    let mut kernel = kernel();
    kernel.propose(plan(), Digest([9; 32]), NOW, &mut paper).unwrap();
    kernel.learn().ledger = false;
    let refused = kernel.begin(&hash, &|token| token.idempotency(), NOW, &mut paper).unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().as_str()),
        ("kernel.denied", "the gate denies it: ledger.unavailable")
    );
}
