//! Classes that are never ready: what needs them waits, everybody else goes on, and no attempt passes over them.

use super::prelude::*;

/// As many as reconcile at once: if waiting held them, nobody else would come through.
const STUCK: usize = 4;

pub async fn tell(world: &mut World) {
    world.start().await;
    let group = format!("{}.example.com", world.namespace);
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    // whoever looks after these classes has not seen them yet
    let status = json!({
        "type": "object", "default": { "observedGeneration": -1 }, "properties": { "observedGeneration": { "type": "integer" } },
        "x-kubernetes-preserve-unknown-fields": true,
    });
    let schema = json!({ "type": "object", "properties": { "spec": open, "status": status } });
    world
        .put(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("lampclasses.{group}") },
            "spec": {
                "group": group, "scope": "Namespaced",
                "names": { "kind": "LampClass", "plural": "lampclasses", "singular": "lampclass" },
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                    "schema": { "openAPIV3Schema": schema },
                }],
            },
        }))
        .await;
    let api_version = format!("{group}/v1");
    let kind = (api_version.as_str(), "LampClass");
    world
        .until("the kind is served", async || world.list(kind, "").await)
        .await;
    let names: Vec<String> = (0..STUCK).map(|number| format!("stuck-{number}")).collect();
    for name in &names {
        let class = json!({ "apiVersion": api_version, "kind": "LampClass", "metadata": { "name": name }, "spec": {} });
        world
            .commit_to(
                name,
                "a",
                &[("class.json", class), ("map.json", config_map(name, "1"))],
            )
            .await;
        let source = json!({ "kind": "GitRepository", "name": name });
        world
            .kustomization(name, json!({ "sourceRef": source, "retryInterval": "10s" }))
            .await;
    }
    for name in &names {
        world
            .until("the class is there", async || world.get(kind, name).await)
            .await;
    }

    world.commit("a", &[("one.json", config_map("one", "1"))]).await;
    world.kustomization("well", json!({})).await;
    world.ready("well", "a").await;
    for name in &names {
        let (status, ..) = condition(&world.ks(name).await, "Ready");
        assert_eq!(status, "Unknown", "it has not given up, and holds nobody up");
    }

    let name = names[0].as_str();
    let message = world.failed(name, "ReconciliationFailed").await;
    let late = format!(
        "timeout waiting for: [LampClass/{}/{name} status: 'InProgress']",
        world.namespace
    );
    assert_eq!(message, late);
    // the next attempt finds the class as it was, and so it fails like the one before
    world
        .until("it failed again", async || {
            let ks = world.ks(name).await;
            assert_ne!(condition(&ks, "Ready").0, "True");
            (ks.pointer("/status/history/0/totalReconciliations")? == 2).then_some(())
        })
        .await;
    assert_eq!(
        world.value(name).await,
        None,
        "what needs the class is not applied"
    );

    world.report(kind, name, json!({ "observedGeneration": 1 })).await;
    world.ready(name, "a").await;
    assert_eq!(world.value(name).await.as_deref(), Some("1"));

    // the user's expressions say when a class is ready, too
    let name = names[1].as_str();
    let unlit = json!({ "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "False", "message": "unlit" }] });
    world.report(kind, name, unlit).await;
    let seen =
        json!([{ "apiVersion": api_version, "kind": kind.1, "current": "status.observedGeneration == 1" }]);
    let source = json!({ "kind": "GitRepository", "name": name });
    let spec = json!({ "sourceRef": source, "retryInterval": "10s", "healthCheckExprs": seen });
    world.kustomization(name, spec).await;
    world.ready(name, "a").await;
    assert_eq!(world.value(name).await.as_deref(), Some("1"));
}
