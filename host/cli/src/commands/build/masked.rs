//! Encrypted Secrets are shown without what they hold (compat: cli, section 11).

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

const MASK: &str = "**SOPS**";

/// Masks the values of a Secret that are encrypted with SOPS: all of them where the Secret itself is, else those that hold
/// an encrypted file.
pub(super) fn mask(object: &mut Map<String, Value>) -> Result<()> {
    if object.get("kind").and_then(Value::as_str) != Some("Secret") {
        return Ok(());
    }
    let text = sluice_yaml::emit_v2(&Value::Object(object.clone()));
    let is_encrypted = text.contains("sops:") && text.contains("mac: ENC[");
    let is_docker_config =
        object.get("type").and_then(Value::as_str) == Some("kubernetes.io/dockerconfigjson");
    // a docker configuration must stay JSON, or the API server refuses the Secret
    let plain = if is_docker_config && is_encrypted {
        json!({ "mask": MASK }).to_string()
    } else {
        MASK.to_owned()
    };
    let encoded = STANDARD.encode(&plain);
    if is_encrypted {
        object.remove("sops");
        for value in values(object, "data") {
            *value = json!(encoded);
        }
        for value in values(object, "stringData") {
            *value = json!(plain);
        }
        return Ok(());
    }
    for value in values(object, "data") {
        let text = value.as_str().unwrap_or_default();
        let bytes = STANDARD.decode(text.replace(['\n', '\r'], "")).map_err(|error| {
            anyhow!("failed to mask secret sops data: {error}; the values of data are base64")
        })?;
        if holds_encrypted(&String::from_utf8_lossy(&bytes)) {
            *value = json!(encoded);
        }
    }
    for value in values(object, "stringData") {
        if value.as_str().is_some_and(holds_encrypted) {
            // Flux puts the encoded mask here too
            *value = json!(encoded);
        }
    }
    Ok(())
}

fn values<'o>(object: &'o mut Map<String, Value>, field: &str) -> impl Iterator<Item = &'o mut Value> {
    let map = object.get_mut(field).and_then(Value::as_object_mut);
    map.into_iter().flat_map(|map| map.values_mut())
}

fn holds_encrypted(text: &str) -> bool {
    text.contains("sops") && text.contains("ENC[")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(mut object: Value) -> Value {
        if let Value::Object(map) = &mut object {
            mask(map).unwrap();
        }
        object
    }

    #[test]
    fn what_is_encrypted_is_masked() {
        let sops = json!({"mac": "ENC[AES256_GCM,data:x]"});
        let secret =
            json!({"kind": "Secret", "data": {"a": "ENC[x]"}, "stringData": {"b": "ENC[y]"}, "sops": sops});
        let expected =
            json!({"kind": "Secret", "data": {"a": "KipTT1BTKio="}, "stringData": {"b": "**SOPS**"}});
        assert_eq!(masked(secret), expected);
        let docker = json!({"kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "data": {"a": "ENC[x]"}, "sops": sops});
        assert_eq!(masked(docker)["data"]["a"], json!("eyJtYXNrIjoiKipTT1BTKioifQ=="));
    }

    #[test]
    fn values_that_are_encrypted_files_are_masked() {
        let file = STANDARD.encode("{\"x\": \"ENC[1]\", \"sops\": {}}");
        let secret = json!({"kind": "Secret", "data": {"a": file, "b": "Yg=="}, "stringData": {"c": "sops: ENC[1]", "d": "d"}});
        let expected = json!({"kind": "Secret", "data": {"a": "KipTT1BTKio=", "b": "Yg=="}, "stringData": {"c": "KipTT1BTKio=", "d": "d"}});
        assert_eq!(masked(secret), expected);
    }

    #[test]
    fn others_stay() {
        let config = json!({"kind": "ConfigMap", "data": {"a": "sops ENC[1]"}});
        assert_eq!(masked(config.clone()), config);
        let mut broken = Map::from_iter([
            ("kind".to_owned(), json!("Secret")),
            ("data".to_owned(), json!({"a": "%"})),
        ]);
        assert!(mask(&mut broken).is_err());
    }
}
