//! A namespace is full: the object is refused, and the message names quota and object.

use super::prelude::*;
use sluice_devcluster::{Admission, Verdict};

const QUOTA: (&str, &str) = ("v1", "ResourceQuota");

/// What the API server says of `two` where the namespace has room for `count` ConfigMaps.
fn full(count: usize) -> String {
    format!(
        "configmaps \"two\" is forbidden: exceeded quota: small, requested: count/configmaps=1, \
         used: count/configmaps={count}, limited: count/configmaps={count}"
    )
}

/// Gives the namespace room for so many ConfigMaps, and waits until the API server counts them.
async fn room(world: &World, count: usize) {
    world
        .put(json!({
            "apiVersion": QUOTA.0, "kind": QUOTA.1, "metadata": { "name": "small" },
            "spec": { "hard": { "count/configmaps": count.to_string() } },
        }))
        .await;
    world
        .until("the quota is counted", async || {
            let quota = world.get(QUOTA, "small").await?;
            let status = quota.get("status")?;
            (status["hard"] == quota["spec"]["hard"] && status.get("used").is_some()).then_some(())
        })
        .await;
}

pub async fn tell(world: &mut World) {
    world.start().await;
    world
        .kustomization("apps", json!({ "retryInterval": "2s" }))
        .await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;

    let count = world.list(CM, "").await.unwrap().len();
    match world.server() {
        // it has no such controller: its answer is what it would be
        Some(server) => server.faults().admit(Admission {
            resource: "configmaps".into(),
            name: "two".into(),
            verdict: Verdict::Refuse(403, "Forbidden", full(count)),
        }),
        None => room(world, count).await,
    }
    let files = [
        ("a.json", config_map("one", "2")),
        ("b.json", config_map("two", "1")),
    ];
    world.commit("b", &files).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let expected = format!(
        "ConfigMap/{}/two dry-run failed (Forbidden): {} (b.json:1)",
        world.namespace,
        full(count)
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        message.contains("raise the quota") && !message.contains("grant"),
        "{message}"
    );
    assert_eq!(
        world.value("one").await.as_deref(),
        Some("1"),
        "no half of a stage"
    );

    match world.server() {
        Some(server) => server.faults().clear(),
        None => room(world, count + 1).await,
    }
    world.ready("apps", "b").await;
}
