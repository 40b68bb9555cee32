//! Windows events as XML, onto the same tree as `evtx_dump` writes as JSON.
//!
//! ```text
//! <Event xmlns="…"><System><Provider Name="P"/><EventID Qualifiers="0">1</EventID></System>
//!   <EventData><Data Name="A">x</Data><Data>y</Data></EventData></Event>
//! Event.System.Provider.#attributes.Name = "P"      attributes stand under #attributes
//! Event.System.EventID.#text = 1                    beside them the text under #text; alone it is the value
//! Event.EventData.A = "x"                           named data under their names
//! Event.EventData.Data = ["y"]                      data without a name as a list
//! ```
//!
//! An element without anything is null. Of elements of one name the second is `name_1`, and so on. Numbers in `System` are numbers.
//! Prefixes of names are dropped. Only the five entities of XML and character references are known; a document type definition is
//! refused (`xml.dtd`), so that nothing expands.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use watchfloor_model::{Diagnostic, Document, NodeId, Span, Value};

use crate::Scratch;

/// Elements and attributes of `System` that are numbers.
const NUMBERS: [&str; 11] = [
    "EventID",
    "Version",
    "Level",
    "Task",
    "Opcode",
    "EventRecordID",
    "Qualifiers",
    "ProcessID",
    "ThreadID",
    "ProcessorID",
    "SessionID",
];

/// Elements that are looked at to find the ones of the same name.
const SIBLINGS_MAX: u32 = 2048;

pub(crate) fn decode(body: &str, doc: &mut Document, notes: &mut Vec<Diagnostic>, scratch: &mut Scratch) -> bool {
    let Some(start) = body.find('<') else { return false };
    let text = body.get(start..).unwrap_or_default();
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    scratch.text.clear();
    let mut tree = Tree { reader, doc, text: &mut scratch.text, system: false };
    match tree.root() {
        Ok(true) => true,
        Ok(false) => false,
        Err(error) => {
            notes.push(error);
            false
        }
    }
}

struct Tree<'r, 'd> {
    reader: Reader<&'r [u8]>,
    doc: &'d mut Document,
    /// Text of an element that is in several pieces.
    text: &'d mut String,
    /// Inside `System`.
    system: bool,
}

/// The text of an element.
#[derive(Clone, Copy)]
enum Text<'r> {
    None,
    /// In one piece of the record.
    One(&'r str),
    /// In [`Tree::text`].
    Many,
}

/// What closes an element without anything in it.
enum Found<'r> {
    End,
    Child(BytesStart<'r>, bool),
}

type Outcome<T> = Result<T, Diagnostic>;

