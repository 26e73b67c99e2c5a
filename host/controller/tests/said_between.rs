//! What sources say between one state and the next: of work that lasts, of what is newer and cannot be had, of a store that
//! takes nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::helmchart::{chart, offer, repository};
use crate::sources::{World, changed, condition, types};
use crate::{bucket, gitrepository, helmchart, helmrepository, ocirepository};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_object::GroupVersionKind;
use sluice_testkit::canned::Canned;
use sluice_testkit::git_server::git_is_present;
use sluice_testkit::registry::{Registry, digest};
use sluice_testkit::storage::{Storage, StorageFault};
use std::fs;

/// Status, reason and message of a condition that is true.
fn is_true(reason: &str, message: &str) -> (String, String, String) {
    ("True".to_owned(), reason.to_owned(), message.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_lasts_says_what_it_was_begun_for() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    let spec = bucket::spec(&storage, json!({ "timeout": "60s" }));
    world.put_source(spec.clone()).await;
    let stored = bucket::stored(&[("a.yaml", "a: 1")]);
    let ready = world.ready(&stored).await;
    let says = async |message: &str| {
        world
            .until(&format!("it says {message:?}"), async || {
                let object = world.get().await?;
                let is_said = condition(&object, "Reconciling") == is_true("Progressing", message);
                is_said.then_some(object)
            })
            .await
    };
    storage.misbehave(StorageFault::Hang);
    let ask = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "1" } } });
    world.merge(ask).await;
    let asked = says("reconciliation in progress").await;
    // what is stored is as good as before
    assert_eq!(condition(&asked, "Ready"), is_true("Succeeded", &stored));
    assert_eq!(asked["status"].get("lastHandledReconcileAt"), None);

    let generation = ready["metadata"]["generation"].as_i64().unwrap();
    world
        .put_source(changed(spec.clone(), &json!({ "timeout": "59s" })))
        .await;
    let next = generation + 1;
    let begun = says(&format!(
        "processing object: new generation {generation} -> {next}"
    ))
    .await;
    assert_eq!(begun["status"]["observedGeneration"], generation);
    assert_eq!(condition(&begun, "Ready"), is_true("Succeeded", &stored));

    storage.misbehave(StorageFault::None);
    world
        .put_source(changed(spec, &json!({ "timeout": "58s" })))
        .await;
    let done = world
        .until("nothing is under way", async || {
            let object = world.get().await?;
            (types(&object) == ["Ready", "ArtifactInStorage"]).then_some(object)
        })
        .await;
    assert_eq!(done["status"]["observedGeneration"], generation + 2);
    assert_eq!(done["status"]["lastHandledReconcileAt"], "1");
    world.stop().await;
}

/// Alerts and dashboards find a revision by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_says_what_was_stored_and_what_the_user_adds() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    let annotations =
        json!({ "event.toolkit.fluxcd.io/team": "red", "example.com/secret": "not to be told" });
    world
        .put(json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "Bucket",
            "metadata": { "name": "shop", "annotations": annotations }, "spec": bucket::spec(&storage, json!({})),
        }))
        .await;
    let object = world.ready(&bucket::stored(&[("a.yaml", "a: 1")])).await;
    let gvk = GroupVersionKind::new("v1", "Event");
    let event = world
        .until("the artifact is told of", async || {
            let events = world
                .cluster
                .list(&Identity::AsController, &gvk, Some("default"), "")
                .await
                .unwrap();
            events.into_iter().find(|event| event["reason"] == "NewArtifact")
        })
        .await;
    let artifact = &object["status"]["artifact"];
    assert_eq!(
        event["metadata"]["annotations"],
        json!({
            "event.toolkit.fluxcd.io/team": "red",
            "source.toolkit.fluxcd.io/digest": artifact["digest"],
            "source.toolkit.fluxcd.io/revision": artifact["revision"],
        })
    );
    assert_eq!(event["source"]["component"], "source-controller");
    assert_eq!(event["involvedObject"]["kind"], "Bucket");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_newer_and_cannot_be_had_is_named() {
    let (mut world, registry) = (ocirepository::world().await, Registry::start());
    let one = registry.push("org/app", "v1", &[("a", "1")]);
    world.start().await;
    let (url, reference) = (registry.url("org/app"), format!("{}/org/app:v1", registry.host()));
    world
        .put_source(json!({ "interval": "1h", "url": url, "ref": { "tag": "v1" } }))
        .await;
    let stored = ocirepository::stored(&format!("v1@{one}"));
    let good = world.ready(&stored).await;
    let failing = [
        "Reconciling",
        "Ready",
        "ArtifactInStorage",
        "ArtifactOutdated",
        "FetchFailed",
    ];

    // an index that has nothing for us
    let index = "application/vnd.oci.image.index.v1+json";
    let empty = json!({ "schemaVersion": 2, "mediaType": index, "manifests": [] });
    let two = registry.add_manifest("org/app", "v1", &empty);
    world.request("1").await;
    let failed = world.failed("OCIArtifactPullFailed").await;
    assert_eq!(types(&failed), failing);
    let news = format!("new revision 'v1@{two}' for '{reference}'");
    assert_eq!(
        condition(&failed, "ArtifactOutdated"),
        is_true("NewRevision", &news)
    );
    assert_eq!(
        condition(&failed, "Reconciling"),
        is_true("ProgressingWithRetry", &format!("building artifact: {news}"))
    );
    assert_eq!(
        condition(&failed, "Ready").2,
        format!(
            "failed to pull artifact from '{url}': no child with platform linux/amd64 in index {reference}"
        )
    );
    assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);

    // a manifest that is none
    let odd = registry.add_manifest_bytes("org/app", "v1", index, b"{");
    world.request("2").await;
    let failed = world.failed("OCIArtifactLayerOperationFailed").await;
    assert_eq!(types(&failed), failing);
    let message = condition(&failed, "FetchFailed").2;
    let begins = format!("failed to parse artifact manifest: {odd}: ");
    assert!(message.starts_with(&begins), "{message}");
    assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);

    // what was good before is it again, and nothing is said of what was not
    assert_eq!(registry.push("org/app", "v1", &[("a", "1")]), one);
    world.request("3").await;
    let healed = world.ready(&stored).await;
    assert_eq!(types(&healed), ["Ready", "ArtifactInStorage"]);
    assert_eq!(healed["status"]["artifact"], good["status"]["artifact"]);
    world
        .until("the end of it is told", async || {
            let events = world.events().await;
            let told = format!("Normal Succeeded: stored artifact with revision 'v1@{one}' from '{url}'");
            events.iter().any(|event| event.starts_with(&told)).then_some(())
        })
        .await;
    world.stop().await;
}

