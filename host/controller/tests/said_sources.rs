//! What sources say while something is missing, refused or fails: whole texts, which are Flux's, in conditions, events and the
//! log; and what the metrics say of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition, types};
use crate::{bucket, decryption, helmrepository, ocirepository};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_controller::reconcilers::gitrepository::GitRepositories;
use sluice_controller::runtime::GIT_REPOSITORY;
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::fetch::LocalAccess;
use sluice_source::{Addresses, GitFetcher, Limits};
use sluice_testkit::canned::Canned;
use sluice_testkit::registry::Registry;
use sluice_testkit::storage::{Storage, StorageFault};
use std::sync::Arc;
use std::time::Duration;

const API: &str = "source.toolkit.fluxcd.io/v1";

/// Who cannot be asked: what fails fails before.
const NOWHERE: &str = "http://nowhere.invalid/shop.git";

/// A key of nobody, which is encrypted.
const LOCKED: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABANEWsaGW\n\
1nWeKNZrQqYVsmAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIFYVnw3ZSr021CmC\n\
XjwydGMMuueGkWQcOhUl5NDkMtZEAAAAkMKHX4iq6GrE28VAKL+AdxUoo+T/XEnlJRmL3B\n\
yVAgv5TL/MAQ3ppuM6TlPrlDOUF95gSMBoHw49jNZT51NneP6IIwb9VqYoMQME0QlmSW1U\n\
7wv467Ep0ZeqqrC8BRXVWeHv2aDyn2XawxN0QkKvZF012BVIDw3UNGBRsguap1+azs19D7\n\
51qX1dMS5hJCJkGQ==\n\
-----END OPENSSH PRIVATE KEY-----\n\
";

async fn git() -> World {
    World::new(&GIT_REPOSITORY, |folder, store, settings| {
        let (limits, local) = (Limits::default(), LocalAccess::Denied);
        let fetcher = GitFetcher::new(&folder.join("fetched"), limits, local, Addresses::any()).unwrap();
        let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
        let clouds = Clouds::new(environment, endpoints, 10, Duration::from_secs(60)).unwrap();
        Arc::new(GitRepositories::reconciler(fetcher, clouds, store, settings))
    })
    .await
}

/// One object, and what it says.
struct Row {
    name: &'static str,
    spec: Value,
    reason: &'static str,
    message: String,
}

fn row(name: &'static str, spec: Value, reason: &'static str, message: &str) -> Row {
    let message = message.to_owned();
    Row {
        name,
        spec,
        reason,
        message,
    }
}

async fn get(world: &World, api_version: &str, kind: &str, name: &str) -> Option<Value> {
    let id = World::id(&json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } }));
    world.cluster.get(&Identity::AsController, &id).await.unwrap()
}

async fn put(world: &World, api_version: &str, kind: &str, name: &str, spec: &Value) {
    let metadata = json!({ "name": name });
    world
        .put(json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec }))
        .await;
}

/// Each object says in Ready what its row says, and so does an event.
async fn each_says(world: &World, kind: &str, rows: &[Row]) {
    for row in rows {
        put(world, API, kind, row.name, &row.spec).await;
    }
    let mut told = Vec::new();
    for row in rows {
        let expected = ("False".to_owned(), row.reason.to_owned(), row.message.clone());
        let what = format!("{} says {}: {}", row.name, row.reason, row.message);
        world
            .until(&what, async || {
                let object = get(world, API, kind, row.name).await?;
                (condition(&object, "Ready") == expected).then_some(())
            })
            .await;
        // the API server takes no longer ones
        if row.message.len() < 1000 && row.reason != "NotFound" {
            told.push(format!("Warning {}: {}", row.reason, row.message));
        }
    }
    world.told(&told).await;
}

