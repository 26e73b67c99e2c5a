//! `spec.ignore`: fields that others manage are created with the object and left alone ever after.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    let rule = json!([{ "paths": ["/data/key"], "target": { "kind": "ConfigMap", "name": "one" } }]);
    world.kustomization("apps", json!({ "ignore": rule })).await;
    let mut one = config_map("one", "first");
    one["data"]["other"] = json!("1");
    world.commit("a", &[("a.json", one.clone())]).await;
    world.ready("apps", "a").await;
    assert_eq!(
        world.value("one").await.as_deref(),
        Some("first"),
        "created with everything"
    );

    world
        .merge(
            "tuner",
            &world.id_of(CM, "one"),
            json!({ "data": { "key": "tuned" } }),
            None,
        )
        .await;
    world.asked_to_reconcile("apps", "1").await;
    assert_eq!(world.value("one").await.as_deref(), Some("tuned"), "no drift");

    // another field changes in the source: it is applied, the ignored one is not
    one["data"] = json!({ "key": "second", "other": "2" });
    world.commit("b", &[("a.json", one)]).await;
    world.ready("apps", "b").await;
    let live = world.get(CM, "one").await.unwrap();
    assert_eq!(live["data"], json!({ "key": "tuned", "other": "2" }));

    // an object the target does not match is watched as ever
    world
        .commit(
            "c",
            &[
                ("a.json", config_map("one", "x")),
                ("b.json", config_map("two", "1")),
            ],
        )
        .await;
    world.ready("apps", "c").await;
    world
        .edit(CM, "two", json!({ "data": { "key": "edited" } }))
        .await;
    world
        .until("the edit is undone", async || {
            (world.value("two").await? == "1").then_some(())
        })
        .await;
}
