//! Health is awaited by watch: what is ready costs nothing, what fails is known at once, what takes too long is named.

use super::prelude::*;
use sluice_devcluster::Config;

pub async fn tell(_: &mut World) {
    // nobody but this story says how objects are
    let config = Config {
        audit: true,
        simulate_workloads: false,
        ..Config::default()
    };
    let mut world = World::embedded_with(config).await;
    world.start().await;
    all_that_was_applied(&world).await;
    a_check_of_its_own(&world).await;
    what_is_listed(&world).await;
    by_expression(&world).await;
    world.stop().await;
}

/// The status of a Deployment of one Pod.
fn status(generation: i64, ready: i64) -> Value {
    let condition = |type_: &str, is_true: bool, reason: &str| {
        json!({
            "type": type_, "status": if is_true { "True" } else { "False" }, "reason": reason, "message": "",
            "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let progress = if ready == 1 {
        "NewReplicaSetAvailable"
    } else {
        "ReplicaSetUpdated"
    };
    json!({
        "observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [
            condition("Progressing", true, progress),
            condition("Available", ready == 1, "MinimumReplicasAvailable"),
        ],
    })
}

async fn all_that_was_applied(world: &World) {
    world
        .kustomization("apps", json!({ "wait": true, "timeout": "2m" }))
        .await;
    world
        .commit("a", &[("web.json", deployment("web", "example.com/app:1"))])
        .await;
    world
        .until("the wait is told", async || {
            let (status, reason, message) = condition(&world.ks("apps").await, "Healthy");
            let text = "Running health checks for revision main@sha1:a with a timeout of 2m0s";
            (status == "Unknown" && reason == "Progressing" && message == text).then_some(())
        })
        .await;
    assert_eq!(condition(&world.ks("apps").await, "Ready").0, "Unknown");
    world.report(DEPLOYMENT, "web", status(1, 1)).await;
    let ks = world.ready("apps", "a").await;
    let (_, reason, message) = condition(&ks, "Healthy");
    assert!(
        reason == "Succeeded" && message.starts_with("Health check passed in "),
        "{message}"
    );

    // a terminal failure is not waited for
    world
        .commit("b", &[("web.json", deployment("web", "example.com/app:2"))])
        .await;
    world
        .until("the new one is there", async || {
            (world
                .get(DEPLOYMENT, "web")
                .await?
                .pointer("/metadata/generation")?
                == 2)
                .then_some(())
        })
        .await;
    let mut failed = status(2, 0);
    failed["conditions"][0] = json!({ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"web-2\" has timed out progressing.", "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    world.report(DEPLOYMENT, "web", failed).await;
    let message = world.failed("apps", "HealthCheckFailed").await;
    let subject = format!("Deployment/{}/web", world.namespace);
    let failed = format!(": failed early due to stalled resources: [{subject} status: 'Failed']");
    assert!(
        message.starts_with("health check failed after ") && message.contains(&failed),
        "{message}"
    );
    assert!(
        message.contains("has timed out progressing"),
        "the cause follows: {message}"
    );
    let event = world.told("apps", "health check failed after").await;
    assert!(
        event.starts_with("HealthCheckFailed: health check failed after "),
        "{event}"
    );

    // and what only takes too long is named when the time is over
    world
        .commit("c", &[("web.json", deployment("web", "example.com/app:3"))])
        .await;
    let timeout = format!(": timeout waiting for: [{subject} status: 'InProgress'");
    world
        .until("the time is over", async || {
            let ready = condition(&world.ks("apps").await, "Ready");
            (ready.1 == "HealthCheckFailed" && ready.2.contains(&timeout)).then_some(())
        })
        .await;
    let ks = world.ks("apps").await;
    assert_eq!(ks["status"]["lastAppliedRevision"], "main@sha1:a");
    assert_eq!(ks["status"]["lastAttemptedRevision"], "main@sha1:c");
    world.delete(KS, "apps").await;
}

/// What was healthy before, what is switched off meanwhile: in the end the conditions say what is true.
async fn a_check_of_its_own(world: &World) {
    world
        .kustomization("slow", json!({ "wait": true, "timeout": "2m" }))
        .await;
    world
        .commit("s", &[("slow.json", deployment("slow", "example.com/app:1"))])
        .await;
    world
        .until("the Deployment is there", async || {
            world.get(DEPLOYMENT, "slow").await
        })
        .await;
    world.report(DEPLOYMENT, "slow", status(1, 1)).await;
    world.ready("slow", "s").await;

    // not ready for a while, at the revision that was healthy
    world.report(DEPLOYMENT, "slow", status(1, 0)).await;
    let request = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "1" } } });
    world.edit(KS, "slow", request).await;
    let is_told = async || (condition(&world.ks("slow").await, "Healthy").0 == "Unknown").then_some(());
    world.until("the wait is told", is_told).await;
    world.report(DEPLOYMENT, "slow", status(1, 1)).await;
    let ks = world.ready("slow", "s").await;
    assert_eq!(condition(&ks, "Healthy").0, "True");

    // switched off while it waits, it comes to its end
    world
        .commit("t", &[("slow.json", deployment("slow", "example.com/app:2"))])
        .await;
    world.until("the wait is told", is_told).await;
    world
        .kustomization("slow", json!({ "wait": true, "timeout": "2m", "suspend": true }))
        .await;
    world.report(DEPLOYMENT, "slow", status(2, 1)).await;
    let ks = world.ready("slow", "t").await;
    assert_eq!(condition(&ks, "Healthy").0, "True");
    assert_eq!(condition(&ks, "Reconciling").0, "");
    world
        .commit("u", &[("slow.json", deployment("slow", "example.com/app:3"))])
        .await;
    let ks = world.asked_to_reconcile("slow", "2").await;
    assert_eq!(ks["status"]["lastAppliedRevision"], "main@sha1:t");
    world.delete(KS, "slow").await;
}

