//! Why it failed: the Ready message names the object and, behind it, the cause that lies deepest.

use super::prelude::*;
use sluice_devcluster::{Admission, Authorization, Config, Verdict};

pub async fn tell(world: &mut World) {
    world.start().await;
    workloads(world).await;
    refusals(world).await;
    rights().await;
    reports().await;
}

/// Pods that do not come up.
async fn workloads(world: &World) {
    for (fate, expected) in [("image-pull", "ImagePullBackOff"), ("crash", "CrashLoopBackOff")] {
        let mut web = deployment("web", "example.com/app:1");
        web["spec"]["template"]["metadata"]["annotations"] = json!({ "devcluster.sluice.dev/ready": fate });
        world
            .kustomization(
                fate,
                json!({ "wait": true, "timeout": "30s", "retryInterval": "24h" }),
            )
            .await;
        world.commit("a", &[("web.json", web)]).await;
        let message = world.failed(fate, "HealthCheckFailed").await;
        let object = format!("Deployment/{}/web status: '", world.namespace);
        assert!(
            message.contains(&object) && message.contains(expected),
            "{fate}: {message}"
        );
        assert!(
            message.contains(&format!("Pod/{}/web-", world.namespace)),
            "the Pod is named: {message}"
        );
        world.delete(KS, fate).await;
        world
            .until("the Deployment is gone", async || {
                world.get(DEPLOYMENT, "web").await.is_none().then_some(())
            })
            .await;
    }
}

/// What the API server refuses: webhook, quota, immutable field, missing kind, conflict, a namespace on its way out, and
/// what its etcd does not take.
async fn refusals(world: &World) {
    let faults = world.server().unwrap().faults();
    let quota = "configmaps \"one\" is forbidden: exceeded quota: small, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1";
    let webhook = "admission webhook \"validate.example.com\" denied the request: no";
    let conflict = "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again";
    world
        .kustomization("refused", json!({ "retryInterval": "24h" }))
        .await;
    for (number, (code, reason, message, remedy)) in [
        (403, "Forbidden", quota, "raise the quota"),
        (403, "Forbidden", webhook, "(one.json:1)"),
        (409, "Conflict", conflict, "(one.json:1)"),
        (
            500,
            "InternalError",
            "etcdserver: mvcc: database space exceeded",
            "defragment it",
        ),
        (
            500,
            "InternalError",
            "etcdserver: request is too large",
            "make the object smaller",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        faults.clear();
        faults.admit(Admission {
            resource: "configmaps".into(),
            name: "one".into(),
            verdict: Verdict::Refuse(code, reason, message.into()),
        });
        world
            .commit(
                &format!("r{number}"),
                &[("one.json", config_map("one", &number.to_string()))],
            )
            .await;
        names(
            world,
            "refused",
            &[&format!("ConfigMap/{}/one", world.namespace), message, remedy],
        )
        .await;
    }
    faults.clear();

    let going = format!("{}-going", world.namespace);
    let held = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": going } });
    world.put(held).await;
    let mut inside = config_map("held", "1");
    inside["metadata"]["namespace"] = json!(going);
    inside["metadata"]["finalizers"] = json!(["example.com/held"]);
    world.put(inside.clone()).await;
    world.delete(NAMESPACE, &going).await;
    inside["metadata"]["name"] = json!("late");
    world.commit("ns", &[("late.json", inside)]).await;
    names(
        world,
        "refused",
        &[
            &format!("ConfigMap/{going}/late"),
            "because it is being terminated",
        ],
    )
    .await;

    world
        .commit(
            "kind",
            &[(
                "x.json",
                json!({ "apiVersion": "example.com/v1", "kind": "Nothing", "metadata": { "name": "x" } }),
            )],
        )
        .await;
    names(
        world,
        "refused",
        &[
            "no matches for kind \"Nothing\"",
            "install the CustomResourceDefinition",
        ],
    )
    .await;
}

/// An account that may not.
async fn rights() {
    let config = Config {
        authorization: Authorization::Rbac,
        ..Config::default()
    };
    let mut world = World::embedded_with(config).await;
    world.start().await;
    world
        .kustomization("apps", json!({ "serviceAccountName": "nobody" }))
        .await;
    world.commit("a", &[("one.json", config_map("one", "1"))]).await;
    names(
        &world,
        "apps",
        &[
            &format!("ConfigMap/{}/one", world.namespace),
            "nobody",
            "grant the named verb",
        ],
    )
    .await;
    world.stop().await;
}

const POD: (&str, &str) = ("v1", "Pod");
const CLAIM: (&str, &str) = ("v1", "PersistentVolumeClaim");

/// What nodes and provisioners say of Pods and volumes: memory, probes, a claim that nobody binds.
async fn reports() {
    let config = Config {
        simulate_workloads: false,
        ..Config::default()
    };
    let mut world = World::embedded_with(config).await;
    world.start().await;
    let pod = json!({ "containers": [{ "name": "main", "image": "example.com/app:1" }] });
    let claim =
        json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } });
    let container = |state: Value, last: Value| {
        json!([{ "name": "main", "image": "example.com/app:1", "imageID": "", "ready": false, "restartCount": 3,
            "state": state, "lastState": last }])
    };
    let killed = container(
        json!({ "waiting": { "reason": "CrashLoopBackOff" } }),
        json!({ "terminated": { "reason": "OOMKilled", "exitCode": 137 } }),
    );
    let running = container(json!({ "running": {} }), json!({}));
    world
        .put(json!({
            "apiVersion": "v1", "kind": "Event", "metadata": { "name": "probe.1" }, "type": "Warning", "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed with statuscode: 500",
            "involvedObject": { "apiVersion": POD.0, "kind": POD.1, "name": "probe", "namespace": world.namespace },
            "lastTimestamp": "2026-01-01T00:00:00Z",
        }))
        .await;
    for (name, kind, spec, status, cause) in [
        (
            "memory",
            POD,
            &pod,
            json!({ "phase": "Running", "containerStatuses": killed }),
            ["OOMKilled", "resources.limits.memory"],
        ),
        (
            "probe",
            POD,
            &pod,
            json!({ "phase": "Running", "containerStatuses": running }),
            ["Unhealthy: Readiness probe failed", "check the probe"],
        ),
        (
            "volume",
            CLAIM,
            &claim,
            json!({ "phase": "Pending" }),
            ["Pending", "the claim is not bound to a volume"],
        ),
    ] {
        let object =
            json!({ "apiVersion": kind.0, "kind": kind.1, "metadata": { "name": name }, "spec": spec });
        world.commit_to(name, "a", &[("object.json", object)]).await;
        let spec =
            json!({ "sourceRef": { "name": name }, "wait": true, "timeout": "30s", "retryInterval": "24h" });
        world.kustomization(name, spec).await;
        world
            .until("the object is there", async || world.get(kind, name).await)
            .await;
        world.report(kind, name, status).await;
        let subject = format!("{}/{}/{name}", kind.1, world.namespace);
        names(&world, name, &[&subject, cause[0], cause[1]]).await;
    }
    world.stop().await;
}

async fn names(world: &World, name: &str, parts: &[&str]) {
    world
        .until(&format!("{name} names {parts:?}"), async || {
            let (status, _, message) = condition(&world.ks(name).await, "Ready");
            (status == "False" && parts.iter().all(|part| message.contains(part))).then_some(())
        })
        .await;
}
