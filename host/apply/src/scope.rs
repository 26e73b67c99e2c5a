//! The seam to the plan room: which kinds live in no namespace, as the API server says.

use crate::cluster::Cluster;
use sluice_api::kustomize::ResourceRef;
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_plan::{PrepareError, StagedObjects};
use std::collections::HashSet;

/// Takes the namespace off objects that live in none, before anybody notes their names. Whether there was one. Kinds that the
/// API server does not serve yet are taken as their definition among the objects says, others stay as they are: their stage
/// comes when they are served, and they can be placed then.
///
/// # Errors
/// Two objects turn out to be one.
pub async fn place(cluster: &dyn Cluster, stages: &mut [StagedObjects]) -> Result<bool, PrepareError> {
    let objects = || stages.iter().flat_map(|staged| &staged.objects);
    let in_namespaces = objects().filter(|object| object.id().namespace.is_some());
    let kinds: HashSet<&GroupVersionKind> = in_namespaces.map(|object| object.gvk()).collect();
    let defined = sluice_plan::defined(objects());
    let mut without: HashSet<GroupVersionKind> = HashSet::new();
    for gvk in kinds {
        let is_namespaced = match cluster.mapping(gvk).await {
            Ok(mapping) => mapping.is_namespaced,
            // whoever must know asks again, and tells what is wrong
            Err(_) => defined.get(&gvk.group_kind()).copied().unwrap_or(true),
        };
        if !is_namespaced {
            without.insert(gvk.clone());
        }
    }
    sluice_plan::place(stages, |gvk| without.contains(gvk))
}

/// An inventory with the names that the API server knows; `wanted` are right already.
pub async fn place_entries(
    cluster: &dyn Cluster,
    entries: &[ResourceRef],
    wanted: &[ResourceRef],
) -> Vec<ResourceRef> {
    let wanted: HashSet<&str> = wanted.iter().map(|entry| entry.id.as_str()).collect();
    let others: Vec<ResourceRef> = entries
        .iter()
        .filter(|entry| !wanted.contains(entry.id.as_str()))
        .cloned()
        .collect();
    let others = sluice_plan::ids(&others).into_iter();
    let kinds: HashSet<GroupVersionKind> = others
        .filter(|id: &ObjectId| id.namespace.is_some())
        .map(|id| id.gvk)
        .collect();
    let mut without = HashSet::new();
    for gvk in kinds {
        if cluster
            .mapping(&gvk)
            .await
            .is_ok_and(|mapping| !mapping.is_namespaced)
        {
            without.insert(gvk);
        }
    }
    sluice_plan::placed_entries(entries, |gvk| without.contains(gvk))
}
