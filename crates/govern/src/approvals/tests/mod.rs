//! A house with people, and what they sign; then one file to each part.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer as _;
use watchfloor_model::ids::PersonId;

use super::*;
use crate::Need;

mod counting;
mod desks;
mod passkeys;
mod people;
mod proofs;
mod race;
mod replays;
mod requests;
mod sequences;
mod stamping;
mod stopping;

/// When requests are opened: any time.
pub const OPENED: i64 = 1_760_000_000_000;
/// When they were shown and looked at for long enough.
pub const LOOKED: i64 = OPENED + 30_000;
pub const REASON: &str = "seen on the host";

pub fn id(name: &str) -> PersonId {
    PersonId::from(name)
}

pub fn set<T>(names: &[&str]) -> BTreeSet<T>
where
    T: Ord + for<'a> From<&'a str>,
{
    names.iter().map(|name| T::from(name)).collect()
}

pub fn ed25519(name: &str) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&Digest::of_bytes(name.as_bytes()).0)
}

pub fn p256(name: &str) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&Digest::of_bytes(name.as_bytes()).0).unwrap()
}

pub fn point_of_p256(key: &p256::ecdsa::SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
}

pub fn point_of_ed25519(key: &ed25519_dalek::SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_bytes().to_vec())
}

/// Ann, Bob, Cyd, Ray, Gus, Tom and Out have an Ed25519 key; Pia has a passkey on P-256, Pod one on Ed25519; Sue has none. Ray asks, Gus granted, Tom holds no role, Out
/// has left.
#[derive(Clone)]
pub struct World {
    pub house: House,
    pub persons: BTreeMap<PersonId, Person>,
    pub stamps: Stamps,
    pub rules: Rules,
}

pub const NAMES: [&str; 10] = ["ann", "bob", "cyd", "gus", "out", "pia", "pod", "ray", "sue", "tom"];

impl World {
    pub fn new() -> Self {
        let relying = Relying { id: "example.org".into(), origins: set(&["https://example.org"]) };
        let sign_in = BTreeMap::from([(KeyId::from("house"), point_of_ed25519(&ed25519("house")))]);
        let persons = NAMES.map(|name| {
            let public = match name {
                "pia" => Some(Public::PasskeyP256(point_of_p256(&p256(name)))),
                "pod" => Some(Public::PasskeyEd25519(point_of_ed25519(&ed25519(name)))),
                "sue" => None,
                _ => Some(Public::Ed25519(point_of_ed25519(&ed25519(name)))),
            };
            let keys = public.map(|public| (KeyId(format!("key-{name}")), Key { public, revoked: false, counter: 0 }));
            let roles = match name {
                "tom" => &["reader"][..],
                "ann" => &["approver", "owner"],
                _ => &["approver"],
            };
            (id(name), Person { active: name != "out", roles: set(roles), keys: keys.into_iter().collect() })
        });
        Self {
            house: House { relying, sign_in },
            persons: persons.into_iter().collect(),
            stamps: Stamps::default(),
            rules: Rules::default(),
        }
    }

    pub fn people(&self) -> People {
        People::new(self.house.clone(), self.persons.clone()).unwrap()
    }

    pub fn person(&mut self, name: &str) -> &mut Person {
        self.persons.get_mut(&id(name)).unwrap()
    }

    pub fn key(&mut self, name: &str) -> &mut Key {
        self.person(name).keys.values_mut().next().unwrap()
    }

