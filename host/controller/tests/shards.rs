//! A controller of one shard: sources that come into it, and those that leave it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::bucket::{spec, stored, world};
use crate::sources::{World, condition};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_testkit::storage::Storage;

const OURS: &str = "sharded";

fn labeled(shard: &str) -> Value {
    json!({ "metadata": { "labels": { "shard": shard } } })
}

/// Another bucket than the one that the world knows: it is ours from the beginning.
fn ours(storage: &Storage) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "Bucket",
        "metadata": { "name": OURS, "labels": { "shard": "ours" } }, "spec": spec(storage, json!({})),
    })
}

async fn is_ready(world: &World, object: &Value) -> Option<()> {
    let id = World::id(object);
    let object = world.cluster.get(&Identity::AsController, &id).await.unwrap()?;
    (condition(&object, "Ready").0 == "True").then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_brings_a_source_into_a_shard_and_takes_it_out() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.put_source(spec(&storage, json!({}))).await;
    world
        .start_with(|settings| settings.watch_label_selector = Some("shard=ours".to_owned()))
        .await;
    // it is seen after the one that is not ours
    let ours = ours(&storage);
    world.put(ours.clone()).await;
    world
        .until("ours is ready", async || is_ready(&world, &ours).await)
        .await;
    let theirs = world.get().await.unwrap();
    assert_eq!(condition(&theirs, "Ready").0, "", "it is left to others");

    world.merge(labeled("ours")).await;
    world.ready(&stored(&[("a.yaml", "a: 1")])).await;

    // nothing is said any more of one that left
    let is_measured = || sluice_event::metrics::encode().contains(&format!("name=\"{OURS}\""));
    world
        .until("it is measured", async || is_measured().then_some(()))
        .await;
    world.merge_other(OURS, labeled("theirs")).await;
    world
        .until("it is measured no longer", async || {
            (!is_measured()).then_some(())
        })
        .await;
    world.stop().await;
}
