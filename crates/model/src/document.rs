//! One decoded record as a flat tape.
//!
//! A [`Document`] is a list of nodes in preorder and one text buffer. The buffer begins with the record's own bytes, so that
//! most keys and texts are spans into the record and nothing is copied; texts that had escapes, or that were computed, stand
//! behind it. A node knows where its subtree ends, so skipping is one step. Both buffers are reused from record to record:
//! decoding allocates nothing once they have grown.
//!
//! Node 0 is the root, always an object or a list. Members of an object have keys, elements of a list have empty ones.

use crate::limits::{DEPTH_MAX, NODES_MAX};

/// Index of a node on the tape.
pub type NodeId = u32;

/// A piece of a document's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

/// A node's value. Lists and objects own the nodes up to [`Node::end`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// JSON `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A number with a fraction or exponent.
    Float(f64),
    /// A number that neither fits 64 bits nor is a float: its exact text.
    Number(Span),
    /// Text.
    Text(Span),
    /// A list.
    List,
    /// An object.
    Object,
}

/// One value on the tape.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The member's name; empty in a list and at the root.
    pub key: Span,
    /// The value.
    pub value: Value,
    /// Index behind the last node of this subtree.
    pub end: NodeId,
}

/// Why a document could not take one more node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Deeper than [`DEPTH_MAX`].
    Depth,
    /// More nodes than [`NODES_MAX`].
    Nodes,
}

/// One decoded record.
#[derive(Debug, Default)]
pub struct Document {
    nodes: Vec<Node>,
    text: String,
    raw_len: usize,
    base: usize,
    depth: usize,
    full: Option<Full>,
    duplicates: Vec<Span>,
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a record: the text buffer becomes the record, the tape is empty. While the caller keeps `raw` where it is,
    /// keys and texts that are slices of it are stored as spans; [`Document::seal`] ends that.
    pub fn start(&mut self, raw: &str) {
        self.nodes.clear();
        self.text.clear();
        self.text.push_str(raw);
        self.raw_len = raw.len();
        self.base = raw.as_ptr() as usize;
        self.depth = 0;
        self.full = None;
        self.duplicates.clear();
    }

    /// Empties the tape but keeps the record and its text, to decode it again another way.
    pub fn restart(&mut self) {
        self.nodes.clear();
        self.text.truncate(self.raw_len);
        self.depth = 0;
        self.full = None;
        self.duplicates.clear();
    }

    /// Ends decoding: from here on every text that comes in is copied.
    pub fn seal(&mut self) {
        self.base = usize::MAX;
    }

