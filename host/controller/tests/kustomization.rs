//! Stories of a Kustomization on an API server.

mod world;

use serde_json::json;
use sluice_devcluster::DevCluster;
use world::{CM, KS, World, condition, config_map};

/// A server of its own for each story: requests can be counted, and faults harm nobody else.
async fn server() -> (DevCluster, kube::config::Kubeconfig) {
    let config = sluice_devcluster::Config { audit: true, ..sluice_devcluster::Config::default() };
    let server = DevCluster::start(config).await.unwrap();
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    (server, kubeconfig)
}

macro_rules! story {
    ($name:ident, $world:ident, $body:block) => {
        story!($name, _server, $world, $body);
    };
    ($name:ident, $server:ident, $world:ident, $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let ($server, kubeconfig) = server().await;
            #[allow(unused_mut)]
            let mut $world = World::new(kubeconfig).await;
            $body
            $world.stop().await;
        }
    };
}

fn data(object: Option<serde_json::Value>) -> Option<String> {
    object?.pointer("/data/key")?.as_str().map(str::to_owned)
}

story!(install_upgrade_and_prune, world, { install_upgrade_and_prune_in(&mut world).await });

async fn install_upgrade_and_prune_in(world: &mut World) {
    world.start().await;
    world
        .kustomization("apps", json!({ "targetNamespace": world.namespace }))
        .await;
    world
        .commit(
            "a",
            &[
                ("a.json", in_ns(world, "one", "1")),
                ("b.json", in_ns(world, "two", "1")),
            ],
        )
        .await;
    let ks = world.ready("apps", "a").await;
    let ids: Vec<&str> = ks
        .pointer("/status/inventory/entries")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            format!("{}_one__ConfigMap", world.namespace),
            format!("{}_two__ConfigMap", world.namespace)
        ]
    );
    let one = world.get(CM, "one").await.unwrap();
    assert_eq!(
        one.pointer("/metadata/labels/kustomize.toolkit.fluxcd.io~1name")
            .unwrap(),
        "apps"
    );
    assert_eq!(
        one.pointer("/metadata/managedFields/0/manager").unwrap(),
        "kustomize-controller"
    );
    assert_eq!(
        ks.pointer("/metadata/finalizers").unwrap(),
        &json!(["finalizers.fluxcd.io"])
    );
    assert_eq!(
        ks.pointer("/status/observedGeneration"),
        ks.pointer("/metadata/generation")
    );

    world.commit("b", &[("a.json", in_ns(world, "one", "2"))]).await;
    world.ready("apps", "b").await;
    assert_eq!(data(world.get(CM, "one").await), Some("2".into()));
    assert_eq!(world.get(CM, "two").await, None, "pruned");
}

story!(drift_is_undone, world, { drift_is_undone_in(&mut world).await });

async fn drift_is_undone_in(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    world
        .merge(
            CM,
            "one",
            json!({ "data": { "key": "edited", "other": "added" } }),
            None,
        )
        .await;
    world
        .until("the edit is undone", async || {
            let object = world.get(CM, "one").await?;
            (object["data"] == json!({ "key": "1" })).then_some(())
        })
        .await;
    world.delete(CM, "one").await;
    world
        .until("the object is back", async || data(world.get(CM, "one").await))
        .await;
}

story!(a_broken_build_keeps_the_last_good_state, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    world.commit("b", &[("a.json", json!("{ not json"))]).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(message.contains("a.json:1"), "{message}");
    let ks = world.ks("apps").await;
    assert_eq!(ks.pointer("/status/lastAppliedRevision").unwrap(), "main@sha1:a");
    assert_eq!(condition(&ks, "Reconciling").1, "ProgressingWithRetry");
    assert_eq!(data(world.get(CM, "one").await), Some("1".into()));
});

story!(dependencies_wake_their_dependents, world, {
    world.start().await;
    world
        .kustomization("second", json!({ "dependsOn": [{ "name": "first" }] }))
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let message = world.failed("second", "DependencyNotReady").await;
    assert!(
        message.starts_with(&format!("dependency '{}/first' not found: ", world.namespace)),
        "{message}"
    );
    world.kustomization("first", json!({})).await;
    world.ready("second", "a").await;
});

story!(suspend_and_resume, world, {
    world.start().await;
    world.kustomization("apps", json!({ "suspend": true })).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world
        .until("the finalizer is there", async || {
            world.ks("apps").await.pointer("/metadata/finalizers").cloned()
        })
        .await;
    world.kustomization("apps", json!({ "suspend": false })).await;
    world.ready("apps", "a").await;
});

story!(deletion_prunes, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    world.delete(KS, "apps").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.get(CM, "one").await, None);
});

story!(an_unreadable_object_suffers_alone, world, {
    world.start().await;
    // the schema of the CRD accepts what no clock can count
    world
        .kustomization("bad", json!({ "interval": "99999999999h" }))
        .await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    let message = world.failed("bad", "InvalidSpec").await;
    assert!(message.contains("99999999999h"), "{message}");
});

story!(what_is_not_supported_is_said, world, {
    world.start().await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world
        .kustomization(
            "apps",
            json!({ "kubeConfig": { "secretRef": { "name": "remote" } } }),
        )
        .await;
    let message = world.failed("apps", "InvalidSpec").await;
    assert!(
        message.starts_with("spec.kubeConfig is not supported"),
        "{message}"
    );
    assert_eq!(world.get(CM, "one").await, None);
});

fn in_ns(world: &World, name: &str, value: &str) -> serde_json::Value {
    let mut object = config_map(name, value);
    object["metadata"]["namespace"] = json!(world.namespace);
    object
}

/// The same first story on the real API server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_on_a_real_server() {
    use sluice_testkit::cluster::{Cluster, Options};
    let server = Cluster::start_or_skip("a Kustomization on a real API server", &Options::default()).await.unwrap();
    let Some(server) = server else { return };
    let kubeconfig = kube::config::Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let mut world = World::new(kubeconfig).await;
    install_upgrade_and_prune_in(&mut world).await;
    drift_is_undone_in(&mut world).await;
    world.stop().await;
}
