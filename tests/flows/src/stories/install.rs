//! A Kustomization and a source with two objects: both are created, owned and recorded.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let message = world.failed("apps", "ArtifactFailed").await;
    assert_eq!(
        message,
        "GitRepository.source.toolkit.fluxcd.io \"src\" not found"
    );

    // the source arrives: nobody needs to poll for it
    let files = [
        ("a.json", config_map("one", "1")),
        ("b.json", config_map("two", "1")),
    ];
    world.commit("a", &files).await;
    let ks = world.ready("apps", "a").await;

    let ids = [
        format!("{}_one__ConfigMap", world.namespace),
        format!("{}_two__ConfigMap", world.namespace),
    ];
    assert_eq!(inventory(&ks), ids);
    assert_eq!(
        ks.pointer("/metadata/finalizers").unwrap(),
        &json!(["finalizers.fluxcd.io"])
    );
    assert_eq!(
        ks.pointer("/status/observedGeneration"),
        ks.pointer("/metadata/generation")
    );
    for field in ["lastAppliedRevision", "lastAttemptedRevision"] {
        assert_eq!(ks["status"][field], "main@sha1:a");
    }

    // labels and field manager are Flux's, so that Flux could take over
    let one = world.get(CM, "one").await.unwrap();
    assert_eq!(
        one.pointer("/metadata/labels").unwrap(),
        &json!({ "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": world.namespace }),
    );
    assert_eq!(
        one.pointer("/metadata/managedFields/0/manager").unwrap(),
        "kustomize-controller"
    );
    assert_eq!(
        one.pointer("/metadata/managedFields/0/operation").unwrap(),
        "Apply"
    );
}
