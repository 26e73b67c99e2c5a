//! Stories of a Bucket in Microsoft's store, of one behind a proxy, and of the disk that artifacts lie on.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition, path};
use serde_json::{Value, json};
use sluice_artifact::{Store, Tree};
use sluice_controller::reconcilers::bucket::Buckets;
use sluice_controller::reconcilers::source::SourceSettings;
use sluice_controller::runtime::{BUCKET, Reconciler};
use sluice_source::bucket::BucketLimits;
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::{Addresses, BucketFetcher};
use sluice_testkit::registry::digest;
use sluice_testkit::storage::{Authority, AzureAccess, Storage, etag};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn reconciler(
    folder: &Path,
    store: Store,
    settings: SourceSettings,
    endpoints: CloudEndpoints,
) -> Arc<dyn Reconciler> {
    let clouds = Clouds::new(CloudEnvironment::default(), endpoints, 0, Duration::from_secs(60)).unwrap();
    let limits = BucketLimits::default();
    let fetcher = BucketFetcher::new(&folder.join("objects"), limits, Addresses::any()).unwrap();
    Arc::new(Buckets::reconciler(fetcher, clouds, store, settings))
}

/// A world in which every service of a cloud is `storage`.
async fn world(storage: &Storage) -> World {
    let base = storage.base();
    World::new(&BUCKET, move |folder, store, settings| {
        let emulator = Some(format!("{base}/").parse().unwrap());
        reconciler(folder, store, settings, CloudEndpoints { emulator })
    })
    .await
}

/// The message for these objects; `quote` is what etags stand in.
fn stored(objects: &[(&str, &str)], etag_of: impl Fn(&str) -> String) -> String {
    let line = |(key, content): &(&str, &str)| format!("{key} {}\n", etag_of(content));
    let lines: Vec<String> = objects.iter().map(line).collect();
    format!(
        "stored artifact: revision '{}'",
        digest(lines.concat().as_bytes())
    )
}

/// Etags with their quotes, as Flux makes revisions of Azure's.
fn of_azure(content: &str) -> String {
    format!("\"0x{}\"", etag(content.as_bytes()))
}

fn of_s3(content: &str) -> String {
    etag(content.as_bytes())
}

/// A key of nobody, which other tests have too.
const RSA_KEY: &str = include_str!("../../decrypt/tests/keys/rsa.pem");
const KEY: &str = "YS1rZXktb2YtYW4tYWNjb3VudA==";

fn azure(changes: Value) -> Value {
    let usual = json!({ "interval": "1h", "provider": "azure", "bucketName": "shop",
        "endpoint": "https://shop.blob.core.windows.net" });
    changed(usual, &changes)
}

