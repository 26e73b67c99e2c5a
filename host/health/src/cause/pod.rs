use super::{Around, Cause, events, of};
use crate::look::{condition, int, items, text};
use serde_json::Value;

/// Why a pod is not ready; none when it is.
pub(super) fn cause(pod: &Value, around: Around<'_>) -> Option<Cause> {
    if text(pod, "/status/phase") == "Succeeded"
        || condition(pod, "Ready").is_some_and(|ready| ready.is_true())
    {
        return None;
    }
    let containers =
        items(pod, "/status/initContainerStatuses").chain(items(pod, "/status/containerStatuses"));
    if let Some(cause) = containers
        .filter(|container| !is_ready(container))
        .find_map(|container| of_container(pod, container))
    {
        return Some(cause);
    }
    let scheduled = condition(pod, "PodScheduled").filter(|scheduled| scheduled.status == "False");
    if let Some(scheduled) = scheduled {
        return Some(unschedulable(pod, scheduled.reason, scheduled.message, around));
    }
    if text(pod, "/status/phase") == "Failed" {
        return Some(of(pod, text(pod, "/status/reason"), text(pod, "/status/message")));
    }
    events::warning(pod, around.events)
}

fn is_ready(container: &Value) -> bool {
    container.get("ready") == Some(&Value::Bool(true))
}

fn of_container(pod: &Value, container: &Value) -> Option<Cause> {
    let at = |reason: &str, detail: &str| {
        let cause = of(pod, reason, detail);
        Cause {
            subject: format!("{} container {:?}", cause.subject, text(container, "/name")),
            ..cause
        }
    };
    let waiting = text(container, "/state/waiting/reason");
    // a container that keeps dying waits in between; how it died says more
    let last = ["/state/terminated", "/lastState/terminated"]
        .into_iter()
        .find_map(|pointer| container.pointer(pointer));
    if let Some(last) =
        last.filter(|last| int(last, "/exitCode", 0) != 0 || text(last, "/reason") == "OOMKilled")
    {
        let reason = text(last, "/reason");
        let code = int(last, "/exitCode", 0);
        let restarts = int(container, "/restartCount", 0);
        let detail = format!("exit code {code}, {restarts} restarts {}", text(last, "/message"));
        let word = if reason == "OOMKilled" || waiting.is_empty() {
            reason
        } else {
            waiting
        };
        let remedy = if reason == "OOMKilled" {
            "raise resources.limits.memory, or find what uses it"
        } else {
            "look at the container's log (kubectl logs --previous)"
        };
        return Some(at(word, detail.trim_end()).with_remedy(Some(remedy)));
    }
    let remedy = match waiting {
        "" | "ContainerCreating" | "PodInitializing" => return None,
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            Some("check the image's name and tag, and the pod's imagePullSecrets")
        }
        "CreateContainerConfigError" => Some("check the ConfigMaps and Secrets that the container refers to"),
        _ => None,
    };
    Some(at(waiting, text(container, "/state/waiting/message")).with_remedy(remedy))
}

fn unschedulable(pod: &Value, reason: &str, message: &str, around: Around<'_>) -> Cause {
    let claims = items(pod, "/spec/volumes").map(|volume| text(volume, "/persistentVolumeClaim/claimName"));
    let namespace = text(pod, "/metadata/namespace");
    for claim in claims.filter(|claim| !claim.is_empty()) {
        let found = around.objects.iter().find(|object| {
            text(object, "/kind") == "PersistentVolumeClaim"
                && text(object, "/metadata/name") == claim
                && text(object, "/metadata/namespace") == namespace
        });
        if let Some(claim) = found.filter(|claim| text(claim, "/status/phase") != "Bound") {
            let event = events::warning(claim, around.events);
            return event
                .unwrap_or_else(|| of(claim, "Pending", "the claim is not bound to a volume"))
                .with_remedy(Some("check spec.storageClassName and the class's provisioner"));
        }
    }
    of(pod, reason, message).with_remedy(Some(
        "add nodes, or change the pod's requests, selectors or tolerations",
    ))
}
