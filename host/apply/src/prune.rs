//! Deleting what is no longer wanted, and nothing else.
//!
//! **Invariant:** an object is deleted only if it is in the inventory, carries both owner labels of its owner, and has the
//! UID that was looked at.

use crate::cluster::{Cluster, Identity, Preconditions, RequestError};
use serde_json::Value;
use sluice_object::ObjectId;
use sluice_plan::{Action, Owner, is_prunable};

/// What became of the objects, and of those that could not be deleted.
#[derive(Debug, Default)]
pub struct Pruned {
    /// `deleted` and `skipped`, in order.
    pub changes: Vec<(ObjectId, Action)>,
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
}

/// Deletes `stale` in its order: that of applying, reversed ([`sluice_plan::stale`]).
pub async fn prune(cluster: &dyn Cluster, identity: &Identity, stale: &[ObjectId], owner: &Owner) -> Pruned {
    let mut pruned = Pruned::default();
    for id in stale {
        match prune_one(cluster, identity, id, owner).await {
            Ok(word) => pruned.changes.push((id.clone(), word)),
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

/// So often an object is looked at whose delete is a conflict: somebody wrote at the same time.
const LOOKS_MAX: usize = 3;

async fn prune_one(
    cluster: &dyn Cluster,
    identity: &Identity,
    id: &ObjectId,
    owner: &Owner,
) -> Result<Action, (&'static str, RequestError)> {
    let mut looked_at: Option<Option<String>> = None;
    let mut looks = 0;
    loop {
        looks += 1;
        let live = match cluster.get(identity, id).await {
            Ok(None) => return Ok(Action::Deleted),
            // the kind is gone, and its objects with it
            Err(RequestError::NoMatch { .. }) => return Ok(Action::Deleted),
            Ok(Some(live)) => live,
            Err(error) => return Err(("query", error)),
        };
        let uid = live
            .pointer("/metadata/uid")
            .and_then(Value::as_str)
            .map(str::to_owned);
        // another object of that name took its place: not ours to delete
        let is_another = looked_at.as_ref().is_some_and(|before| *before != uid);
        if is_another || !is_prunable(&live, owner) {
            return Ok(Action::Skipped);
        }
        match cluster
            .delete(identity, id, Preconditions { uid: uid.clone() })
            .await
        {
            Ok(_) => return Ok(Action::Deleted),
            Err(error) if error.code() == 409 && looks < LOOKS_MAX => looked_at = Some(uid),
            Err(error) => return Err(("delete", error)),
        }
    }
}
