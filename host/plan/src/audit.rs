//! What must never happen, looked for before anything happens.

use sluice_api::kustomize::ResourceRef;
use sluice_api::meta::{HELM_GROUP, IMAGE_GROUP, KUSTOMIZE_GROUP, NOTIFICATION_GROUP, SOURCE_GROUP};
use sluice_object::{ObjectId, inventory};
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
    /// `spec.targetNamespace`, which gives its name to every Namespace that is rendered.
    pub target_namespace: Option<&'a str>,
}

/// A plan that must not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It deletes what is not ours.
    #[error(
        "refusing to delete {0}: it is not in the inventory; this is a fault of the controller, please report it"
    )]
    NotOwned(ObjectId),
    /// It gives another name to what nothing may delete.
    #[error(
        "refusing to rename {from} to {to}: it is protected, and spec.targetNamespace renames every Namespace of the path; \
         take the Namespace out of the path, or unset spec.targetNamespace"
    )]
    Renamed {
        /// What is owned.
        from: ObjectId,
        /// What would be made in its place.
        to: ObjectId,
    },
    /// It changes one object twice.
    #[error("refusing to change {0} twice in one plan; this is a fault of the controller, please report it")]
    Twice(ObjectId),
}

/// Looks over a whole plan, what is applied and what is deleted after it, for what must never happen: deletions outside the
/// inventory, protected objects that lose their name, two changes of one object. That protected objects are not deleted is
/// seen to where objects are deleted: the rest of a plan need not wait for them.
pub fn audit(applied: &[ResourceRef], stale: &[ObjectId], audited: &Audited<'_>) -> Vec<Violation> {
    let owned: HashSet<&str> = audited.inventory.iter().map(|entry| entry.id.as_str()).collect();
    let mut seen = HashSet::new();
    let mut violations = Vec::new();
    for entry in applied {
        if !seen.insert(entry.id.clone())
            && let Some(id) = inventory::decode(&entry.id, &entry.v)
        {
            violations.push(Violation::Twice(id));
        }
    }
    let renamed_to = audited
        .target_namespace
        .filter(|_| !stale.is_empty())
        .and_then(|target| {
            let name = format!("_{target}__Namespace");
            let made = applied.iter().find(|entry| entry.id == name)?;
            inventory::decode(&made.id, &made.v).filter(|_| !owned.contains(name.as_str()))
        });
    for id in stale {
        let name = inventory::encode(id);
        if !owned.contains(name.as_str()) {
            violations.push(Violation::NotOwned(id.clone()));
        }
        if let Some(to) = &renamed_to
            && id.gvk.group_kind() == to.gvk.group_kind()
            && is_protected(id, audited.own_namespace)
        {
            let (from, to) = (id.clone(), to.clone());
            violations.push(Violation::Renamed { from, to });
        }
        if !seen.insert(name) {
            violations.push(Violation::Twice(id.clone()));
        }
    }
    violations
}

/// Objects that nothing may delete, be it a prune, the end of a Kustomization or force: our own namespace and CRDs (with them
/// all Kustomizations would go), and the namespaces that every cluster needs.
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

/// Why protected objects are still there. None where there are none.
pub fn spared(objects: &[ObjectId]) -> Option<String> {
    let names: Vec<String> = objects.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| {
        format!(
            "refusing to delete {}: protected objects are never deleted; add them to the source again, or let go of them with \
             the annotation {}: {} on each",
            names.join(", "),
            sluice_api::meta::PRUNE,
            sluice_api::meta::DISABLED
        )
    })
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
