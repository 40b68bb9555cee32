//! How an event of one shape is written.
//!
//! Two events have the same shape if they have the same class and the same attributes in the same places. Everything that the
//! schema demands of a shape is worked out once, when it is first seen: order of attributes, JSON punctuation, captions that
//! follow from members, profiles, observables, required attributes, constraints, and what must move to `unmapped`. After
//! that, writing an event is copying text between values.

mod check;
mod tree;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use watchfloor_model::Diagnostic;
use watchfloor_ocsf::{ClassId, EnumId, Schema};

use crate::event::Entry;
use crate::paths::{PathId, Paths};

/// One step of writing an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A range of [`Layout::text`], as it is.
    Text(u32, u32),
    /// The value of an entry.
    Value(u32),
    /// The value of an entry, as text.
    Quoted(u32),
    /// A member of this enumeration.
    Member(u32, EnumId),
    /// The caption of a member, or the source's own word (an entry) for one that is Other or Unknown.
    Caption(u32, EnumId, Option<u32>),
    /// `type_uid`, from the activity.
    TypeUid,
    /// `type_name`, from the activity.
    TypeName,
    /// The receipt time.
    Received,
    /// The record's text.
    Raw,
    /// Its hash.
    RawHash,
    /// Its size in bytes.
    RawSize,
    /// `,"unmapped":{…}` if anything is left.
    Unmapped,
}

/// How events of one shape are written.
#[derive(Debug)]
pub struct Layout {
    /// The class it came out as.
    pub class: ClassId,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// What [`Step::Text`] copies.
    pub text: String,
    /// Entries that have no place in the class: they are written under `unmapped`.
    pub moved: Vec<u32>,
    /// Paths of the entries that have a place, each once: what events of this shape fill.
    pub filled: Vec<PathId>,
    /// The entry with the activity.
    pub activity: Option<u32>,
    /// Enumeration of the class's activities.
    pub activities: Option<EnumId>,
    /// What to say of every event of this shape.
    pub diagnostics: Vec<Diagnostic>,
}

/// Most shapes remembered; an attacker who makes a new shape of every record only makes them slow, not large.
const SHAPES_MAX: usize = 4_096;

/// Layouts by shape.
#[derive(Debug, Default)]
pub struct Layouts {
    known: HashMap<Box<[u64]>, Arc<Layout>, foldhash::fast::FixedState>,
    shape: Vec<u64>,
}

/// What decides about a layout besides the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The class the mapping chose.
    pub class: ClassId,
    /// Whether the record's own text is kept in the event.
    pub raw: bool,
}

impl Layouts {
    /// The layout of an event.
    pub fn of(&mut self, schema: &'static Schema, paths: &Paths, wish: Wish, entries: &[Entry]) -> Arc<Layout> {
        self.shape.clear();
        let class = schema.class_info(wish.class).uid;
        self.shape.push((u64::from(class) << 1) | u64::from(wish.raw));
        for entry in entries {
            // Sixty bits of indices and sixteen of path do not fit one word.
            if entry.indices.0 == 0 {
                self.shape.push(u64::from(entry.path.0) << 1);
            } else {
                self.shape.push((u64::from(entry.path.0) << 1) | 1);
                self.shape.push(entry.indices.0);
            }
        }
        if let Some(known) = self.known.get(self.shape.as_slice()) {
            return Arc::clone(known);
        }
        let layout = Arc::new(write::lay_out(schema, paths, wish, entries));
        if self.known.len() >= SHAPES_MAX {
            self.known.clear();
        }
        self.known.insert(self.shape.as_slice().into(), Arc::clone(&layout));
        layout
    }
}
