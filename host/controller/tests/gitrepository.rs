//! Stories of a GitRepository: a real Git server, the embedded API server, the real reconciler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use sluice_api::crd;
use sluice_apply::cluster::{
    Cluster, Identity, KubeCluster, Patch, PatchOptions, Preconditions, RetryPolicy,
};
use sluice_artifact::store::{Limits as StoreLimits, Retention};
use sluice_artifact::{ArtifactPath, Store, Tree};
use sluice_controller::reconcilers::gitrepository::{GitRepositoryReconciler, SourceSettings};
use sluice_controller::runtime::{GIT_REPOSITORY, Reconciler};
use sluice_controller::{ControllerConfig, run_with};
use sluice_devcluster::DevCluster;
use sluice_object::{GroupVersionKind, Object, ObjectId};
use sluice_source::fetch::LocalAccess;
use sluice_source::{GitFetcher, Limits};
use sluice_testkit::git_server::{Access, Fault, GitServer, Repository, git_is_present};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Nothing here takes longer on any machine worth testing on.
const PATIENCE: Duration = Duration::from_secs(60);
const GIT: (&str, &str) = ("source.toolkit.fluxcd.io/v1", "GitRepository");

struct World {
    cluster: KubeCluster,
    kube: kube::Config,
    repository: Repository,
    git: GitServer,
    folder: tempfile::TempDir,
    store: Store,
    running: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
    _server: DevCluster,
}

impl World {
    async fn new() -> World {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = DevCluster::start(sluice_devcluster::Config::default())
            .await
            .unwrap();
        let kubeconfig = kube::config::Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let kube = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        let cluster = KubeCluster::new(
            kube::Client::try_from(kube.clone()).unwrap(),
            RetryPolicy::default(),
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("store")).unwrap();
        let repository = Repository::init(&folder.path().join("git/shop"));
        let git = GitServer::start(&folder.path().join("git"));
        let store = Store::open(&folder.path().join("store"), StoreLimits::default()).unwrap();
        let world = World {
            cluster,
            kube,
            repository,
            git,
            folder,
            store,
            running: None,
            _server: server,
        };
        for definition in crd::all() {
            world.put(definition).await;
        }
        let gvk = GroupVersionKind::new(GIT.0, GIT.1);
        world
            .until("the kind is served", async || {
                world
                    .cluster
                    .list(&Identity::AsController, &gvk, None, "")
                    .await
                    .ok()
            })
            .await;
        world
    }

    async fn start(&mut self) {
        self.stop().await;
        let config = ControllerConfig {
            watch_all_namespaces: false,
            runtime_namespace: "default".to_owned(),
            await_flux_leases: false,
            min_retry_delay: Duration::from_millis(50),
            ..ControllerConfig::default()
        };
        let (store, root) = (self.store.clone(), self.folder.path().join("fetched"));
        let (kube, token) = (self.kube.clone(), CancellationToken::new());
        let shutdown = token.clone();
        let task = tokio::spawn(async move {
            let make = move |_: &_| {
                let fetcher = GitFetcher::new(&root, Limits::default(), LocalAccess::Denied).unwrap();
                let settings = SourceSettings {
                    advertised_address: "source-controller.flux-system.svc.cluster.local.".to_owned(),
                    retention: Retention::default(),
                };
                let reconciler: Arc<dyn Reconciler> =
                    Arc::new(GitRepositoryReconciler::new(fetcher, store, settings));
                Ok(vec![reconciler])
            };
            run_with(config, kube, vec![(&GIT_REPOSITORY, 2)], Box::new(make), shutdown)
                .await
                .unwrap();
        });
        self.running = Some((token, task));
    }

    async fn stop(&mut self) {
        if let Some((token, task)) = self.running.take() {
            token.cancel();
            task.await.unwrap();
        }
    }

    fn id(object: &Value) -> ObjectId {
        let mut id = Object::new(object.clone()).unwrap().id().clone();
        if id.gvk.kind != "CustomResourceDefinition" {
            id.namespace = Some("default".to_owned());
        }
        id
    }

    async fn put(&self, object: Value) {
        let options = PatchOptions {
            manager: "test",
            ..PatchOptions::default()
        };
        let id = World::id(&object);
        self.cluster
            .patch(&Identity::AsController, &id, Patch::Apply(object), options)
            .await
            .unwrap();
    }

    /// Creates or changes the GitRepository; `spec` is merged over usual values.
    async fn source(&self, spec: Value) {
        let mut full = json!({ "interval": "1h", "url": self.git.url("shop"), "ref": { "branch": "main" } });
        for (key, value) in spec.as_object().unwrap() {
            full[key] = value.clone();
        }
        self.put(json!({ "apiVersion": GIT.0, "kind": GIT.1, "metadata": { "name": "shop" }, "spec": full }))
            .await;
    }

    async fn get(&self) -> Option<Value> {
        let object = json!({ "apiVersion": GIT.0, "kind": GIT.1, "metadata": { "name": "shop" } });
        self.cluster
            .get(&Identity::AsController, &World::id(&object))
            .await
            .unwrap()
    }

