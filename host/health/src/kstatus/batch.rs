use crate::Health;
use crate::look::{condition, int, text};
use serde_json::Value;

/// Flux's own rule: unlike kstatus', a Job is current when it has completed, not when it has started. One that is switched
/// off is current by its spec: what its condition says of that comes later, and goes later.
pub(super) fn job(object: &Value) -> Health {
    if object.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        return Health::current("Job is suspended");
    }
    let count = |name: &str| int(object, &format!("/status/{name}"), 0);
    let is_true = |type_: &str| condition(object, type_).filter(|condition| condition.is_true());
    let completions = int(object, "/spec/completions", 1);
    if is_true("Complete").is_some() {
        return Health::current(format!(
            "Job Completed. succeeded: {}/{completions}",
            count("succeeded")
        ));
    }
    if let Some(failed) = is_true("Failed") {
        let reason = if failed.reason.is_empty() {
            String::new()
        } else {
            format!(" ({}: {})", failed.reason, failed.message)
        };
        return Health::failed(format!(
            "Job Failed. failed: {}/{completions}{reason}",
            count("failed")
        ));
    }
    if text(object, "/status/startTime").is_empty() {
        return Health::in_progress("Job not started");
    }
    Health::in_progress(format!(
        "Job in progress. success:{}, active: {}, failed: {}",
        count("succeeded"),
        count("active"),
        count("failed")
    ))
}
