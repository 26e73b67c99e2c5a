//! A small world for stories: an API server, a namespace, a source whose files the test decides, and the reconciler.
//!
//! [`World::embedded`] lives on the embedded API server, in this process: run it under a paused clock
//! (`#[tokio::test(start_paused = true)]`) and no wait takes any time. [`World::new`] lives on any server.
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing)] // it fails tests, by saying why

mod files;
mod look;

pub use files::Files;
pub use look::{condition, data, inventory, text};

use kube::Client;
use serde_json::{Value, json};
use sluice_api::crd;
use sluice_apply::cluster::{
    Cluster, Identity, KubeCluster, Patch, PatchOptions, Preconditions, RetryPolicy,
};
use sluice_artifact::store::{DirectoryEntry, EntryContent, Limits, Retention};
use sluice_artifact::{ArtifactPath, Store};
use sluice_controller::reconcilers::kustomization::{KustomizationReconciler, Renderer};
use sluice_controller::runtime::{KUSTOMIZATION, Reconciler};
use sluice_controller::{Artifacts, ControllerConfig, run_on};
use sluice_devcluster::{Config, DevCluster};
use sluice_object::{GroupVersionKind, Object, ObjectId};
use sluice_source::credential::cloud::Clouds;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Nothing in a story takes longer on any machine worth testing on.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often is looked whether something has come true.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// `Kustomization`.
pub const KS: (&str, &str) = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
/// `GitRepository`.
pub const GIT: (&str, &str) = ("source.toolkit.fluxcd.io/v1", "GitRepository");
/// `ConfigMap`.
pub const CM: (&str, &str) = ("v1", "ConfigMap");
/// `Secret`.
pub const SECRET: (&str, &str) = ("v1", "Secret");
/// `Namespace`.
pub const NAMESPACE: (&str, &str) = ("v1", "Namespace");
/// `Deployment`.
pub const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");

/// A ConfigMap with one value.
pub fn config_map(name: &str, value: &str) -> Value {
    json!({ "apiVersion": CM.0, "kind": CM.1, "metadata": { "name": name }, "data": { "key": value } })
}

/// HTTP clients of this process use ring; nobody else chooses for them.
pub fn install_tls() {
    // another test may have been quicker, with the same
    let _already = rustls::crypto::ring::default_provider().install_default();
}

/// An API server with one namespace of ours on it.
pub struct World {
    /// The API server, in the name of whoever tells the story.
    pub cluster: KubeCluster,
    /// Where the story happens.
    pub namespace: String,
    /// The renderer of the reconciler.
    pub files: Files,
    /// Another renderer in its place.
    pub renderer: Option<Renderer>,
    /// Who the reconciler is to clouds.
    pub clouds: Option<Clouds>,
    server: Option<DevCluster>,
    /// A connection to the server for a controller that starts.
    connect: Box<dyn Fn() -> KubeCluster + Send + Sync>,
    store: Store,
    running: Option<(CancellationToken, JoinHandle<()>)>,
    folder: tempfile::TempDir,
}

impl World {
    /// On an embedded API server of its own, which remembers what it was asked.
    pub async fn embedded() -> Self {
        Self::embedded_with(Config {
            audit: true,
            ..Config::default()
        })
        .await
    }

    /// The same with other settings of the server.
    pub async fn embedded_with(config: Config) -> Self {
        let server = DevCluster::in_process(&config);
        let client = Client::new(server.service(), "default");
        let connect = move || KubeCluster::new(client.clone(), RetryPolicy::default());
        let mut world = Self::over(Box::new(connect)).await;
        world.server = Some(server);
        world
    }

    /// On an API server of its own process: a namespace of its own, and a controller that watches only it and asks as
    /// the product does.
    ///
    /// # Panics
    /// Where the server cannot be worked with.
    pub async fn connected(config: kube::Config) -> Self {
        let connect = move || {
            KubeCluster::connect(config.clone(), RetryPolicy::default()).expect("a usable configuration")
        };
        Self::over(Box::new(connect)).await
    }

