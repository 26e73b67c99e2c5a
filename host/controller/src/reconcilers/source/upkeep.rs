//! What is looked at beside the passes: damage in the store, and artifacts whose objects are gone.

use super::Shelf;
use crate::runtime::{Context, Key, Kind, object_id};
use sluice_apply::cluster::Identity;
use sluice_artifact::Store;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

/// Begins to look after the artifacts of a kind, until the process ends. Once a process: when the first object of the kind
/// runs, all have been listed.
pub(super) fn begin(cx: &Arc<Context>, kind: &'static Kind, shelf: &Shelf) {
    tokio::spawn(wake_orphans(cx.clone(), kind, shelf.store.clone()));
    tokio::spawn(wake_damaged(Arc::downgrade(cx), kind, shelf.store.clone()));
}

/// Artifacts of objects that went while nobody looked, or whose finalizer was taken by force: the objects run once more, and
/// find that they are gone.
async fn wake_orphans(cx: Arc<Context>, kind: &'static Kind, store: Store) {
    let artifacts = tokio::task::spawn_blocking(move || store.artifacts()).await;
    let paths = artifacts.into_iter().flatten().map(|artifact| artifact.path);
    let paths = paths.filter(|path| path.kind() == kind.controller);
    let keys: BTreeSet<Key> = paths
        .map(|path| Key::new(kind.kind, path.namespace(), path.name()))
        .collect();
    for key in keys {
        if cx.store.get(&key).is_some() {
            continue;
        }
        match cx
            .cluster
            .get(&Identity::AsController, &object_id(kind, &key))
            .await
        {
            Ok(None) => cx.wake(&key),
            Ok(Some(_)) => {}
            Err(error) => {
                tracing::debug!(%error, object = %key, "whether its artifacts are needed is not known")
            }
        }
    }
}

/// Wakes the sources of artifacts that were found damaged, so that they fetch again at once.
async fn wake_damaged(cx: Weak<Context>, kind: &'static Kind, store: Store) {
    let mut losses = store.losses();
    while losses.changed().await.is_ok() {
        let store = store.clone();
        let look = move || store.damaged(kind.controller);
        let damaged = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        let Some(cx) = cx.upgrade() else {
            return;
        };
        for path in damaged {
            cx.wake(&Key::new(kind.kind, path.namespace(), path.name()));
        }
    }
}
