//! Sources as manifests of before have them: `v1beta1` and `v1beta2` are served, stored as `v1`, and worked on like it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition};
use crate::{bucket, gitrepository, helmrepository, ocirepository};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity, Patch, PatchOptions};
use sluice_testkit::canned::Canned;
use sluice_testkit::git_server::git_is_present;
use sluice_testkit::registry::Registry;
use sluice_testkit::storage::Storage;

const GROUP: &str = "source.toolkit.fluxcd.io";
const NAME: &str = "old";

/// One kind as it was.
struct Older<'a> {
    world: &'a World,
    kind: &'static str,
    versions: &'static [&'static str],
    /// What `v1` has too.
    spec: Value,
    /// What only they had; it is taken, and not kept.
    before: Value,
    /// What only `v1` had.
    newer: Value,
    /// What Ready says in the end.
    ready: String,
}

impl Older<'_> {
    fn object(&self, version: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": format!("{GROUP}/{version}"), "kind": self.kind, "metadata": { "name": NAME }, "spec": spec,
        })
    }

    async fn get(&self, version: &str) -> Option<Value> {
        let id = World::id(&self.object(version, &Value::Null));
        let cluster = &self.world.cluster;
        cluster.get(&Identity::AsController, &id).await.unwrap()
    }

    async fn ready(&self, version: &str, message: &str) -> Value {
        let what = format!("{} {version} is ready: {message}", self.kind);
        self.world
            .until(&what, async || {
                let object = self.get(version).await?;
                let (status, _, said) = condition(&object, "Ready");
                let is_current =
                    object.pointer("/status/observedGeneration") == object.pointer("/metadata/generation");
                (status == "True" && said == message && is_current).then_some(object)
            })
            .await
    }

    async fn tell(self) {
        for version in self.versions {
            let spec = changed(self.spec.clone(), &self.before);
            self.world.put(self.object(version, &spec)).await;
            let old = self.ready(version, &self.ready).await;
            assert_eq!(old["apiVersion"], format!("{GROUP}/{version}"));
            let new = self.ready("v1", &self.ready).await;
            assert_eq!(new["apiVersion"], format!("{GROUP}/v1"));
            for part in ["spec", "status"] {
                assert_eq!(old[part], new[part], "{} {version} {part}", self.kind);
            }
            assert!(new.pointer("/status/artifact/digest").is_some(), "{new}");
            for (field, value) in self.spec.as_object().unwrap() {
                assert_eq!(new["spec"][field], *value, "{} {version} {field}", self.kind);
            }
            for field in self.before.as_object().unwrap().keys() {
                assert_eq!(new["spec"].get(field), None, "{} {version} {field}", self.kind);
            }
            // who knows only the older version, and changes something, takes nothing away
            let newer = changed(self.spec.clone(), &self.newer);
            self.world.put(self.object("v1", &newer)).await;
            let id = World::id(&self.object(version, &Value::Null));
            let options = PatchOptions {
                manager: "old-tool",
                ..PatchOptions::default()
            };
            let patch = Patch::Merge(json!({ "spec": { "interval": "59m" } }));
            let cluster = &self.world.cluster;
            let patched = cluster.patch(&Identity::AsController, &id, patch, options);
            patched.await.unwrap();
            let new = self.ready("v1", &self.ready).await;
            assert_eq!(new["spec"]["interval"], "59m");
            for (field, value) in self.newer.as_object().unwrap() {
                assert_eq!(new["spec"][field], *value, "{} {version} {field}", self.kind);
            }
            let deleted = cluster.delete(&Identity::AsController, &id, Default::default());
            deleted.await.unwrap();
            let what = format!("{} {version} is gone", self.kind);
            self.world
                .until(&what, async || self.get("v1").await.is_none().then_some(()))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_repositories_of_before() {
    if !git_is_present("GitRepositories of before") {
        return;
    }
    let mut world = gitrepository::World::new().await;
    let commit = world
        .repository
        .commit([("a/a.yaml", "a: 1"), ("b.yaml", "b: 1")], "first");
    world.start().await;
    Older {
        world: &world,
        kind: "GitRepository",
        versions: &["v1beta1", "v1beta2"],
        spec: json!({
            "interval": "1h", "url": world.git.url("shop"), "ref": { "branch": "main" }, "ignore": "*.txt", "timeout": "60s",
            "recurseSubmodules": true,
        }),
        before: json!({ "gitImplementation": "libgit2", "accessFrom": { "namespaceSelectors": [{}] } }),
        newer: json!({ "provider": "generic", "sparseCheckout": ["a"] }),
        ready: format!("stored artifact for revision 'main@sha1:{commit}'"),
    }
    .tell()
    .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_of_before() {
    let (mut world, storage) = (bucket::world().await, Storage::start());
    storage.put("shop", "a.yaml", "a: 1");
    storage.require("KEY", "s3cr3t");
    world
        .put_secret("login", json!({ "accesskey": "KEY", "secretkey": "s3cr3t" }))
        .await;
    world.start().await;
    let login = json!({ "secretRef": { "name": "login" }, "provider": "generic", "timeout": "60s" });
    Older {
        world: &world,
        kind: "Bucket",
        versions: &["v1beta1", "v1beta2"],
        spec: bucket::spec(&storage, login),
        before: json!({ "accessFrom": { "namespaceSelectors": [{ "matchLabels": { "team": "shop" } }] } }),
        newer: json!({ "prefix": "a" }),
        ready: bucket::stored(&[("a.yaml", "a: 1")]),
    }
    .tell()
    .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_repositories_of_before() {
    let (mut world, server) = (helmrepository::world().await, Canned::start());
    let index = helmrepository::index(&["1.0.0"]);
    server.answer("GET /index.yaml", 200, &index);
    world.start().await;
    Older {
        world: &world,
        kind: "HelmRepository",
        versions: &["v1beta1", "v1beta2"],
        spec: json!({
            "interval": "1h", "url": server.base(), "passCredentials": true, "timeout": "60s",
            "accessFrom": { "namespaceSelectors": [{ "matchLabels": { "team": "shop" } }] },
        }),
        before: json!({}),
        newer: json!({ "insecure": true, "type": "default" }),
        ready: helmrepository::stored(&index),
    }
    .tell()
    .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oci_repositories_of_before() {
    let (mut world, registry) = (ocirepository::world().await, Registry::start());
    let digest = registry.push("org/app", "v1", &[("a.yaml", "a: 1")]);
    world.start().await;
    Older {
        world: &world,
        kind: "OCIRepository",
        versions: &["v1beta2"],
        spec: json!({
            "interval": "1h", "url": registry.url("org/app"), "ref": { "tag": "v1" }, "provider": "generic",
            "timeout": "60s", "ignore": "*.txt",
        }),
        before: json!({}),
        newer: json!({ "layerSelector": { "operation": "extract" } }),
        ready: ocirepository::stored(&format!("v1@{digest}")),
    }
    .tell()
    .await;
    world.stop().await;
}