    /// The record's text.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.text.get(..self.raw_len).unwrap_or_default()
    }

    /// The text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.text.get(start..start + span.len as usize).unwrap_or_default()
    }

    /// The record's text and behind it all texts that are not pieces of it.
    #[must_use]
    pub fn all_text(&self) -> &str {
        &self.text
    }

    /// All nodes in preorder.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// A node's key.
    #[must_use]
    pub fn key(&self, id: NodeId) -> &str {
        self.node(id).map_or("", |node| self.text(node.key))
    }

    /// A node's text, if it is a text.
    #[must_use]
    pub fn str(&self, id: NodeId) -> Option<&str> {
        match self.node(id)?.value {
            Value::Text(span) => Some(self.text(span)),
            _ => None,
        }
    }

    /// The children of a list or object.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(id).map_or(0, |node| node.end);
        let mut next = id + 1;
        std::iter::from_fn(move || {
            let here = next;
            if here >= end {
                return None;
            }
            next = self.node(here)?.end;
            Some(here)
        })
    }

    /// The child of an object with this key (the first of several).
    #[must_use]
    pub fn child(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.children(id).find(|&child| self.key(child) == key)
    }

    /// Why a node was refused, if one was.
    #[must_use]
    pub fn full(&self) -> Option<Full> {
        self.full
    }

    /// Keys that stood twice in one object, as the decoder saw them.
    #[must_use]
    pub fn duplicates(&self) -> &[Span] {
        &self.duplicates
    }

    /// Notes that a key stood twice in one object.
    pub fn note_duplicate(&mut self, key: Span) {
        self.duplicates.push(key);
    }

    /// Forgets which keys stood twice, to look again.
    pub fn forget_duplicates(&mut self) {
        self.duplicates.clear();
    }

    /// Keeps a text: as a span of the record where it is a slice of it, copied otherwise.
    pub fn keep(&mut self, text: &str) -> Span {
        let at = (text.as_ptr() as usize).wrapping_sub(self.base);
        if at <= self.raw_len && text.len() <= self.raw_len - at {
            return Span { start: at as u32, len: text.len() as u32 };
        }
        let start = self.text.len();
        self.text.push_str(text);
        Span { start: start as u32, len: text.len() as u32 }
    }

    /// Appends computed text piece by piece: the closure writes behind everything that is there, and may read what is.
    pub fn compose(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let start = self.text.len();
        write(&mut self.text);
        Span { start: start as u32, len: (self.text.len() - start) as u32 }
    }

    /// Replaces a node's value. What stood below a list or object stays on the tape and is no longer reached.
    pub fn set_value(&mut self, id: NodeId, value: Value) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.value = value;
        }
    }

    /// Adds a value that is not a list or object. Refused (and noted in [`Document::full`]) when the document is full.
    pub fn push(&mut self, key: Span, value: Value) -> bool {
        if self.nodes.len() >= NODES_MAX {
            self.full = Some(Full::Nodes);
            return false;
        }
        let end = self.nodes.len() as NodeId + 1;
        self.nodes.push(Node { key, value, end });
        true
    }

    /// Adds a text under a key.
    pub fn push_text(&mut self, key: &str, text: &str) -> bool {
        let (key, text) = (self.keep(key), self.keep(text));
        self.push(key, Value::Text(text))
    }

    /// Adds a whole number under a key.
    pub fn push_int(&mut self, key: &str, value: i64) -> bool {
        let key = self.keep(key);
        self.push(key, Value::Int(value))
    }

    /// Opens an object; [`Document::close`] ends it.
    pub fn open_object(&mut self, key: &str) -> Option<NodeId> {
        let key = self.keep(key);
        self.open(key, Value::Object)
    }

    /// Opens a list; [`Document::close`] ends it.
    pub fn open_list(&mut self, key: &str) -> Option<NodeId> {
        let key = self.keep(key);
        self.open(key, Value::List)
    }

    /// Opens a list or object, if there is room and it is not too deep.
    pub fn open(&mut self, key: Span, value: Value) -> Option<NodeId> {
        if self.depth >= DEPTH_MAX {
            self.full = Some(Full::Depth);
            return None;
        }
        let id = self.nodes.len() as NodeId;
        if !self.push(key, value) {
            return None;
        }
        self.depth += 1;
        Some(id)
    }

    /// Ends a list or object.
    pub fn close(&mut self, id: NodeId) {
        let end = self.nodes.len() as NodeId;
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.end = end;
        }
        self.depth = self.depth.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(doc: &mut Document, raw: &str) {
        doc.start(raw);
        let root = doc.open_object("").unwrap();
        doc.push_text(&raw[0..1], &raw[2..5]);
        let list = doc.open_list("list").unwrap();
        doc.push_int("", 7);
        doc.push_int("", 8);
        doc.close(list);
        doc.push_text("z", "end");
        doc.close(root);
        doc.seal();
    }

    #[test]
    fn slices_of_the_record_are_spans_and_others_are_copied() {
        let raw = String::from("k=abc");
        let mut doc = Document::new();
        sample(&mut doc, &raw);
        let first = doc.child(0, "k").unwrap();
        assert_eq!(doc.str(first), Some("abc"));
        assert_eq!(doc.node(first).unwrap().key, Span { start: 0, len: 1 });
        let list = doc.child(0, "list").unwrap();
        assert_eq!(doc.children(list).count(), 2);
        assert_eq!(doc.str(doc.child(0, "z").unwrap()), Some("end"));
        assert_eq!(doc.children(0).count(), 3);
        assert_eq!(doc.raw(), "k=abc");
    }

    #[test]
    fn depth_is_limited() {
        for (depth, fits) in [(DEPTH_MAX - 1, true), (DEPTH_MAX, true), (DEPTH_MAX + 1, false)] {
            let mut doc = Document::new();
            doc.start("");
            let opened = (0..depth).filter(|_| doc.open_list("").is_some()).count();
            assert_eq!(opened == depth, fits, "depth {depth}");
            assert_eq!(doc.full().is_none(), fits);
        }
    }

    #[test]
    fn nodes_are_limited() {
        let mut doc = Document::new();
        doc.start("");
        for _ in 0..NODES_MAX {
            assert!(doc.push(Span::default(), Value::Null));
        }
        assert!(!doc.push(Span::default(), Value::Null));
        assert_eq!(doc.full(), Some(Full::Nodes));
    }
}