    /// Does something at a time.
    pub fn at<T>(&self, now: i64, work: impl FnOnce(&Moment<'_>) -> T) -> T {
        work(&Moment { people: &self.people(), stamps: &self.stamps, rules: &self.rules, now })
    }
}

pub fn need(people: u8, roles: &[&str]) -> Need {
    Need { people, roles: set(roles) }
}

pub fn ask(people: u8, roles: &[&str]) -> Ask {
    Ask {
        request: RequestId::from("r-1"),
        tenant: "t".into(),
        matter: Matter::Plan(Digest::of_bytes(b"plan")),
        decision: Digest::of_bytes(b"decision"),
        shown: Digest::of_bytes(b"shown"),
        nonce: Digest::of_bytes(b"nonce"),
        need: need(people, roles),
        role: ROLE_APPROVER.into(),
        requester: Actor::Person { person: id("ray") },
        grantors: set(&["gus"]),
        lifetime_ms: LIFETIME_MS,
    }
}

/// A request, shown to everyone when it was opened.
pub fn open(ask: Ask) -> Request {
    let mut request = Request::opened(&Request::handle_open(ask, OPENED).unwrap()).unwrap();
    let people = World::new().people();
    for name in NAMES.iter().filter(|name| **name != "out") {
        let shown = request.ask().shown;
        let record = request.handle_show(&id(name), &shown, &people, OPENED).unwrap();
        request.apply(&record).unwrap();
    }
    request
}

pub fn statement(request: &Request, name: &str, what: What, time: i64) -> Statement {
    let ask = request.ask();
    Statement {
        what,
        request: ask.request.clone(),
        nonce: ask.nonce,
        plan: *ask.matter.plan(),
        decision: ask.decision,
        shown: ask.shown,
        person: id(name),
        reason: REASON.into(),
        time,
    }
}

/// Signs with what the person has.
pub fn sign(statement: Statement) -> Signed {
    let name = statement.person.as_str().to_owned();
    let proof = match &name[..] {
        "pia" | "pod" => Proof::Passkey(Answer::to(&statement).of(&name)),
        "sue" => Proof::SignIn(sign_in(&statement, statement.time)),
        _ => Proof::Ed25519 {
            key: KeyId(format!("key-{name}")),
            signature: Bytes(ed25519(&name).sign(&statement.canonical().unwrap()).to_bytes().to_vec()),
        },
    };
    Signed { statement, proof }
}

pub fn sign_in(statement: &Statement, at: i64) -> SignIn {
    let mut sign_in =
        SignIn { key: "house".into(), at, method: "password and code".into(), signature: Bytes::default() };
    let bytes = sign_in.canonical(&statement.person, statement.digest().unwrap()).unwrap();
    sign_in.signature = Bytes(ed25519("house").sign(&bytes).to_bytes().to_vec());
    sign_in
}

pub fn signed(request: &Request, name: &str, what: What, time: i64) -> Signed {
    sign(statement(request, name, what, time))
}

/// What an authenticator and a browser make of a challenge; each part can be another one.
#[derive(Clone)]
pub struct Answer {
    pub client_data: String,
    pub party: Digest,
    pub flags: u8,
    pub counter: u32,
    pub tail: Vec<u8>,
}

impl Answer {
    pub fn to(statement: &Statement) -> Self {
        Self::to_challenge(statement.digest().unwrap())
    }

    pub fn to_challenge(challenge: Digest) -> Self {
        let challenge = URL_SAFE_NO_PAD.encode(challenge.0);
        Self {
            client_data: format!(
                "{{\"type\":\"webauthn.get\",\"challenge\":\"{challenge}\",\"origin\":\"https://example.org\",\"crossOrigin\":false}}"
            ),
            party: Digest::of_bytes(b"example.org"),
            flags: 5,
            counter: 0,
            tail: Vec::new(),
        }
    }

    pub fn authenticator_data(&self) -> Vec<u8> {
        [&self.party.0[..], &[self.flags], &self.counter.to_be_bytes(), &self.tail].concat()
    }

    pub fn of(&self, name: &str) -> Assertion {
        let data = self.authenticator_data();
        let bytes = [&data[..], &Digest::of_bytes(self.client_data.as_bytes()).0].concat();
        let signature = if name == "pod" {
            ed25519(name).sign(&bytes).to_bytes().to_vec()
        } else {
            let signature: p256::ecdsa::Signature = p256(name).sign(&bytes);
            signature.to_der().as_bytes().to_vec()
        };
        Assertion {
            key: KeyId(format!("key-{name}")),
            authenticator_data: Bytes(data),
            client_data: Bytes(self.client_data.clone().into_bytes()),
            signature: Bytes(signature),
        }
    }
}

/// Approves, and applies it.
pub fn approve(request: &mut Request, world: &mut World, name: &str, now: i64) -> Result<Record, Refusal> {
    let signed = signed(request, name, What::Approve, now);
    let record = world.at(now, |moment| request.handle_approve(&signed, i64::MAX, moment))?;
    request.apply(&record).unwrap();
    Ok(record)
}

pub fn take(request: &Request, world: &World, now: i64) -> Result<Record, Refusal> {
    world.at(now, |moment| request.handle_take(request.ask().matter.plan(), &need(0, &[]), moment))
}

/// Names of those who are counted, or why nothing can be taken.
pub fn taken(request: &Request, world: &World, now: i64) -> Result<Vec<String>, Refusal> {
    let Happened::Taken(taken) = take(request, world, now)?.what else { panic!("not taken") };
    Ok(taken.people.into_iter().map(|person| person.0).collect())
}
