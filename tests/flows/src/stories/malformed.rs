//! One object that cannot be read does not stop the others of its kind.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    // the schema accepts what no clock can count
    world
        .kustomization("bad", json!({ "interval": "99999999999h" }))
        .await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;
    let message = world.failed("bad", "InvalidSpec").await;
    assert!(message.contains("99999999999h"), "{message}");
    assert_eq!(condition(&world.ks("bad").await, "Stalled").0, "True");

    // a restart meets it again, and so does whoever comes after
    world.start().await;
    world.commit("b", &[("a.json", config_map("one", "2"))]).await;
    world.ready("apps", "b").await;

    world
        .kustomization("bad", json!({ "interval": "1h", "path": "./" }))
        .await;
    world.ready("bad", "b").await;

    // it can be deleted like any other, and takes with it what it applied
    world
        .commit_to("own", "a", &[("own.json", config_map("own", "1"))])
        .await;
    let source = json!({ "kind": "GitRepository", "name": "own" });
    world.kustomization("lost", json!({ "sourceRef": source })).await;
    world.ready("lost", "a").await;
    world
        .kustomization("lost", json!({ "sourceRef": source, "interval": "99999999999h" }))
        .await;
    world.failed("lost", "InvalidSpec").await;
    world.delete(KS, "lost").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "lost").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.value("own").await, None);
}
