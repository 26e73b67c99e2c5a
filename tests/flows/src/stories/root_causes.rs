//! Why it failed: the Ready message names the object and, behind it, the cause that lies deepest.

use super::prelude::*;
use sluice_devcluster::{Admission, Authorization, Config, Verdict};

pub async fn tell(world: &mut World) {
    world.start().await;
    workloads(world).await;
    refusals(world).await;
    rights().await;
}

/// Pods that do not come up, and volumes that are not bound.
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

async fn names(world: &World, name: &str, parts: &[&str]) {
    world
        .until(&format!("{name} names {parts:?}"), async || {
            let (status, _, message) = condition(&world.ks(name).await, "Ready");
            (status == "False" && parts.iter().all(|part| message.contains(part))).then_some(())
        })
        .await;
}
