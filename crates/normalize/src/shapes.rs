//! Shapes of records: which keys they have, nested how, with values of which sort.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering};

use watchfloor_model::{Document, Value};

/// Most shapes of records that are remembered; then they are forgotten and learnt anew.
pub(crate) const SHAPES_MAX: usize = 4_096;
/// Most nodes of a record whose shape is looked at.
const SHAPE_NODES_MAX: usize = 512;
/// Longest shape that is remembered, in bytes: names of keys, most of it.
const SHAPE_BYTES_MAX: usize = 8 * 1024;
/// Hashes of shapes that were seen once.
const SEEN: usize = 4_096;

/// Shapes of records: the same keys in the same nesting, with values of the same sort. Where fields stand depends on nothing else, so records of
/// a known shape need no walk. A shape is remembered when it is seen again soon, so that records that are all different cost little.
#[derive(Debug)]
pub struct Shapes {
    key: Vec<u8>,
    known: HashMap<Box<[u8]>, u64, foldhash::fast::FixedState>,
    seen: Vec<u64>,
    next: u64,
    current: Option<u64>,
}

/// Numbers of shapes are never those of another collection of shapes.
static COLLECTIONS: AtomicU32 = AtomicU32::new(0);

impl Default for Shapes {
    fn default() -> Self {
        let next = u64::from(COLLECTIONS.fetch_add(1, Ordering::Relaxed)) << 32;
        Self { key: Vec::new(), known: HashMap::default(), seen: vec![0; SEEN], next, current: None }
    }
}

impl Shapes {
    /// Looks at a record.
    pub fn look(&mut self, doc: &Document) {
        self.current = None;
        if doc.nodes().len() > SHAPE_NODES_MAX {
            return;
        }
        self.key.clear();
        for node in doc.nodes() {
            let sort = match node.value {
                Value::Null => 0,
                Value::Text(span) if span.len == 0 => 0,
                Value::List => 2,
                Value::Object => 3,
                _ => 1,
            };
            // Ends are below 2¹⁰, lengths of keys stand before them: no two shapes write the same.
            self.key.extend_from_slice(&[sort, node.end as u8, (node.end >> 8) as u8]);
            self.key.extend_from_slice(&node.key.len.to_le_bytes());
            self.key.extend_from_slice(doc.text(node.key).as_bytes());
            if self.key.len() > SHAPE_BYTES_MAX {
                return;
            }
        }
        if let Some(known) = self.known.get(self.key.as_slice()) {
            self.current = Some(*known);
            return;
        }
        let hash = foldhash::fast::FixedState::default().hash_one(self.key.as_slice());
        let Some(seen) = self.seen.get_mut(hash as usize % SEEN) else { return };
        if std::mem::replace(seen, hash) != hash {
            return;
        }
        if self.known.len() >= SHAPES_MAX {
            self.known.clear();
        }
        self.next = self.next.wrapping_add(1);
        self.known.insert(self.key.as_slice().into(), self.next);
        self.current = Some(self.next);
    }

    /// The number of the record's shape, if it is remembered.
    pub(crate) fn current(&self) -> Option<u64> {
        self.current
    }

    /// The record is no longer what was looked at.
    pub fn forget(&mut self) {
        self.current = None;
    }
}
