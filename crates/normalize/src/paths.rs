//! Attribute paths, interned: every path that any mapping sets has one number for the life of the engine.
//!
//! An event is a list of (path number, array indices, value). Text of paths is needed only when a new shape of event is laid
//! out, and when a person asks.

use std::collections::HashMap;

use watchfloor_ocsf::{ClassId, EnumId, ObjectId, Owner, Schema, Type};

/// Number of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub u16);

/// What the schema says of an attribute at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// Type of the value.
    pub ty: Type,
    /// Object behind it, for objects.
    pub object: Option<ObjectId>,
    /// Whether it is an array.
    pub is_array: bool,
    /// Observable type that it is, 0 for none.
    pub observable: u8,
    /// Members, if it is an enumeration.
    pub enumeration: Option<EnumId>,
}

/// One interned path.
#[derive(Clone, Debug)]
pub struct Path {
    /// `actor.user.groups.name`
    pub text: String,
    /// Its steps, and which of them are arrays.
    pub steps: Vec<(String, bool)>,
    /// How many steps are arrays.
    pub arrays: u8,
    /// The attribute at its end. The enumeration is that of the class it was first met in.
    pub leaf: Leaf,
    /// The path of the text beside an enumeration: `severity` of `severity_id`.
    pub sibling: Option<PathId>,
}

/// Deepest nesting of arrays in one path: what an [`Indices`] can hold.
pub const ARRAYS_MAX: usize = 5;
const INDEX_BITS: u32 = 12;

/// The array indices of an entry, outermost first, packed so that comparing the numbers compares the positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Indices(pub u64);

impl Indices {
    /// The index at a depth.
    #[must_use]
    pub fn get(self, depth: u8) -> u32 {
        ((self.0 >> Self::shift(depth)) & ((1 << INDEX_BITS) - 1)) as u32
    }

    /// With the index at a depth replaced.
    #[must_use]
    pub fn with(self, depth: u8, index: u32) -> Self {
        let shift = Self::shift(depth);
        let mask = ((1_u64 << INDEX_BITS) - 1) << shift;
        Self((self.0 & !mask) | ((u64::from(index) << shift) & mask))
    }

    /// Only the indices above a depth.
    #[must_use]
    pub fn above(self, depth: u8) -> Self {
        if depth == 0 {
            return Self(0);
        }
        Self(self.0 & !((1_u64 << (Self::shift(depth - 1))) - 1))
    }

    fn shift(depth: u8) -> u32 {
        INDEX_BITS * (ARRAYS_MAX as u32 - 1 - u32::from(depth).min(ARRAYS_MAX as u32 - 1))
    }
}

/// Why a path does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchAttribute {
    /// The object or class that lacks it.
    pub owner: String,
    /// The attribute.
    pub name: String,
}

/// All paths.
#[derive(Debug)]
pub struct Paths {
    schema: &'static Schema,
    paths: Vec<Path>,
    known: HashMap<(String, Type, bool), PathId>,
}

impl Paths {
    /// No paths yet.
    #[must_use]
    pub fn new(schema: &'static Schema) -> Self {
        Self { schema, paths: Vec::new(), known: HashMap::new() }
    }

    /// The schema the paths are of.
    #[must_use]
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// A path.
    #[must_use]
    pub fn get(&self, id: PathId) -> Option<&Path> {
        self.paths.get(usize::from(id.0))
    }

    /// A path's text.
    #[must_use]
    pub fn text(&self, id: PathId) -> &str {
        self.get(id).map_or("", |path| path.text.as_str())
    }

