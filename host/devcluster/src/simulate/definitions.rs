//! CustomResourceDefinitions: serves what they define, and says so in their status.

use crate::cluster::Cluster;
use crate::kinds::{read_definition, table};
use crate::meta;
use crate::store::{Expect, Key, revision_of};
use serde_json::{Value, json};

/// The finalizer that keeps a definition until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Serves the kinds of a stored definition.
pub(crate) fn serve(cluster: &Cluster, definition: &Value) {
    match read_definition(definition) {
        Ok(kinds) => cluster.kinds.define(meta::name(definition), kinds),
        Err(error) => tracing::warn!(definition = meta::name(definition), %error, "schema cannot be served"),
    }
}

/// Says that a definition's objects are about to go.
pub(crate) fn mark(definition: &mut Value) {
    let status = meta::field_mut(definition, "status");
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.push(json!({"type": "Terminating", "status": "True", "lastTransitionTime": meta::now(),
            "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"}));
    }
}

/// Brings a definition's status up to date; empties its table when it is being deleted.
pub(crate) fn reconcile(cluster: &Cluster, name: &str) {
    let definitions = table("apiextensions.k8s.io", "customresourcedefinitions");
    let Some(stored) = cluster.store.get(&definitions, &Key::new("", name)) else {
        return;
    };
    let Some(kind) = cluster
        .kinds
        .find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
    else {
        return;
    };
    if meta::is_deleted(&stored) {
        finish_deletion(cluster, &kind, &stored);
        return;
    }
    let mut new = (*stored).clone();
    let names = new.pointer("/spec/names").cloned().unwrap_or_default();
    let storage = new
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let storage = storage.filter(|version| version.get("storage") == Some(&Value::Bool(true)));
    let stored_now: Vec<Value> = storage
        .filter_map(|version| version.get("name").cloned())
        .collect();
    let status = meta::field_mut(&mut new, "status");
    status.insert("acceptedNames".to_owned(), names);
    let versions = meta_list(status.get("storedVersions"), &stored_now);
    status.insert("storedVersions".to_owned(), versions);
    let since = status
        .get("conditions")
        .and_then(Value::as_array)
        .and_then(|list| list.first()?.get("lastTransitionTime").cloned());
    let since = since.unwrap_or_else(|| meta::now().into());
    status.insert("conditions".to_owned(), json!([
        {"type": "NamesAccepted", "status": "True", "lastTransitionTime": since, "reason": "NoConflicts", "message": "no conflicts found"},
        {"type": "Established", "status": "True", "lastTransitionTime": since, "reason": "InitialNamesAccepted", "message": "the initial names have been accepted"},
    ]));
    if new != *stored {
        let _ = cluster.put(&kind, new, &Expect::Revision(revision_of(&stored)));
    }
}

fn meta_list(had: Option<&Value>, now: &[Value]) -> Value {
    let mut versions = had.and_then(Value::as_array).cloned().unwrap_or_default();
    for version in now {
        if !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    Value::Array(versions)
}

fn finish_deletion(cluster: &Cluster, kind: &crate::kinds::Kind, stored: &Value) {
    let spec = |pointer: &str| {
        stored
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let objects = format!("{}/{}", spec("/spec/group"), spec("/spec/names/plural"));
    let mut left = 0;
    for object in cluster.store.list(&objects, None).objects {
        if super::garbage::delete_now(cluster, &objects, &object) {
            continue;
        }
        left += 1;
    }
    if left > 0 {
        return;
    }
    let finalizers: Vec<String> = meta::finalizers(stored)
        .into_iter()
        .filter(|finalizer| finalizer != CLEANUP)
        .collect();
    let key = Key::new("", meta::name(stored));
    if finalizers.is_empty() {
        let _ = cluster.remove(kind, &key, revision_of(stored));
        cluster.store.drop_watches(Some(&objects));
    } else if finalizers != meta::finalizers(stored) {
        let mut new = stored.clone();
        meta::set_finalizers(&mut new, &finalizers);
        let _ = cluster.put(kind, new, &Expect::Revision(revision_of(stored)));
    }
}
