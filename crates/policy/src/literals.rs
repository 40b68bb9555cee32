//! What a policy compares with what: the values that are worth trying on it.
//!
//! Read from Cedar's JSON form of the policy. For every operator that has a field of a request on one side, the literals on the other
//! side are noted for that field; for a number also its two neighbours. Roles, tenants and ids come from the names of entities.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Policy;
use serde_json::Value;

use crate::request::{BOUNDS, Request};
use crate::vocabulary::{PrincipalKind, TargetKind};

/// A value that a field can be given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Given {
    Number(i64),
    Text(String),
    /// All of these, for lists.
    Texts(Vec<String>),
}

/// Values by field, such as `resource.site`.
pub(crate) type Values = BTreeMap<&'static str, BTreeSet<Given>>;

const TEXTS: &[&str] = &["resource.owner", "resource.site", "context.alert_class", "context.tag", "resource.tags"];

/// The values that a policy makes worth trying.
pub(crate) fn values(policy: &Policy) -> Values {
    let mut values = Values::new();
    if let Ok(json) = policy.to_json() {
        for condition in json.get("conditions").and_then(Value::as_array).into_iter().flatten() {
            if let Some(body) = condition.get("body") {
                walk(body, &mut values);
            }
        }
    }
    for uid in policy.entity_literals() {
        let id = uid.id().unescaped().to_owned();
        let field = match uid.type_name().basename() {
            "Role" => "principal.roles",
            "Tenant" => "resource.tenant",
            name if PrincipalKind::named(name).is_some() => "principal.id",
            name if TargetKind::named(name).is_some() => "resource.id",
            _ => continue,
        };
        let given = if field == "principal.roles" { Given::Texts(vec![id]) } else { Given::Text(id) };
        values.entry(field).or_default().insert(given);
    }
    values
}

/// Gives a field a value; whether it could be given.
pub(crate) fn give(request: &mut Request, field: &str, given: &Given) -> bool {
    let (target, asked) = (&mut request.target, &mut request.circumstances);
    match (field, given) {
        ("resource.tier", Given::Number(n)) => target.tier = *n,
        ("context.level", Given::Number(n)) => asked.level = *n,
        ("context.risk", Given::Number(n)) => asked.risk = *n,
        ("context.trust", Given::Number(n)) => asked.trust = *n,
        ("context.hour", Given::Number(n)) => asked.hour = *n,
        ("context.targets", Given::Number(n)) => asked.targets = *n,
        ("context.lease_minutes", Given::Number(n)) => asked.lease_minutes = *n,
        ("resource.owner", Given::Text(text)) => target.owner.clone_from(text),
        ("resource.site", Given::Text(text)) => target.site.clone_from(text),
        ("context.alert_class", Given::Text(text)) => asked.alert_class.clone_from(text),
        ("context.tag", Given::Text(text)) => asked.tag.clone_from(text),
        ("resource.tags", Given::Text(text)) => target.tags.push(text.clone()),
        ("resource.tags", Given::Texts(texts)) => target.tags.extend(texts.iter().cloned()),
        ("resource.tenant", Given::Text(text)) => {
            target.tenant.clone_from(text);
            request.principal.tenants.push(text.clone());
        }
        ("principal.roles", Given::Texts(texts)) => request.principal.roles.extend(texts.iter().cloned()),
        ("principal.id", Given::Text(text)) => request.principal.id.clone_from(text),
        ("resource.id", Given::Text(text)) => target.id.clone_from(text),
        _ => return false,
    }
    true
}

fn walk(node: &Value, values: &mut Values) {
    let Some(object) = node.as_object() else {
        if let Some(list) = node.as_array() {
            list.iter().for_each(|inner| walk(inner, values));
        }
        return;
    };
    for (operator, inner) in object {
        // What stands beside an `and` is another comparison's.
        let compares = !matches!(operator.as_str(), "&&" | "||");
        if let (true, Some(left), Some(right)) = (compares, inner.get("left"), inner.get("right")) {
            note(left, right, values);
            note(right, left, values);
        }
        walk(inner, values);
    }
}

/// Notes the literals of one side for the field on the other.
fn note(side: &Value, other: &Value, values: &mut Values) {
    let mut fields = Vec::new();
    fields_of(side, &mut fields);
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    literals_of(other, &mut numbers, &mut texts);
    for field in fields {
        if let Some(&(name, least, most)) = BOUNDS.iter().find(|(name, _, _)| *name == field) {
            for n in numbers.iter().flat_map(|n: &i64| [n.saturating_sub(1), *n, n.saturating_add(1)]) {
                if (least..=most).contains(&n) {
                    values.entry(name).or_default().insert(Given::Number(n));
                }
            }
        }
        if let Some(name) = TEXTS.iter().find(|name| **name == field) {
            let entry = values.entry(name).or_default();
            entry.extend(texts.iter().cloned().map(Given::Text));
            if *name == "resource.tags" && texts.len() > 1 {
                entry.insert(Given::Texts(texts.clone()));
            }
        }
    }
}

/// The fields that an expression names, such as `context.level` in `context.level + 1`.
fn fields_of(node: &Value, fields: &mut Vec<String>) {
    let access = node.get(".").and_then(|access| {
        let var = access.pointer("/left/Var")?.as_str()?;
        Some(format!("{var}.{}", access.get("attr")?.as_str()?))
    });
    match (access, node) {
        (Some(field), _) => fields.push(field),
        (None, Value::Object(object)) => object.values().for_each(|inner| fields_of(inner, fields)),
        (None, Value::Array(list)) => list.iter().for_each(|inner| fields_of(inner, fields)),
        _ => {}
    }
}

fn literals_of(node: &Value, numbers: &mut Vec<i64>, texts: &mut Vec<String>) {
    match node {
        Value::Object(object) => {
            for (name, inner) in object {
                match (name.as_str(), inner) {
                    ("Value", Value::Number(number)) => numbers.extend(number.as_i64()),
                    ("Value", Value::String(text)) => texts.push(text.clone()),
                    _ => literals_of(inner, numbers, texts),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| literals_of(inner, numbers, texts)),
        _ => {}
    }
}
