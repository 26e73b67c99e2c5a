//! All that Flux does to an object before it applies it.

use super::bundle::drop_placeholder;
use super::normalize;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sluice_object::GroupVersionKind;

/// Normalizes an object as Flux does before server-side apply (compat/kustomize.md 6.1 item 3): through its Go type where
/// client-go knows the kind and can decode it, with the protocol of ports and the data of Secrets made explicit;
/// `metadata.creationTimestamp` null, `status` gone but for CustomResourceDefinitions, of whose conversion webhook a bundle goes
/// that holds no certificate. Roles and ClusterRoles stay as they are.
pub fn normalize_for_apply(gvk: &GroupVersionKind, mut object: Value) -> Value {
    if gvk.api_version() == "rbac.authorization.k8s.io/v1"
        && matches!(gvk.kind.as_str(), "Role" | "ClusterRole")
    {
        return object;
    }
    if let Ok(Some(normal)) = normalize(gvk, &object) {
        object = normal;
        add_defaults(gvk, &mut object);
    }
    let Value::Object(body) = &mut object else {
        return object;
    };
    // metadata that is no mapping is refused by the API server
    let metadata = body
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(metadata) = metadata {
        metadata.insert("creationTimestamp".to_owned(), Value::Null);
    }
    if gvk.group == "apiextensions.k8s.io" && gvk.kind == "CustomResourceDefinition" {
        drop_placeholder(body);
    } else {
        body.remove("status");
    }
    object
}

fn add_defaults(gvk: &GroupVersionKind, object: &mut Value) {
    let pod = match (gvk.api_version().as_str(), gvk.kind.as_str()) {
        ("v1", "Service") => return add_protocol(object.pointer_mut("/spec/ports")),
        ("v1", "Secret") => return merge_string_data(object),
        ("v1", "Pod") => "/spec/containers",
        ("apps/v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch/v1", "Job") => {
            "/spec/template/spec/containers"
        }
        ("batch/v1", "CronJob") => "/spec/jobTemplate/spec/template/spec/containers",
        _ => return,
    };
    for container in object
        .pointer_mut(pod)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        add_protocol(container.pointer_mut("/ports"));
    }
}

/// Lists are merged by port and protocol, and the server defaults the protocol only after the merge.
fn add_protocol(ports: Option<&mut Value>) {
    for port in ports
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        port.entry("protocol").or_insert_with(|| json!("TCP"));
    }
}

/// `stringData` is written over `data` and is gone.
fn merge_string_data(object: &mut Value) {
    let Value::Object(secret) = object else { return };
    let Some(Value::Object(texts)) = secret.remove("stringData") else {
        return;
    };
    let data = secret.entry("data").or_insert(Value::Null);
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Value::Object(data) = data else { return };
    for (key, text) in texts {
        data.insert(key, json!(STANDARD.encode(text.as_str().unwrap_or_default())));
    }
}
