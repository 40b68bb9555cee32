//! Reads JSON into documents, for the tests of this crate and for `xtask`: the decoder proper is a crate that stands above this one.

use serde_json::Value as Json;
use watchfloor_model::{Document, Value};

/// A document of a JSON text. What a document has no room for is left out.
pub(crate) fn read(text: &str) -> Result<Document, serde_json::Error> {
    let json: Json = serde_json::from_str(text)?;
    let mut doc = Document::new();
    doc.start("");
    add(&mut doc, "", &json);
    doc.seal();
    Ok(doc)
}

fn add(doc: &mut Document, key: &str, json: &Json) {
    let key = doc.compose(|text| text.push_str(key));
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        Json::String(text) => Value::Text(doc.compose(|out| out.push_str(text))),
        Json::Array(elements) => {
            let Some(list) = doc.open(key, Value::List) else { return };
            elements.iter().for_each(|element| add(doc, "", element));
            return doc.close(list);
        }
        Json::Object(members) => {
            let Some(object) = doc.open(key, Value::Object) else { return };
            members.iter().for_each(|(key, value)| add(doc, key, value));
            return doc.close(object);
        }
    };
    doc.push(key, value);
}
