//! What becomes of the objects when their Kustomization goes: `deletionPolicy` says it.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    for (name, spec, stays) in [
        ("mirror", json!({ "prune": true }), false),
        ("mirror-off", json!({ "prune": false }), true),
        (
            "delete",
            json!({ "prune": false, "deletionPolicy": "Delete" }),
            false,
        ),
        (
            "wait",
            json!({ "prune": false, "deletionPolicy": "WaitForTermination" }),
            false,
        ),
        (
            "orphan",
            json!({ "prune": true, "deletionPolicy": "Orphan" }),
            true,
        ),
    ] {
        world.kustomization(name, spec).await;
        world.commit("a", &[("a.json", config_map("one", "1"))]).await;
        world.ready(name, "a").await;
        world.delete(KS, name).await;
        world
            .until("the Kustomization is gone", async || {
                world.get(KS, name).await.is_none().then_some(())
            })
            .await;
        assert_eq!(world.get(CM, "one").await.is_some(), stays, "{name}");
        if stays {
            world.delete(CM, "one").await;
        }
    }

    // an object that does not go is waited for, then the Kustomization goes all the same
    world
        .kustomization(
            "stuck",
            json!({ "deletionPolicy": "WaitForTermination", "timeout": "30s" }),
        )
        .await;
    let mut held = config_map("held", "1");
    held["metadata"]["finalizers"] = json!(["example.com/held"]);
    world.commit("b", &[("a.json", held)]).await;
    world.ready("stuck", "b").await;
    world.delete(KS, "stuck").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "stuck").await.is_none().then_some(())
        })
        .await;
    let event = world.told("stuck", "termination").await;
    assert!(
        event.ends_with(": failed to wait for resources termination"),
        "{event}"
    );
    world
        .edit(CM, "held", json!({ "metadata": { "finalizers": null } }))
        .await;
}
