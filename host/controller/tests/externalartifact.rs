//! An ExternalArtifact is what another controller offers: a Kustomization consumes it as Flux does (compat/source.md 10).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use sluice_devcluster::{Config, DevCluster};
use sluice_testkit::canned::Canned;
use sluice_testkit::registry::{Entry, digest, tgz};
use sluice_testkit::world::{CM, KS, World, condition, config_map, data, text};

const EXTERNAL: (&str, &str) = ("source.toolkit.fluxcd.io/v1", "ExternalArtifact");

/// A new artifact: an archive on a server, and the status that leads there. Answers with its revision.
async fn offer(world: &World, server: &Canned, file: &str, value: &str) -> String {
    let archive = tgz(&[Entry::file("a.json", &config_map("one", value).to_string())]);
    server.answer_bytes(&format!("GET /{file}"), 200, &[], &archive);
    let revision = format!("latest@{}", digest(&archive));
    let artifact = json!({
        "path": format!("externalartifact/{}/src/{file}", world.namespace),
        "url": format!("{}{file}", server.base()), "revision": revision, "digest": digest(&archive),
        "lastUpdateTime": "2026-01-01T00:00:00Z", "size": archive.len(),
    });
    let ready = json!([{
        "type": "Ready", "status": "True", "reason": "Succeeded", "message": "made",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]);
    let status = json!({ "artifact": artifact, "conditions": ready });
    world.report(EXTERNAL, "src", status).await;
    revision
}

async fn applied(world: &World, revision: &str, value: &str) -> Value {
    world
        .until(&format!("{revision} is applied"), async || {
            let ks = world.get(KS, "apps").await?;
            let is_ready = condition(&ks, "Ready").0 == "True";
            let is_applied = text(&ks, "/status/lastAppliedRevision").as_deref() == Some(revision);
            let is_there = data(world.get(CM, "one").await).as_deref() == Some(value);
            (is_ready && is_applied && is_there).then_some(ks)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_controller_offers_is_applied_and_followed() {
    let cluster = DevCluster::start(Config::default()).await.unwrap();
    let mut world = World::connected(cluster.client_config().await.unwrap()).await;
    let server = Canned::start();
    world
        .until("the kind is served", async || world.list(EXTERNAL, "").await)
        .await;
    let maker = json!({ "apiVersion": "example.com/v1", "kind": "Builder", "name": "b" });
    world
        .put(json!({
            "apiVersion": EXTERNAL.0, "kind": EXTERNAL.1, "metadata": { "name": "src" }, "spec": { "sourceRef": maker },
        }))
        .await;
    world
        .start_with(|config| {
            let gate = ("ExternalArtifact".to_owned(), true);
            config.feature_gates.extend([gate]);
        })
        .await;
    let external = json!({ "sourceRef": { "kind": "ExternalArtifact", "name": "src" } });
    world.kustomization("apps", external).await;
    world
        .until("it waits for an artifact", async || {
            let ks = world.get(KS, "apps").await?;
            let (status, reason, _) = condition(&ks, "Ready");
            (status == "False" && reason == "ArtifactFailed").then_some(())
        })
        .await;

    let first = offer(&world, &server, "1.tar.gz", "1").await;
    applied(&world, &first, "1").await;
    // nobody waits for an interval
    let second = offer(&world, &server, "2.tar.gz", "2").await;
    let ks = applied(&world, &second, "2").await;
    assert_eq!(text(&ks, "/status/lastAttemptedRevision"), Some(second.clone()));
    let asked: Vec<String> = server
        .take_asked()
        .into_iter()
        .map(|asked| asked.target)
        .collect();
    assert_eq!(asked, ["/1.tar.gz", "/2.tar.gz"], "each is brought once");

    // what is not as promised is not used
    let third = offer(&world, &server, "3.tar.gz", "3").await;
    applied(&world, &third, "3").await;
    let other = tgz(&[Entry::file("a.json", &config_map("one", "evil").to_string())]);
    server.answer_bytes("GET /4.tar.gz", 200, &[], &other);
    let promised = json!({ "artifact": {
        "path": format!("externalartifact/{}/src/4.tar.gz", world.namespace),
        "url": format!("{}4.tar.gz", server.base()), "revision": "latest@sha256:4",
        "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": "2026-01-01T00:00:00Z",
    } });
    world.report(EXTERNAL, "src", promised).await;
    world
        .until("it is refused", async || {
            let message = condition(&world.get(KS, "apps").await?, "Ready").2;
            message.contains("computed digest doesn't match").then_some(())
        })
        .await;
    assert_eq!(data(world.get(CM, "one").await).as_deref(), Some("3"));
    world.stop().await;
}