const REFUSED: &str = "unable to write to the artifact store: No such file or directory (os error 2)";

/// From now on the store of a world takes nothing.
fn close_store(world: &World) {
    fs::remove_dir_all(world.folder.path().join("store/tmp")).unwrap();
}

/// The store takes things again.
fn open_store(world: &World) {
    fs::create_dir(world.folder.path().join("store/tmp")).unwrap();
}

async fn fails_to_store(world: &World, action: &str) -> Value {
    let failed = world.failed("ArchiveOperationFailed").await;
    let message = format!("{action} to storage: {REFUSED}");
    assert_eq!(
        condition(&failed, "StorageOperationFailed"),
        is_true("ArchiveOperationFailed", &message)
    );
    assert_eq!(condition(&failed, "Ready").2, message);
    failed
}

/// R19. A Bucket's words are in `storage`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_has_its_words_for_a_store_that_takes_nothing() {
    let (mut world, server) = (helmrepository::world().await, Canned::start());
    let index = helmrepository::index(&["1.0.0"]);
    server.answer("GET /index.yaml", 200, &index);
    close_store(&world);
    world.start().await;
    world
        .put_source(json!({ "interval": "1h", "url": server.base() }))
        .await;
    fails_to_store(&world, "unable to save artifact").await;
    open_store(&world);
    world.ready(&helmrepository::stored(&index)).await;
    world.stop().await;

    let (mut world, registry) = (ocirepository::world().await, Registry::start());
    let one = registry.push("org/app", "v1", &[("a", "1")]);
    let copy = json!({
        "interval": "1h", "url": registry.url("org/app"), "ref": { "tag": "v1" },
        "layerSelector": { "operation": "copy" },
    });
    close_store(&world);
    world.start().await;
    world.put_source(copy.clone()).await;
    fails_to_store(&world, "unable to copy artifact").await;
    let extract = changed(copy, &json!({ "layerSelector": { "operation": "extract" } }));
    world.put_source(extract).await;
    world
        .until("it is extracted", async || {
            let message = condition(&world.get().await?, "StorageOperationFailed").2;
            (message == format!("unable to archive artifact to storage: {REFUSED}")).then_some(())
        })
        .await;
    open_store(&world);
    world.ready(&ocirepository::stored(&format!("v1@{one}"))).await;
    world.stop().await;

    let (mut world, server) = (helmchart::world().await, Canned::start());
    let archives = ["1.0.0", "1.1.0"].map(|version| chart("shop", version, &[]));
    let [old, new] = &archives;
    offer(&server, "shop", &[("1.0.0", old), ("1.1.0", new)]);
    world.start().await;
    let charts = json!({ "url": format!("{}charts", server.base()) });
    repository(&world, "charts", charts).await;
    world
        .put_source(helmchart::spec(json!({ "version": "1.0.0" })))
        .await;
    let good = world.ready("pulled 'shop' chart with version '1.0.0'").await;
    close_store(&world);
    world
        .put_source(helmchart::spec(json!({ "version": "1.1.0" })))
        .await;
    let failed = fails_to_store(&world, "unable to copy Helm chart").await;
    let news = "pulled 'shop' chart with version '1.1.0'";
    assert_eq!(condition(&failed, "ArtifactOutdated"), is_true("NewChart", news));
    assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);
    open_store(&world);
    let newer = world.ready(news).await;
    assert_eq!(newer["status"]["artifact"]["digest"], digest(new));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_no_repository_is_named_and_long_subjects_are_cut() {
    if !git_is_present("GitRepository and its disk") {
        return;
    }
    let mut world = gitrepository::World::new().await;
    let commit = world
        .repository
        .commit([("a.yaml", "a: 1")], &format!("{}\n\nand more", "é".repeat(51)));
    world.start().await;
    let stores = world.folder.path().join("fetched");
    fs::remove_dir_all(&stores).unwrap();
    fs::write(&stores, "in the way").unwrap();
    let url = world.git.url("shop");
    world
        .put_source(json!({ "interval": "1h", "url": url, "ref": { "branch": "main" } }))
        .await;
    let failed = world.failed("DirectoryCreationFailed").await;
    let message = condition(&failed, "StorageOperationFailed").2;
    let begins = "failed to create temporary working directory: ";
    assert!(message.starts_with(begins), "{message}");
    fs::remove_file(&stores).unwrap();
    fs::create_dir(&stores).unwrap();
    world
        .until("it is fetched", async || {
            let (status, _, message) = condition(&world.get().await?, "Ready");
            let stored = format!("stored artifact for revision 'main@sha1:{commit}'");
            (status == "True" && message == stored).then_some(())
        })
        .await;
    let told = format!(
        "Normal NewArtifact: stored artifact for commit '{}...'",
        "é".repeat(50)
    );
    world.told(&[told]).await;
    world.stop().await;
}

