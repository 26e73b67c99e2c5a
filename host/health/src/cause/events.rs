use super::{Cause, object, of};
use crate::look::text;
use serde_json::Value;

/// The newest warning about an object.
pub(super) fn warning(object: &Value, events: &[Value]) -> Option<Cause> {
    let newest = events
        .iter()
        .filter(|event| text(event, "/type") == "Warning" && is_about(event, object))
        .max_by_key(|event| time(event))?;
    let (reason, message) = (text(newest, "/reason"), first(newest, &["/message", "/note"]));
    let remedy = match reason {
        "Unhealthy" => Some("check the probe's path, port and delays, and the container's log"),
        "FailedMount" | "FailedAttachVolume" => {
            Some("check that the volume's ConfigMap, Secret or claim exists")
        }
        _ => object::remedy(message),
    };
    Some(of(object, reason, message).with_remedy(remedy))
}

fn is_about(event: &Value, object: &Value) -> bool {
    ["/involvedObject", "/regarding"]
        .into_iter()
        .filter_map(|pointer| event.pointer(pointer))
        .any(|regarding| {
            let same = |pointer: &str, of_object: &str| text(regarding, pointer) == text(object, of_object);
            match text(regarding, "/uid") {
                "" => {
                    same("/kind", "/kind")
                        && same("/name", "/metadata/name")
                        && same("/namespace", "/metadata/namespace")
                }
                uid => uid == text(object, "/metadata/uid"),
            }
        })
}

fn time(event: &Value) -> &str {
    first(
        event,
        &[
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/eventTime",
            "/metadata/creationTimestamp",
        ],
    )
}

fn first<'v>(event: &'v Value, pointers: &[&str]) -> &'v str {
    pointers
        .iter()
        .map(|pointer| text(event, pointer))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}
