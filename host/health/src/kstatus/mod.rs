//! The health of an object by its kind (compat kustomize 8.2): what all kinds share here, one file for each API group.

mod apiextensions;
mod apps;
mod batch;
mod core;
mod pods;
#[cfg(test)]
mod tests;

pub use pods::{assess_with_pods, pods_of};

use crate::look::{condition, group, items, text};
use crate::{Health, Status};
use serde_json::Value;
use sluice_api::Time;

/// The health of an object as it is now.
pub fn assess(object: &Value, now: Time) -> Health {
    if object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|time| !time.is_null())
    {
        return Health::new(Status::Terminating, "Resource scheduled for deletion");
    }
    if let Some(health) = generic(object) {
        return health;
    }
    if let Some(health) = by_kind(object, now) {
        return health;
    }
    match condition(object, "Ready") {
        Some(ready) if ready.is_true() => Health::current("Resource is Ready"),
        Some(ready) if matches!(ready.status, "False" | "Unknown") => Health::in_progress(ready.message),
        // what is none of the three says nothing
        _ => Health::current("Resource is current"),
    }
}

/// What every kind may say.
fn generic(object: &Value) -> Option<Health> {
    let whole = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    if let (Some(observed), Some(generation)) =
        (whole("/status/observedGeneration"), whole("/metadata/generation"))
        && observed != generation
    {
        let kind = text(object, "/kind");
        return Some(Health::in_progress(format!(
            "{kind} generation is {generation}, but latest observed generation is {observed}"
        )));
    }
    // the first of the list decides
    items(object, "/status/conditions")
        .filter(|condition| text(condition, "/status") == "True")
        .find_map(|condition| {
            let message = text(condition, "/message");
            match text(condition, "/type") {
                "Reconciling" => Some(Health::in_progress(message)),
                "Stalled" => Some(Health::failed(message)),
                _ => None,
            }
        })
}

fn by_kind(object: &Value, now: Time) -> Option<Health> {
    Some(match (group(object), text(object, "/kind")) {
        ("", "Service") => core::service(object),
        ("", "Pod") => core::pod(object, now),
        ("", "PersistentVolumeClaim") => core::persistent_volume_claim(object),
        ("", "Secret" | "ConfigMap") => Health::current("Resource is always ready"),
        ("policy", "PodDisruptionBudget") | ("batch", "CronJob") => {
            Health::current("Resource is always ready")
        }
        ("apps" | "extensions", "Deployment") => apps::deployment(object),
        ("apps" | "extensions", "DaemonSet") => apps::daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") => apps::replica_set(object),
        ("apps", "StatefulSet") => apps::stateful_set(object),
        ("batch", "Job") => batch::job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            apiextensions::custom_resource_definition(object)
        }
        _ => return None,
    })
}
