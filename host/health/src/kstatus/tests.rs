use super::{assess, assess_with_pods, pods_of};
use serde_json::{Value, json};
use sluice_api::Time;

fn now() -> Time {
    Time::from_second(1_000_000).unwrap()
}

/// A kind, its spec and its status, and what they come to: `Current`, `InProgress Ready: 1/2`.
fn check(api_version: &str, kind: &str, spec: Value, status: Value, expected: &str) {
    let object = json!({ "apiVersion": api_version, "kind": kind,
        "metadata": { "name": "a", "namespace": "b", "generation": 2, "creationTimestamp": "1970-01-12T13:46:00Z" },
        "spec": spec, "status": status });
    let health = assess(&object, now());
    let got = format!("{} {}", health.status.as_str(), health.message);
    assert!(
        got.starts_with(expected),
        "{kind} {object}: {got:?}, not {expected:?}"
    );
}

fn conditions(rows: &[(&str, &str, &str)]) -> Value {
    rows.iter().map(|(type_, status, reason)| json!({ "type": type_, "status": status, "reason": reason, "message": "m" })).collect()
}

#[test]
fn any_kind() {
    let check = |status: Value, expected| check("acme.io/v1", "Thing", json!({}), status, expected);
    check(json!({}), "Current");
    check(
        json!({ "observedGeneration": 1 }),
        "InProgress Thing generation is 2, but latest observed generation is 1",
    );
    check(json!({ "observedGeneration": 2 }), "Current");
    check(
        json!({ "conditions": conditions(&[("Reconciling", "True", "")]) }),
        "InProgress m",
    );
    check(
        json!({ "conditions": conditions(&[("Stalled", "True", ""), ("Ready", "True", "")]) }),
        "Failed m",
    );
    // whichever comes first
    check(
        json!({ "conditions": conditions(&[("Stalled", "True", ""), ("Reconciling", "True", "")]) }),
        "Failed m",
    );
    check(
        json!({ "conditions": conditions(&[("Reconciling", "True", ""), ("Stalled", "True", "")]) }),
        "InProgress m",
    );
    check(
        json!({ "conditions": conditions(&[("Ready", "true", "")]) }),
        "Current Resource is current",
    );
    check(
        json!({ "conditions": conditions(&[("Ready", "False", "")]) }),
        "InProgress m",
    );
    check(
        json!({ "conditions": conditions(&[("Ready", "Unknown", "")]) }),
        "InProgress m",
    );
    check(
        json!({ "conditions": conditions(&[("Ready", "True", "")]) }),
        "Current",
    );
    let deleted = json!({ "kind": "Thing", "metadata": { "deletionTimestamp": "1970-01-01T00:00:00Z" } });
    assert_eq!(assess(&deleted, now()).status.as_str(), "Terminating");
    // what counts no generations cannot be behind
    let uncounted = json!({ "kind": "Thing", "metadata": {}, "status": { "observedGeneration": 1 } });
    assert_eq!(assess(&uncounted, now()).status.as_str(), "Current");
}

#[test]
fn core_kinds() {
    check(
        "v1",
        "Service",
        json!({ "type": "LoadBalancer" }),
        json!({}),
        "InProgress",
    );
    check(
        "v1",
        "Service",
        json!({ "type": "LoadBalancer", "clusterIP": "1.2.3.4" }),
        json!({}),
        "Current",
    );
    check("v1", "Service", json!({}), json!({}), "Current");
    check("v1", "ConfigMap", json!({}), json!({}), "Current");
    check(
        "v1",
        "PersistentVolumeClaim",
        json!({}),
        json!({ "phase": "Pending" }),
        "InProgress PVC is not Bound. phase: Pending",
    );
    check(
        "v1",
        "PersistentVolumeClaim",
        json!({}),
        json!({ "phase": "Bound" }),
        "Current",
    );
    check(
        "policy/v1",
        "PodDisruptionBudget",
        json!({}),
        json!({ "conditions": conditions(&[("Ready", "False", "")]) }),
        "Current",
    );
}

