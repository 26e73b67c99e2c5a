//! Objects that live in no namespace, committed with one: the API server ignores it, and so does what is owned, watched and
//! pruned. Flux's inventory names them as the server does.

use super::prelude::*;
use sluice_apply::cluster::{Cluster, Identity};
use sluice_object::{GroupVersionKind, ObjectId};

const ROLE: (&str, &str) = ("rbac.authorization.k8s.io/v1", "ClusterRole");

fn role(name: &str, namespace: Option<&str>) -> Value {
    let mut role = json!({
        "apiVersion": ROLE.0, "kind": ROLE.1, "metadata": { "name": name },
        "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"] }],
    });
    if let Some(namespace) = namespace {
        role["metadata"]["namespace"] = json!(namespace);
    }
    role
}

pub async fn tell(world: &mut World) {
    let name = &format!("{}-reader", world.namespace);
    let group = &format!("{}.example.com", world.namespace);
    let entry = |namespace: &str| json!({ "id": format!("{namespace}_{name}_rbac.authorization.k8s.io_ClusterRole"), "v": "v1" });
    // what Flux left
    let mut theirs = role(name, None);
    theirs["metadata"]["labels"] = json!({
        "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": world.namespace,
    });
    let theirs = world.put_as("kustomize-controller", theirs).await;
    let files = [("role.json", role(name, Some("somewhere")))];
    world.commit("a", &files).await;
    world.kustomization("apps", json!({})).await;
    let inventory_of = |namespace: &str| json!({ "inventory": { "entries": [entry(namespace)] } });
    world.report(KS, "apps", inventory_of("")).await;

    world.start().await;
    let ks = world.ready("apps", "a").await;
    let uid = async || Some(text(&world.get(ROLE, name).await?, "/metadata/uid").unwrap());
    assert_eq!(uid().await, text(&theirs, "/metadata/uid"), "the same object");
    assert_eq!(ks["status"]["inventory"], json!({ "entries": [entry("")] }));

    // it is watched under the name that it has
    world.edit(ROLE, name, json!({ "rules": [] })).await;
    world
        .until("the rules are put back", async || {
            let role = world.get(ROLE, name).await?;
            (role.pointer("/rules/0").is_some()).then_some(())
        })
        .await;

    // the same of a kind that comes with its definition
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("planets.{group}") },
        "spec": {
            "group": group, "scope": "Cluster",
            "names": { "kind": "Planet", "plural": "planets", "singular": "planet", "listKind": "PlanetList" },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
        },
    });
    let planet = json!({
        "apiVersion": format!("{group}/v1"), "kind": "Planet", "metadata": { "name": "earth", "namespace": "somewhere" },
    });
    let files = [
        ("definition.json", definition),
        ("planet.json", planet),
        ("role.json", role(name, Some("somewhere"))),
    ];
    world.commit("b", &files).await;
    let ks = world.ready("apps", "b").await;
    let earth = ObjectId {
        gvk: GroupVersionKind::new(&format!("{group}/v1"), "Planet"),
        namespace: None,
        name: "earth".to_owned(),
    };
    let find = async || world.cluster.get(&Identity::AsController, &earth).await.unwrap();
    assert!(find().await.is_some());
    let owned = inventory(&ks);
    assert!(owned.contains(&format!("_earth_{group}_Planet")), "{owned:?}");

    // an inventory that names it otherwise names the same object
    world.stop().await;
    world.report(KS, "apps", inventory_of("somewhere")).await;
    world.start().await;
    world.asked_to_reconcile("apps", "otherwise").await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(inventory(&ks), owned);
    let uid = text(&world.get(ROLE, name).await.unwrap(), "/metadata/uid");
    assert_eq!(uid, text(&theirs, "/metadata/uid"), "still the same object");
    let events = world.events("apps").await;
    assert!(
        !events.iter().any(|event| event.contains("deleted")),
        "{events:?}"
    );

    // and what is no longer wanted goes
    world.commit("c", &[("one.json", config_map("one", "1"))]).await;
    world.ready("apps", "c").await;
    assert_eq!(world.get(ROLE, name).await, None);
}
