//! A controller of one shard: what its Kustomizations depend on may belong to another.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world
        .start_with(|settings| settings.watch_label_selector = Some("shard=ours".to_owned()))
        .await;
    world.commit("a", &[("one.json", config_map("one", "1"))]).await;
    world.kustomization("theirs", json!({})).await;
    world
        .kustomization("user", json!({ "dependsOn": [{ "name": "theirs" }] }))
        .await;
    let label = json!({ "metadata": { "labels": { "shard": "ours" } } });
    world.edit(KS, "user", label).await;
    let message = world.failed("user", "DependencyNotReady").await;
    assert_eq!(
        message,
        format!("dependency '{}/theirs' is not ready", world.namespace)
    );

    // the controller of the other shard says so
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status =
        json!({ "observedGeneration": 1, "lastAppliedRevision": "main@sha1:a", "conditions": [ready] });
    world.report(KS, "theirs", status).await;
    world.ready("user", "a").await;
    assert_eq!(world.ks("theirs").await.pointer("/metadata/finalizers"), None);
}
