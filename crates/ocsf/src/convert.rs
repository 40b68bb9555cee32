//! One attempt at writing an event as one of another version; [`crate::export`] says by which rules.

use watchfloor_model::{Document, NodeId, Value};

use crate::export::{Loss, Why, can_be_unknown};
use crate::json_text::{separate, write_int, write_key, write_text, write_value};
use crate::problem::Place;
use crate::schema::{Attr, ClassId, Constraint, Owner, Requirement, Schema, Type};
use crate::validate::{OTHER, UNKNOWN, due_caption, int};

/// What the event's class decides, whatever the event says.
const DECIDED: [&str; 4] = ["class_uid", "category_uid", "type_uid", "activity_id"];

pub(crate) struct Conversion<'c> {
    from: &'c Schema,
    to: &'c Schema,
    doc: &'c Document,
    class: ClassId,
    profiles: u32,
    out: &'c mut String,
    lost: &'c mut Vec<Loss>,
    /// What goes to `unmapped`, by its path.
    moved: Vec<(String, NodeId)>,
    metadata: Option<NodeId>,
}

/// How far things were written, to go back to.
struct Mark {
    out: usize,
    lost: usize,
    moved: usize,
}

impl<'c> Conversion<'c> {
    pub(crate) fn new(
        from: &'c Schema,
        to: &'c Schema,
        doc: &'c Document,
        class: ClassId,
        profiles: u32,
        out: &'c mut String,
        lost: &'c mut Vec<Loss>,
    ) -> Self {
        let metadata = doc.child(0, "metadata");
        Self { from, to, doc, class, profiles, out, lost, moved: Vec::new(), metadata }
    }

    /// Writes the whole event.
    pub(crate) fn event(mut self, from_class: Option<ClassId>) -> Result<(), Why> {
        let uid = from_class.map(|class| self.from.class_info(class).uid);
        if uid != Some(self.to.class_info(self.class).uid) {
            for key in DECIDED {
                self.moved.extend(self.doc.child(0, key).map(|id| (key.to_owned(), id)));
            }
        }
        self.object(0, from_class.map(Owner::Class), Owner::Class(self.class), &Place::ROOT)
    }

    fn mark(&self) -> Mark {
        Mark { out: self.out.len(), lost: self.lost.len(), moved: self.moved.len() }
    }

    fn rewind(&mut self, mark: &Mark) {
        self.out.truncate(mark.out);
        self.lost.truncate(mark.lost);
        self.moved.truncate(mark.moved);
    }

    fn move_away(&mut self, id: NodeId, place: &Place<'_>, why: Why) {
        let path = place.path();
        self.moved.push((path.clone(), id));
        self.lost.push(Loss { path, why });
    }

    fn object(&mut self, id: NodeId, from: Option<Owner>, owner: Owner, place: &Place<'_>) -> Result<(), Why> {
        let (to, doc) = (self.to, self.doc);
        if to.attrs(owner).is_empty() {
            write_value(self.out, doc, id);
            return Ok(());
        }
        self.out.push('{');
        let mut written: Vec<&'c str> = Vec::new();
        for member in doc.children(id) {
            let key = doc.key(member);
            if id == 0 && key == "unmapped" {
                continue;
            }
            let place = place.member(key);
            let Some(attr) = to.attr(owner, key).filter(|attr| !written.contains(&attr.name.as_str())) else {
                self.move_away(member, &place, Why::NoAttribute);
                continue;
            };
            if attr.profiles != 0 && attr.profiles & self.profiles == 0 {
                self.move_away(member, &place, Why::NoProfile);
                continue;
            }
            let mark = self.mark();
            match self.member(id, member, from, owner, attr, &place) {
                Ok(true) => written.push(&attr.name),
                Ok(false) => {}
                Err(why) => {
                    self.rewind(&mark);
                    self.move_away(member, &place, why);
                }
            }
        }
        self.own_words(id, from, owner, &mut written);
        self.complete(id, owner, place, &mut written)?;
        if id == 0 {
            self.unmapped();
        }
        self.out.push('}');
        Ok(())
    }

