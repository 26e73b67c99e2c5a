//! Kustomizations that wait for each other: woken by events, in order, and told where they wait in a circle.

use super::prelude::*;

/// A Kustomization that applies an object of its own, out of the source that all share.
async fn applies(world: &World, name: &str, mut spec: Value) {
    spec["postBuild"] = json!({ "substitute": { "who": name } });
    world.kustomization(name, spec).await;
}

pub async fn tell(world: &mut World) {
    // nothing here happens because it was looked at again after a while
    let day = std::time::Duration::from_secs(24 * 3600);
    world
        .start_with(|settings| settings.requeue_dependency = day)
        .await;
    world
        .commit("a", &[("one.json", config_map("${who}", "1"))])
        .await;
    applies(world, "third", json!({ "dependsOn": [{ "name": "second" }] })).await;
    applies(world, "second", json!({ "dependsOn": [{ "name": "first" }] })).await;
    let message = world.failed("second", "DependencyNotReady").await;
    let missing = format!(
        "dependency '{}/first' not found: kustomizations.kustomize.toolkit.fluxcd.io \"first\" not found",
        world.namespace,
    );
    assert_eq!(message, missing);
    let event = world.told("second", "Dependencies").await;
    assert_eq!(
        event,
        "DependencyNotReady: Dependencies do not meet ready condition, retrying in 24h0m0s"
    );
    applies(world, "first", json!({})).await;
    world.ready("third", "a").await;

    // a commit to the shared source goes through the chain: each waits until the one before has applied it
    world
        .commit("b", &[("one.json", config_map("${who}", "2"))])
        .await;
    let third = world.ready("third", "b").await;
    let applied = |ks: &Value| text(ks, "/status/lastAppliedRevision");
    assert_eq!(applied(&world.ks("first").await), applied(&third));

    come_back(world).await;
    by_expression(world).await;
    in_a_circle(world).await;
}

/// What was missing comes back as it was: nothing is applied anew, but Ready says again what is true.
async fn come_back(world: &mut World) {
    applies(world, "first", json!({ "path": "./nowhere" })).await;
    world.failed("first", "ArtifactFailed").await;
    let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "1" } } });
    world.edit(KS, "second", patch).await;
    world.failed("second", "DependencyNotReady").await;
    applies(world, "first", json!({ "path": "./" })).await;
    world.ready("first", "b").await;
    world.ready("second", "b").await;

    world.delete(GIT, "src").await;
    let message = world.failed("first", "ArtifactFailed").await;
    assert_eq!(
        message,
        "GitRepository.source.toolkit.fluxcd.io \"src\" not found"
    );
    world
        .commit("b", &[("one.json", config_map("${who}", "2"))])
        .await;
    for name in ["first", "second", "third"] {
        world.ready(name, "b").await;
    }
}

/// `readyExpr` decides instead of the built-in checks; it sees both objects.
async fn by_expression(world: &mut World) {
    let ready = "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') \
                 && dep.metadata.labels['version'] == self.metadata.labels['version']";
    applies(
        world,
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

    // it may look at itself, too
    let own = "self.metadata.labels['version'] == '3'";
    applies(
        world,
        "picky",
        json!({ "dependsOn": [{ "name": "first", "readyExpr": own }] }),
    )
    .await;
    world.failed("picky", "DependencyNotReady").await;
    world
        .edit(
            KS,
            "picky",
            json!({ "metadata": { "labels": { "version": "3" } } }),
        )
        .await;
    world.ready("picky", "b").await;
}

/// Flux lets both wait for ever; here the circle is named.
async fn in_a_circle(world: &mut World) {
    applies(world, "egg", json!({ "dependsOn": [{ "name": "hen" }] })).await;
    applies(world, "hen", json!({ "dependsOn": [{ "name": "egg" }] })).await;
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
    applies(world, "hen", json!({ "dependsOn": [] })).await;
    world.ready("egg", "b").await;
}
