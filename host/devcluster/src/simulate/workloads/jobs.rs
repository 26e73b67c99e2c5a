use super::write::{self, controlled, with_condition};
use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::Key;
use serde_json::{Value, json};

const MANAGER: &str = "kube-controller-manager";

/// Runs the Pods of a Job and says how they ended.
pub(super) fn job(cluster: &Cluster, key: &Key) {
    let (jobs, pods) = (table("batch", "jobs"), table("", "pods"));
    let Some(job) = cluster.store.get(&jobs, key) else {
        return;
    };
    let is_over = |kind: &str| write::condition(&job, kind).is_some();
    if meta::is_deleted(&job) || is_over("Complete") || is_over("Failed") {
        return;
    }
    if job.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        write::status(cluster, &jobs, key, MANAGER, |job| {
            Some(
                json!({"conditions": [with_condition(job, "Suspended", "True", "JobSuspended", "Job suspended", false)]}),
            )
        });
        return;
    }
    let wanted = job
        .pointer("/spec/completions")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let owned = controlled(cluster, &pods, &job);
    let phase = |wanted: &str| {
        owned
            .iter()
            .filter(|pod| pod.pointer("/status/phase").and_then(Value::as_str) == Some(wanted))
            .count() as u64
    };
    let (succeeded, failed) = (phase("Succeeded"), phase("Failed"));
    let active = owned.len() as u64 - succeeded - failed;
    let retries = job
        .pointer("/spec/backoffLimit")
        .and_then(Value::as_u64)
        .unwrap_or(6);
    let is_lost = failed > retries;
    if !is_lost && succeeded + active < wanted {
        write::pod(cluster, &job, None, &[]);
        return; // the Pod brings us back
    }
    write::status(cluster, &jobs, key, MANAGER, |job| {
        let now = meta::now();
        let started = job
            .pointer("/status/startTime")
            .cloned()
            .unwrap_or_else(|| now.clone().into());
        let mut status =
            json!({"startTime": started, "uncountedTerminatedPods": {}, "ready": 0, "terminating": 0});
        for (field, count) in [
            ("active", if is_lost { 0 } else { active }),
            ("succeeded", succeeded),
            ("failed", failed),
        ] {
            if count > 0 {
                meta::as_map(&mut status).insert(field.to_owned(), count.into());
            }
        }
        if succeeded >= wanted {
            let said = "Reached expected number of succeeded pods";
            let conditions = json!([
                with_condition(
                    job,
                    "SuccessCriteriaMet",
                    "True",
                    "CompletionsReached",
                    said,
                    false
                ),
                with_condition(job, "Complete", "True", "CompletionsReached", said, false),
            ]);
            meta::as_map(&mut status).extend([
                ("completionTime".to_owned(), now.into()),
                ("conditions".to_owned(), conditions),
            ]);
        } else if is_lost {
            let said = "Job has reached the specified backoff limit";
            let conditions = json!([
                with_condition(job, "FailureTarget", "True", "BackoffLimitExceeded", said, false),
                with_condition(job, "Failed", "True", "BackoffLimitExceeded", said, false),
            ]);
            meta::as_map(&mut status).insert("conditions".to_owned(), conditions);
        }
        Some(status)
    });
}
