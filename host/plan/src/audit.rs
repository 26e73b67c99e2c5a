//! What must never happen, looked for before anything happens.

use crate::{Action, Change};
use sluice_api::kustomize::ResourceRef;
use sluice_api::meta::{HELM_GROUP, IMAGE_GROUP, KUSTOMIZE_GROUP, NOTIFICATION_GROUP, SOURCE_GROUP};
use sluice_object::{GroupKind, ObjectId, inventory};
use std::collections::HashSet;

/// Namespaces that every cluster needs.
const CLUSTER_NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// A prune this small is never held.
const GUARD_OBJECTS_MIN: usize = 10;

/// What an audit needs to know besides the plan.
#[derive(Clone, Copy, Debug)]
pub struct Audited<'a> {
    /// What is owned.
    pub inventory: &'a [ResourceRef],
    /// The namespace this controller runs in.
    pub own_namespace: &'a str,
    /// Kinds that the administrator protects besides.
    pub more_protected: &'a [GroupKind],
}

/// A plan that must not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It deletes what is not ours.
    #[error(
        "refusing to delete {0}: it is not in the inventory; this is a fault of the controller, please report it"
    )]
    NotOwned(ObjectId),
    /// It deletes what nothing may delete.
    #[error(
        "refusing to delete {0}: it is protected; add it to the source again, or delete it by hand and annotate it with \
         kustomize.toolkit.fluxcd.io/prune: disabled before"
    )]
    Protected(ObjectId),
    /// It changes one object twice.
    #[error("refusing to change {0} twice in one plan; this is a fault of the controller, please report it")]
    Twice(ObjectId),
}

/// Looks for what must never happen: deletions outside the inventory or of protected objects, two changes of one object.
pub fn audit(changes: &[Change], audited: &Audited<'_>) -> Vec<Violation> {
    let owned: HashSet<&str> = audited.inventory.iter().map(|entry| entry.id.as_str()).collect();
    let mut seen = HashSet::new();
    let mut violations = Vec::new();
    for Change { id, action } in changes {
        let name = inventory::encode(id);
        if *action == Action::Deleted {
            if !owned.contains(name.as_str()) {
                violations.push(Violation::NotOwned(id.clone()));
            }
            if is_protected(id, audited.own_namespace)
                || audited.more_protected.contains(&id.gvk.group_kind())
            {
                violations.push(Violation::Protected(id.clone()));
            }
        }
        if !seen.insert(name) {
            violations.push(Violation::Twice(id.clone()));
        }
    }
    violations
}

/// Objects that no prune may delete: our own namespace and CRDs (with them all Kustomizations would go), and the
/// namespaces that every cluster needs.
pub fn is_protected(id: &ObjectId, own_namespace: &str) -> bool {
    match (id.gvk.group.as_str(), id.gvk.kind.as_str()) {
        ("", "Namespace") => id.name == own_namespace || CLUSTER_NAMESPACES.contains(&id.name.as_str()),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let group = id.name.split_once('.').map_or("", |(_, group)| group);
            [
                KUSTOMIZE_GROUP,
                SOURCE_GROUP,
                HELM_GROUP,
                NOTIFICATION_GROUP,
                IMAGE_GROUP,
            ]
            .contains(&group)
        }
        _ => false,
    }
}

/// A prune so large that a person must approve it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "pruning {} of {total} objects is held: {}. The render lost more than half of what is owned. If that is intended, approve \
     it with the annotation {}={revision}, or switch the guard off with {}=disabled",
    stale.len(), names(stale), sluice_api::meta::APPROVE_PRUNE, sluice_api::meta::PRUNE_GUARD
)]
pub struct GuardedPrune {
    /// What would be deleted.
    pub stale: Vec<ObjectId>,
    /// How many are owned.
    pub total: usize,
    /// The revision whose render is so small.
    pub revision: String,
}

/// A message names so many objects; the rest is counted.
const GUARD_NAMES_MAX: usize = 20;

fn names(stale: &[ObjectId]) -> String {
    let mut names: Vec<String> = stale
        .iter()
        .take(GUARD_NAMES_MAX)
        .map(ToString::to_string)
        .collect();
    if let Some(more) = stale.len().checked_sub(GUARD_NAMES_MAX).filter(|more| *more > 0) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

/// Holds a prune of ten or more objects that are more than half of what is owned (pains P18), until the annotation
/// [`sluice_api::meta::APPROVE_PRUNE`] names the revision.
///
/// # Errors
/// The prune must wait.
pub fn guard(
    stale: &[ObjectId],
    total: usize,
    revision: &str,
    approved: Option<&str>,
) -> Result<(), GuardedPrune> {
    let count = stale.len();
    if count < GUARD_OBJECTS_MIN || count.saturating_mul(2) <= total || approved == Some(revision) {
        return Ok(());
    }
    Err(GuardedPrune {
        stale: stale.to_vec(),
        total,
        revision: revision.to_owned(),
    })
}
