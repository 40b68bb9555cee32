//! How a simulated world begins: a small house, its people, and some plans.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signer as _, SigningKey};

use watchfloor_govern::approvals::{
    Actor, Ask, Bytes, Digest, House, Key, KeyId, LIFETIME_MS, Matter, Moment, People, Person as Signer, Proof, Public,
    ROLE_APPROVER, Request, RequestId, Rules, Signed, Stamps, Statement, Ticket, What,
};
use watchfloor_govern::inventory::{Asset, Parts};
use watchfloor_govern::plan::{Action, Hash, Plan, Principal, Value};
use watchfloor_govern::policy::{Answer, Policy, Request as Asked};
use watchfloor_govern::state::{Effect, Evidence, Person, State, StateParts, TenantParts, Trust};
use watchfloor_govern::{ApprovedPlan, Decision, Limit, Need, Refused, decide};
use watchfloor_model::action::{Idempotency, Kind, Sort, Tier, Verb};
use watchfloor_model::ids::{PersonId, TenantId};

use super::outside::{Manners, Outside};
use super::{Chaos, KEY, MINUTE, Random, Running, Survived, Waits, World};

/// 2026-03-02T12:00:00Z.
const BEGIN: i64 = 1_772_452_800_000;

/// A policy that permits: what is tried here is how plans are carried out.
struct Permits;

impl Policy for Permits {
    fn ask(&self, _: &Asked<'_>) -> Answer {
        Answer::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash([0; 32])
    }
}

pub(super) fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let (mut state, mut outside, mut survived) = (state(), Outside::default(), Survived::default());
    let mut plans = Vec::new();
    for number in 0..1 + random.below(4) {
        let plan = plan(number, &mut random);
        let names: &[&str] = if random.once_in(8) { &["b1"] } else { &["b1", "b2"] };
        let Ok(approved) = approve(plan, names, &mut state) else {
            survived.refused += 1;
            continue;
        };
        survived.plans += 1;
        for token in approved.tokens().iter().filter(|token| token.verb.row().touches) {
            if random.once_in(12) {
                outside.is_done_by_others(token.verb, &token.target);
            }
        }
        let weaker = |held: Idempotency, random: &mut Random| match random.below(4) {
            0 => held.max(Idempotency::None),
            1 => held.max(Idempotency::Queryable),
            _ => held,
        };
        let declared = approved.tokens().iter().map(|token| weaker(token.idempotency(), &mut random)).collect();
        let manners = approved.tokens().iter().map(|_| Manners::of(&mut random)).collect();
        let sealed = approved.seal(KEY);
        plans.push(Running { sealed, declared, manners, log: Vec::new(), saga: None, waits: Waits::Nothing });
    }
    made(random, Chaos::Everything, outside, plans, survived)
}

fn made(random: Random, chaos: Chaos, mut outside: Outside, plans: Vec<Running>, survived: Survived) -> World {
    for verb in Verb::ALL.iter().filter(|verb| verb.row().inverse.is_some()) {
        outside.is_done_by_others(*verb, &done_before(*verb).target);
    }
    World {
        random,
        chaos,
        writes: 0,
        time: 0,
        started: 0,
        starts: 0,
        wall: BEGIN,
        halted: false,
        outside,
        plans,
        post: BTreeMap::new(),
        posted: 0,
        survived,
    }
}

/// A world with one plan: a verb between two others, by systems that do what they say, unless something goes wrong.
pub(super) fn with(verb: Verb, declared: Idempotency, chaos: Chaos) -> World {
    let (mut random, mut state) = (Random(verb as u64), state());
    let actions =
        [(Verb::BlockDomain, 2), (verb, if verb.row().undoes { 1 } else { 3 }), (Verb::OpenTicket, 2)].into_iter();
    let actions = actions.map(|(verb, number)| action(verb, number, &mut random));
    let plan = Plan { actions: actions.collect(), ..plan(0, &mut random) };
    let mut survived = Survived { plans: 1, ..Survived::default() };
    let mut plans = Vec::new();
    match approve(plan, &["b1", "b2"], &mut state) {
        Ok(approved) => {
            let declared = approved.tokens().iter().map(|token| token.idempotency().max(declared)).collect();
            let manners = approved.tokens().iter().map(|_| Manners::Honest).collect();
            let sealed = approved.seal(KEY);
            plans.push(Running { sealed, declared, manners, log: Vec::new(), saga: None, waits: Waits::Nothing });
        }
        Err(refused) => survived.findings.push(format!("{}: {refused:?}", verb.name())),
    }
    made(random, chaos, Outside::default(), plans, survived)
}

/// Asks the gate, lets people sign if it asks for them, and takes what they agreed to.
fn approve(plan: Plan, names: &[&str], state: &mut State) -> Result<ApprovedPlan, Refused> {
    let asked = decide(&plan, state, &Permits, &[], BEGIN - MINUTE);
    let ticket = match &asked.limit {
        Limit::People(need) => ticket(&asked, need, names),
        Limit::Allow | Limit::Deny => None,
    };
    ApprovedPlan::new(plan, ticket, state, &Permits, &[], BEGIN)
}

