//! Somebody edits, or deletes, what was applied: it is put back at once.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;

    world
        .edit(
            CM,
            "one",
            json!({ "data": { "key": "edited", "other": "added" } }),
        )
        .await;
    world
        .until("the edit is undone", async || {
            (world.get(CM, "one").await?["data"] == json!({ "key": "1" })).then_some(())
        })
        .await;
    let event = world.told("apps", "configured").await;
    assert_eq!(
        event,
        format!("Progressing: ConfigMap/{}/one configured", world.namespace)
    );

    world.delete(CM, "one").await;
    world
        .until("the object is back", async || world.value("one").await)
        .await;

    // a field that another controller owns, and the source says nothing about, is no drift
    let scaled =
        json!({ "metadata": { "annotations": { "autoscaler": "was here" } }, "data": { "more": "x" } });
    world
        .merge("autoscaler", &world.id_of(CM, "one"), scaled, None)
        .await;
    world.asked_to_reconcile("apps", "1").await;
    assert_eq!(
        text(&world.get(CM, "one").await.unwrap(), "/data/more").as_deref(),
        Some("x")
    );

    // and the object says itself that it is to be left alone
    let off = json!({ "metadata": { "annotations": { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" } }, "data": { "key": "mine" } });
    world.merge("somebody", &world.id_of(CM, "one"), off, None).await;
    world.asked_to_reconcile("apps", "2").await;
    assert_eq!(world.value("one").await.as_deref(), Some("mine"));
}
