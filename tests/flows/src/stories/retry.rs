//! What cannot be applied is tried again in its own time, not whenever one of its objects moves.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;
    let bad = ("b.json", config_map("Bad_Name", "1"));
    world
        .commit("b", &[("a.json", config_map("one", "1")), bad])
        .await;
    world.failed("apps", "ReconciliationFailed").await;
    let before = world.files.renders();
    for round in 0..5 {
        let edit = json!({ "data": { "key": format!("edit-{round}") } });
        world.edit(CM, "one", edit).await;
    }
    let ks = world.asked_to_reconcile("apps", "1").await;
    assert_eq!(
        ks.pointer("/status/history/0/totalReconciliations"),
        Some(&json!(2))
    );
    assert_eq!(world.files.renders(), before + 1, "the one that was asked for");

    // what is held back goes on waiting for its source; the other's drift comes after its own
    let of_other = json!({ "sourceRef": { "kind": "GitRepository", "name": "other" } });
    world.kustomization("other", of_other).await;
    world
        .commit_to("other", "a", &[("a.json", config_map("two", "1"))])
        .await;
    world.ready("other", "a").await;
    for name in ["one", "two"] {
        world.edit(CM, name, json!({ "data": { "key": "edited" } })).await;
    }
    world
        .until("the other's is put back", async || {
            (world.value("two").await? == "1").then_some(())
        })
        .await;
    assert_eq!(world.value("one").await.as_deref(), Some("edited"));

    // a new revision is not waited for
    world.commit("c", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "c").await;
    assert_eq!(world.value("one").await.as_deref(), Some("1"));
}
