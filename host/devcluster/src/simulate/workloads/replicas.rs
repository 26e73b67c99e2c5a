use super::READY;
use super::rolling::{self, Size};
use super::write::{self, controlled, hash, is_ready, owner_reference, with_condition};
use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::{Key, revision_of};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const MANAGER: &str = "kube-controller-manager";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

fn number(object: &Value, pointer: &str) -> i64 {
    object
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// Keeps one ReplicaSet for the template of a Deployment, and says how far it is.
pub(super) fn deployment(cluster: &Cluster, key: &Key) {
    let (deployments, sets) = (table("apps", "deployments"), table("apps", "replicasets"));
    let Some(deployment) = cluster.store.get(&deployments, key) else {
        return;
    };
    if meta::is_deleted(&deployment) {
        return;
    }
    let template = deployment.pointer("/spec/template").unwrap_or(&Value::Null);
    let wanted = number(&deployment, "/spec/replicas");
    let name = format!("{}-{}", key.name, hash(template));
    let owned = controlled(cluster, &sets, &deployment);
    let paused = deployment.pointer("/spec/paused") == Some(&Value::Bool(true));
    let (mine, others): (Vec<_>, Vec<_>) = owned.iter().partition(|set| meta::name(set) == name);
    let new = mine.first().map_or_else(Size::default, |set| size(set));
    let old: Vec<Size> = others.iter().map(|set| size(set)).collect();
    let (next, shrunk) = rolling::next(wanted, rolling::strategy(&deployment, wanted), new, &old);
    let newest = match mine.first() {
        Some(newest) => (**newest).clone(),
        None if paused => return status(cluster, key, &owned, None),
        None => {
            create_set(cluster, &deployment, &name, next, owned.len() + 1);
            return;
        }
    };
    write::change(cluster, &deployments, key, MANAGER, "status", |object| {
        note_revision(object, &newest)
    });
    // a paused one stays where it is, between the old and the new
    if !paused || old.is_empty() {
        for (set, next) in others.into_iter().zip(shrunk) {
            scale(cluster, &sets, set, next);
        }
        scale(cluster, &sets, &newest, next);
    }
    let owned = controlled(cluster, &sets, &deployment);
    status(cluster, key, &owned, Some(&name));
}

fn note_revision(object: &Value, newest: &Value) -> Option<Value> {
    let revision = meta::annotation(newest, REVISION)?;
    if meta::annotation(object, REVISION) == Some(revision) {
        return None;
    }
    let mut new = object.clone();
    let annotations = meta::meta_mut(&mut new)
        .entry("annotations")
        .or_insert_with(|| json!({}));
    meta::as_map(annotations).insert(REVISION.to_owned(), revision.into());
    Some(new)
}

fn size(set: &Value) -> Size {
    Size {
        wanted: number(set, "/spec/replicas"),
        there: number(set, "/status/replicas"),
        available: number(set, "/status/availableReplicas"),
    }
}

fn create_set(cluster: &Cluster, deployment: &Value, name: &str, replicas: i64, revision: usize) {
    let hash = name.rsplit('-').next().unwrap_or_default();
    let mut template = deployment.pointer("/spec/template").cloned().unwrap_or_default();
    let labels = meta::meta_mut(&mut template)
        .entry("labels")
        .or_insert_with(|| json!({}));
    meta::as_map(labels).insert(HASH.to_owned(), hash.into());
    let labels = labels.clone();
    let mut selector = deployment.pointer("/spec/selector").cloned().unwrap_or_default();
    meta::field_mut(&mut selector, "matchLabels").insert(HASH.to_owned(), hash.into());
    let mut annotations = json!({REVISION: revision.to_string()});
    if let Some(wish) = meta::annotation(deployment, READY) {
        meta::as_map(&mut annotations).insert(READY.to_owned(), wish.into());
    }
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": name, "labels": labels, "annotations": annotations, "ownerReferences": owner_reference(deployment)},
        "spec": {"replicas": replicas, "selector": selector, "template": template,
            "minReadySeconds": number(deployment, "/spec/minReadySeconds")}});
    cluster.create_own(
        "kube-controller-manager",
        "apps",
        "v1",
        "replicasets",
        meta::namespace(deployment),
        set,
    );
}

