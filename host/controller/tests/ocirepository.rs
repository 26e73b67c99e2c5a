//! Stories of an OCIRepository: a registry, the embedded API server, the real reconciler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition, path, types};
use serde_json::{Value, json};
use sluice_artifact::{ArtifactPath, Tree};
use sluice_controller::reconcilers::ocirepository::OciRepositories;
use sluice_controller::runtime::OCI_REPOSITORY;
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::oci::OciLimits;
use sluice_source::{Addresses, OciFetcher};
use sluice_testkit::registry::{
    Access, Authority, Entry, Fault, Flaw, Registry, Signer, Sigstore, digest, tgz,
};
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn world() -> World {
    World::new(&OCI_REPOSITORY, |folder, store, settings| {
        let fetcher =
            OciFetcher::new(&folder.join("layers"), OciLimits::default(), Addresses::any()).unwrap();
        let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
        let clouds = Clouds::new(environment, endpoints, 10, Duration::from_secs(60)).unwrap();
        Arc::new(OciRepositories::reconciler(fetcher, clouds, store, settings))
    })
    .await
}

/// The usual spec with changes; `null` removes.
fn spec(registry: &Registry, changes: Value) -> Value {
    let usual = json!({ "interval": "1h", "url": registry.url("org/app"), "ref": { "tag": "v1" } });
    changed(usual, &changes)
}

