//! A CustomResourceDefinition and an object of that kind in one commit, and both gone in another.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    // each world has a group of its own: a real server is shared
    let group = format!("{}.example.com", world.namespace);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("lamps.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced", "names": { "kind": "Lamp", "plural": "lamps", "singular": "lamp" },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    });
    let api_version = format!("{group}/v1");
    let lamp = json!({ "apiVersion": api_version, "kind": "Lamp", "metadata": { "name": "desk" }, "spec": { "is": "on" } });
    let kind = (api_version.as_str(), "Lamp");

    world.kustomization("apps", json!({ "wait": true })).await;
    // alone, the object cannot be: the message says what is missing
    world.commit("a", &[("lamp.json", lamp.clone())]).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let no_match = format!(
        "Lamp/{}/desk dry-run failed: no matches for kind \"Lamp\" in version \"{api_version}\" (lamp.json:1); install the CustomResourceDefinition",
        world.namespace,
    );
    assert!(message.starts_with(&no_match), "{message}");

    world
        .commit(
            "b",
            &[("lamp.json", lamp.clone()), ("definition.json", definition)],
        )
        .await;
    world.ready("apps", "b").await;
    assert_eq!(
        text(&world.get(kind, "desk").await.unwrap(), "/spec/is").as_deref(),
        Some("on")
    );

    // drift of a kind that did not exist when the process started is seen too
    world.edit(kind, "desk", json!({ "spec": { "is": "off" } })).await;
    world
        .until("the lamp is on again", async || {
            (text(&world.get(kind, "desk").await?, "/spec/is")? == "on").then_some(())
        })
        .await;

    world.commit("c", &[]).await;
    world.ready("apps", "c").await;
    assert_eq!(world.get(kind, "desk").await, None);
    let definitions = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let name = format!("lamps.{group}");
    world
        .until("the definition is gone", async || {
            world.get(definitions, &name).await.is_none().then_some(())
        })
        .await;
}