    async fn over(connect: Box<dyn Fn() -> KubeCluster + Send + Sync>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespace = format!(
            "t{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        install_tls();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path(), Limits::default()).expect("an artifact store");
        let world = Self {
            cluster: connect(),
            namespace,
            files: Files::default(),
            renderer: None,
            clouds: None,
            server: None,
            connect,
            store,
            running: None,
            folder,
        };
        for definition in crd::all() {
            world.put(definition).await;
        }
        world
            .put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": world.namespace } }))
            .await;
        for kind in [KS, GIT] {
            world
                .until("the kinds are served", async || world.list(kind, "").await)
                .await;
        }
        world
    }

    /// The embedded server, none in a world on a real one.
    pub fn server(&self) -> Option<&DevCluster> {
        self.server.as_ref()
    }

    /// A temporary folder that lives as long as the world.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts the controller, or starts it anew with nothing remembered.
    pub async fn start(&mut self) {
        self.start_with(|_| {}).await;
    }

    /// The same with other settings.
    ///
    /// # Panics
    /// Where it ends with an error.
    pub async fn start_with(&mut self, change: impl FnOnce(&mut ControllerConfig)) {
        self.stop().await;
        let mut settings = ControllerConfig {
            watch_all_namespaces: false,
            runtime_namespace: self.namespace.clone(),
            await_flux_leases: false,
            ..ControllerConfig::default()
        };
        change(&mut settings);
        let (store, shutdown) = (self.store.clone(), CancellationToken::new());
        let files = || Arc::new(self.files.clone()) as Renderer;
        let renderer = self.renderer.clone().unwrap_or_else(files);
        let clouds = self.clouds.clone();
        let cluster = (self.connect)();
        let token = shutdown.clone();
        let task = tokio::spawn(async move {
            let make = move |_: &_| {
                let artifacts = Artifacts::new(Some(store)).expect("an HTTP client");
                let mut reconciler = KustomizationReconciler::new(artifacts, renderer);
                if let Some(clouds) = clouds {
                    reconciler = reconciler.with_clouds(clouds);
                }
                Ok(vec![Arc::new(reconciler) as Arc<dyn Reconciler>])
            };
            let ran = run_on(
                settings,
                cluster,
                vec![(&KUSTOMIZATION, 4)],
                Box::new(make),
                token,
            )
            .await;
            ran.expect("the controller runs to its end");
        });
        self.running = Some((shutdown, task));
    }

    /// Stops the controller; what it has begun comes to its end.
    ///
    /// # Panics
    /// Where it panicked.
    pub async fn stop(&mut self) {
        if let Some((shutdown, task)) = self.running.take() {
            shutdown.cancel();
            task.await.expect("the controller ends");
        }
    }

    /// Names an object of this world; `kind`: apiVersion and kind.
    pub fn id_of(&self, (api_version, kind): (&str, &str), name: &str) -> ObjectId {
        let is_namespaced = !files::is_cluster_scoped(kind);
        ObjectId {
            gvk: GroupVersionKind::new(api_version, kind),
            namespace: is_namespaced.then(|| self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    fn id(&self, object: &Value) -> ObjectId {
        let object = Object::new(object.clone()).expect("an object with apiVersion, kind and name");
        let id = object.id();
        ObjectId {
            namespace: id.namespace.clone().or(self
                .id_of((&id.gvk.api_version(), &id.gvk.kind), &id.name)
                .namespace),
            ..id.clone()
        }
    }

    /// Creates or changes an object, as somebody whose fields nobody takes over.
    pub async fn put(&self, object: Value) -> Value {
        self.put_as("test", object).await
    }

    /// The same as another field manager.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn put_as(&self, manager: &str, object: Value) -> Value {
        let options = PatchOptions {
            manager,
            with_owners: true,
            ..PatchOptions::default()
        };
        let id = self.id(&object);
        let put = self
            .cluster
            .patch(&Identity::AsController, &id, Patch::Apply(object), options)
            .await;
        put.unwrap_or_else(|error| panic!("{id}: {error}")).object
    }

    /// `kubectl edit`: merges a patch.
    pub async fn edit(&self, kind: (&str, &str), name: &str, patch: Value) -> Value {
        self.merge("kubectl-edit", &self.id_of(kind, name), patch, None)
            .await
    }

    /// What a controller of the cluster reports of an object.
    pub async fn report(&self, kind: (&str, &str), name: &str, status: Value) -> Value {
        self.merge(
            "test",
            &self.id_of(kind, name),
            json!({ "status": status }),
            Some("status"),
        )
        .await
    }

    /// Merges a patch as `manager`.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn merge(
        &self,
        manager: &str,
        id: &ObjectId,
        patch: Value,
        subresource: Option<&str>,
    ) -> Value {
        let options = PatchOptions {
            manager,
            subresource,
            ..PatchOptions::default()
        };
        let merged = self
            .cluster
            .patch(&Identity::AsController, id, Patch::Merge(patch), options)
            .await;
        merged.unwrap_or_else(|error| panic!("{id}: {error}")).object
    }

    /// Deletes an object.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn delete(&self, kind: (&str, &str), name: &str) {
        let id = self.id_of(kind, name);
        let deleted = self
            .cluster
            .delete(&Identity::AsController, &id, Preconditions::default())
            .await;
        deleted.unwrap_or_else(|error| panic!("{id}: {error}"));
    }

    /// An object, none where it is absent, or its kind is.
    ///
    /// # Panics
    /// Where the server fails.
    pub async fn get(&self, kind: (&str, &str), name: &str) -> Option<Value> {
        let id = self.id_of(kind, name);
        match self.cluster.get(&Identity::AsController, &id).await {
            Err(error) if error.is_not_found() => None,
            got => got.unwrap_or_else(|error| panic!("{id}: {error}")),
        }
    }

    /// The objects of a kind in the namespace, none where the kind is not served.
    pub async fn list(&self, (api_version, kind): (&str, &str), labels: &str) -> Option<Vec<Value>> {
        let gvk = GroupVersionKind::new(api_version, kind);
        self.cluster
            .list(&Identity::AsController, &gvk, Some(&self.namespace), labels)
            .await
            .ok()
    }

    /// A commit: the source `src` now has these files, texts as they are, objects as JSON.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn commit(&self, revision: &str, files: &[(&str, Value)]) {
        self.commit_to("src", revision, files).await;
    }