/// Secrets that lack something.
async fn put_secrets(world: &World) {
    for (name, data) in [
        ("proxy-none", json!({ "username": "me" })),
        ("proxy-empty", json!({ "address": "" })),
        ("proxy-ftp", json!({ "address": "ftp://proxy.example" })),
        ("half", json!({ "tls.crt": "x" })),
        ("bad-ca", json!({ "ca.crt": "no certificate" })),
        ("password", json!({ "password": "p" })),
        ("identity", json!({ "identity": "x" })),
        (
            "locked",
            json!({ "identity": LOCKED, "known_hosts": "nowhere.invalid ssh-ed25519 AAAA" }),
        ),
        ("nothing", json!({ "other": "x" })),
        (
            "broken",
            json!({ "trustpolicy.json": "{", "a.crt": "x", "trusted_root.json": "[]" }),
        ),
        (
            "app",
            json!({ "githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": "x" }),
        ),
    ] {
        world.put_secret(name, data).await;
    }
}

const SCHEMES: &str = "proxy URL must use one of the supported schemes (http, https, socks5), got 'ftp'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_git_repository_says_what_it_lacks() {
    let mut world = git().await;
    put_secrets(&world).await;
    world.start().await;
    let usual = json!({ "interval": "1h", "url": NOWHERE });
    let spec = |changes: Value| changed(usual.clone(), &changes);
    let proxy = |name: &str| spec(json!({ "proxySecretRef": { "name": name } }));
    let ssh = json!("ssh://git@nowhere.invalid/shop.git");
    let refused = "AuthenticationFailed";
    let misconfigured = "InvalidProviderConfiguration";
    let mut rows = vec![
        row(
            "no-proxy",
            proxy("none"),
            refused,
            "failed to configure proxy options: secret 'default/none' not found",
        ),
        row(
            "proxy-none",
            proxy("proxy-none"),
            refused,
            "failed to configure proxy options: secret 'default/proxy-none': key 'address' not found",
        ),
        row(
            "proxy-empty",
            proxy("proxy-empty"),
            refused,
            "failed to configure proxy options: secret 'default/proxy-empty': proxy address is empty",
        ),
        row(
            "proxy-ftp",
            proxy("proxy-ftp"),
            refused,
            &format!("failed to configure proxy options: secret 'default/proxy-ftp': {SCHEMES}"),
        ),
        row(
            "no-secret",
            spec(json!({ "secretRef": { "name": "none" } })),
            refused,
            "failed to get secret 'default/none': secrets \"none\" not found",
        ),
        row(
            "no-user",
            spec(json!({ "secretRef": { "name": "password" } })),
            refused,
            "failed to configure authentication options: invalid 'http' auth option: 'password' requires 'username' to be set",
        ),
        row(
            "no-identity",
            spec(json!({ "url": ssh, "secretRef": { "name": "nothing" } })),
            refused,
            "failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required",
        ),
        row(
            "no-hosts",
            spec(json!({ "url": ssh, "secretRef": { "name": "identity" } })),
            refused,
            "failed to configure authentication options: invalid 'ssh' auth option: 'known_hosts' is required",
        ),
        row(
            "locked",
            spec(json!({ "url": ssh, "secretRef": { "name": "locked" } })),
            refused,
            "SSH identity key is encrypted but no 'password' field was provided in the secret 'default/locked'",
        ),
        row(
            "no-app",
            spec(json!({ "provider": "github", "secretRef": { "name": "nothing" } })),
            misconfigured,
            "secretRef with github app data must be specified when provider is set to github",
        ),
        row(
            "app",
            spec(json!({ "secretRef": { "name": "app" } })),
            misconfigured,
            "secretRef 'default/app' has github app data but provider is not set to github",
        ),
        row(
            "no-include",
            spec(json!({ "include": [{ "repository": { "name": "none" } }] })),
            "NotFound",
            "could not get resource for include 'none': GitRepository.source.toolkit.fluxcd.io \"none\" not found",
        ),
    ];
    each_says(&world, "GitRepository", &rows).await;
    rows.retain(|row| row.reason == "NotFound");
    let waiting = get(&world, API, "GitRepository", rows[0].name).await.unwrap();
    assert_eq!(
        types(&waiting),
        ["Reconciling", "Ready", "IncludeUnavailable"],
        "it waits"
    );
    world
        .told(&[format!("Normal NotFound: {}", rows[0].message)])
        .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oci_repository_says_what_it_lacks() {
    let (mut world, registry) = (ocirepository::world().await, Registry::start());
    registry.push("org/app", "1.0.0", &[("a", "")]);
    put_secrets(&world).await;
    let account = |name: &str, secret: &str| json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name }, "imagePullSecrets": [{ "name": secret }] });
    world.put(account("puller", "none")).await;
    world.start().await;
    let url = registry.url("org/app");
    let usual = json!({ "interval": "1h", "url": url, "ref": { "tag": "1.0.0" } });
    let spec = |changes: Value| changed(usual.clone(), &changes);
    let certificates = |name: &str| spec(json!({ "certSecretRef": { "name": name } }));
    let transport = format!("failed to generate transport for '{url}'");
    let digest = registry.push("org/app", "1.0.0", &[("a", "")]);
    let reference = format!("{}/org/app@{digest}", registry.host());
    let (refused, unverified) = ("AuthenticationFailed", "VerificationError");
    let unsigned = |provider: &str| format!("failed to verify the signature using provider '{provider}'");
    let rows = [
        row(
            "no-secret",
            spec(json!({ "secretRef": { "name": "none" } })),
            refused,
            "failed to get credential: failed to get secret 'default/none': secrets \"none\" not found",
        ),
        row(
            "no-pull-secret",
            spec(json!({ "serviceAccountName": "puller" })),
            refused,
            "failed to get credential: failed to get image pull secret for serviceaccount 'default/puller': secret 'default/none' not found",
        ),
        row(
            "no-proxy",
            spec(json!({ "proxySecretRef": { "name": "none" } })),
            refused,
            "failed to get proxy address: secret 'default/none' not found",
        ),
        row(
            "proxy-ftp",
            spec(json!({ "proxySecretRef": { "name": "proxy-ftp" } })),
            refused,
            &format!("failed to get proxy address: secret 'default/proxy-ftp': {SCHEMES}"),
        ),
        row(
            "half",
            certificates("half"),
            refused,
            &format!("{transport}: secret 'default/half' contains 'tls.crt' but missing 'tls.key'"),
        ),
        row(
            "no-certificates",
            certificates("nothing"),
            refused,
            &format!(
                "{transport}: secret 'default/nothing' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"
            ),
        ),
        row(
            "bad-ca",
            certificates("bad-ca"),
            refused,
            &format!("{transport}: failed to parse CA certificate"),
        ),
        row(
            "no-layer",
            spec(json!({ "layerSelector": { "mediaType": "none/such" } })),
            "OCIArtifactLayerOperationFailed",
            "failed to find layer with media type 'none/such' in artifact",
        ),
        row(
            "no-keys",
            spec(json!({ "verify": { "provider": "cosign", "secretRef": { "name": "none" } } })),
            unverified,
            &format!("{}: secrets \"none\" not found", unsigned("cosign")),
        ),
        row(
            "no-policy",
            spec(json!({ "verify": { "provider": "notation", "secretRef": { "name": "nothing" } } })),
            unverified,
            &format!(
                "{}: 'trustpolicy.json' not found in secret 'default/nothing'",
                unsigned("notation")
            ),
        ),
        row(
            "no-notation-secret",
            spec(json!({ "verify": { "provider": "notation" } })),
            unverified,
            &format!(
                "{}: verification secret cannot be empty: '{reference}'",
                unsigned("notation")
            ),
        ),
        row(
            "no-root",
            spec(
                json!({ "verify": { "provider": "cosign", "trustedRootSecretRef": { "name": "nothing" } } }),
            ),
            unverified,
            &format!(
                "{}: failed to read trusted root from secret 'default/nothing': 'trusted_root.json' not found in secret 'default/nothing'",
                unsigned("cosign keyless")
            ),
        ),
    ];
    each_says(&world, "OCIRepository", &rows).await;
    let traced = "Normal AuthenticationFailed: auth secret 'none' not found".to_owned();
    world.told(&[traced]).await;
    // what cannot be read is named as Flux does; the rest is the reader's
    for (name, verify, begins) in [
        (
            "bad-policy",
            json!({ "provider": "notation", "secretRef": { "name": "broken" } }),
            format!(
                "{}: error occurred while parsing trustpolicy.json: ",
                unsigned("notation")
            ),
        ),
        (
            "bad-root",
            json!({ "provider": "cosign", "trustedRootSecretRef": { "name": "broken" } }),
            format!("{}: unable to parse trusted root: ", unsigned("cosign keyless")),
        ),
    ] {
        put(
            &world,
            API,
            "OCIRepository",
            name,
            &spec(json!({ "verify": verify })),
        )
        .await;
        world
            .until(&format!("{name} says {begins}"), async || {
                let object = get(&world, API, "OCIRepository", name).await?;
                let (status, reason, message) = condition(&object, "SourceVerified");
                let is_said = status == "False" && reason == unverified && message.starts_with(&begins);
                is_said.then_some(())
            })
            .await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_helm_repository_says_what_it_lacks() {
    let (mut world, server) = (helmrepository::world().await, Canned::start());
    put_secrets(&world).await;
    server.answer("GET /empty/index.yaml", 200, "");
    world.start().await;
    let usual = json!({ "interval": "1h", "url": server.base() });
    let spec = |changes: Value| changed(usual.clone(), &changes);
    let rows = [
        row(
            "no-certificates",
            spec(json!({ "certSecretRef": { "name": "none" } })),
            "AuthenticationFailed",
            "failed to get TLS authentication secret 'default/none': secrets \"none\" not found",
        ),
        row(
            "half",
            spec(json!({ "certSecretRef": { "name": "half" } })),
            "AuthenticationFailed",
            "failed to construct Helm client's TLS config: secret 'default/half' contains 'tls.crt' but missing 'tls.key'",
        ),
        row(
            "no-user",
            spec(json!({ "secretRef": { "name": "password" } })),
            "AuthenticationFailed",
            "failed to detect authentication methods: secret 'default/password': malformed basic auth - has 'password' but missing 'username'",
        ),
        row(
            "empty",
            spec(json!({ "url": format!("{}empty", server.base()) })),
            "IndexationFailed",
            "failed to load Helm repository from index YAML: failed to load index: empty index.yaml file",
        ),
    ];
    each_says(&world, "HelmRepository", &rows).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_says_what_it_lacks() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    put_secrets(&world).await;
    world.start().await;
    let spec = |changes: Value| bucket::spec(&storage, changes);
    let sts = |changes: Value| {
        let usual = json!({ "provider": "ldap", "endpoint": "https://sts.nowhere.invalid" });
        spec(json!({ "sts": changed(usual, &changes) }))
    };
    let refused = "AuthenticationFailed";
    let rows = [
        row(
            "no-secret",
            spec(json!({ "secretRef": { "name": "none" } })),
            refused,
            "failed to get secret 'default/none': secrets \"none\" not found",
        ),
        row(
            "no-key",
            spec(json!({ "secretRef": { "name": "nothing" } })),
            refused,
            "invalid 'nothing' secret data: required fields 'accesskey' and 'secretkey'",
        ),
        row(
            "no-account",
            spec(json!({ "provider": "gcp", "secretRef": { "name": "nothing" } })),
            refused,
            "invalid 'nothing' secret data: required fields 'serviceaccount'",
        ),
        row(
            "no-proxy",
            spec(json!({ "proxySecretRef": { "name": "none" } })),
            refused,
            "failed to get proxy URL: secret 'default/none' not found",
        ),
        row(
            "no-certificates",
            spec(json!({ "insecure": false, "certSecretRef": { "name": "none" } })),
            refused,
            "failed to get TLS config: secret 'default/none' not found",
        ),
        row(
            "no-person",
            sts(json!({ "secretRef": { "name": "none" } })),
            refused,
            "failed to get STS secret 'default/none': secrets \"none\" not found",
        ),
        row(
            "no-name",
            sts(json!({ "secretRef": { "name": "nothing" } })),
            refused,
            "invalid 'nothing' secret data for 'ldap' STS provider: required fields username, password",
        ),
        row(
            "no-sts-certificates",
            sts(json!({ "certSecretRef": { "name": "none" } })),
            refused,
            "failed to get STS TLS config: secret 'default/none' not found",
        ),
    ];
    each_says(&world, "Bucket", &rows).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lasts_is_told_while_it_lasts() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    let says = async |message: &str| {
        world
            .until(&format!("it says {message:?}"), async || {
                let object = world.get().await?;
                let expected =
                    |status: &str| (status.to_owned(), "Progressing".to_owned(), message.to_owned());
                let is_said = condition(&object, "Reconciling") == expected("True")
                    && condition(&object, "Ready") == expected("Unknown");
                is_said.then_some(object)
            })
            .await
    };
    storage.misbehave(StorageFault::Hang);
    let spec = bucket::spec(&storage, json!({ "timeout": "60s" }));
    world.put_source(spec.clone()).await;
    says("building artifact").await;
    storage.misbehave(StorageFault::None);
    world
        .put_source(changed(spec.clone(), &json!({ "timeout": "59s" })))
        .await;
    let ready = world.ready(&bucket::stored(&[("a.yaml", "a: 1")])).await;

    world.store.forget(&crate::sources::path(&ready)).unwrap();
    storage.misbehave(StorageFault::Hang);
    world
        .put_source(changed(spec.clone(), &json!({ "timeout": "58s" })))
        .await;
    let lost = says("building artifact: disappeared from storage").await;
    assert_eq!(types(&lost), ["Reconciling", "Ready"]);
    assert_eq!(lost.pointer("/status/artifact"), None);
    storage.misbehave(StorageFault::None);
    world
        .put_source(changed(spec, &json!({ "timeout": "57s" })))
        .await;
    world.ready(&bucket::stored(&[("a.yaml", "a: 1")])).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_suspended_amid_work_says_that_it_came_to_nothing() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    world.start().await;
    storage.misbehave(StorageFault::Hang);
    world
        .put_source(bucket::spec(&storage, json!({ "timeout": "60s" })))
        .await;
    world
        .until("it is at work", async || {
            (condition(&world.get().await?, "Reconciling").1 == "Progressing").then_some(())
        })
        .await;
    world.merge(json!({ "spec": { "suspend": true } })).await;
    let says = |status: &str| {
        let words = ("ProgressingWithRetry", "building artifact");
        (status.to_owned(), words.0.to_owned(), words.1.to_owned())
    };
    world
        .until("it says that it came to nothing", async || {
            let object = world.get().await?;
            let is_said = condition(&object, "Reconciling") == says("True")
                && condition(&object, "Ready") == says("False");
            is_said.then_some(())
        })
        .await;
    world.stop().await;
}

/// Who wrote the object has named one account, and nothing of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_missing_is_told_to_who_can_mend_it() {
    let mut world = git().await;
    world
        .start_with(|config| {
            config.default_service_account = Some("nobody".to_owned());
            let gate = ("ObjectLevelWorkloadIdentity".to_owned(), true);
            config.feature_gates.extend([gate]);
        })
        .await;
    let usual = json!({ "interval": "1h", "url": NOWHERE, "provider": "azure" });
    let begins = "failed to configure authentication options: failed to get service account";
    let rows = [
        row(
            "default-account",
            usual.clone(),
            "AuthenticationFailed",
            &format!(
                "{begins} 'default/nobody': the specified default service account does not exist in the object namespace. your cluster is subject to multi-tenant workload identity lockdown, reach out to your cluster administrator for help"
            ),
        ),
        row(
            "named-account",
            changed(usual, &json!({ "serviceAccountName": "other" })),
            "AuthenticationFailed",
            &format!("{begins} 'default/other': ServiceAccount \"other\" not found"),
        ),
    ];
    each_says(&world, "GitRepository", &rows).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_artifacts_go_and_it_is_told() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    world.start().await;
    for (number, content) in ["one", "two", "three"].into_iter().enumerate() {
        storage.put("shop", "a.yaml", content);
        match number {
            0 => world.put_source(bucket::spec(&storage, json!({}))).await,
            _ => world.request(content).await,
        }
        world.ready(&bucket::stored(&[("a.yaml", content)])).await;
    }
    world.request("collect").await;
    let collected = "Normal GarbageCollectionSucceeded: garbage collected 1 artifacts".to_owned();
    world.told(&[collected]).await;
    world
        .until("it has its finalizer", async || {
            let finalizers = world.get().await?.pointer("/metadata/finalizers").cloned();
            finalizers.is_some().then_some(())
        })
        .await;
    world.delete().await;
    let gone = "Normal GarbageCollectionSucceeded: garbage collected artifacts for deleted resource";
    world.told(&[gone.to_owned()]).await;
    world.stop().await;
}

