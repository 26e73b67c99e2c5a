//! Stories of a GitRepository: a real Git server, the embedded API server, the real reconciler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{self, changed, condition, path, types};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster as _, Identity};
use sluice_artifact::Tree;
use sluice_controller::reconcilers::gitrepository::GitRepositories;
use sluice_controller::runtime::GIT_REPOSITORY;
use sluice_object::GroupVersionKind;
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::fetch::LocalAccess;
use sluice_source::{Addresses, GitFetcher, Limits};
use sluice_testkit::git_server::{Access, Fault, GitServer, Repository, git_is_present};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The world, with a repository and its server.
pub(crate) struct World {
    inner: sources::World,
    pub(crate) repository: Repository,
    pub(crate) git: GitServer,
    _repositories: tempfile::TempDir,
}

fn clouds() -> Clouds {
    let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
    Clouds::new(environment, endpoints, 10, std::time::Duration::from_secs(60)).unwrap()
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
    pub(crate) async fn new() -> World {
        let inner = sources::World::new(&GIT_REPOSITORY, |folder, store, settings| {
            let (limits, local) = (Limits::default(), LocalAccess::Denied);
            let fetcher = GitFetcher::new(&folder.join("fetched"), limits, local, Addresses::any()).unwrap();
            Arc::new(GitRepositories::reconciler(fetcher, clouds(), store, settings))
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
        let full = changed(
            json!({ "interval": "1h", "url": self.git.url("shop"), "ref": { "branch": "main" } }),
            &spec,
        );
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
    world
        .until("it has its finalizer", async || {
            let object = world.get().await?;
            (object.pointer("/metadata/finalizers") == Some(&json!(["finalizers.fluxcd.io"]))).then_some(())
        })
        .await;
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
            format!(
                "Normal GitOperationSucceeded: no changes since last reconciliation: observed revision 'main@sha1:{two}'"
            ),
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

    // nobody has pushed anything yet
    world.git.require(Access::Open);
    Repository::init(&world._repositories.path().join("empty"));
    let url = world.git.url("empty");
    world.source(json!({ "url": url })).await;
    let object = world.failed("EmptyGitRepository").await;
    assert_eq!(
        condition(&object, "FetchFailed").2,
        format!("git repository is empty (push a commit to '{url}')")
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_serves_where_the_remote_cannot_and_the_condition_says_so() {
    if !git_is_present("GitRepository mirrors") {
        return;
    }
    let mut world = World::new().await;
    let one = world.repository.commit([("a.yaml", "a: 1")], "first commit");
    let mirror = GitServer::start(world._repositories.path());
    world.git.misbehave(Fault::Status(503));
    world.start().await;
    world.source(json!({})).await;
    world.failed("GitOperationFailed").await;
    let mirrors = format!("http://127.0.0.1:9/shop, {}", mirror.url("shop"));
    world
        .merge(json!({ "metadata": { "annotations": { "sluice.dev/mirrors": mirrors } } }))
        .await;
    world.request("1").await;
    let told = format!(
        "stored artifact for revision 'main@sha1:{one}', from mirror '{}'",
        mirror.url("shop")
    );
    let object = world.inner.ready(&told).await;
    assert_eq!(
        condition(&object, "ArtifactInStorage"),
        ("True".to_owned(), "Succeeded".to_owned(), told.clone())
    );
    let revision = object.pointer("/status/artifact/revision").unwrap();
    assert_eq!(revision, &json!(format!("main@sha1:{one}")));
    // the condition says it each time, the event once
    world.request("2").await;
    world.inner.ready(&told).await;
    let events = world.events().await;
    let told = events
        .iter()
        .filter(|event| event.contains("serves in its place"));
    assert_eq!(told.count(), 1, "{events:?}");
    world.git.misbehave(Fault::None);
    world.request("3").await;
    world.ready(&one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_meant_stalls_and_suspension_stops() {
    if !git_is_present("GitRepository fields") {
        return;
    }
    let mut world = World::new().await;
    let one = world.repository.commit([("a.yaml", "a: 1")], "first");
    world.start().await;
    world.source(json!({ "provider": "github" })).await;
    let object = world.failed("InvalidProviderConfiguration").await;
    assert_eq!(types(&object), ["Stalled", "Ready", "FetchFailed"]);
    assert_eq!(
        condition(&object, "Stalled").2,
        "secretRef with github app data must be specified when provider is set to github"
    );
    assert_eq!(
        object.pointer("/status/observedGeneration"),
        object.pointer("/metadata/generation")
    );
    world
        .source(json!({ "provider": "azure", "serviceAccountName": "me" }))
        .await;
    world.failed("FeatureGateDisabled").await;
    world
        .merge(json!({ "spec": { "serviceAccountName": null } }))
        .await;
    world.source(json!({ "provider": "azure" })).await;
    let object = world.failed("AuthenticationFailed").await;
    assert_eq!(
        condition(&object, "Ready").2,
        "failed to configure authentication options: an identity at a cloud goes over https, at the usual port, only"
    );

    world.source(json!({})).await;
    world.merge(json!({ "spec": { "provider": null } })).await;
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

/// Commits and tags that git signed with gpg; `sluice-source` has them, and says how they were made.
fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../source/tests/signatures");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_used_that_was_not_signed_as_asked() {
    if !git_is_present("GitRepository signatures") {
        return;
    }
    let mut world = World::new().await;
    let unsigned = world.repository.commit([("a.yaml", "a: 1\n")], "unsigned");
    let push = |name: &str| {
        let content = fixture(name);
        let id = world.repository.git_with_input(
            &["hash-object", "-t", "commit", "-w", "--stdin"],
            content.as_bytes(),
        );
        world.repository.git(&["update-ref", "refs/heads/main", &id]);
        id
    };
    let signed = push("pgp-ed25519.commit");
    world.start().await;
    let verify = |mode: &str| json!({ "verify": { "mode": mode, "secretRef": { "name": "keys" } } });
    world.source(verify("HEAD")).await;
    let object = world.failed("VerificationError").await;
    assert_eq!(types(&object), ["Reconciling", "Ready", "SourceVerified"]);
    assert_eq!(
        condition(&object, "Ready").2,
        "public keys secret error: secrets \"keys\" not found"
    );
    world
        .put_secret("keys", json!({ "other.asc": fixture("pgp-rsa.asc") }))
        .await;
    let object = world.failed("InvalidCommitSignature").await;
    let message = condition(&object, "SourceVerified").2;
    let flux = format!(
        "signature verification of commit '{signed}' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key"
    );
    assert!(message.starts_with(&flux), "{message}");
    assert_eq!(object.pointer("/status/artifact"), None);

    world
        .put_secret("keys", json!({ "ada.asc": fixture("pgp-ed25519.asc") }))
        .await;
    let object = world.ready(&signed).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage", "SourceVerified"]);
    let (status, reason, message) = condition(&object, "SourceVerified");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Succeeded"));
    assert!(
        message.starts_with(&format!(
            "verified signature of\n\t- commit '{signed}' with key '"
        )),
        "{message}"
    );
    assert_eq!(
        object.pointer("/status/sourceVerificationMode"),
        Some(&json!("HEAD"))
    );
    world.told(&[format!("Normal Succeeded: {message}")]).await;

    // Another mode is looked at anew, though nothing was pushed.
    world.source(verify("Tag")).await;
    let object = world.failed("InvalidVerificationMode").await;
    assert_eq!(types(&object)[..2], ["Stalled", "Ready"]);
    assert_eq!(
        object.pointer("/status/artifact/revision"),
        Some(&json!(format!("main@sha1:{signed}")))
    );

    // Something unsigned is refused, and what was good stays.
    world.source(verify("head")).await;
    world.ready(&signed).await;
    world
        .repository
        .git(&["update-ref", "refs/heads/main", &unsigned]);
    world.request("1").await;
    let object = world.failed("InvalidCommitSignature").await;
    let message = condition(&object, "Ready").2;
    assert!(message.contains("unsupported signature type: empty"), "{message}");
    assert_eq!(
        object.pointer("/status/artifact/revision"),
        Some(&json!(format!("main@sha1:{signed}")))
    );

    // Nobody asks any more.
    world.source(json!({})).await;
    world.merge(json!({ "spec": { "verify": null } })).await;
    let object = world.ready(&unsigned).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    assert_eq!(object.pointer("/status/sourceVerificationMode"), None);

    // And again: what is stored was not verified.
    world.source(verify("HEAD")).await;
    world.failed("InvalidCommitSignature").await;
    world.stop().await;
}

/// Flux clones a commit, and the newest version of a range, in each pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signature_of_a_commit_is_looked_at_by_the_keys_of_today() {
    if !git_is_present("GitRepository signatures of a commit") {
        return;
    }
    let mut world = World::new().await;
    world.repository.commit([("a.yaml", "a: 1\n")], "unsigned");
    let content = fixture("pgp-ed25519.commit");
    let signed = world.repository.git_with_input(
        &["hash-object", "-t", "commit", "-w", "--stdin"],
        content.as_bytes(),
    );
    world.repository.git(&["update-ref", "refs/heads/main", &signed]);
    world
        .put_secret("keys", json!({ "ada.asc": fixture("pgp-ed25519.asc") }))
        .await;
    world.start().await;
    let verify = json!({ "mode": "HEAD", "secretRef": { "name": "keys" } });
    world
        .source(json!({ "ref": { "commit": signed }, "verify": verify }))
        .await;
    let ready = format!("stored artifact for revision 'sha1:{signed}'");
    let good = world.inner.ready(&ready).await;
    let long_ago = json!("2020-01-01T00:00:00Z");
    world
        .merge_status(json!({ "artifact": { "lastUpdateTime": long_ago } }))
        .await;
    world.request("1").await;
    let same = world.inner.ready(&ready).await;
    assert_eq!(same.pointer("/status/artifact/lastUpdateTime"), Some(&long_ago));
    let told = format!("Normal ArtifactUpToDate: artifact up-to-date with remote revision: 'sha1:{signed}'");
    world.told(&[told]).await;
    let gvk = GroupVersionKind::new("v1", "Event");
    let events = world
        .cluster
        .list(&Identity::AsController, &gvk, Some("default"), "")
        .await
        .unwrap();
    let is_verified = |event: &&Value| {
        let message = event["message"].as_str();
        message.is_some_and(|message| message.starts_with("verified signature of"))
    };
    let verified = events.iter().find(is_verified).unwrap();
    assert_eq!(verified["count"], 1, "it is told once: {verified:#}");

    // whose it is is not trusted any more
    world
        .put_secret("keys", json!({ "ada.asc": fixture("pgp-rsa.asc") }))
        .await;
    world.request("2").await;
    let failed = world.failed("InvalidCommitSignature").await;
    assert_eq!(
        failed.pointer("/status/artifact/digest"),
        good.pointer("/status/artifact/digest")
    );

    // nobody asks any more, and nothing is said, though nothing was pushed
    world.merge(json!({ "spec": { "verify": null } })).await;
    let object = world.inner.ready(&ready).await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    assert_eq!(object.pointer("/status/sourceVerificationMode"), None);
    world.stop().await;
}

/// A GitRepository beside the one under test, of a repository of its name.
async fn other(world: &World, name: &str, spec: Value) {
    let full = changed(
        json!({ "interval": "1h", "url": world.git.url(name), "ref": { "branch": "main" } }),
        &spec,
    );
    let api = "source.toolkit.fluxcd.io/v1";
    world
        .put(
            json!({ "apiVersion": api, "kind": "GitRepository", "metadata": { "name": name }, "spec": full }),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn included_artifacts_are_part_of_the_artifact_and_follow_their_sources() {
    if !git_is_present("GitRepository includes") {
        return;
    }
    let mut world = World::new().await;
    let folder = world._repositories.path();
    let (base, lib) = (
        Repository::init(&folder.join("base")),
        Repository::init(&folder.join("lib")),
    );
    let one = world
        .repository
        .commit([("a.yaml", "a: 1"), ("apps/x.yaml", "x")], "first");
    base.commit([("deploy/b.yaml", "b: 1"), ("README.md", "r")], "base");
    lib.commit([("l.yaml", "l: 1"), ("l.txt", "l")], "lib");
    world.start().await;
    let include = json!([
        { "repository": { "name": "base" }, "fromPath": "deploy", "toPath": "apps/base" },
        { "repository": { "name": "lib" } },
    ]);
    world
        .source(json!({ "include": include, "ignore": "*.txt" }))
        .await;
    let object = world.failed("NotFound").await;
    assert_eq!(types(&object), ["Reconciling", "Ready", "IncludeUnavailable"]);
    assert_eq!(
        condition(&object, "IncludeUnavailable").2,
        "could not get resource for include 'base': GitRepository.source.toolkit.fluxcd.io \"base\" not found"
    );
    // What comes is heard of; nobody waits for a timer.
    other(&world, "lib", json!({})).await;
    other(&world, "base", json!({ "suspend": true })).await;
    let object = world.failed("NoArtifact").await;
    assert_eq!(
        condition(&object, "Ready").2,
        "no artifact available for include 'base'"
    );
    other(&world, "base", json!({ "suspend": false })).await;
    let object = world.ready(&one).await;
    let files = |object: &Value| -> Vec<String> {
        let walked = world.store.tree(&path(object)).unwrap().walk("/").unwrap();
        walked.into_iter().map(|entry| entry.path).collect()
    };
    assert_eq!(
        files(&object),
        ["/a.yaml", "/apps/base/b.yaml", "/apps/x.yaml", "/lib/l.yaml"]
    );
    assert_eq!(object.pointer("/status/observedInclude"), Some(&include));
    let included = object
        .pointer("/status/includedArtifacts")
        .unwrap()
        .as_array()
        .unwrap();
    assert!(
        included[0]["path"]
            .as_str()
            .unwrap()
            .starts_with("gitrepository/default/base/")
    );
    assert_eq!(included.len(), 2);

    // An included source has something new: another artifact of the same revision.
    base.commit([("deploy/b.yaml", "b: 2")], "more");
    let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "1" } } });
    world.merge_other("base", patch).await;
    world
        .until("the include is taken over", async || {
            let object = world.get().await?;
            let tree = world.store.tree(&path(&object)).ok()?;
            (tree.read("/apps/base/b.yaml").ok()?.as_ref() == b"b: 2").then_some(())
        })
        .await;
    world.ready(&one).await;

    // What cannot be put where it should be fails, and the last good artifact stays.
    for (to, from, cause) in [
        ("apps", "", "directory not empty"),
        ("a.yaml", "", "not a directory"),
        ("a.yaml/x", "", "not a directory"),
        ("../..", "", "directory not empty"),
        ("x", "nope", "no such file or directory"),
    ] {
        world
            .source(
                json!({ "include": [{ "repository": { "name": "base" }, "fromPath": from, "toPath": to }] }),
            )
            .await;
        let expected =
            format!("failed to copy 'base' include from {from} to {to}: {cause} (correct spec.include)");
        world
            .until(&expected, async || {
                let object = world.get().await?;
                let (_, reason, message) = condition(&object, "StorageOperationFailed");
                (reason == "CopyFailure" && message == expected).then_some(())
            })
            .await;
    }
    // A path leads no higher than the root, and a file can be included alone.
    world
        .source(json!({ "include": [{ "repository": { "name": "base" }, "fromPath": "../deploy/b.yaml", "toPath": "../../b.yaml" }] }))
        .await;
    world
        .until("a file is included", async || {
            let object = world.get().await?;
            let tree = world.store.tree(&path(&object)).ok()?;
            (tree.read("/b.yaml").ok()?.as_ref() == b"b: 2").then_some(())
        })
        .await;
    world.ready(&one).await;
    // One that includes itself does not go round and round.
    world
        .source(json!({ "include": [{ "repository": { "name": "shop" }, "toPath": "self" }] }))
        .await;
    world.ready(&one).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submodules_are_part_of_the_artifact_where_asked_for() {
    if !git_is_present("GitRepository submodules") {
        return;
    }
    let mut world = World::new().await;
    let lib = Repository::init(&world._repositories.path().join("lib"));
    lib.commit([("l.yaml", "l: 1")], "lib");
    world.repository.commit([("a.yaml", "a: 1")], "first");
    world
        .repository
        .git(&["submodule", "--quiet", "add", "../lib", "modules/lib"]);
    let one = world.repository.commit([], "with a submodule");
    world.start().await;
    world.source(json!({ "recurseSubmodules": true })).await;
    let object = world.ready(&one).await;
    let tree = world.store.tree(&path(&object)).unwrap();
    assert_eq!(&*tree.read("/modules/lib/l.yaml").unwrap(), b"l: 1");
    assert_eq!(
        object.pointer("/status/observedRecurseSubmodules"),
        Some(&json!(true))
    );
    world.source(json!({ "recurseSubmodules": false })).await;
    world
        .until("the submodule is gone", async || {
            let object = world.get().await?;
            world
                .store
                .tree(&path(&object))
                .ok()?
                .read("/modules/lib/l.yaml")
                .is_err()
                .then_some(())
        })
        .await;
    world.ready(&one).await;
    world.stop().await;
}
