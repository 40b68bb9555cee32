//! Keys of records as numbers.

use std::collections::HashMap;

use watchfloor_model::NodeId;

/// Number of a key; 0 is every key that no mapping names.
pub type KeyId = u32;

/// All keys that any mapping names.
#[derive(Debug, Default)]
pub struct KeyTable {
    ids: HashMap<Box<str>, KeyId, foldhash::fast::FixedState>,
    names: Vec<Box<str>>,
}

impl KeyTable {
    pub(crate) fn intern(&mut self, key: &str) -> KeyId {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        if self.names.is_empty() {
            self.names.push("".into());
        }
        let id = self.names.len() as KeyId;
        self.names.push(key.into());
        self.ids.insert(key.into(), id);
        id
    }

    /// The number of a key. `guess` is tried first: records of one source repeat their keys in order.
    fn id(&self, key: &str, guess: KeyId) -> KeyId {
        if guess != 0 && self.names.get(guess as usize).is_some_and(|name| &**name == key) {
            return guess;
        }
        self.ids.get(key).copied().unwrap_or(0)
    }
}

/// The numbers of a record's keys: looked up once, whichever families the record is bound for.
#[derive(Debug, Default)]
pub struct KeyIds {
    ids: Vec<KeyId>,
    guesses: Vec<KeyId>,
}

/// A key that was not looked up yet.
const UNSEEN: KeyId = KeyId::MAX;

impl KeyIds {
    /// Forgets the last record's keys.
    pub fn clear(&mut self) {
        std::mem::swap(&mut self.ids, &mut self.guesses);
        self.ids.clear();
    }

    /// The number of a node's key, guessed from what stood at the same place of the record before.
    pub(crate) fn of(&mut self, keys: &KeyTable, node: NodeId, key: &str) -> KeyId {
        let at = node as usize;
        if let Some(known) = self.ids.get(at).copied().filter(|id| *id != UNSEEN) {
            return known;
        }
        let guess = self.guesses.get(at).copied().filter(|id| *id != UNSEEN).unwrap_or(0);
        let id = keys.id(key, guess);
        if at >= self.ids.len() {
            self.ids.resize(at + 1, UNSEEN);
        }
        if let Some(place) = self.ids.get_mut(at) {
            *place = id;
        }
        id
    }
}
