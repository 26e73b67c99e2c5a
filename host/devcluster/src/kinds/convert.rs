use super::Kind;
use crate::meta;
use crate::write::{structural, typed};
use serde_json::{Value, json};

/// Turns a stored object into the version of `kind`.
pub(super) fn to_version(object: &mut Value, kind: &Kind) {
    match (kind.group.as_str(), kind.version.as_str(), kind.plural.as_str()) {
        ("events.k8s.io", _, "events") => rename(object, EVENT_FIELDS),
        ("autoscaling", "v1", "horizontalpodautoscalers") => scaler_to_v1(object),
        _ if kind.custom.is_some() => drop(structural::prune(&kind.schema, object)),
        _ => {}
    }
    set_version(object, &kind.api_version());
    if kind.custom.is_none() {
        // what cannot be written in the other version's type stays as it is
        let _ = typed::round_trip(object);
    }
}

/// Turns an object of `kind`'s version into what is stored.
pub(super) fn to_storage(object: &mut Value, kind: &Kind) {
    let version = match (kind.group.as_str(), kind.version.as_str(), kind.plural.as_str()) {
        ("events.k8s.io", _, "events") => {
            rename(object, &EVENT_FIELDS.map(|(core, new)| (new, core)));
            "v1".to_owned()
        }
        ("autoscaling", "v1", "horizontalpodautoscalers") => {
            scaler_to_v2(object);
            "autoscaling/v2".to_owned()
        }
        _ => match &kind.custom {
            Some(custom) => {
                if let Some(schema) = &custom.storage_schema {
                    structural::prune(schema, object);
                }
                format!("{}/{}", kind.group, custom.storage_version)
            }
            None => return,
        },
    };
    set_version(object, &version);
}

fn set_version(object: &mut Value, version: &str) {
    meta::as_map(object).insert("apiVersion".to_owned(), version.into());
}

/// Fields of an Event in `v1` and in `events.k8s.io/v1`.
const EVENT_FIELDS: &[(&str, &str); 7] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(object: &mut Value, fields: &[(&str, &str)]) {
    let map = meta::as_map(object);
    for (from, to) in fields {
        if let Some(value) = map.remove(*from) {
            map.insert((*to).to_owned(), value);
        }
    }
}

/// `v1` knows one metric: the average utilization of CPU.
fn scaler_to_v1(object: &mut Value) {
    let spec = meta::field_mut(object, "spec");
    let metrics = spec.remove("metrics");
    let cpu = metrics
        .iter()
        .flat_map(|metrics| metrics.as_array().into_iter().flatten())
        .find_map(|metric| {
            let is_cpu = metric.pointer("/resource/name").and_then(Value::as_str) == Some("cpu");
            metric
                .pointer("/resource/target/averageUtilization")
                .filter(|_| is_cpu)
                .cloned()
        });
    if let Some(target) = cpu {
        spec.insert("targetCPUUtilizationPercentage".to_owned(), target);
    }
}

fn scaler_to_v2(object: &mut Value) {
    let spec = meta::field_mut(object, "spec");
    if let Some(target) = spec.remove("targetCPUUtilizationPercentage") {
        let metric = json!({"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": target}}});
        spec.insert("metrics".to_owned(), Value::Array(vec![metric]));
    }
}
