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
    /// What is said of the first value that has a wrong type.
    pub(crate) mistyped: Option<String>,
}

/// Drops from `value` what a built-in kind does not have.
pub(crate) fn read(node: &Node, value: &mut Value) -> Findings {
    let mut found = Findings::default();
    visit(node, value, "", &node.type_name, &mut found);
    found
}

fn visit(node: &Node, value: &mut Value, path: &str, owner: &str, found: &mut Findings) {
    check_type(node, value, path, owner, found);
    let owner = if node.type_name.is_empty() {
        owner
    } else {
        node.type_name.as_str()
    };
    match value {
        Value::Object(map) => {
            let is_open = node.is_open();
            // in the order of the names, as clients that sort them send them
            map.retain(|name, value| {
                if let Some(field) = node.field(name) {
                    let at = if node.has_named_field(name) {
                        join(path, name)
                    } else {
                        path.to_owned()
                    };
                    visit(field, value, &at, owner, found);
                } else if !is_open {
                    found.unknown.push(join(path, name));
                }
                is_open || node.has_named_field(name)
            });
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for (index, item) in items.iter_mut().enumerate() {
                    visit(node, item, &format!("{path}[{index}]"), owner, found);
                }
            }
        }
        _ => {}
    }
}

fn check_type(node: &Node, value: &Value, path: &str, owner: &str, found: &mut Findings) {
    if node.format.as_deref() == Some("byte")
        && let Some(at) = value.as_str().and_then(bad_base64)
    {
        found
            .mistyped
            .get_or_insert(format!("illegal base64 data at input byte {at}"));
        return;
    }
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
        (Type::String, Value::Number(_)) if node.type_name != "Quantity" => "string",
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
        let plain: String = without_indexes(path);
        found.mistyped = Some(format!(
            "json: cannot unmarshal {got} into Go struct field {owner}.{plain} of type {expected}"
        ));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// The store keeps no empty list: one comes back as nothing, which some fields show as null.
pub(crate) fn forget_empty(node: &Node, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                if let Some(field) = node.field(name) {
                    forget_empty(field, value);
                }
            }
        }
        Value::Array(items) if items.is_empty() && node.kind == Type::Array => *value = Value::Null,
        Value::Array(items) => {
            if let Some(node) = &node.items {
                items.iter_mut().for_each(|item| forget_empty(node, item));
            }
        }
        _ => {}
    }
}

/// Where Go's decoder stops in a text that is not base64.
fn bad_base64(text: &str) -> Option<usize> {
    use base64::Engine as _;
    let text = text.replace(['\r', '\n'], "");
    if base64::engine::general_purpose::STANDARD.decode(&text).is_ok() {
        return None;
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    Some(
        text.bytes()
            .position(|byte| !is_letter(byte))
            .unwrap_or(text.len()),
    )
}

/// `spec.containers[0].image` without the index, as Go names fields.
fn without_indexes(path: &str) -> String {
    let mut depth = 0_usize;
    let keep = |letter: &char| {
        match letter {
            '[' => depth += 1,
            ']' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    path.chars().filter(keep).collect()
}
