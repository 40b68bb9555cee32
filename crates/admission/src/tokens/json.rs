//! JSON from anybody: no name twice in an object (RFC 8785 asks for I-JSON), a bound on size and depth.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Most bytes of one signed object.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of a signed object.
pub const DEPTH_MAX: usize = 32;

/// Why bytes are no signed object.
#[derive(Debug)]
pub enum JsonError {
    /// More bytes than [`OBJECT_BYTES_MAX`].
    TooLong,
    /// No JSON, a name twice, or nested deeper than [`DEPTH_MAX`].
    Invalid(serde_json::Error),
}

impl fmt::Display for JsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "a signed object has at most {OBJECT_BYTES_MAX} bytes"),
            Self::Invalid(_) => out.write_str("no JSON that can be signed"),
        }
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooLong => None,
            Self::Invalid(error) => Some(error),
        }
    }
}

/// Reads one object.
pub fn read(bytes: &[u8]) -> Result<Value, JsonError> {
    if bytes.len() > OBJECT_BYTES_MAX {
        return Err(JsonError::TooLong);
    }
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: DEPTH_MAX }.deserialize(&mut source).map_err(JsonError::Invalid)?;
    source.end().map_err(JsonError::Invalid)?;
    Ok(value)
}

/// A text member that is there and not empty.
pub(crate) fn text<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A whole number.
pub(crate) fn whole(object: &Value, name: &str) -> Option<i64> {
    object.get(name)?.as_i64()
}

/// A list of texts.
pub(crate) fn texts<'v>(object: &'v Value, name: &str) -> Option<Vec<&'v str>> {
    object.get(name)?.as_array()?.iter().map(Value::as_str).collect()
}

struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.deeper()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.deeper()?)?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("the name `{name}` stands twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_signed_is_read() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let long = |bytes: usize| format!("\"{}\"", "a".repeat(bytes - 2));
        let table: Vec<(String, bool)> = vec![
            (r#"{"a":1,"b":[null,true,-2,1.5,"x"]}"#.to_owned(), true),
            (r#"{"a":1,"a":1}"#.to_owned(), false),
            (r#"{"x":{"a":1,"\u0061":2}}"#.to_owned(), false),
            (r#"{"x":{"a":1},"y":{"a":1}}"#.to_owned(), true),
            ("{} {}".to_owned(), false),
            ("{".to_owned(), false),
            ("1e999".to_owned(), false),
            (nested(DEPTH_MAX - 1), true),
            (nested(DEPTH_MAX), true),
            (nested(DEPTH_MAX + 1), false),
            (long(OBJECT_BYTES_MAX - 1), true),
            (long(OBJECT_BYTES_MAX), true),
            (long(OBJECT_BYTES_MAX + 1), false),
        ];
        for (input, expected) in table {
            let start: String = input.chars().take(40).collect();
            assert_eq!(read(input.as_bytes()).is_ok(), expected, "{start}");
            if expected {
                let plain: Value = serde_json::from_str(&input).unwrap();
                assert_eq!(read(input.as_bytes()).unwrap(), plain, "{start}");
            }
        }
    }
}
