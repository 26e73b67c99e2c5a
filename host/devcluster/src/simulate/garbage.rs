//! What happens to objects whose owner goes: background, foreground, orphan.

use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;
use crate::store::{Expect, Key, revision_of};
use crate::write::delete::{FOREGROUND, ORPHAN};
use serde_json::Value;
use std::sync::Arc;

/// Deletes an object as a controller does; says whether it is gone.
pub(crate) fn delete_now(cluster: &Cluster, table: &str, object: &Value) -> bool {
    let key = Key::of(object);
    let Some(stored) = cluster.store.get(table, &key) else {
        return true;
    };
    if meta::finalizers(&stored).is_empty() {
        return cluster.store.remove(table, &key, revision_of(&stored)).is_ok();
    }
    if !meta::is_deleted(&stored) {
        let mut new = (*stored).clone();
        meta::set(&mut new, "deletionTimestamp", meta::now());
        meta::set(&mut new, "deletionGracePeriodSeconds", 0);
        if meta::generation(&new) > 0 {
            let generation = meta::generation(&new) + 1;
            meta::set(&mut new, "generation", generation);
        }
        let _ = cluster
            .store
            .put(table, new, &Expect::Revision(revision_of(&stored)));
    }
    false
}

/// The objects that name `uid` as an owner.
fn dependents(cluster: &Cluster, uid: &str) -> Vec<(Arc<Kind>, Arc<Value>)> {
    let mut found = Vec::new();
    for kind in cluster.kinds.stored() {
        for object in cluster.store.list(&kind.table, None).objects {
            if meta::owner_references(&object)
                .iter()
                .any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid))
            {
                found.push((kind.clone(), object));
            }
        }
    }
    found
}

/// An owner is gone: dependents without another living owner go too, others forget it.
pub(crate) fn owner_gone(cluster: &Cluster, uid: &str) {
    for (kind, object) in dependents(cluster, uid) {
        let others = meta::owner_references(&object).iter().any(|owner| {
            owner.get("uid").and_then(Value::as_str) != Some(uid) && is_alive(cluster, &object, owner)
        });
        if others {
            forget(cluster, &kind, &object, uid);
        } else {
            delete_now(cluster, &kind.table, &object);
        }
    }
}

/// An object says that it is owned: if the owner is not there, it goes.
pub(crate) fn check_owners(cluster: &Cluster, kind: &Kind, object: &Value) {
    let owners = meta::owner_references(object);
    if owners.is_empty()
        || meta::is_deleted(object)
        || owners.iter().any(|owner| is_alive(cluster, object, owner))
    {
        return;
    }
    delete_now(cluster, &kind.table, object);
}

fn is_alive(cluster: &Cluster, object: &Value, owner: &Value) -> bool {
    let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    // an owner of a kind that is not served cannot be looked up, so it is not known to be gone
    let Some(kind) = cluster.kinds.by_group_kind(group, text("kind")) else {
        return true;
    };
    let namespace = if kind.is_namespaced {
        meta::namespace(object)
    } else {
        ""
    };
    cluster
        .store
        .get(&kind.table, &Key::new(namespace, text("name")))
        .is_some_and(|found| meta::uid(&found) == text("uid"))
}

/// An object that waits for its dependents: deletes or releases them, then goes itself.
pub(crate) fn waiting_owner(cluster: &Cluster, kind: &Kind, object: &Value) {
    let finalizers = meta::finalizers(object);
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if !meta::is_deleted(object) || !(has(FOREGROUND) || has(ORPHAN)) {
        return;
    }
    let uid = meta::uid(object);
    let mut blocked = false;
    for (dependent_kind, dependent) in dependents(cluster, uid) {
        if has(ORPHAN) {
            forget(cluster, &dependent_kind, &dependent, uid);
        } else {
            let blocks = meta::owner_references(&dependent).iter().any(|owner| {
                owner.get("uid").and_then(Value::as_str) == Some(uid)
                    && owner.get("blockOwnerDeletion") == Some(&Value::Bool(true))
            });
            blocked |= !delete_now(cluster, &dependent_kind.table, &dependent) && blocks;
        }
    }
    if blocked {
        return;
    }
    let Some(stored) = cluster.store.get(&kind.table, &Key::of(object)) else {
        return;
    };
    let left: Vec<String> = meta::finalizers(&stored)
        .into_iter()
        .filter(|name| name != FOREGROUND && name != ORPHAN)
        .collect();
    if left.is_empty() {
        let _ = cluster.remove(kind, &Key::of(&stored), revision_of(&stored));
    } else {
        let mut new = (*stored).clone();
        meta::set_finalizers(&mut new, &left);
        let _ = cluster.put(kind, new, &Expect::Revision(revision_of(&stored)));
    }
}

fn forget(cluster: &Cluster, kind: &Kind, object: &Value, uid: &str) {
    let Some(stored) = cluster.store.get(&kind.table, &Key::of(object)) else {
        return;
    };
    let mut new = (*stored).clone();
    let left: Vec<Value> = meta::owner_references(&new)
        .iter()
        .filter(|owner| owner.get("uid").and_then(Value::as_str) != Some(uid))
        .cloned()
        .collect();
    if left.is_empty() {
        meta::remove(&mut new, "ownerReferences");
    } else {
        meta::set(&mut new, "ownerReferences", left);
    }
    let _ = cluster.put(kind, new, &Expect::Revision(revision_of(&stored)));
}

/// Takes a finalizer off an object that is being deleted; the last one lets it go.
pub(super) fn release(cluster: &Cluster, table: &str, key: &Key, finalizer: &str) {
    let Some(stored) = cluster
        .store
        .get(table, key)
        .filter(|stored| meta::is_deleted(stored))
    else {
        return;
    };
    let left: Vec<String> = meta::finalizers(&stored)
        .into_iter()
        .filter(|name| name != finalizer)
        .collect();
    if left.is_empty() {
        let _ = cluster.store.remove(table, key, revision_of(&stored));
    } else if left != meta::finalizers(&stored) {
        let mut new = (*stored).clone();
        meta::set_finalizers(&mut new, &left);
        let _ = cluster
            .store
            .put(table, new, &Expect::Revision(revision_of(&stored)));
    }
}
