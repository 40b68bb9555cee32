//! JSON (RFC 8259) onto the tape.
//!
//! The parser is `sonic-rs`; it drives a [`serde::de::Visitor`] that writes nodes, so that there is no tree in between. Texts without
//! escapes come as slices of the record and become spans. What the parser does not know is added here:
//!
//! - **Numbers are exact.** Whole numbers of 64 bits are [`Value::Int`]; a number with a fraction is [`Value::Float`] if the shortest
//!   text of that float has the same digits; everything else is [`Value::Number`], its own text. The parser gives no
//!   positions, but the last text it borrowed does, so the number's text is found by stepping on from there.
//! - **Keys that stand twice** in an object are both kept and noted (see [`crate::twice`]).
//! - **Depth and size** are bounded by the document: `record.too_deep`, `record.too_many_values`.
//! - Errors name the byte: `json.syntax`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use watchfloor_model::document::Full;
use watchfloor_model::limits::{DEPTH_MAX, NODES_MAX};
use watchfloor_model::{Diagnostic, Document, Span, Value};

use crate::number::{self, Exactness};
use crate::twice::{Seen, note_sorted, stood_before};

/// A number that JSON allows and a double cannot hold. Nobody is told: it is quoted and read again.
const NUMBER: &str = "a large number";
/// Half of a surrogate pair.
const SURROGATE: &str = "json.surrogate";

/// Reads `body` (a slice of the document's record) as the document's root. The caller may push more members and close node 0 again.
pub(crate) fn root(doc: &mut Document, body: &str, notes: &mut Vec<Diagnostic>) -> bool {
    let Err(first) = value(doc, Span::default(), body, Strictness::Exact) else {
        return is_container(doc, notes);
    };
    let (text, note) = match first.code {
        NUMBER => (number::quote_infinite(body), None),
        SURROGATE => (Cow::Borrowed(body), Some(first)),
        _ => {
            notes.push(first);
            return false;
        }
    };
    doc.restart();
    match value(doc, Span::default(), &text, Strictness::Lossy) {
        Ok(()) => notes.extend(note),
        Err(second) => {
            notes.push(malformed(second));
            return false;
        }
    }
    is_container(doc, notes)
}

/// Whether a decoded text was an object or a list.
fn is_container(doc: &Document, notes: &mut Vec<Diagnostic>) -> bool {
    let container = matches!(doc.node(0).map(|node| node.value), Some(Value::Object | Value::List));
    if !container {
        notes.push(Diagnostic::error("json.scalar", "the record is a single JSON value, neither object nor list"));
    }
    container
}

/// Pushes the value of a JSON text under a key. Nothing is pushed if the text is not JSON.
///
/// # Errors
/// The text is not JSON, nested too deep, or holds too many values.
pub fn json_into(doc: &mut Document, key: Span, text: &str) -> Result<(), Diagnostic> {
    let mut text = Cow::Borrowed(text);
    let mut nodes = measure(&text, Strictness::Lossy);
    if nodes.as_ref().is_err_and(|error| error.code == NUMBER) {
        text = Cow::Owned(number::quote_infinite(&text).into_owned());
        nodes = measure(&text, Strictness::Lossy).map_err(malformed);
    }
    if doc.nodes().len() + nodes? > NODES_MAX {
        return Err(too_large(Full::Nodes));
    }
    value(doc, key, &text, Strictness::Lossy)
}

/// Pushes the members of a JSON object text where the tape stands. Nothing is pushed if the text is not a JSON object.
pub(crate) fn members(doc: &mut Document, text: &str) -> Result<(), Diagnostic> {
    let nodes = measure(text, Strictness::Lossy)?;
    if doc.nodes().len() + nodes > NODES_MAX {
        return Err(too_large(Full::Nodes));
    }
    let mut parser = parser(text, Strictness::Lossy);
    let mut tape = Tape { doc, text, anchor: 0, numbers: 0 };
    Members { tape: &mut tape }.deserialize(&mut parser).map_err(|error| syntax(text, Strictness::Lossy, &error))
}