    async fn request(&self, at: &str) {
        let object = json!({ "apiVersion": GIT.0, "kind": GIT.1, "metadata": { "name": "shop" } });
        let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": at } } });
        let options = PatchOptions {
            manager: "flux",
            ..PatchOptions::default()
        };
        let id = World::id(&object);
        self.cluster
            .patch(&Identity::AsController, &id, Patch::Merge(patch), options)
            .await
            .unwrap();
        self.until(&format!("the request {at} is answered"), async || {
            let object = self.get().await?;
            (object.pointer("/status/lastHandledReconcileAt") == Some(&json!(at))).then_some(())
        })
        .await;
    }

    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let tried = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let tried = tokio::time::timeout(PATIENCE, tried).await;
        match tried {
            Ok(found) => found,
            Err(_) => panic!("never: {what}: {:#}", self.get().await.unwrap_or_default()),
        }
    }

    async fn ready(&self, commit: &str) -> Value {
        let expected = format!("stored artifact for revision 'main@sha1:{commit}'");
        self.until(&format!("ready at {commit}"), async || {
            let object = self.get().await?;
            let (status, _, message) = condition(&object, "Ready");
            (status == "True" && message == expected).then_some(object)
        })
        .await
    }

    async fn failed(&self, reason: &str) -> Value {
        self.until(&format!("failed with {reason}"), async || {
            let object = self.get().await?;
            let (status, found, _) = condition(&object, "Ready");
            (status == "False" && found == reason).then_some(object)
        })
        .await
    }

    async fn events(&self) -> Vec<String> {
        let gvk = GroupVersionKind::new("v1", "Event");
        let events = self
            .cluster
            .list(&Identity::AsController, &gvk, Some("default"), "")
            .await
            .unwrap();
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| {
                format!(
                    "{} {}: {}",
                    text(event, "type"),
                    text(event, "reason"),
                    text(event, "message")
                )
            })
            .collect()
    }
}

