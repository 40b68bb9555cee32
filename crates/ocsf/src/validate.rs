//! Whether an event is what its class says.
//!
//! The rules are those of the official JSON Schemas: no attribute that the class or object does not have; attributes that a profile brings
//! only where `metadata.profiles` lists it, and then the required ones must be there; types, enumerations, ranges, lengths, texts of
//! their type, constraints. On top of them what the schema says in prose: `type_uid` follows from class and activity, the text
//! beside an enumerated number is its caption, the version is this one. [`ProblemKind::is_structural`] tells the two apart.
//!
//! Where the JSON Schemas and this validator differ on purpose:
//! - an address must be one (see [`crate::check`]); theirs takes `1234567`;
//! - `1.0` is no integer, and an integer has 64 bits;
//! - `patch_state` wants one of `device.os.sp_name`, …: theirs looks for a key with dots, and no such event can be valid.

use watchfloor_model::{Document, NodeId, Value};

use crate::enumeration::Enumeration;
use crate::problem::{PROBLEMS_MAX, Place, Problem, ProblemKind};
use crate::schema::{Attr, ClassId, Constraint, Owner, Requirement, Schema, Type};

/// Members of enumerations that stand for a value without a number of its own.
pub(crate) const UNKNOWN: i64 = 0;
pub(crate) const OTHER: i64 = 99;

/// Everything that is wrong with an event, up to [`PROBLEMS_MAX`]; nothing if it is valid.
#[must_use]
pub fn validate(schema: &Schema, doc: &Document) -> Vec<Problem> {
    let mut check = Validation { schema, doc, class: "", profiles: 0, problems: Vec::new() };
    let root = Place::ROOT;
    match class_of(schema, doc) {
        Some(id) => {
            check.class = &schema.class_info(id).name;
            check.profiles(&root);
            check.object(0, Owner::Class(id), &root);
            check.event(id, &root);
        }
        None => check.report(&root.member("class_uid"), ProblemKind::UnknownClass, "it names no class".into()),
    }
    for key in doc.duplicates() {
        check.report(&root.member(doc.text(*key)), ProblemKind::DuplicateKey, "the key stands twice".into());
    }
    check.problems
}

/// The class of an event, by its `class_uid`.
pub(crate) fn class_of(schema: &Schema, doc: &Document) -> Option<ClassId> {
    schema.class_by_uid(u32::try_from(int(doc, doc.child(0, "class_uid")?)?).ok()?)
}

/// The whole number of a node.
pub(crate) fn int(doc: &Document, id: NodeId) -> Option<i64> {
    match doc.node(id)?.value {
        Value::Int(value) => Some(value),
        _ => None,
    }
}

/// The node at a path with dots.
pub(crate) fn at_path(doc: &Document, from: NodeId, path: &str) -> Option<NodeId> {
    path.split('.').try_fold(from, |id, key| doc.child(id, key))
}

struct Validation<'v> {
    schema: &'v Schema,
    doc: &'v Document,
    class: &'v str,
    profiles: u32,
    problems: Vec<Problem>,
}

