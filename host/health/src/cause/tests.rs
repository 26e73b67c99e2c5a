use super::{Around, cause};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn owned(kind: &str, name: &str, uid: &str, owner: &str, rest: Value) -> Value {
    let mut object = json!({ "kind": kind, "metadata": { "name": name, "namespace": "apps", "uid": uid,
        "ownerReferences": [{ "uid": owner }] } });
    for (key, value) in rest.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn deployment() -> Value {
    json!({ "kind": "Deployment", "metadata": { "name": "web", "namespace": "apps", "uid": "d" } })
}

fn event(uid: &str, time: &str, reason: &str, message: &str) -> Value {
    json!({ "type": "Warning", "reason": reason, "message": message, "lastTimestamp": time, "involvedObject": { "uid": uid } })
}

fn check(object: &Value, objects: &[Value], events: &[Value], expected: &Expect) {
    let found = cause(object, Around { objects, events });
    expected.assert_eq(&found.map_or_else(|| "none".to_owned(), |cause| cause.to_string()));
}

/// A Deployment, its ReplicaSet, and one pod of that status.
fn check_pod(status: Value, events: &[Value], expected: &Expect) {
    let set = owned("ReplicaSet", "web-7f", "r", "d", json!({}));
    let volumes = json!({ "volumes": [{ "persistentVolumeClaim": { "claimName": "data" } }] });
    let pod = owned(
        "Pod",
        "web-7f-x",
        "p",
        "r",
        json!({ "status": status, "spec": volumes }),
    );
    check(&deployment(), &[set, pod], events, expected);
}

#[test]
fn containers() {
    let container = |state: Value| {
        json!({ "phase": "Pending", "containerStatuses": [{ "name": "web", "ready": false, "restartCount": 3,
        "state": state["state"], "lastState": state["last"] }] })
    };
    let waiting = |reason: &str, message: &str| {
        container(json!({ "state": { "waiting": { "reason": reason, "message": message } } }))
    };
    check_pod(
        waiting("ImagePullBackOff", "Back-off pulling image \"web:9\""),
        &[],
        &expect![[
            r#"Pod/apps/web-7f-x container "web": ImagePullBackOff: Back-off pulling image "web:9"; check the image's name and tag, and the pod's imagePullSecrets"#
        ]],
    );
    check_pod(
        waiting("CreateContainerConfigError", "secret \"db\" not found"),
        &[],
        &expect![[
            r#"Pod/apps/web-7f-x container "web": CreateContainerConfigError: secret "db" not found; check the ConfigMaps and Secrets that the container refers to"#
        ]],
    );
    let crash = container(json!({ "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "last": { "terminated": { "reason": "Error", "exitCode": 2 } } }));
    check_pod(
        crash,
        &[],
        &expect![[
            r#"Pod/apps/web-7f-x container "web": CrashLoopBackOff: exit code 2, 3 restarts; look at the container's log (kubectl logs --previous)"#
        ]],
    );
    let oom = container(json!({ "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "last": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }));
    check_pod(
        oom,
        &[],
        &expect![[
            r#"Pod/apps/web-7f-x container "web": OOMKilled: exit code 137, 3 restarts; raise resources.limits.memory, or find what uses it"#
        ]],
    );
}

#[test]
fn scheduling_and_volumes() {
    let unschedulable = json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available" }] });
    check_pod(
        unschedulable.clone(),
        &[],
        &expect![
            "Pod/apps/web-7f-x: Unschedulable: 0/3 nodes are available; add nodes, or change the pod's requests, selectors or tolerations"
        ],
    );
    let pod = json!({ "kind": "Pod", "metadata": { "name": "web", "namespace": "apps" }, "status": unschedulable,
        "spec": { "volumes": [{ "persistentVolumeClaim": { "claimName": "data" } }] } });
    let claim = json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": "apps", "uid": "c" },
        "status": { "phase": "Pending" } });
    let events = [event(
        "c",
        "2",
        "ProvisioningFailed",
        "storageclass \"fast\" not found",
    )];
    check(
        &pod,
        &[claim],
        &events,
        &expect![[
            r#"PersistentVolumeClaim/apps/data: ProvisioningFailed: storageclass "fast" not found; check spec.storageClassName and the class's provisioner"#
        ]],
    );
}

#[test]
fn events_of_the_deepest_object() {
    let events = [
        event("p", "1", "Unhealthy", "Liveness probe failed"),
        event(
            "p",
            "2",
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with statuscode: 500",
        ),
        event("x", "3", "Other", "of another object"),
    ];
    check_pod(
        json!({ "phase": "Running", "containerStatuses": [{ "name": "web", "ready": false, "state": { "running": {} } }] }),
        &events,
        &expect![
            "Pod/apps/web-7f-x: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500; check the probe's path, port and delays, and the container's log"
        ],
    );
}

#[test]
fn what_keeps_pods_from_being_made() {
    let set = |message: &str| {
        owned(
            "ReplicaSet",
            "web-7f",
            "r",
            "d",
            json!({ "status": { "conditions": [
        { "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message }] } }),
        )
    };
    check(
        &deployment(),
        &[set(
            "pods \"web-7f-\" is forbidden: exceeded quota: small, requested: pods=1",
        )],
        &[],
        &expect![[
            r#"ReplicaSet/apps/web-7f: FailedCreate: pods "web-7f-" is forbidden: exceeded quota: small, requested: pods=1; raise the namespace's ResourceQuota, or ask for less"#
        ]],
    );
    check(
        &deployment(),
        &[set(
            "admission webhook \"policy.acme.io\" denied the request: no latest tag",
        )],
        &[],
        &expect![[
            r#"ReplicaSet/apps/web-7f: FailedCreate: admission webhook "policy.acme.io" denied the request: no latest tag; ask the owner of the webhook, or change the object as it demands"#
        ]],
    );
}

#[test]
fn other_objects() {
    let deleted = json!({ "kind": "Namespace", "metadata": { "name": "apps", "deletionTimestamp": "2026-01-01T00:00:00Z" },
        "status": { "conditions": [{ "type": "NamespaceContentRemaining", "status": "True", "message": "pods. has 1 resource instances" }] } });
    check(
        &deleted,
        &[],
        &[],
        &expect![
            "Namespace/apps: Terminating: pods. has 1 resource instances; look whether the controllers of the finalizers run"
        ],
    );
    let custom = json!({ "kind": "Kustomization", "metadata": { "name": "db", "namespace": "apps" }, "status": { "conditions": [
        { "type": "Ready", "status": "False", "reason": "BuildFailed", "message": "kustomize build failed" }] } });
    check(
        &custom,
        &[],
        &[],
        &expect!["Kustomization/apps/db: BuildFailed: kustomize build failed"],
    );
    check(&deployment(), &[], &[], &expect!["none"]);
}
