use crate::Health;
use crate::look::{condition, int, text};
use serde_json::Value;

/// Flux's own rule: unlike kstatus', a Job is current when it has completed, not when it has started.
pub(super) fn job(object: &Value) -> Health {
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
    if is_true("Suspended").is_some() {
        return Health::current("Job Suspended");
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