impl<'v> Validation<'v> {
    fn report(&mut self, place: &Place<'_>, what: ProblemKind, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { path: place.path(), class: self.class.to_owned(), what, message });
        }
    }

    fn profiles(&mut self, root: &Place<'_>) {
        let doc = self.doc;
        let Some(list) = at_path(doc, 0, "metadata.profiles") else { return };
        for element in doc.children(list) {
            let Some(name) = doc.str(element) else { continue };
            match self.schema.profile_bit(name) {
                Some(bit) => self.profiles |= bit,
                None => {
                    let metadata = root.member("metadata");
                    let message = format!("there is no profile `{name}`");
                    self.report(&metadata.member("profiles"), ProblemKind::UnknownProfile, message);
                }
            }
        }
    }

    /// What concerns the event as a whole.
    fn event(&mut self, class: ClassId, root: &Place<'_>) {
        let doc = self.doc;
        let number = |key| doc.child(0, key).and_then(|id| int(doc, id));
        let uid = i64::from(self.schema.class_info(class).uid);
        if let (Some(activity), Some(found)) = (number("activity_id"), number("type_uid"))
            && uid.checked_mul(100).and_then(|base| base.checked_add(activity)) != Some(found)
        {
            let message = format!("{found} is not class_uid {uid} * 100 + activity_id {activity}");
            self.report(&root.member("type_uid"), ProblemKind::TypeUid, message);
        }
        let version = at_path(doc, 0, "metadata.version").and_then(|id| doc.str(id));
        if let Some(version) = version
            && version != self.schema.version_text()
        {
            let message = format!("{version} is not {}", self.schema.version_text());
            self.report(&root.member("metadata").member("version"), ProblemKind::Version, message);
        }
    }

    fn object(&mut self, id: NodeId, owner: Owner, place: &Place<'_>) {
        let (schema, doc) = (self.schema, self.doc);
        let attrs = schema.attrs(owner);
        if doc.node(id).is_none_or(|node| node.value != Value::Object) {
            self.report(place, ProblemKind::WrongType, "it is not an object".into());
            return;
        }
        if attrs.is_empty() {
            return;
        }
        for member in doc.children(id) {
            let key = doc.key(member);
            match schema.attr(owner, key) {
                Some(attr) => self.member(id, member, attr, &place.member(key)),
                None => {
                    let message = format!("{} has no such attribute", schema.owner_name(owner));
                    self.report(&place.member(key), ProblemKind::UnknownAttribute, message);
                }
            }
        }
        for attr in attrs.iter().filter(|attr| attr.requirement == Requirement::Required) {
            if self.is_selected(attr) && doc.child(id, &attr.name).is_none() {
                let message = format!("{} requires it", schema.owner_name(owner));
                self.report(&place.member(&attr.name), ProblemKind::MissingRequired, message);
            }
        }
        for constraint in schema.constraints(owner) {
            self.constraint(id, constraint, place);
        }
    }

    fn is_selected(&self, attr: &Attr) -> bool {
        attr.profiles == 0 || attr.profiles & self.profiles != 0
    }

    fn constraint(&mut self, id: NodeId, constraint: &Constraint, place: &Place<'_>) {
        let present = |names: &[String]| names.iter().filter(|name| at_path(self.doc, id, name).is_some()).count();
        let message = match constraint {
            Constraint::AtLeastOne(names) if present(names) == 0 => {
                format!("at least one of {} is due", names.join(", "))
            }
            Constraint::JustOne(names) if present(names) != 1 => format!("just one of {} is due", names.join(", ")),
            _ => return,
        };
        self.report(place, ProblemKind::Constraint, message);
    }

    fn member(&mut self, owner: NodeId, id: NodeId, attr: &Attr, place: &Place<'_>) {
        let doc = self.doc;
        if !self.is_selected(attr) {
            let names: Vec<&str> = self.schema.profiles_of(attr.profiles).collect();
            let message = format!("metadata.profiles lists none of {}", names.join(", "));
            self.report(place, ProblemKind::ProfileNotListed, message);
            return;
        }
        if attr.ty == Type::Json && !attr.is_array {
            return;
        }
        let is_list = doc.node(id).is_some_and(|node| node.value == Value::List);
        match (attr.is_array, is_list) {
            (true, true) => {
                for (at, element) in doc.children(id).enumerate() {
                    self.value(element, attr, &place.element(at));
                }
            }
            (true, false) => self.report(place, ProblemKind::ListShape, "a list is due".into()),
            (false, true) => self.report(place, ProblemKind::ListShape, "one value is due, not a list".into()),
            (false, false) => {
                self.value(id, attr, place);
                self.sibling(owner, id, attr, place);
            }
        }
    }

    fn value(&mut self, id: NodeId, attr: &Attr, place: &Place<'_>) {
        let Some(node) = self.doc.node(id) else { return };
        match (attr.ty, node.value) {
            (Type::Object, _) => match attr.object {
                Some(object) => self.object(id, Owner::Object(object), place),
                None => self.report(place, ProblemKind::WrongType, "its object is unknown".into()),
            },
            (Type::Json, _)
            | (Type::Boolean, Value::Bool(_))
            | (Type::Float, Value::Int(_) | Value::Float(_) | Value::Number(_)) => {}
            (ty, Value::Int(number)) if ty.is_integer() => self.number(number, attr, place),
            (ty, Value::Text(span)) if ty.is_text() => self.text(self.doc.text(span), attr, place),
            (ty, found) => {
                self.report(place, ProblemKind::WrongType, format!("{} where {ty} is due", kind_of(found)));
            }
        }
    }

    fn number(&mut self, number: i64, attr: &Attr, place: &Place<'_>) {
        if let Some(members) = attr.enumeration
            && !self.schema.enumeration(members).has(number)
        {
            self.report(place, ProblemKind::NotAMember, format!("{number} is not a member"));
        }
        if let Some((low, high)) = self.schema.type_facts(attr.ty).range
            && !(low..=high).contains(&number)
        {
            self.report(place, ProblemKind::OutOfRange, format!("{number} is not within {low} to {high}"));
        }
    }

    fn text(&mut self, text: &str, attr: &Attr, place: &Place<'_>) {
        if let Some(members) = attr.enumeration
            && !self.schema.enumeration(members).has_text(text)
        {
            self.report(place, ProblemKind::NotAMember, format!("`{text}` is not a member"));
        }
        if let Err(problem) = self.schema.check_text(attr.ty, text) {
            self.report(place, ProblemKind::BadText, problem.to_string());
        }
    }

    fn sibling(&mut self, owner: NodeId, id: NodeId, attr: &Attr, place: &Place<'_>) {
        let (Some(sibling), Some(members)) = (&attr.sibling, attr.enumeration) else { return };
        let members = self.schema.enumeration(members);
        let Some(number) = int(self.doc, id) else { return };
        let Some(text) = self.doc.child(owner, sibling).and_then(|id| self.doc.str(id)) else { return };
        if let Some(caption) = due_caption(attr, members, number)
            && caption != text
        {
            let message = format!("{sibling} is `{text}`, {number} means `{caption}`");
            self.report(place, ProblemKind::Sibling, message);
        }
    }
}