/// What still is too large when all large numbers are quoted is no number: `1e999.x`.
fn malformed(error: Diagnostic) -> Diagnostic {
    if error.code == NUMBER { Diagnostic { code: "json.syntax", ..error } } else { error }
}

/// What the parser refuses of what JSON allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Exact,
    /// Half of a surrogate pair (`\ud800`), as Windows writes it, becomes U+FFFD.
    Lossy,
}

fn parser(text: &str, strictness: Strictness) -> sonic_rs::Deserializer<sonic_rs::Read<'_>> {
    let parser = sonic_rs::Deserializer::from_str(text);
    if strictness == Strictness::Lossy { parser.utf8_lossy() } else { parser }
}

fn value(doc: &mut Document, key: Span, text: &str, strictness: Strictness) -> Result<(), Diagnostic> {
    let mut parser = parser(text, strictness);
    let mut tape = Tape { doc, text, anchor: 0, numbers: 0 };
    let read = Seed { tape: &mut tape, key }.deserialize(&mut parser).and_then(|()| parser.end());
    let Err(error) = read else { return Ok(()) };
    Err(doc.full().map_or_else(|| syntax(text, strictness, &error), too_large))
}

pub(crate) fn too_large(full: Full) -> Diagnostic {
    match full {
        Full::Depth => Diagnostic::error("record.too_deep", format!("nested deeper than {DEPTH_MAX} levels")),
        Full::Nodes => Diagnostic::error("record.too_many_values", format!("more than {NODES_MAX} values")),
    }
}

/// Says what is wrong in words that help: the parser's own, unless a well-known mistake stands there.
fn syntax(text: &str, strictness: Strictness, error: &sonic_rs::Error) -> Diagnostic {
    let at = error.offset().min(text.len());
    let near = text.as_bytes().get(at.saturating_sub(9)..).unwrap_or_default();
    let near = near.get(..near.len().min(18)).unwrap_or_default();
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default().to_ascii_lowercase();
    if words.contains("must be finite") {
        return Diagnostic::error(NUMBER, format!("a number at byte {at} is too large"));
    }
    // The parser says the same of `\u00zz`. Whoever takes halves of pairs has only that left to refuse.
    if strictness == Strictness::Exact && (words.contains("surrogate") || words.contains("unicode code point")) {
        return Diagnostic::warning(SURROGATE, format!("half of a surrogate pair at byte {at} was replaced"));
    }
    let known = [(&b"NaN"[..], "NaN is not JSON"), (b"Infinity", "Infinity is not JSON")];
    let known = known.iter().find(|(word, _)| memchr::memmem::find(near, word).is_some());
    let message = match known {
        Some((_, message)) => format!("{message}, at byte {at}"),
        None if error.is_eof() || at >= text.len() => format!("ends within a value, at byte {at}"),
        None => format!("at byte {at}: {words}"),
    };
    Diagnostic::error("json.syntax", message)
}

/// The number of nodes a text would take.
fn measure(text: &str, strictness: Strictness) -> Result<usize, Diagnostic> {
    let mut parser = parser(text, strictness);
    let mut count = Count { nodes: 0, depth: 0, deep: false };
    let read = (&mut count).deserialize(&mut parser).and_then(|()| parser.end());
    match read {
        Err(_) if count.deep => Err(too_large(Full::Depth)),
        Err(error) => Err(syntax(text, strictness, &error)),
        Ok(()) => Ok(count.nodes),
    }
}

struct Tape<'d, 't> {
    doc: &'d mut Document,
    text: &'t str,
    /// A byte behind the last text that was borrowed, from which numbers are counted.
    anchor: usize,
    /// Numbers since the anchor.
    numbers: u32,
}

impl Tape<'_, '_> {
    /// The text of the number that is being visited.
    fn number_text(&mut self) -> Option<&str> {
        let found = number::nth(self.text, self.anchor, self.numbers)?;
        (self.anchor, self.numbers) = (found.end, 0);
        self.text.get(found)
    }

