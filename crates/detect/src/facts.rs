//! What is known of one record: fields and their values.

use std::borrow::Cow;

use watchfloor_model::{Document, Span};

/// Number of a field that rules ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u16);

/// A value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// Text of the document.
    Text(Span),
    /// Whole number.
    Int(i64),
    /// Fraction.
    Float(f64),
    /// Truth value.
    Bool(bool),
    /// The field is there and has no value.
    Null,
    /// The field is there and has no single value: an object, or an empty list.
    Other,
}

impl Fact {
    /// The value as text, if it has one.
    #[must_use]
    pub fn text<'d>(&self, doc: &'d Document) -> Option<Cow<'d, str>> {
        Some(match self {
            Self::Text(span) => Cow::Borrowed(doc.text(*span)),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(number.to_string()),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Null | Self::Other => return None,
        })
    }
}

/// The facts of one record; reused from record to record.
#[derive(Debug, Default)]
pub struct Facts {
    list: Vec<(FieldId, Fact)>,
    first: Vec<(u32, u32)>,
    generation: u32,
}

impl Facts {
    /// Forgets the last record.
    pub fn clear(&mut self) {
        self.list.clear();
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.first.fill((0, 0));
            self.generation = 1;
        }
    }

    /// Adds a value of a field. The values of one field are added one after another.
    pub fn add(&mut self, field: FieldId, fact: Fact) {
        let at = usize::from(field.0);
        if at >= self.first.len() {
            self.first.resize(at + 1, (0, 0));
        }
        if let Some(first) = self.first.get_mut(at)
            && first.0 != self.generation
        {
            *first = (self.generation, self.list.len() as u32);
        }
        self.list.push((field, fact));
    }

    /// Whether a field is there with a value: an object, null and an empty text are none.
    #[must_use]
    pub fn has_value(&self, field: FieldId) -> bool {
        self.of(field).any(|fact| match fact {
            Fact::Text(span) => span.len > 0,
            Fact::Other | Fact::Null => false,
            Fact::Int(_) | Fact::Float(_) | Fact::Bool(_) => true,
        })
    }

    /// Adds the values of a field to another one.
    pub fn copy(&mut self, from: FieldId, to: FieldId) {
        let first = self.first.get(usize::from(from.0)).filter(|first| first.0 == self.generation);
        let mut at = first.map_or(self.list.len(), |first| first.1 as usize);
        while let Some((_, fact)) = self.list.get(at).filter(|(field, _)| *field == from) {
            self.add(to, *fact);
            at += 1;
        }
    }

    /// Forgets a field that has no value, to add it anew.
    pub fn forget(&mut self, field: FieldId) {
        if let Some(first) = self.first.get_mut(usize::from(field.0)) {
            first.0 = self.generation.wrapping_sub(1);
        }
    }

    /// All facts.
    #[must_use]
    pub fn all(&self) -> &[(FieldId, Fact)] {
        &self.list
    }

    /// Whether a field is there.
    #[must_use]
    pub fn has(&self, field: FieldId) -> bool {
        self.first.get(usize::from(field.0)).is_some_and(|first| first.0 == self.generation)
    }

    /// The values of a field.
    pub fn of(&self, field: FieldId) -> impl Iterator<Item = Fact> + '_ {
        let from = self.first.get(usize::from(field.0)).filter(|first| first.0 == self.generation);
        let rest = from.and_then(|(_, at)| self.list.get(*at as usize..)).unwrap_or_default();
        rest.iter().take_while(move |(known, _)| *known == field).map(|(_, fact)| *fact)
    }
}
