//! What nothing may delete or rename: the controller's own namespace and definitions. Neither a prune, nor the end of a
//! Kustomization, nor force, nor targetNamespace.

use super::prelude::*;
use sluice_api::crd;

const CRD: (&str, &str) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
const BUCKETS: &str = "buckets.source.toolkit.fluxcd.io";

fn named(kind: (&str, &str), name: &str) -> Value {
    json!({ "apiVersion": kind.0, "kind": kind.1, "metadata": { "name": name } })
}

fn from(source: &str) -> Value {
    json!({ "sourceRef": { "kind": "GitRepository", "name": source } })
}

/// Both are there, and nobody wants them to go.
async fn stay(world: &World) {
    let own = world.namespace.as_str();
    for (kind, name) in [(NAMESPACE, own), (CRD, BUCKETS)] {
        let object = world.get(kind, name).await.unwrap_or_default();
        assert_eq!(text(&object, "/metadata/name").as_deref(), Some(name));
        assert_eq!(object.pointer("/metadata/deletionTimestamp"), None, "{name}");
    }
}

pub async fn tell(world: &mut World) {
    let own = named(NAMESPACE, &world.namespace);
    let definition = crd::all()
        .into_iter()
        .find(|definition| definition["metadata"]["name"] == BUCKETS)
        .unwrap();
    let both = [("crd.json", definition.clone()), ("namespace.json", own.clone())];
    let with = |name: &str| [both.to_vec(), vec![("map.json", config_map(name, "1"))]].concat();
    let names = (
        format!("Namespace/{}", world.namespace),
        format!("CustomResourceDefinition/{BUCKETS}"),
    );
    world.start().await;

    // force
    world.commit_to("core", "a", &with("one")).await;
    world.kustomization("core", from("core")).await;
    world.ready("core", "a").await;
    world
        .kustomization("core", json!({ "force": true, "sourceRef": { "name": "core" } }))
        .await;
    let mut other = definition.clone();
    other["spec"]["names"]["plural"] = json!("pails");
    let files = [("crd.json", other), ("namespace.json", own.clone())];
    world.commit_to("core", "b", &files).await;
    let message = world.failed("core", "ReconciliationFailed").await;
    assert!(
        message.starts_with(&names.1)
            && message.contains("it is protected, so it is not deleted and created anew"),
        "{message}"
    );
    stay(world).await;

    // the end of a Kustomization
    world.commit_to("core", "c", &with("one")).await;
    world.ready("core", "c").await;
    world.delete(KS, "core").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "core").await.is_none().then_some(())
        })
        .await;
    let event = world.told("core", "left behind, protected: ").await;
    assert!(event.contains(&names.0) && event.contains(&names.1), "{event}");
    assert_eq!(world.get(CM, "one").await, None, "the rest is gone");
    stay(world).await;

    // a prune: the rest of it goes on, and all that stays is named
    world.commit("a", &with("one")).await;
    world.kustomization("apps", json!({})).await;
    world.ready("apps", "a").await;
    world.commit("b", &[("map.json", config_map("two", "2"))]).await;
    let message = world.failed("apps", "PruneFailed").await;
    let expected = format!(
        "refusing to delete {}, {}: protected objects are never deleted",
        names.0, names.1
    );
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(world.get(CM, "one").await, None);
    assert_eq!(world.value("two").await.as_deref(), Some("2"));
    stay(world).await;
    let owned = inventory(&world.ks("apps").await);
    assert_eq!(owned.len(), 3, "what is left is still owned: {owned:?}");
    // as the message says
    let keep = json!({ "metadata": { "annotations": { "kustomize.toolkit.fluxcd.io/prune": "disabled" } } });
    let drop = json!({ "metadata": { "annotations": { "kustomize.toolkit.fluxcd.io/prune": null } } });
    for (kind, name) in [(NAMESPACE, world.namespace.as_str()), (CRD, BUCKETS)] {
        world.edit(kind, name, keep.clone()).await;
    }
    world.asked_to_reconcile("apps", "let go").await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(inventory(&ks), [format!("{}_two__ConfigMap", world.namespace)]);
    for (kind, name) in [(NAMESPACE, world.namespace.as_str()), (CRD, BUCKETS)] {
        world.edit(kind, name, drop.clone()).await;
    }

    // targetNamespace, which gives every Namespace its own name: nothing at all is done
    let tenant = format!("{}-tenant", world.namespace);
    world.commit_to("ours", "a", &[("namespace.json", own)]).await;
    world.kustomization("ours", from("ours")).await;
    world.ready("ours", "a").await;
    let spec = json!({ "targetNamespace": tenant, "sourceRef": { "name": "ours" } });
    world.kustomization("ours", spec).await;
    let files = [
        ("namespace.json", named(NAMESPACE, &tenant)),
        ("map.json", config_map("three", "3")),
    ];
    world.commit_to("ours", "b", &files).await;
    let message = world.failed("ours", "ReconciliationFailed").await;
    let expected = format!(
        "refusing to rename {} to Namespace/{tenant}: it is protected",
        names.0
    );
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(world.get(NAMESPACE, &tenant).await, None);
    stay(world).await;
}
