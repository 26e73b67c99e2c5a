//! The decisions the stages ask for, over live objects as JSON. Pure.

use crate::cluster::RequestError;
use crate::live::{Short, short};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sluice_api::meta;
use sluice_object::Object;

/// Flux's words for what became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// It was made.
    Created,
    /// It was changed.
    Configured,
    /// It was as it should be.
    Unchanged,
    /// It was deleted, or gone already.
    Deleted,
    /// It was left alone, as its labels or annotations ask.
    Skipped,
}

impl Word {
    /// As Flux prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
        }
    }
}

/// Whether a label or annotation has a value, in any case.
fn says(object: &Map<String, Value>, key: &str, value: &str) -> bool {
    ["labels", "annotations"].iter().any(|place| {
        let found = object
            .get("metadata")
            .and_then(|metadata| metadata.get(*place)?.get(key)?.as_str());
        found.is_some_and(|found| found.eq_ignore_ascii_case(value))
    })
}

fn either(desired: &Object, live: Option<&Value>, key: &str, value: &str) -> bool {
    says(desired.body(), key, value)
        || live
            .and_then(Value::as_object)
            .is_some_and(|live| says(live, key, value))
}

/// Whether the object is never applied.
pub(crate) fn is_left_alone(desired: &Object, live: Option<&Value>) -> bool {
    either(desired, live, meta::RECONCILE, meta::DISABLED) || either(desired, live, meta::SSA, "Ignore")
}

/// Whether the object is applied only where it is absent.
pub(crate) fn is_created_only(desired: &Object) -> bool {
    says(desired.body(), meta::SSA, "IfNotPresent")
}

/// Whether the object itself asks to be deleted and made anew where it cannot be changed.
pub(crate) fn is_forced(desired: &Object, live: Option<&Value>) -> bool {
    either(desired, live, meta::FORCE, meta::ENABLED)
}

/// Whether a refusal means that the object cannot be changed in place. Like Flux, any conflict or invalid value counts.
pub(crate) fn is_immutable(cause: &RequestError) -> bool {
    let RequestError::Refused { code, message, .. } = cause else {
        return false;
    };
    matches!(code, 409 | 422)
        || ["is immutable", "immutable field"]
            .iter()
            .any(|pattern| message.to_lowercase().contains(pattern))
}

/// Whether a stale object may be deleted: it is owned by `owner` (name, namespace) and does not ask to stay.
pub(crate) fn is_prunable(live: &Value, owner: (&str, &str)) -> bool {
    let Some(live) = live.as_object() else {
        return false;
    };
    let label = |key: &str| {
        live.get("metadata")
            .and_then(|metadata| metadata.get("labels")?.get(key)?.as_str())
    };
    let stays = says(live, meta::PRUNE, meta::DISABLED)
        || says(live, meta::RECONCILE, meta::DISABLED)
        || says(live, meta::SSA, "Ignore");
    !stays && label(meta::OWNER_NAME) == Some(owner.0) && label(meta::OWNER_NAMESPACE) == Some(owner.1)
}

/// What of an object's metadata tells that somebody changed what matters (design/engine.md section 3): everything but
/// its status. Equal for an object as a watch of metadata and as an answer shows it.
pub fn fingerprint(metadata: &ObjectMeta) -> Short {
    let fields = metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.subresource.as_deref() != Some("status"));
    // times are left out: they move with every write, also with those that change nothing
    let fields = fields.map(|entry| {
        (
            &entry.manager,
            &entry.operation,
            &entry.api_version,
            &entry.subresource,
            &entry.fields_v1,
        )
    });
    // kinds that do not count generations tell every change by their version only
    let version = metadata
        .generation
        .is_none()
        .then_some(&metadata.resource_version);
    let what = (
        &metadata.uid,
        metadata.generation,
        version,
        &metadata.labels,
        &metadata.annotations,
        &metadata.finalizers,
        &metadata.owner_references,
        fields.collect::<Vec<_>>(),
    );
    short(serde_json::to_string(&what).unwrap_or_default().as_bytes())
}

/// The same of a whole object.
pub(crate) fn fingerprint_of(live: &Value) -> Short {
    let metadata = live
        .get("metadata")
        .and_then(|metadata| ObjectMeta::deserialize(metadata).ok());
    fingerprint(&metadata.unwrap_or_default())
}

