//! Keys that stand twice in one object.
//!
//! Small objects use a bitmap of key hashes, large ones are sorted. JSON is looked at while it is read, other formats afterwards:
//! [`note_all`].

use watchfloor_model::{Document, NodeId, Span, Value};

/// Keys of an object that are compared as they come; more are sorted at its end.
const BITMAP_KEYS_MAX: u32 = 96;

/// Notes the keys that stand twice in any object of a document, and forgets what was noted before.
pub(crate) fn note_all(doc: &mut Document) {
    doc.forget_duplicates();
    for id in 0..doc.nodes().len() as NodeId {
        note_in(doc, id);
    }
}

/// Notes the keys that stand twice among the members of an object that is closed.
pub(crate) fn note_in(doc: &mut Document, object: NodeId) {
    let Some(end) = doc.node(object).filter(|node| node.value == Value::Object).map(|node| node.end) else { return };
    if doc.children(object).nth(BITMAP_KEYS_MAX as usize).is_some() {
        return note_sorted(doc, object, doc.duplicates().len());
    }
    let mut seen = Seen::default();
    let mut id = object + 1;
    while let Some(node) = doc.node(id).copied().filter(|_| id < end) {
        if seen.maybe(doc.text(node.key)) && stands_before(doc, object, id, node.key) {
            doc.note_duplicate(node.key);
        }
        id = node.end;
    }
}

/// Whether a key is among the members of an object in front of one of them.
fn stands_before(doc: &Document, object: NodeId, member: NodeId, key: Span) -> bool {
    let key = doc.text(key);
    doc.children(object).take_while(|child| *child < member).any(|child| doc.key(child) == key)
}

/// Hashes of an object's keys: 256 bits.
#[derive(Default)]
pub(crate) struct Seen {
    bits: [u64; 4],
    keys: u32,
}

impl Seen {
    /// The key may have stood before.
    #[inline]
    pub(crate) fn maybe(&mut self, key: &str) -> bool {
        self.keys += 1;
        if self.keys > BITMAP_KEYS_MAX {
            return false;
        }
        let bytes = key.as_bytes();
        let word = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>()) {
            (Some(last), Some(first)) => u64::from_le_bytes(*last) ^ (u64::from(u32::from_le_bytes(*first)) << 16),
            _ => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        let hash = (word ^ bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
        let bit = 1 << (hash & 63);
        let Some(word) = self.bits.get_mut((hash >> 6) as usize) else { return true };
        let hit = *word & bit != 0;
        *word |= bit;
        hit
    }

    /// There were more keys than are compared as they come.
    pub(crate) fn is_full(&self) -> bool {
        self.keys > BITMAP_KEYS_MAX
    }
}

/// Whether a key is among the members of an object that is still open.
pub(crate) fn stood_before(doc: &Document, object: NodeId, key: Span) -> bool {
    let key = doc.text(key);
    let mut id = object + 1;
    while let Some(node) = doc.node(id) {
        if node.key.len as usize == key.len() && doc.text(node.key) == key {
            return true;
        }
        id = node.end;
    }
    false
}

/// Notes the keys of a large object that stand twice. What the bitmap noted of it stands behind the first `since` notes.
pub(crate) fn note_sorted(doc: &mut Document, object: NodeId, since: usize) {
    let mut keys: Vec<Span> = doc.children(object).filter_map(|id| Some(doc.node(id)?.key)).collect();
    keys.sort_by(|a, b| doc.text(*a).cmp(doc.text(*b)));
    let mut known: Vec<u32> = doc.duplicates().iter().skip(since).map(|key| key.start).collect();
    known.sort_unstable();
    let twice = keys.windows(2).filter_map(|pair| match pair {
        [a, b] if doc.text(*a) == doc.text(*b) && known.binary_search(&b.start).is_err() => Some(*b),
        _ => None,
    });
    let twice: Vec<Span> = twice.collect();
    for key in twice {
        doc.note_duplicate(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[&str], expected: &[&str]) {
        let mut doc = Document::new();
        doc.start("");
        let root = doc.open_object("").unwrap();
        for key in keys {
            doc.push_text(key, "v");
        }
        doc.close(root);
        note_all(&mut doc);
        note_all(&mut doc);
        let found: Vec<&str> = doc.duplicates().iter().map(|key| doc.text(*key)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn keys_are_noted_once_however_often_they_are_looked_at() {
        check(&["a", "b"], &[]);
        check(&["a", "b", "a"], &["a"]);
        check(&["", ""], &[""]);
        let many: Vec<String> = (0..200).map(|at| format!("key {at}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(&many, &[]);
        many.push("key 7");
        check(&many, &["key 7"]);
    }
}
