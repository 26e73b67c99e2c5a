//! A Kustomization for another cluster: applied, kept and pruned there, with a kubeconfig that a Secret holds here.

use super::prelude::*;
use sluice_devcluster::{Config, DevCluster};

pub async fn tell(world: &mut World) {
    world.start().await;
    let server = DevCluster::start(Config::default()).await.unwrap();
    let there = World::connected(server.client_config().await.unwrap()).await;
    let kubeconfig = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "there" },
        "stringData": { "value": server.kubeconfig() } });
    let spec = json!({ "kubeConfig": { "secretRef": { "name": "there" } }, "targetNamespace": there.namespace,
        "wait": true, "retryInterval": "24h" });
    world.kustomization("apps", spec).await;
    let files = [
        ("a.json", config_map("one", "1")),
        ("b.json", config_map("two", "1")),
    ];
    world.commit("a", &files).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    assert!(message.contains("secrets \"there\" not found"), "{message}");

    // with the Secret it goes on
    world.put(kubeconfig.clone()).await;
    world.asked_to_reconcile("apps", "1").await;
    let ks = world.ready("apps", "a").await;
    let prefix = &there.namespace;
    assert_eq!(
        inventory(&ks),
        [
            format!("{prefix}_one__ConfigMap"),
            format!("{prefix}_two__ConfigMap")
        ]
    );
    assert_eq!(there.value("one").await.as_deref(), Some("1"));
    assert_eq!(world.value("one").await, None, "nothing lands here");

    // what somebody edits there is put back at once
    there
        .edit(CM, "one", json!({ "data": { "key": "edited" } }))
        .await;
    world
        .until("the edit is undone", async || {
            (there.value("one").await.as_deref() == Some("1")).then_some(())
        })
        .await;

    // without the Secret nothing changes there, and with it all goes on
    world.delete(SECRET, "there").await;
    world.commit("b", &files[..1]).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    assert!(message.contains("secrets \"there\" not found"), "{message}");
    assert_eq!(there.value("two").await.as_deref(), Some("1"));
    world.put(kubeconfig).await;
    world.asked_to_reconcile("apps", "2").await;
    world.ready("apps", "b").await;
    assert_eq!(there.value("two").await, None);

    world.delete(KS, "apps").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(there.value("one").await, None, "deleted there");
}
