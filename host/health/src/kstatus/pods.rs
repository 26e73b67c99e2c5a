//! The pods that tell more about the object that owns them.

use super::{assess, core};
use crate::look::{group, text};
use crate::{Health, Status};
use serde_json::Value;
use sluice_api::Time;

/// Which pods tell more about an object that is in progress, for [`assess_with_pods`]: its selector, as a list is asked for.
/// None where no pods do.
pub fn pods_of(object: &Value) -> Option<String> {
    let selector = object
        .pointer("/spec/selector")
        .filter(|_| is_told_by_pods(object))?;
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let labels = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    let expressions = expressions.into_iter().flatten().map(term);
    let terms: Option<Vec<String>> = labels.chain(expressions).collect();
    // without a term it would be every pod there is
    terms
        .filter(|terms| !terms.is_empty())
        .map(|terms| terms.join(","))
}

/// One of `matchExpressions`.
fn term(expression: &Value) -> Option<String> {
    let key = expression.get("key")?.as_str()?;
    let values = || {
        let values = expression.get("values")?.as_array()?.iter();
        let values: Option<Vec<&str>> = values.map(Value::as_str).collect();
        values.map(|values| values.join(","))
    };
    match expression.get("operator")?.as_str()? {
        "In" => Some(format!("{key} in ({})", values()?)),
        "NotIn" => Some(format!("{key} notin ({})", values()?)),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

fn is_told_by_pods(object: &Value) -> bool {
    matches!(text(object, "/kind"), "StatefulSet" | "ReplicaSet") && group(object) == "apps"
}

/// The health of an object as it is now, told more by its pods ([`pods_of`]): while it is in progress, a failed pod fails it.
/// Pods that are being deleted or cannot be scheduled do not count.
pub fn assess_with_pods<'v>(object: &Value, pods: impl IntoIterator<Item = &'v Value>, now: Time) -> Health {
    let health = assess(object, now);
    if !is_told_by_pods(object) || health.status != Status::InProgress {
        return health;
    }
    let is_failed = |pod: &&Value| !core::is_unschedulable(pod) && assess(pod, now).status == Status::Failed;
    match pods.into_iter().find(is_failed) {
        Some(pod) => Health::failed(format!(
            "Pod {} has failed: {}",
            text(pod, "/metadata/name"),
            assess(pod, now).message
        )),
        None => health,
    }
}
