//! Stories of a HelmRepository: a server of files, the embedded API server, the real reconciler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition, path, types};
use serde_json::{Value, json};
use sluice_artifact::ArtifactPath;
use sluice_controller::reconcilers::helmrepository::HelmRepositories;
use sluice_controller::runtime::HELM_REPOSITORY;
use sluice_source::helm::HelmLimits;
use sluice_source::{Addresses, HelmFetcher};
use sluice_testkit::canned::Canned;
use sluice_testkit::registry::{Authority, digest};
use sluice_testkit::storage::Storage;
use std::sync::Arc;

const INDEX: &str = "GET /charts/index.yaml";

pub(crate) async fn world() -> World {
    World::new(&HELM_REPOSITORY, |folder, store, settings| {
        let limits = HelmLimits {
            index_size_max: 4096,
            ..HelmLimits::default()
        };
        let fetcher = HelmFetcher::new(&folder.join("indexes"), limits, Addresses::any()).unwrap();
        Arc::new(HelmRepositories::reconciler(fetcher, store, settings))
    })
    .await
}

/// An index with one chart in these versions.
pub(crate) fn index(versions: &[&str]) -> String {
    let mut index = "apiVersion: v1\nentries:\n  shop:\n".to_owned();
    for version in versions {
        index += &format!("  - name: shop\n    version: {version}\n    urls: [shop-{version}.tgz]\n");
    }
    index
}

/// The usual spec with changes.
fn spec(server: &Canned, changes: Value) -> Value {
    let usual = json!({ "interval": "1h", "url": format!("{}charts", server.base()) });
    changed(usual, &changes)
}

