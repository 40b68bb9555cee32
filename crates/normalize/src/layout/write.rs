//! A tree as steps.

use std::collections::BTreeMap;

use watchfloor_model::Diagnostic;
use watchfloor_ocsf::{ClassId, EnumId, Owner, Schema, Type};

use super::check::Checker;
use super::tree::{Branch, Object, build};
use super::{Layout, Step, Wish};
use crate::event::Entry;
use crate::json::write_str;
use crate::paths::{PathId, Paths};

/// Lays an event out: as the class that was wished for, or as a base event if that class is incomplete.
pub(super) fn lay_out(schema: &'static Schema, paths: &Paths, wish: Wish, entries: &[Entry]) -> Layout {
    let base = schema.class("base_event").unwrap_or(wish.class);
    let mut diagnostics = Vec::new();
    if let Some(layout) = try_class(schema, paths, wish, entries, &mut diagnostics) {
        return layout;
    }
    let caption = &schema.class_info(wish.class).name;
    let reason = diagnostics.pop().map_or(String::new(), |last: Diagnostic| last.message.into_owned());
    diagnostics = vec![Diagnostic::warning(
        "ocsf.incomplete_class",
        format!("the event lacks what class `{caption}` requires ({reason}); it stays a base event"),
    )];
    let fallback = Wish { class: base, ..wish };
    try_class(schema, paths, fallback, entries, &mut diagnostics).unwrap_or(Layout {
        class: base,
        steps: Vec::new(),
        text: String::new(),
        moved: Vec::new(),
        filled: Vec::new(),
        activity: None,
        activities: None,
        diagnostics,
    })
}

