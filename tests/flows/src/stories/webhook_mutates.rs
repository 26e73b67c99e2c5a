//! A webhook changes every object that is written: that is no drift, and real drift is still seen.

use super::prelude::*;
use sluice_devcluster::{Admission, Verdict};
use sluice_testkit::webhook::Review;

/// Something adds to `one` whenever it is written; the webhook, where the server asks a real one.
async fn injected(world: &World) -> Option<Webhook> {
    if let Some(server) = world.server() {
        let sidecar = json!({ "metadata": { "annotations": { "mesh.example.com/injected": "yes" } }, "data": { "sidecar": "on" } });
        server.faults().admit(Admission {
            resource: "configmaps".into(),
            name: "one".into(),
            verdict: Verdict::Mutate(sidecar),
        });
        return None;
    }
    let webhook = Webhook::start(|object| match object["metadata"]["name"] == "one" {
        false => Review::Allow,
        true => Review::Change(json!([
            { "op": "add", "path": "/metadata/annotations", "value": { "mesh.example.com/injected": "yes" } },
            { "op": "add", "path": "/data/sidecar", "value": "on" },
        ])),
    });
    let configuration = webhook.configuration(
        "MutatingWebhookConfiguration",
        "inject.example.com",
        &world.namespace,
    );
    asked_for(world, &webhook, configuration).await;
    Some(webhook)
}

pub async fn tell(world: &mut World) {
    world.start().await;
    let _webhook = injected(world).await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;
    let before = world.get(CM, "one").await.unwrap();
    assert_eq!(text(&before, "/data/sidecar").as_deref(), Some("on"));

    for round in 0..20 {
        world.asked_to_reconcile("apps", &round.to_string()).await;
    }
    // a restart knows nothing and looks at everything
    world.start().await;
    world.asked_to_reconcile("apps", "anew").await;
    assert_eq!(world.get(CM, "one").await.unwrap(), before, "never written again");
    let told = world.events("apps").await;
    assert!(!told.iter().any(|event| event.contains("configured")), "{told:?}");

    world
        .edit(CM, "one", json!({ "data": { "key": "edited" } }))
        .await;
    world
        .until("the edit is undone", async || {
            (world.value("one").await? == "1").then_some(())
        })
        .await;
    let event = world.told("apps", "configured").await;
    assert_eq!(
        event,
        format!("Progressing: ConfigMap/{}/one configured", world.namespace)
    );
}