    fn anchor_behind(&mut self, slice: &str) {
        let start = (slice.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        // The closing quote.
        (self.anchor, self.numbers) = (start.wrapping_add(slice.len() + 1), 0);
    }

    fn large(&mut self, value: u64) -> Value {
        Value::Number(self.doc.compose(|text| text.push_str(&value.to_string())))
    }

    fn float(&mut self, value: f64) -> Value {
        let Some(text) = self.number_text() else { return Value::Float(value) };
        match number::exactness(text, value) {
            Exactness::Same => Value::Float(value),
            Exactness::Loses => {
                let text = text.to_owned();
                Value::Number(self.doc.compose(|all| all.push_str(&text)))
            }
        }
    }
}

struct Seed<'a, 'd, 't> {
    tape: &'a mut Tape<'d, 't>,
    key: Span,
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_, '_> {
    type Value = ();

    #[inline]
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_, '_, '_> {
    #[inline]
    fn push<E: serde::de::Error>(self, value: Value) -> Result<(), E> {
        if self.tape.doc.push(self.key, value) { Ok(()) } else { Err(E::custom("full")) }
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.push(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.push(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.tape.numbers += 1;
        self.push(Value::Int(value))
    }

    #[inline]
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.tape.numbers += 1;
        let value = i64::try_from(value).map_or_else(|_| self.tape.large(value), Value::Int);
        self.push(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.tape.numbers += 1;
        let value = self.tape.float(value);
        self.push(value)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let text = self.tape.doc.keep(text);
        self.push(Value::Text(text))
    }

    #[inline]
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        self.tape.anchor_behind(text);
        let text = self.tape.doc.keep(text);
        self.push(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { tape, key } = self;
        let id = tape.doc.open(key, Value::List).ok_or_else(|| A::Error::custom("full"))?;
        while list.next_element_seed(Seed { tape, key: Span::default() })?.is_some() {}
        tape.doc.close(id);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { tape, key } = self;
        let id = tape.doc.open(key, Value::Object).ok_or_else(|| A::Error::custom("full"))?;
        let (mut seen, since) = (Seen::default(), tape.doc.duplicates().len());
        while let Some(key) = map.next_key_seed(Key { tape })? {
            if seen.maybe(tape.doc.text(key)) && stood_before(tape.doc, id, key) {
                tape.doc.note_duplicate(key);
            }
            map.next_value_seed(Seed { tape, key })?;
        }
        tape.doc.close(id);
        if seen.is_full() {
            note_sorted(tape.doc, id, since);
        }
        Ok(())
    }
}

/// The members of an object, without the object.
struct Members<'a, 'd, 't> {
    tape: &'a mut Tape<'d, 't>,
}

impl<'de> DeserializeSeed<'de> for Members<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let tape = self.tape;
        while let Some(key) = map.next_key_seed(Key { tape })? {
            map.next_value_seed(Seed { tape, key })?;
        }
        Ok(())
    }
}

struct Key<'a, 'd, 't> {
    tape: &'a mut Tape<'d, 't>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_, '_> {
    type Value = Span;

    #[inline]
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_, '_> {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Span, E> {
        self.tape.anchor_behind(text);
        Ok(self.tape.doc.keep(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        Ok(self.tape.doc.keep(text))
    }
}

/// Counts what a text would put on the tape.
struct Count {
    nodes: usize,
    depth: usize,
    deep: bool,
}

impl<'de> DeserializeSeed<'de> for &mut Count {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Count {
    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.nodes += 1;
        self.depth += 1;
        self.deep = self.depth > DEPTH_MAX;
        if self.deep { Err(E::custom("deep")) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for &mut Count {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.enter()?;
        while list.next_element_seed(&mut *self)?.is_some() {}
        self.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.enter()?;
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(&mut *self)?;
        }
        self.depth -= 1;
        Ok(())
    }
}
