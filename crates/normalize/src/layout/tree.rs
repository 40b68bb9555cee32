//! Entries as the tree they will be written as. Only ever built for a new shape.

use std::collections::BTreeMap;

use watchfloor_ocsf::{Attr, ClassId, Owner, Schema};

use crate::event::Entry;
use crate::paths::Paths;

/// A value of the tree.
#[derive(Clone, Debug)]
pub(super) enum Branch {
    /// A value: number of the entry.
    Leaf(u32),
    /// A required enumeration that nothing set: 0.
    Unknown,
    /// Caption of the enumeration beside it: entry with the member (or none for [`Branch::Unknown`]), entry with the source's word.
    Caption(Option<u32>, Option<u32>),
    /// Text that the engine knows.
    Fixed(String),
    /// An object.
    Object(Object),
    /// An array by index.
    Array(BTreeMap<u32, Branch>),
}

/// An object of the tree.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) owner: Owner,
    pub(super) members: BTreeMap<String, Branch>,
}

impl Object {
    pub(super) fn new(owner: Owner) -> Self {
        Self { owner, members: BTreeMap::new() }
    }
}

/// Builds the tree of a class; entries that the class has no place for are returned.
pub(super) fn build(schema: &Schema, paths: &Paths, class: ClassId, entries: &[Entry]) -> (Object, Vec<u32>) {
    let mut root = Object::new(Owner::Class(class));
    let mut homeless = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let number = number as u32;
        let Some(path) = paths.get(entry.path) else { continue };
        if !fits(schema, &root, &path.steps) || insert(schema, &mut root, &path.steps, entry, 0, number).is_none() {
            homeless.push(number);
        }
    }
    (root, homeless)
}

/// Whether a class has a path, with the same arrays.
fn fits(schema: &Schema, root: &Object, steps: &[(String, bool)]) -> bool {
    let mut owner = root.owner;
    let last = steps.len().saturating_sub(1);
    for (i, (name, is_array)) in steps.iter().enumerate() {
        let Some(attr) = schema.attr(owner, name) else { return false };
        if attr.is_array != *is_array {
            return false;
        }
        match attr.object {
            Some(object) if i < last => owner = Owner::Object(object),
            None if i < last => return false,
            _ => {}
        }
    }
    true
}

/// Puts an entry in its place; `None` if something else stands there.
fn insert(
    schema: &Schema,
    object: &mut Object,
    steps: &[(String, bool)],
    entry: &Entry,
    depth: u8,
    number: u32,
) -> Option<()> {
    let ((name, is_array), rest) = steps.split_first()?;
    let attr: &Attr = schema.attr(object.owner, name)?;
    let fresh = || match (rest.is_empty(), attr.object) {
        (false, Some(inner)) => Branch::Object(Object::new(Owner::Object(inner))),
        _ => Branch::Leaf(number),
    };
    let place = if *is_array {
        let array = object.members.entry(name.clone()).or_insert_with(|| Branch::Array(BTreeMap::new()));
        let Branch::Array(elements) = array else { return None };
        elements.entry(entry.indices.get(depth)).or_insert_with(fresh)
    } else {
        object.members.entry(name.clone()).or_insert_with(fresh)
    };
    match place {
        Branch::Object(inner) if !rest.is_empty() => {
            insert(schema, inner, rest, entry, depth + u8::from(*is_array), number)
        }
        Branch::Leaf(known) if rest.is_empty() && *known == number => Some(()),
        _ => None,
    }
}

/// Every entry below a branch.
pub(super) fn leaves(branch: &Branch, into: &mut Vec<u32>) {
    match branch {
        Branch::Leaf(number) => into.push(*number),
        Branch::Caption(_, Some(word)) => into.push(*word),
        Branch::Caption(..) | Branch::Unknown | Branch::Fixed(_) => {}
        Branch::Object(object) => object.members.values().for_each(|inner| leaves(inner, into)),
        Branch::Array(elements) => elements.values().for_each(|inner| leaves(inner, into)),
    }
}