/// The text that the sibling of a number must have; none where it is the source's own word. A type's number is never without its
/// caption: 99 is a base event of another activity there.
pub(crate) fn due_caption<'m>(attr: &Attr, members: &'m Enumeration, number: i64) -> Option<&'m str> {
    let own_word = number == OTHER || (number == UNKNOWN && !members.has(OTHER));
    if own_word && attr.name != "type_uid" { None } else { members.caption(number) }
}

fn kind_of(value: Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "a number",
        Value::Float(_) => "a number with a fraction",
        Value::Number(_) => "a number beyond 64 bits",
        Value::Text(_) => "a text",
        Value::List => "a list",
        Value::Object => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read;
    use crate::schema::Version;
    use crate::specimen::specimen;

    #[test]
    fn specimens_of_every_class_are_valid() {
        for version in Version::ALL {
            let schema = Schema::version(version);
            for (id, class) in schema.classes() {
                for seed in 0..40 {
                    let text = specimen(schema, id, seed);
                    let problems = validate(schema, &read(&text).unwrap());
                    assert_eq!(problems, [], "{} {seed} {text}", class.name);
                }
            }
        }
    }

    const VALID: &str = r#"{"activity_id":1,"activity_name":"Logon","category_uid":3,"class_uid":3002,"severity_id":1,"time":1,
        "type_uid":300201,"user":{"name":"ada","type_id":1,"type":"User"},"service":{"name":"sshd"},
        "src_endpoint":{"ip":"10.0.0.1","port":22},"unmapped":{"a":[null]},
        "metadata":{"version":"1.8.0","product":{"name":"x"},"profiles":["host"]}}"#;

    fn check(schema: &Schema, text: &str, expected: &[&str]) {
        let problems = validate(schema, &read(text).unwrap());
        let found: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.path, problem.what.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn each_problem_is_found() {
        check(Schema::v1_8(), VALID, &[]);
        let table: [(&str, &str, &[&str]); 22] = [
            (r#""class_uid":3002"#, r#""class_uid":3999"#, &["class_uid unknown_class"]),
            (r#""class_uid":3002,"#, "", &["class_uid unknown_class"]),
            (r#""time":1"#, r#""time":"x""#, &["time wrong_type"]),
            (r#""time":1"#, r#""time":1.0"#, &["time wrong_type"]),
            (r#""time":1"#, r#""time":null"#, &["time wrong_type"]),
            (r#""time":1"#, r#""timely":1"#, &["timely unknown_attribute", "time missing_required"]),
            (r#""name":"ada""#, r#""nome":1"#, &["user.nome unknown_attribute", "user constraint"]),
            (r#""type_id":1"#, r#""type_id":77"#, &["user.type_id not_a_member"]),
            (r#""type":"User""#, r#""type":"user""#, &["user.type_id sibling"]),
            (r#""Logon""#, r#""Logoff""#, &["activity_id sibling"]),
            ("300201", "300202", &["type_uid type_uid"]),
            ("10.0.0.1", "10.0.0.256", &["src_endpoint.ip bad_text"]),
            ("22", "65536", &["src_endpoint.port out_of_range"]),
            ("22", "65535", &[]),
            (r#""category_uid":3"#, r#""category_uid":4"#, &["category_uid not_a_member"]),
            (r#""service":{"name":"sshd"},"#, "", &[" constraint"]),
            ("1.8.0", "1.7.0", &["metadata.version version"]),
            (r#""host""#, r#""hosts""#, &["metadata.profiles unknown_profile"]),
            (r#""host""#, r#""cloud""#, &["cloud missing_required"]),
            (r#""severity_id":1"#, r#""severity_id":1,"cloud":{"provider":"AWS"}"#, &["cloud profile_not_listed"]),
            (r#"["host"]"#, r#""host""#, &["metadata.profiles list_shape"]),
            (r#""name":"ada""#, r#""name":["ada"]"#, &["user.name list_shape"]),
        ];
        for (from, to, expected) in table {
            let text = VALID.replacen(from, to, 1);
            assert_ne!(text, VALID, "{from}");
            check(Schema::v1_8(), &text, expected);
        }
    }

    #[test]
    fn places_in_lists_are_named() {
        let text = VALID.replace(r#""time":1"#, r#""time":1,"observables":[{"type_id":2},{"type_id":"2"}]"#);
        check(Schema::v1_8(), &text, &["observables[1].type_id wrong_type"]);
    }

    #[test]
    fn problems_are_limited() {
        for (count, expected) in
            [(PROBLEMS_MAX - 1, PROBLEMS_MAX - 1), (PROBLEMS_MAX, PROBLEMS_MAX), (PROBLEMS_MAX + 1, PROBLEMS_MAX)]
        {
            let members: String = (0..count).map(|at| format!("\"x{at}\":1,")).collect();
            let text = VALID.replacen('{', &format!("{{{members}"), 1);
            assert_eq!(validate(Schema::v1_8(), &read(&text).unwrap()).len(), expected);
        }
    }
}
