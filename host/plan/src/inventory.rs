//! The inventory: what was applied, what is stale (compat kustomize 7).

use sluice_api::kustomize::ResourceRef;
use sluice_object::{ObjectId, inventory};
use std::collections::HashSet;

/// The inventory's entry of an object.
pub fn entry(id: &ObjectId) -> ResourceRef {
    ResourceRef {
        id: inventory::encode(id),
        v: id.gvk.version.clone(),
    }
}

/// The entries of objects, in their order.
pub fn entries<'o>(ids: impl IntoIterator<Item = &'o ObjectId>) -> Vec<ResourceRef> {
    ids.into_iter().map(entry).collect()
}

/// The objects of entries, in their order; entries that no one can read are left out.
pub fn ids(entries: &[ResourceRef]) -> Vec<ObjectId> {
    entries
        .iter()
        .filter_map(|entry| inventory::decode(&entry.id, &entry.v))
        .collect()
}

/// `new`, then what is in `old` alone: written before anything new is made, so that nothing we made is ever forgotten.
pub fn union(new: &[ResourceRef], old: &[ResourceRef]) -> Vec<ResourceRef> {
    new.iter().cloned().chain(only_in(old, new)).collect()
}

/// What is in `old` and not in `new`, by id alone, in the order it is to be deleted in: that of applying, reversed.
pub fn stale(new: &[ResourceRef], old: &[ResourceRef]) -> Vec<ObjectId> {
    let mut stale = ids(&only_in(old, new).collect::<Vec<_>>());
    stale.sort_by(|a, b| sluice_object::apply_order(b, a));
    stale
}

/// `new`, and those that should have been deleted and could not be: they are tried again.
pub fn survivors<'o>(
    new: &[ResourceRef],
    failed: impl IntoIterator<Item = &'o ObjectId>,
) -> Vec<ResourceRef> {
    union(new, &entries(failed))
}

fn only_in<'e>(
    entries: &'e [ResourceRef],
    others: &[ResourceRef],
) -> impl Iterator<Item = ResourceRef> + use<'e> {
    let mut known: HashSet<String> = others.iter().map(|entry| entry.id.clone()).collect();
    entries
        .iter()
        .filter(move |entry| known.insert(entry.id.clone()))
        .cloned()
}
