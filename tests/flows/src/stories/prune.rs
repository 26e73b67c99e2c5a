//! What leaves the source leaves the cluster, but never what is somebody else's.

use super::prelude::*;
use sluice_devcluster::{Effect, Fault};

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let kept = || ("a.json", config_map("kept", "1"));
    let mut guarded = config_map("guarded", "1");
    guarded["metadata"]["annotations"] = json!({ "kustomize.toolkit.fluxcd.io/prune": "Disabled" });
    let gone = [
        ("b.json", config_map("gone", "1")),
        ("c.json", config_map("adopted", "1")),
        ("d.json", guarded),
    ];
    world.commit("a", &[&[kept()][..], &gone[..]].concat()).await;
    world.ready("apps", "a").await;

    // another Kustomization takes one of them over while nobody looks: its labels say so
    let labels = json!({ "metadata": { "labels": { "kustomize.toolkit.fluxcd.io/name": "other" } } });
    world.stop().await;
    world
        .merge("other", &world.id_of(CM, "adopted"), labels, None)
        .await;
    world.commit("b", &[kept()]).await;
    if let Some(server) = world.server() {
        // somebody else wrote at the same time: that is looked at again, not taken for another object of that name
        let conflict = Fault::once("delete", "configmaps", Effect::Answer(409));
        server.faults().add(conflict);
    }
    world.start().await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(world.get(CM, "gone").await, None);
    assert!(world.get(CM, "adopted").await.is_some(), "it has another owner");
    assert!(world.get(CM, "guarded").await.is_some(), "it asked to stay");
    assert_eq!(inventory(&ks), [format!("{}_kept__ConfigMap", world.namespace)]);
    let event = world.told("apps", "deleted").await;
    assert!(event.starts_with("Progressing: "), "{event}");
    assert!(
        event.contains(&format!("ConfigMap/{}/adopted skipped", world.namespace)),
        "{event}"
    );

    // without prune, what leaves the source is forgotten and stays
    world.kustomization("apps", json!({ "prune": false })).await;
    world.commit("c", &[("z.json", config_map("new", "1"))]).await;
    let ks = world.ready("apps", "c").await;
    assert_eq!(inventory(&ks), [format!("{}_new__ConfigMap", world.namespace)]);
    assert!(world.get(CM, "kept").await.is_some());
}
