//! Stories of a Bucket: a store of objects that looks at signatures, the embedded API server, the real reconciler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition, path, types};
use serde_json::{Value, json};
use sluice_artifact::{Store, Tree};
use sluice_controller::reconcilers::bucket::Buckets;
use sluice_controller::reconcilers::source::SourceSettings;
use sluice_controller::runtime::{BUCKET, Reconciler};
use sluice_source::bucket::BucketLimits;
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::{Addresses, BucketFetcher};
use sluice_testkit::registry::digest;
use sluice_testkit::storage::{Authority, Storage, StorageFault, etag};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn reconciler(
    folder: &std::path::Path,
    store: Store,
    settings: SourceSettings,
    addresses: Addresses,
    endpoints: CloudEndpoints,
) -> Arc<dyn Reconciler> {
    let environment = CloudEnvironment::read(|name| match name {
        "AWS_ACCESS_KEY_ID" => Some("OWN".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("own-secret".to_owned()),
        _ => None,
    });
    let clouds = Clouds::new(environment, endpoints, 10, Duration::from_secs(60)).unwrap();
    let limits = BucketLimits {
        object_size_max: 1 << 20,
        objects_max: 20,
        ..BucketLimits::default()
    };
    let fetcher = BucketFetcher::new(&folder.join("objects"), limits, addresses).unwrap();
    Arc::new(Buckets::reconciler(fetcher, clouds, store, settings))
}

pub(crate) async fn world() -> World {
    World::new(&BUCKET, |folder, store, settings| {
        reconciler(
            folder,
            store,
            settings,
            Addresses::any(),
            CloudEndpoints::default(),
        )
    })
    .await
}

/// The usual spec with changes.
pub(crate) fn spec(storage: &Storage, changes: Value) -> Value {
    let usual = json!({
        "interval": "1h", "bucketName": "shop", "endpoint": storage.host(), "insecure": true,
    });
    changed(usual, &changes)
}

/// The revision of these objects, as Flux computes it.
fn revision(objects: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = objects
        .iter()
        .map(|(key, content)| format!("{key} {}\n", etag(content.as_bytes())))
        .collect();
    lines.sort();
    digest(lines.concat().as_bytes())
}

pub(crate) fn stored(objects: &[(&str, &str)]) -> String {
    format!("stored artifact: revision '{}'", revision(objects))
}

fn names(world: &World, object: &Value) -> Vec<String> {
    let tree = world.store.tree(&path(object)).unwrap();
    tree.walk("/")
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_becomes_an_artifact_and_follows_the_store() {
    let (mut world, storage) = (world().await, Storage::start());
    let mut objects = vec![
        ("a.yaml", "a: 1"),
        ("apps/b c&d+é.yaml", "b"),
        ("apps/web/e.yaml", "e"),
        ("z", ""),
    ];
    for (key, content) in &objects {
        storage.put("shop", key, content);
    }
    // markers of folders, one of them alone
    storage.put("shop", "apps/", "");
    storage.put("shop", "empty/", "");
    storage.put("shop", "README.md", "ignored");
    storage.put("shop", "docs/x.txt", "ignored");
    storage.put("shop", ".sourceignore", "*.md\n");
    storage.require("KEY", "s3cr3t/key");
    world
        .put_secret("login", json!({ "accesskey": "KEY", "secretkey": "s3cr3t/key" }))
        .await;
    world.start().await;
    let whole = spec(
        &storage,
        json!({ "secretRef": { "name": "login" }, "ignore": "docs/\n" }),
    );
    world.put_source(whole.clone()).await;
    let object = world.ready(&stored(&objects)).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    let artifact = object.pointer("/status/artifact").unwrap();
    let hex = revision(&objects).replace("sha256:", "");
    assert_eq!(artifact["path"], format!("bucket/default/shop/{hex}.tar.gz"));
    assert_eq!(object["status"]["observedIgnore"], "docs/\n");
    let url = object["status"]["url"].as_str().unwrap();
    assert!(url.ends_with("/bucket/default/shop/latest.tar.gz"), "{url}");
    assert_eq!(
        names(&world, &object),
        [
            "/.sourceignore",
            "/a.yaml",
            "/apps/b c&d+é.yaml",
            "/apps/web/e.yaml",
            "/z"
        ]
    );
    let told = "Normal NewArtifact: stored artifact with 4 fetched files from 'shop' bucket".to_owned();
    world.told(&[told]).await;

    // Nothing new: listed, and no object is asked for but the rules.
    storage.take_seen();
    world.request("1").await;
    let asked: Vec<String> = storage.take_seen().into_iter().map(|seen| seen.target).collect();
    assert!(
        asked
            .iter()
            .all(|target| target.contains("list-type") || target.ends_with("/.sourceignore")),
        "{asked:?}"
    );
    assert_eq!(world.get().await.unwrap()["status"]["artifact"], *artifact);

    // One changes, one goes, one comes.
    storage.put("shop", "a.yaml", "a: 2");
    storage.delete("shop", "z");
    storage.put("shop", "apps/new", "n");
    objects = vec![
        ("a.yaml", "a: 2"),
        ("apps/b c&d+é.yaml", "b"),
        ("apps/web/e.yaml", "e"),
        ("apps/new", "n"),
    ];
    world.request("2").await;
    let object = world.ready(&stored(&objects)).await;
    assert_eq!(
        names(&world, &object),
        [
            "/.sourceignore",
            "/a.yaml",
            "/apps/b c&d+é.yaml",
            "/apps/new",
            "/apps/web/e.yaml"
        ]
    );

    // A prefix is the beginning of a key, and keys keep it.
    let mut narrow = whole.clone();
    narrow["prefix"] = json!("apps/w");
    world.put_source(narrow).await;
    let object = world.ready(&stored(&[("apps/web/e.yaml", "e")])).await;
    assert_eq!(names(&world, &object), ["/.sourceignore", "/apps/web/e.yaml"]);
    // listed, and gone when it is fetched: as if it had not been there
    storage.put("shop", "apps/wx", "x");
    storage.misbehave(StorageFault::Vanished("apps/wx".to_owned()));
    let long_ago = json!("2020-01-01T00:00:00Z");
    world
        .merge_status(json!({ "artifact": { "lastUpdateTime": long_ago } }))
        .await;
    world.request("3").await;
    let object = world.ready(&stored(&[("apps/web/e.yaml", "e")])).await;
    assert_eq!(names(&world, &object), ["/.sourceignore", "/apps/web/e.yaml"]);
    // the same files are the same artifact
    assert_eq!(object["status"]["artifact"]["lastUpdateTime"], long_ago);
    world.delete().await;
    assert_eq!(world.store.artifacts(), []);
    world.stop().await;
}

/// In a repository these are left out where nothing is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_bucket_nothing_is_left_out_by_itself() {
    let (mut world, storage) = (world().await, Storage::start());
    let objects = [
        (".github/a.yaml", "a"),
        (".gitignore", "b"),
        (".sops.yaml", "c"),
        ("logo.png", "d"),
    ];
    for (key, content) in &objects {
        storage.put("shop", key, content);
    }
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let object = world.ready(&stored(&objects)).await;
    assert_eq!(
        names(&world, &object),
        ["/.github/a.yaml", "/.gitignore", "/.sops.yaml", "/logo.png"]
    );
    // nor by comments, which are no rules
    let commented = spec(&storage, json!({ "ignore": "# nothing\n" }));
    world.put_source(commented).await;
    world
        .until("the comment is observed", async || {
            let object = world.get().await?;
            (object["status"]["observedIgnore"] == "# nothing\n").then_some(())
        })
        .await;
    let same = world.ready(&stored(&objects)).await;
    assert_eq!(same["status"]["artifact"], object["status"]["artifact"]);
    // an empty bucket is one too
    for (key, _) in &objects {
        storage.delete("shop", key);
    }
    world.request("1").await;
    let empty = world.ready(&stored(&[])).await;
    assert_eq!(
        empty["status"]["artifact"]["revision"],
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    world.stop().await;
}

/// N24.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_named_and_the_last_good_artifact_stays() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a", "1");
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let good = world.ready(&stored(&[("a", "1")])).await;
    storage.put("shop", "a", "2");
    let elsewhere = Storage::start();
    let rows = [
        (
            StorageFault::Status("a".to_owned(), 403),
            "fetch from bucket 'shop' failed: failed to get 'a' object: Broken: it is broken (403 Forbidden; give these credentials the right to list and to read",
        ),
        (
            StorageFault::Status(String::new(), 400),
            "indexation of objects from bucket 'shop' failed: listing objects from bucket 'shop' failed: Broken: it is broken (400 Bad Request; ",
        ),
        (
            StorageFault::Endless("a".to_owned()),
            "fetch from bucket 'shop' failed: failed to get 'a' object: the object exceeds the limit of 1048576 bytes (object_size_max)",
        ),
        (
            StorageFault::Endless(String::new()),
            "indexation of objects from bucket 'shop' failed: listing objects from bucket 'shop' failed: a page of the list exceeds the limit of 8388608 bytes (page_size_max)",
        ),
        (
            StorageFault::Redirect(format!("{}/shop", elsewhere.base())),
            "failed to confirm existence of 'shop' bucket: the store sends readers elsewhere: 307",
        ),
    ];
    for (number, (fault, message)) in rows.into_iter().enumerate() {
        storage.misbehave(fault.clone());
        world.request(&format!("r{number}")).await;
        let failed = world
            .until(message, async || {
                let object = world.get().await?;
                condition(&object, "FetchFailed")
                    .2
                    .starts_with(message)
                    .then_some(object)
            })
            .await;
        assert_eq!(
            condition(&failed, "Ready").1,
            "BucketOperationFailed",
            "{fault:?}"
        );
        assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);
        // nothing is outdated before something newer is here
        assert_eq!(
            types(&failed),
            ["Reconciling", "Ready", "ArtifactInStorage", "FetchFailed"]
        );
    }
    assert_eq!(elsewhere.take_seen(), [], "a signature goes nowhere else");
    storage.misbehave(StorageFault::None);
    let rows = [
        (json!({ "bucketName": "none" }), "bucket 'none' not found"),
        (
            json!({ "endpoint": "localhost:1" }),
            "failed to confirm existence of 'shop' bucket: Connection refused",
        ),
        (
            json!({ "endpoint": "http://localhost:1/x" }),
            "invalid endpoint 'http://localhost:1/x': write host[:port]",
        ),
        (
            json!({ "secretRef": { "name": "no" } }),
            "failed to get secret 'default/no': secrets \"no\" not found",
        ),
        (
            json!({ "proxySecretRef": { "name": "no" } }),
            "failed to get proxy URL: secret 'default/no' not found",
        ),
        (
            json!({ "insecure": false, "certSecretRef": { "name": "no" } }),
            "failed to get TLS config: secret 'default/no' not found",
        ),
        (
            json!({ "timeout": "1s", "endpoint": storage.host(), "prefix": "hang" }),
            "failed to confirm existence of 'shop' bucket: context deadline exceeded",
        ),
    ];
    for (changes, message) in rows {
        let hangs = changes.get("timeout").is_some();
        storage.misbehave(if hangs {
            StorageFault::Hang
        } else {
            StorageFault::None
        });
        world.put_source(spec(&storage, changes)).await;
        world
            .until(message, async || {
                condition(&world.get().await?, "FetchFailed")
                    .2
                    .starts_with(message)
                    .then_some(())
            })
            .await;
    }
    storage.misbehave(StorageFault::None);
    let text = world.events().await.join("\n") + &world.get().await.unwrap().to_string();
    assert!(
        !text.contains("StringToSign") && !text.contains("not to be shown"),
        "{text}"
    );
    world.stop().await;
}

