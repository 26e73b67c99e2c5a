//! The controllers of a cluster, in this process: definitions, namespaces, garbage, events that expire, and workloads that become
//! ready.
//!
//! One task follows every change of the store and lets each controller look at what changed. A write of theirs that comes too
//! late is dropped: what came before it is a change as well, which they look at next.

pub(crate) mod definitions;
mod events;
mod garbage;
mod namespaces;
mod workloads;

use crate::cluster::Cluster;
use crate::kinds::{Kind, table};
use crate::meta;
use crate::store::{Change, ChangeKind};
use crate::write::strategy::CLAIM_PROTECTION;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Which controllers run beside that of definitions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controllers {
    /// Deployments and their like become ready.
    pub(crate) workloads: bool,
    /// Namespaces are emptied, dependents follow their owners.
    pub(crate) garbage: bool,
}

/// Runs the controllers until asked to stop.
pub(crate) async fn run(cluster: Arc<Cluster>, controllers: Controllers, mut stop: watch::Receiver<bool>) {
    let mut changes = cluster.store.observe();
    let mut pending = Pending::default();
    if controllers.workloads {
        workloads::bootstrap(&cluster);
    }
    for kind in cluster.kinds.stored() {
        for object in cluster.store.list(&kind.table, None).objects {
            let change = Change {
                table: kind.table.clone(),
                revision: 0,
                kind: ChangeKind::Added,
                key: crate::store::Key::of(&object),
                object,
                previous: None,
            };
            look(&cluster, &change, controllers, &mut pending);
        }
    }
    loop {
        tokio::select! {
            biased;
            change = changes.recv() => match change {
                Some(change) => look(&cluster, &change, controllers, &mut pending),
                None => return,
            },
            () = pending.later.due() => pending.later.ripe(&cluster),
            _ = stop.changed() => return,
        }
    }
}

/// What time will bring.
#[derive(Default)]
struct Pending {
    later: workloads::Later,
    expiry: events::Expiry,
}

fn look(cluster: &Cluster, change: &Change, controllers: Controllers, pending: &mut Pending) {
    let object = &change.object;
    if change.table == table("", "events") {
        pending.expiry.look(&cluster.store, change);
        if change.kind == ChangeKind::Deleted {
            // it owned nothing, and there can be thousands at once
            if controllers.garbage {
                after_deletion(cluster, change);
            }
            return;
        }
    }
    if change.table == table("apiextensions.k8s.io", "customresourcedefinitions") {
        definitions::reconcile(cluster, &change.key.name);
    }
    if controllers.garbage && change.table == table("", "namespaces") && change.kind != ChangeKind::Deleted {
        namespaces::reconcile(cluster, &change.key.name);
    }
    if !controllers.garbage {
        if change.kind == ChangeKind::Deleted {
            definition_looks(cluster, change);
        }
    } else if change.kind == ChangeKind::Deleted {
        garbage::owner_gone(cluster, meta::uid(object));
        after_deletion(cluster, change);
    } else if let Some(kind) = kind_of(cluster, change) {
        garbage::waiting_owner(cluster, &kind, object);
        garbage::check_owners(cluster, &kind, object);
    }
    if controllers.garbage && change.table == table("", "persistentvolumeclaims") && meta::is_deleted(object)
    {
        garbage::release(cluster, &change.table, &change.key, CLAIM_PROTECTION);
    }
    if controllers.workloads {
        workloads::look(cluster, change, &mut pending.later);
    }
}

fn kind_of(cluster: &Cluster, change: &Change) -> Option<Arc<Kind>> {
    let (group, version) = meta::api_version(&change.object)
        .split_once('/')
        .unwrap_or(("", meta::api_version(&change.object)));
    cluster.kinds.by_kind(group, version, meta::kind(&change.object))
}

/// Something went: whoever waited for it looks again.
fn after_deletion(cluster: &Cluster, change: &Change) {
    if !change.key.namespace.is_empty() {
        let namespaces = table("", "namespaces");
        let namespace = cluster
            .store
            .get(&namespaces, &crate::store::Key::new("", &change.key.namespace));
        if namespace.is_some_and(|namespace| meta::is_deleted(&namespace)) {
            namespaces::reconcile(cluster, &change.key.namespace);
        }
    }
    definition_looks(cluster, change);
    wake_owners(cluster, change);
}

/// The last object of a definition that is on its way out went.
fn definition_looks(cluster: &Cluster, change: &Change) {
    let (group, plural) = change.table.split_once('/').unwrap_or_default();
    let definition = format!("{plural}.{group}");
    let definitions = table("apiextensions.k8s.io", "customresourcedefinitions");
    let found = cluster
        .store
        .get(&definitions, &crate::store::Key::new("", &definition));
    if found.is_some_and(|found| meta::is_deleted(&found)) {
        definitions::reconcile(cluster, &definition);
    }
}

fn wake_owners(cluster: &Cluster, change: &Change) {
    let owners: HashMap<&str, &serde_json::Value> = meta::owner_references(&change.object)
        .iter()
        .filter_map(|owner| Some((owner.get("uid")?.as_str()?, owner)))
        .collect();
    for owner in owners.values() {
        let text = |key: &str| {
            owner
                .get(key)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let Some(kind) = cluster.kinds.by_group_kind(group, text("kind")) else {
            continue;
        };
        let namespace = if kind.is_namespaced {
            change.key.namespace.as_str()
        } else {
            ""
        };
        if let Some(found) = cluster
            .store
            .get(&kind.table, &crate::store::Key::new(namespace, text("name")))
        {
            garbage::waiting_owner(cluster, &kind, &found);
        }
    }
}
