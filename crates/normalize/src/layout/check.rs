//! What the schema demands of a tree, and what happens where it is not met.
//!
//! - A required enumeration that nothing set becomes 0, Unknown.
//! - A profile whose own required attributes are missing cannot be claimed: attributes that only it brings move to `unmapped`.
//! - An object that lacks what is required of it moves to `unmapped`, unless its parent requires it: then the parent is
//!   incomplete as well, up to the class, which then becomes a base event.

use watchfloor_model::Diagnostic;
use watchfloor_ocsf::{Attr, Constraint, Owner, Requirement, Schema, Type};

use super::tree::{Branch, Object, leaves};

/// Attributes that the engine adds to every event.
pub(super) const ENGINE: &[&str] = &["category_uid", "class_uid", "type_uid", "time", "metadata"];

pub(super) struct Checker<'a> {
    pub(super) schema: &'a Schema,
    /// Profiles claimed.
    pub(super) profiles: u32,
    pub(super) moved: Vec<u32>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Settles profiles and completes the tree; `false` if the class itself is incomplete.
    pub(super) fn settle(&mut self, root: &mut Object) -> bool {
        self.claim_profiles(root);
        self.complete(root, "").is_ok()
    }

    /// Claims the profiles that the attributes need, dropping those whose own required attributes are missing.
    fn claim_profiles(&mut self, root: &mut Object) {
        let Owner::Class(class) = root.owner else { return };
        let allowed = self.schema.class_info(class).profiles;
        loop {
            self.profiles = 0;
            let mut needed = 0;
            claim(self.schema, root, allowed, &mut needed);
            let lacking = (0..32)
                .map(|bit| 1_u32 << bit)
                .find(|bit| needed & bit != 0 && (allowed & bit == 0 || self.lacks(root, *bit)));
            let Some(lacking) = lacking else {
                self.profiles = needed;
                return;
            };
            let before = self.moved.len();
            self.drop_profile(root, lacking);
            let name = self.schema.profiles_of(lacking).next().unwrap_or_default().to_owned();
            self.diagnostics.push(Diagnostic::note(
                "ocsf.incomplete_profile",
                format!("profile `{name}` lacks a required attribute; what only it has moves to `unmapped`"),
            ));
            if self.moved.len() == before {
                // Nothing depends on it alone: it is simply not claimed.
                self.profiles = needed & !lacking;
                return;
            }
        }
    }

    /// Whether a class with this profile requires an attribute that is not there.
    fn lacks(&self, root: &Object, bit: u32) -> bool {
        let attrs = self.schema.attrs(root.owner).iter();
        attrs
            .filter(|attr| attr.profiles & bit != 0 && attr.requirement == Requirement::Required)
            .any(|attr| !root.members.contains_key(&attr.name) && !defaults(self.schema, attr))
    }

    fn drop_profile(&mut self, object: &mut Object, bit: u32) {
        let names: Vec<String> = object.members.keys().cloned().collect();
        for name in names {
            let only = self.schema.attr(object.owner, &name).is_some_and(|attr| attr.profiles == bit);
            if only {
                if let Some(branch) = object.members.remove(&name) {
                    leaves(&branch, &mut self.moved);
                }
            } else if let Some(branch) = object.members.get_mut(&name) {
                match branch {
                    Branch::Object(inner) => self.drop_profile(inner, bit),
                    Branch::Array(elements) => {
                        for element in elements.values_mut() {
                            if let Branch::Object(inner) = element {
                                self.drop_profile(inner, bit);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Completes an object from the inside out; the error says what it lacks.
    fn complete(&mut self, object: &mut Object, at: &str) -> Result<(), String> {
        let names: Vec<String> = object.members.keys().cloned().collect();
        for name in names {
            let Some(branch) = object.members.get_mut(&name) else { continue };
            let inner_at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            let keep = match branch {
                Branch::Object(inner) => match self.complete(inner, &inner_at) {
                    Ok(()) => true,
                    Err(lack) => self.incomplete(branch, &inner_at, &lack),
                },
                Branch::Array(elements) => {
                    for element in elements.values_mut() {
                        if let Branch::Object(inner) = element
                            && let Err(lack) = self.complete(inner, &inner_at)
                        {
                            self.incomplete(element, &inner_at, &lack);
                        }
                    }
                    elements.retain(|_, element| !matches!(element, Branch::Object(inner) if inner.members.is_empty()));
                    !elements.is_empty()
                }
                _ => true,
            };
            if !keep {
                object.members.remove(&name);
            }
        }
        self.require(object)
    }

    /// Moves an incomplete object's attributes to `unmapped`.
    fn incomplete(&mut self, branch: &mut Branch, at: &str, lack: &str) -> bool {
        leaves(branch, &mut self.moved);
        if let Branch::Object(inner) = branch {
            inner.members.clear();
        }
        self.diagnostics
            .push(Diagnostic::note("ocsf.incomplete_object", format!("`{at}` lacks {lack} and moves to `unmapped`")));
        false
    }

    fn is_metadata(&self, owner: Owner) -> bool {
        matches!(owner, Owner::Object(id) if self.schema.object_info(id).name == "metadata")
    }

    fn require(&self, object: &mut Object) -> Result<(), String> {
        let is_class = matches!(object.owner, Owner::Class(_));
        for attr in self.schema.attrs(object.owner) {
            let by_profile = attr.profiles != 0 && attr.profiles & self.profiles == 0;
            if attr.requirement != Requirement::Required || by_profile || object.members.contains_key(&attr.name) {
                continue;
            }
            if is_class && ENGINE.contains(&attr.name.as_str())
                || !is_class && attr.name == "version" && self.is_metadata(object.owner)
            {
                continue;
            }
            if !defaults(self.schema, attr) {
                return Err(format!("`{}`", attr.name));
            }
            object.members.insert(attr.name.clone(), Branch::Unknown);
        }
        for constraint in self.schema.constraints(object.owner) {
            let (names, at_least) = match constraint {
                Constraint::AtLeastOne(names) => (names, true),
                Constraint::JustOne(names) => (names, false),
            };
            let present = names.iter().filter(|name| object.members.contains_key(*name)).count();
            if at_least && present == 0 || !at_least && present != 1 {
                return Err(format!("{} of `{}`", if at_least { "one" } else { "exactly one" }, names.join("`, `")));
            }
        }
        Ok(())
    }
}

/// Whether a missing attribute can say "Unknown" by itself.
fn defaults(schema: &Schema, attr: &Attr) -> bool {
    let is_number = matches!(attr.ty, Type::Integer | Type::Long);
    is_number && !attr.is_array && attr.enumeration.is_some_and(|id| schema.enumeration(id).has(0))
}

/// The profiles that the members of a tree need, taking those that are needed anyway first.
fn claim(schema: &Schema, object: &Object, allowed: u32, needed: &mut u32) {
    for (name, branch) in &object.members {
        if let Some(attr) = schema.attr(object.owner, name)
            && attr.profiles != 0
            && attr.profiles & *needed == 0
        {
            let choice = if attr.profiles & allowed != 0 { attr.profiles & allowed } else { attr.profiles };
            *needed |= choice & choice.wrapping_neg();
        }
        match branch {
            Branch::Object(inner) => claim(schema, inner, allowed, needed),
            Branch::Array(elements) => {
                for element in elements.values() {
                    if let Branch::Object(inner) = element {
                        claim(schema, inner, allowed, needed);
                    }
                }
            }
            _ => {}
        }
    }
}
