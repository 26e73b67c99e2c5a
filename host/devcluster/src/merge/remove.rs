use super::path::PathElement;
use super::set::FieldSet;
use super::shape::{self, Shape};
use serde_json::{Map, Value};
use sluice_schema::Node;

/// `value` without the paths of `gone`; null where nothing is left.
pub(super) fn remove(node: &Node, value: &Value, gone: &FieldSet) -> Value {
    match (shape::shape(node, value), value) {
        (Shape::Map, Value::Object(map)) if !map.is_empty() => {
            let mut out = Map::new();
            for (name, value) in map {
                let element = PathElement::Field(name.clone());
                if gone.has(&element) {
                    continue;
                }
                let kept = match gone.below(&element) {
                    Some(below) => remove(
                        shape::field(node, name).unwrap_or_else(|| shape::untyped()),
                        value,
                        below,
                    ),
                    None => value.clone(),
                };
                out.insert(name.clone(), kept);
            }
            if out.is_empty() {
                Value::Null
            } else {
                Value::Object(out)
            }
        }
        (Shape::List, Value::Array(items)) if !items.is_empty() => {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                let Ok(element) = shape::element(node, item) else {
                    continue;
                };
                if gone.has(&element) {
                    continue;
                }
                out.push(match gone.below(&element) {
                    Some(below) => remove(shape::item(node), item, below),
                    None => item.clone(),
                });
            }
            if out.is_empty() {
                Value::Null
            } else {
                Value::Array(out)
            }
        }
        (Shape::Scalar, scalar) => scalar.clone(),
        _ => Value::Null,
    }
}