    /// The same for another source.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn commit_to(&self, source: &str, revision: &str, files: &[(&str, Value)]) {
        let mut draft = self.store.draft();
        let mut entries = Vec::new();
        for (name, content) in files {
            let content = content
                .as_str()
                .map_or_else(|| content.to_string(), str::to_owned);
            let blob = draft.blob(content.as_bytes()).expect("a blob");
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
        let root = draft.directory(entries).expect("a directory");
        let path = self.artifact_path(source, revision);
        let revision = format!("main@sha1:{revision}");
        let artifact = draft.commit(&path, &revision, root).expect("an artifact");
        self.put(json!({
            "apiVersion": GIT.0, "kind": GIT.1, "metadata": { "name": source },
            "spec": { "interval": "1h", "url": "https://example.com/src.git" },
        }))
        .await;
        let artifact = json!({ "artifact": {
            "path": path.to_string(), "url": "http://example.com/x", "revision": revision, "digest": artifact.digest.to_string(),
            "lastUpdateTime": "2026-01-01T00:00:00Z", "size": artifact.size,
        } });
        self.report(GIT, source, artifact).await;
    }

    /// Forgets old artifacts of a source, and what only they held, as its reconciler does; `revision` is the current one.
    ///
    /// # Panics
    /// Where the store fails.
    pub fn collect(&self, source: &str, revision: &str) {
        let current = self.artifact_path(source, revision);
        let collected = self
            .store
            .collect(&current, Retention::default(), jiff::Timestamp::now());
        collected.expect("a store that forgets");
        self.store.sweep().expect("a store that is swept");
    }

    fn artifact_path(&self, source: &str, revision: &str) -> ArtifactPath {
        let file = format!("{revision}.tar.gz");
        ArtifactPath::new("gitrepository", &self.namespace, source, &file).expect("a path")
    }

    /// Creates or changes a Kustomization; `spec` is merged over usual values.
    pub async fn kustomization(&self, name: &str, spec: Value) {
        let mut object = json!({
            "apiVersion": KS.0, "kind": KS.1, "metadata": { "name": name },
            "spec": {
                "interval": "1h", "retryInterval": "1h", "prune": true, "targetNamespace": self.namespace,
                "sourceRef": { "kind": "GitRepository", "name": "src" },
            },
        });
        sluice_object::merge(&mut object, json!({ "spec": spec }));
        self.put(object).await;
    }

    /// Waits until `look` gives something.
    ///
    /// # Panics
    /// It never does; `what` says what was hoped for.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let tried = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let tried = tokio::time::timeout(PATIENCE, tried).await;
        tried.unwrap_or_else(|_| panic!("never: {what}"))
    }
}
