//! A small world for stories of sources: an API server, a store, a reconciler that the test chooses.
#![allow(unreachable_pub)] // public to the suites, which are one program

use serde_json::{Value, json};
use sluice_api::crd;
use sluice_apply::cluster::{
    Cluster, Identity, KubeCluster, Patch, PatchOptions, Preconditions, RetryPolicy,
};
use sluice_artifact::store::{Limits as StoreLimits, Retention};
use sluice_artifact::{ArtifactPath, Store};
use sluice_controller::reconcilers::source::SourceSettings;
use sluice_controller::runtime::{Kind, Reconciler};
use sluice_controller::{ControllerConfig, run_with};
use sluice_devcluster::DevCluster;
use sluice_object::{GroupVersionKind, Object, ObjectId};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Nothing here takes longer on any machine worth testing on.
const PATIENCE: Duration = Duration::from_secs(60);
const API: &str = "source.toolkit.fluxcd.io/v1";

/// What makes the reconcilers of a world: given the folder, the store, the settings.
type Make = Arc<dyn Fn(&Path, Store, SourceSettings) -> Vec<Arc<dyn Reconciler>> + Send + Sync>;

/// The usual spec with changes: fields of the first level.
pub fn changed(mut spec: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

pub struct World {
    pub cluster: KubeCluster,
    pub folder: tempfile::TempDir,
    pub store: Store,
    kind: &'static Kind,
    others: Vec<&'static Kind>,
    kube: kube::Config,
    make: Make,
    running: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
    _server: DevCluster,
}

impl World {
    pub async fn new(
        kind: &'static Kind,
        make: impl Fn(&Path, Store, SourceSettings) -> Arc<dyn Reconciler> + Send + Sync + 'static,
    ) -> World {
        World::of(kind, Vec::new(), move |folder, store, settings| {
            vec![make(folder, store, settings)]
        })
        .await
    }

    /// A world with other kinds beside the one under test, whose reconcilers are made after its own.
    pub async fn of(
        kind: &'static Kind,
        others: Vec<&'static Kind>,
        make: impl Fn(&Path, Store, SourceSettings) -> Vec<Arc<dyn Reconciler>> + Send + Sync + 'static,
    ) -> World {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = DevCluster::start(sluice_devcluster::Config::default())
            .await
            .unwrap();
        let kubeconfig = kube::config::Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let kube = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        let client = kube::Client::try_from(kube.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("store")).unwrap();
        let store = Store::open(&folder.path().join("store"), StoreLimits::default()).unwrap();
        let world = World {
            cluster: KubeCluster::new(client, RetryPolicy::default()),
            folder,
            store,
            kind,
            others,
            kube,
            make: Arc::new(make),
            running: None,
            _server: server,
        };
        for definition in crd::all() {
            world.put(definition).await;
        }
        for kind in std::iter::once(&kind).chain(&world.others) {
            let gvk = GroupVersionKind::new(API, kind.kind);
            let served = async || {
                world
                    .cluster
                    .list(&Identity::AsController, &gvk, None, "")
                    .await
                    .ok()
            };
            world.until("the kind is served", served).await;
        }
        world
    }

    pub async fn start(&mut self) {
        self.start_with(|_| {}).await;
    }

    /// The same with other settings.
    pub async fn start_with(&mut self, change: impl FnOnce(&mut ControllerConfig)) {
        self.stop().await;
        let mut config = ControllerConfig {
            watch_all_namespaces: false,
            runtime_namespace: "default".to_owned(),
            await_flux_leases: false,
            min_retry_delay: Duration::from_millis(50),
            ..ControllerConfig::default()
        };
        change(&mut config);
        let settings = SourceSettings {
            advertised_address: "source-controller.flux-system.svc.cluster.local.".to_owned(),
            retention: Retention::default(),
        };
        let reconcilers = (self.make)(self.folder.path(), self.store.clone(), settings);
        let (kube, token) = (self.kube.clone(), CancellationToken::new());
        let kinds = std::iter::once(self.kind).chain(self.others.iter().copied());
        let kinds: Vec<_> = kinds.map(|kind| (kind, 2)).collect();
        let shutdown = token.clone();
        let task = tokio::spawn(async move {
            let make = move |_: &_| Ok(reconcilers);
            run_with(config, kube, kinds, Box::new(make), shutdown)
                .await
                .unwrap();
        });
        self.running = Some((token, task));
    }

    pub async fn stop(&mut self) {
        if let Some((token, task)) = self.running.take() {
            token.cancel();
            task.await.unwrap();
        }
    }

    pub fn id(object: &Value) -> ObjectId {
        let mut id = Object::new(object.clone()).unwrap().id().clone();
        if id.gvk.kind != "CustomResourceDefinition" {
            id.namespace = Some("default".to_owned());
        }
        id
    }

    /// The object under test is called `shop`.
    fn own_id(&self) -> ObjectId {
        World::id(&json!({ "apiVersion": API, "kind": self.kind.kind, "metadata": { "name": "shop" } }))
    }

    pub async fn put(&self, object: Value) {
        let options = PatchOptions {
            manager: "test",
            ..PatchOptions::default()
        };
        let id = World::id(&object);
        let put = self
            .cluster
            .patch(&Identity::AsController, &id, Patch::Apply(object), options);
        put.await.unwrap();
    }

    pub async fn put_source(&self, spec: Value) {
        let metadata = json!({ "name": "shop" });
        self.put(json!({ "apiVersion": API, "kind": self.kind.kind, "metadata": metadata, "spec": spec }))
            .await;
    }

    pub async fn put_secret(&self, name: &str, data: Value) {
        let metadata = json!({ "name": name });
        self.put(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data }))
            .await;
    }

    pub async fn merge(&self, patch: Value) {
        self.merge_other("shop", patch).await;
    }

    /// Merges into another object of the kind under test.
    pub async fn merge_other(&self, name: &str, patch: Value) {
        let options = PatchOptions {
            manager: "flux",
            ..PatchOptions::default()
        };
        let id =
            World::id(&json!({ "apiVersion": API, "kind": self.kind.kind, "metadata": { "name": name } }));
        let merged = self
            .cluster
            .patch(&Identity::AsController, &id, Patch::Merge(patch), options);
        merged.await.unwrap();
    }

    /// Merges into the status of the object under test, as nobody should.
    pub async fn merge_status(&self, status: Value) {
        let options = PatchOptions {
            manager: "flux",
            subresource: Some("status"),
            ..PatchOptions::default()
        };
        let (id, patch) = (self.own_id(), Patch::Merge(json!({ "status": status })));
        let merged = self.cluster.patch(&Identity::AsController, &id, patch, options);
        merged.await.unwrap();
    }

    pub async fn get(&self) -> Option<Value> {
        self.cluster
            .get(&Identity::AsController, &self.own_id())
            .await
            .unwrap()
    }

    pub async fn delete(&self) {
        let id = self.own_id();
        let deleted = self
            .cluster
            .delete(&Identity::AsController, &id, Preconditions::default());
        deleted.await.unwrap();
        self.until("the object is gone", async || {
            self.get().await.is_none().then_some(())
        })
        .await;
    }

    /// Asks for a pass by annotation, and waits until it is answered.
    pub async fn request(&self, at: &str) {
        self.merge(json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": at } } }))
            .await;
        self.until(&format!("the request {at} is answered"), async || {
            let object = self.get().await?;
            (object.pointer("/status/lastHandledReconcileAt") == Some(&json!(at))).then_some(())
        })
        .await;
    }

    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let tried = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, tried).await {
            Ok(found) => found,
            Err(_) => panic!("never: {what}: {:#}", self.get().await.unwrap_or_default()),
        }
    }

    /// Waits until Ready is true with this message.
    pub async fn ready(&self, message: &str) -> Value {
        self.until(&format!("ready: {message}"), async || {
            let object = self.get().await?;
            let (status, _, found) = condition(&object, "Ready");
            (status == "True" && found == message).then_some(object)
        })
        .await
    }

    /// Waits until Ready is false for this reason.
    pub async fn failed(&self, reason: &str) -> Value {
        self.until(&format!("failed with {reason}"), async || {
            let object = self.get().await?;
            let (status, found, _) = condition(&object, "Ready");
            (status == "False" && found == reason).then_some(object)
        })
        .await
    }

    /// Events as `Normal NewArtifact: …`.
    pub async fn events(&self) -> Vec<String> {
        let gvk = GroupVersionKind::new("v1", "Event");
        let events = self
            .cluster
            .list(&Identity::AsController, &gvk, Some("default"), "")
            .await
            .unwrap();
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let line = |event: &Value| {
            format!(
                "{} {}: {}",
                text(event, "type"),
                text(event, "reason"),
                text(event, "message")
            )
        };
        events.iter().map(line).collect()
    }

    /// Waits until all these were told.
    pub async fn told(&self, expected: &[String]) {
        self.until(&format!("told: {expected:?}"), async || {
            let events = self.events().await;
            expected
                .iter()
                .all(|expected| events.contains(expected))
                .then_some(())
        })
        .await;
    }
}

/// Status, reason and message.
pub fn condition(object: &Value, type_: &str) -> (String, String, String) {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions
        .into_iter()
        .flatten()
        .rfind(|condition| condition["type"] == type_);
    let text = |key: &str| {
        found
            .and_then(|found| found[key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (text("status"), text("reason"), text("message"))
}

pub fn types(object: &Value) -> Vec<String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let types = conditions
        .into_iter()
        .flatten()
        .map(|condition| condition["type"].as_str().unwrap().to_owned());
    types.collect()
}

pub fn path(object: &Value) -> ArtifactPath {
    object
        .pointer("/status/artifact/path")
        .unwrap()
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}
