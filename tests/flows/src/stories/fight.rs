//! Another controller keeps changing a field: it is named, told of once, and not fought at full speed.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "ours"))]).await;
    world.ready("apps", "a").await;
    for round in 0..4 {
        let theirs = json!({ "data": { "key": format!("theirs-{round}") } });
        world
            .merge("stubborn", &world.id_of(CM, "one"), theirs, None)
            .await;
        world
            .until("it is put back", async || {
                (world.value("one").await? == "ours").then_some(())
            })
            .await;
    }
    let event = world.told("apps", "keeps being changed").await;
    let expected = format!(
        "DriftDamped: ConfigMap/{}/one keeps being changed by stubborn; ",
        world.namespace
    );
    assert!(event.starts_with(&expected), "{event}");

    // the next round waits; it is put back in the end, and nobody is told a second time
    world
        .merge(
            "stubborn",
            &world.id_of(CM, "one"),
            json!({ "data": { "key": "again" } }),
            None,
        )
        .await;
    world
        .until("it is put back", async || {
            (world.value("one").await? == "ours").then_some(())
        })
        .await;
    let told = world.events("apps").await;
    assert_eq!(
        told.iter()
            .filter(|event| event.contains("keeps being changed"))
            .count(),
        1,
        "{told:?}"
    );

    // a new commit is no round of the fight
    world
        .merge(
            "stubborn",
            &world.id_of(CM, "one"),
            json!({ "data": { "key": "again" } }),
            None,
        )
        .await;
    world.commit("b", &[("a.json", config_map("one", "new"))]).await;
    world.ready("apps", "b").await;
    assert_eq!(world.value("one").await.as_deref(), Some("new"));
}
