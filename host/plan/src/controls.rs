//! What objects say about themselves, by label or annotation, the value in any case (compat kustomize 6.4).

use crate::Owner;
use serde_json::Value;
use sluice_api::meta::{DISABLED, ENABLED, FORCE, OWNER_NAME, OWNER_NAMESPACE, PRUNE, RECONCILE, SSA};
use sluice_object::Object;

fn says(metadata: Option<&Value>, key: &str, value: &str) -> bool {
    ["labels", "annotations"].into_iter().any(|place| {
        let found = metadata.and_then(|metadata| metadata.get(place)?.get(key)?.as_str());
        found.is_some_and(|found| found.eq_ignore_ascii_case(value))
    })
}

fn desired_says(desired: &Object, key: &str, value: &str) -> bool {
    says(desired.body().get("metadata"), key, value)
}

fn live_says(live: Option<&Value>, key: &str, value: &str) -> bool {
    says(live.and_then(|live| live.get("metadata")), key, value)
}

fn either_says(desired: &Object, live: Option<&Value>, key: &str, value: &str) -> bool {
    desired_says(desired, key, value) || live_says(live, key, value)
}

/// Never applied and never pruned: `reconcile: disabled` or `ssa: Ignore`, on either side.
pub fn is_left_alone(desired: &Object, live: Option<&Value>) -> bool {
    either_says(desired, live, RECONCILE, DISABLED) || either_says(desired, live, SSA, "Ignore")
}

/// Applied only where it is absent: `ssa: IfNotPresent`, on what is desired.
pub fn is_created_only(desired: &Object) -> bool {
    desired_says(desired, SSA, "IfNotPresent")
}

/// Deleted and made anew where it cannot be changed: `force: enabled`, on either side.
pub fn is_force_requested(desired: &Object, live: Option<&Value>) -> bool {
    either_says(desired, live, FORCE, ENABLED)
}

/// The fields of others stay theirs: `ssa: Merge`, on either side.
pub(crate) fn keeps_foreign_fields(desired: &Object, live: Option<&Value>) -> bool {
    either_says(desired, live, SSA, "Merge")
}

/// Whether an object goes away by itself when it has done its work: a Job that asks for it. That it is gone is no drift.
pub fn is_passing(desired: &Object) -> bool {
    let is_job = desired.gvk().group == "batch" && desired.gvk().kind == "Job";
    let ttl = |body: &Value| body.get("ttlSecondsAfterFinished")?.as_i64();
    is_job && desired.body().get("spec").and_then(ttl).is_some()
}

/// Whether a live object may be deleted for its owner: it carries both owner labels and does not ask to stay.
pub fn is_prunable(live: &Value, owner: &Owner) -> bool {
    let label = |key: &str| {
        live.get("metadata")
            .and_then(|metadata| metadata.get("labels")?.get(key)?.as_str())
    };
    let live = Some(live);
    let stays = live_says(live, PRUNE, DISABLED)
        || live_says(live, RECONCILE, DISABLED)
        || live_says(live, SSA, "Ignore");
    !stays && label(OWNER_NAME) == Some(&owner.name) && label(OWNER_NAMESPACE) == Some(&owner.namespace)
}