async fn fails(world: &World, words: &str) -> Value {
    world
        .until(words, async || {
            let object = world.get().await?;
            condition(&object, "FetchFailed")
                .2
                .contains(words)
                .then_some(object)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_of_azure_becomes_an_artifact() {
    let storage = Storage::start();
    let mut world = world(&storage).await;
    let objects = [
        ("a.yaml", "a: 1"),
        ("apps/b c&d+é.yaml", "b"),
        ("apps/web/e.yaml", "e"),
        ("z", ""),
    ];
    for (key, content) in &objects {
        storage.put("shop", key, content);
    }
    storage.put("shop", "README.md", "ignored");
    storage.put("shop", ".sourceignore", "*.md\n");
    storage.require_azure(AzureAccess::Key(KEY.to_owned()));
    world.put_secret("login", json!({ "accountKey": KEY })).await;
    world.start().await;
    world
        .put_source(azure(json!({ "secretRef": { "name": "login" } })))
        .await;
    let object = world.ready(&stored(&objects, of_azure)).await;
    let tree = world.store.tree(&path(&object)).unwrap();
    assert_eq!(&*tree.read("/apps/b c&d+é.yaml").unwrap(), b"b");
    // listed again, and nothing is brought (in Flux everything is, each time)
    storage.take_seen();
    world.request("1").await;
    let asked: Vec<String> = storage.take_seen().into_iter().map(|seen| seen.target).collect();
    let is_quiet = |target: &String| target.contains("comp=list") || target.ends_with("/.sourceignore");
    assert!(!asked.is_empty() && asked.iter().all(is_quiet), "{asked:?}");
    // a prefix, and a container that is not there
    world
        .put_source(azure(
            json!({ "secretRef": { "name": "login" }, "prefix": "apps/w" }),
        ))
        .await;
    world.ready(&stored(&[("apps/web/e.yaml", "e")], of_azure)).await;
    world
        .put_source(azure(
            json!({ "secretRef": { "name": "login" }, "bucketName": "none" }),
        ))
        .await;
    fails(&world, "bucket 'none' not found").await;
    // another key: the answer is told without what was signed, and without what changes each time
    let wrong = json!({ "accountKey": "d3Jvbmcta2V5" });
    world.put_secret("login", wrong).await;
    world
        .put_source(azure(json!({ "secretRef": { "name": "login" } })))
        .await;
    let failed = fails(
        &world,
        "failed to confirm existence of 'shop' bucket: the specified bucket name may be incorrect, nonexistent, or the caller might lack sufficient permissions to access it: AuthenticationFailed: Server failed to authenticate the request. (403",
    )
    .await;
    let message = condition(&failed, "FetchFailed").2;
    assert!(
        !message.contains("RequestId") && !message.contains("not to be shown"),
        "{message}"
    );
    world.stop().await;
}

/// N21.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_we_are_to_azure_is_said_as_flux_has_it() {
    let storage = Storage::start();
    let mut world = world(&storage).await;
    world.start().await;
    let (certificate, _) = Authority::new().issue("application");
    let application = |proof: Value| {
        let mut data = json!({ "tenantId": "a-tenant", "clientId": "an-application" });
        data.as_object_mut()
            .unwrap()
            .extend(proof.as_object().unwrap().clone());
        data
    };
    let password = || application(json!({ "clientSecret": "a-pass+word" }));
    let rows = [
        (
            "sas",
            AzureAccess::Sas("sig=a%2Bb%3D".to_owned()),
            json!({ "sasKey": "?sv=2021&sig=a%2Bb%3D" }),
        ),
        (
            "password",
            AzureAccess::Password("a-pass+word".to_owned()),
            password(),
        ),
        (
            "certificate",
            AzureAccess::Statement,
            application(json!({
                "clientCertificate": format!("{certificate}{RSA_KEY}"), "clientCertificateSendChain": "1",
            })),
        ),
        (
            "managed",
            AzureAccess::Machine("one-of-many".to_owned()),
            json!({ "clientId": "one-of-many" }),
        ),
    ];
    for (name, access, data) in rows {
        // new content each time: only who is let in has it
        storage.put("shop", "a", name);
        storage.require_azure(access);
        world.put_secret(name, data).await;
        world
            .put_source(azure(json!({ "secretRef": { "name": name } })))
            .await;
        world.ready(&stored(&[("a", name)], of_azure)).await;
    }
    // the controller's own, without a Secret
    storage.require_azure(AzureAccess::Machine(String::new()));
    world.put_source(azure(json!({}))).await;
    storage.put("shop", "b", "2");
    world.request("own").await;
    world
        .ready(&stored(&[("a", "managed"), ("b", "2")], of_azure))
        .await;
    // whose token goes to Microsoft's stores, over https, and to nobody else
    storage.take_seen();
    for endpoint in [
        "https://shop.blob.core.windows.net.evil.example",
        "https://evil.example",
        "http://shop.blob.core.windows.net",
    ] {
        world.put_source(azure(json!({ "endpoint": endpoint }))).await;
        fails(&world, &format!("invalid endpoint '{endpoint}': ")).await;
    }
    assert_eq!(storage.take_seen(), []);
    // what cannot be used is named, and not shown
    world.put_secret("nothing", json!({ "other": "x" })).await;
    world
        .put_secret("key", json!({ "accountKey": "no Base64 s3cr3t" }))
        .await;
    world
        .put_secret("half", application(json!({ "clientCertificate": certificate })))
        .await;
    for (name, words) in [
        (
            "nothing",
            "invalid 'nothing' secret data: requires a 'clientId' or 'accountKey' field, a combination of",
        ),
        (
            "key",
            "'accountKey' is no key of a storage account: it is not Base64",
        ),
        ("half", "the private key of 'clientCertificate' cannot be used"),
    ] {
        world
            .put_source(azure(json!({ "secretRef": { "name": name } })))
            .await;
        let failed = fails(&world, words).await;
        assert!(!failed.to_string().contains("s3cr3t"));
    }
    world.stop().await;
}

/// Object-level workload identity: the account's token of this cluster is changed into one of the cloud.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_the_object_is_who_we_are() {
    let storage = Storage::start();
    let mut world = world(&storage).await;
    storage.put("shop", "a", "1");
    storage.require_azure(AzureAccess::Statement);
    let account = |name: &str, annotations: Value| {
        let metadata = json!({ "name": name, "annotations": annotations });
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata })
    };
    let application = json!({
        "azure.workload.identity/tenant-id": "a-tenant", "azure.workload.identity/client-id": "an-application",
    });
    world.put(account("nobody", json!({ "other": "x" }))).await;
    world.put(account("reader", application)).await;
    let gate = || [("ObjectLevelWorkloadIdentity".to_owned(), true)];
    world
        .start_with(|config| config.feature_gates.extend(gate()))
        .await;
    world
        .put_source(azure(json!({ "serviceAccountName": "nobody" })))
        .await;
    let unknown =
        "service account 'default/nobody': invalid azure.workload.identity/tenant-id annotation: ''";
    let failed = fails(&world, unknown).await;
    let (_, reason, message) = condition(&failed, "FetchFailed");
    assert_eq!(reason, "BucketOperationFailed");
    assert!(!message.contains("the controller's own"), "{message}");
    world
        .put_source(azure(json!({ "serviceAccountName": "reader" })))
        .await;
    world.ready(&stored(&[("a", "1")], of_azure)).await;
    let login = "/login.microsoftonline.com/a-tenant/oauth2/v2.0/token";
    let seen = storage.take_seen();
    assert!(seen.iter().any(|seen| seen.target == login), "{seen:?}");

    // where nobody names one, that of the flag
    world
        .start_with(|config| {
            config.feature_gates.extend(gate());
            config.default_service_account = Some("reader".to_owned());
        })
        .await;
    storage.put("shop", "b", "2");
    world.put_source(azure(json!({}))).await;
    world.ready(&stored(&[("a", "1"), ("b", "2")], of_azure)).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_asked_through_its_proxy() {
    let proxy = Storage::start();
    let mut world = world(&proxy).await;
    proxy.put("shop", "a", "1");
    world
        .put_secret(
            "proxy",
            json!({ "address": proxy.base(), "username": "me", "password": "secret" }),
        )
        .await;
    world.start().await;
    let spec = json!({ "interval": "1h", "bucketName": "shop", "endpoint": "store.invalid:9000", "insecure": true,
        "proxySecretRef": { "name": "proxy" } });
    world.put_source(spec).await;
    world.ready(&stored(&[("a", "1")], of_s3)).await;
    let seen = proxy.take_seen();
    let is_whole = |target: &str| target.starts_with("http://store.invalid:9000/shop");
    assert!(
        !seen.is_empty() && seen.iter().all(|seen| is_whole(&seen.target)),
        "{seen:?}"
    );
    world.stop().await;
}

