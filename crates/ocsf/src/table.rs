//! The format of a schema table.
//!
//! A line is a record, its fields stand between tabs, the first says its kind. Lines with `#` and empty lines are skipped. Numbers that
//! refer to enumerations and attributes count the lines of that kind from 0. Lists stand between commas. Order of kinds:
//!
//! | record | fields |
//! |---|---|
//! | `version` | version |
//! | `profile` | name |
//! | `type` | name, base type, check (`schema/checks.tsv`), max length, range `0..65535`, observable id |
//! | `enum` | `i` (numbers) or `s` (texts), then `value=caption` for each member |
//! | `attr` | name, type or `@object`, with `[]` behind it for a list, `r`equired / re`c`ommended / `o`ptional, enumeration, sibling, profiles, observable id, `d` if deprecated |
//! | `object` | name, caption, constraints, observable id, `d` if deprecated, attributes |
//! | `class` | name, caption, uid, category uid, category name, constraints, profiles, `d` if deprecated, attributes |
//!
//! Constraints: `any:a,b` (at least one) and `one:a,b` (just one), between semicolons. Empty fields are absent facts.
//! The captions of observable types are the enumeration of `observable.type_id`.

use std::collections::HashMap;
use std::fmt;

use crate::check::Check;
use crate::enumeration::Enumeration;
use crate::schema::{Attr, Class, ClassId, Constraint, EnumId, Object, ObjectId, Requirement, Schema, Type, TypeFacts};

/// Most profiles of a schema: one bit each.
pub const PROFILES_MAX: usize = 32;

/// Why a table could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "schema table, line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for TableError {}

pub(crate) fn parse(text: &str) -> Result<Schema, TableError> {
    let mut reader = Reader::default();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        reader.line(line).map_err(|message| TableError { line: at + 1, message })?;
    }
    Ok(reader.finish())
}

/// An attribute's definition and, by name, the object it refers to: that may stand further down.
type Definition<'t> = (Attr, Option<&'t str>);

