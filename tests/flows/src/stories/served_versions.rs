//! A kind is served in another version than before: what an inventory or a health check knows by the old one is found all
//! the same, and goes when it has to.

use super::prelude::*;

fn definition(group: &str, is_old_served: bool) -> Value {
    let version = |name: &str, is_served: bool, is_stored: bool| {
        json!({
            "name": name, "served": is_served, "storage": is_stored,
            "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("lamps.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced", "names": { "kind": "Lamp", "plural": "lamps", "singular": "lamp" },
            "versions": [version("v1", is_old_served, false), version("v2", true, true)],
        },
    })
}

pub async fn tell(world: &mut World) {
    let group = format!("{}.example.com", world.namespace);
    let (old, new) = (format!("{group}/v1"), format!("{group}/v2"));
    let (old_kind, kind) = ((old.as_str(), "Lamp"), (new.as_str(), "Lamp"));
    let lamp = |name: &str| json!({ "apiVersion": old, "kind": "Lamp", "metadata": { "name": name } });
    world.put(definition(&group, true)).await;
    world
        .until("both versions are served", async || {
            world.list(old_kind, "").await?;
            world.list(kind, "").await
        })
        .await;
    world.start().await;
    world.commit("a", &[("lamp.json", lamp("desk"))]).await;
    world.kustomization("apps", json!({})).await;
    let ks = world.ready("apps", "a").await;
    assert_eq!(ks["status"]["inventory"]["entries"][0]["v"], "v1");
    world.commit_to("bye", "a", &[("lamp.json", lamp("floor"))]).await;
    world
        .kustomization("bye", json!({ "sourceRef": { "name": "bye" } }))
        .await;
    world.ready("bye", "a").await;

    world.put(definition(&group, false)).await;
    world
        .until("the old version is not served", async || {
            world.list(old_kind, "").await.is_none().then_some(())
        })
        .await;
    assert!(world.get(kind, "desk").await.is_some());

    // who has asked in the old version hears that there is nothing
    world.delete(KS, "bye").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "bye").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.get(kind, "floor").await, None);

    // and who asks for the first time, that there is no such version
    world.start().await;
    let checks = json!([{ "apiVersion": old, "kind": "Lamp", "name": "desk", "namespace": world.namespace }]);
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
    assert_eq!(world.get(kind, "desk").await, None);
    let event = world.told("apps", "deleted").await;
    assert_eq!(
        event,
        format!("Progressing: Lamp/{}/desk deleted", world.namespace)
    );
}
