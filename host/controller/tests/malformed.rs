//! One object that cannot be read harms nobody else (N7): a CRD without validation, as an older release may have left it.

use serde_json::{Value, json};
use sluice_api::crd;
use sluice_devcluster::DevCluster;
use sluice_testkit::world::{CM, KS, World, condition, config_map};

/// Our CRD of Kustomizations, with every rule about its fields taken out.
fn without_rules() -> Value {
    let mut definition = crd::all()
        .into_iter()
        .find(|definition| definition["spec"]["names"]["kind"] == "Kustomization")
        .unwrap();
    for version in definition["spec"]["versions"].as_array_mut().unwrap() {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        version["schema"]["openAPIV3Schema"] = open;
    }
    definition
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_degrades_alone() {
    let server = DevCluster::start(sluice_devcluster::Config::default())
        .await
        .unwrap();
    let config = server.client_config().await.unwrap();
    let mut world = World::connected(config).await;
    world.put(without_rules()).await;
    let wrong = [
        ("endless", json!({"interval": "1e999h"})),
        ("negative", json!({"interval": "-1s"})),
        ("nothing", json!({"interval": ""})),
        ("huge", json!({"interval": "9999999999h"})),
        ("timeout", json!({"timeout": "soon"})),
        ("shape", json!({"dependsOn": "infrastructure"})),
        ("kind", json!({"sourceRef": {"kind": "Elsewhere", "name": "src"}})),
    ];
    for (name, spec) in &wrong {
        world.kustomization(name, spec.clone()).await;
    }
    world.start().await;
    world.kustomization("good", json!({})).await;
    let mut object = config_map("one", "1");
    object["metadata"]["namespace"] = json!(world.namespace);
    world.commit("a", &[("a.json", object)]).await;
    // the good one among them is as quick as ever, and the bad ones say why
    world.ready("good", "a").await;
    assert!(world.get(CM, "one").await.is_some());
    for (name, _) in &wrong {
        let message = world.failed(name, "InvalidSpec").await;
        assert!(
            message.starts_with("the object cannot be read: "),
            "{name}: {message}"
        );
        let ks = world.get(KS, name).await.unwrap();
        assert_eq!(condition(&ks, "Stalled").0, "True", "{name}");
    }
    // whoever mends it gets what everybody gets
    world.kustomization("endless", json!({"interval": "1h"})).await;
    world.ready("endless", "a").await;

    // what cannot be read is deleted like any other, as far as nothing about its objects must be guessed
    world
        .kustomization("good", json!({"interval": "9999999999h"}))
        .await;
    let message = world.failed("good", "InvalidSpec").await;
    assert!(
        message.contains("spec.interval: "),
        "the field is named: {message}"
    );
    // its objects may be those of another by now
    world
        .kustomization("endless", json!({"kubeConfig": "elsewhere"}))
        .await;
    world.failed("endless", "InvalidSpec").await;
    for name in ["endless", "good"] {
        world.delete(KS, name).await;
        world
            .until("the Kustomization is gone", async || {
                world.get(KS, name).await.is_none().then_some(())
            })
            .await;
    }
    let told = world.events("endless").await;
    assert!(
        told.iter()
            .any(|event| event
                .contains("unable to prune objects: the object cannot be read: spec.kubeConfig: ")),
        "{told:?}"
    );
    world.stop().await;
}
