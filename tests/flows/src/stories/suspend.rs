//! Suspended, nothing happens but the answer to a request; resumed, everything is caught up with.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;

    world.kustomization("apps", json!({ "suspend": true })).await;
    let ks = world.asked_to_reconcile("apps", "1").await;
    assert_eq!(condition(&ks, "Ready").0, "True", "what was true stays");
    world.commit("b", &[("a.json", config_map("one", "2"))]).await;
    world
        .edit(CM, "one", json!({ "data": { "key": "edited" } }))
        .await;
    let ks = world.asked_to_reconcile("apps", "2").await;
    assert_eq!(ks["status"]["lastAppliedRevision"], "main@sha1:a");
    assert_eq!(
        world.value("one").await.as_deref(),
        Some("edited"),
        "drift is left alone too"
    );

    world.kustomization("apps", json!({ "suspend": false })).await;
    world.ready("apps", "b").await;
    assert_eq!(world.value("one").await.as_deref(), Some("2"));

    // deleted while suspended, it leaves its objects behind
    world.kustomization("apps", json!({ "suspend": true })).await;
    world.delete(KS, "apps").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.value("one").await.as_deref(), Some("2"));
}
