use super::write::{self, controlled, hash, is_ready};
use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::{Key, revision_of};
use serde_json::{Value, json};

const MANAGER: &str = "kube-controller-manager";
const REVISION: &str = "controller-revision-hash";

/// Keeps the numbered Pods of a StatefulSet; a Pod of an older template makes way for a new one.
pub(super) fn stateful_set(cluster: &Cluster, key: &Key) {
    let (sets, pods) = (table("apps", "statefulsets"), table("", "pods"));
    let Some(set) = cluster.store.get(&sets, key) else {
        return;
    };
    if meta::is_deleted(&set) {
        return;
    }
    let revision = format!(
        "{}-{}",
        key.name,
        hash(set.pointer("/spec/template").unwrap_or(&Value::Null))
    );
    let wanted = set
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let mut in_order = true;
    for ordinal in 0..wanted {
        let name = format!("{}-{ordinal}", key.name);
        let found = cluster.store.get(&pods, &Key::new(&key.namespace, &name));
        match found {
            Some(pod) if meta::entry(&pod, "labels", REVISION) != Some(revision.as_str()) => {
                let _ = cluster.store.remove(&pods, &Key::of(&pod), revision_of(&pod));
                return; // its removal brings us back
            }
            Some(pod) => in_order &= is_ready(&pod),
            None if in_order
                || set.pointer("/spec/podManagementPolicy").and_then(Value::as_str) == Some("Parallel") =>
            {
                let index = ordinal.to_string();
                let labels = [
                    (REVISION, revision.as_str()),
                    ("statefulset.kubernetes.io/pod-name", name.as_str()),
                    ("apps.kubernetes.io/pod-index", index.as_str()),
                ];
                write::pod(cluster, &set, Some(&name), &labels);
                in_order = false;
            }
            None => {}
        }
    }
    let owned = controlled(cluster, &pods, &set);
    for pod in &owned {
        let ordinal = meta::name(pod)
            .rsplit('-')
            .next()
            .and_then(|text| text.parse::<i64>().ok());
        if ordinal.is_some_and(|ordinal| ordinal >= wanted) {
            let _ = cluster.store.remove(&pods, &Key::of(pod), revision_of(pod));
        }
    }
    let owned = controlled(cluster, &pods, &set);
    let count = owned.len();
    let ready = owned.iter().filter(|pod| is_ready(pod)).count();
    write::status(cluster, &sets, key, MANAGER, |set| {
        let mut status = json!({"observedGeneration": meta::generation(set), "replicas": count, "availableReplicas": ready,
            "updateRevision": revision, "collisionCount": 0});
        for (field, number) in [("readyReplicas", ready), ("updatedReplicas", count)] {
            if number > 0 {
                meta::as_map(&mut status).insert(field.to_owned(), number.into());
            }
        }
        let is_done = i64::try_from(ready).is_ok_and(|ready| ready == wanted);
        let before = set
            .pointer("/status/currentRevision")
            .and_then(Value::as_str)
            .unwrap_or(&revision);
        let current = if is_done { revision.as_str() } else { before };
        meta::as_map(&mut status).insert("currentRevision".to_owned(), current.into());
        if current == revision && count > 0 {
            meta::as_map(&mut status).insert("currentReplicas".to_owned(), count.into());
        }
        Some(status)
    });
}

/// Keeps one Pod of a DaemonSet on the one node.
pub(super) fn daemon_set(cluster: &Cluster, key: &Key) {
    let (sets, pods) = (table("apps", "daemonsets"), table("", "pods"));
    let Some(set) = cluster.store.get(&sets, key) else {
        return;
    };
    if meta::is_deleted(&set) {
        return;
    }
    let revision = hash(set.pointer("/spec/template").unwrap_or(&Value::Null));
    let owned = controlled(cluster, &pods, &set);
    for old in owned
        .iter()
        .filter(|pod| meta::entry(pod, "labels", REVISION) != Some(revision.as_str()))
    {
        let _ = cluster.store.remove(&pods, &Key::of(old), revision_of(old));
    }
    let mut owned = controlled(cluster, &pods, &set);
    if owned.is_empty() {
        write::pod(cluster, &set, None, &[(REVISION, &revision)]);
        owned = controlled(cluster, &pods, &set);
    }
    let (count, ready) = (owned.len(), owned.iter().filter(|pod| is_ready(pod)).count());
    write::status(cluster, &sets, key, MANAGER, |set| {
        let mut status = json!({"currentNumberScheduled": count, "numberMisscheduled": 0, "desiredNumberScheduled": 1,
            "numberReady": ready, "observedGeneration": meta::generation(set), "updatedNumberScheduled": count});
        let (field, number) = if ready > 0 {
            ("numberAvailable", ready)
        } else {
            ("numberUnavailable", 1)
        };
        meta::as_map(&mut status).insert(field.to_owned(), number.into());
        Some(status)
    });
}