/// N10.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_no_paths_are_refused_and_so_are_too_many() {
    let (mut world, storage) = (world().await, Storage::start());
    storage.put("shop", "a", "1");
    world.start().await;
    world.put_source(spec(&storage, json!({}))).await;
    let good = world.ready(&stored(&[("a", "1")])).await;
    for (number, key) in ["../../x", "a/../../x", "b//c", "b\\c", "./d", "/e"]
        .iter()
        .enumerate()
    {
        storage.put("shop", key, "evil");
        world.request(&format!("r{number}")).await;
        let failed = world.failed("BucketOperationFailed").await;
        let message = condition(&failed, "FetchFailed").2;
        assert!(message.contains("rename the object"), "{key}: {message}");
        assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);
        storage.delete("shop", key);
    }
    for number in 0..21 {
        storage.put("shop", &format!("many/{number}"), "");
    }
    world.request("many").await;
    let message = "indexation of objects from bucket 'shop' failed: listing objects from bucket 'shop' failed: more than 20 objects (objects_max): narrow spec.prefix or spec.ignore";
    world
        .until(message, async || {
            (condition(&world.get().await?, "FetchFailed").2 == message).then_some(())
        })
        .await;
    // both a file and a directory
    world
        .put_source(spec(&storage, json!({ "prefix": "clash" })))
        .await;
    world.ready(&stored(&[])).await;
    storage.put("shop", "clash", "x");
    storage.put("shop", "clash/y", "y");
    world.request("clash").await;
    let failed = world.failed("ArchiveOperationFailed").await;
    assert!(
        condition(&failed, "StorageOperationFailed")
            .2
            .contains("is both a file and a directory")
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_we_are_comes_from_secrets_token_services_and_the_controller() {
    let authority = Authority::new();
    let (mut world, storage) = (world().await, Storage::start_tls(&authority));
    storage.put("shop", "a", "1");
    storage.require_person("me", "pass word&+");
    world
        .put_secret("certs", json!({ "ca.crt": authority.pem() }))
        .await;
    world
        .put_secret("person", json!({ "username": "me", "password": "pass word&+" }))
        .await;
    world.start().await;
    let sts = json!({
        "provider": "ldap", "endpoint": format!("{}/sts", storage.base()),
        "secretRef": { "name": "person" }, "certSecretRef": { "name": "certs" },
    });
    let secure =
        json!({ "insecure": false, "certSecretRef": { "name": "certs" }, "sts": sts, "region": "eu-west-1" });
    world.put_source(spec(&storage, secure.clone())).await;
    world.ready(&stored(&[("a", "1")])).await;

    world
        .put_secret("person", json!({ "username": "me", "password": "other" }))
        .await;
    world.request("1").await;
    let failed = world.failed("BucketOperationFailed").await;
    let message = condition(&failed, "FetchFailed").2;
    assert!(message.contains("/sts: UNAUTHORIZED"), "{message}");
    assert!(!message.contains("other"), "{message}");
    world
        .put_secret("nobody", json!({ "username": "me", "password": "" }))
        .await;
    let mut nobody = secure.clone();
    nobody["sts"]["secretRef"]["name"] = json!("nobody");
    world.put_source(spec(&storage, nobody)).await;
    let failed = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&failed, "FetchFailed").2,
        "invalid 'nobody' secret data for 'ldap' STS provider: required fields username, password"
    );

    // the wrong key; its text is not repeated
    storage.require("KEY", "right");
    world
        .put_secret(
            "login",
            json!({ "accesskey": "KEY", "secretkey": "wrong-s3cr3t" }),
        )
        .await;
    let mut keyed = secure.clone();
    keyed.as_object_mut().unwrap().remove("sts");
    keyed["secretRef"] = json!({ "name": "login" });
    world.put_source(spec(&storage, keyed.clone())).await;
    let message = world
        .until("the signature is refused", async || {
            let message = condition(&world.get().await?, "FetchFailed").2;
            message
                .contains("SignatureDoesNotMatch: the signature is wrong")
                .then_some(message)
        })
        .await;
    assert!(!message.contains("not to be shown"), "{message}");
    world.put_secret("half", json!({ "accesskey": "KEY" })).await;
    let mut half = keyed.clone();
    half["secretRef"] = json!({ "name": "half" });
    world.put_source(spec(&storage, half)).await;
    let failed = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&failed, "FetchFailed").2,
        "invalid 'half' secret data: required fields 'accesskey' and 'secretkey'"
    );
    world
        .put_secret("login", json!({ "accesskey": "KEY", "secretkey": "right" }))
        .await;
    world.put_source(spec(&storage, keyed.clone())).await;
    world.ready(&stored(&[("a", "1")])).await;

    // where the bucket is the user says, or else the store
    storage.lie_in("eu-south-2");
    storage.put("shop", "c", "3");
    world.request("3").await;
    let failed = world.failed("BucketOperationFailed").await;
    let message = condition(&failed, "FetchFailed").2;
    assert!(message.contains("AuthorizationHeaderMalformed"), "{message}");
    let mut nowhere = keyed.clone();
    nowhere.as_object_mut().unwrap().remove("region");
    world.put_source(spec(&storage, nowhere)).await;
    world.ready(&stored(&[("a", "1"), ("c", "3")])).await;
    storage.delete("shop", "c");
    storage.lie_in("eu-west-1");

    // Amazon's, without a Secret: the controller's own key
    storage.require("OWN", "own-secret");
    let mut own = keyed;
    own.as_object_mut().unwrap().remove("secretRef");
    own["provider"] = json!("aws");
    world.put_source(spec(&storage, own.clone())).await;
    storage.put("shop", "b", "2");
    world.request("4").await;
    world.ready(&stored(&[("a", "1"), ("b", "2")])).await;

    // not for its identity: tokens go to Amazon's services alone
    own["sts"] = json!({ "provider": "aws", "endpoint": "https://sts.evil.example" });
    world.put_source(spec(&storage, own)).await;
    let failed = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&failed, "Ready").2,
        r"AWS authentication failed: invalid STS endpoint: 'https://sts.evil.example'. must match ^https://(.+\.)?sts(-fips)?(\.[^.]+)?(\.vpce)?\.amazonaws\.com$"
    );
    world.stop().await;
}

