//! A definition serves a version no longer at which a kind was first applied: drift is seen at the one that is applied now.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    let group = format!("{}.example.com", world.namespace);
    let definition = |is_old_served: bool| {
        let version = |name: &str, is_served: bool| {
            json!({
                "name": name, "served": is_served, "storage": name == "v1",
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            })
        };
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("lamps.{group}") },
            "spec": {
                "group": group, "scope": "Namespaced", "names": { "kind": "Lamp", "plural": "lamps", "singular": "lamp" },
                "versions": [version("v1", true), version("v1beta1", is_old_served)],
            },
        })
    };
    let (old, new) = (format!("{group}/v1beta1"), format!("{group}/v1"));
    let (old, new) = ((old.as_str(), "Lamp"), (new.as_str(), "Lamp"));
    let lamp = |(api_version, kind): (&str, &str)| json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "desk" }, "spec": { "is": "on" } });
    world.put(definition(true)).await;
    for kind in [old, new] {
        world
            .until("the kind is served", async || world.list(kind, "").await)
            .await;
    }
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("lamp.json", lamp(old))]).await;
    world.ready("apps", "a").await;
    // whoever applies it has moved on before
    world.commit("b", &[("lamp.json", lamp(new))]).await;
    world.ready("apps", "b").await;

    world.put(definition(false)).await;
    world
        .until("the old version is gone", async || {
            world.list(old, "").await.is_none().then_some(())
        })
        .await;
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