pub(crate) fn stored(revision: &str) -> String {
    format!("stored artifact for digest '{revision}'")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_becomes_an_artifact_and_follows_the_registry() {
    let (mut world, registry) = (world().await, Registry::start());
    let one = registry.push("org/app", "v1", &[("a.yaml", "a: 1")]);
    world.start().await;
    world.put_source(spec(&registry, json!({}))).await;
    let object = world.ready(&stored(&format!("v1@{one}"))).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    let artifact = object.pointer("/status/artifact").unwrap();
    assert_eq!(artifact["revision"], format!("v1@{one}"));
    assert_eq!(
        artifact["path"],
        format!("ocirepository/default/shop/{one}.tar.gz")
    );
    assert_eq!(
        artifact["metadata"]["org.opencontainers.image.revision"],
        "main@sha1:v1"
    );
    let address = "http://source-controller.flux-system.svc.cluster.local./ocirepository/default/shop";
    assert_eq!(artifact["url"], format!("{address}/{one}.tar.gz"));
    assert_eq!(
        object.pointer("/status/url").unwrap(),
        &json!(format!("{address}/latest.tar.gz"))
    );
    assert_eq!(
        &*world.store.tree(&path(&object)).unwrap().read("/a.yaml").unwrap(),
        b"a: 1"
    );

    // Nothing new: the manifest is not even asked for.
    registry.take_seen();
    world.request("1").await;
    let seen: Vec<String> = registry.take_seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(seen, ["HEAD"]);

    let two = registry.push("org/app", "v1", &[("a.yaml", "a: 2")]);
    world.request("2").await;
    let object = world.ready(&stored(&format!("v1@{two}"))).await;
    let latest = ArtifactPath::new("OCIRepository", "default", "shop", "latest.tar.gz").unwrap();
    assert_eq!(world.store.newest(&latest).unwrap().path, path(&object));
    let url = registry.url("org/app");
    let told = |digest: &str| {
        format!(
            "Normal NewArtifact: stored artifact with revision 'v1@{digest}' from '{url}', origin source 'https://example.com/shop.git', origin revision 'main@sha1:v1'"
        )
    };
    world.told(&[told(&one), told(&two)]).await;

    // The registry fails: the last good artifact stays, and the end is told.
    registry.misbehave(Fault::Status(503));
    world.request("3").await;
    let failed = world.failed("OCIArtifactPullFailed").await;
    assert_eq!(
        types(&failed),
        ["Reconciling", "Ready", "ArtifactInStorage", "FetchFailed"]
    );
    assert!(
        condition(&failed, "Ready")
            .2
            .starts_with("failed to determine artifact digest: ")
    );
    assert_eq!(
        failed.pointer("/status/artifact/revision"),
        object.pointer("/status/artifact/revision")
    );
    registry.misbehave(Fault::None);
    world.ready(&stored(&format!("v1@{two}"))).await;

    // Rules and layers are part of what the artifact is.
    world
        .put_source(spec(&registry, json!({ "ignore": "*.yaml" })))
        .await;
    world
        .until("the rules are applied", async || {
            let object = world.get().await?;
            (object.pointer("/status/observedIgnore") == Some(&json!("*.yaml"))).then_some(())
        })
        .await;
    // the same in other words is observed, and not pulled
    let selector = json!({ "operation": "extract" });
    world
        .put_source(spec(
            &registry,
            json!({ "ignore": "*.yaml", "layerSelector": selector }),
        ))
        .await;
    world
        .until("the selector is observed", async || {
            let object = world.get().await?;
            (object.pointer("/status/observedLayerSelector") == Some(&selector)).then_some(())
        })
        .await;
    // no rules are not the same as none that are said
    world.put_source(spec(&registry, json!({ "ignore": "" }))).await;
    world
        .until("that there are none is observed", async || {
            let object = world.get().await?;
            let status = object.get("status")?;
            let is_observed = status["observedIgnore"] == "" && status.get("observedLayerSelector").is_none();
            is_observed.then_some(())
        })
        .await;
    world.delete().await;
    assert_eq!(world.store.artifacts(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_is_copied_as_it_is() {
    let (mut world, registry) = (world().await, Registry::start());
    let chart = tgz(&[Entry::file("chart/Chart.yaml", "name: x")]);
    let helm = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let one = registry.push_layers("org/app", "v1", &[("other", b"x"), (helm, &chart)]);
    world.start().await;
    let selector = json!({ "mediaType": helm, "operation": "copy" });
    world
        .put_source(spec(&registry, json!({ "layerSelector": selector })))
        .await;
    let object = world.ready(&stored(&format!("v1@{one}"))).await;
    assert_eq!(
        object.pointer("/status/artifact/digest").unwrap(),
        &json!(digest(&chart))
    );
    assert_eq!(object.pointer("/status/observedLayerSelector"), Some(&selector));
    assert_eq!(world.store.file(&path(&object)).unwrap(), chart);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_and_accounts_give_credentials() {
    let authority = Authority::new();
    let (mut world, registry) = (world().await, Registry::start_tls(&authority));
    let one = registry.push("org/app", "v1", &[("a", "")]);
    let (user, password) = ("user".to_owned(), "s3cr3t-pw".to_owned());
    registry.require(Access::Token(user, password, None));
    world.start().await;
    world
        .put_source(spec(
            &registry,
            json!({ "certSecretRef": { "name": "certs" }, "secretRef": { "name": "login" } }),
        ))
        .await;
    let object = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&object, "Ready").2,
        "failed to get credential: failed to get secret 'default/login': secrets \"login\" not found"
    );
    let auths = json!({ "auths": { registry.host(): { "username": "user", "password": "s3cr3t-pw" } } });
    world
        .put_secret("login", json!({ ".dockerconfigjson": auths.to_string() }))
        .await;
    let url = registry.url("org/app");
    let expected = format!("failed to generate transport for '{url}': secret 'default/certs' not found");
    world
        .until("the certificates are missed", async || {
            (condition(&world.get().await?, "Ready").2 == expected).then_some(())
        })
        .await;
    world
        .put_secret("certs", json!({ "ca.crt": authority.pem() }))
        .await;
    world.ready(&stored(&format!("v1@{one}"))).await;

    // the same by the pull secrets of a service account
    let by_account =
        json!({ "certSecretRef": { "name": "certs" }, "secretRef": null, "serviceAccountName": "puller" });
    world.merge(json!({ "spec": by_account })).await;
    let object = world.failed("AuthenticationFailed").await;
    let message = condition(&object, "Ready").2;
    assert_eq!(
        message,
        "failed to get credential: serviceaccount 'default/puller' not found"
    );
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "puller" }, "imagePullSecrets": [{ "name": "login" }] });
    world.put(account).await;
    let object = world.ready(&stored(&format!("v1@{one}"))).await;
    for text in [object.to_string(), world.events().await.join("\n")] {
        assert!(!text.contains("s3cr3t-pw"), "{text}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_stalls_with_the_words_of_flux() {
    let (mut world, registry) = (world().await, Registry::start());
    let one = registry.push("org/app", "v1", &[("a", "")]);
    registry.require(Access::Basic("user".to_owned(), "pass".to_owned()));
    let account = |secrets: Value| json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "x" }, "imagePullSecrets": secrets });
    world.put(account(json!([]))).await;
    world.start().await;
    let url = format!("{}:v1", registry.url("org/app"));
    world.put_source(spec(&registry, json!({ "url": url }))).await;
    let object = world.failed("URLInvalid").await;
    assert_eq!(types(&object), ["Stalled", "Ready", "FetchFailed"]);
    let message = format!("URL validation failed for '{url}': URL must not contain a tag; remove ':v1'");
    assert_eq!(condition(&object, "Stalled").2, message);
    world
        .put_source(spec(
            &registry,
            json!({ "provider": "aws", "serviceAccountName": "x" }),
        ))
        .await;
    let object = world.failed("FeatureGateDisabled").await;
    assert_eq!(types(&object), ["Stalled", "Ready"]);
    // an account with pull secrets is no identity, and the provider is not asked
    let auths = json!({ "auths": { registry.host(): { "username": "user", "password": "pass" } } });
    world
        .put_secret("login", json!({ ".dockerconfigjson": auths.to_string() }))
        .await;
    world.put(account(json!([{ "name": "login" }]))).await;
    world.merge(json!({ "spec": { "interval": "2h" } })).await;
    world.ready(&stored(&format!("v1@{one}"))).await;
    world
        .merge(json!({ "spec": { "provider": "aws", "serviceAccountName": null } }))
        .await;
    let object = world.failed("OCIArtifactPullFailed").await;
    let message = condition(&object, "Ready").2;
    assert!(
        message
            .contains("failed to get access token for artifact registry: invalid AWS registry: 'localhost:"),
        "{message}"
    );
    world.stop().await;
}