#[derive(Default)]
struct Reader<'t> {
    schema: Schema,
    definitions: Vec<Definition<'t>>,
    /// Attributes of classes and objects by definition, resolved when every object has been read.
    class_attrs: Vec<&'t str>,
    object_attrs: Vec<&'t str>,
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &'t str) -> Result<(), String> {
        let mut fields = Fields { rest: Some(line) };
        match fields.next() {
            "version" => self.schema.version = fields.next().to_owned(),
            "profile" => self.profile(&mut fields)?,
            "type" => self.type_facts(&mut fields)?,
            "enum" => self.enumeration(&mut fields)?,
            "attr" => self.attr(&mut fields)?,
            "object" => self.object(&mut fields)?,
            "class" => self.class(&mut fields)?,
            kind => return Err(format!("unknown record `{kind}`")),
        }
        Ok(())
    }

    fn profile(&mut self, fields: &mut Fields<'t>) -> Result<(), String> {
        if self.schema.profiles.len() >= PROFILES_MAX {
            return Err(format!("more than {PROFILES_MAX} profiles"));
        }
        self.schema.profiles.push(fields.next().to_owned());
        Ok(())
    }

    fn type_facts(&mut self, fields: &mut Fields<'t>) -> Result<(), String> {
        let name = fields.next();
        let ty = Type::of(name).ok_or_else(|| format!("unknown type `{name}`"))?;
        fields.next();
        let check = fields.next();
        let facts = TypeFacts {
            check: Check::of(check).ok_or_else(|| format!("unknown check `{check}`"))?,
            max_len: fields.number()?,
            range: fields.range()?,
            observable: fields.number()?.unwrap_or(0),
        };
        if self.schema.types.is_empty() {
            self.schema.types = vec![TypeFacts::default(); Type::ALL.len()];
        }
        if let Some(slot) = self.schema.types.get_mut(ty as usize) {
            *slot = facts;
        }
        Ok(())
    }

    fn enumeration(&mut self, fields: &mut Fields<'t>) -> Result<(), String> {
        let kind = fields.next();
        let members = fields.rest.take().unwrap_or_default().split('\t');
        let mut pairs = members.filter_map(|member| member.split_once('='));
        let enumeration = if kind == "s" {
            Enumeration::of_texts(pairs.map(|(value, caption)| (value.to_owned(), caption.to_owned())).collect())
        } else {
            let numbers: Result<Vec<_>, String> = pairs.try_fold(Vec::new(), |mut all, (value, caption)| {
                let number = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
                all.push((number, caption.to_owned()));
                Ok(all)
            });
            Enumeration::of_numbers(numbers?)
        };
        self.schema.enumerations.push(enumeration);
        Ok(())
    }

    fn attr(&mut self, fields: &mut Fields<'t>) -> Result<(), String> {
        let name = fields.next().to_owned();
        let shape = fields.next();
        let (ty, is_array) = shape.strip_suffix("[]").map_or((shape, false), |ty| (ty, true));
        let object = ty.strip_prefix('@');
        let ty = if object.is_some() { Some(Type::Object) } else { Type::of(ty) };
        let ty = ty.ok_or_else(|| format!("unknown type `{shape}`"))?;
        let requirement = match fields.next() {
            "r" => Requirement::Required,
            "c" => Requirement::Recommended,
            "o" => Requirement::Optional,
            other => return Err(format!("unknown requirement `{other}`")),
        };
        let enumeration = fields.number()?.map(EnumId);
        let sibling = Some(fields.next()).filter(|name| !name.is_empty()).map(str::to_owned);
        let profiles = self.profile_mask(fields.next())?;
        let own: Option<u8> = fields.number()?;
        let observable = own.unwrap_or_else(|| self.schema.type_facts(ty).observable);
        let deprecated = fields.next() == "d";
        let attr = Attr {
            name,
            ty,
            is_array,
            requirement,
            object: None,
            enumeration,
            sibling,
            profiles,
            observable,
            deprecated,
        };
        self.definitions.push((attr, object));
        Ok(())
    }

    fn object(&mut self, fields: &mut Fields<'t>) -> Result<(), String> {
        self.schema.objects.push(Object {
            name: fields.next().to_owned(),
            caption: fields.next().to_owned(),
            constraints: constraints(fields.next())?,
            observable: fields.number()?.unwrap_or(0),
            deprecated: fields.next() == "d",
            attrs: Vec::new(),
        });
        self.object_attrs.push(fields.next());
        let names = self.schema.objects.iter().rev().take(2).map(|object| &object.name);
        if !names.rev().is_sorted() {
            return Err("objects are not in the order of their names".into());
        }
        Ok(())
    }

    fn class(&mut self, fields: &mut Fields<'t>) -> Result<(), String> {
        let class = Class {
            name: fields.next().to_owned(),
            caption: fields.next().to_owned(),
            uid: fields.number()?.ok_or("a class without uid")?,
            category_uid: fields.number()?.ok_or("a class without category uid")?,
            category_name: fields.next().to_owned(),
            constraints: constraints(fields.next())?,
            profiles: self.profile_mask(fields.next())?,
            deprecated: fields.next() == "d",
            attrs: Vec::new(),
        };
        if self.schema.classes.last().is_some_and(|last| last.name >= class.name) {
            return Err("classes are not in the order of their names".into());
        }
        self.schema.uids.push((class.uid, ClassId(self.schema.classes.len() as u16)));
        self.schema.classes.push(class);
        self.class_attrs.push(fields.next());
        Ok(())
    }

    fn profile_mask(&self, names: &str) -> Result<u32, String> {
        let mut mask = 0;
        for name in names.split(',').filter(|name| !name.is_empty()) {
            mask |= self.schema.profile_bit(name).ok_or_else(|| format!("unknown profile `{name}`"))?;
        }
        Ok(mask)
    }

    fn finish(self) -> Schema {
        let mut schema = self.schema;
        let ids: HashMap<String, ObjectId> = schema.objects().map(|(id, object)| (object.name.clone(), id)).collect();
        let definitions: Vec<Attr> = self
            .definitions
            .into_iter()
            .map(|(attr, object)| Attr { object: object.and_then(|name| ids.get(name).copied()), ..attr })
            .collect();
        let resolve = |list: &str| -> Vec<Attr> {
            let mut attrs: Vec<Attr> = list
                .split(',')
                .filter_map(|number| number.parse().ok())
                .filter_map(|number: usize| definitions.get(number).cloned())
                .collect();
            attrs.sort_by(|left, right| left.name.cmp(&right.name));
            attrs
        };
        for (object, list) in schema.objects.iter_mut().zip(&self.object_attrs) {
            object.attrs = resolve(list);
        }
        for (class, list) in schema.classes.iter_mut().zip(&self.class_attrs) {
            class.attrs = resolve(list);
        }
        schema.uids.sort_unstable();
        schema.observables = observables(&schema);
        schema
    }
}

