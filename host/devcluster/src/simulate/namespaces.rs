//! Namespaces: what every one gets, and how one is emptied.

use super::garbage;
use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::{Expect, Key, revision_of};
use serde_json::{Value, json};

/// A living namespace gets its default account; a dying one is emptied and goes.
pub(crate) fn reconcile(cluster: &Cluster, name: &str) {
    let namespaces = table("", "namespaces");
    let Some(stored) = cluster.store.get(&namespaces, &Key::new("", name)) else {
        return;
    };
    if !meta::is_deleted(&stored) {
        if cluster
            .store
            .get(&table("", "serviceaccounts"), &Key::new(name, "default"))
            .is_none()
        {
            let account =
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
            cluster.create_own(
                "kube-controller-manager",
                "",
                "v1",
                "serviceaccounts",
                name,
                account,
            );
        }
        return;
    }
    let mut left = 0;
    for kind in cluster.kinds.stored().iter().filter(|kind| kind.is_namespaced) {
        for object in cluster.store.list(&kind.table, Some(name)).objects {
            if !garbage::delete_now(cluster, &kind.table, &object) {
                left += 1;
            }
        }
    }
    let Some(stored) = cluster.store.get(&namespaces, &Key::new("", name)) else {
        return;
    };
    if left > 0 {
        wait(cluster, &stored, left);
        return;
    }
    let mut new = (*stored).clone();
    meta::field_mut(&mut new, "spec").remove("finalizers");
    if meta::finalizers(&new).is_empty() {
        let _ = cluster
            .store
            .remove(&namespaces, &Key::new("", name), revision_of(&stored));
    } else {
        let _ = cluster
            .store
            .put(&namespaces, new, &Expect::Revision(revision_of(&stored)));
    }
}

/// Says what keeps the namespace.
fn wait(cluster: &Cluster, stored: &Value, left: usize) {
    let said = format!("Some content in the namespace has finalizers remaining: {left} objects");
    let mut new = stored.clone();
    let status = meta::field_mut(&mut new, "status");
    let same = status
        .get("conditions")
        .and_then(Value::as_array)
        .is_some_and(|list| {
            list.iter()
                .any(|condition| condition.get("message").and_then(Value::as_str) == Some(said.as_str()))
        });
    if same {
        return;
    }
    status.insert(
        "conditions".to_owned(),
        json!([{"type": "NamespaceFinalizersRemaining", "status": "True",
        "lastTransitionTime": meta::now(), "reason": "SomeFinalizersRemain", "message": said}]),
    );
    let _ = cluster.store.put(
        &table("", "namespaces"),
        new,
        &Expect::Revision(revision_of(stored)),
    );
}