/// `healthChecks` may name objects that others apply; without apiVersion it means `apps/v1`.
async fn what_is_listed(world: &World) {
    world.commit("d", &[("a.json", config_map("one", "1"))]).await;
    let checks = json!([{ "kind": "Deployment", "name": "theirs", "namespace": world.namespace }]);
    world
        .kustomization("listed", json!({ "healthChecks": checks, "timeout": "2m" }))
        .await;
    world
        .until("the wait is told", async || {
            (condition(&world.ks("listed").await, "Healthy").0 == "Unknown").then_some(())
        })
        .await;
    let mut theirs = deployment("theirs", "example.com/app:1");
    theirs["metadata"]["namespace"] = json!(world.namespace);
    world.put(theirs).await;
    world.report(DEPLOYMENT, "theirs", status(1, 1)).await;
    world.ready("listed", "d").await;
    world.kustomization("listed", json!({ "healthChecks": [] })).await;
    world
        .until("nothing is said of health", async || {
            (condition(&world.ks("listed").await, "Healthy").0.is_empty()).then_some(())
        })
        .await;
}

async fn by_expression(world: &World) {
    let expression = json!([{ "apiVersion": "v1", "kind": "ConfigMap",
        "current": "data.key == 'good'", "failed": "data.key == 'bad'", "inProgress": "data.key == 'soon'" }]);
    world
        .kustomization(
            "custom",
            json!({ "wait": true, "healthCheckExprs": expression, "timeout": "2m" }),
        )
        .await;
    world
        .commit("e", &[("a.json", config_map("custom", "good"))])
        .await;
    world.ready("custom", "e").await;

    // what was found by one expression says nothing about another, although no object moved
    let picky = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "current": "data.key == 'better'", "failed": "data.key == 'good'" }]);
    world
        .kustomization(
            "custom",
            json!({ "wait": true, "healthCheckExprs": picky, "timeout": "2m" }),
        )
        .await;
    world.failed("custom", "HealthCheckFailed").await;
    world
        .kustomization(
            "custom",
            json!({ "wait": true, "healthCheckExprs": expression, "timeout": "2m" }),
        )
        .await;
    world.ready("custom", "e").await;
    world
        .commit("f", &[("a.json", config_map("custom", "bad"))])
        .await;
    let message = world.failed("custom", "HealthCheckFailed").await;
    assert!(
        message.contains(&format!("ConfigMap/{}/custom status: 'Failed'", world.namespace)),
        "{message}"
    );
}
