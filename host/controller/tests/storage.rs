//! Stories of the store under a source: what is lost, what nobody needs, what the disk refuses. A Bucket stands for all kinds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::bucket::{reconciler, spec, stored, world};
use crate::sources::{World, condition, path, types};
use serde_json::json;
use sluice_apply::cluster::{Cluster, Identity, Preconditions};
use sluice_artifact::ArtifactPath;
use sluice_controller::reconcilers::source::SourceSettings;
use sluice_controller::runtime::BUCKET;
use sluice_source::Addresses;
use sluice_source::credential::cloud::CloudEndpoints;
use sluice_testkit::storage::Storage;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// `--storage-adv-addr` may be another one after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_follow_the_advertised_address() {
    let storage = Storage::start();
    storage.put("shop", "a.yaml", "a: 1");
    let address = Arc::new(Mutex::new("first.example"));
    let now = Arc::clone(&address);
    let mut world = World::new(&BUCKET, move |folder, store, settings| {
        let settings = SourceSettings {
            advertised_address: (*now.lock().unwrap()).to_owned(),
            ..settings
        };
        reconciler(
            folder,
            store,
            settings,
            Addresses::any(),
            CloudEndpoints::default(),
        )
    })
    .await;
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let ready = stored(&[("a.yaml", "a: 1")]);
    let before = world.ready(&ready).await;
    let path = before["status"]["artifact"]["path"].as_str().unwrap();
    assert_eq!(
        before["status"]["artifact"]["url"],
        format!("http://first.example/{path}")
    );
    *address.lock().unwrap() = "second.example:8080";
    world.start().await;
    world.request("1").await;
    let after = world.ready(&ready).await;
    assert_eq!(
        after["status"]["artifact"]["url"],
        format!("http://second.example:8080/{path}")
    );
    assert_eq!(
        after["status"]["url"],
        "http://second.example:8080/bucket/default/shop/latest.tar.gz"
    );
    assert_eq!(
        after["status"]["artifact"]["lastUpdateTime"],
        before["status"]["artifact"]["lastUpdateTime"]
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_told_of_once_and_fetched_again_at_once() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "some content: 1");
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let ready = stored(&[("a.yaml", "some content: 1")]);
    let good = world.ready(&ready).await;
    let artifact = path(&good);
    for entry in fs::read_dir(world.folder.path().join("store/segments")).unwrap() {
        let segment = entry.unwrap().path();
        let mut bytes = fs::read(&segment).unwrap();
        if let Some(at) = bytes.windows(12).position(|window| window == b"some content") {
            bytes[at] ^= 1;
            fs::write(&segment, bytes).unwrap();
        }
    }
    // whoever reads it finds it, and nobody asks the source
    world.store.write_archive(&artifact, &mut Vec::new()).unwrap_err();
    world
        .until("it is whole again", async || world.store.artifact(&artifact))
        .await;
    world.store.write_archive(&artifact, &mut Vec::new()).unwrap();
    let told = format!(
        "Warning ArtifactVerificationFailed: failed to verify integrity of artifact: files of '{artifact}' are damaged or missing in storage"
    );
    world.told(std::slice::from_ref(&told)).await;
    world.request("1").await;
    let again = world.ready(&ready).await;
    assert_eq!(
        again["status"]["artifact"]["digest"],
        good["status"]["artifact"]["digest"]
    );
    let events = world.events().await;
    assert_eq!(events.iter().filter(|event| **event == told).count(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_as_promised_is_told_and_fetched_again() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let ready = stored(&[("a.yaml", "a: 1")]);
    let good = world.ready(&ready).await;
    let other = format!("sha256:{}", "0".repeat(64));
    world
        .merge_status(json!({ "artifact": { "digest": other } }))
        .await;
    world.request("1").await;
    let told = format!(
        "Warning ArtifactVerificationFailed: failed to verify integrity of artifact: computed digest doesn't match '{other}'"
    );
    world.told(&[told]).await;
    let again = world.ready(&ready).await;
    assert_eq!(
        again["status"]["artifact"]["digest"],
        good["status"]["artifact"]["digest"]
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn artifacts_go_with_their_objects_however_these_go() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    // its object went while nobody looked
    let orphan: ArtifactPath = "bucket/default/orphan/aa.tar.gz".parse().unwrap();
    let mut draft = world.store.draft();
    let blob = draft.blob(b"of nobody").unwrap();
    draft.commit_file(&orphan, "sha256:aa", blob).unwrap();
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    world.ready(&stored(&[("a.yaml", "a: 1")])).await;
    world
        .until("the artifact without an object is gone", async || {
            let kept = world.store.artifacts();
            kept.iter().all(|artifact| artifact.path != orphan).then_some(())
        })
        .await;
    // its finalizer is taken by force
    world.merge(json!({ "metadata": { "finalizers": null } })).await;
    world.delete().await;
    world
        .until("nothing is left", async || {
            world.store.artifacts().is_empty().then_some(())
        })
        .await;
    world.stop().await;
}

/// Waits until the object has its finalizer, and puts something else in the place of its artifact, which cannot be removed then.
async fn unremovable(world: &World) -> PathBuf {
    world
        .until("it has its finalizer", async || {
            let object = world.get().await?;
            object.pointer("/metadata/finalizers/0").is_some().then_some(())
        })
        .await;
    let records = world.folder.path().join("store/artifacts/bucket/default/shop");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&record).unwrap();
    fs::create_dir(&record).unwrap();
    record
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn artifacts_that_cannot_be_removed_with_their_object_are_removed_later() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let artifact = path(&world.ready(&stored(&[("a.yaml", "a: 1")])).await);
    let record = unremovable(&world).await;
    world.merge(json!({ "metadata": { "finalizers": null } })).await;
    world.delete().await;
    // whoever comes later has its turn after it
    let next = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "Bucket", "metadata": { "name": "next" },
        "spec": spec(&storage, json!({})),
    });
    world.put(next.clone()).await;
    let is_kept = |world: &World, path: &ArtifactPath| {
        let kept = world.store.artifacts();
        kept.iter().any(|kept| kept.path == *path)
    };
    world
        .until("the next one is ready", async || {
            let id = World::id(&next);
            let object = world.cluster.get(&Identity::AsController, &id).await.unwrap()?;
            (condition(&object, "Ready").0 == "True").then_some(())
        })
        .await;
    assert!(is_kept(&world, &artifact));
    fs::remove_dir(&record).unwrap();
    world
        .until("it is removed", async || {
            (!is_kept(&world, &artifact)).then_some(())
        })
        .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_whose_artifacts_cannot_be_removed_stays_and_says_so() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let object = world.ready(&stored(&[("a.yaml", "a: 1")])).await;
    let record = unremovable(&world).await;
    let id = World::id(&object);
    let deleted = world
        .cluster
        .delete(&Identity::AsController, &id, Preconditions::default());
    deleted.await.unwrap();
    let begins = "Warning GarbageCollectionFailed: garbage collection for deleted resource failed: unable to remove artifact: ";
    world
        .until("it says why it stays", async || {
            let events = world.events().await;
            events.iter().any(|event| event.starts_with(begins)).then_some(())
        })
        .await;
    assert!(world.get().await.is_some());
    fs::remove_dir(&record).unwrap();
    world
        .until("it is gone", async || world.get().await.is_none().then_some(()))
        .await;
    assert_eq!(world.store.artifacts(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_refuses_is_named() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    let temporary = world.folder.path().join("store/tmp");
    fs::remove_dir_all(&temporary).unwrap();
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let failed = world.failed("ArchiveOperationFailed").await;
    assert_eq!(
        condition(&failed, "Ready").2,
        "unable to archive artifact to storage: unable to write to the artifact store: No such file or directory (os error 2)"
    );
    assert!(types(&failed).contains(&"StorageOperationFailed".to_owned()));
    fs::create_dir(&temporary).unwrap();
    world.ready(&stored(&[("a.yaml", "a: 1")])).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_suspended_is_observed_also_where_it_is_not_ready() {
    let (mut world, storage) = (world().await, Storage::start());
    world.start().await;
    world
        .put_source(spec(&storage, json!({ "bucketName": "none" })))
        .await;
    let failed = world.failed("BucketOperationFailed").await;
    assert_eq!(failed["status"]["observedGeneration"], -1);
    world.merge(json!({ "spec": { "suspend": true } })).await;
    world
        .until("the suspension is observed", async || {
            let object = world.get().await?;
            (object["status"]["observedGeneration"] == object["metadata"]["generation"]).then_some(())
        })
        .await;
    let object = world.get().await.unwrap();
    assert_eq!(condition(&object, "Ready").0, "False");
    world.stop().await;
}
