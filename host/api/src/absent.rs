//! Fields that may be left out, or say what means the same.

use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

/// Go knows no difference between a text that is empty and one that is absent.
pub(crate) fn absent_if_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// What an artifact of before says is none: it had a `checksum` in place of a digest. It is made anew.
pub(crate) fn none_if_of_before<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let found = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(found).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::{GitRepository, KustomizationSpec, decode};
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

    #[test]
    fn an_artifact_of_before_is_none() {
        let object = |artifact: &str, digest: &str| {
            let artifact = json!({
                "path": artifact, "url": "http://x/a.tar.gz", "revision": "main/0000", digest: "sha256:00",
                "lastUpdateTime": "2022-01-01T00:00:00Z",
            });
            let object = json!({
                "metadata": { "name": "a" }, "spec": { "interval": "1m", "url": "https://example.com/x" },
                "status": { "observedGeneration": 2, "artifact": artifact, "includedArtifacts": [artifact] },
            });
            let status = decode::<GitRepository>(&object).unwrap().status.unwrap();
            assert_eq!(status.observed_generation, Some(2));
            (
                status.artifact.map(|artifact| artifact.path),
                status.included_artifacts.len(),
            )
        };
        assert_eq!(object("a.tar.gz", "digest"), (Some("a.tar.gz".to_owned()), 1));
        assert_eq!(object("a.tar.gz", "checksum"), (None, 0));
    }
}