    /// Writes one member with its key; says whether there was anything to write.
    fn member(
        &mut self,
        object: NodeId,
        id: NodeId,
        from: Option<Owner>,
        owner: Owner,
        attr: &Attr,
        place: &Place<'_>,
    ) -> Result<bool, Why> {
        if Some(object) == self.metadata && (attr.name == "version" || attr.name == "profiles") {
            return Ok(self.of_version(id, attr, place));
        }
        write_key(self.out, &attr.name);
        if let Some(caption) = self.due_sibling(object, owner, &attr.name) {
            if !self.says(id, caption) && !self.is_caption(object, id, from, &attr.name) {
                self.move_away(id, place, Why::NotTheCaption);
            }
            write_text(self.out, caption);
            return Ok(true);
        }
        if object == 0 && matches!(owner, Owner::Class(_)) && DECIDED.contains(&attr.name.as_str()) {
            let found = int(self.doc, id).unwrap_or(UNKNOWN);
            let number = self.decided(owner, attr, found).ok_or(Why::NotAMember { became: None })?;
            write_int(self.out, number);
            if int(self.doc, id).is_none() {
                self.move_away(id, place, Why::NotOfType(attr.ty));
            } else if attr.name == "activity_id" && number != found {
                self.lost.push(Loss { path: place.path(), why: Why::NotAMember { became: Some(number) } });
            }
            return Ok(true);
        }
        let inner = from.and_then(|owner| self.from.attr(owner, &attr.name)).and_then(|attr| attr.object);
        let inner = inner.map(Owner::Object);
        let is_list = self.doc.node(id).is_some_and(|node| node.value == Value::List);
        match (attr.is_array, is_list) {
            (true, true) => self.list(id, inner, attr, place)?,
            (true, false) => {
                self.out.push('[');
                self.value(id, inner, attr, place)?;
                self.out.push(']');
            }
            (false, true) if attr.ty != Type::Json => return Err(Why::NotOfType(attr.ty)),
            (false, _) => self.value(id, inner, attr, place)?,
        }
        Ok(true)
    }

    fn says(&self, id: NodeId, text: &str) -> bool {
        self.doc.str(id) == Some(text)
    }

    /// Whether a text is what the event's own version says of the number beside it; a caption that was reworded is no loss.
    fn is_caption(&self, object: NodeId, id: NodeId, from: Option<Owner>, name: &str) -> bool {
        let Some(owner) = from else { return false };
        let beside = self.from.attrs(owner).iter().filter(|attr| attr.sibling.as_deref() == Some(name));
        let mut captions = beside.filter_map(|attr| {
            let number = int(self.doc, self.doc.child(object, &attr.name)?)?;
            self.from.enumeration(attr.enumeration?).caption(number)
        });
        captions.any(|caption| self.says(id, caption))
    }

    /// `metadata.version` and `metadata.profiles`.
    fn of_version(&mut self, id: NodeId, attr: &Attr, place: &Place<'_>) -> bool {
        if attr.name == "version" {
            write_key(self.out, &attr.name);
            write_text(self.out, self.to.version_text());
            return true;
        }
        let is_kept = |name| self.to.profile_bit(name).is_some_and(|bit| bit & self.profiles != 0);
        if !self.doc.children(id).filter_map(|id| self.doc.str(id)).all(is_kept) {
            self.move_away(id, place, Why::NoProfile);
        }
        self.write_profiles()
    }

    fn write_profiles(&mut self) -> bool {
        if self.profiles == 0 {
            return false;
        }
        write_key(self.out, "profiles");
        self.out.push('[');
        for name in self.to.profiles_of(self.profiles) {
            separate(self.out);
            write_text(self.out, name);
        }
        self.out.push(']');
        true
    }

    fn list(&mut self, id: NodeId, inner: Option<Owner>, attr: &Attr, place: &Place<'_>) -> Result<(), Why> {
        self.out.push('[');
        let (mut kept, mut dropped) = (0, None);
        for (at, element) in self.doc.children(id).enumerate() {
            let mark = self.mark();
            let place = place.element(at);
            separate(self.out);
            match self.value(element, inner, attr, &place) {
                Ok(()) => kept += 1,
                Err(why) => {
                    self.rewind(&mark);
                    self.move_away(element, &place, why.clone());
                    dropped = Some(why);
                }
            }
        }
        self.out.push(']');
        match dropped {
            Some(why) if kept == 0 => Err(why),
            _ => Ok(()),
        }
    }

