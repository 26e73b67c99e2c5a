//! Variables from ConfigMaps and Secrets: optional or not, there or late, and changed without any label on them.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    let from = json!([
        { "kind": "ConfigMap", "name": "defaults" },
        { "kind": "Secret", "name": "override", "optional": true },
    ]);
    let spec = json!({ "postBuild": { "substitute": { "inline": "i" }, "substituteFrom": from } });
    world.kustomization("apps", spec).await;
    world
        .commit("a", &[("a.json", config_map("one", "${key}-${inline}"))])
        .await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(
        message.contains("substitute from 'ConfigMap/defaults' error: configmaps \"defaults\" not found"),
        "{message}"
    );

    // it comes late: the Kustomization is woken, long before its retry interval
    world.put(config_map("defaults", "1\n")).await;
    world.ready("apps", "a").await;
    assert_eq!(
        world.value("one").await.as_deref(),
        Some("1-i"),
        "line breaks go, as in Flux"
    );
    has(world, "2-i", config_map("defaults", "2")).await;

    // the optional one appears, and wins because it comes later
    let secret = |value: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "override" }, "stringData": { "key": value } });
    has(world, "s-i", secret("s")).await;
    has(world, "t-i", secret("t")).await;
    world.delete(SECRET, "override").await;
    world
        .until("the default is back", async || {
            (world.value("one").await? == "2-i").then_some(())
        })
        .await;

    // what nobody reads wakes nobody
    let before = world.files.renders();
    world.put(config_map("unrelated", "1")).await;
    world.asked_to_reconcile("apps", "1").await;
    assert_eq!(world.files.renders(), before, "nothing that was read has changed");

    // the API server quotes what it refuses: nobody is told what a Secret says
    world.put(secret("Not_A_Name")).await;
    world.commit("b", &[("a.json", config_map("${key}", "1"))]).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    assert!(message.contains("Invalid value: \"*****\""), "{message}");
    let told = world.told("apps", "Invalid value: ").await;
    assert!(!(message + &told).contains("Not_A_Name"), "{told}");
}

async fn has(world: &World, expected: &str, variables: Value) {
    world.put(variables).await;
    world
        .until(expected, async || {
            (world.value("one").await? == expected).then_some(())
        })
        .await;
}