/// Commits and tags that git signed with ssh-keygen; `sluice-source` has them, and says how they were made.
fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../source/tests/signatures");
    fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_is_used_if_it_was_signed_as_asked() {
    if !git_is_present("GitRepository signed tags") {
        return;
    }
    let mut world = gitrepository::World::new().await;
    // the files of the fixtures
    world.repository.commit([("a.yaml", "a: 1\n")], "unsigned");
    let store = |kind: &str, name: &str| {
        let arguments = ["hash-object", "-t", kind, "-w", "--stdin"];
        world
            .repository
            .git_with_input(&arguments, fixture(name).as_bytes())
    };
    let commit = store("commit", "ssh-both.commit");
    let tag = store("tag", "ssh-both.tag");
    for (name, object) in [("v1.0.0", &tag), ("v2.0.0", &tag), ("light", &commit)] {
        world
            .repository
            .git(&["update-ref", &format!("refs/tags/{name}"), object]);
    }
    world
        .put_secret("keys", json!({ "ada.sshpub": fixture("ssh-both.sshpub") }))
        .await;
    world.start().await;
    let url = world.git.url("shop");
    let spec = |tag: &str, mode: &str| {
        json!({
            "interval": "1h", "url": url, "ref": { "tag": tag },
            "verify": { "mode": mode, "secretRef": { "name": "keys" } },
        })
    };
    let rows = [
        (
            "light",
            "InvalidGitObject",
            "cannot verify signature of tag 'light' since it is not signed".to_owned(),
        ),
        (
            "v2.0.0",
            "InvalidTagSignature",
            format!("signature verification of tag 'v2.0.0@{tag}' failed: "),
        ),
    ];
    for (name, reason, begins) in rows {
        world.put_source(spec(name, "Tag")).await;
        let failed = world.failed(reason).await;
        let (status, _, message) = condition(&failed, "SourceVerified");
        assert_eq!(status, "False");
        assert!(message.starts_with(&begins), "{message}");
        assert_eq!(failed.pointer("/status/artifact"), None);
    }
    let tag_line = format!("\n\t- tag 'v1.0.0@{tag}' with key 'SHA256:");
    let commit_line = format!("\n\t- commit '{commit}' with key 'SHA256:");
    for (mode, lines) in [
        ("Tag", vec![&tag_line]),
        ("TagAndHEAD", vec![&tag_line, &commit_line]),
    ] {
        world.put_source(spec("v1.0.0", mode)).await;
        let verified = world
            .until(&format!("verified as {mode} says"), async || {
                let object = world.get().await?;
                let is_current =
                    object.pointer("/status/observedGeneration") == object.pointer("/metadata/generation");
                let is_ready = condition(&object, "Ready").0 == "True";
                (is_current && is_ready).then_some(object)
            })
            .await;
        let (status, reason, message) = condition(&verified, "SourceVerified");
        assert_eq!((status.as_str(), reason.as_str()), ("True", "Succeeded"));
        assert_eq!(message.matches("\n\t- ").count(), lines.len(), "{message}");
        let has_all = lines.iter().all(|line| message.contains(line.as_str()));
        assert!(
            message.starts_with("verified signature of\n") && has_all,
            "{message}"
        );
        assert_eq!(verified["status"]["sourceVerificationMode"], mode);
        assert_eq!(
            verified["status"]["artifact"]["revision"],
            format!("v1.0.0@sha1:{commit}")
        );
    }
    world.stop().await;
}