    /// The paths with a text: the same attribute may have several shapes.
    pub fn named(&self, text: &str) -> impl Iterator<Item = PathId> {
        self.ids().filter(move |id| self.text(*id) == text)
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = PathId> {
        (0..self.paths.len()).map(|number| PathId(number as u16))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Looks an attribute up from a class without interning it.
    pub fn resolve(&self, class: ClassId, steps: &[&str]) -> Result<Leaf, NoSuchAttribute> {
        let mut owner = Owner::Class(class);
        let mut leaf = None;
        for name in steps {
            let attr = self.schema.attr(owner, name).ok_or_else(|| self.missing(owner, name))?;
            leaf = Some(Leaf {
                ty: attr.ty,
                object: attr.object,
                is_array: attr.is_array,
                observable: attr.observable,
                enumeration: attr.enumeration,
            });
            // A step behind a plain value finds no object: the next look-up says so.
            owner = attr.object.map_or(owner, Owner::Object);
            if attr.object.is_none() && Some(name) != steps.last() {
                return Err(NoSuchAttribute {
                    owner: (*name).to_owned(),
                    name: steps.last().map_or("", |s| s).to_owned(),
                });
            }
        }
        leaf.ok_or_else(|| self.missing(owner, ""))
    }

    /// The number of a path from a class, interning it and the path of its sibling.
    pub fn intern(&mut self, class: ClassId, steps: &[&str]) -> Result<PathId, NoSuchAttribute> {
        let leaf = self.resolve(class, steps)?;
        let text = steps.join(".");
        if let Some(known) = self.known.get(&(text.clone(), leaf.ty, leaf.is_array)) {
            return Ok(*known);
        }
        let mut with_arrays = Vec::new();
        for (i, name) in steps.iter().enumerate() {
            let step = self.resolve(class, steps.get(..=i).unwrap_or_default())?;
            with_arrays.push(((*name).to_owned(), step.is_array));
        }
        let id = PathId(u16::try_from(self.paths.len()).unwrap_or(u16::MAX));
        self.known.insert((text.clone(), leaf.ty, leaf.is_array), id);
        let arrays = with_arrays.iter().filter(|(_, is_array)| *is_array).count() as u8;
        self.paths.push(Path { text, steps: with_arrays, arrays, leaf, sibling: None });
        if let Some(sibling) = self.sibling(class, steps)
            && let Some(path) = self.paths.get_mut(usize::from(id.0))
        {
            path.sibling = Some(sibling);
        }
        Ok(id)
    }

    fn sibling(&mut self, class: ClassId, steps: &[&str]) -> Option<PathId> {
        let (last, parents) = steps.split_last()?;
        let owner = match parents.is_empty() {
            true => Owner::Class(class),
            false => Owner::Object(self.resolve(class, parents).ok()?.object?),
        };
        let sibling = self.schema.attr(owner, last)?.sibling.clone()?;
        let mut steps = parents.to_vec();
        steps.push(&sibling);
        self.intern(class, &steps).ok()
    }

    fn missing(&self, owner: Owner, name: &str) -> NoSuchAttribute {
        let owner = match owner {
            Owner::Class(class) => format!("class {}", self.schema.class_info(class).name),
            Owner::Object(object) => format!("object {}", self.schema.object_info(object).name),
        };
        NoSuchAttribute { owner, name: name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_schema() {
        let schema = Schema::v1_8();
        let class = schema.class("authentication").unwrap();
        let mut paths = Paths::new(schema);
        let groups = paths.intern(class, &["user", "groups", "name"]).unwrap();
        assert_eq!(paths.get(groups).unwrap().arrays, 1);
        assert_eq!(paths.intern(class, &["user", "groups", "name"]).unwrap(), groups);
        let severity = paths.intern(class, &["severity_id"]).unwrap();
        let sibling = paths.get(severity).unwrap().sibling.unwrap();
        assert_eq!(paths.text(sibling), "severity");
        let fault = paths.intern(class, &["user", "shoe_size"]).unwrap_err();
        assert_eq!((fault.owner.as_str(), fault.name.as_str()), ("object user", "shoe_size"));
        assert!(paths.intern(class, &["user", "name", "x"]).is_err());
    }

    #[test]
    fn indices_keep_their_order() {
        let a = Indices::default().with(0, 3).with(1, 7);
        assert_eq!((a.get(0), a.get(1), a.get(2)), (3, 7, 0));
        assert!(a < a.with(0, 4) && a < a.with(1, 8));
        assert_eq!(a.with(4, 4_095).above(2), a);
        assert_eq!(a.above(1), Indices::default().with(0, 3));
        assert_eq!(a.above(0), Indices::default());
    }
}
