//! Values of objects: merged, written canonically, digested.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// JSON with sorted keys and no spaces: equal values give equal bytes.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            // whether a map keeps its keys sorted depends on a feature some other crate may switch
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            out.push('{');
            for (number, (key, value)) in sorted.into_iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// `sha256:<hex>` of bytes.
pub fn digest(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
    }
    text
}

/// Objects as one stream of YAML documents, as Kustomize prints them: what Flux's history takes its digest of.
pub fn to_yaml<'v>(objects: impl IntoIterator<Item = &'v Value>) -> String {
    let documents: Vec<String> = objects.into_iter().map(sluice_yaml::emit_v2).collect();
    documents.join("---\n")
}

/// Puts `from` over `into`: maps are merged, everything else is replaced.
pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_bytes_do_not_depend_on_the_order_of_keys() {
        let a: Value = serde_json::from_str(r#"{"b":[{"y":1,"x":"ü\n"}],"a":null}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":null,"b":[{"x":"ü\n","y":1}]}"#).unwrap();
        assert_eq!(canonical_json(&a), r#"{"a":null,"b":[{"x":"ü\n","y":1}]}"#);
        assert_eq!(canonical_json(&a), canonical_json(&b));
    }

    #[test]
    fn digests_and_documents() {
        assert_eq!(
            digest(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let (a, b) = (json!({ "kind": "A", "apiVersion": "v1" }), json!({ "kind": "B" }));
        assert_eq!(to_yaml([&a, &b]), "apiVersion: v1\nkind: A\n---\nkind: B\n");
    }

    #[test]
    fn maps_are_merged_and_lists_replaced() {
        let mut value = json!({ "a": { "b": 1, "c": [1] } });
        merge(&mut value, json!({ "a": { "c": [2], "d": 3 }, "e": null }));
        assert_eq!(value, json!({ "a": { "b": 1, "c": [2], "d": 3 }, "e": null }));
    }
}
