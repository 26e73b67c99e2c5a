//! How the controllers of this process write.

use super::READY;
use crate::cluster::Cluster;
use crate::kinds::{Kind, table};
use crate::meta;
use crate::store::{Expect, Key, revision_of};
use crate::write::{owners, typed};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How often a status write is tried again when somebody else wrote in between.
const TRIES_MAX: usize = 5;

fn kind_of(cluster: &Cluster, object: &Value) -> Option<Arc<Kind>> {
    let (group, version) = meta::api_version(object)
        .split_once('/')
        .unwrap_or(("", meta::api_version(object)));
    cluster.kinds.by_kind(group, version, meta::kind(object))
}

/// Replaces an object's status by what `make` says of the object; none leaves it.
pub(super) fn status(
    cluster: &Cluster,
    table: &str,
    key: &Key,
    manager: &str,
    make: impl Fn(&Value) -> Option<Value>,
) {
    change(cluster, table, key, manager, "status", |object| {
        let status = make(object)?;
        let mut new = object.clone();
        meta::as_map(&mut new).insert("status".to_owned(), status);
        Some(new)
    });
}

/// Writes an object as `manager`; what it changed becomes its own.
pub(super) fn change(
    cluster: &Cluster,
    table: &str,
    key: &Key,
    manager: &str,
    subresource: &str,
    make: impl Fn(&Value) -> Option<Value>,
) {
    for _ in 0..TRIES_MAX {
        let Some(stored) = cluster.store.get(table, key) else {
            return;
        };
        let Some(kind) = kind_of(cluster, &stored) else {
            return;
        };
        let Some(mut new) = make(&stored) else { return };
        if typed::round_trip(&mut new).is_err() || new == *stored {
            return;
        }
        owners::note_update(&kind, Some(&stored), &mut new, manager, subresource);
        if cluster
            .put(&kind, new, &Expect::Revision(revision_of(&stored)))
            .is_ok()
        {
            return;
        }
    }
}

/// The kind and name of an object's controller.
pub(super) fn controller_of(object: &Value) -> Option<(&str, &str)> {
    let owner = meta::owner_references(object)
        .iter()
        .find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}

/// The objects of a table in a namespace that `owner` controls.
pub(super) fn controlled(cluster: &Cluster, table: &str, owner: &Value) -> Vec<Arc<Value>> {
    let uid = meta::uid(owner);
    let mut objects = cluster.store.list(table, Some(meta::namespace(owner))).objects;
    objects.retain(|object| {
        let owners = meta::owner_references(object).iter();
        owners
            .filter(|owner| owner.get("controller") == Some(&Value::Bool(true)))
            .any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid))
    });
    objects
}

/// An owner reference to a controller.
pub(super) fn owner_reference(owner: &Value) -> Value {
    json!([{"apiVersion": meta::api_version(owner), "kind": meta::kind(owner), "name": meta::name(owner),
        "uid": meta::uid(owner), "controller": true, "blockOwnerDeletion": true}])
}

/// A Pod from the template of a workload; the workload's own wish for readiness goes along.
pub(super) fn pod(cluster: &Cluster, owner: &Value, name: Option<&str>, extra_labels: &[(&str, &str)]) {
    let template = owner.pointer("/spec/template").cloned().unwrap_or_default();
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": template.get("metadata").cloned().unwrap_or_else(|| json!({})),
        "spec": template.get("spec").cloned().unwrap_or_default()});
    match name {
        Some(name) => meta::set(&mut pod, "name", name),
        None => meta::set(&mut pod, "generateName", format!("{}-", meta::name(owner))),
    }
    meta::set(&mut pod, "ownerReferences", owner_reference(owner));
    if let Some(wish) = meta::annotation(owner, READY).map(str::to_owned) {
        let annotations = meta::meta_mut(&mut pod)
            .entry("annotations")
            .or_insert_with(|| json!({}));
        meta::as_map(annotations).entry(READY).or_insert(wish.into());
    }
    let labels = meta::meta_mut(&mut pod)
        .entry("labels")
        .or_insert_with(|| json!({}));
    for (key, value) in extra_labels {
        meta::as_map(labels).insert((*key).to_owned(), (*value).into());
    }
    cluster.create_own(
        "kube-controller-manager",
        "",
        "v1",
        "pods",
        meta::namespace(owner),
        pod,
    );
}

/// Whether a Pod's condition `Ready` is true.
pub(super) fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready")
        .is_some_and(|condition| condition.get("status").and_then(Value::as_str) == Some("True"))
}

pub(super) fn condition<'v>(object: &'v Value, kind: &str) -> Option<&'v Value> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
}

/// A condition whose times stand still while nothing about it changes.
pub(super) fn with_condition(
    object: &Value,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    has_update_time: bool,
) -> Value {
    let now = meta::now();
    let had = condition(object, kind);
    let text = |field: &str| {
        had.and_then(|had| had.get(field))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let is_same = text("status") == status;
    let since = if is_same && had.is_some() {
        text("lastTransitionTime").to_owned()
    } else {
        now.clone()
    };
    let mut condition = Map::new();
    condition.insert("type".to_owned(), kind.into());
    condition.insert("status".to_owned(), status.into());
    condition.insert("lastTransitionTime".to_owned(), since.into());
    if has_update_time {
        let untouched = is_same && text("reason") == reason && text("message") == message;
        condition.insert(
            "lastUpdateTime".to_owned(),
            if untouched {
                text("lastUpdateTime").into()
            } else {
                now.into()
            },
        );
    }
    for (field, said) in [("reason", reason), ("message", message)] {
        if !said.is_empty() {
            condition.insert(field.to_owned(), said.into());
        }
    }
    Value::Object(condition)
}

/// Puts an Event about `object` beside it; the same one again counts up.
pub(super) fn event(
    cluster: &Cluster,
    object: &Value,
    kind: &str,
    reason: &str,
    message: &str,
    component: &str,
) {
    let events = table("", "events");
    let about = json!({"apiVersion": meta::api_version(object), "kind": meta::kind(object), "name": meta::name(object),
        "namespace": meta::namespace(object), "uid": meta::uid(object)});
    let same = cluster
        .store
        .list(&events, Some(meta::namespace(object)))
        .objects
        .into_iter()
        .find(|event| {
            event.get("reason").and_then(Value::as_str) == Some(reason)
                && event.get("message").and_then(Value::as_str) == Some(message)
                && event.pointer("/involvedObject/uid").and_then(Value::as_str) == Some(meta::uid(object))
        });
    if same.is_some() {
        return;
    }
    let now = meta::now();
    let body = json!({"apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{}.{}", meta::name(object), meta::random_suffix(16))},
        "involvedObject": about, "type": kind, "reason": reason, "message": message,
        "source": {"component": component}, "reportingComponent": component, "reportingInstance": "",
        "firstTimestamp": now, "lastTimestamp": now, "count": 1});
    cluster.create_own(
        "kube-controller-manager",
        "",
        "v1",
        "events",
        meta::namespace(object),
        body,
    );
}

/// A short name for a template: equal templates have equal names.
pub(super) fn hash(template: &Value) -> String {
    use sha2::Digest as _;
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = sha2::Sha256::digest(template.to_string());
    let letters = digest
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
    letters.take(10).map(|letter| char::from(*letter)).collect()
}