/// N29.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_unverified_is_used_and_a_bad_signature_outweighs_all() {
    let (mut world, registry) = (world().await, Registry::start());
    let one = registry.push("org/app", "v1", &[("a", "1")]);
    let (signer, sigstore) = (Signer::new(), Sigstore::new());
    world
        .put_secret("keys", json!({ "cosign.pub": signer.public_pem() }))
        .await;
    world.start().await;
    let keyed = json!({ "verify": { "provider": "cosign", "secretRef": { "name": "keys" } } });
    world.put_source(spec(&registry, keyed)).await;
    let object = world.failed("VerificationError").await;
    let (status, _, message) = condition(&object, "SourceVerified");
    assert_eq!(status, "False");
    assert!(
        message.starts_with(
            "failed to verify the signature using provider 'cosign': no matching signatures were found for '"
        ),
        "{message}"
    );
    assert_eq!(object.pointer("/status/artifact"), None);
    assert_eq!(world.store.artifacts(), []);
    signer.sign(&registry, "org/app", &one);
    let object = world.ready(&stored(&format!("v1@{one}"))).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage", "SourceVerified"]);
    assert_eq!(
        condition(&object, "SourceVerified").2,
        format!("verified signature of revision v1@{one}")
    );
    // what was verified is not verified again
    registry.take_seen();
    world.request("0").await;
    let seen: Vec<String> = registry.take_seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(seen, ["HEAD"]);

    // a new revision that nobody signed: the last good artifact stays, and its successor is not used
    registry.push("org/app", "v1", &[("a", "2")]);
    world.request("1").await;
    let object = world.failed("VerificationError").await;
    assert_eq!(
        object.pointer("/status/artifact/revision").unwrap(),
        &json!(format!("v1@{one}"))
    );
    assert_eq!(world.store.artifacts().len(), 1);

    // what fails before a signature is looked at is what is told
    let login = json!({ "spec": { "secretRef": { "name": "none" } } });
    world.merge(login).await;
    let object = world.failed("AuthenticationFailed").await;
    assert!(
        !types(&object).contains(&"SourceVerified".to_owned()),
        "{object:#}"
    );
    world.merge(json!({ "spec": { "secretRef": null } })).await;

    // keyless, by a given root
    let three = registry.push("org/app", "v1", &[("a", "3")]);
    let names = ("https://issuer.example", "dev@shop.example");
    sigstore.sign_bundle(&registry, "org/app", &three, names, Flaw::None);
    world
        .put_secret("root", json!({ "trusted_root.json": sigstore.trusted_root() }))
        .await;
    let verify = json!({
        "provider": "cosign", "secretRef": null, "trustedRootSecretRef": { "name": "root" },
        "matchOIDCIdentity": [{ "issuer": "^https://issuer", "subject": "^ops@" }],
    });
    world.merge(json!({ "spec": { "verify": verify } })).await;
    world
        .until("another identity is refused", async || {
            let (_, reason, message) = condition(&world.get().await?, "Ready");
            (reason == "VerificationError" && message.contains("none of the expected identities matched"))
                .then_some(())
        })
        .await;
    let identity = json!([{ "issuer": "^https://issuer", "subject": "^dev@" }]);
    world
        .merge(json!({ "spec": { "verify": { "matchOIDCIdentity": identity } } }))
        .await;
    world.ready(&stored(&format!("v1@{three}"))).await;

    // nothing asked for: nothing said
    world.merge(json!({ "spec": { "verify": null } })).await;
    world
        .until("the condition goes", async || {
            (types(&world.get().await?) == ["Ready", "ArtifactInStorage"]).then_some(())
        })
        .await;
    world.stop().await;
}

