use crate::Health;
use crate::look::{condition, int, text};
use serde_json::Value;

/// What a Deployment without a deadline has in place of one.
const NO_DEADLINE: i64 = i32::MAX as i64;

/// The first of these counts that falls short, as kstatus words it: `Ready: 1/3`.
fn shortfall(rows: &[(&str, i64, i64)]) -> Option<Health> {
    let (what, has, needs) = rows.iter().find(|(_, has, needs)| needs > has)?;
    Some(Health::in_progress(format!("{what}: {has}/{needs}")))
}

pub(super) fn deployment(object: &Value) -> Health {
    let progressing = condition(object, "Progressing").unwrap_or_default();
    if progressing.reason == "ProgressDeadlineExceeded" {
        return Health::failed("Progress deadline exceeded");
    }
    let wanted = int(object, "/spec/replicas", 1);
    let count = |name: &str| int(object, &format!("/status/{name}"), 0);
    let (all, updated, available) = (
        count("replicas"),
        count("updatedReplicas"),
        count("availableReplicas"),
    );
    if let Some(health) = shortfall(&[("Replicas", all, wanted), ("Updated", updated, wanted)]) {
        return health;
    }
    if all > wanted {
        return Health::in_progress(format!("Pending termination: {}", all - wanted));
    }
    if let Some(health) = shortfall(&[
        ("Available", available, updated),
        ("Ready", count("readyReplicas"), wanted),
    ]) {
        return health;
    }
    let has_deadline = int(object, "/spec/progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE;
    if has_deadline && !(progressing.is_true() && progressing.reason == "NewReplicaSetAvailable") {
        return Health::in_progress("ReplicaSet not Available");
    }
    if !condition(object, "Available").is_some_and(|available| available.is_true()) {
        return Health::in_progress("Deployment not Available");
    }
    Health::current(format!("Deployment is available. Replicas: {all}"))
}

pub(super) fn replica_set(object: &Value) -> Health {
    if let Some(failure) = condition(object, "ReplicaFailure").filter(|failure| failure.is_true()) {
        return Health::in_progress(format!(
            "Replica Failure condition. Check Pods: {}",
            failure.message
        ));
    }
    let wanted = int(object, "/spec/replicas", 1);
    let count = |name: &str| int(object, &format!("/status/{name}"), 0);
    let rows = [
        ("Labelled", count("fullyLabeledReplicas"), wanted),
        ("Available", count("availableReplicas"), wanted),
        ("Ready", count("readyReplicas"), wanted),
    ];
    if let Some(health) = shortfall(&rows) {
        return health;
    }
    let all = count("replicas");
    if all > wanted {
        return Health::in_progress(format!("Pending termination: {}", all - wanted));
    }
    Health::current(format!("ReplicaSet is available. Replicas: {all}"))
}

pub(super) fn stateful_set(object: &Value) -> Health {
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Health::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = int(object, "/spec/replicas", 1);
    let count = |name: &str| int(object, &format!("/status/{name}"), 0);
    let all = count("replicas");
    if let Some(health) = shortfall(&[
        ("Replicas", all, wanted),
        ("Ready", count("readyReplicas"), wanted),
    ]) {
        return health;
    }
    if all > wanted {
        return Health::in_progress(format!("Pending termination: {}", all - wanted));
    }
    // the partition is 0 where the API server has filled in the default: then all replicas must be of the new revision
    let partition = int(object, "/spec/updateStrategy/rollingUpdate/partition", -1);
    if partition != -1 {
        let (updated, needed) = (count("updatedReplicas"), wanted - partition);
        if let Some(health) = shortfall(&[("updated", updated, needed)]) {
            return health;
        }
        return Health::current(format!("Partition rollout complete. updated: {updated}"));
    }
    if let Some(health) = shortfall(&[("current", count("currentReplicas"), wanted)]) {
        return health;
    }
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Health::in_progress("Waiting for updated revision to match current");
    }
    Health::current(format!("All replicas scheduled as expected. Replicas: {all}"))
}

pub(super) fn daemon_set(object: &Value) -> Health {
    if object.pointer("/status/observedGeneration").is_none() {
        return Health::in_progress("DaemonSet has not been observed");
    }
    let count = |name: &str| int(object, &format!("/status/{name}"), 0);
    let wanted = int(object, "/status/desiredNumberScheduled", -1);
    if wanted == -1 {
        return Health::in_progress("Missing .status.desiredNumberScheduled");
    }
    let rows = [
        ("Current", count("currentNumberScheduled"), wanted),
        ("Updated", count("updatedNumberScheduled"), wanted),
        ("Available", count("numberAvailable"), wanted),
        ("Ready", count("numberReady"), wanted),
    ];
    shortfall(&rows)
        .unwrap_or_else(|| Health::current(format!("All replicas scheduled as expected. Replicas: {wanted}")))
}
