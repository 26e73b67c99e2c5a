use super::path::{PathElement, Scalar};
use serde_json::{Map, Value};
use sluice_schema::{ListType, MapType, Node, Type};
use std::sync::OnceLock;

/// A node whose types are deduced from the value.
pub(super) fn deduced() -> &'static Node {
    static DEDUCED: OnceLock<Node> = OnceLock::new();
    DEDUCED.get_or_init(Node::deduced)
}

/// A node that is owned as a whole, whatever its value is.
pub(super) fn untyped() -> &'static Node {
    static UNTYPED: OnceLock<Node> = OnceLock::new();
    UNTYPED.get_or_init(Node::default)
}

/// How a value is shared between writers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Scalar,
    AtomicList,
    List,
    AtomicMap,
    Map,
}

/// The shape that `node` gives to `value`.
pub(super) fn shape(node: &Node, value: &Value) -> Shape {
    match node.kind {
        Type::Object => map_shape(node),
        Type::Array => list_shape(node),
        Type::Any if !node.properties.is_empty() || node.additional.is_some() => map_shape(node),
        Type::Any if node.items.is_some() => list_shape(node),
        Type::Any => match value {
            Value::Object(_) if node.preserve_unknown => Shape::Map,
            Value::Object(_) => Shape::AtomicMap,
            Value::Array(_) => Shape::AtomicList,
            _ => Shape::Scalar,
        },
        _ => Shape::Scalar,
    }
}

fn map_shape(node: &Node) -> Shape {
    if node.map_type == MapType::Atomic {
        Shape::AtomicMap
    } else {
        Shape::Map
    }
}

fn list_shape(node: &Node) -> Shape {
    if node.list_type == ListType::Atomic {
        Shape::AtomicList
    } else {
        Shape::List
    }
}

/// The schema of a field; none where the field is unknown and unknown ones are not taken.
pub(super) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match node.field(name) {
        Some(field) => Some(field),
        None if node.preserve_unknown || (node.kind == Type::Any && node.properties.is_empty()) => {
            Some(deduced())
        }
        None => None,
    }
}

/// The schema of a list's items.
pub(super) fn item(node: &Node) -> &Node {
    node.items.as_deref().unwrap_or_else(|| deduced())
}

/// How an item of a list map or a set is told apart from the others.
pub(super) fn element(node: &Node, value: &Value) -> Result<PathElement, String> {
    match &node.list_type {
        ListType::Set => match value {
            Value::Object(_) => {
                Err("associative list without keys has an element that's a map type".to_owned())
            }
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            scalar => Ok(PathElement::Value(Scalar(scalar.clone()))),
        },
        ListType::Map(keys) => {
            let Value::Object(map) = value else {
                return Err("associative list with keys may not have non-map elements".to_owned());
            };
            key_of(node, keys, map)
        }
        ListType::Atomic => Err("invariant: an atomic list has no elements".to_owned()),
    }
}

fn key_of(node: &Node, names: &[String], map: &Map<String, Value>) -> Result<PathElement, String> {
    let mut keys: Vec<(String, Scalar)> = Vec::with_capacity(names.len());
    for name in names {
        let value = map.get(name).filter(|value| !value.is_null());
        let default = || item(node).field(name).and_then(|field| field.default.as_ref());
        if let Some(value) = value.or_else(default) {
            keys.push((name.clone(), Scalar(value.clone())));
        }
    }
    if keys.is_empty() {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(PathElement::Key(keys))
}
