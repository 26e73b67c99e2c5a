//! A bad commit is reverted: what it added goes, what it changed is as before.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let good = [("a.json", config_map("one", "1"))];
    world.commit("a", &good).await;
    world.ready("apps", "a").await;

    world
        .commit(
            "b",
            &[
                ("a.json", config_map("one", "2")),
                ("b.json", config_map("extra", "1")),
            ],
        )
        .await;
    world.ready("apps", "b").await;
    assert_eq!(world.value("extra").await.as_deref(), Some("1"));

    // the revert has a revision of its own, and the files of the first commit
    world.commit("c", &good).await;
    world.ready("apps", "c").await;
    assert_eq!(world.value("one").await.as_deref(), Some("1"));
    assert_eq!(world.get(CM, "extra").await, None);

    // an older revision that comes back (a branch that is reset) is applied like any other
    world
        .commit(
            "b",
            &[
                ("a.json", config_map("one", "2")),
                ("b.json", config_map("extra", "1")),
            ],
        )
        .await;
    world.ready("apps", "b").await;
    assert_eq!(world.value("one").await.as_deref(), Some("2"));

    // a commit that cannot be built changes nothing
    world.commit("d", &[("a.json", json!("{ not yaml"))]).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(message.contains("a.json"), "{message}");
    let ks = world.ks("apps").await;
    assert_eq!(ks["status"]["lastAppliedRevision"], "main@sha1:b");
    assert_eq!(condition(&ks, "Reconciling").1, "ProgressingWithRetry");
    assert_eq!(world.value("one").await.as_deref(), Some("2"));
}
