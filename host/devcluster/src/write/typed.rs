//! What reading a request into the server's Go types does to it: unknown fields fall away, nulls are absent.

use serde_json::Value;
use sluice_object::GroupVersionKind;
use sluice_schema::normalize::normalize;
use sluice_schema::{Node, Type};

/// `object` as the Go type of its kind writes it: empty optional fields fall away, structs appear, quantities are canonical.
///
/// A kind whose Go type is not known stays as it is.
pub(crate) fn round_trip(object: &mut Value) -> Result<(), String> {
    let gvk = GroupVersionKind::new(crate::meta::api_version(object), crate::meta::kind(object));
    match normalize(&gvk, object) {
        Ok(Some(normal)) => {
            *object = normal;
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(mismatch) => Err(mismatch.to_string()),
    }
}

/// What a read found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// Paths of fields that no schema knows, `spec.template.foo`.
    pub(crate) unknown: Vec<String>,
    /// The first value that has a wrong type: path, Go's word for the value, and what was expected.
    pub(crate) mistyped: Option<(String, String, &'static str)>,
}

/// Drops from `value` what a built-in kind does not have.
pub(crate) fn read(node: &Node, value: &mut Value) -> Findings {
    let mut found = Findings::default();
    visit(node, value, "", &mut found);
    found
}

fn visit(node: &Node, value: &mut Value, path: &str, found: &mut Findings) {
    check_type(node, value, path, found);
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                if let Some(field) = node.field(name) {
                    visit(field, value, &join(path, name), found);
                }
            }
            if !node.is_open() {
                map.retain(|name, _| {
                    let known = node.has_named_field(name);
                    if !known {
                        found.unknown.push(join(path, name));
                    }
                    known
                });
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for (index, item) in items.iter_mut().enumerate() {
                    visit(node, item, &format!("{path}[{index}]"), found);
                }
            }
        }
        _ => {}
    }
}

fn check_type(node: &Node, value: &Value, path: &str, found: &mut Findings) {
    let expected = match (node.kind, value) {
        (_, Value::Null) => return,
        (Type::Object, value) if !value.is_object() => "object",
        (Type::Array, value) if !value.is_array() => "array",
        (Type::Boolean, value) if !value.is_boolean() => "bool",
        (Type::Integer, value) if !value.is_i64() && !value.is_u64() => match node.format.as_deref() {
            Some("int64") => "int64",
            _ => "int32",
        },
        // quantities and times are strings that may also come as numbers
        (Type::String, Value::Bool(_) | Value::Object(_) | Value::Array(_)) => "string",
        (Type::String, Value::Number(_)) if node.format.is_some() => "string",
        _ => return,
    };
    let got = match value {
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        _ => "object".to_owned(),
    };
    if found.mistyped.is_none() {
        found.mistyped = Some((path.to_owned(), got, expected));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