/// N29: the signature holds for the digest, and whoever may move tags offers something old by the tag of something new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_signed_as_an_older_version_is_not_used_for_a_newer_one() {
    let (mut world, registry) = (world().await, Registry::start());
    let signer = Signer::new();
    let push = |tag: &str, version: &str| {
        let unversioned = registry.push("org/app", "", &[("a", version)]);
        let mut manifest = registry.manifest("org/app", &unversioned).unwrap();
        manifest["annotations"]["org.opencontainers.image.version"] = json!(version);
        registry.add_manifest("org/app", tag, &manifest)
    };
    let old = push("1.0.0", "1.0.0");
    signer.sign(&registry, "org/app", &old);
    world
        .put_secret("keys", json!({ "cosign.pub": signer.public_pem() }))
        .await;
    world.start().await;
    let newest = json!({
        "ref": { "semver": ">=1.0.0" },
        "verify": { "provider": "cosign", "secretRef": { "name": "keys" } },
    });
    world.put_source(spec(&registry, newest)).await;
    world.ready(&stored(&format!("1.0.0@{old}"))).await;

    assert_eq!(push("2.0.0", "1.0.0"), old);
    world.request("1").await;
    let object = world.failed("VerificationError").await;
    assert_eq!(
        condition(&object, "SourceVerified").2,
        "failed to verify the signature using provider 'cosign': what tag '2.0.0' leads to was signed as version '1.0.0', which is older (publish '2.0.0' anew, or remove the tag)"
    );
    let revision = object.pointer("/status/artifact/revision").unwrap();
    assert_eq!(revision, &json!(format!("1.0.0@{old}")));
    assert_eq!(world.store.artifacts().len(), 1);

    // the release is the prerelease, by another tag
    let new = push("2.0.0", "2.0.0-rc.1");
    signer.sign(&registry, "org/app", &new);
    world.request("2").await;
    world.ready(&stored(&format!("2.0.0@{new}"))).await;
    // where a tag is named, it is what is wanted
    push("2.0.0", "1.0.0");
    world
        .merge(json!({ "spec": { "ref": { "semver": null, "tag": "2.0.0" } } }))
        .await;
    world.ready(&stored(&format!("2.0.0@{old}"))).await;
    world.stop().await;
}
