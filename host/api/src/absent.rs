//! Fields of text that may be left out, or left empty, which means the same.

use serde::{Deserialize as _, Deserializer};

/// Go knows no difference between a text that is empty and one that is absent.
pub(crate) fn absent_if_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use crate::KustomizationSpec;
    use serde_json::json;

    #[test]
    fn an_empty_text_is_none() {
        let spec = |text: &str| {
            let spec = json!({
                "interval": "1m", "prune": true, "serviceAccountName": text,
                "sourceRef": { "kind": "GitRepository", "name": "a", "namespace": text },
                "dependsOn": [{ "name": "b", "namespace": text, "readyExpr": text }],
                "healthChecks": [{ "apiVersion": text, "kind": "Deployment", "name": "c", "namespace": text }],
                "healthCheckExprs": [{ "apiVersion": "v1", "kind": text, "inProgress": text, "failed": text, "current": "true" }],
                "images": [{ "name": "d", "newName": text, "newTag": text, "digest": text }],
                "patches": [{ "patch": "e", "target": { "kind": text, "name": "f" } }],
                "decryption": { "provider": "sops", "serviceAccountName": text },
                "kubeConfig": { "secretRef": { "name": "g", "key": text } },
            });
            let spec: KustomizationSpec = serde_json::from_value(spec).unwrap();
            serde_json::to_string(&spec).unwrap()
        };
        assert_eq!(spec("text").matches("\"text\"").count(), 15);
        assert!(!spec("").contains("\"\""), "{}", spec(""));
    }
}
