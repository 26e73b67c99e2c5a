use serde_json::{Value, json};
use sluice_object::canonical_json;

/// What of an object's metadata tells that somebody changed what matters (design engine 3), as bytes to digest: all but
/// what its status brings about. Times are left out, they move with writes that change nothing; kinds that do not count
/// generations tell every change by their resource version alone.
pub fn fingerprint_bytes(live: &Value) -> String {
    let metadata = live.get("metadata").unwrap_or(&Value::Null);
    let field = |key: &str| metadata.get(key).cloned().unwrap_or_default();
    let entries = metadata
        .get("managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let managers: Vec<Value> = entries
        .filter(|entry| entry.get("subresource").and_then(Value::as_str) != Some("status"))
        .map(|entry| {
            let part = |key: &str| entry.get(key).cloned().unwrap_or_default();
            json!([
                part("manager"),
                part("operation"),
                part("apiVersion"),
                part("subresource"),
                part("fieldsV1")
            ])
        })
        .collect();
    let version = if field("generation").is_null() {
        field("resourceVersion")
    } else {
        Value::Null
    };
    canonical_json(&json!([
        field("uid"),
        field("generation"),
        version,
        field("labels"),
        field("annotations"),
        field("finalizers"),
        field("ownerReferences"),
        managers,
    ]))
}