fn observables(schema: &Schema) -> Vec<String> {
    let object = schema.object("observable").map(crate::schema::Owner::Object);
    let attr = object.and_then(|owner| schema.attr(owner, "type_id"));
    let Some(id) = attr.and_then(|attr| attr.enumeration) else { return Vec::new() };
    let members = schema.enumeration(id);
    (0..=i64::from(u8::MAX)).map(|id| members.caption(id).unwrap_or_default().to_owned()).collect()
}

fn constraints(text: &str) -> Result<Vec<Constraint>, String> {
    let mut found = Vec::new();
    for rule in text.split(';').filter(|rule| !rule.is_empty()) {
        let (kind, names) = rule.split_once(':').unwrap_or((rule, ""));
        let names = names.split(',').map(str::to_owned).collect();
        found.push(match kind {
            "any" => Constraint::AtLeastOne(names),
            "one" => Constraint::JustOne(names),
            _ => return Err(format!("unknown constraint `{kind}`")),
        });
    }
    Ok(found)
}

/// The fields of a line; behind the last one everything is empty.
struct Fields<'t> {
    rest: Option<&'t str>,
}

impl<'t> Fields<'t> {
    fn next(&mut self) -> &'t str {
        let Some(rest) = self.rest else { return "" };
        let (field, rest) = rest.split_once('\t').map_or((rest, None), |(field, rest)| (field, Some(rest)));
        self.rest = rest;
        field
    }

    fn number<N: std::str::FromStr>(&mut self) -> Result<Option<N>, String> {
        match self.next() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| format!("`{text}` is not a number that fits")),
        }
    }

    fn range(&mut self) -> Result<Option<(i64, i64)>, String> {
        let text = self.next();
        if text.is_empty() {
            return Ok(None);
        }
        let ends = text.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
        ends.map(Some).ok_or_else(|| format!("`{text}` is not a range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Owner, Version};

    #[test]
    fn every_embedded_table_parses() {
        for version in Version::ALL {
            let schema = Schema::version(version);
            assert_eq!(schema.version_text(), version.as_str());
            assert!(schema.classes().count() >= 50 && schema.objects().count() > 100);
            for (id, class) in schema.classes() {
                assert_eq!(schema.class(&class.name), Some(id));
                assert_eq!(schema.class_by_uid(class.uid), Some(id));
                assert!(class.attrs.iter().all(|attr| attr.object.is_some() == (attr.ty == Type::Object)));
            }
        }
    }

    #[test]
    fn facts_are_found() {
        let schema = Schema::v1_8();
        let class = schema.class("process_activity").unwrap();
        assert_eq!(schema.class_info(class).uid, 1007);
        assert_eq!(schema.class_info(class).category_name, "System Activity");
        let activity = schema.attr(Owner::Class(class), "activity_id").unwrap();
        assert_eq!(activity.requirement, Requirement::Required);
        assert_eq!(activity.sibling.as_deref(), Some("activity_name"));
        assert_eq!(schema.enumeration(activity.enumeration.unwrap()).by_caption("launch"), Some(1));
        let process = schema.attr(Owner::Class(class), "process").unwrap();
        assert_eq!(schema.object_info(process.object.unwrap()).observable, 25);
        let cmd_line = schema.attr(Owner::Object(process.object.unwrap()), "cmd_line").unwrap();
        assert_eq!(schema.observable_name(cmd_line.observable), "Command Line");
        assert_eq!(schema.observable_name(2), "IP Address");
        assert!(schema.attr(Owner::Class(class), "nonsense").is_none());
        assert_eq!(schema.profiles_of(schema.profile_bit("cloud").unwrap()).collect::<Vec<_>>(), ["cloud"]);
    }

    #[test]
    fn errors_name_the_line() {
        let table = [
            ("version\t1\nnonsense\tx", "schema table, line 2: unknown record `nonsense`"),
            ("attr\ta\tfoo_t\tr", "schema table, line 1: unknown type `foo_t`"),
            ("enum\ti\tx=y", "schema table, line 1: `x` is not a number"),
            ("type\tip_t\tstring_t\tipv7", "schema table, line 1: unknown check `ipv7`"),
        ];
        for (text, expected) in table {
            assert_eq!(Schema::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
