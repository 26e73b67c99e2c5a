use super::{Cause, of};
use crate::look::{condition, items, text};
use serde_json::Value;

/// An object that is being deleted waits for its finalizers.
pub(super) fn terminating(object: &Value) -> Option<Cause> {
    object
        .pointer("/metadata/deletionTimestamp")
        .filter(|time| !time.is_null())?;
    let finalizers: Vec<&str> = items(object, "/metadata/finalizers")
        .filter_map(Value::as_str)
        .collect();
    // a namespace says what is left in it
    let left = [
        "NamespaceDeletionContentFailure",
        "NamespaceContentRemaining",
        "NamespaceFinalizersRemaining",
    ]
    .into_iter()
    .filter_map(|type_| condition(object, type_).filter(|condition| condition.is_true()))
    .map(|condition| condition.message)
    .next();
    let detail = match (left, finalizers.is_empty()) {
        (Some(left), _) => left.to_owned(),
        (None, true) => "it is being deleted".to_owned(),
        (None, false) => format!(
            "it is being deleted and waits for its finalizers {}",
            finalizers.join(", ")
        ),
    };
    Some(
        of(object, "Terminating", &detail)
            .with_remedy(Some("look whether the controllers of the finalizers run")),
    )
}

/// A condition that says what failed.
pub(super) fn failed_condition(object: &Value) -> Option<Cause> {
    let failed = |type_: &str| condition(object, type_).filter(|condition| condition.is_true());
    let found = failed("Stalled")
        .or_else(|| failed("ReplicaFailure"))
        .or_else(|| failed("Failed"))
        .or_else(|| {
            ["NamesAccepted", "Ready"]
                .into_iter()
                .find_map(|type_| condition(object, type_).filter(|one| one.status == "False"))
        })?;
    Some(of(object, found.reason, found.message).with_remedy(remedy(found.message)))
}

/// A condition that says what is waited for.
pub(super) fn waiting_condition(object: &Value) -> Option<Cause> {
    let waiting = condition(object, "Progressing")
        .filter(|one| one.status == "False" || one.reason == "ProgressDeadlineExceeded");
    let waiting = waiting.or_else(|| condition(object, "Reconciling").filter(|one| one.is_true()));
    if let Some(waiting) = waiting {
        return Some(of(object, waiting.reason, waiting.message));
    }
    (text(object, "/kind") == "PersistentVolumeClaim" && text(object, "/status/phase") == "Pending")
        .then(|| of(object, "Pending", "the claim is not bound to a volume"))
}

/// What to do about messages that the API server writes for many kinds.
pub(super) fn remedy(message: &str) -> Option<&'static str> {
    const KNOWN: &[(&str, &str)] = &[
        (
            "exceeded quota",
            "raise the namespace's ResourceQuota, or ask for less",
        ),
        (
            "must specify limits",
            "set resources on every container, or a LimitRange in the namespace",
        ),
        (
            "admission webhook",
            "ask the owner of the webhook, or change the object as it demands",
        ),
        (
            "failed calling webhook",
            "look whether the service behind the webhook runs",
        ),
        (
            "violates PodSecurity",
            "change securityContext, or the namespace's pod-security labels",
        ),
        ("is forbidden", "grant the named verb to the account that acts"),
    ];
    KNOWN
        .iter()
        .find(|(part, _)| message.contains(part))
        .map(|(_, remedy)| *remedy)
}