pub(crate) fn stored(index: &str) -> String {
    format!("stored artifact: revision '{}'", digest(index.as_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_becomes_an_artifact_and_follows_the_server() {
    let (mut world, server) = (world().await, Canned::start());
    let one = index(&["1.9.0", "1.10.0", "no-version"]);
    server.answer_with(INDEX, 200, &[("ETag", "\"one\"")], &one);
    world.start().await;
    world.put_source(spec(&server, json!({}))).await;
    let object = world.ready(&stored(&one)).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    let artifact = object.pointer("/status/artifact").unwrap();
    let hex = digest(one.as_bytes()).replace("sha256:", "");
    assert_eq!(artifact["revision"], digest(one.as_bytes()));
    assert_eq!(
        artifact["path"],
        format!("helmrepository/default/shop/index-{hex}.yaml")
    );
    let url = object.pointer("/status/url").unwrap().as_str().unwrap();
    assert!(url.ends_with("/helmrepository/default/shop/index.yaml"), "{url}");
    let json: Value = serde_json::from_slice(&world.store.file(&path(&object)).unwrap()).unwrap();
    assert_eq!(json["apiVersion"], "v1");
    assert_eq!(json.pointer("/entries/shop/0/version").unwrap(), "1.10.0");
    assert_eq!(
        json.pointer("/entries/shop").unwrap().as_array().unwrap().len(),
        2
    );
    let latest = ArtifactPath::new("HelmRepository", "default", "shop", "index.yaml").unwrap();
    assert_eq!(world.store.newest(&latest).unwrap().path, path(&object));
    let asked = server.take_asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["user-agent"].starts_with("Helm/"))
    );

    // The server says that nothing changed, and then only it knows more.
    server.answer(INDEX, 304, "");
    world.request("1").await;
    let asked = server.take_asked();
    assert_eq!(asked.last().unwrap().headers["if-none-match"], "\"one\"");
    let same = world.ready(&stored(&one)).await;
    assert_eq!(
        same.pointer("/status/artifact"),
        object.pointer("/status/artifact")
    );
    let two = index(&["2.0.0"]);
    server.answer(INDEX, 200, &two);
    world.request("2").await;
    let object = world.ready(&stored(&two)).await;
    let size = object.pointer("/status/artifact/size").unwrap().as_i64().unwrap();
    let told = format!(
        "Normal NewArtifact: stored fetched index of size {size}B from '{}charts'",
        server.base()
    );
    world.told(&[told]).await;

    // What fails names its cause, and the last good index stays.
    for (status, body, reason, words) in [
        (
            404,
            String::new(),
            "Failed",
            format!(
                "failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch {}charts/index.yaml : 404 Not Found",
                server.base()
            ),
        ),
        (
            200,
            "x".repeat(5000),
            "Failed",
            "failed to fetch Helm repository index: failed to cache index to temporary file: index exceeds the maximum index file size of 4096 bytes".to_owned(),
        ),
        (
            200,
            "entries: {}".to_owned(),
            "IndexationFailed",
            "failed to load Helm repository from index YAML: failed to load index: no API version specified".to_owned(),
        ),
    ] {
        server.answer(INDEX, status, &body);
        world.request(&format!("{status}{reason}{}", body.len())).await;
        let failed = world.failed(reason).await;
        assert!(
            condition(&failed, "FetchFailed").2.starts_with(&words),
            "{failed:#}"
        );
        // what cannot be read is nothing new
        assert_eq!(
            types(&failed),
            ["Reconciling", "Ready", "ArtifactInStorage", "FetchFailed"]
        );
        assert_eq!(
            failed.pointer("/status/artifact"),
            object.pointer("/status/artifact")
        );
    }
    server.answer(INDEX, 200, &two);
    world.ready(&stored(&two)).await;
    world.delete().await;
    assert_eq!(world.store.artifacts(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_give_credentials_and_what_cannot_be_used_is_named() {
    let (mut world, server) = (world().await, Canned::start());
    let one = index(&["1.0.0"]);
    server.answer(INDEX, 200, &one);
    world.start().await;
    let with_secret = spec(&server, json!({ "secretRef": { "name": "creds" } }));
    world.put_source(with_secret).await;
    let object = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&object, "FetchFailed").2,
        "failed to get authentication secret 'default/creds': secrets \"creds\" not found"
    );
    world.put_secret("creds", json!({ "username": "me" })).await;
    world.request("1").await;
    let half = "failed to detect authentication methods: secret 'default/creds': malformed basic auth - has 'username' but missing 'password'";
    world
        .until("half a pair is refused", async || {
            let object = world.get().await?;
            (condition(&object, "FetchFailed").2 == half).then_some(())
        })
        .await;
    let login = json!({ "username": "me", "password": "secret" });
    world
        .put_secret("half", changed(login.clone(), &json!({ "tls.crt": "x" })))
        .await;
    world
        .merge(json!({ "spec": { "secretRef": { "name": "half" } } }))
        .await;
    let half = "failed to detect authentication methods: secret 'default/half' contains 'tls.crt' but missing 'tls.key'";
    world
        .until("half an identity is refused", async || {
            let object = world.get().await?;
            (condition(&object, "FetchFailed").2 == half).then_some(())
        })
        .await;
    assert!(
        server.take_asked().is_empty(),
        "nothing was asked without credentials"
    );
    world.put_secret("creds", login).await;
    world
        .merge(json!({ "spec": { "secretRef": { "name": "creds" } } }))
        .await;
    world.ready(&stored(&one)).await;
    let asked = server.take_asked();
    assert_eq!(
        asked.last().unwrap().headers["authorization"],
        "Basic bWU6c2VjcmV0"
    );

    // the index is somewhere else today: nobody there gets to know who we are (N24)
    let elsewhere = Canned::start();
    let two = index(&["1.0.0", "2.0.0"]);
    let location = format!("{}index.yaml", elsewhere.base());
    server.answer_with(INDEX, 302, &[("Location", &location)], "");
    elsewhere.answer("GET /index.yaml", 200, &two);
    world.request("2").await;
    world.ready(&stored(&two)).await;
    let asked = elsewhere.take_asked();
    assert!(
        !asked.is_empty()
            && asked
                .iter()
                .all(|asked| !asked.headers.contains_key("authorization")),
        "{asked:?}"
    );

    world
        .put_source(json!({ "interval": "1h", "url": "oci://localhost/charts" }))
        .await;
    let object = world.failed("URLInvalid").await;
    assert_eq!(
        condition(&object, "Stalled").2,
        "invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_open_what_is_closed() {
    let authority = Authority::new();
    let (mut world, server) = (world().await, Storage::start_mutual_tls(&authority));
    let one = index(&["1.0.0"]);
    server.put("charts", "index.yaml", &one);
    world.start().await;
    let at = |server: &Storage, changes: Value| {
        let usual = json!({ "interval": "1h", "url": format!("{}/charts", server.base()) });
        changed(usual, &changes)
    };
    world.put_source(at(&server, json!({}))).await;
    let object = world.failed("Failed").await;
    let message = condition(&object, "FetchFailed").2;
    assert!(
        message.contains("x509: certificate signed by unknown authority"),
        "{message}"
    );
    // the authority alone is not enough here
    let certificates = |name: &str| json!({ "certSecretRef": { "name": name } });
    world
        .put_secret("authority", json!({ "ca.crt": authority.pem() }))
        .await;
    world.put_source(at(&server, certificates("authority"))).await;
    world
        .until("who we are is asked for", async || {
            let message = condition(&world.get().await?, "FetchFailed").2;
            (!message.is_empty() && !message.contains("unknown authority")).then_some(())
        })
        .await;
    let (certificate, key) = authority.issue("client");
    let whole = json!({ "ca.crt": authority.pem(), "tls.crt": certificate, "tls.key": key });
    world.put_secret("whole", whole).await;
    world.put_source(at(&server, certificates("whole"))).await;
    world.ready(&stored(&one)).await;

    // names of before, and in the Secret with the login
    let older = json!({ "caFile": authority.pem(), "certFile": certificate, "keyFile": key });
    world.put_secret("older", older).await;
    let two = index(&["1.0.0", "2.0.0"]);
    server.put("charts", "index.yaml", &two);
    let login = json!({ "secretRef": { "name": "older" } });
    world.put_source(at(&server, login)).await;
    let object = world.ready(&stored(&two)).await;
    assert!(!object.to_string().contains("PRIVATE KEY"), "{object}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_is_only_an_address() {
    let (mut world, server) = (world().await, Canned::start());
    let one = index(&["1.0.0"]);
    server.answer(INDEX, 200, &one);
    world.start().await;
    world.put_source(spec(&server, json!({}))).await;
    world.ready(&stored(&one)).await;
    world
        .until("it has its finalizer", async || {
            world.get().await?.pointer("/metadata/finalizers").map(drop)
        })
        .await;

    // It becomes one: artifact, status and finalizer go, and nothing is asked any more.
    world
        .put_source(json!({ "interval": "1h", "url": "oci://localhost/charts", "type": "oci" }))
        .await;
    let is_bare = |object: &Value| {
        let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        let status = object.get("status").and_then(Value::as_object);
        finalizers.is_none_or(Vec::is_empty) && status.is_none_or(serde_json::Map::is_empty)
    };
    world
        .until("nothing is said of it", async || {
            let object = world.get().await?;
            is_bare(&object).then_some(())
        })
        .await;
    assert_eq!(world.store.artifacts(), []);

    // And back.
    world.merge(json!({ "spec": { "type": "default" } })).await;
    world
        .put_source(spec(&server, json!({ "type": "default" })))
        .await;
    world.ready(&stored(&one)).await;
    world.stop().await;
}
