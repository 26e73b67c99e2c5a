//! A cluster that Flux manages is handed over, and back: no object is written, no Pod restarts.

use super::prelude::*;

/// A Deployment as kustomize-controller sends it: normalised through the Go types, with the empty structs that gives.
fn as_flux_sends(world: &World) -> Value {
    let mut object = deployment("web", "example.com/app:1");
    object["metadata"]["namespace"] = json!(world.namespace);
    object["metadata"]["labels"] = json!({
        "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": world.namespace,
    });
    object["spec"]["strategy"] = json!({});
    object["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({});
    object
}

pub async fn tell(world: &mut World) {
    // what Flux left: objects with its field manager, an inventory, its finalizer, its history
    let files = [("web.json", deployment("web", "example.com/app:1"))];
    world.commit("a", &files).await;
    world.put_as("kustomize-controller", as_flux_sends(world)).await;
    world.kustomization("apps", json!({})).await;
    world
        .edit(
            KS,
            "apps",
            json!({ "metadata": { "finalizers": ["finalizers.fluxcd.io"] } }),
        )
        .await;
    let id = format!("{}_web_apps_Deployment", world.namespace);
    let flux = json!({
        "observedGeneration": 1, "lastAppliedRevision": "main@sha1:a", "lastAttemptedRevision": "main@sha1:a",
        "inventory": { "entries": [{ "id": id, "v": "v1" }] },
        "conditions": [
            { "type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "Applied revision: main@sha1:a",
              "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z" },
            { "type": "Healthy", "status": "True", "reason": "Succeeded", "message": "Health check passed in 2.1s",
              "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z" },
        ],
        "history": [{ "digest": "sha256:00", "firstReconciled": "2026-01-01T00:00:00Z", "lastReconciled": "2026-01-01T00:00:00Z",
            "lastReconciledDuration": "2.1s", "lastReconciledStatus": "ReconciliationSucceeded", "totalReconciliations": 7,
            "metadata": { "revision": "main@sha1:a" } }],
    });
    world.report(KS, "apps", flux).await;
    settled(world).await;
    let before = declared(world.get(DEPLOYMENT, "web").await.unwrap());

    world.start().await;
    let ks = world.asked_to_reconcile("apps", "ours").await;
    let after = declared(world.get(DEPLOYMENT, "web").await.unwrap());
    assert_eq!(before, after, "not written at all");
    assert_eq!(
        ks["status"]["inventory"],
        json!({ "entries": [{ "id": id, "v": "v1" }] })
    );
    assert_eq!(ks["metadata"]["finalizers"], json!(["finalizers.fluxcd.io"]));
    assert_eq!(
        ks.pointer("/status/history/1/totalReconciliations"),
        Some(&json!(7)),
        "Flux's history stays"
    );

    // and back: after a change made by us, what Flux would send changes nothing
    world
        .commit("b", &[("web.json", deployment("web", "example.com/app:2"))])
        .await;
    world.ready("apps", "b").await;
    world.stop().await;
    settled(world).await;
    let ours = declared(world.get(DEPLOYMENT, "web").await.unwrap());
    let mut flux = as_flux_sends(world);
    flux["spec"]["template"]["spec"]["containers"][0]["image"] = json!("example.com/app:2");
    let flux = declared(world.put_as("kustomize-controller", flux).await);
    assert_eq!(ours, flux, "Flux's apply is no change");
    let managers = flux
        .pointer("/metadata/managedFields")
        .unwrap()
        .as_array()
        .unwrap();
    let apply: Vec<_> = managers
        .iter()
        .filter(|entry| entry["operation"] == "Apply")
        .collect();
    assert_eq!(apply.len(), 1, "one owner, of one name");
}

/// An object without what its own controller says of it, at any time: a write of anybody else shows in the rest, in
/// `managedFields` at the least.
fn declared(mut object: Value) -> Value {
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("resourceVersion");
    let managers = metadata["managedFields"].as_array_mut().unwrap();
    managers.retain(|entry| entry["subresource"] != "status");
    object
}

/// The Deployment's own controller has taken it up, and noted its revision.
async fn settled(world: &World) {
    world
        .until("the Deployment is observed", async || {
            let object = world.get(DEPLOYMENT, "web").await?;
            let is_observed =
                object.pointer("/status/observedGeneration") == object.pointer("/metadata/generation");
            let is_updated = object.pointer("/status/updatedReplicas") == object.pointer("/spec/replicas");
            (is_observed && is_updated).then_some(())
        })
        .await;
}
