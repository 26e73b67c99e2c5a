//! A kind is served in another version than before: what an inventory or a health check knows by the old one is found all
//! the same, and goes when it has to.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    let lamps = Lamps::new(world).await;
    let (old, current) = (lamps.old(), lamps.current());
    world.start().await;
    world.commit("a", &[("lamp.json", lamp(old, "desk"))]).await;
    world.kustomization("apps", json!({})).await;
    let ks = world.ready("apps", "a").await;
    assert_eq!(ks["status"]["inventory"]["entries"][0]["v"], "v1beta1");
    world
        .commit_to("bye", "a", &[("lamp.json", lamp(old, "floor"))])
        .await;
    world
        .kustomization("bye", json!({ "sourceRef": { "name": "bye" } }))
        .await;
    world.ready("bye", "a").await;

    lamps.drop_old(world).await;
    assert!(world.get(current, "desk").await.is_some());

    // who has asked in the old version hears that there is nothing
    world.delete(KS, "bye").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "bye").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.get(current, "floor").await, None);

    // and who asks for the first time, that there is no such version
    world.start().await;
    let checks =
        json!([{ "apiVersion": old.0, "kind": old.1, "name": "desk", "namespace": world.namespace }]);
    world
        .commit_to("looks", "a", &[("one.json", config_map("one", "1"))])
        .await;
    world
        .kustomization(
            "looks",
            json!({ "sourceRef": { "name": "looks" }, "healthChecks": checks }),
        )
        .await;
    world.ready("looks", "a").await;
    world.commit("b", &[("two.json", config_map("two", "1"))]).await;
    world.ready("apps", "b").await;
    assert_eq!(world.get(current, "desk").await, None);
    let event = world.told("apps", "deleted").await;
    assert_eq!(
        event,
        format!("Progressing: Lamp/{}/desk deleted", world.namespace)
    );
}
