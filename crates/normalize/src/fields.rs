//! Fields of records as slots.
//!
//! Every field path that any mapping of a family reads is a slot. One walk over the record's tape along a trie of keys fills
//! the slots; subtrees that no mapping reads are skipped in one step. A family is either "plain" (paths as they stand in
//! the record) or a names file: then many paths lead to one slot, and the first that stands in the record wins.
//!
//! A list shares its state with its first element, so that `a.b` also means "the first `a`'s `b`".

use std::collections::HashMap;

use watchfloor_model::limits::LIST_ELEMENTS_MAX;
use watchfloor_model::{Document, NodeId, Value};

pub use crate::keys::{KeyId, KeyIds, KeyTable};
use crate::language::syntax::{NamePath, Names};
use crate::shapes::{SHAPES_MAX, Shapes};

/// A field's place among the bound fields of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u16);

type State = u32;

#[derive(Debug, Default)]
struct Place {
    /// Slots that end here, with the rank of this path among the slot's paths: a lower rank wins.
    slots: Vec<(Slot, u16)>,
    any: Option<State>,
    inner: bool,
}

/// The paths of one family.
#[derive(Debug)]
pub struct Trie {
    places: Vec<Place>,
    /// Edges of the root by key: most look-ups are there.
    root: Vec<State>,
    edges: HashMap<u64, State, foldhash::fast::FixedState>,
    /// Tells it from other tries that the same records are bound to.
    pub number: u32,
    /// Slots by the canonical path they were asked for with.
    known: HashMap<Vec<String>, Slot>,
    /// For each slot the first keys of its paths; empty when any key may lead to it.
    roots: Vec<Vec<KeyId>>,
    /// For each slot the state that its own paths begin in, to bind texts that are read as structure.
    ends: Vec<State>,
}

