//! The fields of a record and the kinds of their values, whatever the values are.
//!
//! A record has few fields, a source few shapes. The fields are walked as hashes of their paths; names are made only for a shape that
//! the worker has not met. Elements of lists share one path, `a[].b`.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use watchfloor_model::{NodeId, Value};

use super::{FIELDS_PER_RECORD_MAX, SHAPES_KNOWN_MAX};
use crate::run::Machine;

/// Kinds of values, as bits, with the words the report uses.
pub(super) const KINDS: [(u8, &str); 5] =
    [(TEXT, "text"), (NUMBER, "number"), (BOOL, "bool"), (LIST, "list"), (OBJECT, "object")];
const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const BOOL: u8 = 4;
const LIST: u8 = 8;
const OBJECT: u8 = 16;

/// One field of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) id: u64,
    /// [`KINDS`] of its values.
    pub(super) kinds: u8,
    pub(super) name: Arc<str>,
}

/// The fields that have a value in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) fields: Vec<Field>,
}

/// What one walk over a record found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values {
    /// Values that are not lists, objects or nothing.
    pub(super) all: u32,
    /// Those that no statement used.
    pub(super) unused: u32,
}

/// Shapes a worker knows.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: HashMap<u64, Arc<Shape>, foldhash::fast::FixedState>,
    found: Vec<(u64, u8)>,
    hasher: foldhash::fast::FixedState,
}

impl Shapes {
    /// The shape of the machine's record, and how many of its values were used.
    pub(super) fn of(&mut self, machine: &Machine<'_>) -> (Arc<Shape>, Values) {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let mut walk =
            Walk { machine, hasher: &self.hasher, found: &mut found, names: None, values: Values::default() };
        walk.value(0, 0, false);
        let values = walk.values;
        merge(&mut found);
        let key = self.hasher.hash_one(&found);
        let shape = self.known.get(&key).cloned().unwrap_or_else(|| self.learn(machine, key, &found));
        self.found = found;
        (shape, values)
    }

    fn learn(&mut self, machine: &Machine<'_>, key: u64, found: &[(u64, u8)]) -> Arc<Shape> {
        let mut names = HashMap::default();
        let mut again = Vec::new();
        let mut walk = Walk {
            machine,
            hasher: &self.hasher,
            found: &mut again,
            names: Some((String::new(), &mut names)),
            values: Values::default(),
        };
        walk.value(0, 0, false);
        let named = |(id, kinds): &(u64, u8)| Some(Field { id: *id, kinds: *kinds, name: Arc::clone(names.get(id)?) });
        let shape = Arc::new(Shape { fields: found.iter().filter_map(named).collect() });
        if self.known.len() >= SHAPES_KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(key, Arc::clone(&shape));
        shape
    }
}

/// Sorts fields and joins the kinds of those met more than once.
fn merge(found: &mut Vec<(u64, u8)>) {
    found.sort_unstable();
    found.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 |= later.1;
        }
        same
    });
}

struct Walk<'a, 'l> {
    machine: &'a Machine<'l>,
    hasher: &'a foldhash::fast::FixedState,
    found: &'a mut Vec<(u64, u8)>,
    /// The path so far, and names by hash.
    names: Option<(String, &'a mut HashMap<u64, Arc<str>>)>,
    values: Values,
}

impl Walk<'_, '_> {
    fn value(&mut self, node: NodeId, path: u64, used: bool) {
        let doc = &self.machine.doc;
        let Some(value) = doc.node(node).map(|node| node.value) else { return };
        let used = used || self.machine.used.get(node as usize).copied().unwrap_or(true);
        match value {
            Value::Null => {}
            Value::Object => {
                self.note(path, OBJECT);
                for child in doc.children(node) {
                    let key = doc.key(child);
                    self.step(child, self.hasher.hash_one((path, key)), ".", key, used);
                }
            }
            Value::List => {
                self.note(path, LIST);
                for child in doc.children(node) {
                    self.step(child, self.hasher.hash_one((path, "[]", 0_u8)), "", "[]", used);
                }
            }
            Value::Text(span) => {
                let root = self.machine.structure_of(node);
                if root != node {
                    return self.value(root, path, used);
                }
                let text = doc.text(span);
                if !text.is_empty() && !self.machine.absent.iter().any(|absent| **absent == *text) {
                    self.leaf(path, TEXT, used);
                }
            }
            Value::Bool(_) => self.leaf(path, BOOL, used),
            Value::Int(_) | Value::Float(_) | Value::Number(_) => self.leaf(path, NUMBER, used),
        }
    }

    fn step(&mut self, child: NodeId, path: u64, dot: &str, key: &str, used: bool) {
        let before = self.names.as_mut().map(|(name, _)| {
            let before = name.len();
            if before > 0 {
                name.push_str(dot);
            }
            name.push_str(key);
            before
        });
        self.value(child, path, used);
        if let (Some((name, _)), Some(before)) = (self.names.as_mut(), before) {
            name.truncate(before);
        }
    }

    fn leaf(&mut self, path: u64, kind: u8, used: bool) {
        self.values.all += 1;
        self.values.unused += u32::from(!used);
        self.note(path, kind);
    }

    fn note(&mut self, path: u64, kind: u8) {
        // The root has no name. A list of ten thousand elements is one field, but is noted ten thousand times until they are merged.
        if path == 0 {
            return;
        }
        if self.found.len() >= FIELDS_PER_RECORD_MAX {
            merge(self.found);
            if self.found.len() >= FIELDS_PER_RECORD_MAX {
                return;
            }
        }
        self.found.push((path, kind));
        if let Some((name, names)) = &mut self.names {
            names.entry(path).or_insert_with(|| Arc::from(name.as_str()));
        }
    }
}
