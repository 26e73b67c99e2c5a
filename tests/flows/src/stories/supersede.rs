//! A new commit does not wait for the health check of the old one, and no wake-up is lost.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world
        .kustomization("apps", json!({ "wait": true, "timeout": "10m" }))
        .await;
    // on a real server without nodes no Pod is ever ready; the embedded one is told
    let mut stuck = deployment("web", "example.com/app:1");
    stuck["spec"]["template"]["metadata"]["annotations"] = json!({ "devcluster.sluice.dev/ready": "never" });
    world.commit("bad", &[("a.json", stuck)]).await;
    world
        .until("the Deployment is there", async || {
            world.get(DEPLOYMENT, "web").await
        })
        .await;

    for revision in ["1", "2", "3", "4", "5"] {
        world
            .commit(revision, &[("a.json", config_map("one", revision))])
            .await;
    }
    world.ready("apps", "5").await;
    assert_eq!(world.value("one").await.as_deref(), Some("5"));

    // a new generation supersedes as a new revision does
    world
        .kustomization(
            "apps",
            json!({ "wait": true, "healthChecks": [], "timeout": "9m" }),
        )
        .await;
    world
        .until("the new generation is observed", async || {
            let ks = world.ks("apps").await;
            (ks.pointer("/status/observedGeneration") == ks.pointer("/metadata/generation")).then_some(())
        })
        .await;
}
