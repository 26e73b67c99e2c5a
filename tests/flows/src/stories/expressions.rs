//! Expressions that cannot be used stall their Kustomization, with the place of the mistake, until somebody edits it.

use super::prelude::*;

const TERMINAL: &str = "Reconciliation failed terminally due to configuration error: ";

pub async fn tell(world: &mut World) {
    world.start().await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    let broken = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "current": "data.key ==" }]);
    world
        .kustomization("syntax", json!({ "wait": true, "healthCheckExprs": broken }))
        .await;
    stalls(world, "syntax", "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Current: ").await;
    assert_eq!(world.get(CM, "one").await, None, "nothing is applied");

    world.kustomization("first", json!({})).await;
    for (name, expression) in [
        ("parse", "dep."),
        ("variable", "other.status == 'x'"),
        ("type", "'yes'"),
        ("number", "1 + 1"),
    ] {
        let depends = json!([{ "name": "first", "readyExpr": expression }]);
        world.kustomization(name, json!({ "dependsOn": depends })).await;
        stalls(
            world,
            name,
            "terminal error: failed to evaluate dependency first: ",
        )
        .await;
    }

    // the library of sets is Flux's
    let sets = "sets.contains(['a', 'b', 'c'], ['a']) && sets.intersects([1, 2], [2]) && sets.equivalent(['x', 'y'], ['y', 'x', 'x'])";
    world
        .kustomization(
            "sets",
            json!({ "dependsOn": [{ "name": "first", "readyExpr": sets }] }),
        )
        .await;
    world.ready("sets", "a").await;

    // a field that is not there (yet) is no mistake: it is tried again
    let later = json!([{ "name": "first", "readyExpr": "dep.metadata.labels['tested'] == 'yes'" }]);
    world.kustomization("later", json!({ "dependsOn": later })).await;
    let message = world.failed("later", "DependencyNotReady").await;
    assert!(
        message
            .starts_with("failed to evaluate the CEL expression 'dep.metadata.labels['tested'] == 'yes'': "),
        "{message}"
    );
    world
        .edit(
            KS,
            "first",
            json!({ "metadata": { "labels": { "tested": "yes" } } }),
        )
        .await;
    world.ready("later", "a").await;

    // mended, it goes on
    let good = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "current": "data.key == '1'" }]);
    world
        .kustomization("syntax", json!({ "wait": true, "healthCheckExprs": good }))
        .await;
    world.ready("syntax", "a").await;
}

async fn stalls(world: &World, name: &str, text: &str) {
    let message = world.failed(name, "InvalidCELExpression").await;
    assert!(message.starts_with(&format!("{TERMINAL}{text}")), "{message}");
    let ks = world.ks(name).await;
    assert_eq!(condition(&ks, "Stalled").1, "InvalidCELExpression");
    assert_eq!(
        ks.pointer("/status/observedGeneration"),
        ks.pointer("/metadata/generation")
    );
    let event = world.told(name, "configuration error").await;
    assert_eq!(event, format!("InvalidCELExpression: {message}"));
}