fn try_class(
    schema: &'static Schema,
    paths: &Paths,
    wish: Wish,
    entries: &[Entry],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Layout> {
    let (mut root, homeless) = build(schema, paths, wish.class, entries);
    let mut checker = Checker { schema, profiles: 0, moved: homeless, diagnostics: std::mem::take(diagnostics) };
    if !checker.settle(&mut root) {
        let lack = lack_of_class(schema, &root);
        checker.diagnostics.push(Diagnostic::warning("ocsf.incomplete_class", lack));
        *diagnostics = checker.diagnostics;
        return None;
    }
    add_captions(schema, &mut root);
    let activity = match root.members.get("activity_id") {
        Some(Branch::Leaf(number)) => Some(*number),
        _ => None,
    };
    let activities = schema.attr(root.owner, "activity_id").and_then(|attr| attr.enumeration);
    let mut writer =
        Writer { schema, paths, entries, text: String::new(), start: 0, steps: Vec::new(), observed: Vec::new() };
    writer.event(&root, wish, checker.profiles);
    Some(Layout {
        class: wish.class,
        steps: writer.steps,
        text: writer.text,
        filled: filled(entries, &checker.moved),
        moved: checker.moved,
        activity,
        activities,
        diagnostics: checker.diagnostics,
    })
}

/// The paths of the entries that did not move, each once.
fn filled(entries: &[Entry], moved: &[u32]) -> Vec<PathId> {
    let kept = entries.iter().enumerate().filter(|(number, _)| !moved.contains(&(*number as u32)));
    let mut paths: Vec<PathId> = kept.map(|(_, entry)| entry.path).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn lack_of_class(schema: &Schema, root: &Object) -> String {
    let missing: Vec<_> = schema
        .attrs(root.owner)
        .iter()
        .filter(|attr| attr.requirement == watchfloor_ocsf::Requirement::Required && attr.profiles == 0)
        .filter(|attr| !root.members.contains_key(&attr.name) && !super::check::ENGINE.contains(&attr.name.as_str()))
        .map(|attr| attr.name.as_str())
        .collect();
    if missing.is_empty() { "a constraint is not met".into() } else { missing.join(", ") }
}

/// Puts captions beside members.
fn add_captions(schema: &Schema, object: &mut Object) {
    let names: Vec<String> = object.members.keys().cloned().collect();
    for name in names {
        let Some(attr) = schema.attr(object.owner, &name) else { continue };
        let sibling = attr.sibling.clone().filter(|sibling| schema.attr(object.owner, sibling).is_some());
        let is_number = attr.enumeration.is_some_and(|id| !schema.enumeration(id).is_text());
        if let (Some(sibling), true) = (sibling, is_number) {
            let word = object.members.get(&sibling).cloned();
            // The source has a word and the mapping no member for it: that is Other.
            let other = attr.enumeration.is_some_and(|id| schema.enumeration(id).has(99));
            if let (Some(member @ Branch::Unknown), Some(Branch::Leaf(_)), true) =
                (object.members.get_mut(&name), &word, other)
            {
                *member = Branch::Fixed("99".into());
                continue;
            }
            if let Some(caption) = object.members.get(&name).and_then(|branch| caption(branch, word.as_ref())) {
                object.members.insert(sibling, caption);
            }
        }
        match object.members.get_mut(&name) {
            Some(Branch::Object(inner)) => add_captions(schema, inner),
            Some(Branch::Array(elements)) => {
                for element in elements.values_mut() {
                    if let Branch::Object(inner) = element {
                        add_captions(schema, inner);
                    }
                }
            }
            _ => {}
        }
    }
}

fn caption(member: &Branch, word: Option<&Branch>) -> Option<Branch> {
    match (member, word) {
        (Branch::Leaf(number), Some(Branch::Leaf(word))) => Some(Branch::Caption(Some(*number), Some(*word))),
        (Branch::Leaf(number), _) => Some(Branch::Caption(Some(*number), None)),
        (Branch::Unknown, _) => Some(Branch::Caption(None, None)),
        (Branch::Array(members), words) => {
            let mut captions = BTreeMap::new();
            for (index, member) in members {
                let word = match words {
                    Some(Branch::Array(words)) => words.get(index),
                    _ => None,
                };
                captions.insert(*index, caption(member, word)?);
            }
            Some(Branch::Array(captions))
        }
        _ => None,
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    paths: &'a Paths,
    entries: &'a [Entry],
    text: String,
    start: usize,
    steps: Vec<Step>,
    /// Observables: path, type, entry.
    observed: Vec<(String, u8, u32)>,
}

impl Writer<'_> {
    fn step(&mut self, step: Step) {
        self.flush();
        self.steps.push(step);
    }

    fn flush(&mut self) {
        if self.text.len() > self.start {
            self.steps.push(Step::Text(self.start as u32, self.text.len() as u32));
            self.start = self.text.len();
        }
    }

    fn event(&mut self, root: &Object, wish: Wish, profiles: u32) {
        let mut root = root.clone();
        for name in
            ["activity_id", "activity_name", "category_name", "category_uid", "class_name", "class_uid", "metadata"]
                .iter()
                .chain(&[
                    "observables",
                    "raw_data",
                    "raw_data_hash",
                    "raw_data_size",
                    "time",
                    "type_name",
                    "type_uid",
                    "unmapped",
                ])
        {
            // Placeholders keep the engine's attributes in their alphabetical place.
            root.members.entry((*name).to_owned()).or_insert_with(|| Branch::Fixed(String::new()));
        }
        self.collect_observables(&root);
        self.text.push('{');
        let mut first = true;
        for (name, branch) in &root.members {
            if name == "unmapped" {
                self.step(Step::Unmapped);
                continue;
            }
            if !self.wanted(&root, name, branch, wish) {
                continue;
            }
            if !first {
                self.text.push(',');
            }
            first = false;
            self.key(name);
            self.root_member(&root, name, branch, wish.class, profiles);
        }
        self.text.push('}');
        self.flush();
    }

    fn wanted(&self, root: &Object, name: &str, branch: &Branch, wish: Wish) -> bool {
        match name {
            "raw_data" => wish.raw,
            "observables" => !self.observed.is_empty(),
            "activity_name" => !matches!(branch, Branch::Fixed(_)) || self.schema.attr(root.owner, name).is_some(),
            _ => true,
        }
    }

    fn root_member(&mut self, root: &Object, name: &str, branch: &Branch, class: ClassId, profiles: u32) {
        let info = self.schema.class_info(class);
        let (uid, caption) = (info.uid, info.caption.clone());
        let (category, category_name) = (info.category_uid, info.category_name.clone());
        match name {
            "category_uid" => self.text.push_str(&category.to_string()),
            "category_name" => write_str(&mut self.text, &category_name),
            "class_uid" => self.text.push_str(&uid.to_string()),
            "class_name" => write_str(&mut self.text, &caption),
            "type_uid" => self.step(Step::TypeUid),
            "type_name" => self.step(Step::TypeName),
            "raw_data" => self.step(Step::Raw),
            "raw_data_size" => self.step(Step::RawSize),
            "raw_data_hash" => {
                self.text.push_str("{\"algorithm\":\"SHA-256\",\"algorithm_id\":3,\"value\":\"");
                self.step(Step::RawHash);
                self.text.push_str("\"}");
            }
            "time" if matches!(branch, Branch::Fixed(_)) => self.step(Step::Received),
            "activity_id" if matches!(branch, Branch::Fixed(_)) => self.text.push('0'),
            "activity_name" if matches!(branch, Branch::Fixed(_)) => self.text.push_str("\"Unknown\""),
            "metadata" => self.metadata(branch, profiles),
            "observables" => self.observables(),
            _ => self.branch(root.owner, name, branch),
        }
    }

    fn key(&mut self, name: &str) {
        write_str(&mut self.text, name);
        self.text.push(':');
    }

    fn metadata(&mut self, branch: &Branch, profiles: u32) {
        let owner = self.schema.object("metadata").map_or(Owner::Class(ClassId::default()), Owner::Object);
        let mut object = match branch {
            Branch::Object(object) => object.clone(),
            _ => Object::new(owner),
        };
        let mut version = String::new();
        write_str(&mut version, self.schema.version_text());
        object.members.insert("version".into(), Branch::Fixed(version));
        if profiles != 0 {
            let names: Vec<String> = self
                .schema
                .profiles_of(profiles)
                .map(|name| {
                    let mut quoted = String::new();
                    write_str(&mut quoted, name);
                    quoted
                })
                .collect();
            object.members.insert("profiles".into(), Branch::Fixed(format!("[{}]", names.join(","))));
        }
        object.members.insert("processed_time".into(), Branch::Fixed(String::new()));
        self.text.push('{');
        for (i, (name, branch)) in object.members.iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            self.key(name);
            match (name.as_str(), branch) {
                ("processed_time", _) => self.step(Step::Received),
                _ => self.branch(owner, name, branch),
            }
        }
        self.text.push('}');
    }

    fn branch(&mut self, owner: Owner, name: &str, branch: &Branch) {
        let enumeration = self.schema.attr(owner, name).and_then(|attr| attr.enumeration);
        match branch {
            Branch::Leaf(number) => self.leaf(*number, enumeration),
            Branch::Unknown => self.text.push('0'),
            Branch::Fixed(text) => self.text.push_str(text),
            Branch::Caption(member, word) => {
                let members = self.member_enumeration(owner, name);
                match (member, members) {
                    (Some(number), Some(members)) => self.step(Step::Caption(*number, members, *word)),
                    _ => self.text.push_str("\"Unknown\""),
                }
            }
            Branch::Object(object) => self.object(object),
            Branch::Array(elements) => {
                self.text.push('[');
                for (i, element) in elements.values().enumerate() {
                    if i > 0 {
                        self.text.push(',');
                    }
                    self.branch(owner, name, element);
                }
                self.text.push(']');
            }
        }
    }

    /// The enumeration whose captions stand in an attribute.
    fn member_enumeration(&self, owner: Owner, sibling: &str) -> Option<EnumId> {
        let attrs = self.schema.attrs(owner).iter();
        attrs.filter(|attr| attr.sibling.as_deref() == Some(sibling)).find_map(|attr| attr.enumeration)
    }

    fn leaf(&mut self, number: u32, enumeration: Option<EnumId>) {
        match enumeration {
            Some(id) if !self.schema.enumeration(id).is_text() => self.step(Step::Member(number, id)),
            _ => self.step(Step::Value(number)),
        }
    }

    fn object(&mut self, object: &Object) {
        self.text.push('{');
        for (i, (name, branch)) in object.members.iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            self.key(name);
            self.branch(object.owner, name, branch);
        }
        self.text.push('}');
    }

    fn collect_observables(&mut self, object: &Object) {
        for branch in object.members.values() {
            match branch {
                Branch::Leaf(number) => self.observe(*number),
                Branch::Object(inner) => self.collect_observables(inner),
                Branch::Array(elements) => {
                    for element in elements.values() {
                        match element {
                            Branch::Leaf(number) => self.observe(*number),
                            Branch::Object(inner) => self.collect_observables(inner),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn observe(&mut self, number: u32) {
        let Some(path) = self.entries.get(number as usize).and_then(|entry| self.paths.get(entry.path)) else { return };
        let leaf = path.leaf;
        if leaf.observable != 0 && leaf.ty != Type::Object && leaf.ty != Type::Json {
            self.observed.push((path.text.clone(), leaf.observable, number));
        }
    }

    fn observables(&mut self) {
        self.text.push('[');
        for (i, (path, ty, number)) in std::mem::take(&mut self.observed).into_iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            self.text.push_str("{\"name\":");
            write_str(&mut self.text, &path);
            self.text.push_str(",\"type\":");
            write_str(&mut self.text, self.schema.observable_name(ty));
            self.text.push_str(&format!(",\"type_id\":{ty},\"value\":"));
            self.step(Step::Quoted(number));
            self.text.push('}');
        }
        self.text.push(']');
    }
}