fn segments(world: &World) -> Vec<std::path::PathBuf> {
    let folder = fs::read_dir(world.folder.path().join("store/segments")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

/// R19 and R20.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_or_forgets_is_survived() {
    let storage = Storage::start();
    let mut world = world(&storage).await;
    storage.put("shop", "a", "first content");
    world.start().await;
    let spec =
        json!({ "interval": "1h", "bucketName": "shop", "endpoint": storage.host(), "insecure": true });
    world.put_source(spec).await;
    let good = world.ready(&stored(&[("a", "first content")], of_s3)).await;
    // nothing can be written any more: what is served stays, and the condition says whose fault it is
    let scratch = world.folder.path().join("store/tmp");
    fs::remove_dir_all(&scratch).unwrap();
    fs::write(&scratch, "in the way").unwrap();
    storage.put("shop", "a", "second content");
    world.request("1").await;
    let failed = world.failed("ArchiveOperationFailed").await;
    let (status, _, message) = condition(&failed, "StorageOperationFailed");
    assert_eq!(status, "True");
    assert!(
        message.starts_with("unable to archive artifact to storage: unable to "),
        "{message}"
    );
    assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);
    let tree = world.store.tree(&path(&failed)).unwrap();
    assert_eq!(&*tree.read("/a").unwrap(), b"first content");
    // once there is room it goes on by itself
    fs::remove_file(&scratch).unwrap();
    fs::create_dir(&scratch).unwrap();
    let good = world.ready(&stored(&[("a", "second content")], of_s3)).await;
    // a bit flips: whoever reads notices, and the next pass brings the same bytes again
    for segment in segments(&world) {
        let mut bytes = fs::read(&segment).unwrap();
        if let Some(at) = bytes.windows(6).position(|window| window == b"second") {
            bytes[at] ^= 1;
            fs::write(&segment, bytes).unwrap();
        }
    }
    let tree = world.store.tree(&path(&good)).unwrap();
    let error = tree.read("/a").unwrap_err().to_string();
    assert!(error.contains("is damaged"), "{error}");
    world.request("2").await;
    let mended = world.ready(&stored(&[("a", "second content")], of_s3)).await;
    assert_eq!(
        mended["status"]["artifact"]["digest"],
        good["status"]["artifact"]["digest"]
    );
    let tree = world.store.tree(&path(&mended)).unwrap();
    assert_eq!(&*tree.read("/a").unwrap(), b"second content");
    world.stop().await;
}