    fn value(&mut self, id: NodeId, inner: Option<Owner>, attr: &Attr, place: &Place<'_>) -> Result<(), Why> {
        let Some(node) = self.doc.node(id) else { return Err(Why::NotOfType(attr.ty)) };
        match (attr.ty, node.value) {
            (Type::Object, Value::Object) => {
                let object = attr.object.ok_or(Why::NoAttribute)?;
                return self.object(id, inner, Owner::Object(object), place);
            }
            (Type::Json, _)
            | (Type::Boolean, Value::Bool(_))
            | (Type::Float, Value::Int(_) | Value::Float(_) | Value::Number(_)) => write_value(self.out, self.doc, id),
            (ty, Value::Int(number)) if ty.is_integer() => return self.number(number, attr, place),
            (ty, Value::Text(span)) if ty.is_text() => return self.text(self.doc.text(span), attr),
            // A type that changed between versions: the same value in its other form.
            (ty, Value::Int(number)) if ty.is_text() => return self.text(&number.to_string(), attr),
            (ty, Value::Text(span)) if ty.is_integer() => {
                let number = self.doc.text(span).parse().map_err(|_| Why::NotOfType(ty))?;
                return self.number(number, attr, place);
            }
            (ty, _) => return Err(Why::NotOfType(ty)),
        }
        Ok(())
    }

    fn number(&mut self, number: i64, attr: &Attr, place: &Place<'_>) -> Result<(), Why> {
        let kept = self.known_member(attr, number).ok_or(Why::NotAMember { became: None })?;
        if let Some((low, high)) = self.to.type_facts(attr.ty).range
            && !(low..=high).contains(&kept)
        {
            return Err(Why::NotOfType(attr.ty));
        }
        if kept != number {
            self.lost.push(Loss { path: place.path(), why: Why::NotAMember { became: Some(kept) } });
        }
        write_int(self.out, kept);
        Ok(())
    }

    fn text(&mut self, text: &str, attr: &Attr) -> Result<(), Why> {
        if attr.enumeration.is_some_and(|id| !self.to.enumeration(id).has_text(text)) {
            return Err(Why::NotAMember { became: None });
        }
        self.to.check_text(attr.ty, text).map_err(|_| Why::NotOfType(attr.ty))?;
        write_text(self.out, text);
        Ok(())
    }

    /// The number itself, or what stands for it in this version.
    fn known_member(&self, attr: &Attr, number: i64) -> Option<i64> {
        let Some(id) = attr.enumeration else { return Some(number) };
        let members = self.to.enumeration(id);
        [number, OTHER, UNKNOWN].into_iter().find(|&candidate| members.has(candidate))
    }

    /// A number of the event's class.
    fn decided(&self, owner: Owner, attr: &Attr, number: i64) -> Option<i64> {
        let info = self.to.class_info(self.class);
        match attr.name.as_str() {
            "class_uid" => Some(i64::from(info.uid)),
            "category_uid" => Some(i64::from(info.category_uid)),
            "activity_id" => self.known_member(attr, number),
            _ => {
                let activity = self.doc.child(0, "activity_id").and_then(|id| int(self.doc, id)).unwrap_or(UNKNOWN);
                let activity = self.known_member(self.to.attr(owner, "activity_id")?, activity)?;
                Some(i64::from(info.uid) * 100 + activity)
            }
        }
    }

    /// What an enumerated number of this object becomes. What the class decides is always there in the end.
    fn becomes(&self, object: NodeId, owner: Owner, attr: &Attr) -> Option<i64> {
        let number = self.doc.child(object, &attr.name).and_then(|id| int(self.doc, id));
        if object == 0 && DECIDED.contains(&attr.name.as_str()) {
            return self.decided(owner, attr, number.unwrap_or(UNKNOWN));
        }
        self.known_member(attr, number?)
    }