fn scale(cluster: &Cluster, sets: &str, set: &Value, replicas: i64) {
    if number(set, "/spec/replicas") == replicas {
        return;
    }
    write::change(cluster, sets, &Key::of(set), MANAGER, "", |object| {
        let mut new = object.clone();
        meta::field_mut(&mut new, "spec").insert("replicas".to_owned(), replicas.into());
        meta::set(&mut new, "generation", meta::generation(object) + 1);
        Some(new)
    });
}

fn status(cluster: &Cluster, key: &Key, owned: &[Arc<Value>], newest: Option<&str>) {
    let sum = |field: &str| {
        owned
            .iter()
            .map(|set| number(set, &format!("/status/{field}")))
            .sum::<i64>()
    };
    let of_newest = |field: &str| {
        let newest = owned.iter().find(|set| Some(meta::name(set)) == newest);
        newest.map_or(0, |set| number(set, &format!("/status/{field}")))
    };
    write::status(
        cluster,
        &table("apps", "deployments"),
        key,
        MANAGER,
        |deployment| {
            let wanted = number(deployment, "/spec/replicas");
            let (available, updated) = (sum("availableReplicas"), of_newest("replicas"));
            let fields = [
                ("replicas", sum("replicas")),
                ("updatedReplicas", updated),
                ("readyReplicas", sum("readyReplicas")),
                ("availableReplicas", available),
                ("unavailableReplicas", (wanted - available).max(0)),
            ];
            let mut status: Map<String, Value> = fields
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(field, count)| (field.to_owned(), count.into()))
                .collect();
            status.insert(
                "observedGeneration".to_owned(),
                meta::generation(deployment).into(),
            );
            let is_available = available >= wanted;
            let said = if is_available {
                (
                    "True",
                    "MinimumReplicasAvailable",
                    "Deployment has minimum availability.",
                )
            } else {
                (
                    "False",
                    "MinimumReplicasUnavailable",
                    "Deployment does not have minimum availability.",
                )
            };
            let complete =
                updated == wanted && of_newest("availableReplicas") >= wanted && sum("replicas") == wanted;
            let newest = newest.unwrap_or_default();
            let progress = if complete {
                (
                    "NewReplicaSetAvailable",
                    format!("ReplicaSet \"{newest}\" has successfully progressed."),
                )
            } else {
                (
                    "ReplicaSetUpdated",
                    format!("ReplicaSet \"{newest}\" is progressing."),
                )
            };
            status.insert(
                "conditions".to_owned(),
                json!([
                    with_condition(deployment, "Available", said.0, said.1, said.2, true),
                    with_condition(deployment, "Progressing", "True", progress.0, &progress.1, true),
                ]),
            );
            Some(Value::Object(status))
        },
    );
}

/// Keeps as many Pods as a ReplicaSet wants.
pub(super) fn replica_set(cluster: &Cluster, key: &Key) {
    let (sets, pods) = (table("apps", "replicasets"), table("", "pods"));
    let Some(set) = cluster.store.get(&sets, key) else {
        return;
    };
    if meta::is_deleted(&set) {
        return;
    }
    let wanted = usize::try_from(number(&set, "/spec/replicas")).unwrap_or_default();
    let mut owned = controlled(cluster, &pods, &set);
    owned.retain(|pod| !meta::is_deleted(pod));
    for _ in owned.len()..wanted {
        write::pod(cluster, &set, None, &[]);
    }
    // those that are not ready go first
    owned.sort_by_key(|pod| std::cmp::Reverse(is_ready(pod)));
    for extra in owned.iter().skip(wanted) {
        let _ = cluster.store.remove(&pods, &Key::of(extra), revision_of(extra));
    }
    let owned = controlled(cluster, &pods, &set);
    let ready = owned.iter().filter(|pod| is_ready(pod)).count();
    write::status(cluster, &sets, key, MANAGER, |set| {
        let mut status = json!({"replicas": owned.len(), "observedGeneration": meta::generation(set)});
        for (field, count) in [
            ("fullyLabeledReplicas", owned.len()),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
        ] {
            if count > 0 {
                meta::as_map(&mut status).insert(field.to_owned(), count.into());
            }
        }
        Some(status)
    });
}