impl Default for Trie {
    fn default() -> Self {
        Self {
            places: vec![Place::default()],
            root: Vec::new(),
            edges: HashMap::default(),
            number: 0,
            known: HashMap::new(),
            roots: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl Trie {
    /// Number of slots.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.roots.len()
    }

    /// The slot of a field path, with the names of a family if there are any.
    pub fn slot(&mut self, keys: &mut KeyTable, names: Option<&Names>, path: &[String]) -> Slot {
        if let Some(slot) = self.known.get(path) {
            return *slot;
        }
        let slot = self.slot_of(keys, names, &[path.to_vec()]);
        self.known.insert(path.to_vec(), slot);
        slot
    }

    /// A new slot for a field that is spelled in several ways, the preferred first.
    pub fn slot_of(&mut self, keys: &mut KeyTable, names: Option<&Names>, spellings: &[Vec<String>]) -> Slot {
        let slot = Slot(self.roots.len() as u16);
        self.roots.push(Vec::new());
        self.ends.push(0);
        for (rank, full) in spellings.iter().flat_map(|path| places_of(names, path)).enumerate() {
            self.add(keys, &full, slot, rank as u16);
        }
        slot
    }

    fn add(&mut self, keys: &mut KeyTable, path: &NamePath, slot: Slot, rank: u16) {
        let mut state: State = 0;
        for (i, step) in path.iter().enumerate() {
            if let Some(place) = self.places.get_mut(state as usize) {
                place.inner = true;
            }
            let key = step.as_ref().map(|key| keys.intern(key));
            if let (0, Some(key), Some(roots)) = (i, key, self.roots.get_mut(usize::from(slot.0))) {
                roots.push(key);
            }
            state = self.step_or_new(state, key);
        }
        if let Some(place) = self.places.get_mut(state as usize) {
            place.slots.push((slot, rank));
        }
        if let Some(end) = self.ends.get_mut(usize::from(slot.0)) {
            *end = state;
        }
    }

    fn step_or_new(&mut self, state: State, key: Option<KeyId>) -> State {
        let new = self.places.len() as State;
        let known = match key {
            Some(key) => self.edges.get(&edge(state, key)).copied(),
            None => self.places.get(state as usize).and_then(|place| place.any),
        };
        if let Some(known) = known {
            return known;
        }
        match key {
            Some(key) => {
                self.edges.insert(edge(state, key), new);
                if state == 0 {
                    let at = key as usize;
                    self.root.resize(self.root.len().max(at + 1), 0);
                    if let Some(place) = self.root.get_mut(at) {
                        *place = new;
                    }
                }
            }
            None => {
                if let Some(place) = self.places.get_mut(state as usize) {
                    place.any = Some(new);
                }
            }
        }
        self.places.push(Place::default());
        new
    }

    /// Where a key leads: by its name, and by `*`.
    fn steps(&self, state: State, key: KeyId) -> [Option<State>; 2] {
        let by_key = match (state, key) {
            (_, 0) => None,
            (0, key) => self.root.get(key as usize).copied().filter(|state| *state != 0),
            _ => self.edges.get(&edge(state, key)).copied(),
        };
        [by_key, self.places.get(state as usize).and_then(|place| place.any)]
    }

    /// Whether a record with these keys at its root can have a value in a slot.
    #[must_use]
    pub fn possible(&self, slot: Slot, root_keys: &[KeyId]) -> bool {
        self.roots.get(usize::from(slot.0)).is_none_or(|roots| roots.iter().any(|key| root_keys.contains(key)))
    }
}

fn edge(state: State, key: KeyId) -> u64 {
    (u64::from(state) << 32) | u64::from(key)
}

/// The paths where a field may stand, the preferred first.
fn places_of(names: Option<&Names>, path: &[String]) -> Vec<NamePath> {
    let plain: NamePath = path.iter().cloned().map(Some).collect();
    let (Some(names), Some((first, rest))) = (names, path.split_first()) else { return vec![plain] };
    // A name may have dots itself: the longest beginning of the path that is a name counts.
    for len in (1..=path.len()).rev() {
        let (head, rest) = path.split_at(len);
        let joined = head.join(".");
        if let Some((_, paths)) = names.fields.iter().find(|(name, _)| *name == joined) {
            return paths.iter().map(|path| followed_by(path.clone(), rest)).collect();
        }
    }
    let mut places = Vec::new();
    for path in &names.others {
        let parent = path.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default();
        let at = |key: &str| followed_by(parent.iter().cloned().chain([Some(key.to_owned())]).collect(), rest);
        places.push(at(first));
        // Wazuh writes the names of event data with a small first letter.
        if parent.last().is_some_and(|key| key.as_deref() == Some("eventdata")) {
            let mut letters = first.chars();
            let small: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
            places.push(at(&small));
        }
    }
    places
}

fn followed_by(head: NamePath, rest: &[String]) -> NamePath {
    head.into_iter().chain(rest.iter().cloned().map(Some)).collect()
}

/// What a record of a shape was bound to by a trie.
#[derive(Debug)]
struct Saved {
    nodes: Box<[(Slot, u16, NodeId)]>,
    root_keys: Box<[KeyId]>,
    more: Box<[(Slot, u16, NodeId)]>,
}

/// Most nodes that are saved for all shapes together.
const SAVED_NODES_MAX: usize = 1 << 20;

/// What a walk along a record needs.
struct Walk<'a> {
    trie: &'a Trie,
    keys: &'a KeyTable,
    ids: &'a mut KeyIds,
    doc: &'a Document,
}

/// Where a record's fields are.
#[derive(Debug, Default)]
pub struct Bound {
    nodes: Vec<NodeId>,
    ranks: Vec<u16>,
    set: Vec<Slot>,
    root_keys: Vec<KeyId>,
    /// Every element of a list is walked, not only the first.
    every: bool,
    /// Nodes of further elements, with their rank.
    more: Vec<(Slot, u16, NodeId)>,
    /// By shape and trie.
    saved: HashMap<(u64, u32), Saved, foldhash::fast::FixedState>,
    /// How many nodes are saved.
    saved_nodes: usize,
    /// A list had more elements than are walked.
    cut: bool,
}

const NONE: NodeId = NodeId::MAX;

impl Bound {
    /// The node in a slot.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<NodeId> {
        self.nodes.get(usize::from(slot.0)).copied().filter(|&node| node != NONE)
    }

