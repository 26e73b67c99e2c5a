//! How long sources wait for somebody who does not answer, and how they leave alone who wants to be.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::helmchart::repository;
use crate::sources::{World, changed, condition};
use crate::{bucket, gitrepository, helmchart, helmrepository, ocirepository};
use serde_json::{Value, json};
use sluice_testkit::canned::Canned;
use sluice_testkit::git_server::git_is_present;
use sluice_testkit::registry::{Fault, Registry, Signer};
use sluice_testkit::storage::{Storage, StorageFault};

/// Waits until a condition says all these words.
async fn says(world: &World, type_: &str, words: &[&str]) -> Value {
    world
        .until(&format!("{type_} says {words:?}"), async || {
            let object = world.get().await?;
            let message = condition(&object, type_).2;
            words
                .iter()
                .all(|words| message.contains(words))
                .then_some(object)
        })
        .await
}

const LATE: &str = "context deadline exceeded";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_and_a_chart_are_given_up_when_the_time_is_over() {
    // it hangs, whatever it is asked for
    let silent = Storage::start();
    silent.misbehave(StorageFault::Hang);
    let mut world = helmrepository::world().await;
    world.start().await;
    let url = format!("{}/charts", silent.base());
    world
        .put_source(json!({ "interval": "1h", "timeout": "1s", "url": url }))
        .await;
    let begins = "failed to fetch Helm repository index: failed to cache index to temporary file: Get \"";
    let failed = says(&world, "FetchFailed", &[begins, LATE]).await;
    assert_eq!(condition(&failed, "Ready").1, "Failed");
    world.stop().await;

    let (mut world, server) = (helmchart::world().await, Canned::start());
    let index = format!(
        "apiVersion: v1\nentries:\n  shop:\n  - name: shop\n    version: 1.0.0\n    urls: [\"{url}/shop.tgz\"]\n"
    );
    server.answer("GET /charts/index.yaml", 200, &index);
    world.start().await;
    let charts = json!({ "url": format!("{}charts", server.base()), "timeout": "1s" });
    repository(&world, "charts", charts).await;
    world.put_source(helmchart::spec(json!({}))).await;
    let begins = "chart pull error: failed to download chart for remote reference: Get \"";
    let failed = says(&world, "FetchFailed", &[begins, LATE]).await;
    assert_eq!(condition(&failed, "Ready").1, "ChartPullError");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listing_and_downloading_have_a_time_each() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a", "1");
    storage.misbehave(StorageFault::Silent("a".to_owned()));
    world.start().await;
    world
        .put_source(bucket::spec(&storage, json!({ "timeout": "1s" })))
        .await;
    let begins = "fetch from bucket 'shop' failed: failed to get 'a' object: ";
    let failed = says(&world, "FetchFailed", &[begins, LATE]).await;
    assert_eq!(condition(&failed, "Ready").1, "BucketOperationFailed");
    storage.misbehave(StorageFault::None);
    world.ready(&bucket::stored(&[("a", "1")])).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_that_do_not_come_are_given_up_when_the_time_is_over() {
    let (mut world, registry) = (ocirepository::world().await, Registry::start());
    let (signer, one) = (Signer::new(), registry.push("org/app", "v1", &[("a", "")]));
    signer.sign(&registry, "org/app", &one);
    registry.misbehave(Fault::HangReferrers);
    world
        .put_secret("keys", json!({ "cosign.pub": signer.public_pem() }))
        .await;
    world.start().await;
    world
        .put_source(json!({
            "interval": "1h", "timeout": "1s", "url": registry.url("org/app"), "ref": { "tag": "v1" },
            "verify": { "provider": "cosign", "secretRef": { "name": "keys" } },
        }))
        .await;
    let begins = "failed to verify the signature using provider 'cosign': ";
    let failed = says(&world, "SourceVerified", &[begins, LATE]).await;
    assert_eq!(condition(&failed, "SourceVerified").0, "False");
    assert_eq!(failed.pointer("/status/artifact"), None);
    registry.misbehave(Fault::None);
    world.ready(&ocirepository::stored(&format!("v1@{one}"))).await;
    world.stop().await;
}

/// What is said of a server that wants to be left alone; that it is, the frame shows.
const LIMITED: [&str; 2] = [
    "429 Too Many Requests, to be asked again after 7 s",
    "the server limits the rate of requests: it must be asked less often",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_rate_is_said_by_each_kind() {
    let server = Canned::start();
    let limit = |question: &str| server.answer_with(question, 429, &[("Retry-After", "7")], "");
    let base = server.base();
    let usual = json!({ "interval": "1h", "url": format!("{base}shop") });

    limit("GET /shop/index.yaml");
    let mut world = helmrepository::world().await;
    world.start().await;
    world.put_source(usual.clone()).await;
    says(&world, "FetchFailed", &LIMITED).await;
    world.stop().await;

    limit("GET /charts/files/shop-1.0.0.tgz");
    let index = "apiVersion: v1\nentries:\n  shop:\n  - name: shop\n    version: 1.0.0\n    urls: [files/shop-1.0.0.tgz]\n";
    server.answer("GET /charts/index.yaml", 200, index);
    let mut world = helmchart::world().await;
    world.start().await;
    repository(&world, "charts", json!({ "url": format!("{base}charts") })).await;
    world.put_source(helmchart::spec(json!({}))).await;
    says(&world, "FetchFailed", &LIMITED).await;
    world.stop().await;

    limit("GET /shop/.sourceignore");
    let mut world = bucket::world().await;
    world.start().await;
    let host = base.trim_start_matches("http://").trim_end_matches('/');
    world
        .put_source(json!({ "interval": "1h", "bucketName": "shop", "endpoint": host, "insecure": true }))
        .await;
    let failed = says(&world, "FetchFailed", &LIMITED).await;
    assert_eq!(condition(&failed, "Ready").1, "BucketOperationFailed");
    world.stop().await;

    let registry = Registry::start();
    registry.misbehave(Fault::RetryAfter(429, 7));
    let mut world = ocirepository::world().await;
    world.start().await;
    world
        .put_source(changed(usual.clone(), &json!({ "url": registry.url("org/app") })))
        .await;
    says(&world, "FetchFailed", &LIMITED).await;
    world.stop().await;

    if !git_is_present("a limit of rate of a Git server") {
        return;
    }
    limit("GET /shop/info/refs");
    let mut world = gitrepository::World::new().await;
    world.start().await;
    world.put_source(usual).await;
    let words = ["to be asked again after 7 s", "it must be asked less often"];
    let failed = says(&world, "FetchFailed", &words).await;
    assert_eq!(condition(&failed, "Ready").1, "GitOperationFailed");
    world.stop().await;
}