#[test]
fn pods() {
    let check = |status: Value, expected| check("v1", "Pod", json!({}), status, expected);
    check(json!({}), "InProgress");
    check(json!({ "phase": "Succeeded" }), "Current");
    check(json!({ "phase": "Failed" }), "Current");
    check(
        json!({ "phase": "Running", "conditions": conditions(&[("Ready", "True", "")]) }),
        "Current",
    );
    check(json!({ "phase": "Running" }), "InProgress");
    let crashing = json!([{ "name": "app", "state": { "waiting": { "reason": "CrashLoopBackOff" } } }]);
    check(
        json!({ "phase": "Running", "containerStatuses": crashing }),
        "Failed Containers in CrashLoop state: app",
    );
    // a sidecar is tried again, and may come up yet
    check(
        json!({ "phase": "Running", "initContainerStatuses": crashing }),
        "InProgress Pod is running but is not Ready",
    );
    check(json!({ "phase": "Pending" }), "InProgress");
    let unschedulable = conditions(&[("PodScheduled", "False", "Unschedulable")]);
    check(
        json!({ "phase": "Pending", "conditions": unschedulable }),
        "Failed",
    );
    let young = json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "creationTimestamp": "1970-01-12T13:46:30Z" },
        "status": { "phase": "Pending", "conditions": unschedulable } });
    assert_eq!(assess(&young, now()).message, "Pod has not been scheduled");
}

#[test]
fn deployments() {
    let check = |spec, status, expected| check("apps/v1", "Deployment", spec, status, expected);
    let full = |conditions: Value| json!({ "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2, "conditions": conditions });
    let good = conditions(&[
        ("Progressing", "True", "NewReplicaSetAvailable"),
        ("Available", "True", ""),
    ]);
    let two = json!({ "replicas": 2, "progressDeadlineSeconds": 600 });
    check(two.clone(), full(good.clone()), "Current");
    check(two.clone(), json!({}), "InProgress Replicas: 0/2");
    check(two.clone(), json!({ "replicas": 2 }), "InProgress Updated: 0/2");
    check(
        two.clone(),
        json!({ "replicas": 3, "updatedReplicas": 2 }),
        "InProgress Pending termination: 1",
    );
    check(
        two.clone(),
        json!({ "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1 }),
        "InProgress Available: 1/2",
    );
    let ready = json!({ "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 1 });
    check(two.clone(), ready, "InProgress Ready: 1/2");
    check(
        two.clone(),
        full(conditions(&[(
            "Progressing",
            "False",
            "ProgressDeadlineExceeded",
        )])),
        "Failed",
    );
    check(
        two.clone(),
        full(conditions(&[("Available", "True", "")])),
        "InProgress ReplicaSet not Available",
    );
    check(
        json!({ "replicas": 2 }),
        full(conditions(&[("Available", "True", "")])),
        "Current",
    );
    check(
        two,
        full(conditions(&[("Progressing", "True", "NewReplicaSetAvailable")])),
        "InProgress Deployment not Available",
    );
    check(json!({ "replicas": 0 }), json!({ "conditions": good }), "Current");
}

#[test]
fn other_workloads() {
    let stateful = |spec, status, expected| check("apps/v1", "StatefulSet", spec, status, expected);
    stateful(
        json!({ "updateStrategy": { "type": "OnDelete" } }),
        json!({}),
        "Current",
    );
    stateful(json!({}), json!({}), "InProgress Replicas: 0/1");
    let ready = json!({ "replicas": 1, "readyReplicas": 1, "currentReplicas": 1, "currentRevision": "a", "updateRevision": "b" });
    stateful(
        json!({}),
        ready.clone(),
        "InProgress Waiting for updated revision",
    );
    let partition =
        |n: i64| json!({ "replicas": 1, "updateStrategy": { "rollingUpdate": { "partition": n } } });
    stateful(partition(1), ready.clone(), "Current Partition rollout complete");
    stateful(partition(0), ready, "InProgress updated: 0/1");

    let daemon = |status, expected| check("apps/v1", "DaemonSet", json!({}), status, expected);
    daemon(json!({}), "InProgress");
    daemon(json!({ "observedGeneration": 2 }), "InProgress Missing");
    daemon(
        json!({ "observedGeneration": 2, "desiredNumberScheduled": 0 }),
        "Current",
    );
    daemon(
        json!({ "observedGeneration": 2, "desiredNumberScheduled": 1, "currentNumberScheduled": 1 }),
        "InProgress Updated: 0/1",
    );

    let replica = |status, expected| check("apps/v1", "ReplicaSet", json!({}), status, expected);
    replica(
        json!({ "conditions": conditions(&[("ReplicaFailure", "True", "")]) }),
        "InProgress Replica Failure",
    );
    replica(
        json!({ "replicas": 2, "fullyLabeledReplicas": 1, "availableReplicas": 1, "readyReplicas": 1 }),
        "InProgress Pending",
    );
    replica(
        json!({ "replicas": 1, "fullyLabeledReplicas": 1, "availableReplicas": 1, "readyReplicas": 1 }),
        "Current",
    );
}

#[test]
fn jobs_and_definitions() {
    let job = |status, expected| check("batch/v1", "Job", json!({}), status, expected);
    job(json!({}), "InProgress Job not started");
    job(
        json!({ "startTime": "1970-01-01T00:00:00Z", "active": 1 }),
        "InProgress Job in progress. success:0, active: 1, failed: 0",
    );
    job(
        json!({ "conditions": conditions(&[("Complete", "True", "")]) }),
        "Current",
    );
    job(
        json!({ "conditions": conditions(&[("Failed", "True", "BackoffLimitExceeded")]) }),
        "Failed Job Failed. failed: 0/1 (BackoffLimitExceeded: m)",
    );
    // the condition is behind what the spec says, when it is switched off and when it is switched on
    let suspended = conditions(&[("Suspended", "True", "JobSuspended")]);
    job(json!({ "conditions": suspended }), "InProgress Job not started");
    check(
        "batch/v1",
        "Job",
        json!({ "suspend": true }),
        json!({}),
        "Current Job is suspended",
    );
    check("batch/v1", "CronJob", json!({}), json!({}), "Current");

    let crd = |rows: &[(&str, &str, &str)], expected| {
        check(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            json!({}),
            json!({ "conditions": conditions(rows) }),
            expected,
        );
    };
    crd(&[], "InProgress");
    crd(&[("NamesAccepted", "False", "")], "Failed");
    crd(&[("Established", "False", "Installing")], "InProgress");
    crd(&[("Established", "False", "NotAccepted")], "Failed");
    crd(
        &[("NamesAccepted", "True", ""), ("Established", "True", "")],
        "Current",
    );
}

#[test]
fn a_failed_pod_fails_its_set() {
    let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "db" } });
    let pod = |status: Value| json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "db-0" }, "status": status });
    let crashing = pod(json!({ "phase": "Running",
        "containerStatuses": [{ "name": "app", "state": { "waiting": { "reason": "CrashLoopBackOff" } } }] }));
    let unschedulable = pod(
        json!({ "phase": "Pending", "conditions": conditions(&[("PodScheduled", "False", "Unschedulable")]) }),
    );
    assert_eq!(
        assess_with_pods(&set, [&unschedulable], now()).status.as_str(),
        "InProgress"
    );
    assert_eq!(
        assess_with_pods(&set, [&unschedulable, &crashing], now())
            .status
            .as_str(),
        "Failed"
    );
    let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment" });
    assert_eq!(
        assess_with_pods(&deployment, [&crashing], now()).status.as_str(),
        "InProgress"
    );
}

