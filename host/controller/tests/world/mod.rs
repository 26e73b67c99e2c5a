//! A small world for scenarios: an API server, a namespace, a source whose files the test decides, a controller.
#![allow(unreachable_pub)] // public to the suites, which are one program

use futures::future::BoxFuture;
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use sluice_api::{Kustomization, crd};
use sluice_apply::cluster::{
    Cluster, Identity, KubeCluster, Patch, PatchOptions, Preconditions, RetryPolicy,
};
use sluice_artifact::store::{DirectoryEntry, EntryContent, Limits};
use sluice_artifact::{ArtifactPath, Store, Tree};
use sluice_controller::error_policy::Failure;
use sluice_controller::reconcilers::kustomization::{Decryption, KustomizationReconciler, Render, Rendered};
use sluice_controller::runtime::{KUSTOMIZATION, Reconciler};
use sluice_controller::{ArtifactFacts, Artifacts, ControllerConfig, run_with};
use sluice_object::{GroupVersionKind, Manifests, Object, ObjectId, Origin};
use sluice_source::credential::cloud::Clouds;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Nothing here takes longer on any machine worth testing on.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct World {
    pub cluster: KubeCluster,
    pub namespace: String,
    pub renders: Arc<AtomicUsize>,
    store: Store,
    kubeconfig: Kubeconfig,
    /// Renders instead of [`Files`].
    pub renderer: Option<Arc<dyn Render>>,
    /// The identity of the controller.
    pub clouds: Option<Clouds>,
    shutdown: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
    folder: tempfile::TempDir,
}

/// Renders JSON files as they are.
#[derive(Default)]
pub struct Files(Arc<AtomicUsize>);

impl Render for Files {
    fn render<'a>(
        &'a self,
        ks: &'a Kustomization,
        tree: Arc<dyn Tree>,
        _: &'a ArtifactFacts,
        variables: BTreeMap<String, String>,
        _: bool,
        _: Option<&'a Decryption>,
    ) -> BoxFuture<'a, Result<Rendered, Failure>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let failed = |message: String| Failure::retry(sluice_api::reason::BUILD_FAILED, message);
            let root = format!(
                "/{}",
                ks.spec
                    .path
                    .as_deref()
                    .unwrap_or_default()
                    .trim_matches(['.', '/'])
            );
            let mut objects = Vec::new();
            for entry in tree
                .walk(&root)
                .map_err(|error| failed(format!("kustomization path not found: {error}")))?
            {
                let mut text = String::from_utf8_lossy(&tree.read(&entry.path).unwrap()).into_owned();
                for (name, value) in &variables {
                    text = text.replace(&format!("${{{name}}}"), value);
                }
                let origin = Origin {
                    path: entry.path.trim_start_matches('/').to_owned(),
                    index: 0,
                    line: 1,
                };
                let value = serde_json::from_str(&text)
                    .map_err(|error| failed(format!("kustomize build failed: {origin}: {error}")))?;
                objects.push(Object::new(value).unwrap().with_origin(Some(origin)));
            }
            let build = sluice_render::Rendered::new(Manifests { objects }, Vec::new());
            Ok(Rendered::new(Arc::new(build)))
        })
    }
}

pub fn config_map(name: &str, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "key": value } })
}

