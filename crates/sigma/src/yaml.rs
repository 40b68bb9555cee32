//! YAML text as trees with places, within limits.
//!
//! Scalars keep their text; what a plain one means (null, a truth value, a number) is decided by the core schema of YAML 1.2. An alias is a copy
//! of what it names, and counts as such: a file of a few lines cannot become a large tree.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::finding::{Finding, Place};

/// Largest file, in bytes (`sigma.too_large`).
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Most values of one file, aliases counted as what they name (`sigma.too_large`).
pub const NODES_MAX: usize = 100_000;
/// Deepest nesting (`sigma.too_deep`).
pub const DEPTH_MAX: usize = 32;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number; the text as it stands.
    Int(i64, String),
    /// A fraction; the text as it stands.
    Float(f64, String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys in order. A key that is no text is not one of Sigma's and is kept as its text.
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where it stands.
    pub place: Place,
    /// Its text.
    pub text: String,
}

impl Node {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(known, _)| known.text == key).map(|(_, value)| value)
    }

    /// Keys and values of a map, nothing otherwise.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar as it stands; nothing for null, lists and maps.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Int(_, text) | Value::Float(_, text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The elements of a list; a single value is a list of one.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// What it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Int(..) | Value::Float(..) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Bytes of its texts, and of all that stands in it.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.value {
                Value::Text(text) | Value::Int(_, text) | Value::Float(_, text) => text.len(),
                Value::List(items) => items.iter().map(Self::bytes).sum(),
                Value::Map(entries) => entries.iter().map(|(key, value)| key.text.len() + value.bytes()).sum(),
                Value::Null | Value::Bool(_) => 0,
            }
    }

    fn nodes(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Self::nodes).sum(),
            Value::Map(entries) => entries.iter().map(|(_, value)| 1 + value.nodes()).sum(),
            _ => 0,
        }
    }
}

/// The documents of a text. What stands before a mistake is given as well.
#[must_use]
pub fn documents(text: &str) -> (Vec<Node>, Vec<Finding>) {
    let mut builder = Builder::default();
    let mut findings = Vec::new();
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; a rule file has at most {FILE_BYTES_MAX}", text.len());
        return (Vec::new(), vec![Finding::error("sigma.too_large", START, message)]);
    }
    for event in Parser::new_from_str(text) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let at = error.marker();
                let place = Place { line: at.line() as u32, column: at.col() as u32 + 1, len: 1 };
                Err(Finding::error("sigma.yaml", place, format!("this is no YAML: {}", error.info())))
            }
        };
        if let Err(finding) = taken {
            findings.push(finding);
            break;
        }
    }
    (builder.documents, findings)
}

/// Most bytes that the aliases of a file stand for (`sigma.too_large`).
pub const COPIED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The beginning of a file.
pub const START: Place = Place { line: 1, column: 1, len: 1 };

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    /// Bytes that aliases have copied.
    copied: usize,
}

