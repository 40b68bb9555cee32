//! Records as every engine can read them: one flat object of JSON each.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use watchfloor_decode::{Batch, Framer};
use watchfloor_intake::{Input, read_inputs};
use watchfloor_normalize::Library;

/// Most bytes of records that are measured; more would only measure the memory bus.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// Reads the records of files. What is no JSON object is left out.
pub fn read(library: &Library, files: &[PathBuf]) -> Batch {
    let files: Vec<Input> = files.iter().cloned().map(Input::Path).collect();
    let mut lines = Vec::new();
    let mut sink = |_: Arc<str>, batch: Batch| {
        for text in batch.records.iter().filter_map(|framed| flat(batch.raw(framed))) {
            lines.extend_from_slice(&text);
            lines.push(b'\n');
        }
        if lines.len() < BYTES_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    read_inputs(&files, library.wrappers.clone().into(), 1 << 18, &mut sink, &mut |_| {});
    let mut framer = Framer::new(library.wrappers.clone().into());
    let mut records = Batch::default();
    framer.feed(&lines, &mut records);
    framer.finish(&mut records);
    records
}

/// The record without levels: `System`, `EventData` and `UserData` of a Windows event side by side, under the names that Sigma gives them.
fn flat(text: &[u8]) -> Option<Vec<u8>> {
    let record: Value = serde_json::from_slice(text).ok()?;
    let Some(event) = record.get("Event").filter(|event| event.get("System").is_some()) else {
        return record.is_object().then(|| text.to_vec());
    };
    let mut fields = Map::new();
    let objects = |name: &str| event.get(name).and_then(Value::as_object).into_iter();
    let user_data = objects("UserData").flat_map(Map::values).filter_map(Value::as_object);
    for (name, value) in objects("System").chain(objects("EventData")).chain(user_data).flatten() {
        put(&mut fields, name, value);
    }
    serde_json::to_vec(&fields).ok()
}

/// Adds a field: `{"#attributes": {"Name": "x"}}` of `Provider` is `Provider_Name`. The head of the event comes first, and stays.
fn put(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    let parts = (value.get("#attributes").and_then(Value::as_object), value.get("#text"));
    if name == "#attributes" {
        return;
    }
    for (attribute, value) in parts.0.into_iter().flatten() {
        fields.entry(format!("{name}_{attribute}")).or_insert_with(|| value.clone());
    }
    match parts {
        (_, Some(text)) => fields.entry(name).or_insert_with(|| text.clone()),
        (None, None) => fields.entry(name).or_insert_with(|| value.clone()),
        (Some(_), None) => return,
    };
}
