//! What Go's decoder of JSON says of a value of another kind than it wants: Flux's messages hold it.

use serde_json::Value;

/// `at` is the Go type and the fields that lead to the value, empty for a whole document; `wanted` a Go type.
pub(crate) fn mismatch(value: &Value, at: &str, wanted: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let place = match at {
        "" => "Go value of type".to_owned(),
        at => format!("Go struct field {at} of type"),
    };
    format!("json: cannot unmarshal {found} into {place} {wanted}")
}
