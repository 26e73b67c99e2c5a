//! What a client that asks and waits as `flux reconcile` does gets to see.

use super::prelude::*;

/// kstatus of a custom resource, as the client computes it.
fn kstatus(object: &Value) -> &'static str {
    let is = |type_: &str| condition(object, type_).0 == "True";
    let observed = object.pointer("/status/observedGeneration");
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return "Terminating";
    }
    if observed.is_some() && observed != object.pointer("/metadata/generation") || is("Reconciling") {
        return "InProgress";
    }
    match condition(object, "Ready").0.as_str() {
        _ if is("Stalled") => "Failed",
        "False" | "Unknown" => "InProgress",
        _ => "Current",
    }
}

/// Annotates, then waits until the request is handled and the object is at rest: what the client prints in the end.
async fn reconcile(world: &World, token: &str) -> Result<String, String> {
    let before = text(&world.ks("apps").await, "/status/lastHandledReconcileAt");
    let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": token } } });
    world.merge("flux", &world.id_of(KS, "apps"), patch, None).await;
    let ks = world
        .until("the reconcile is over", async || {
            let ks = world.ks("apps").await;
            let is_handled = text(&ks, "/status/lastHandledReconcileAt") != before;
            // the client goes on waiting while Ready is False without Stalled; here the message is what is looked at
            let is_over = kstatus(&ks) != "InProgress" || condition(&ks, "Ready").0 == "False";
            (is_handled && is_over).then_some(ks)
        })
        .await;
    match (kstatus(&ks), condition(&ks, "Ready")) {
        ("Current", (status, ..)) if status == "True" => Ok(format!(
            "applied revision {}",
            text(&ks, "/status/lastAppliedRevision").unwrap()
        )),
        (kstatus, (_, _, message)) => Err(format!("{kstatus}: {message}")),
    }
}

pub async fn tell(world: &mut World) {
    world.kustomization("apps", json!({})).await;
    let untouched = world.ks("apps").await;
    assert_eq!(
        untouched["status"],
        json!({ "observedGeneration": -1 }),
        "as no controller has seen it"
    );
    assert_eq!(kstatus(&untouched), "InProgress");

    world.start().await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;
    assert_eq!(
        reconcile(world, "2026-01-01T00:00:00.000000001Z").await.unwrap(),
        "applied revision main@sha1:a"
    );
    // asked again while nothing changed, it answers again: any other text will do
    assert_eq!(
        reconcile(world, "again").await.unwrap(),
        "applied revision main@sha1:a"
    );

    world
        .commit("b", &[("a.json", config_map("Bad_Name", "1"))])
        .await;
    world.failed("apps", "ReconciliationFailed").await;
    let error = reconcile(world, "failing").await.unwrap_err();
    assert!(
        error.starts_with("InProgress: ConfigMap/"),
        "a failure that is tried again is in progress: {error}"
    );

    // a new generation is not observed before it has been applied
    world.kustomization("apps", json!({ "path": "./" })).await;
    let ks = world.asked_to_reconcile("apps", "next").await;
    assert_ne!(
        ks.pointer("/status/observedGeneration"),
        ks.pointer("/metadata/generation")
    );
    world.commit("c", &[("a.json", config_map("one", "2"))]).await;
    let ks = world.ready("apps", "c").await;
    assert_eq!(kstatus(&ks), "Current");
    assert_eq!(
        ks.pointer("/status/observedGeneration"),
        ks.pointer("/metadata/generation")
    );
    for condition in ks.pointer("/status/conditions").unwrap().as_array().unwrap() {
        assert!(
            condition["observedGeneration"].is_i64() && condition["lastTransitionTime"].is_string(),
            "{condition}"
        );
    }

    // stalled is failed, at once
    let broken = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "current": "(" }]);
    world
        .kustomization("apps", json!({ "wait": true, "healthCheckExprs": broken }))
        .await;
    world.failed("apps", "InvalidCELExpression").await;
    let error = reconcile(world, "stalled").await.unwrap_err();
    assert!(error.starts_with("Failed: "), "{error}");
}
