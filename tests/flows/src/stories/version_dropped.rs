//! A definition serves a version no longer at which a kind was first applied: drift is seen at the one that it serves.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    let lamps = Lamps::new(world).await;
    let (old, new) = (lamps.old(), lamps.current());
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("lamp.json", lamp(old, "desk"))]).await;
    world.ready("apps", "a").await;
    // whoever applies it has moved on before; another, who comes after that, has not
    world.commit("b", &[("lamp.json", lamp(new, "desk"))]).await;
    world.ready("apps", "b").await;
    world
        .commit_to("late", "a", &[("lamp.json", lamp(old, "floor"))])
        .await;
    world
        .kustomization("late", json!({ "sourceRef": { "name": "late" } }))
        .await;
    world.ready("late", "a").await;

    lamps.drop_old(world).await;
    // a real server ends the watches of what it does not serve by itself
    if let Some(server) = world.server() {
        server.drop_watches(None);
    }
    world.edit(new, "desk", json!({ "spec": { "is": "off" } })).await;
    world
        .until("the lamp is on again", async || {
            (text(&world.get(new, "desk").await?, "/spec/is")? == "on").then_some(())
        })
        .await;
}
