//! Names that outlive versions: an inventory or a health check may know a kind by one that is served no more.

use crate::cluster::{Cluster, Identity, Mapping, RequestError};
use serde_json::Value;
use sluice_object::{GroupVersionKind, ObjectId};
use std::sync::Arc;

/// A kind in a version that is served: the one that is named, or else another of its group.
pub(crate) async fn served(
    cluster: &dyn Cluster,
    gvk: &GroupVersionKind,
) -> Result<(GroupVersionKind, Arc<Mapping>), RequestError> {
    let unserved = match cluster.mapping(gvk).await {
        Err(error @ RequestError::NoMatch { .. }) => error,
        mapping => return mapping.map(|mapping| (gvk.clone(), mapping)),
    };
    for version in cluster.versions(&gvk.group).await? {
        let other = GroupVersionKind {
            version,
            ..gvk.clone()
        };
        match cluster.mapping(&other).await {
            Err(RequestError::NoMatch { .. }) => {}
            mapping => return mapping.map(|mapping| (other, mapping)),
        }
    }
    Err(unserved)
}

/// An object, in whatever version its kind is served; none where it is absent.
///
/// # Errors
/// What the API server said, or that it serves the kind in no version.
pub async fn find(
    cluster: &dyn Cluster,
    identity: &Identity,
    id: &ObjectId,
) -> Result<Option<Value>, RequestError> {
    let found = cluster.get(identity, id).await;
    if !matches!(found, Ok(None) | Err(RequestError::NoMatch { .. })) {
        return found;
    }
    // it is not there, or the version is not that was served when it was last asked for
    let (gvk, _) = served(cluster, &id.gvk).await?;
    if gvk == id.gvk {
        return Ok(None);
    }
    let id = ObjectId { gvk, ..id.clone() };
    cluster.get(identity, &id).await
}