    /// One that walks every element of a list: what further elements have is in [`Self::further`].
    #[must_use]
    pub fn of_every_element() -> Self {
        Self { every: true, ..Self::default() }
    }

    /// Whether a list had more elements than are walked.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// What further elements of lists have, by slot.
    pub fn further(&self) -> impl Iterator<Item = (Slot, NodeId)> + '_ {
        let is_of = |slot: Slot, rank: u16| self.ranks.get(usize::from(slot.0)) == Some(&rank);
        self.more.iter().filter(move |(slot, rank, _)| is_of(*slot, *rank)).map(|(slot, _, node)| (*slot, *node))
    }

    /// The slots that have a node.
    #[must_use]
    pub fn filled(&self) -> &[Slot] {
        &self.set
    }

    /// The known keys at the record's root, in order.
    #[must_use]
    pub fn root_keys(&self) -> &[KeyId] {
        &self.root_keys
    }

    /// Binds a whole record, whose shape was looked at.
    pub fn bind(&mut self, trie: &Trie, keys: &KeyTable, ids: &mut KeyIds, doc: &Document, shapes: &Shapes) {
        for slot in self.set.drain(..) {
            if let Some(node) = self.nodes.get_mut(usize::from(slot.0)) {
                *node = NONE;
            }
        }
        self.nodes.resize(trie.slots(), NONE);
        self.ranks.resize(trie.slots(), 0);
        self.root_keys.clear();
        self.more.clear();
        self.cut = false;
        let Some(shape) = shapes.current() else { return self.walk(&mut Walk { trie, keys, ids, doc }, 0, 0) };
        if let Some(saved) = self.saved.get(&(shape, trie.number)) {
            for (slot, rank, node) in &saved.nodes {
                let at = usize::from(slot.0);
                if let (Some(place), Some(known_rank)) = (self.nodes.get_mut(at), self.ranks.get_mut(at)) {
                    (*place, *known_rank) = (*node, *rank);
                    self.set.push(*slot);
                }
            }
            self.root_keys.extend_from_slice(&saved.root_keys);
            self.more.extend_from_slice(&saved.more);
            return;
        }
        self.walk(&mut Walk { trie, keys, ids, doc }, 0, 0);
        let place = |slot: &Slot| {
            let at = usize::from(slot.0);
            Some((*slot, *self.ranks.get(at)?, *self.nodes.get(at)?))
        };
        let saved = Saved {
            nodes: self.set.iter().filter_map(place).collect(),
            root_keys: self.root_keys.as_slice().into(),
            more: self.more.as_slice().into(),
        };
        self.saved_nodes += saved.nodes.len() + saved.more.len();
        if self.saved.len() >= 4 * SHAPES_MAX || self.saved_nodes > SAVED_NODES_MAX {
            self.saved.clear();
            self.saved_nodes = saved.nodes.len() + saved.more.len();
        }
        self.saved.insert((shape, trie.number), saved);
    }

    /// Binds a text of the record that was read as structure: `root` stands where the slot's field stands.
    pub fn bind_embedded(&mut self, trie: &Trie, keys: &KeyTable, doc: &Document, slot: Slot, root: NodeId) {
        let ids = &mut KeyIds::default();
        let state = trie.ends.get(usize::from(slot.0)).copied().unwrap_or(0);
        if let Some(place) = self.nodes.get_mut(usize::from(slot.0)) {
            if *place == NONE {
                self.set.push(slot);
            }
            *place = root;
        }
        self.walk(&mut Walk { trie, keys, ids, doc }, root, state);
    }

    fn walk(&mut self, way: &mut Walk<'_>, parent: NodeId, state: State) {
        let (trie, doc) = (way.trie, way.doc);
        let nodes = doc.nodes();
        let Some(top) = nodes.get(parent as usize) else { return };
        let mut at = parent + 1;
        if top.value == Value::List {
            // The first element stands for the list; the others are reached by walking.
            let mut left = if self.every { LIST_ELEMENTS_MAX } else { 1 };
            while at < top.end && left > 0 {
                self.walk(way, at, state);
                let Some(element) = nodes.get(at as usize) else { return };
                at = element.end;
                left -= 1;
            }
            self.cut |= self.every && at < top.end;
            return;
        }
        if top.value != Value::Object {
            return;
        }
        while at < top.end {
            let Some(node) = nodes.get(at as usize) else { return };
            let key = way.ids.of(way.keys, at, doc.text(node.key));
            if state == 0 && key != 0 {
                self.root_keys.push(key);
            }
            for next in trie.steps(state, key).into_iter().flatten() {
                let Some(place) = trie.places.get(next as usize) else { continue };
                for (slot, rank) in &place.slots {
                    self.fill(doc, *slot, *rank, at);
                }
                if place.inner && node.end > at + 1 {
                    self.walk(way, at, next);
                }
            }
            at = node.end;
        }
    }

    /// The path that stands first in the names file wins, but a plain value beats the object around it: `EventID` may be
    /// `{"#text": 7045, …}` and have its number one step deeper.
    fn fill(&mut self, doc: &Document, slot: Slot, rank: u16, node: NodeId) {
        let at = usize::from(slot.0);
        let (Some(place), Some(known_rank)) = (self.nodes.get_mut(at), self.ranks.get_mut(at)) else { return };
        if *place == NONE {
            self.set.push(slot);
        } else {
            let around =
                doc.node(*place).is_some_and(|known| known.value == Value::Object && known.end > node && *place < node)
                    && doc.node(node).is_some_and(|inner| inner.value != Value::Object);
            if !around && (rank >= *known_rank || is_nothing(doc, node)) && !is_nothing(doc, *place) {
                if self.every && rank == *known_rank {
                    self.more.push((slot, rank, node));
                }
                return;
            }
        }
        *place = node;
        *known_rank = rank;
    }
}

