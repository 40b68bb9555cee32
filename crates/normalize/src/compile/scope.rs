//! What is known while one mapping is compiled: its fields, names, and the classes an attribute may belong to.

use watchfloor_decode::Format;
use watchfloor_ocsf::{ClassId, EnumId};

use super::{Library, format_of};
use crate::fields::{Slot, Trie};
use crate::language::syntax::{Block, Condition, Mapping, Names, Statement, StatementKind};
use crate::language::{At, Fault};
use crate::paths::{Leaf, PathId};
use crate::plan::{PackId, Plan};

/// Most `let` names and captures in one mapping.
const NAMES_MAX: usize = 250;

pub(super) struct Scope<'a> {
    pub(super) library: &'a mut Library,
    trie: Trie,
    names: Option<&'a Names>,
    pub(super) locals: Vec<String>,
    pub(super) captures: Vec<String>,
    /// Classes that may have been chosen where the compiler stands, likeliest first.
    pub(super) classes: Vec<ClassId>,
    /// Classes named anywhere in the mapping: an attribute may be set before its class is chosen.
    mentioned: Vec<ClassId>,
    /// Attribute steps of the enclosing `each` and `add`.
    pub(super) nest: Vec<String>,
    pub(super) in_element: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn new(library: &'a mut Library, trie: Trie, names: Option<&'a Names>, body: &[Statement]) -> Self {
        let base: Vec<ClassId> = library.schema.class("base_event").into_iter().collect();
        let mut scope = Self {
            library,
            trie,
            names,
            locals: Vec::new(),
            captures: Vec::new(),
            classes: base,
            mentioned: Vec::new(),
            nest: Vec::new(),
            in_element: false,
        };
        scope.mention(body);
        scope
    }

    pub(super) fn into_trie(self) -> Trie {
        self.trie
    }

    pub(super) fn plan(&mut self, mapping: &Mapping, pack: PackId) -> Result<Plan, Fault> {
        let detect = match mapping.detect.as_slice() {
            [] => None,
            [one] => Some(self.condition(one)?),
            many => Some(self.condition(&Condition::Any(many.to_vec()))?),
        };
        let formats: Result<Vec<Format>, Fault> =
            mapping.formats.iter().map(|(name, at)| format_of(name, *at)).collect();
        let ops = self.block(&mapping.body)?;
        Ok(Plan {
            pack,
            formats: formats?,
            absent: mapping.absent.iter().map(|text| text.as_str().into()).collect(),
            detect,
            ops,
            locals: self.locals.len(),
            captures: std::mem::take(&mut self.captures),
        })
    }

    fn mention(&mut self, body: &[Statement]) {
        for statement in body {
            if let StatementKind::Class { name, .. } = &statement.kind
                && let Some(class) = self.library.schema.class(name)
                && !self.mentioned.contains(&class)
            {
                self.mentioned.push(class);
            }
            for block in blocks(&statement.kind) {
                self.mention(block);
            }
        }
    }

    pub(super) fn slot(&mut self, path: &[String]) -> Slot {
        self.trie.slot(&mut self.library.keys, self.names, path)
    }

    pub(super) fn local(&mut self, name: &str) -> Option<u8> {
        number(&mut self.locals, name)
    }

    pub(super) fn capture(&mut self, name: &str) -> Option<u8> {
        number(&mut self.captures, name)
    }

    /// The classes to look an attribute up in, likeliest first.
    fn candidates(&self) -> Vec<ClassId> {
        let mut all = self.classes.clone();
        all.extend(self.mentioned.iter().filter(|class| !self.classes.contains(class)));
        all
    }

    /// Interns a target path, relative to the enclosing `each` or `add`.
    pub(super) fn attribute(&mut self, steps: &[&str], at: At) -> Result<(PathId, Leaf), Fault> {
        let nest = self.nest.clone();
        let full: Vec<&str> = nest.iter().map(String::as_str).chain(steps.iter().copied()).collect();
        let mut first = None;
        for class in self.candidates() {
            match self.library.paths.resolve(class, &full) {
                Ok(leaf) => {
                    let id =
                        self.library.paths.intern(class, &full).map_err(|_| Fault::new(at, "too many attributes"))?;
                    let arrays = self.library.paths.get(id).map_or(0, |path| path.arrays);
                    if usize::from(arrays) > crate::paths::ARRAYS_MAX {
                        return Err(Fault::new(at, "this attribute lies in more arrays than an event can hold"));
                    }
                    return Ok((id, leaf));
                }
                Err(missing) => {
                    first.get_or_insert(missing);
                }
            }
        }
        let missing = first.map(|missing| format!("{} has no attribute `{}`", missing.owner, missing.name));
        Err(Fault::new(at, missing.unwrap_or_else(|| "no class is chosen".into())))
    }

    /// The member of an attribute's enumeration that a caption names, in the likeliest class that has it.
    pub(super) fn member(&self, steps: &[&str], caption: &str, at: At) -> Result<(i64, EnumId), Fault> {
        let full: Vec<&str> = self.nest.iter().map(String::as_str).chain(steps.iter().copied()).collect();
        let mut tried = Vec::new();
        for class in self.candidates() {
            let Ok(leaf) = self.library.paths.resolve(class, &full) else { continue };
            let Some(id) = leaf.enumeration else { continue };
            let enumeration = self.library.schema.enumeration(id);
            if let Some(member) = enumeration.by_caption(caption) {
                return Ok((member, id));
            }
            if tried.is_empty() {
                tried = enumeration.numbers().map(|(_, caption)| format!("@{}", squeezed(caption))).collect();
            }
        }
        let target = full.join(".");
        if tried.is_empty() {
            return Err(Fault::new(at, format!("`{target}` is no enumeration, so `@{caption}` means nothing")));
        }
        Err(Fault::new(at, format!("`{target}` has no member `@{caption}`; it has {}", tried.join(", "))))
    }
}

fn squeezed(caption: &str) -> String {
    caption.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn number(names: &mut Vec<String>, name: &str) -> Option<u8> {
    if let Some(known) = names.iter().position(|known| known == name) {
        return Some(known as u8);
    }
    if names.len() >= NAMES_MAX {
        return None;
    }
    names.push(name.to_owned());
    Some((names.len() - 1) as u8)
}

fn blocks(kind: &StatementKind) -> Vec<&Block> {
    match kind {
        StatementKind::When { arms, otherwise } => arms.iter().map(|(_, block)| block).chain([otherwise]).collect(),
        StatementKind::Switch { arms, otherwise, .. } => {
            arms.iter().map(|(_, block)| block).chain([otherwise]).collect()
        }
        StatementKind::Match { arms, otherwise, .. } => {
            arms.iter().map(|(_, block)| block).chain([otherwise]).collect()
        }
        StatementKind::Each { body, .. } | StatementKind::Add { body, .. } => vec![body],
        _ => Vec::new(),
    }
}