/// Annotations that earlier tools left behind.
const FOREIGN_ANNOTATIONS: [&str; 3] = [
    meta::LAST_APPLIED_CONFIGURATION,
    meta::LEGACY_CHECKSUM,
    meta::FLUX1_CHECKSUM,
];
/// Managers whose fields are ours to take, by prefix, with the operations that count (compat/kustomize.md 6.8).
const FOREIGN_MANAGERS: [(&str, &[&str]); 3] = [
    ("kubectl", &["Apply", "Update"]),
    ("before-first-apply", &["Update"]),
    (meta::APPLY_MANAGER, &["Update"]),
];

/// The JSON patch that takes over what earlier tools own of a live object, none where nothing is to be taken.
/// It is refused by the API server where the object changed since it was read.
pub(crate) fn takeover(desired: &Object, live: &Value, override_managers: &[String]) -> Option<Value> {
    if either(desired, Some(live), meta::SSA, "Merge") {
        return None;
    }
    let mut operations = Vec::new();
    let place = |place: &str, key: &str| {
        live.get("metadata")
            .and_then(|metadata| metadata.get(place)?.get(key))
            .is_some()
    };
    for annotation in FOREIGN_ANNOTATIONS
        .into_iter()
        .filter(|key| place("annotations", key))
    {
        operations
            .push(json!({ "op": "remove", "path": format!("/metadata/annotations/{}", escape(annotation)) }));
    }
    if place("labels", meta::FLUX1_GC_MARK) {
        operations.push(
            json!({ "op": "remove", "path": format!("/metadata/labels/{}", escape(meta::FLUX1_GC_MARK)) }),
        );
    }
    if let Some(fields) = taken_fields(live, override_managers) {
        operations.push(json!({ "op": "replace", "path": "/metadata/managedFields", "value": fields }));
    }
    if operations.is_empty() {
        return None;
    }
    let version = live
        .pointer("/metadata/resourceVersion")
        .cloned()
        .unwrap_or_default();
    operations.push(json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": version }));
    Some(Value::Array(operations))
}

/// `managedFields` with the entries of foreign managers merged into ours, none where there are none.
fn taken_fields(live: &Value, override_managers: &[String]) -> Option<Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let text = |entry: &Value, key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let is_foreign = |entry: &&Value| {
        let (manager, operation) = (text(entry, "manager"), text(entry, "operation"));
        let listed = FOREIGN_MANAGERS.iter().any(|(prefix, operations)| {
            manager.starts_with(prefix) && operations.contains(&operation.as_str())
        });
        let overridden = override_managers
            .iter()
            .any(|prefix| manager.starts_with(prefix.as_str()));
        text(entry, "subresource").is_empty() && (listed || overridden)
    };
    let is_ours = |entry: &&Value| {
        text(entry, "manager") == meta::APPLY_MANAGER
            && text(entry, "operation") == "Apply"
            && text(entry, "subresource").is_empty()
    };
    let (foreign, mut kept): (Vec<&Value>, Vec<&Value>) = entries.iter().partition(is_foreign);
    let first = *foreign.first()?;
    let ours = kept.iter().position(is_ours).map(|index| kept.remove(index));
    let mut taken = ours.unwrap_or(first).clone();
    for entry in foreign {
        if let (Some(into), Some(from)) = (taken.get_mut("fieldsV1"), entry.get("fieldsV1")) {
            unite(into, from);
        }
    }
    if let Some(map) = taken.as_object_mut() {
        map.insert("manager".to_owned(), meta::APPLY_MANAGER.into());
        map.insert("operation".to_owned(), "Apply".into());
    }
    let mut fields: Vec<Value> = kept.into_iter().cloned().collect();
    fields.push(taken);
    Some(Value::Array(fields))
}

