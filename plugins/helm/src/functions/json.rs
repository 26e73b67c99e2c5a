//! JSON: Helm's and sprig's functions.

use super::Functions;
use crate::{
    Error, List, Map, Str, Value,
    go::json::{Decoded, decode, encode, indent},
    value::CollectionType,
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("toJson", |value: Value| encode(&value, true).unwrap_or_default());
    functions.add("mustToJson", |value: Value| encode(&value, true));
    functions.add("toPrettyJson", |value: Value| {
        encode(&value, true).map(|json| indent(&json)).unwrap_or_default()
    });
    functions.add("mustToPrettyJson", |value: Value| {
        encode(&value, true).map(|json| indent(&json))
    });
    for name in ["toRawJson", "mustToRawJson"] {
        functions.add(name, |value: Value| encode(&value, false));
    }
    functions.add("mustFromJson", |text: Str| {
        let Decoded { value, range_error } = decode(text.as_bytes()).map_err(Error::new)?;
        range_error.map_or(Ok(value), |error| Err(Error::new(error)))
    });
    functions.add("fromJson", |text: Str| from_json(&text).unwrap_or_else(failed));
    functions.add("fromJsonArray", |text: Str| {
        from_json_array(&text).unwrap_or_else(|error| List::new(vec![error.into()]))
    });
}

/// What was read besides numbers that are too large stays beside the complaint about them.
fn from_json(text: &Str) -> Result<Map, String> {
    let Decoded { value, range_error } = decode(text.as_bytes())?;
    match (value, range_error) {
        (Value::Map(map), range_error) => {
            if let Some(error) = range_error {
                map.set("Error", Value::from(error));
            }
            Ok(map)
        }
        (Value::Nil, None) => Ok(Map::nil(CollectionType::ANY)),
        (other, _) => Err(misfit(&other, "map[string]interface {}")),
    }
}

fn from_json_array(text: &Str) -> Result<List, String> {
    let Decoded { value, range_error } = decode(text.as_bytes())?;
    match (value, range_error) {
        (Value::List(_), Some(error)) => Err(error),
        (Value::List(list), None) => Ok(list),
        (Value::Nil, None) => Ok(List::nil(CollectionType::ANY)),
        (other, _) => Err(misfit(&other, "[]interface {}")),
    }
}

/// What Helm answers where a text cannot be read.
pub(super) fn failed(error: String) -> Map {
    [("Error", error)].into_iter().collect()
}

/// Go's complaint about a value of another type.
pub(super) fn misfit(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::List(_) => "array",
        Value::Map(_) => "object",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    format!("json: cannot unmarshal {found} into Go value of type {wanted}")
}
