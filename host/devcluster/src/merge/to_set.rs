use super::path::PathElement;
use super::set::FieldSet;
use super::shape::{self, Shape};
use serde_json::Value;
use sluice_schema::Node;

/// Every field of `value` as a set: leaves, keyed items, and mappings with nothing in them.
pub(super) fn to_set(node: &Node, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    visit(node, value, &mut set);
    set
}

/// Fills `below` with what lies below the value; says whether the value itself is a leaf.
fn visit(node: &Node, value: &Value, below: &mut FieldSet) -> bool {
    match (shape::shape(node, value), value) {
        (Shape::Scalar | Shape::AtomicList | Shape::AtomicMap, _) => return true,
        (Shape::List, Value::Array(items)) => {
            for item in items {
                let Ok(element) = shape::element(node, item) else {
                    continue;
                };
                descend(shape::item(node), item, element.clone(), below);
                below.members.insert(element);
            }
        }
        (Shape::Map, Value::Object(map)) => {
            for (name, value) in map {
                let element = PathElement::Field(name.clone());
                let Some(field) = shape::field(node, name) else {
                    continue;
                };
                descend(field, value, element.clone(), below);
                let is_bare = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
                if is_bare || !node.has_named_field(name) {
                    below.members.insert(element);
                }
            }
        }
        _ => {}
    }
    false
}

fn descend(node: &Node, value: &Value, element: PathElement, into: &mut FieldSet) {
    let mut child = FieldSet::default();
    if visit(node, value, &mut child) {
        into.members.insert(element);
    } else if !child.is_empty() {
        into.children.entry(element).or_default().absorb(&child);
    }
}
