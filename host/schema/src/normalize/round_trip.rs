//! One value decoded into its Go type and encoded again.

use super::table::{Field, Omit, Shape, table};
use super::{number, quantity, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A field that Go's decoder refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {found} is no {expected}")]
pub struct Mismatch {
    /// Where, as `spec.ports[0].port`.
    pub path: String,
    /// What the field wants: "integer", "quantity", …
    pub expected: &'static str,
    /// What it has, cut short.
    pub found: String,
}

/// How much of a refused value the message shows, in characters.
const FOUND_LENGTH_MAX: usize = 60;

impl Mismatch {
    fn new(expected: &'static str, found: &Value) -> Self {
        let mut text: String = found.to_string().chars().take(FOUND_LENGTH_MAX + 1).collect();
        if text.chars().count() > FOUND_LENGTH_MAX {
            text.pop();
            text.push('…');
        }
        Self {
            path: String::new(),
            expected,
            found: text,
        }
    }

    fn below(mut self, segment: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{segment}{joint}{}", self.path);
        self
    }
}

/// A struct by its number in the table.
pub(super) fn structure(number: usize, value: &Value) -> Result<Value, Mismatch> {
    match value {
        Value::Null => encode_fields(number, None),
        Value::Object(map) => encode_fields(number, Some(map)),
        other => Err(Mismatch::new("mapping", other)),
    }
}

fn encode_fields(number: usize, from: Option<&Map<String, Value>>) -> Result<Value, Mismatch> {
    let mut encoded = Map::new();
    for Field { name, omit, shape } in table().fields(number) {
        let given = from
            .and_then(|map| map.get(name))
            .filter(|value| !value.is_null());
        let value = match given {
            Some(value) => decode(shape, value).map_err(|mismatch| mismatch.below(name))?,
            None => zero(shape)?,
        };
        let left_out = match omit {
            Omit::Never => false,
            Omit::Empty => match shape {
                Shape::Pointer(_) => given.is_none(),
                other => is_empty(other, &value),
            },
            Omit::Zero => value.is_null(), // only times say so, and a zero time is null
        };
        if !left_out {
            encoded.insert(name.clone(), value);
        }
    }
    Ok(Value::Object(encoded))
}

/// What Go writes for a variable that was never set.
fn zero(shape: &Shape) -> Result<Value, Mismatch> {
    Ok(match shape {
        Shape::Text => Value::from(""),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => Value::from(0),
        Shape::Float => Value::from(0.0),
        Shape::Quantity => Value::from("0"),
        Shape::Struct(number) => encode_fields(*number, None)?,
        Shape::Bytes
        | Shape::Time
        | Shape::MicroTime
        | Shape::Raw
        | Shape::Pointer(_)
        | Shape::List(_)
        | Shape::Map(_) => Value::Null,
    })
}

/// Go's `omitempty`: structs, and so quantities and times, are never empty.
fn is_empty(shape: &Shape, encoded: &Value) -> bool {
    match shape {
        Shape::Text => encoded.as_str() == Some(""),
        Shape::Bool => encoded == &Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::Float => encoded.as_f64() == Some(0.0),
        Shape::Bytes => encoded.as_str().is_none_or(str::is_empty),
        Shape::List(_) => encoded.as_array().is_none_or(Vec::is_empty),
        Shape::Map(_) => encoded.as_object().is_none_or(Map::is_empty),
        _ => false,
    }
}

/// `value` is not null.
fn decode(shape: &Shape, value: &Value) -> Result<Value, Mismatch> {
    let refuse = |expected| Mismatch::new(expected, value);
    Ok(match shape {
        Shape::Text => value.as_str().map(Value::from).ok_or_else(|| refuse("string"))?,
        Shape::Bool => value
            .as_bool()
            .map(Value::from)
            .ok_or_else(|| refuse("boolean"))?,
        Shape::Int32 => number::int32(value)
            .map(Value::from)
            .ok_or_else(|| refuse("integer"))?,
        Shape::Int64 => number::int64(value)
            .map(Value::from)
            .ok_or_else(|| refuse("integer"))?,
        Shape::Float => number::float(value).ok_or_else(|| refuse("number"))?,
        Shape::Bytes => bytes(value).ok_or_else(|| refuse("base64 text"))?,
        Shape::Quantity => quantity::canonical_value(value)
            .map(Value::from)
            .ok_or_else(|| refuse("quantity"))?,
        Shape::Time => time::seconds(value).ok_or_else(|| refuse("RFC 3339 time"))?,
        Shape::MicroTime => time::micros(value).ok_or_else(|| refuse("RFC 3339 time with microseconds"))?,
        Shape::IntOrString => {
            number::int_or_string(value).ok_or_else(|| refuse("32-bit integer or string"))?
        }
        Shape::Raw => value.clone(),
        Shape::Struct(number) => structure(*number, value)?,
        Shape::Pointer(of) => decode(of, value)?,
        Shape::List(of) => list(of, value)?,
        Shape::Map(of) => map(of, value)?,
    })
}

fn item(shape: &Shape, value: &Value) -> Result<Value, Mismatch> {
    if value.is_null() {
        zero(shape)
    } else {
        decode(shape, value)
    }
}

fn list(of: &Shape, value: &Value) -> Result<Value, Mismatch> {
    let items = value.as_array().ok_or_else(|| Mismatch::new("list", value))?;
    let encode = |(index, value)| item(of, value).map_err(|mismatch| mismatch.below(&format!("[{index}]")));
    items.iter().enumerate().map(encode).collect()
}

fn map(of: &Shape, value: &Value) -> Result<Value, Mismatch> {
    let entries = value.as_object().ok_or_else(|| Mismatch::new("mapping", value))?;
    let encode = |(key, value): (&String, &Value)| {
        Ok((
            key.clone(),
            item(of, value).map_err(|mismatch| mismatch.below(key))?,
        ))
    };
    entries
        .iter()
        .map(encode)
        .collect::<Result<Map<_, _>, _>>()
        .map(Value::Object)
}

/// Base64 read as Go's `encoding/json` does (line ends inside are ignored), or a list of numbers, one a byte.
fn bytes(value: &Value) -> Option<Value> {
    let decoded = match value {
        Value::String(text) => {
            let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            LENIENT.decode(text).ok()?
        }
        Value::Array(items) => items
            .iter()
            .map(|item| number::int64(item).map(|n| n.to_le_bytes()[0]))
            .collect::<Option<Vec<u8>>>()?,
        _ => return None,
    };
    Some(Value::from(STANDARD.encode(decoded)))
}

/// Go does not look at the unused bits of the last character.
const LENIENT: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);
