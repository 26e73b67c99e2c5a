//! JSON: Helm's and sprig's functions.

use super::Functions;
use crate::{
    Error, List, Map, Str, Value,
    go::json::{decode, encode, indent},
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
        decode(text.as_bytes()).map_err(Error::new)
    });
    functions.add("fromJson", |text: Str| match decode(text.as_bytes()) {
        Ok(Value::Map(map)) => map,
        Ok(Value::Nil) => Map::nil(crate::value::CollectionType::ANY),
        Ok(other) => failed(misfit(&other, "map[string]interface {}")),
        Err(error) => failed(error),
    });
    functions.add("fromJsonArray", |text: Str| match decode(text.as_bytes()) {
        Ok(Value::List(list)) => list,
        Ok(Value::Nil) => List::nil(crate::value::CollectionType::ANY),
        Ok(other) => List::new(vec![misfit(&other, "[]interface {}").into()]),
        Err(error) => List::new(vec![error.into()]),
    });
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