/// The union of two field sets.
fn unite(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            unite(into.entry(key.clone()).or_insert_with(|| json!({})), value);
        }
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether a dry run would change what counts: labels, annotations, and everything beside metadata and status.
pub(crate) fn is_drifted(live: &Value, dry_run: &Value) -> bool {
    let differs = |pointer: &str| non_empty(live.pointer(pointer)) != non_empty(dry_run.pointer(pointer));
    let content = |object: &Value| -> Map<String, Value> {
        let fields = object.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    differs("/metadata/labels") || differs("/metadata/annotations") || content(live) != content(dry_run)
}

fn non_empty(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| value.as_object().is_none_or(|map| !map.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(annotations: Value) -> Object {
        Object::new(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "annotations": annotations } }))
            .unwrap()
    }

    #[test]
    fn kubectl_s_fields_become_ours() {
        let live = json!({ "metadata": {
            "resourceVersion": "7",
            "annotations": { meta::LAST_APPLIED_CONFIGURATION: "{}" },
            "managedFields": [
                { "manager": "kubectl-edit", "operation": "Update", "fieldsV1": { "f:data": { "f:b": {} } } },
                { "manager": "kustomize-controller", "operation": "Apply", "fieldsV1": { "f:data": { "f:a": {} } } },
                { "manager": "hpa", "operation": "Update", "fieldsV1": { "f:data": { "f:c": {} } } },
                { "manager": "kubectl", "operation": "Update", "subresource": "status", "fieldsV1": {} },
                { "manager": "flux-client-side-apply", "operation": "Apply", "fieldsV1": {} },
            ],
        } });
        let patch = takeover(&object(json!({})), &live, &[]).unwrap();
        assert_eq!(
            patch,
            json!([
                { "op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration" },
                { "op": "replace", "path": "/metadata/managedFields", "value": [
                    { "manager": "hpa", "operation": "Update", "fieldsV1": { "f:data": { "f:c": {} } } },
                    { "manager": "kubectl", "operation": "Update", "subresource": "status", "fieldsV1": {} },
                    { "manager": "flux-client-side-apply", "operation": "Apply", "fieldsV1": {} },
                    { "manager": "kustomize-controller", "operation": "Apply",
                      "fieldsV1": { "f:data": { "f:a": {}, "f:b": {} } } },
                ] },
                { "op": "replace", "path": "/metadata/resourceVersion", "value": "7" },
            ])
        );
        assert!(
            takeover(&object(json!({ meta::SSA: "merge" })), &live, &[]).is_none(),
            "merge keeps them"
        );
    }

    #[test]
    fn a_status_write_does_not_move_the_fingerprint() {
        let at = |fields: Value, version: &str| {
            fingerprint_of(&json!({ "metadata": {
                "uid": "u", "generation": 1, "resourceVersion": version, "managedFields": fields,
            } }))
        };
        let spec =
            json!({ "manager": "kustomize-controller", "operation": "Apply", "fieldsV1": { "f:spec": {} } });
        let status =
            json!({ "manager": "kubelet", "operation": "Update", "subresource": "status", "fieldsV1": {} });
        let edit = json!({ "manager": "kubectl-edit", "operation": "Update", "fieldsV1": {} });
        let before = at(json!([spec]), "1");
        assert_eq!(before, at(json!([spec, status]), "2"));
        assert_ne!(before, at(json!([spec, edit]), "2"));
    }

    #[test]
    fn drift_is_what_users_wrote_down() {
        let live = json!({ "metadata": { "labels": { "a": "1" }, "generation": 1 }, "spec": { "x": 1 }, "status": { "y": 1 } });
        let mut dry = live.clone();
        dry["metadata"]["generation"] = json!(2);
        dry["status"] = json!({ "y": 2 });
        dry["metadata"]["annotations"] = json!({});
        assert!(!is_drifted(&live, &dry));
        for (pointer, value) in [("/metadata/labels", json!({})), ("/spec", json!({ "x": 2 }))] {
            let mut dry = live.clone();
            *dry.pointer_mut(pointer).unwrap() = value;
            assert!(is_drifted(&live, &dry), "{pointer}");
        }
    }

    #[test]
    fn only_owned_objects_are_pruned() {
        let live = |annotations: Value, name: &str| json!({ "metadata": { "labels": { meta::OWNER_NAME: name, meta::OWNER_NAMESPACE: "ns" }, "annotations": annotations } });
        assert!(is_prunable(&live(json!({}), "apps"), ("apps", "ns")));
        assert!(!is_prunable(&live(json!({}), "other"), ("apps", "ns")));
        assert!(!is_prunable(
            &live(json!({ meta::PRUNE: "Disabled" }), "apps"),
            ("apps", "ns")
        ));
        assert!(!is_prunable(
            &live(json!({ meta::SSA: "ignore" }), "apps"),
            ("apps", "ns")
        ));
    }
}