/// People who have seen a decision sign it; what fewer than it takes have signed comes to nothing.
fn ticket(asked: &Decision, need: &Need, names: &[&str]) -> Option<Ticket> {
    let pen = |name: &str| SigningKey::from_bytes(&Hash::of(&name).0);
    let person = |name: &&str| {
        let public = Public::Ed25519(Bytes(pen(name).verifying_key().to_bytes().to_vec()));
        let keys = [(KeyId("key".to_owned()), Key { public, revoked: false, counter: 0 })].into();
        (PersonId::from(*name), Signer { active: true, roles: [ROLE_APPROVER.to_owned()].into(), keys })
    };
    let people = People::new(House::default(), names.iter().map(person).collect()).ok()?;
    let (shown, nonce) = (Digest([3; 32]), Digest([4; 32]));
    let ask = Ask {
        request: RequestId("r".to_owned()),
        tenant: "t".into(),
        matter: Matter::Plan(Digest(asked.plan_hash.0)),
        decision: Digest(asked.hash().0),
        shown,
        nonce,
        need: need.clone(),
        role: ROLE_APPROVER.to_owned(),
        requester: Actor::Person { person: "anna".into() },
        grantors: asked.grantors.clone(),
        lifetime_ms: LIFETIME_MS,
    };
    let mut request = Request::opened(&Request::handle_open(ask.clone(), asked.at).ok()?).ok()?;
    for name in names {
        request.apply(&request.handle_show(&(*name).into(), &shown, &people, asked.at).ok()?).ok()?;
    }
    let (stamps, rules) = (Stamps::default(), Rules::default());
    let moment = Moment { people: &people, stamps: &stamps, rules: &rules, now: BEGIN };
    for name in names {
        let statement = Statement {
            what: What::Approve,
            request: ask.request.clone(),
            nonce,
            plan: *ask.matter.plan(),
            decision: ask.decision,
            shown,
            person: (*name).into(),
            reason: "looked at the host".to_owned(),
            time: BEGIN,
        };
        let signature = Bytes(pen(name).sign(&statement.canonical()?).to_bytes().to_vec());
        let signed = Signed { statement, proof: Proof::Ed25519 { key: KeyId("key".to_owned()), signature } };
        request.apply(&request.handle_approve(&signed, MINUTE, &moment).ok()?).ok()?;
    }
    let record = request.handle_take(ask.matter.plan(), need, &moment).ok()?;
    request.take(&record).ok()
}

/// What was done before the world began, by somebody.
fn done_before(verb: Verb) -> Effect {
    let target = action(verb, 1, &mut Random(0)).target;
    Effect { verb, target: target.as_str().into(), asset: None }
}

fn state() -> State {
    let tenant: TenantId = "t".into();
    let asset = |name: String, tier: Tier| Asset { name, tier, ..Asset::default() };
    let some = |name: &str| -> Vec<Asset> {
        Tier::ALL.into_iter().map(|tier| asset(format!("{name}-{}", u8::from(tier)), tier)).collect()
    };
    let assets = [(Kind::Host, some("host")), (Kind::Account, some("account"))].into();
    let person = || Person { active: true, roles: BTreeSet::new(), tenants: [tenant.clone()].into() };
    let evidence = Evidence {
        tenant: tenant.clone(),
        case: "c".into(),
        source: "edr".to_owned(),
        trust: Trust::Attested,
        instructs: false,
        soothes: false,
    };
    // Of each kind there is something that was done before, and can be undone.
    let effects = Verb::ALL.iter().filter(|verb| verb.row().inverse.is_some()).map(|verb| done_before(*verb)).collect();
    let tenant_parts =
        TenantParts { inventory: Parts { assets, ..Parts::default() }, effects, ..TenantParts::default() };
    let parts = StateParts {
        ledger: true,
        policy_verified: true,
        people: [("anna".into(), person()), ("b1".into(), person()), ("b2".into(), person())].into(),
        tenants: [(tenant.clone(), tenant_parts)].into(),
        evidence: [("e".into(), evidence)].into(),
        ..StateParts::default()
    };
    State::new(parts).0
}

fn plan(number: usize, random: &mut Random) -> Plan {
    let mut actions = Vec::new();
    for _ in 0..1 + random.below(4) {
        let verb = Verb::ALL.get(random.below(Verb::ALL.len())).copied().unwrap_or(Verb::Notify);
        actions.push(action(verb, random.below(4), random));
    }
    Plan {
        id: format!("plan-{number}").as_str().into(),
        tenant: "t".into(),
        requester: Principal::Person("anna".into()),
        alert_class: "simulated".into(),
        case: Some("c".into()),
        actions,
        evidence: vec!["e".into()],
        reason: String::new(),
    }
}

/// A verb done to something of some number.
fn action(verb: Verb, number: usize, random: &mut Random) -> Action {
    let row = verb.row();
    let name = match row.kind {
        Kind::Host => format!("host-{number}"),
        Kind::Account => format!("account-{number}"),
        Kind::Address => format!("203.0.113.{number}"),
        Kind::Domain => format!("evil-{number}.example"),
        Kind::Hash => format!("{number:064x}"),
        Kind::File | Kind::Process => format!("host-{number}/1"),
        Kind::Message | Kind::MailboxRule => format!("account-{number}/1"),
        Kind::Ticket | Kind::Recipient | Kind::Case => number.to_string(),
    };
    let value = |sort: Sort| match sort {
        Sort::Choice(words) => Value::Text(words.first().copied().unwrap_or_default().to_owned()),
        Sort::Number(from, _) => Value::Number(from),
        Sort::Text(_) => Value::Text("text".to_owned()),
        Sort::Flag => Value::Flag(true),
    };
    let needed = row.parameters.iter().filter(|parameter| parameter.needed);
    let parameters = needed.map(|parameter| (parameter.name.to_owned(), value(parameter.sort))).collect();
    let lease = (row.lease_max > 0).then(|| 30 + random.below(7_200) as u32);
    Action { verb: verb.name().to_owned(), target: format!("{}:{name}", row.kind.name()), parameters, lease }
}
