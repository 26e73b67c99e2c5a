use super::path::PathElement;
use super::set::FieldSet;
use serde_json::{Map, Value};

impl FieldSet {
    /// As `managedFields[].fieldsV1` holds it.
    pub(crate) fn to_fields_v1(&self) -> Value {
        let mut map = Map::new();
        for member in &self.members {
            map.insert(member.to_fields_v1(), Value::Object(Map::new()));
        }
        for (element, child) in &self.children {
            if child.is_empty() {
                continue;
            }
            let mut below = child.to_fields_v1();
            if self.members.contains(element)
                && let Value::Object(below) = &mut below
            {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            map.insert(element.to_fields_v1(), below);
        }
        Value::Object(map)
    }

    /// Reads `fieldsV1`; none where it is not one.
    pub(crate) fn from_fields_v1(value: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (key, below) in value.as_object()? {
            if key == "." {
                continue;
            }
            let element = PathElement::from_fields_v1(key)?;
            let map = below.as_object()?;
            if map.is_empty() || map.contains_key(".") {
                set.members.insert(element.clone());
            }
            let child = Self::from_fields_v1(below)?;
            if !child.is_empty() {
                set.children.insert(element, child);
            }
        }
        Some(set)
    }
}
