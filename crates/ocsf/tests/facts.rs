//! The table against the compiled schema it was made from: every class, object, attribute, type and enumeration.
//!
//! The compiled schema is no part of the repository; without it (`../shared/data/conformance`) the test says so and passes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be, reads a file and takes the time"
)]

use std::path::Path;

use serde_json::{Map, Value};
use watchfloor_ocsf::{Attr, Constraint, Owner, Requirement, Schema};

fn compiled() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/conformance/ocsf-1.8.0.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            None
        }
    }
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn the_table_is_the_compiled_schema() {
    let Some(compiled) = compiled() else { return };
    let schema = Schema::v1_8();
    assert_eq!(schema.version_text(), compiled["version"]);
    assert_eq!(schema.profile_names().len(), members(&compiled["profiles"]).len());
    assert_eq!(schema.classes().count(), members(&compiled["classes"]).len());
    assert_eq!(schema.objects().count(), members(&compiled["objects"]).len());
    for (name, class) in members(&compiled["classes"]) {
        let id = schema.class(name).unwrap();
        let info = schema.class_info(id);
        let category = class["category_name"].as_str().unwrap_or("Uncategorized");
        assert_eq!(
            (info.caption.as_str(), info.category_name.as_str()),
            (class["caption"].as_str().unwrap(), category)
        );
        assert_eq!(u64::from(info.uid), class["uid"].as_u64().unwrap());
        assert_eq!(u64::from(info.category_uid), class["category_uid"].as_u64().unwrap());
        assert_eq!(schema.class_by_uid(info.uid), Some(id));
        let profiles: Vec<&str> = schema.profiles_of(info.profiles).collect();
        assert_eq!(profiles, strings(&class["profiles"]), "{name}");
        owner_matches(schema, Owner::Class(id), class);
    }
    for (name, object) in members(&compiled["objects"]) {
        let id = schema.object(name).unwrap();
        assert_eq!(u64::from(schema.object_info(id).observable), object["observable"].as_u64().unwrap_or(0), "{name}");
        owner_matches(schema, Owner::Object(id), object);
    }
}

fn owner_matches(schema: &Schema, owner: Owner, compiled: &Value) {
    let name = schema.owner_name(owner);
    let attributes = members(&compiled["attributes"]);
    assert_eq!(schema.attrs(owner).len(), attributes.len(), "{name}");
    for (key, attribute) in attributes {
        let attr = schema.attr(owner, key).unwrap();
        attr_matches(schema, attr, attribute, &format!("{name}.{key}"));
    }
    let due = compiled["constraints"].as_object().map_or(0, Map::len);
    assert_eq!(schema.constraints(owner).len(), due, "{name}");
    for constraint in schema.constraints(owner) {
        let (kind, names) = match constraint {
            Constraint::AtLeastOne(names) => ("at_least_one", names),
            Constraint::JustOne(names) => ("just_one", names),
        };
        assert_eq!(*names, strings(&compiled["constraints"][kind]), "{name}");
    }
}

fn attr_matches(schema: &Schema, attr: &Attr, compiled: &Value, place: &str) {
    assert_eq!(attr.ty.name(), compiled["type"], "{place}");
    assert_eq!(attr.is_array, compiled["is_array"] == true, "{place}");
    let requirement = match attr.requirement {
        Requirement::Required => "required",
        Requirement::Recommended => "recommended",
        Requirement::Optional => "optional",
    };
    assert_eq!(requirement, compiled["requirement"], "{place}");
    let object = attr.object.map(|id| schema.object_info(id).name.as_str());
    assert_eq!(object, compiled["object_type"].as_str(), "{place}");
    assert_eq!(attr.sibling.as_deref(), compiled["sibling"].as_str(), "{place}");
    assert_eq!(attr.deprecated, compiled.get("@deprecated").is_some(), "{place}");
    let mut profiles = strings(&compiled["profiles"]);
    profiles.sort_unstable();
    assert_eq!(schema.profiles_of(attr.profiles).collect::<Vec<_>>(), profiles, "{place}");
    let own = compiled["observable"].as_u64().unwrap_or(u64::from(schema.type_facts(attr.ty).observable));
    assert_eq!(u64::from(attr.observable), own, "{place}");
    let found: Vec<(String, String)> = attr.enumeration.map_or_else(Vec::new, |id| {
        let members = schema.enumeration(id);
        let numbers = members.numbers().map(|(number, caption)| (number.to_string(), caption.to_owned()));
        numbers.chain(members.texts().map(|(text, caption)| (text.to_owned(), caption.to_owned()))).collect()
    });
    let due = compiled["enum"].as_object();
    assert_eq!(found.len(), due.map_or(0, Map::len), "{place}");
    for (value, caption) in found {
        assert_eq!(due.unwrap()[&value]["caption"], caption, "{place} {value}");
    }
}

#[test]
fn types_are_those_of_the_compiled_schema() {
    let Some(compiled) = compiled() else { return };
    let schema = Schema::v1_8();
    for (name, facts) in members(&compiled["dictionary"]["types"]["attributes"]) {
        let ty = watchfloor_ocsf::Type::of(name).unwrap_or_else(|| panic!("{name} is unknown"));
        let known = schema.type_facts(ty);
        assert_eq!(known.max_len.map(u64::from), facts["max_len"].as_u64(), "{name}");
        assert_eq!(u64::from(known.observable), facts["observable"].as_u64().unwrap_or(0), "{name}");
        let range = facts["range"].as_array().map(|ends| (ends[0].as_i64().unwrap(), ends[1].as_i64().unwrap()));
        assert_eq!(known.range, range, "{name}");
        assert_eq!(known.check != watchfloor_ocsf::Check::Any, facts["regex"].is_string(), "{name}");
    }
}

#[test]
fn a_table_loads_in_under_ten_milliseconds() {
    let text = include_str!("../schema/1.8.0.tsv");
    assert!(text.len() < 600_000, "{} bytes", text.len());
    let best = (0..5).map(|_| {
        let start = std::time::Instant::now();
        Schema::parse(text).unwrap();
        start.elapsed()
    });
    let best = best.min().unwrap();
    println!("loaded in {best:?}");
    assert!(best < std::time::Duration::from_millis(10), "{best:?}");
}
