//! What a Kustomization says while something is missing, refused or fails: whole texts, which are Flux's.

use axum::Router;
use serde_json::{Value, json};
use sluice_devcluster::{Config, DevCluster, Effect, Fault};
use sluice_testkit::world::{CM, GIT, KS, World, condition, config_map, inventory, text};
use std::time::Duration;

/// Less than that of the world, which does not know what was said instead.
const PATIENCE: Duration = Duration::from_secs(60);

async fn world() -> (DevCluster, World) {
    let server = DevCluster::start(Config::default()).await.unwrap();
    let config = server.client_config().await.unwrap();
    (server, World::connected(config).await)
}

/// Waits until Ready is false and says exactly this.
async fn says(world: &World, name: &str, reason: &str, message: &str) -> Value {
    let mut last = Value::Null;
    let look = world.until("it is said", async || {
        last = world.get(KS, name).await?;
        let expected = ("False".to_owned(), reason.to_owned(), message.to_owned());
        (condition(&last, "Ready") == expected).then(|| last.clone())
    });
    let said = tokio::time::timeout(PATIENCE, look).await;
    said.unwrap_or_else(|_| {
        panic!(
            "{name} never says {message:?}, but {:?}",
            condition(&last, "Ready")
        )
    })
}

fn count(events: &[String], text: &str) -> usize {
    events.iter().filter(|event| event.contains(text)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_gives_nothing() {
    let (_server, mut world) = world().await;
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let message = "GitRepository.source.toolkit.fluxcd.io \"src\" not found";
    says(&world, "apps", "ArtifactFailed", message).await;
    let source = json!({
        "apiVersion": GIT.0, "kind": GIT.1, "metadata": { "name": "src" },
        "spec": { "interval": "1h", "url": "https://example.com/src.git" },
    });
    world.put(source).await;
    let message = "Source artifact not found, retrying in 30s";
    says(&world, "apps", "ArtifactFailed", message).await;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let nothing = tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    let artifact = json!({ "artifact": {
        "path": "gitrepository/none/src/a.tar.gz", "url": format!("http://{address}/a.tar.gz"), "revision": "main@sha1:a",
        "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": "2026-01-01T00:00:00Z", "size": 1,
    } });
    world.report(GIT, "src", artifact).await;
    let message = "Source is not ready, artifact not found, retrying in 30s";
    let ks = says(&world, "apps", "ArtifactFailed", message).await;
    assert_eq!(
        ks.pointer("/status/lastAttemptedRevision"),
        None,
        "it was no attempt"
    );
    // nobody is told what only waits
    assert_eq!(world.events("apps").await, [""; 0]);
    nothing.abort();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gate_keeps_shut_stalls_until_an_edit() {
    let (_server, mut world) = world().await;
    world.start().await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    let external = json!({ "sourceRef": { "kind": "ExternalArtifact", "name": "src" } });
    let account = json!({ "decryption": { "provider": "sops", "serviceAccountName": "robot" } });
    let broken = json!({ "healthCheckExprs": [{ "apiVersion": "v1", "kind": "ConfigMap", "current": "" }] });
    let merged = |specs: &[&Value]| {
        let mut all = json!({});
        specs
            .iter()
            .for_each(|spec| sluice_object::merge(&mut all, (*spec).clone()));
        all
    };
    let denied = format!(
        "can't access 'ExternalArtifact/{}/src', ExternalArtifact feature gate is disabled",
        world.namespace
    );
    let shut = "to use spec.decryption.serviceAccountName for decryption authentication please enable the \
                ObjectLevelWorkloadIdentity feature gate in the controller";
    let empty = "Reconciliation failed terminally due to configuration error: failed to create custom status evaluator for \
                 healthchecks[0]: expression Current not specified";
    // of several mistakes the one that Flux finds first
    for (name, spec, reason, message) in [
        ("external", merged(&[&external]), "AccessDenied", denied.as_str()),
        (
            "account",
            merged(&[&account, &external]),
            "FeatureGateDisabled",
            shut,
        ),
        (
            "expression",
            merged(&[&broken, &account, &external]),
            "InvalidCELExpression",
            empty,
        ),
    ] {
        world.kustomization(name, spec).await;
        let ks = says(&world, name, reason, message).await;
        let stalled = condition(&ks, "Stalled");
        assert_eq!(stalled, ("True".into(), reason.into(), message.into()));
        assert_eq!(condition(&ks, "Reconciling").0, "");
        let event = world.told(name, message).await;
        assert_eq!(event, format!("{reason}: {message}"));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dependency_of_the_same_source_is_awaited_with_its_revision() {
    let (_server, mut world) = world().await;
    world.start().await;
    world.kustomization("first", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("first", "a").await;
    world.kustomization("first", json!({ "suspend": true })).await;
    let ks = world.asked_to_reconcile("first", "suspended").await;
    assert_eq!(condition(&ks, "Ready").0, "True");
    world.commit("b", &[("a.json", config_map("one", "2"))]).await;
    let depends = json!({ "dependsOn": [{ "name": "first" }] });
    world.kustomization("second", depends).await;
    let message = format!(
        "dependency '{}/first' revision is not up to date",
        world.namespace
    );
    says(&world, "second", "DependencyNotReady", &message).await;
    world.kustomization("first", json!({ "suspend": false })).await;
    world.ready("second", "b").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_revision_that_an_artifact_was_made_of_is_told() {
    let (_server, mut world) = world().await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    let origin = json!({ "org.opencontainers.image.revision": "v1@sha1:origin" });
    let mut status = world.get(GIT, "src").await.unwrap()["status"].clone();
    status["artifact"]["metadata"] = origin;
    world.report(GIT, "src", status).await;
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let ks = world.ready("apps", "a").await;
    let told = |pointer: &str| text(&ks, pointer);
    assert_eq!(
        told("/status/lastAppliedOriginRevision").as_deref(),
        Some("v1@sha1:origin")
    );
    assert_eq!(
        ks["status"]["history"][0]["metadata"],
        json!({ "revision": "main@sha1:a", "originRevision": "v1@sha1:origin" })
    );
    world.told("apps", "Reconciliation finished in ").await;
    let events = world.list(("v1", "Event"), "").await.unwrap();
    assert!(events.len() >= 2, "{events:?}");
    for event in events {
        let annotation = event.pointer("/metadata/annotations/kustomize.toolkit.fluxcd.io~1originRevision");
        assert_eq!(annotation, Some(&json!("v1@sha1:origin")), "{event}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_deleted_is_named_and_kept() {
    let (server, mut world) = world().await;
    world.start().await;
    world
        .kustomization("apps", json!({ "retryInterval": "1s" }))
        .await;
    let files = ["one", "two", "three"].map(|name| (name, config_map(name, "1")));
    world.commit("a", &files).await;
    world.ready("apps", "a").await;
    server.faults().add(Fault {
        times: usize::MAX,
        ..Fault::once("delete", "configmaps", Effect::Answer(403))
    });
    world.commit("b", &files[..1]).await;
    let message = world.failed("apps", "PruneFailed").await;
    let subject = |name: &str| format!("ConfigMap/{}/{name} delete failed: ", world.namespace);
    // in the reverse order of applying
    let expected = format!("delete failed, errors: {}", subject("two"));
    assert!(message.starts_with(&expected), "{message}");
    assert!(message.contains(&format!(";{}", subject("three"))), "{message}");
    assert!(message.ends_with(';'), "{message}");
    let ks = world.ks("apps").await;
    assert_eq!(ks["status"]["history"][0]["lastReconciledStatus"], "PruneFailed");
    assert_eq!(inventory(&ks).len(), 3, "{:?}", inventory(&ks));
    let event = world.told("apps", "delete failed").await;
    assert_eq!(event, format!("PruneFailed: {message}"));

    world.delete(KS, "apps").await;
    world.told("apps", "pruning for deleted resource failed").await;
    assert!(
        world.get(KS, "apps").await.is_some(),
        "it stays as long as its objects"
    );
    server.faults().clear();
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.get(CM, "two").await, None);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_looked_at_is_not_deleted() {
    let (server, mut world) = world().await;
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let files = ["one", "two"].map(|name| (name, config_map(name, "1")));
    world.commit("a", &files).await;
    world.ready("apps", "a").await;
    server.faults().add(Fault {
        name: "two".to_owned(),
        times: usize::MAX,
        ..Fault::once("get", "configmaps", Effect::Answer(403))
    });
    world.commit("b", &files[..1]).await;
    let message = world.failed("apps", "PruneFailed").await;
    let expected = format!(
        "delete failed, errors: ConfigMap/{}/two query failed: ",
        world.namespace
    );
    assert!(
        message.starts_with(&expected) && message.ends_with(';'),
        "{message}"
    );
    assert_eq!(inventory(&world.ks("apps").await).len(), 2, "it is still owned");
    server.faults().clear();
    assert!(world.get(CM, "two").await.is_some());
    world.asked_to_reconcile("apps", "again").await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(inventory(&ks).len(), 1);
    assert_eq!(world.get(CM, "two").await, None);
    world.stop().await;
}

/// What Reconciling says after a failure is how far it came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_says_how_far_it_came() {
    let (_server, mut world) = world().await;
    world.start().await;
    world
        .commit("a", &[("a.json", config_map("Bad_Name", "1"))])
        .await;
    world
        .commit_to("broken", "b", &[("a.json", json!("{ no json"))])
        .await;
    let broken = json!({ "kind": "GitRepository", "name": "broken" });
    let timeout = json!("2m");
    for (name, spec, reason, phase) in [
        (
            "nowhere",
            json!({ "path": "./nowhere", "timeout": timeout }),
            "ArtifactFailed",
            "Fetching manifests for revision main@sha1:a with a timeout of 2m0s",
        ),
        (
            "unreadable",
            json!({ "sourceRef": broken, "timeout": timeout }),
            "BuildFailed",
            "Building manifests for revision main@sha1:b with a timeout of 2m0s",
        ),
        (
            "refused",
            json!({ "timeout": timeout }),
            "ReconciliationFailed",
            "Detecting drift for revision main@sha1:a with a timeout of 2m0s",
        ),
    ] {
        world.kustomization(name, spec).await;
        world.failed(name, reason).await;
        let ks = world.ks(name).await;
        let reconciling = condition(&ks, "Reconciling");
        assert_eq!(
            reconciling,
            ("True".into(), "ProgressingWithRetry".into(), phase.into())
        );
        let is_attempt = ks.pointer("/status/lastAttemptedRevision").is_some();
        assert_eq!(is_attempt, name != "nowhere", "{name}");
        let is_recorded = ks.pointer("/status/history/0").is_some();
        assert_eq!(is_recorded, name == "refused", "{name}");
        assert_eq!(ks["status"]["observedGeneration"], -1, "{name}");
    }
    world.stop().await;
}

/// Passed checks are told where they did not pass before, or where a new revision changed something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passed_checks_are_told_where_they_are_news() {
    let (_server, mut world) = world().await;
    world.start().await;
    world.kustomization("apps", json!({ "wait": true })).await;
    const PASSED: &str = "Progressing: Health check passed in ";
    for (revision, value, times) in [("a", "1", 1), ("b", "1", 1), ("c", "2", 2)] {
        world
            .commit(revision, &[("a.json", config_map("one", value))])
            .await;
        let ks = world.ready("apps", revision).await;
        assert_eq!(condition(&ks, "Healthy").0, "True");
        world
            .until("it is told", async || {
                let events = world.list(("v1", "Event"), "").await?;
                let of_it = |event: &&Value| {
                    let text = event["message"].as_str().unwrap_or_default();
                    let revision = format!("main@sha1:{revision}");
                    text.starts_with("Reconciliation finished")
                        && event["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/revision"]
                            == revision
                };
                events.iter().any(|event| of_it(&event)).then_some(())
            })
            .await;
        let events = world.events("apps").await;
        assert_eq!(count(&events, PASSED), times, "{revision}: {events:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_of_a_success_can_be_switched_off() {
    let (_server, mut world) = world().await;
    let gate = ("DisableCommitStatusEvent".to_owned(), true);
    world
        .start_with(|config| config.feature_gates.extend([gate]))
        .await;
    world.kustomization("apps", json!({})).await;
    for revision in ["a", "b"] {
        world
            .commit(revision, &[("a.json", config_map("one", revision))])
            .await;
        world.ready("apps", revision).await;
    }
    // told after the end of the first
    world.told("apps", "configured").await;
    let events = world.events("apps").await;
    assert_eq!(count(&events, "Reconciliation finished"), 0, "{events:?}");
    world.stop().await;
}
