//! What the API server refuses of sources, in the words of Flux's definitions.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::bucket;
use crate::sources::{World, changed};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity, Patch, PatchOptions};
use sluice_object::GroupVersionKind;

const API: &str = "source.toolkit.fluxcd.io/v1";

/// What is said of an object that is refused.
async fn refusal(world: &World, kind: &str, spec: &Value) -> String {
    let object = json!({ "apiVersion": API, "kind": kind, "metadata": { "name": "odd" }, "spec": spec });
    let id = World::id(&object);
    let options = PatchOptions {
        manager: "test",
        ..PatchOptions::default()
    };
    let put = world
        .cluster
        .patch(&Identity::AsController, &id, Patch::Apply(object), options);
    match put.await {
        Ok(_) => panic!("{kind} is taken: {spec}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_go_together_is_refused_in_the_words_of_flux() {
    let world = bucket::world().await;
    let git = json!({ "interval": "1m", "url": "https://git.example/shop" });
    let oci = json!({ "interval": "1m", "url": "oci://registry.example/shop" });
    let helm = json!({ "url": "https://charts.example" });
    let bucket = json!({ "interval": "1m", "bucketName": "shop", "endpoint": "store.example" });
    let source = |kind: &str| json!({ "kind": kind, "name": "src" });
    let chart = json!({ "interval": "1m", "chart": "shop", "sourceRef": source("HelmRepository") });
    let sts = |provider: &str, more: Value| {
        let usual = json!({ "provider": provider, "endpoint": "https://sts.amazonaws.com" });
        changed(usual, &more)
    };
    let secret = json!({ "name": "x" });
    let rows = [
        (
            "Bucket",
            changed(
                bucket.clone(),
                &json!({ "provider": "gcp", "sts": sts("aws", json!({})) }),
            ),
            "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
        ),
        (
            "Bucket",
            changed(
                bucket.clone(),
                &json!({ "provider": "aws", "sts": sts("ldap", json!({})) }),
            ),
            "'aws' is the only supported STS provider for the 'aws' Bucket provider",
        ),
        (
            "Bucket",
            changed(bucket.clone(), &json!({ "sts": sts("aws", json!({})) })),
            "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
        ),
        (
            "Bucket",
            changed(
                bucket.clone(),
                &json!({ "provider": "aws", "sts": sts("aws", json!({ "secretRef": secret })) }),
            ),
            "spec.sts.secretRef is not required for the 'aws' STS provider",
        ),
        (
            "Bucket",
            changed(
                bucket.clone(),
                &json!({ "provider": "aws", "sts": sts("aws", json!({ "certSecretRef": secret })) }),
            ),
            "spec.sts.certSecretRef is not required for the 'aws' STS provider",
        ),
        (
            "Bucket",
            changed(bucket.clone(), &json!({ "serviceAccountName": "me" })),
            "ServiceAccountName is not supported for the 'generic' Bucket provider",
        ),
        (
            "Bucket",
            changed(
                bucket.clone(),
                &json!({ "provider": "aws", "serviceAccountName": "me", "secretRef": secret }),
            ),
            "cannot set both .spec.secretRef and .spec.serviceAccountName",
        ),
        (
            "GitRepository",
            changed(git.clone(), &json!({ "serviceAccountName": "me" })),
            "serviceAccountName can only be set when provider is 'azure' or 'aws'",
        ),
        (
            "HelmChart",
            changed(
                chart,
                &json!({ "sourceRef": source("GitRepository"), "verify": { "provider": "cosign" } }),
            ),
            "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'",
        ),
        (
            "HelmChart",
            json!({ "interval": "1m", "chart": "shop", "sourceRef": source("OCIRepository") }),
            "spec.sourceRef.kind",
        ),
        (
            "GitRepository",
            changed(git.clone(), &json!({ "url": "git@git.example:shop" })),
            "spec.url",
        ),
        (
            "GitRepository",
            changed(git.clone(), &json!({ "timeout": "1h" })),
            "spec.timeout",
        ),
        (
            "GitRepository",
            changed(git.clone(), &json!({ "interval": "1d" })),
            "spec.interval",
        ),
        (
            "GitRepository",
            changed(
                git,
                &json!({ "verify": { "mode": "Commit", "secretRef": secret } }),
            ),
            "spec.verify.mode",
        ),
        (
            "OCIRepository",
            changed(oci.clone(), &json!({ "url": "https://registry.example/shop" })),
            "spec.url",
        ),
        (
            "OCIRepository",
            changed(oci, &json!({ "layerSelector": { "operation": "move" } })),
            "spec.layerSelector.operation",
        ),
        (
            "HelmRepository",
            changed(helm, &json!({ "url": "ftp://charts.example" })),
            "spec.url",
        ),
        (
            "Bucket",
            changed(bucket, &json!({ "provider": "swift" })),
            "spec.provider",
        ),
    ];
    for (kind, spec, words) in rows {
        let gvk = GroupVersionKind::new(API, kind);
        let served = async || {
            let listed = world.cluster.list(&Identity::AsController, &gvk, None, "");
            listed.await.ok()
        };
        world.until("the kind is served", served).await;
        let said = refusal(&world, kind, &spec).await;
        assert!(said.contains(words), "{kind} {spec}: {said}");
    }
}