    /// The caption that an attribute must have because it stands beside an enumerated number.
    fn due_sibling(&self, object: NodeId, owner: Owner, name: &str) -> Option<&'c str> {
        let attr = self.to.attrs(owner).iter().find(|attr| attr.sibling.as_deref() == Some(name) && !attr.is_array)?;
        // 1.1 calls the number `priority` the sibling of `priority_id`.
        if !self.to.attr(owner, name)?.ty.is_text() {
            return None;
        }
        let number = self.becomes(object, owner, attr)?;
        due_caption(attr, self.to.enumeration(attr.enumeration?), number)
    }

    /// The captions of numbers that became Other, where the event had none beside them.
    fn own_words(&mut self, object: NodeId, from: Option<Owner>, owner: Owner, written: &mut Vec<&'c str>) {
        let (to, doc) = (self.to, self.doc);
        for attr in to.attrs(owner).iter().filter(|attr| attr.enumeration.is_some() && !attr.is_array) {
            let Some(sibling) = attr.sibling.as_deref().and_then(|name| to.attr(owner, name)) else { continue };
            let Some(number) = doc.child(object, &attr.name).and_then(|id| int(doc, id)) else { continue };
            let is_changed = self.becomes(object, owner, attr).is_some_and(|kept| kept != number);
            let is_free = sibling.ty == Type::String && !written.contains(&sibling.name.as_str());
            let is_there = sibling.profiles == 0 || sibling.profiles & self.profiles != 0;
            let members = from.and_then(|owner| self.from.attr(owner, &attr.name)).and_then(|attr| attr.enumeration);
            let word = self.due_sibling(object, owner, &sibling.name);
            let word = word.or_else(|| self.from.enumeration(members?).caption(number));
            if let Some(word) =
                word.filter(|_| is_changed && is_free && is_there && written.contains(&attr.name.as_str()))
            {
                write_key(self.out, &sibling.name);
                write_text(self.out, word);
                written.push(&sibling.name);
            }
        }
    }

    /// Fills what is required and can be filled; an error if something else is missing.
    fn complete(&mut self, id: NodeId, owner: Owner, place: &Place<'_>, written: &mut Vec<&'c str>) -> Result<(), Why> {
        let to = self.to;
        if Some(id) == self.metadata && !written.contains(&"profiles") && self.write_profiles() {
            written.push("profiles");
        }
        for attr in to.attrs(owner).iter().filter(|attr| attr.requirement == Requirement::Required) {
            let is_due = attr.profiles == 0 || attr.profiles & self.profiles != 0;
            if !is_due || written.contains(&attr.name.as_str()) {
                continue;
            }
            self.fill(id, owner, attr)?;
            self.lost.push(Loss { path: place.member(&attr.name).path(), why: Why::Filled });
            written.push(&attr.name);
        }
        for constraint in to.constraints(owner) {
            let present = |names: &[String]| names.iter().filter(|name| self.is_present(id, name, written)).count();
            match constraint {
                Constraint::AtLeastOne(names) if present(names) == 0 => {
                    return Err(Why::Incomplete(names.join(" or ")));
                }
                Constraint::JustOne(names) if present(names) != 1 => return Err(Why::Incomplete(names.join(" or "))),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a path leads to something that was written, not moved.
    fn is_present(&self, id: NodeId, path: &str, written: &[&str]) -> bool {
        let Some((first, _)) = path.split_once('.') else { return written.contains(&path) };
        let is_kept = |id: &NodeId| !self.moved.iter().any(|(_, moved)| moved == id);
        let end = path.split('.').try_fold(id, |id, key| self.doc.child(id, key).filter(is_kept));
        written.contains(&first) && end.is_some()
    }

    fn fill(&mut self, id: NodeId, owner: Owner, attr: &Attr) -> Result<(), Why> {
        if id == 0 && DECIDED.contains(&attr.name.as_str()) {
            let number = self.decided(owner, attr, UNKNOWN).ok_or(Why::NotAMember { became: None })?;
            write_key(self.out, &attr.name);
            write_int(self.out, number);
        } else if can_be_unknown(self.to, attr) {
            write_key(self.out, &attr.name);
            write_int(self.out, self.number_beside(id, attr));
        } else if attr.name == "vendor_name" && self.to.owner_name(owner) == "product" {
            write_key(self.out, &attr.name);
            write_text(self.out, "Unknown");
        } else {
            return Err(Why::Incomplete(attr.name.clone()));
        }
        Ok(())
    }

    /// The number for the word that stands beside it: Other for an own word, Unknown for none.
    fn number_beside(&self, object: NodeId, attr: &Attr) -> i64 {
        let (Some(sibling), Some(members)) = (&attr.sibling, attr.enumeration) else { return UNKNOWN };
        let members = self.to.enumeration(members);
        let Some(word) = self.doc.child(object, sibling).and_then(|id| self.doc.str(id)) else { return UNKNOWN };
        let known = members.numbers().find(|member| member.1 == word).map(|member| member.0);
        known.or_else(|| members.has(OTHER).then_some(OTHER)).unwrap_or(UNKNOWN)
    }

    fn unmapped(&mut self) {
        let (doc, old) = (self.doc, self.doc.child(0, "unmapped"));
        if old.is_none() && self.moved.is_empty() {
            return;
        }
        write_key(self.out, "unmapped");
        self.out.push('{');
        let mut keys: Vec<&str> = Vec::new();
        for member in old.into_iter().flat_map(|old| doc.children(old)) {
            write_key(self.out, doc.key(member));
            write_value(self.out, doc, member);
            keys.push(doc.key(member));
        }
        for (path, id) in &self.moved {
            let mut key = path.clone();
            while keys.contains(&key.as_str()) {
                key.push('_');
            }
            write_key(self.out, &key);
            write_value(self.out, doc, *id);
        }
        self.out.push('}');
    }
}
