use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Whether a dry run would change what counts: labels, annotations, and everything beside metadata and status
/// (compat kustomize 6.5). Owner references and finalizers never count. Without a resource version the object is new.
pub(crate) fn is_drifted(live: &Value, dry_run: &Value) -> bool {
    dry_run.pointer("/metadata/resourceVersion").is_none()
        || ["/metadata/labels", "/metadata/annotations"]
            .into_iter()
            .any(|place| filled(live, place) != filled(dry_run, place))
        || content(&deduplicated(live)) != content(&deduplicated(dry_run))
}

/// A map that is there and not empty: Go sees no difference between an empty one and none.
fn filled<'v>(object: &'v Value, pointer: &str) -> Option<&'v Map<String, Value>> {
    object.pointer(pointer)?.as_object().filter(|map| !map.is_empty())
}

fn content(object: &Value) -> Vec<(&String, &Value)> {
    let counts = |(key, _): &(&String, &Value)| !matches!(key.as_str(), "metadata" | "status");
    let mut fields: Vec<_> = object.as_object().into_iter().flatten().filter(counts).collect();
    fields.sort_unstable_by_key(|(key, _)| *key);
    fields
}

/// A HorizontalPodAutoscaler may hold one metric several times after a change of API version; once counts.
fn deduplicated(object: &Value) -> Cow<'_, Value> {
    let is_autoscaler = object.get("kind").and_then(Value::as_str) == Some("HorizontalPodAutoscaler");
    let Some(metrics) = object
        .pointer("/spec/metrics")
        .and_then(Value::as_array)
        .filter(|_| is_autoscaler)
    else {
        return Cow::Borrowed(object);
    };
    // there may be very many
    let mut seen = HashSet::new();
    let once: Vec<Value> = metrics
        .iter()
        .filter(|metric| metric.is_object() && seen.insert(*metric))
        .cloned()
        .collect();
    let mut object = object.clone();
    if let Some(metrics) = object.pointer_mut("/spec/metrics") {
        *metrics = Value::Array(once);
    }
    Cow::Owned(object)
}
