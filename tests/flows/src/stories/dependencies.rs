//! Kustomizations that wait for each other: woken by events, in order, and told where they wait in a circle.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.commit("a", &[("one.json", config_map("one", "1"))]).await;
    world
        .kustomization("third", json!({ "dependsOn": [{ "name": "second" }] }))
        .await;
    world
        .kustomization("second", json!({ "dependsOn": [{ "name": "first" }] }))
        .await;
    let message = world.failed("second", "DependencyNotReady").await;
    let missing = format!(
        "dependency '{}/first' not found: kustomizations.kustomize.toolkit.fluxcd.io \"first\" not found",
        world.namespace,
    );
    assert_eq!(message, missing);
    let event = world.told("second", "Dependencies").await;
    assert_eq!(
        event,
        "DependencyNotReady: Dependencies do not meet ready condition, retrying in 30s"
    );
    world.kustomization("first", json!({})).await;
    world.ready("third", "a").await;

    // a commit to the shared source goes through the chain: each waits until the one before has applied it
    world.commit("b", &[("one.json", config_map("one", "2"))]).await;
    let third = world.ready("third", "b").await;
    let applied = |ks: &Value| text(ks, "/status/lastAppliedRevision");
    assert_eq!(applied(&world.ks("first").await), applied(&third));

    by_expression(world).await;
    in_a_circle(world).await;
}

/// `readyExpr` decides instead of the built-in checks; it sees both objects.
async fn by_expression(world: &mut World) {
    let ready = "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') \
                 && dep.metadata.labels['version'] == self.metadata.labels['version']";
    world
        .kustomization(
            "picky",
            json!({ "dependsOn": [{ "name": "first", "readyExpr": ready }] }),
        )
        .await;
    world
        .edit(
            KS,
            "picky",
            json!({ "metadata": { "labels": { "version": "2" } } }),
        )
        .await;
    world
        .edit(
            KS,
            "first",
            json!({ "metadata": { "labels": { "version": "1" } } }),
        )
        .await;
    let message = world.failed("picky", "DependencyNotReady").await;
    let no = format!(
        "dependency '{}/first' is not ready according to readyExpr eval",
        world.namespace
    );
    world
        .until(&format!("{no}, not {message}"), async || {
            (condition(&world.ks("picky").await, "Ready").2 == no).then_some(())
        })
        .await;
    world
        .edit(
            KS,
            "first",
            json!({ "metadata": { "labels": { "version": "2" } } }),
        )
        .await;
    world.ready("picky", "b").await;
}

/// Flux lets both wait for ever; here the circle is named.
async fn in_a_circle(world: &mut World) {
    world
        .kustomization("egg", json!({ "dependsOn": [{ "name": "hen" }] }))
        .await;
    world
        .kustomization("hen", json!({ "dependsOn": [{ "name": "egg" }] }))
        .await;
    let circle = format!(
        "dependency '{0}/hen' is not ready; circular dependencies: [[{0}/egg {0}/hen]]",
        world.namespace
    );
    world
        .until("the circle is named", async || {
            let ready = condition(&world.ks("egg").await, "Ready");
            ready.2.starts_with(&circle).then_some(())
        })
        .await;
    world.kustomization("hen", json!({ "dependsOn": [] })).await;
    world.ready("egg", "b").await;
}
