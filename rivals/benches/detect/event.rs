//! A record for `rsigma-eval` that `sonic-rs` parsed: its own type for JSON is a tree of `serde_json`, which takes longer to make than to ask.

use std::borrow::Cow;

use rsigma_eval::event::{Event, EventValue};
use sonic_rs::{JsonContainerTrait as _, JsonNumberTrait as _, JsonValueTrait as _, Value, ValueRef};

/// Deepest level that is looked into for keywords, as in `JsonEvent`.
const DEPTH_MAX: usize = 64;

/// A record.
pub struct Record(pub Value);

impl Event for Record {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if let Some(value) = self.0.get(path) {
            return Some(event_value(value));
        }
        let (first, rest) = path.split_once('.')?;
        let mut value = self.0.get(first)?;
        for step in rest.split('.') {
            value = value.get(step)?;
        }
        Some(event_value(value))
    }

    fn any_string_value(&self, is_it: &dyn Fn(&str) -> bool) -> bool {
        any(&self.0, &mut |text| is_it(text), DEPTH_MAX)
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        let mut all = Vec::new();
        any(
            &self.0,
            &mut |text| {
                all.push(Cow::Borrowed(text));
                false
            },
            DEPTH_MAX,
        );
        all
    }

    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        any(
            &self.0,
            &mut |text| {
                visit(text);
                false
            },
            DEPTH_MAX,
        );
    }

    fn to_json(&self) -> serde_json::Value {
        // It is asked for events in results only, and none is wanted there.
        serde_json::Value::Null
    }

    fn visit_top_level_keys(&self, visit: &mut dyn FnMut(&str)) -> bool {
        let Some(object) = self.0.as_object() else { return false };
        object.iter().for_each(|(key, _)| visit(key));
        true
    }
}

/// Whether one of the texts is it.
fn any<'v>(value: &'v Value, is_it: &mut dyn FnMut(&'v str) -> bool, depth: usize) -> bool {
    match value.as_ref() {
        _ if depth == 0 => false,
        ValueRef::String(text) => is_it(text),
        ValueRef::Array(items) => items.iter().any(|item| any(item, is_it, depth - 1)),
        ValueRef::Object(fields) => fields.iter().any(|(_, value)| any(value, is_it, depth - 1)),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::Number(_) => false,
    }
}

fn event_value(value: &Value) -> EventValue<'_> {
    match value.as_ref() {
        ValueRef::Null => EventValue::Null,
        ValueRef::Bool(value) => EventValue::Bool(value),
        ValueRef::Number(number) => {
            number.as_i64().map_or_else(|| EventValue::Float(number.as_f64().unwrap_or(f64::NAN)), EventValue::Int)
        }
        ValueRef::String(text) => EventValue::Str(Cow::Borrowed(text)),
        ValueRef::Array(items) => EventValue::Array(items.iter().map(event_value).collect()),
        ValueRef::Object(fields) => {
            EventValue::Map(fields.iter().map(|(name, value)| (Cow::Borrowed(name), event_value(value))).collect())
        }
    }
}