/// The lines about an object, without those that tell how something went inside.
fn lines(kind: &str, name: &str) -> Vec<Value> {
    let log = decryption::log().lock().unwrap().clone();
    let lines = log.split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    lines
        .filter(|line| line["controllerKind"] == kind && line["name"] == name)
        .filter(|line| line["level"] == "info" || line["level"] == "error")
        .collect()
}

/// What `flux logs` shows of sources is what it shows in Flux.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_speaks_as_flux_does() {
    decryption::log();
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    world.start().await;
    let logged = async |name: &str, level: &str, message: &str| {
        world
            .until(&format!("{name} logs {message:?}"), async || {
                let line = |line: &Value| line["level"] == level && line["msg"] == message;
                lines("Bucket", name).into_iter().find(line)
            })
            .await
    };
    let usual = bucket::spec(&storage, json!({}));
    put(&world, API, "Bucket", "logs-new", &usual).await;
    let line = logged(
        "logs-new",
        "info",
        "stored artifact with 1 fetched files from 'shop' bucket",
    )
    .await;
    for (key, value) in [
        ("controller", json!("bucket")),
        ("controllerGroup", json!("source.toolkit.fluxcd.io")),
        ("namespace", json!("default")),
        ("Bucket", json!({ "name": "logs-new", "namespace": "default" })),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    assert!(line["reconcileID"].is_string(), "{line}");
    let asked = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "now" } } });
    world.merge_other("logs-new", asked).await;
    let revision = bucket::stored(&[("a.yaml", "a: 1")]).replace("stored artifact: revision ", "");
    let unchanged = format!("artifact up-to-date with remote revision: {revision}");
    logged("logs-new", "info", &unchanged).await;
    let levels: Vec<Value> = lines("Bucket", "logs-new")
        .iter()
        .map(|line| line["level"].clone())
        .collect();
    assert_eq!(levels, ["info", "info"], "one line a pass");

    let suspended = changed(usual.clone(), &json!({ "suspend": true }));
    put(&world, API, "Bucket", "logs-suspended", &suspended).await;
    let message = "reconciliation is suspended for this object";
    logged("logs-suspended", "info", message).await;

    let failing = changed(usual.clone(), &json!({ "secretRef": { "name": "none" } }));
    put(&world, API, "Bucket", "logs-failing", &failing).await;
    let line = logged("logs-failing", "error", "Reconciler error").await;
    assert_eq!(
        line["error"],
        "failed to get secret 'default/none': secrets \"none\" not found"
    );

    let stalled = changed(usual, &json!({ "provider": "aws", "serviceAccountName": "me" }));
    put(&world, API, "Bucket", "logs-stalled", &stalled).await;
    let line = logged("logs-stalled", "error", "reconciliation stalled").await;
    assert!(
        line["error"]
            .as_str()
            .unwrap()
            .starts_with("to use spec.serviceAccountName"),
        "{line}"
    );
    world.stop().await;

    let mut world = git().await;
    world.start().await;
    let including =
        json!({ "interval": "1h", "url": NOWHERE, "include": [{ "repository": { "name": "none" } }] });
    put(&world, API, "GitRepository", "logs-waiting", &including).await;
    let line = world
        .until("it waits", async || {
            let waits = |line: &Value| line["msg"] == "reconciliation waiting";
            lines("GitRepository", "logs-waiting").into_iter().find(waits)
        })
        .await;
    assert_eq!(line["level"], "info");
    assert_eq!(line["duration"], 30.0);
    assert_eq!(
        line["reason"],
        "could not get resource for include 'none': GitRepository.source.toolkit.fluxcd.io \"none\" not found"
    );
    world.stop().await;
}