impl<'r> Tree<'r, '_> {
    fn root(&mut self) -> Outcome<bool> {
        loop {
            match self.event()? {
                Event::Start(start) if start.local_name().as_ref() == "Event" => {
                    let Some(root) = self.doc.open_object("") else { return Err(self.full()) };
                    let key = self.doc.keep("Event");
                    self.element(&start, key)?;
                    self.doc.close(root);
                    return Ok(true);
                }
                Event::DocType(_) => {
                    let message = "document type definitions are refused, entities are not expanded";
                    return Err(Diagnostic::error("xml.dtd", message));
                }
                Event::Start(_) | Event::Empty(_) | Event::Eof => return Ok(false),
                _ => {}
            }
        }
    }

    fn event(&mut self) -> Outcome<Event<'r>> {
        self.reader.read_event().map_err(|error| {
            let at = self.reader.error_position();
            Diagnostic::error("xml.syntax", format!("at byte {at}: {}", error.to_string().to_lowercase()))
        })
    }

    fn full(&self) -> Diagnostic {
        match self.doc.full() {
            Some(full) => crate::json::too_large(full),
            None => Diagnostic::error("xml.syntax", "the element cannot be read"),
        }
    }

    /// An element whose start has been read, with everything up to its end.
    fn element(&mut self, start: &BytesStart<'r>, key: Span) -> Outcome<()> {
        let attributes = has_attributes(start);
        let (text, found) = self.content()?;
        if let (false, Found::End) = (attributes, &found) {
            let value = self.value(text, key);
            return self.push(key, value);
        }
        let object = self.doc.open(key, Value::Object).ok_or_else(|| self.full())?;
        if attributes {
            self.attributes(start)?;
        }
        if let Found::Child(child, empty) = found {
            self.children(object, child, empty)?;
        } else if !matches!(text, Text::None) {
            let value = self.value(text, key);
            let key = self.doc.keep("#text");
            self.push(key, value)?;
        }
        self.doc.close(object);
        Ok(())
    }

    fn push(&mut self, key: Span, value: Value) -> Outcome<()> {
        if self.doc.push(key, value) { Ok(()) } else { Err(self.full()) }
    }

    /// Text up to the next child or the end.
    fn content(&mut self) -> Outcome<(Text<'r>, Found<'r>)> {
        let mut text = Text::None;
        loop {
            match self.event()? {
                Event::Start(child) => return Ok((text, Found::Child(child, false))),
                Event::Empty(child) => return Ok((text, Found::Child(child, true))),
                Event::End(_) => return Ok((text, Found::End)),
                Event::Text(piece) => self.add(&mut text, piece.into_inner()),
                Event::CData(piece) => self.add(&mut text, piece.into_inner()),
                Event::GeneralRef(entity) => {
                    let resolved = resolve(&entity);
                    self.add(&mut text, std::borrow::Cow::Owned(resolved));
                }
                Event::Eof => return Err(Diagnostic::error("xml.syntax", "ends within an element")),
                Event::DocType(_) => return Err(Diagnostic::error("xml.dtd", "document type definitions are refused")),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            }
        }
    }

    fn add(&mut self, text: &mut Text<'r>, piece: std::borrow::Cow<'r, str>) {
        match (*text, piece) {
            (Text::None, std::borrow::Cow::Borrowed(piece)) => *text = Text::One(piece),
            (Text::None, piece) => {
                self.text.clear();
                self.text.push_str(&piece);
                *text = Text::Many;
            }
            (Text::One(first), piece) => {
                self.text.clear();
                self.text.push_str(first);
                self.text.push_str(&piece);
                *text = Text::Many;
            }
            (Text::Many, piece) => self.text.push_str(&piece),
        }
    }

    fn value(&mut self, text: Text<'r>, key: Span) -> Value {
        let text = match text {
            Text::None => return Value::Null,
            Text::One(text) => text,
            Text::Many => {
                let text = &*self.text;
                return Value::Text(self.doc.compose(|out| out.push_str(text)));
            }
        };
        self.number(self.doc.text(key), text).unwrap_or_else(|| Value::Text(self.doc.keep(text)))
    }

    fn number(&self, name: &str, text: &str) -> Option<Value> {
        if !self.system
            || !NUMBERS.contains(&name)
            || text.len() > 18
            || !text.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        text.parse().ok().map(Value::Int)
    }

    fn attributes(&mut self, start: &BytesStart<'r>) -> Outcome<()> {
        let object = self.doc.open_object("#attributes").ok_or_else(|| self.full())?;
        for attribute in start.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| Diagnostic::error("xml.syntax", error.to_string().to_lowercase()))?;
            let name = attribute.key.local_name();
            let key = self.doc.keep(name.as_ref());
            let value = unescaped(&attribute.value);
            let value = self.number(name.as_ref(), &value).unwrap_or_else(|| Value::Text(self.doc.keep(&value)));
            self.push(key, value)?;
        }
        self.doc.close(object);
        Ok(())
    }

    /// The children of an element, the first of which has been read.
    fn children(&mut self, parent: NodeId, first: BytesStart<'r>, empty: bool) -> Outcome<()> {
        let mut next = Some((first, empty));
        let mut list: Option<NodeId> = None;
        loop {
            let (child, empty) = match next.take() {
                Some(child) => child,
                None => match self.event()? {
                    Event::Start(child) => (child, false),
                    Event::Empty(child) => (child, true),
                    Event::End(_) => break,
                    Event::Eof => return Err(Diagnostic::error("xml.syntax", "ends within an element")),
                    Event::DocType(_) => {
                        return Err(Diagnostic::error("xml.dtd", "document type definitions are refused"));
                    }
                    // Text between elements is indentation.
                    _ => continue,
                },
            };
            let local = child.local_name();
            let name =
                if local.as_ref() == "Data" || local.as_ref() == "ComplexData" { data_name(&child) } else { None };
            if local.as_ref() == "Data" && name.is_none() {
                if list.is_none() {
                    let key = self.unique(parent, "Data");
                    list = Some(self.doc.open(key, Value::List).ok_or_else(|| self.full())?);
                }
                self.datum(Span::default(), empty)?;
                continue;
            }
            if let Some(list) = list.take() {
                self.doc.close(list);
            }
            match name {
                Some(name) => {
                    let key = self.unique(parent, &name);
                    self.datum(key, empty)?;
                }
                None => self.child(parent, &child, empty)?,
            }
        }
        if let Some(list) = list {
            self.doc.close(list);
        }
        Ok(())
    }

    fn child(&mut self, parent: NodeId, child: &BytesStart<'r>, empty: bool) -> Outcome<()> {
        let local = child.local_name();
        let key = self.unique(parent, local.as_ref());
        let outer = self.system;
        self.system |= local.as_ref() == "System";
        if !empty {
            self.element(child, key)?;
        } else if has_attributes(child) {
            let object = self.doc.open(key, Value::Object).ok_or_else(|| self.full())?;
            self.attributes(child)?;
            self.doc.close(object);
        } else {
            self.push(key, Value::Null)?;
        }
        self.system = outer;
        Ok(())
    }

    /// The text of a `Data` element.
    fn datum(&mut self, key: Span, empty: bool) -> Outcome<()> {
        if empty {
            return self.push(key, Value::Null);
        }
        let (text, found) = self.content()?;
        if let Found::Child(child, empty) = found {
            let object = self.doc.open(key, Value::Object).ok_or_else(|| self.full())?;
            self.children(object, child, empty)?;
            self.doc.close(object);
            return Ok(());
        }
        let value = match text {
            Text::One(text) => Value::Text(self.doc.keep(text)),
            text => self.value(text, key),
        };
        self.push(key, value)
    }

    /// A key that is not yet among the members of an open object: `name`, `name_1`, …
    fn unique(&mut self, parent: NodeId, name: &str) -> Span {
        let (mut taken, mut looked) = (0, 0);
        let mut id = parent + 1;
        while let Some(node) = self.doc.node(id).filter(|_| looked < SIBLINGS_MAX) {
            looked += 1;
            let key = self.doc.text(node.key);
            let suffix = key.strip_prefix(name);
            let same =
                suffix.is_some_and(|suffix| suffix.is_empty() || suffix.strip_prefix('_').is_some_and(is_digits));
            taken += u32::from(same);
            id = node.end;
        }
        if taken == 0 {
            return self.doc.keep(name);
        }
        self.doc.compose(|out| {
            out.push_str(name);
            out.push('_');
            out.push_str(&taken.to_string());
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an element has attributes other than namespaces.
fn has_attributes(start: &BytesStart<'_>) -> bool {
    !start.attributes_raw().trim().is_empty()
}

/// The `Name` attribute of a `Data` element.
fn data_name(start: &BytesStart<'_>) -> Option<String> {
    let attribute = start
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == "Name")?;
    let name = unescaped(&attribute.value);
    (!name.is_empty()).then(|| name.into_owned())
}

/// A value with its entities resolved as far as they are known.
fn unescaped(value: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::unescape(value).unwrap_or(std::borrow::Cow::Borrowed(value))
}

fn resolve(entity: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return character.to_string();
    }
    let name: &str = entity;
    match quick_xml::escape::resolve_xml_entity(name) {
        Some(text) => text.to_owned(),
        None => format!("&{name};"),
    }
}