#[test]
fn the_whole_selector_tells_which_pods_are_meant() {
    let set = |kind: &str, selector: Value| {
        pods_of(&json!({ "apiVersion": "apps/v1", "kind": kind, "spec": { "selector": selector } }))
    };
    let expressions = json!([
        { "key": "tier", "operator": "In", "values": ["a", "b"] },
        { "key": "track", "operator": "NotIn", "values": ["canary"] },
        { "key": "shard", "operator": "Exists" },
        { "key": "old", "operator": "DoesNotExist" },
    ]);
    for (selector, expected) in [
        (
            json!({ "matchLabels": { "app": "web", "part": "db" } }),
            Some("app=web,part=db"),
        ),
        (
            json!({ "matchLabels": { "app": "web" }, "matchExpressions": expressions }),
            Some("app=web,tier in (a,b),track notin (canary),shard,!old"),
        ),
        (
            json!({ "matchExpressions": [{ "key": "app", "operator": "Exists" }] }),
            Some("app"),
        ),
        (
            json!({ "matchExpressions": [{ "key": "app", "operator": "Near" }] }),
            None,
        ),
        (json!({}), None),
        (Value::Null, None),
    ] {
        assert_eq!(
            set("StatefulSet", selector.clone()).as_deref(),
            expected,
            "{selector}"
        );
    }
    assert!(set("ReplicaSet", json!({ "matchLabels": { "app": "web" } })).is_some());
    assert_eq!(
        set("Deployment", json!({ "matchLabels": { "app": "web" } })),
        None
    );
}
