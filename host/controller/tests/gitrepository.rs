//! Stories of a GitRepository: a real Git server, the embedded API server, the real reconciler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod sources;

use serde_json::{Value, json};
use sluice_artifact::Tree;
use sluice_controller::reconcilers::gitrepository::GitRepositories;
use sluice_controller::runtime::GIT_REPOSITORY;
use sluice_source::fetch::LocalAccess;
use sluice_source::{Addresses, GitFetcher, Limits};
use sluice_testkit::git_server::{Access, Fault, GitServer, Repository, git_is_present};
use sources::{condition, path, types};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The world, with a repository and its server.
struct World {
    inner: sources::World,
    repository: Repository,
    git: GitServer,
    _repositories: tempfile::TempDir,
}

impl Deref for World {
    type Target = sources::World;

    fn deref(&self) -> &sources::World {
        &self.inner
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut sources::World {
        &mut self.inner
    }
}

impl World {
    async fn new() -> World {
        let inner = sources::World::new(&GIT_REPOSITORY, |folder, store, settings| {
            let (limits, local) = (Limits::default(), LocalAccess::Denied);
            let fetcher = GitFetcher::new(&folder.join("fetched"), limits, local, Addresses::any()).unwrap();
            Arc::new(GitRepositories::reconciler(fetcher, store, settings))
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        World {
            inner,
            repository: Repository::init(&folder.path().join("shop")),
            git: GitServer::start(folder.path()),
            _repositories: folder,
        }
    }

    /// Creates or changes the GitRepository; `spec` is merged over usual values.
    async fn source(&self, spec: Value) {
        let mut full = json!({ "interval": "1h", "url": self.git.url("shop"), "ref": { "branch": "main" } });
        for (key, value) in spec.as_object().unwrap() {
            full[key] = value.clone();
        }
        self.put_source(full).await;
    }

    async fn ready(&self, commit: &str) -> Value {
        self.inner
            .ready(&format!("stored artifact for revision 'main@sha1:{commit}'"))
            .await
    }
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
    world
        .told(&[
            "Normal NewArtifact: stored artifact for commit 'first commit'".to_owned(),
            "Normal NewArtifact: stored artifact for commit 'second'".to_owned(),
        ])
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
    world.delete().await;
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
        .told(&[format!(
            "Normal Succeeded: stored artifact for commit 'main@sha1:{one}'"
        )])
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
    world
        .put_secret("creds", json!({ "username": "git", "password": "token" }))
        .await;
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
    world.merge(json!({ "spec": { "include": null } })).await;
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
