//! Who owns a field, read from `managedFields`.

use serde_json::{Map, Value};
use sluice_api::meta::APPLY_MANAGER;

/// Whether a manager other than us applied the field that the keys lead to.
pub(super) fn is_applied_by_another(live: &Value, path: &[String]) -> bool {
    let entries = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    entries
        .filter(|entry| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            text("operation") == "Apply" && text("manager") != APPLY_MANAGER && text("subresource").is_empty()
        })
        .filter_map(|entry| entry.get("fieldsV1"))
        .any(|fields| owns(fields, live, path))
}

fn owns(fields: &Value, value: &Value, path: &[String]) -> bool {
    let Some(fields) = fields.as_object() else {
        return false;
    };
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    match value {
        Value::Array(items) => {
            let Some(item) = first.parse::<usize>().ok().and_then(|index| items.get(index)) else {
                return false;
            };
            let found = fields.iter().find(|(key, _)| is_item(key, item));
            found.is_some_and(|(_, fields)| owns(fields, item, rest))
        }
        _ => {
            let inner = value.get(first).unwrap_or(&Value::Null);
            // a list or map that is owned as a whole has no fields below it
            let is_whole = |fields: &Value| fields.as_object().is_some_and(Map::is_empty);
            let found = fields.get(&format!("f:{first}"));
            found.is_some_and(|fields| is_whole(fields) || owns(fields, inner, rest))
        }
    }
}

/// Whether `k:{"name":"web"}` or `v:"x"` names this item of a list.
fn is_item(key: &str, item: &Value) -> bool {
    if let Some(keys) = key.strip_prefix("k:") {
        let keys: Option<Map<String, Value>> = serde_json::from_str(keys).ok();
        return keys.is_some_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value)));
    }
    let value: Option<Value> = key
        .strip_prefix("v:")
        .and_then(|value| serde_json::from_str(value).ok());
    value.as_ref() == Some(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sluice_object::pointer;

    #[test]
    fn owners_are_found_by_field_and_key() {
        let live = json!({
            "metadata": { "managedFields": [
                { "manager": "hpa", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:replicas": {},
                    "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:image": {} } },
                } } },
                { "manager": "editor", "operation": "Update", "fieldsV1": { "f:spec": { "f:paused": {} } } },
                { "manager": "kustomize-controller", "operation": "Apply", "fieldsV1": { "f:spec": { "f:own": {} } } },
            ] },
            "spec": { "replicas": 2, "paused": true, "own": 1, "containers": [{ "name": "db" }, { "name": "web", "image": "x" }] },
        });
        for (path, expected) in [
            ("/spec/replicas", true),
            ("/spec/paused", false),
            ("/spec/own", false),
            ("/spec/containers/1/image", true),
            ("/spec/containers/0/image", false),
            ("/spec/containers/9", false),
        ] {
            assert_eq!(
                is_applied_by_another(&live, &pointer::keys(path).unwrap()),
                expected,
                "{path}"
            );
        }
    }
}
