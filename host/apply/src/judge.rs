//! The seam to the plan room: its decisions over requests' errors and typed metadata.

use crate::cluster::RequestError;
use crate::live::{Seen, Short, short};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_api::meta;
use std::collections::BTreeMap;

/// What of an object's metadata tells that somebody changed what matters ([`sluice_plan::fingerprint_bytes`]).
/// Equal for an object as a watch of metadata and as an answer shows it, because both go through the typed metadata.
pub fn fingerprint(metadata: &ObjectMeta) -> Short {
    short(sluice_plan::fingerprint_bytes(&json!({ "metadata": metadata })).as_bytes())
}

/// Prefixes of managers whose fields are ours, or ours to take (compat/kustomize.md 6.8).
const OUR_MANAGERS: [&str; 3] = [meta::APPLY_MANAGER, "kubectl", "before-first-apply"];
/// Prefix of the labels and annotations by which objects say how they are applied, and who owns them.
const CONTROL_PREFIX: &str = "kustomize.toolkit.fluxcd.io/";

/// Who owns which of the fields that are ours, or ours to take, and what the object says about being applied. While this
/// does not move, nothing that we applied has been changed by others: changing a field takes its ownership.
pub fn ownership(metadata: &ObjectMeta, override_managers: &[String]) -> Short {
    let is_ours = |manager: &str| {
        OUR_MANAGERS.iter().any(|prefix| manager.starts_with(prefix))
            || override_managers
                .iter()
                .any(|prefix| manager.starts_with(prefix.as_str()))
    };
    let entries = metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.subresource.is_none());
    let entries = entries.filter(|entry| is_ours(entry.manager.as_deref().unwrap_or_default()));
    let fields: Vec<_> = entries
        .map(|entry| (&entry.manager, &entry.operation, &entry.fields_v1))
        .collect();
    let controls = |place: &Option<BTreeMap<String, String>>| -> Vec<(String, String)> {
        let all = place
            .iter()
            .flatten()
            .filter(|(key, _)| key.starts_with(CONTROL_PREFIX));
        all.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let what = json!([
        metadata.uid,
        fields,
        controls(&metadata.labels),
        controls(&metadata.annotations)
    ]);
    short(sluice_object::canonical_json(&what).as_bytes())
}

/// How an object is in an answer.
pub(crate) fn seen(live: &Value, override_managers: &[String]) -> Seen {
    seen_in(&metadata(live), override_managers)
}

fn metadata(live: &Value) -> ObjectMeta {
    let metadata = live.get("metadata");
    metadata
        .and_then(|metadata| ObjectMeta::deserialize(metadata).ok())
        .unwrap_or_default()
}

/// How an object is by its metadata.
pub fn seen_in(metadata: &ObjectMeta, override_managers: &[String]) -> Seen {
    let version = metadata
        .resource_version
        .as_deref()
        .and_then(|version| version.parse().ok())
        .unwrap_or(0);
    Seen {
        fingerprint: fingerprint(metadata),
        ownership: ownership(metadata, override_managers),
        version,
    }
}

/// The same of a whole object.
pub(crate) fn fingerprint_of(live: &Value) -> Short {
    fingerprint(&metadata(live))
}

/// Whether a refusal means that the object cannot be changed in place.
pub(crate) fn is_immutable(cause: &RequestError) -> bool {
    match cause {
        RequestError::Refused {
            code,
            reason,
            message,
            ..
        } => sluice_plan::is_immutable(*code, reason, message),
        RequestError::Transport(_)
        | RequestError::NoMatch { .. }
        | RequestError::InvalidName { .. }
        | RequestError::NoUser(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_our_field_moves_the_ownership() {
        let at = |fields: Value, annotations: Value| {
            seen(
                &json!({ "metadata": { "uid": "u", "managedFields": fields, "annotations": annotations } }),
                &[],
            )
            .ownership
        };
        let ours = |fields: Value| json!({ "manager": "kustomize-controller", "operation": "Apply", "fieldsV1": fields });
        let hpa = json!({ "manager": "hpa", "operation": "Update", "fieldsV1": { "f:spec": {} } });
        let edit = json!({ "manager": "kubectl-edit", "operation": "Update", "fieldsV1": { "f:spec": {} } });
        let before = at(json!([ours(json!({ "f:a": {}, "f:b": {} }))]), json!({}));
        assert_eq!(
            before,
            at(
                json!([ours(json!({ "f:a": {}, "f:b": {} })), hpa]),
                json!({ "x": "y" })
            )
        );
        assert_ne!(
            before,
            at(json!([ours(json!({ "f:a": {} })), hpa]), json!({})),
            "taken from us"
        );
        assert_ne!(
            before,
            at(json!([ours(json!({ "f:a": {}, "f:b": {} })), edit]), json!({})),
            "ours to take"
        );
        assert_ne!(
            before,
            at(
                json!([ours(json!({ "f:a": {}, "f:b": {} }))]),
                json!({ meta::RECONCILE: "disabled" })
            )
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
}
