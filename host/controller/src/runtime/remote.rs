//! Another cluster: its API server, and what is known of the objects applied there.

use super::{Context, Key, Run, watch};
use sluice_apply::cluster::{Cluster, KubeCluster};
use sluice_apply::live::{Live, Short};
use sluice_object::{GroupVersionKind, ObjectId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A cluster that a kubeconfig names. Kustomizations with equal kubeconfigs share it; with the last of them its watches end.
pub struct Remote {
    pub(super) kube: KubeCluster,
    pub(super) live: Arc<Live<Arc<Key>>>,
    pub(super) stop: CancellationToken,
    _stops: DropGuard,
}

impl Remote {
    fn new(kube: KubeCluster, shutdown: &CancellationToken) -> Self {
        let stop = shutdown.child_token();
        Self {
            kube,
            live: Arc::default(),
            _stops: stop.clone().drop_guard(),
            stop,
        }
    }
}

/// The clusters in use, by the digest of how they are reached.
#[derive(Default)]
pub(super) struct Remotes(Mutex<HashMap<Short, Weak<Remote>>>);

impl Remotes {
    /// Those in use.
    pub(super) fn all(&self) -> Vec<Arc<Remote>> {
        let remotes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remotes.values().filter_map(Weak::upgrade).collect()
    }
}

impl Context {
    /// The cluster reached so, made where nobody uses it yet. `digest` covers everything that decides where and as whom.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn remote<E>(
        &self,
        digest: Short,
        make: impl FnOnce() -> Result<KubeCluster, E>,
    ) -> Result<Arc<Remote>, E> {
        let mut remotes = self.remotes.0.lock().unwrap_or_else(PoisonError::into_inner);
        remotes.retain(|_, remote| remote.strong_count() > 0);
        if let Some(remote) = remotes.get(&digest).and_then(Weak::upgrade) {
            return Ok(remote);
        }
        let remote = Arc::new(Remote::new(make()?.fenced_with(&self.kube), &self.shutdown));
        remotes.insert(digest, Arc::downgrade(&remote));
        Ok(remote)
    }
}

impl Run {
    /// The same run, with its objects in another cluster.
    #[must_use]
    pub(crate) fn towards(&self, remote: Arc<Remote>) -> Self {
        Self {
            key: self.key.clone(),
            wakes: self.wakes,
            object: self.object.clone(),
            cx: self.cx.clone(),
            remote: Some(remote),
        }
    }

    /// The cluster that the objects of this run are in. The object itself, and what it refers to, are in `cx.cluster`.
    pub(crate) fn cluster(&self) -> &dyn Cluster {
        match &self.remote {
            Some(remote) => &remote.kube,
            None => &*self.cx.cluster,
        }
    }

    /// What is known of the objects there.
    pub(crate) fn live(&self) -> &Live<Arc<Key>> {
        match &self.remote {
            Some(remote) => &remote.live,
            None => &self.cx.live,
        }
    }

    /// This object as the owner of what it applies.
    pub(crate) fn owner(&self) -> Arc<Key> {
        Arc::new(self.key.clone())
    }

    /// Whether this object is woken from now on when one of these moves, because it waits for their health.
    pub(crate) fn await_health<'i>(&self, ids: impl IntoIterator<Item = &'i ObjectId>, is_awaited: bool) {
        let (live, owner) = (self.live(), self.owner());
        ids.into_iter()
            .for_each(|id| live.await_health(id, &owner, is_awaited));
    }

    /// Makes sure that objects of this kind which carry our owner label are watched there from now on.
    pub(crate) fn watch_applied(&self, gvk: &GroupVersionKind) {
        let Some(remote) = &self.remote else {
            return self.cx.watch_applied(gvk);
        };
        if remote.live.claim_watch(&gvk.group_kind()) {
            let place = watch::Place {
                kube: remote.kube.clone(),
                live: remote.live.clone(),
                stop: remote.stop.clone(),
            };
            self.cx.spawn(watch::applied(self.cx.clone(), place, gvk.clone()));
        }
    }
}
