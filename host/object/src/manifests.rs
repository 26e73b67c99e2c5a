use crate::Object;
use serde_json::Value;

/// Ordered objects, as a render gave them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    /// The objects, in the renderer's order.
    pub objects: Vec<Object>,
}

impl FromIterator<Object> for Manifests {
    fn from_iter<T: IntoIterator<Item = Object>>(objects: T) -> Self {
        Self {
            objects: objects.into_iter().collect(),
        }
    }
}

/// How deep lists of lists may nest.
const LIST_DEPTH_MAX: usize = 8;

/// The objects of a `List` (or of any `…List` with items), else the value itself.
pub fn flatten(value: Value) -> Vec<Value> {
    let mut flat = Vec::new();
    flatten_into(value, 0, &mut flat);
    flat
}

fn flatten_into(mut value: Value, depth: usize, flat: &mut Vec<Value>) {
    let is_list = value
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List"));
    match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list && depth < LIST_DEPTH_MAX => {
            items
                .into_iter()
                .for_each(|item| flatten_into(item, depth + 1, flat));
        }
        items => {
            if let (Some(items), Some(map)) = (items, value.as_object_mut()) {
                map.insert("items".to_owned(), items);
            }
            flat.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_opened() {
        let object = |name: &str| json!({ "kind": "ConfigMap", "metadata": { "name": name } });
        let inner = json!({ "kind": "ConfigMapList", "items": [object("b")] });
        let list = json!({ "kind": "List", "items": [object("a"), inner] });
        assert_eq!(flatten(list), [object("a"), object("b")]);
        let odd = json!({ "kind": "Menu", "items": [1] });
        assert_eq!(flatten(odd.clone()), [odd]);
        assert!(flatten(json!({ "kind": "List", "items": [] })).is_empty());
    }
}
