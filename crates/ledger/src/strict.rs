//! JSON without doubt: an object that names a member twice is refused, and so is a number that other readers would round.
//!
//! RFC 8785 builds on I-JSON (RFC 7493): names are unique, and numbers are doubles, so integers beyond ±(2^53 − 1) are not safe. A double
//! beyond that is written as such an integer (up to 10^21), so no number is larger.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The largest integer that every reader of JSON takes as it is.
pub(crate) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A value that was read so.
pub(crate) struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Strict)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        safe(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        safe(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        safe(Number::from_f64(value).ok_or_else(|| E::custom("a number that is none"))?)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Strict(element)) = access.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, Strict>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} stands there twice")));
            }
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

fn safe<E: Error>(number: Number) -> Result<Value, E> {
    let value = Value::Number(number);
    if is_safe(&value) {
        Ok(value)
    } else {
        Err(E::custom("a number beyond 2^53 - 1 may be rounded: write it as text"))
    }
}

/// Whether every number in a value is one that every reader takes as it is.
pub(crate) fn is_safe(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().all(is_safe),
        Value::Object(members) => members.values().all(is_safe),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(natural), _, _) => natural <= INTEGER_MAX,
            (None, Some(negative), _) => negative.unsigned_abs() <= INTEGER_MAX,
            (None, None, double) => double.is_some_and(|double| double.abs() <= INTEGER_MAX as f64),
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{BytesDeserializer, Error};

    use super::*;

    #[test]
    fn what_is_not_json_is_told() {
        let bytes = BytesDeserializer::<Error>::new(b"{}");
        let told = Strict::deserialize(bytes).err().map(|error| error.to_string());
        assert_eq!(told.as_deref(), Some("invalid type: byte array, expected JSON"));
    }
}
