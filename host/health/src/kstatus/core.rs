use crate::Health;
use crate::look::{condition, items, text};
use serde_json::Value;
use sluice_api::Time;

/// How long the scheduler may need, in seconds, before a pod without a node counts as failed: autoscalers and freed
/// nodes take moments.
const SCHEDULING_SECONDS: i64 = 15;

pub(super) fn service(object: &Value) -> Health {
    if text(object, "/spec/type") == "LoadBalancer" && text(object, "/spec/clusterIP").is_empty() {
        return Health::in_progress("ClusterIP not set. Service type: LoadBalancer");
    }
    Health::current("Service is ready")
}

pub(super) fn persistent_volume_claim(object: &Value) -> Health {
    match text(object, "/status/phase") {
        "Bound" => Health::current("PVC is Bound"),
        phase => Health::in_progress(format!("PVC is not Bound. phase: {phase}")),
    }
}

pub(super) fn pod(object: &Value, now: Time) -> Health {
    match text(object, "/status/phase") {
        "Succeeded" => Health::current("Pod has completed successfully"),
        "Failed" => Health::current("Pod has completed, but not successfully"),
        "Running" => running(object),
        "Pending" if is_unschedulable(object) => {
            let created: Option<Time> = serde_json::from_value(
                object
                    .pointer("/metadata/creationTimestamp")
                    .cloned()
                    .unwrap_or_default(),
            )
            .ok();
            let age = created.map_or(i64::MAX, |created| {
                now.get().as_second().saturating_sub(created.get().as_second())
            });
            if age > SCHEDULING_SECONDS {
                Health::failed("Pod could not be scheduled")
            } else {
                Health::in_progress("Pod has not been scheduled")
            }
        }
        "Pending" => Health::in_progress("Pod is in the Pending phase"),
        "" => Health::in_progress("Pod phase not available"),
        phase => Health::unknown(format!("unknown phase {phase}")),
    }
}

fn running(object: &Value) -> Health {
    if condition(object, "Ready").is_some_and(|ready| ready.is_true()) {
        return Health::current("Pod is Ready");
    }
    let crashing: Vec<&str> = items(object, "/status/containerStatuses")
        .filter(|container| text(container, "/state/waiting/reason") == "CrashLoopBackOff")
        .map(|container| text(container, "/name"))
        .collect();
    if crashing.is_empty() {
        Health::in_progress("Pod is running but is not Ready")
    } else {
        Health::failed(format!("Containers in CrashLoop state: {}", crashing.join(",")))
    }
}

/// Whether the scheduler has found no node for the pod.
pub(super) fn is_unschedulable(object: &Value) -> bool {
    condition(object, "PodScheduled")
        .is_some_and(|scheduled| scheduled.status == "False" && scheduled.reason == "Unschedulable")
}