impl World {
    /// A namespace of its own with a controller that watches only it.
    pub async fn new(kubeconfig: Kubeconfig) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let client = kube::Client::try_from(config(kubeconfig.clone()).await).unwrap();
        let cluster = KubeCluster::new(client, RetryPolicy::default());
        let namespace = format!(
            "t{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Limits::default()).unwrap();
        let world = Self {
            cluster,
            namespace: namespace.clone(),
            renders: Arc::default(),
            renderer: None,
            store,
            kubeconfig,
            clouds: None,
            shutdown: None,
            folder,
        };
        for definition in crd::all() {
            world.put(definition).await;
        }
        world
            .put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }))
            .await;
        for (gvk, name) in [
            ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            ("source.toolkit.fluxcd.io/v1", "GitRepository"),
        ] {
            let gvk = GroupVersionKind::new(gvk, name);
            world
                .until("the kinds are served", async || {
                    world
                        .cluster
                        .list(&Identity::AsController, &gvk, None, "")
                        .await
                        .is_ok()
                        .then_some(())
                })
                .await;
        }
        world
    }

    /// Where the controller keeps what it keeps.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts the controller, or starts it anew with nothing remembered.
    pub async fn start(&mut self) {
        self.start_with(|_| {}).await;
    }

    pub async fn start_with(&mut self, change: impl FnOnce(&mut ControllerConfig)) {
        self.stop().await;
        let mut settings = ControllerConfig {
            watch_all_namespaces: false,
            runtime_namespace: self.namespace.clone(),
            await_flux_leases: false,
            ..ControllerConfig::default()
        };
        change(&mut settings);
        let kube = config(self.kubeconfig.clone()).await;
        let (store, shutdown) = (self.store.clone(), CancellationToken::new());
        let files = || Arc::new(Files(self.renders.clone())) as Arc<dyn Render>;
        let renderer = self.renderer.clone().unwrap_or_else(files);
        let (token, clouds) = (shutdown.clone(), self.clouds.clone());
        let task = tokio::spawn(async move {
            let make = move |_: &_| {
                let artifacts = Artifacts::new(Some(store)).unwrap();
                let mut reconciler = KustomizationReconciler::new(artifacts, renderer);
                if let Some(clouds) = clouds {
                    reconciler = reconciler.with_clouds(clouds);
                }
                Ok(vec![Arc::new(reconciler) as Arc<dyn Reconciler>])
            };
            run_with(settings, kube, vec![(&KUSTOMIZATION, 4)], Box::new(make), token)
                .await
                .unwrap();
        });
        self.shutdown = Some((shutdown, task));
    }

    pub async fn stop(&mut self) {
        if let Some((shutdown, task)) = self.shutdown.take() {
            shutdown.cancel();
            task.await.unwrap();
        }
    }

    fn id(&self, object: &Value) -> ObjectId {
        let mut id = Object::new(object.clone()).unwrap().id().clone();
        if id.namespace.is_none()
            && !["Namespace", "CustomResourceDefinition"].contains(&id.gvk.kind.as_str())
        {
            id.namespace = Some(self.namespace.clone());
        }
        id
    }

    pub async fn put(&self, object: Value) -> Value {
        let options = PatchOptions {
            manager: "test",
            ..PatchOptions::default()
        };
        let id = self.id(&object);
        self.cluster
            .patch(&Identity::AsController, &id, Patch::Apply(object), options)
            .await
            .unwrap()
            .object
    }

    pub async fn merge(
        &self,
        kind: (&str, &str),
        name: &str,
        patch: Value,
        subresource: Option<&str>,
    ) -> Value {
        let options = PatchOptions {
            manager: "kubectl-edit",
            subresource,
            ..PatchOptions::default()
        };
        let id = self.id_of(kind, name);
        self.cluster
            .patch(&Identity::AsController, &id, Patch::Merge(patch), options)
            .await
            .unwrap()
            .object
    }

    pub async fn delete(&self, kind: (&str, &str), name: &str) {
        let id = self.id_of(kind, name);
        self.cluster
            .delete(&Identity::AsController, &id, Preconditions::default())
            .await
            .unwrap();
    }

    pub fn id_of(&self, (api_version, kind): (&str, &str), name: &str) -> ObjectId {
        self.id(&json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } }))
    }

    pub async fn get(&self, kind: (&str, &str), name: &str) -> Option<Value> {
        self.cluster
            .get(&Identity::AsController, &self.id_of(kind, name))
            .await
            .unwrap()
    }

    pub async fn ks(&self, name: &str) -> Value {
        self.get(KS, name).await.unwrap()
    }

    /// A commit: the source `src` now has these files.
    pub async fn commit(&self, revision: &str, files: &[(&str, Value)]) {
        let mut draft = self.store.draft();
        let mut entries = Vec::new();
        for (name, content) in files {
            let content = content
                .as_str()
                .map_or_else(|| content.to_string(), str::to_owned);
            let blob = draft.blob(content.as_bytes()).unwrap();
            let content = EntryContent::File {
                blob,
                size: content.len() as u64,
                is_executable: false,
            };
            entries.push(DirectoryEntry {
                name: (*name).to_owned(),
                content,
            });
        }
        let root = draft.directory(entries).unwrap();
        let path = ArtifactPath::new(
            "gitrepository",
            &self.namespace,
            "src",
            &format!("{revision}.tar.gz"),
        )
        .unwrap();
        let revision = format!("main@sha1:{revision}");
        let artifact = draft.commit(&path, &revision, root).unwrap();
        self.put(json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": { "name": "src" },
            "spec": { "interval": "1h", "url": "https://example.com/src.git" },
        }))
        .await;
        let status = json!({ "status": { "artifact": {
            "path": path.to_string(), "url": "http://example.com/x", "revision": revision, "digest": artifact.digest.to_string(),
            "lastUpdateTime": "2026-01-01T00:00:00Z", "size": artifact.size,
        } } });
        self.merge(
            ("source.toolkit.fluxcd.io/v1", "GitRepository"),
            "src",
            status,
            Some("status"),
        )
        .await;
    }

    /// Creates or changes a Kustomization; `spec` is merged over usual values.
    pub async fn kustomization(&self, name: &str, spec: Value) {
        let mut full = json!({
            "interval": "1h", "prune": true, "sourceRef": { "kind": "GitRepository", "name": "src" },
            "retryInterval": "1h",
        });
        for (key, value) in spec.as_object().unwrap() {
            full[key] = value.clone();
        }
        // what the renderer of these tests does not do itself
        self.put(json!({
            "apiVersion": KS.0, "kind": KS.1, "metadata": { "name": name }, "spec": full,
        }))
        .await;
    }

    /// Waits until `look` gives something; fails, naming `what`, when it never does.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let tried = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, tried)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"))
    }

    /// Waits until Ready of a Kustomization says so for `revision`.
    pub async fn ready(&self, name: &str, revision: &str) -> Value {
        let message = format!("Applied revision: main@sha1:{revision}");
        let mut last = Value::Null;
        let look = async || {
            last = self.ks(name).await;
            let (status, reason, told) = condition(&last, "Ready");
            // a note may follow: several apply one object
            let is_said = told == message || told.starts_with(&format!("{message}; "));
            (status == "True" && reason == "ReconciliationSucceeded" && is_said).then(|| last.clone())
        };
        let what = format!("{name} ready at {revision}");
        let tried = self.until(&what, look);
        tried.await
    }

    /// Waits until Ready of a Kustomization is false for `reason`; answers with the message.
    pub async fn failed(&self, name: &str, reason: &str) -> String {
        self.until(&format!("{name} failed with {reason}"), async || {
            let (status, found, message) = condition(&self.ks(name).await, "Ready");
            (status == "False" && found == reason).then_some(message)
        })
        .await
    }

    /// The events of an object, as `reason: message`, each as often as it was told.
    pub async fn events(&self, name: &str) -> Vec<String> {
        let gvk = GroupVersionKind::new("v1", "Event");
        let events = self
            .cluster
            .list(&Identity::AsController, &gvk, Some(&self.namespace), "")
            .await
            .unwrap();
        let mut events: Vec<&Value> = events
            .iter()
            .filter(|event| event.pointer("/involvedObject/name") == Some(&json!(name)))
            .collect();
        events.sort_by_key(|event| event.pointer("/metadata/name").unwrap().to_string());
        let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
        events
            .into_iter()
            .flat_map(|event| {
                let line = format!("{}: {}", text(event, "reason"), text(event, "message"));
                std::iter::repeat_n(line, event["count"].as_u64().unwrap_or(1) as usize)
            })
            .collect()
    }
}

pub const KS: (&str, &str) = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
pub const CM: (&str, &str) = ("v1", "ConfigMap");

pub fn condition(object: &Value, type_: &str) -> (String, String, String) {
    let mut conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let found = conditions.rfind(|condition| condition["type"] == type_);
    let text = |key: &str| {
        found
            .and_then(|condition| condition[key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (text("status"), text("reason"), text("message"))
}

async fn config(kubeconfig: Kubeconfig) -> kube::Config {
    let _ = rustls::crypto::ring::default_provider().install_default();
    kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default())
        .await
        .unwrap()
}