/// What dashboards and alerts of Flux ask for, as it is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_are_those_of_flux() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    // a port that is free now
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    world
        .start_with(|config| config.metrics_addr = Some(address))
        .await;
    let usual = bucket::spec(&storage, json!({}));
    let stalled = changed(
        usual.clone(),
        &json!({ "provider": "aws", "serviceAccountName": "me" }),
    );
    for (name, spec) in [
        ("measured", usual.clone()),
        (
            "measured-failing",
            changed(usual.clone(), &json!({ "bucketName": "none" })),
        ),
        ("measured-suspended", changed(usual, &json!({ "suspend": true }))),
        ("measured-stalled", stalled),
    ] {
        put(&world, API, "Bucket", name, &spec).await;
    }
    let object = |metric: &str, name: &str| {
        format!(
            "gotk_reconcile_duration_seconds_{metric}{{kind=\"Bucket\",name=\"{name}\",namespace=\"default\"}} "
        )
    };
    let bound = |le: &str| {
        format!(
            "gotk_reconcile_duration_seconds_bucket{{le=\"{le}\",kind=\"Bucket\",name=\"measured\",namespace=\"default\"}} "
        )
    };
    let mut wanted = vec![
        object("count", "measured"),
        object("sum", "measured"),
        object("count", "measured-failing"),
        object("count", "measured-suspended"),
        object("count", "measured-stalled"),
        // ten, from 10 ms to about half an hour, each the same multiple of the one before
        bound("0.01"),
        bound("+Inf"),
    ];
    for result in ["error", "requeue_after", "requeue", "success"] {
        wanted.push(format!(
            "controller_runtime_reconcile_total{{controller=\"bucket\",result=\"{result}\"}} "
        ));
    }
    for metric in [
        "reconcile_errors_total",
        "terminal_reconcile_errors_total",
        "reconcile_panics_total",
        "reconcile_timeouts_total",
        "max_concurrent_reconciles",
        "active_workers",
        "reconcile_time_seconds_count",
    ] {
        wanted.push(format!("controller_runtime_{metric}{{controller=\"bucket\"}} "));
    }
    for le in ["0.005", "0.15", "1.25", "60.0", "+Inf"] {
        wanted.push(format!(
            "controller_runtime_reconcile_time_seconds_bucket{{le=\"{le}\",controller=\"bucket\"}} "
        ));
    }
    for metric in [
        "depth",
        "adds_total",
        "retries_total",
        "queue_duration_seconds_count",
        "work_duration_seconds_count",
        "unfinished_work_seconds",
        "longest_running_processor_seconds",
    ] {
        wanted.push(format!(
            "workqueue_{metric}{{controller=\"bucket\",name=\"bucket\"}} "
        ));
    }
    wanted.push("rest_client_requests_total{code=\"200\",method=\"".to_owned());
    wanted.push("gotk_token_cached_items ".to_owned());
    // what is counted comes with time
    for wanted in wanted {
        world
            .until(&format!("{wanted} is served"), async || {
                let answer = reqwest::get(format!("http://{address}/metrics")).await.ok()?;
                let text = answer.text().await.ok()?;
                text.lines().any(|line| line.starts_with(&wanted)).then_some(())
            })
            .await;
    }
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    let text = text.text().await.unwrap();
    let count = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count();
    // of one object, and with the one that has no bound
    let bounds = text.lines().filter(|line| {
        line.starts_with("gotk_reconcile_duration_seconds_bucket{") && line.contains("\"measured\"")
    });
    assert_eq!(bounds.count(), 11);
    let of_buckets = text.lines().filter(|line| {
        line.starts_with("controller_runtime_reconcile_time_seconds_bucket{")
            && line.contains("controller=\"bucket\"")
    });
    assert_eq!(of_buckets.count(), 41, "those of controller-runtime");
    // those that Flux has and never fills
    for never in ["gotk_reconcile_condition", "gotk_suspend_status"] {
        assert_eq!(count(never), 0, "{never}");
    }
    world.stop().await;
}
