//! A Kustomization can always be deleted, whatever went before it: account, rights, source, definition, namespace.

use super::prelude::*;
use super::tenant::{rights, with_roles};

const LAMPS: &str = "lamps.example.com";

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": LAMPS },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "kind": "Lamp", "plural": "lamps", "singular": "lamp" },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
        },
    })
}

/// What may be missing, by kind and name.
const PARTS: [((&str, &str), &str); 5] = [
    (("v1", "ServiceAccount"), "deployer"),
    (("rbac.authorization.k8s.io/v1", "RoleBinding"), "deployer"),
    (GIT, "src"),
    (("apiextensions.k8s.io/v1", "CustomResourceDefinition"), LAMPS),
    (NAMESPACE, ""),
];

pub async fn tell(world: &mut World) {
    if world.server().is_none() {
        // it has one namespace, which ends once: all but that goes first
        return one(world, (1 << (PARTS.len() - 1)) - 1).await;
    }
    // each subset goes before the Kustomization, the rest after it
    for before in 0..1u32 << PARTS.len() {
        let mut world = with_roles().await;
        one(&mut world, before).await;
        world.stop().await;
    }
}

async fn one(world: &mut World, before: u32) {
    for object in rights(world).into_iter().chain([definition()]) {
        world.put(object).await;
    }
    let lamp = json!({ "apiVersion": "example.com/v1", "kind": "Lamp", "metadata": { "name": "desk" } });
    world
        .until("lamps are served", async || {
            world.list(("example.com/v1", "Lamp"), "").await
        })
        .await;
    world.start().await;
    world
        .kustomization("apps", json!({ "serviceAccountName": "deployer" }))
        .await;
    world
        .commit("a", &[("a.json", config_map("one", "1")), ("b.json", lamp)])
        .await;
    world.ready("apps", "a").await;

    let gone = (0..PARTS.len()).filter(|part| before & 1 << part != 0);
    for part in gone {
        remove(world, part).await;
    }
    if world.get(KS, "apps").await.is_some() {
        world.delete(KS, "apps").await;
    }
    for part in (0..PARTS.len()).filter(|part| before & 1 << part == 0) {
        remove(world, part).await;
    }
    let what = format!("the Kustomization is gone (parts {before:05b} went first)");
    world
        .until(&what, async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
}

async fn remove(world: &World, part: usize) {
    let (kind, name) = PARTS[part];
    let name = if name.is_empty() { &world.namespace } else { name };
    world.delete(kind, name).await;
}