/// A list or map that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    items: Vec<Node>,
    entries: Vec<(Key, Node)>,
    key: Option<Key>,
    /// Keys that stood already.
    known: HashSet<String>,
    is_map: bool,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Finding> {
        let place = place_of(span);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                // The end of a scalar may lie behind a comment.
                let len = place.len.min(text.chars().count() as u32 + 2);
                let place = Place { len, ..place };
                let value = match style {
                    ScalarStyle::Plain => plain(&text),
                    _ => Value::Text(text.into_owned()),
                };
                self.add(Node { place, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(place, anchor, false),
            Event::MappingStart(anchor, _) => self.begin(place, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = if open.is_map { Value::Map(open.entries) } else { Value::List(open.items) };
                self.add(Node { place: open.place, value }, open.anchor)
            }
            Event::Alias(anchor) => {
                // An alias inside what it names has nothing to stand for.
                let Some(known) = self.anchors.get(&anchor) else {
                    return Err(Finding::error("sigma.yaml", place, "the alias names something that contains it"));
                };
                let mut copy = known.clone();
                copy.place = place;
                self.nodes += copy.nodes();
                self.copied += copy.bytes();
                if self.copied > COPIED_BYTES_MAX {
                    let message =
                        format!("what the aliases of the file name has more than {COPIED_BYTES_MAX} bytes in all");
                    return Err(Finding::error("sigma.too_large", place, message));
                }
                self.add(copy, 0)
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, place: Place, anchor: usize, is_map: bool) -> Result<(), Finding> {
        if self.open.len() >= DEPTH_MAX {
            let message = format!("lists and maps are nested more than {DEPTH_MAX} deep");
            return Err(Finding::error("sigma.too_deep", place, message));
        }
        self.open.push(Open {
            place,
            anchor,
            items: Vec::new(),
            entries: Vec::new(),
            key: None,
            known: HashSet::new(),
            is_map,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Finding> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the file has more than {NODES_MAX} values");
            return Err(Finding::error("sigma.too_large", node.place, message)
                .note("an alias counts as everything that it names"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        if !open.is_map {
            open.items.push(node);
            return Ok(());
        }
        match open.key.take() {
            None => {
                let text = match node.text() {
                    Some(text) => text,
                    None if node.value == Value::Null => "null".to_owned(),
                    None => return Err(Finding::error("sigma.yaml", node.place, "a key must be a text")),
                };
                open.key = Some(Key { place: node.place, text });
            }
            Some(key) => {
                if !open.known.insert(key.text.clone()) {
                    let message = format!("the key `{}` stands twice", key.text);
                    return Err(Finding::error("sigma.duplicate_key", key.place, message).note(
                        "which of the two counts is for no reader to guess; a list of maps is an OR, one map an AND",
                    ));
                }
                open.entries.push((key, node));
            }
        }
        Ok(())
    }
}

fn place_of(span: Span) -> Place {
    let same_line = span.start.line() == span.end.line();
    let len = if same_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
    Place { line: span.start.line() as u32, column: span.start.col() as u32 + 1, len: len.max(1) as u32 }
}

/// What a plain scalar means.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let radix = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix)?;
        i64::from_str_radix(digits, radix).ok().map(|number| Value::Int(number, number.to_string()))
    };
    if let Some(value) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(value);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(|number| Value::Int(number, text.to_owned()));
    }
    let is_float = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    let number: f64 = text.parse().ok().filter(|number: &f64| is_float && number.is_finite())?;
    Some(Value::Float(number, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        documents(text).1.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says() {
        for (text, expected) in [
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", Value::Text("yes".into())),
            ("0x17", Value::Int(23, "23".into())),
            ("007", Value::Int(7, "007".into())),
            ("-5", Value::Int(-5, "-5".into())),
            ("1.5", Value::Float(1.5, "1.5".into())),
            ("1.2.3", Value::Text("1.2.3".into())),
            ("'5'", Value::Text("5".into())),
            ("99999999999999999999", Value::Text("99999999999999999999".into())),
            ("2024-01-02", Value::Text("2024-01-02".into())),
        ] {
            let (documents, findings) = documents(text);
            assert_eq!((&documents[0].value, findings), (&expected, vec![]), "{text}");
        }
    }

    #[test]
    fn bombs_are_limited() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(",")));
        }
        assert_eq!(codes(&bomb), ["sigma.too_large"]);
        assert_eq!(codes(&format!("a: {}", "[".repeat(200))), ["sigma.too_deep"]);
        assert_eq!(codes(&"x".repeat(FILE_BYTES_MAX + 1)), ["sigma.too_large"]);
        assert!(codes(&"x".repeat(FILE_BYTES_MAX)).is_empty());
        assert_eq!(codes("a: 1\na: 2"), ["sigma.duplicate_key"]);
        assert_eq!(codes("a: &a [*a]"), ["sigma.yaml"]);
        assert_eq!(codes("a: [1"), ["sigma.yaml"]);
        assert_eq!(codes("? [a]\n: b"), ["sigma.yaml"]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let (documents, _) = documents("title: x\nd:\n  s:\n    Image: 'a'\n---\nb: 1\n");
        assert_eq!(documents.len(), 2);
        let image = documents[0].get("d").unwrap().get("s").unwrap();
        assert_eq!(image.entries()[0].0.place, Place { line: 4, column: 5, len: 5 });
        assert_eq!(image.entries()[0].1.place, Place { line: 4, column: 12, len: 3 });
    }
}