/// A key of nobody, which other tests have too.
const RSA_KEY: &str = include_str!("../../decrypt/tests/keys/rsa.pem");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn googles_store_takes_a_service_account() {
    let storage = Arc::new(Storage::start());
    storage.put("shop", "a", "1");
    storage.require_account();
    let base = storage.base();
    let mut world = World::new(&BUCKET, move |folder, store, settings| {
        let emulator = Some(format!("{base}/").parse().unwrap());
        let endpoints = CloudEndpoints { emulator };
        reconciler(folder, store, settings, Addresses::any(), endpoints)
    })
    .await;
    world.start().await;
    let google = json!({ "provider": "gcp", "secretRef": { "name": "account" }, "insecure": false });
    for (key, words) in [
        (
            "s3cr3t",
            "invalid 'account' secret data: failed to parse 'serviceaccount' as JSON",
        ),
        (
            "{\"type\": \"external_account\", \"client_email\": \"s3cr3t\"}",
            "invalid 'account' secret data: 'serviceaccount' must contain a service account key with 'type' set to 'service_account'",
        ),
        (
            "{\"type\": \"service_account\", \"client_email\": \"s3cr3t\"}",
            "failed to create Google credentials from secret: 'serviceaccount' is no key of a service account",
        ),
    ] {
        world
            .put_secret("account", json!({ "serviceaccount": key }))
            .await;
        world.put_source(spec(&storage, google.clone())).await;
        world.request(words).await;
        let failed = world.failed("AuthenticationFailed").await;
        let message = condition(&failed, "FetchFailed").2;
        assert!(
            message.starts_with(words) && !message.contains("s3cr3t"),
            "{message}"
        );
    }
    let account = json!({
        "type": "service_account", "client_email": "reader@shop.example", "private_key": RSA_KEY,
        "token_uri": format!("{}/token", storage.base()),
    });
    world
        .put_secret("account", json!({ "serviceaccount": account.to_string() }))
        .await;
    world.request("1").await;
    world.ready(&stored(&[("a", "1")])).await;
    world.stop().await;
}