fn condition(object: &Value, type_: &str) -> (String, String, String) {
    let mut conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let found = conditions.rfind(|condition| condition["type"] == type_);
    let text = |key: &str| {
        found
            .and_then(|found| found[key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (text("status"), text("reason"), text("message"))
}

fn types(object: &Value) -> Vec<String> {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    conditions
        .map(|condition| condition["type"].as_str().unwrap().to_owned())
        .collect()
}

fn path(object: &Value) -> ArtifactPath {
    object
        .pointer("/status/artifact/path")
        .unwrap()
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_becomes_an_artifact_and_the_next_one_replaces_it() {
    if !git_is_present("GitRepository stories") {
        return;
    }
    let mut world = World::new().await;
    let one = world.repository.commit([("a.yaml", "a: 1")], "first commit");
    world.start().await;
    world.source(json!({})).await;
    let object = world.ready(&one).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    let artifact = object.pointer("/status/artifact").unwrap();
    assert_eq!(artifact["revision"], format!("main@sha1:{one}"));
    assert_eq!(
        artifact["path"],
        format!("gitrepository/default/shop/{one}.tar.gz")
    );
    assert_eq!(
        artifact["url"],
        format!(
            "http://source-controller.flux-system.svc.cluster.local./gitrepository/default/shop/{one}.tar.gz"
        )
    );
    assert!(
        artifact["digest"].as_str().unwrap().starts_with("sha256:"),
        "{artifact}"
    );
    assert_eq!(
        object.pointer("/status/observedGeneration"),
        object.pointer("/metadata/generation")
    );
    assert_eq!(
        object.pointer("/metadata/finalizers"),
        Some(&json!(["finalizers.fluxcd.io"]))
    );
    assert_eq!(
        &*world.store.tree(&path(&object)).unwrap().read("/a.yaml").unwrap(),
        b"a: 1"
    );

    let two = world.repository.commit([("a.yaml", "a: 2")], "second");
    world.request("1").await;
    let object = world.ready(&two).await;
    assert_eq!(
        &*world.store.tree(&path(&object)).unwrap().read("/a.yaml").unwrap(),
        b"a: 2"
    );
    let version = object.pointer("/metadata/resourceVersion").cloned();

    // Nothing new, nothing asked: nothing is written.
    world.request("2").await;
    let object = world.ready(&two).await;
    assert_ne!(
        object.pointer("/metadata/resourceVersion").cloned(),
        version,
        "the request is answered"
    );
    assert_eq!(
        object.pointer("/status/artifact/revision"),
        Some(&json!(format!("main@sha1:{two}")))
    );
    let expected = [
        "Normal NewArtifact: stored artifact for commit 'first commit'",
        "Normal NewArtifact: stored artifact for commit 'second'",
    ];
    world
        .until("both events", async || {
            let events = world.events().await;
            expected
                .iter()
                .all(|expected| events.iter().any(|event| event == expected))
                .then_some(())
        })
        .await;
    // Other ignore rules make another artifact of the same revision.
    let digest = object.pointer("/status/artifact/digest").cloned();
    world.source(json!({ "ignore": "*.yaml" })).await;
    world
        .until("the rules are applied", async || {
            let object = world.get().await?;
            (object.pointer("/status/observedIgnore") == Some(&json!("*.yaml"))).then_some(())
        })
        .await;
    let object = world.ready(&two).await;
    assert_ne!(object.pointer("/status/artifact/digest").cloned(), digest);

    // Deleted: finalizer and artifacts go.
    let id = World::id(&json!({ "apiVersion": GIT.0, "kind": GIT.1, "metadata": { "name": "shop" } }));
    world
        .cluster
        .delete(&Identity::AsController, &id, Preconditions::default())
        .await
        .unwrap();
    world
        .until("the object is gone", async || {
            world.get().await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.store.artifacts(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_name_cause_and_remedy_and_the_last_good_artifact_stays() {
    if !git_is_present("GitRepository failures") {
        return;
    }
    let mut world = World::new().await;
    let one = world.repository.commit([("a.yaml", "a: 1")], "first");
    world.start().await;
    world.source(json!({})).await;
    let good = world.ready(&one).await.pointer("/status/artifact").cloned();
    world.git.misbehave(Fault::Status(500));
    world.request("1").await;
    let object = world.failed("GitOperationFailed").await;
    assert_eq!(
        types(&object),
        ["Reconciling", "Ready", "ArtifactInStorage", "FetchFailed"]
    );
    assert_eq!(condition(&object, "Reconciling").1, "ProgressingWithRetry");
    let (_, _, message) = condition(&object, "FetchFailed");
    assert!(
        message.starts_with("failed to checkout and determine revision: unable to list remote for '"),
        "{message}"
    );
    assert_eq!(object.pointer("/status/artifact").cloned(), good);
    assert!(world.store.artifact(&path(&object)).is_some());
    // It heals by itself, and says so once.
    world.git.misbehave(Fault::None);
    let object = world.ready(&one).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    world
        .until("the end of the failure is told", async || {
            let told = format!("Normal Succeeded: stored artifact for commit 'main@sha1:{one}'");
            world.events().await.contains(&told).then_some(())
        })
        .await;

    world.source(json!({ "secretRef": { "name": "creds" } })).await;
    let object = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&object, "Ready").2,
        "failed to get secret 'default/creds': secrets \"creds\" not found"
    );
    world
        .git
        .require(Access::Basic("git".to_owned(), "token".to_owned()));
    let data = json!({ "username": "git", "password": "token" });
    let secret =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "creds" }, "stringData": data });
    world.put(secret).await;
    world.ready(&one).await;

    world
        .source(json!({ "secretRef": { "name": "creds" }, "ref": { "branch": "nope" } }))
        .await;
    let object = world.failed("GitOperationFailed").await;
    let message = condition(&object, "Ready").2;
    assert!(
        message.contains("couldn't find remote ref \"refs/heads/nope\""),
        "{message}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_supported_stalls_and_suspension_stops() {
    if !git_is_present("GitRepository fields") {
        return;
    }
    let mut world = World::new().await;
    let one = world.repository.commit([("a.yaml", "a: 1")], "first");
    world.start().await;
    world
        .source(json!({ "include": [{ "repository": { "name": "other" } }] }))
        .await;
    let object = world.failed("NotSupported").await;
    assert_eq!(types(&object), ["Stalled", "Ready", "FetchFailed"]);
    let message = condition(&object, "Stalled").2;
    assert!(
        message.starts_with("spec.include is not supported yet"),
        "{message}"
    );
    assert_eq!(
        object.pointer("/status/observedGeneration"),
        object.pointer("/metadata/generation")
    );

    world.source(json!({})).await;
    let id = World::id(&object);
    let options = PatchOptions {
        manager: "test",
        ..PatchOptions::default()
    };
    let patch = Patch::Merge(json!({ "spec": { "include": null } }));
    world
        .cluster
        .patch(&Identity::AsController, &id, patch, options)
        .await
        .unwrap();
    world.ready(&one).await;

    world.source(json!({ "suspend": true })).await;
    world.repository.commit([("a.yaml", "a: 2")], "second");
    world.request("1").await;
    let object = world.ready(&one).await;
    assert_eq!(
        types(&object),
        ["Ready", "ArtifactInStorage"],
        "still the first commit"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_artifact_is_made_again() {
    if !git_is_present("GitRepository storage") {
        return;
    }
    let mut world = World::new().await;
    let one = world.repository.commit([("a.yaml", "a: 1")], "first");
    world.start().await;
    world.source(json!({})).await;
    let before = world.ready(&one).await;
    world.store.forget(&path(&before)).unwrap();
    world.request("1").await;
    let after = world.ready(&one).await;
    assert!(world.store.artifact(&path(&after)).is_some());
    assert_eq!(
        after.pointer("/status/artifact/digest"),
        before.pointer("/status/artifact/digest")
    );
    world.stop().await;
}