/// Whether a node says nothing: another path's value is better.
fn is_nothing(doc: &Document, node: NodeId) -> bool {
    match doc.node(node).map(|node| node.value) {
        Some(Value::Null) | None => true,
        Some(Value::Text(span)) => span.len == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::parse_names;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    fn document(doc: &mut Document, flat: bool) {
        doc.start("");
        let root = doc.open_object("").unwrap();
        if flat {
            doc.push_int("EventID", 1);
            doc.push_text("Image", "a.exe");
        } else {
            let event = doc.open_object("Event").unwrap();
            let system = doc.open_object("System").unwrap();
            doc.push_int("EventID", 2);
            doc.close(system);
            let data = doc.open_list("EventData").unwrap();
            let element = doc.open_object("").unwrap();
            doc.push_text("Image", "b.exe");
            doc.close(element);
            doc.close(data);
            doc.close(event);
        }
        doc.close(root);
        doc.seal();
    }

    #[test]
    fn one_slot_for_many_paths() {
        let names =
            parse_names("names w\nEventID = Event.System.EventID, EventID\n* = Event.EventData.*, *\n").unwrap();
        let (mut keys, mut trie) = (KeyTable::default(), Trie::default());
        let id = trie.slot(&mut keys, Some(&names), &path("EventID"));
        let image = trie.slot(&mut keys, Some(&names), &path("Image"));
        assert_eq!(trie.slot(&mut keys, Some(&names), &path("Image")), image);
        let (mut bound, mut doc, mut ids) = (Bound::default(), Document::new(), KeyIds::default());
        for (flat, expected) in [(true, "a.exe"), (false, "b.exe"), (true, "a.exe")] {
            document(&mut doc, flat);
            ids.clear();
            let mut shapes = Shapes::default();
            // Bound by walking, and twice by what is remembered of the shape.
            for _ in 0..3 {
                bound.bind(&trie, &keys, &mut ids, &doc, &shapes);
                shapes.look(&doc);
            }
            bound.bind(&trie, &keys, &mut ids, &doc, &shapes);
            assert_eq!(doc.str(bound.get(image).unwrap()), Some(expected));
            assert!(bound.get(id).is_some());
            assert!(trie.possible(id, bound.root_keys()));
        }
        assert!(!trie.possible(id, &[]));
    }
}
