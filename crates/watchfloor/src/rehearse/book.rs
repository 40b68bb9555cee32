//! What a rehearsal has besides the kernel: policies that are owned, keys that are made up, a ledger, and the other side of the connectors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha256};
use watchfloor_govern::approvals::{Bytes, House, Key, KeyId, People, Person, Public};
use watchfloor_govern::plan::Hash;
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_kernel::{Journal, NotWritten, Written};
use watchfloor_ledger::Draft;
use watchfloor_model::ids::PersonId;
use watchfloor_policy::Policies;
use watchfloor_respond::{Call, Order, Reply};
use watchfloor_store::{Folder, LedgerFiles};

use super::script::Connector;
use crate::decide::Book;

/// Policies of a rehearsal.
pub struct Owned(pub Policies);

impl Policy for Owned {
    fn ask(&self, request: &Request<'_>) -> Answer {
        Book::of(&self.0).ask(request)
    }

    fn hash(&self) -> Hash {
        Hash(self.0.hash().0)
    }
}

impl Written for Owned {
    fn text(&self) -> String {
        self.0.canonical_text()
    }
}

/// The key of a person, which is made of their name: a rehearsal proves nothing about who sat there.
pub fn pen(person: &PersonId) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(format!("watchfloor rehearsal {person}")).into())
}

pub fn key_id(person: &PersonId) -> KeyId {
    KeyId(format!("key-of-{person}"))
}

/// People with their keys.
pub fn people(roles: &BTreeMap<PersonId, BTreeSet<String>>) -> anyhow::Result<People> {
    let person = |(id, roles): (&PersonId, &BTreeSet<String>)| {
        let public = Public::Ed25519(Bytes(pen(id).verifying_key().to_bytes().to_vec()));
        let keys = [(key_id(id), Key { public, revoked: false, counter: 0 })].into();
        (id.clone(), Person { active: true, roles: roles.clone(), keys })
    };
    People::new(House::default(), roles.iter().map(person).collect())
        .map_err(|refusal| anyhow::anyhow!("people: {refusal} ({})", refusal.code()))
}

/// Where the leaves of a rehearsal go: a ledger in a folder, or nowhere.
pub struct Ledger {
    files: Option<LedgerFiles<Folder>>,
    /// Whether it takes leaves.
    pub is_reachable: bool,
    /// How many were written.
    pub leaves: u64,
}

impl Ledger {
    pub fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        let files = folder.map(|folder| crate::audit::open(folder, &[])).transpose()?;
        Ok(Self { files, is_reachable: true, leaves: 0 })
    }
}

impl Journal for Ledger {
    fn write(&mut self, pieces: &BTreeMap<Hash, Vec<u8>>, leaves: &[Draft]) -> Result<u64, NotWritten> {
        if !self.is_reachable {
            return Err(NotWritten { code: "ledger.unreachable", text: "the script says so".to_owned() });
        }
        let first = match &self.files {
            None => self.leaves,
            Some(files) => {
                let pieces: Vec<&[u8]> = pieces.values().map(Vec::as_slice).collect();
                let written = files.keep(&pieces).and_then(|_| files.append_all(leaves));
                written.map_err(|error| NotWritten { code: error.code(), text: error.to_string() })?.start
            }
        };
        self.leaves += leaves.len() as u64;
        Ok(first)
    }
}

/// The other side of the connectors of one plan.
#[derive(Default)]
pub struct Outside {
    connector: Connector,
    /// Steps whose effect is there.
    there: BTreeSet<usize>,
    calls: u64,
}

impl Outside {
    pub fn new(connector: Connector) -> Self {
        Self { connector, ..Self::default() }
    }

    /// What comes back when it is called or asked; nothing, if it is silent.
    pub fn reply(&mut self, order: &Order) -> Option<(u64, Reply)> {
        use watchfloor_respond::Answer::{Done, Refused};
        let (call, reply): (&Call, Reply) = match order {
            Order::Do(call) => {
                self.calls += 1;
                match self.connector {
                    Connector::Works | Connector::Blind => {
                        if call.act.undo {
                            self.there.remove(&call.act.step);
                        } else {
                            self.there.insert(call.act.step);
                        }
                        (call, Reply::Did(Done))
                    }
                    Connector::Lies => (call, Reply::Did(Done)),
                    Connector::Refuses => (call, Reply::Did(Refused)),
                    Connector::Silent => return None,
                }
            }
            Order::Look(call) => match self.connector {
                Connector::Blind => (call, Reply::CannotLook),
                Connector::Silent => return None,
                _ => (call, Reply::Saw(Some(self.there.contains(&call.act.step)))),
            },
            _ => return None,
        };
        Some((call.number, reply))
    }

    /// How often it was called, and how many effects are there.
    pub fn shown(&self) -> (u64, usize) {
        (self.calls, self.there.len())
    }
}
