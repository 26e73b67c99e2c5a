//! Deleting what is no longer wanted, and nothing else.
//!
//! **Invariant:** an object is deleted only if it is in the inventory, carries both owner labels of its owner, has the UID
//! that was looked at, and is neither protected nor wanted under the name that the API server gives it.

use crate::cluster::{Cluster, Identity, Preconditions, RequestError};
use crate::served::served;
use serde_json::Value;
use sluice_api::kustomize::ResourceRef;
use sluice_object::ObjectId;
use sluice_plan::{Action, Owner, entry, is_protected, is_prunable};

/// What must be known of a prune besides what is stale.
#[derive(Clone, Copy)]
pub struct Pruning<'a> {
    /// The API server.
    pub cluster: &'a dyn Cluster,
    /// In whose name.
    pub identity: &'a Identity,
    /// Whose objects they are.
    pub owner: &'a Owner,
    /// What stays: an inventory may name the same object otherwise.
    pub wanted: &'a [ResourceRef],
    /// The namespace this controller runs in.
    pub own_namespace: &'a str,
}

/// What became of the objects, and of those that could not be deleted.
#[derive(Debug, Default)]
pub struct Pruned {
    /// `deleted` and `skipped`, in order.
    pub changes: Vec<(ObjectId, Action)>,
    /// What nothing may delete.
    pub protected: Vec<ObjectId>,
    /// What could not be deleted, with Flux's text.
    pub failures: Vec<(ObjectId, String)>,
    /// Whether one of the failures may heal by itself.
    pub is_transient: bool,
    /// How many of the failures say that the account may not.
    pub forbidden: usize,
}

impl Pruned {
    /// Flux's text for all failures, none where there are none.
    pub fn error(&self) -> Option<String> {
        let texts: String = self.failures.iter().map(|(_, text)| format!("{text};")).collect();
        (!texts.is_empty()).then(|| format!("delete failed, errors: {texts}"))
    }

    /// What is still there: it is still owned.
    pub fn remaining(&self) -> impl Iterator<Item = &ObjectId> {
        self.failures.iter().map(|(id, _)| id).chain(&self.protected)
    }
}

/// Deletes `stale` in its order: that of applying, reversed ([`sluice_plan::stale`]). One that cannot be deleted does not
/// keep the others.
pub async fn prune(pruning: Pruning<'_>, stale: &[ObjectId]) -> Pruned {
    let mut pruned = Pruned::default();
    for id in stale {
        match prune_one(pruning, id).await {
            Ok(Fate::Settled(word)) => pruned.changes.push((id.clone(), word)),
            Ok(Fate::Protected) => pruned.protected.push(id.clone()),
            Ok(Fate::Wanted) => {}
            Err((step, error)) => {
                pruned.is_transient |= error.is_transient();
                pruned.forbidden += usize::from(error.code() == 403);
                pruned
                    .failures
                    .push((id.clone(), format!("{id} {step} failed: {error}")));
            }
        }
    }
    pruned
}

/// What becomes of one stale object.
enum Fate {
    Settled(Action),
    /// Nothing may delete it.
    Protected,
    /// The inventory's other name for an object that stays.
    Wanted,
}

/// So often an object is looked at whose delete is a conflict: somebody wrote at the same time.
const LOOKS_MAX: usize = 3;

async fn prune_one(pruning: Pruning<'_>, id: &ObjectId) -> Result<Fate, (&'static str, RequestError)> {
    let Pruning {
        cluster, identity, ..
    } = pruning;
    let mut id = id.clone();
    match served(cluster, &id.gvk).await {
        Ok((gvk, mapping)) => {
            // the inventory may know it by a version that is served no more
            id.gvk = gvk;
            // its path knows no namespace: what would be deleted is the object of that name, whatever the inventory says
            let placed = (!mapping.is_namespaced && id.namespace.is_some()).then(|| {
                entry(&ObjectId {
                    namespace: None,
                    ..id.clone()
                })
            });
            if placed.is_some_and(|placed| pruning.wanted.iter().any(|wanted| wanted.id == placed.id)) {
                return Ok(Fate::Wanted);
            }
        }
        // the kind is gone, and its objects with it
        Err(RequestError::NoMatch { .. }) => return Ok(Fate::Settled(Action::Deleted)),
        Err(error) => return Err(("query", error)),
    }
    let mut looked_at: Option<Option<String>> = None;
    let mut looks = 0;
    loop {
        looks += 1;
        let live = match cluster.get(identity, &id).await {
            Ok(Some(live)) => live,
            Ok(None) | Err(RequestError::NoMatch { .. }) => match served(cluster, &id.gvk).await {
                // what was remembered of its version was old
                Ok((gvk, _)) if gvk != id.gvk && looks < LOOKS_MAX => {
                    id.gvk = gvk;
                    continue;
                }
                Ok(_) | Err(RequestError::NoMatch { .. }) => return Ok(Fate::Settled(Action::Deleted)),
                Err(error) => return Err(("query", error)),
            },
            Err(error) => return Err(("query", error)),
        };
        let uid = live
            .pointer("/metadata/uid")
            .and_then(Value::as_str)
            .map(str::to_owned);
        // another object of that name took its place: not ours to delete
        let is_another = looked_at.as_ref().is_some_and(|before| *before != uid);
        if is_another || !is_prunable(&live, pruning.owner) {
            return Ok(Fate::Settled(Action::Skipped));
        }
        if is_protected(&id, pruning.own_namespace) {
            return Ok(Fate::Protected);
        }
        match cluster
            .delete(identity, &id, Preconditions { uid: uid.clone() })
            .await
        {
            Ok(_) => return Ok(Fate::Settled(Action::Deleted)),
            Err(error) if error.code() == 409 && looks < LOOKS_MAX => looked_at = Some(uid),
            Err(error) => return Err(("delete", error)),
        }
    }
}