/// N21.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_addresses_of_sources_hold_for_buckets() {
    let storage = Storage::start();
    storage.put("shop", "a", "1");
    let mut world = World::new(&BUCKET, |folder, store, settings| {
        let addresses = Addresses::guarded(Vec::new(), &[]).unwrap();
        reconciler(folder, store, settings, addresses, CloudEndpoints::default())
    })
    .await;
    world.start().await;
    let sts = json!({ "provider": "ldap", "endpoint": format!("{}/sts", storage.base()) });
    for changes in [
        json!({}),
        json!({ "endpoint": "169.254.169.254" }),
        json!({ "endpoint": "s3.example", "sts": sts }),
    ] {
        world.put_source(spec(&storage, changes.clone())).await;
        let generation = world.get().await.unwrap()["metadata"]["generation"].clone();
        world
            .until("refused by policy", async || {
                let object = world.get().await?;
                let conditions = object.pointer("/status/conditions")?.as_array()?.clone();
                let failed = conditions
                    .iter()
                    .find(|condition| condition["type"] == "FetchFailed")?;
                let is_new = failed["observedGeneration"] == generation;
                (is_new && failed["message"].as_str()?.contains("--source-allowed-addresses")).then_some(())
            })
            .await;
    }
    assert_eq!(storage.take_seen(), []);
    world.stop().await;
}
