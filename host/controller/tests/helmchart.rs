//! Stories of a HelmChart: servers of files and registries, the embedded API server, the real reconcilers.
#![allow(unreachable_pub)] // public to the suites, which are one program
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::sources::{World, changed, condition, path, types};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity, Patch, PatchOptions};
use sluice_artifact::store::{DirectoryEntry, EntryContent};
use sluice_artifact::{ArtifactPath, MemoryTree, Store, Tree, unpack};
use sluice_controller::reconcilers::helmchart::HelmCharts;
use sluice_controller::reconcilers::helmrepository::HelmRepositories;
use sluice_controller::runtime::{HELM_CHART, HELM_REPOSITORY};
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::helm::HelmLimits;
use sluice_source::oci::OciLimits;
use sluice_source::{Addresses, HelmFetcher, OciFetcher};
use sluice_testkit::canned::Canned;
use sluice_testkit::registry::{Access, Entry, Registry, Signer, digest, tgz};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const INDEX: &str = "GET /charts/index.yaml";
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

pub async fn world() -> World {
    World::of(&HELM_CHART, vec![&HELM_REPOSITORY], |folder, store, settings| {
        let addresses = Addresses::any();
        let limits = HelmLimits {
            chart_size_max: 64 << 10,
            ..HelmLimits::default()
        };
        let repositories = HelmFetcher::new(&folder.join("indexes"), limits, addresses.clone()).unwrap();
        let registries = OciFetcher::new(&folder.join("layers"), OciLimits::default(), addresses).unwrap();
        let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
        let clouds = Clouds::new(environment, endpoints, 10, Duration::from_secs(60)).unwrap();
        vec![
            Arc::new(HelmCharts::reconciler(
                repositories.clone(),
                registries,
                clouds,
                store.clone(),
                settings.clone(),
            )),
            Arc::new(HelmRepositories::reconciler(repositories, store, settings)),
        ]
    })
    .await
}

/// The archive of a chart with these files beside its `Chart.yaml`.
pub fn chart(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let mut entries = vec![Entry::file(&format!("{name}/Chart.yaml"), &metadata)];
    entries.extend(
        files
            .iter()
            .map(|(path, content)| Entry::file(&format!("{name}/{path}"), content)),
    );
    tgz(&entries)
}

/// An index with versions of one chart, and their archives beside it.
pub fn offer(server: &Canned, name: &str, versions: &[(&str, &[u8])]) {
    let mut index =
        format!("apiVersion: v1\nentries:\n  other:\n  - name: other\n    version: 9.9.9\n  {name}:\n");
    for (version, archive) in versions {
        index += &format!(
            "  - name: {name}\n    version: {version}\n    urls: [files/{name}-{version}.tgz]\n    digest: {}\n",
            digest(archive).replace("sha256:", "")
        );
        let file = format!("GET /charts/files/{name}-{version}.tgz");
        server.answer_bytes(&file, 200, &[], archive);
    }
    server.answer(INDEX, 200, &index);
}

pub async fn repository(world: &World, name: &str, spec: Value) {
    let metadata = json!({ "name": name });
    let whole = changed(json!({ "interval": "1h" }), &spec);
    world
        .put(json!({ "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository", "metadata": metadata, "spec": whole }))
        .await;
}

/// The usual spec with changes.
pub fn spec(changes: Value) -> Value {
    let usual = json!({
        "interval": "1h", "chart": "shop", "version": "1.x",
        "sourceRef": { "kind": "HelmRepository", "name": "charts" },
    });
    changed(usual, &changes)
}

fn files(world: &World, object: &Value) -> MemoryTree {
    let archive = world.store.file(&path(object)).unwrap();
    unpack::unpack(&*archive, &unpack::Limits::default()).unwrap()
}

fn text(tree: &dyn Tree, path: &str) -> String {
    String::from_utf8(tree.read(path).unwrap().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_follows_its_repository() {
    let (mut world, server) = (world().await, Canned::start());
    let (one, two) = (
        chart("shop", "1.0.0", &[("values.yaml", "a: 1\n")]),
        chart("shop", "1.1.0", &[]),
    );
    offer(&server, "shop", &[("1.0.0", &one), ("2.0.0", b"")]);
    world.start().await;
    world.put_source(spec(json!({}))).await;
    let object = world.failed("SourceUnavailable").await;
    assert_eq!(
        condition(&object, "FetchFailed").2,
        "failed to get source: HelmRepository.source.toolkit.fluxcd.io \"charts\" not found"
    );
    // the source wakes it
    repository(
        &world,
        "charts",
        json!({ "url": format!("{}charts", server.base()) }),
    )
    .await;
    let object = world.ready("pulled 'shop' chart with version '1.0.0'").await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage"]);
    assert_eq!(condition(&object, "Ready").1, "ChartPullSucceeded");
    let artifact = object.pointer("/status/artifact").unwrap();
    assert_eq!(artifact["revision"], "1.0.0");
    assert_eq!(artifact["path"], "helmchart/default/shop/shop-1.0.0.tgz");
    assert_eq!(artifact["digest"], digest(&one));
    assert_eq!(world.store.file(&path(&object)).unwrap(), one);
    let status = &object["status"];
    assert_eq!(status["observedChartName"], "shop");
    assert!(
        status["observedSourceArtifactRevision"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    assert!(
        status["url"]
            .as_str()
            .unwrap()
            .ends_with("/helmchart/default/shop/latest.tar.gz")
    );
    assert_eq!(status.get("observedValuesFiles"), None);
    world
        .told(&["Normal ChartPullSucceeded: pulled 'shop' chart with version '1.0.0'".to_owned()])
        .await;

    // Nothing new: the archive is not asked for again.
    server.take_asked();
    world.request("1").await;
    assert!(server.take_asked().is_empty());
    assert_eq!(
        world.ready("pulled 'shop' chart with version '1.0.0'").await["status"]["artifact"],
        status["artifact"]
    );

    // A newer version: the repository's new revision wakes the chart.
    offer(&server, "shop", &[("1.0.0", &one), ("1.1.0", &two)]);
    let id = ObjectId {
        gvk: GroupVersionKind::new("source.toolkit.fluxcd.io/v1", "HelmRepository"),
        namespace: Some("default".to_owned()),
        name: "charts".to_owned(),
    };
    let ask = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "now" } } });
    patch(&world, &id, ask, None).await;
    let object = world.ready("pulled 'shop' chart with version '1.1.0'").await;

    // What fails keeps the artifact, and says why.
    let rows = [
        (
            json!({ "version": "3.x" }),
            "InvalidChartReference",
            "invalid chart reference: failed to get chart version for remote reference: no 'shop' chart with version matching '3.x' found".to_owned(),
        ),
        (
            json!({ "chart": "none" }),
            "InvalidChartReference",
            "invalid chart reference: failed to get chart version for remote reference: no chart name found".to_owned(),
        ),
        (
            json!({ "chart": "../shop" }),
            "InvalidChartReference",
            "invalid chart reference: invalid chart name '../shop': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)".to_owned(),
        ),
        (
            json!({ "chart": "other", "version": "*" }),
            "ChartPullError",
            "chart pull error: failed to download chart for remote reference: chart 'other' has no downloadable URLs".to_owned(),
        ),
        (
            json!({ "valuesFiles": ["no.yaml"] }),
            "ValuesFilesError",
            "values files merge error: failed to merge chart values: no values file found at path 'no.yaml'".to_owned(),
        ),
    ];
    for (changes, reason, message) in rows {
        world.put_source(spec(changes)).await;
        let failed = world
            .until(&message, async || {
                let object = world.get().await?;
                (condition(&object, "Ready").2 == message).then_some(object)
            })
            .await;
        assert_eq!(condition(&failed, "Ready").1, reason);
        let is_stalled = reason != "ChartPullError";
        assert_eq!(condition(&failed, "Stalled").0 == "True", is_stalled, "{reason}");
        assert_eq!(
            failed.pointer("/status/artifact"),
            object.pointer("/status/artifact")
        );
    }
    world.put_source(spec(json!({}))).await;
    world.ready("pulled 'shop' chart with version '1.1.0'").await;
    world.delete().await;
    let left: Vec<String> = world
        .store
        .artifacts()
        .iter()
        .map(|artifact| artifact.path.to_string())
        .collect();
    assert!(
        left.iter().all(|path| path.starts_with("helmrepository/")),
        "{left:?}"
    );
    world.stop().await;
}

async fn patch(world: &World, id: &ObjectId, patch: Value, subresource: Option<&str>) {
    let options = PatchOptions {
        manager: "test",
        subresource,
        ..PatchOptions::default()
    };
    let patched = world
        .cluster
        .patch(&Identity::AsController, id, Patch::Merge(patch), options);
    patched.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_files_make_another_chart_and_what_is_not_as_promised_is_refused() {
    let (mut world, server) = (world().await, Canned::start());
    let one = chart(
        "shop",
        "1.0.0",
        &[("values.yaml", "a: 1\nb: {c: 1}\n"), ("prod.yaml", "b: {d: 2}\n")],
    );
    offer(&server, "shop", &[("1.0.0", &one)]);
    world.start().await;
    repository(
        &world,
        "charts",
        json!({ "url": format!("{}charts", server.base()) }),
    )
    .await;
    let files_wanted =
        json!({ "valuesFiles": ["values.yaml", "prod.yaml", "no.yaml"], "ignoreMissingValuesFiles": true });
    world.put_source(spec(files_wanted)).await;
    let told = "packaged 'shop' chart with version '1.0.0+1' and merged values files [values.yaml prod.yaml]";
    let object = world.ready(told).await;
    assert_eq!(condition(&object, "Ready").1, "ChartPackageSucceeded");
    assert_eq!(
        object["status"]["artifact"]["path"],
        "helmchart/default/shop/shop-1.0.0+1.tgz"
    );
    assert_eq!(
        object["status"]["observedValuesFiles"],
        json!(["values.yaml", "prod.yaml"])
    );
    let tree = files(&world, &object);
    assert_eq!(text(&tree, "/shop/values.yaml"), "a: 1\nb:\n  c: 1\n  d: 2\n");
    assert_eq!(
        text(&tree, "/shop/Chart.yaml"),
        "apiVersion: v2\nname: shop\nversion: 1.0.0+1\n"
    );
    world.request("1").await;
    assert_eq!(
        world.ready(told).await["status"]["artifact"],
        object["status"]["artifact"]
    );

    // not what the index says: the archive was changed afterwards
    let other = chart("shop", "1.0.0", &[("values.yaml", "evil: true\n")]);
    server.answer_bytes("GET /charts/files/shop-1.0.0.tgz", 200, &[], &other);
    world.put_source(spec(json!({}))).await;
    let failed = world.failed("ChartPullError").await;
    let message = condition(&failed, "FetchFailed").2;
    assert!(
        message.contains("but the index of the repository says"),
        "{message}"
    );
    assert_eq!(failed["status"]["artifact"], object["status"]["artifact"]);
    // larger than allowed
    server.answer_bytes("GET /charts/files/shop-1.0.0.tgz", 200, &[], &vec![0; 65 << 10]);
    world.request("2").await;
    let expected = "chart pull error: failed to download chart for remote reference: size of chart 'shop-1.0.0.tgz' exceeds '65536' bytes limit (--helm-chart-max-size)";
    world
        .until("the size is refused", async || {
            (condition(&world.get().await?, "Ready").2 == expected).then_some(())
        })
        .await;
    // nobody knows us: the condition calls it unknown, the event names it
    server.answer("GET /charts/files/shop-1.0.0.tgz", 401, "");
    world.request("3").await;
    let failed = world.failed("Unknown").await;
    let message = condition(&failed, "FetchFailed").2;
    assert!(
        message.starts_with(
            "unknown build error: failed to authenticate with the Helm repository: chart pull error: "
        ),
        "{message}"
    );
    let events = world.events().await;
    assert!(
        events
            .iter()
            .any(|event| event.starts_with("Warning AuthenticationFailed: failed to authenticate")),
        "{events:?}"
    );
    world
        .put_source(spec(json!({ "verify": { "provider": "cosign" } })))
        .await;
    let failed = world.failed("VerificationError").await;
    assert!(
        condition(&failed, "BuildFailed")
            .2
            .starts_with("chart verification error: not implemented")
    );
    world.stop().await;
}

/// N24.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_stay_with_the_repository_unless_passed_on() {
    let (mut world, server, elsewhere) = (world().await, Canned::start(), Canned::start());
    let one = chart("shop", "1.0.0", &[]);
    let index = format!(
        "apiVersion: v1\nentries:\n  shop:\n  - name: shop\n    version: 1.0.0\n    urls: [\"{}shop.tgz\"]\n",
        elsewhere.base()
    );
    server.answer(INDEX, 200, &index);
    elsewhere.answer_bytes("GET /shop.tgz", 200, &[], &one);
    world
        .put_secret("login", json!({ "username": "me", "password": "secret" }))
        .await;
    world.start().await;
    let url = format!("{}charts", server.base());
    let login = json!({ "url": url, "secretRef": { "name": "login" } });
    repository(&world, "charts", login.clone()).await;
    world.put_source(spec(json!({}))).await;
    world.ready("pulled 'shop' chart with version '1.0.0'").await;
    let asked = elsewhere.take_asked();
    assert_eq!(asked[0].headers.get("authorization"), None);
    assert_eq!(
        server.take_asked()[0].headers["authorization"],
        "Basic bWU6c2VjcmV0"
    );
    let mut passed = login;
    passed["passCredentials"] = json!(true);
    repository(&world, "charts", passed).await;
    world
        .until("the repository is looked at as it is now", async || {
            (!server.take_asked().is_empty()).then_some(())
        })
        .await;
    world.put_source(spec(json!({ "interval": "2h" }))).await;
    world
        .until("the chart is asked for again, by name", async || {
            let asked = elsewhere.take_asked();
            let mut asked = asked
                .iter()
                .filter_map(|asked| asked.headers.get("authorization"));
            asked
                .next()
                .map(|header| assert_eq!(header, "Basic bWU6c2VjcmV0"))
        })
        .await;
    world.stop().await;
}

/// Some servers know by it who asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_query_of_an_address_goes_with_all_that_is_asked() {
    let (mut world, server) = (world().await, Canned::start());
    let one = chart("shop", "1.0.0", &[]);
    offer(&server, "shop", &[("1.0.0", &one)]);
    world.start().await;
    let url = format!("{}charts?token=1", server.base());
    repository(&world, "charts", json!({ "url": url })).await;
    world.put_source(spec(json!({}))).await;
    world.ready("pulled 'shop' chart with version '1.0.0'").await;
    let asked = server.take_asked();
    let targets: Vec<&str> = asked.iter().map(|asked| asked.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/charts/index.yaml?token=1",
            "/charts/files/shop-1.0.0.tgz?token=1"
        ]
    );
    world.stop().await;
}

/// N29.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_has_charts_by_tag_and_signature() {
    let (mut world, registry) = (world().await, Registry::start());
    let push = |version: &str| {
        let archive = chart("shop", version, &[("prod.yaml", "a: 1\n"), ("values.yaml", "")]);
        let layers: &[(&str, &[u8])] = &[
            ("application/vnd.cncf.helm.chart.provenance.v1.prov", b"prov"),
            (CHART_LAYER, &archive),
        ];
        let tag = version.replace('+', "_");
        (registry.push_layers("org/charts/shop", &tag, layers), archive)
    };
    let (_, one) = push("1.0.0");
    push("1.2.0+build.1");
    push("2.0.0-rc.1");
    registry.require(Access::Token("user".to_owned(), "pass".to_owned(), None));
    let auths = json!({ "auths": { registry.host(): { "username": "user", "password": "pass" } } });
    let config = json!({ ".dockerconfigjson": auths.to_string() });
    world.put_secret("login", config).await;
    world.start().await;
    let url = registry.url("org/charts");
    let spec_of = json!({ "type": "oci", "url": url, "insecure": true, "secretRef": { "name": "login" } });
    repository(&world, "charts", spec_of).await;
    world.put_source(spec(json!({}))).await;
    let object = world
        .ready("pulled 'shop' chart with version '1.2.0+build.1'")
        .await;
    assert_eq!(
        object["status"]["artifact"]["path"],
        "helmchart/default/shop/shop-1.2.0+build.1.tgz"
    );
    assert_eq!(object["status"].get("observedSourceArtifactRevision"), None);

    // one version: nothing is listed
    registry.take_seen();
    world.put_source(spec(json!({ "version": "1.0.0" }))).await;
    let object = world.ready("pulled 'shop' chart with version '1.0.0'").await;
    assert_eq!(world.store.file(&path(&object)).unwrap(), one);
    let seen = registry.take_seen();
    assert!(
        seen.iter().all(|seen| !seen.target.contains("tags/list")),
        "{seen:?}"
    );
    world.put_source(spec(json!({ "version": "3.x" }))).await;
    let failed = world.failed("ChartPullError").await;
    let message = condition(&failed, "FetchFailed").2;
    assert!(
        message.contains("could not locate a version matching provided version string 3.x"),
        "{message}"
    );

    // nothing unsigned is used
    let signer = Signer::new();
    world
        .put_secret("keys", json!({ "cosign.pub": signer.public_pem() }))
        .await;
    let verify = json!({ "version": "1.1.0", "valuesFiles": ["prod.yaml"], "verify": { "provider": "cosign", "secretRef": { "name": "keys" } } });
    let (signed, _) = push("1.1.0");
    world.put_source(spec(verify.clone())).await;
    let failed = world.failed("VerificationError").await;
    assert_eq!(condition(&failed, "BuildFailed").1, "ChartVerificationError");
    let message = condition(&failed, "SourceVerified").2;
    let pinned = registry.url(&format!("org/charts/shop@{signed}"));
    assert!(
        message.starts_with(&format!(
            "chart verification error: failed to verify {pinned}: no matching signatures were found"
        )),
        "{message}"
    );
    signer.sign(&registry, "org/charts/shop", &signed);
    let object = world
        .until("verified", async || {
            let object = world.get().await?;
            (condition(&object, "Ready").0 == "True").then_some(object)
        })
        .await;
    assert_eq!(types(&object), ["Ready", "ArtifactInStorage", "SourceVerified"]);
    let version = object["status"]["artifact"]["revision"].as_str().unwrap();
    assert_eq!(
        condition(&object, "SourceVerified").2,
        format!("verified signature of version {version}")
    );
    // nor what was signed as something older, by the tag of a version that never was
    let manifest = registry.manifest("org/charts/shop", "1.1.0").unwrap();
    assert_eq!(
        registry.add_manifest("org/charts/shop", "1.9.0", &manifest),
        signed
    );
    world
        .put_source(spec(changed(verify.clone(), &json!({ "version": "1.x" }))))
        .await;
    let failed = world.failed("VerificationError").await;
    assert_eq!(condition(&failed, "BuildFailed").1, "ChartVerificationError");
    assert_eq!(
        condition(&failed, "SourceVerified").2,
        "chart verification error: what tag '1.9.0' leads to was signed as version '1.1.0', which is older (publish '1.9.0' anew, or remove the tag)"
    );
    world.put_source(spec(verify)).await;
    world
        .until("the signed version again", async || {
            (condition(&world.get().await?, "Ready").0 == "True").then_some(())
        })
        .await;
    // no login for this registry
    world
        .put_secret(
            "login",
            json!({ ".dockerconfigjson": "{\"auths\":{\"other.example\":{}}}" }),
        )
        .await;
    world.request("1").await;
    let failed = world.failed("Unknown").await;
    let host = registry.host();
    assert_eq!(
        condition(&failed, "FetchFailed").2,
        format!(
            "unknown build error: failed to configure OCI registry authentication: no auth config for '{host}' in the docker-registry Secret 'login'"
        )
    );
    world.stop().await;
}

/// Stores files as the artifact of a GitRepository, and offers them.
pub async fn offer_git(world: &World, name: &str, revision: &str, files: &[(&str, &str)]) {
    let hash = revision.rsplit(':').next().unwrap();
    let path: ArtifactPath = format!("gitrepository/default/{name}/{hash}.tar.gz")
        .parse()
        .unwrap();
    let files = files
        .iter()
        .map(|(path, content)| ((*path).to_owned(), *content))
        .collect();
    let artifact = store_files(&world.store, &path, revision, files);
    let metadata = json!({ "name": name });
    let object = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata,
        "spec": { "interval": "1h", "url": "https://git.example/org/repo" },
    });
    world.put(object).await;
    let id = ObjectId {
        gvk: GroupVersionKind::new("source.toolkit.fluxcd.io/v1", "GitRepository"),
        namespace: Some("default".to_owned()),
        name: name.to_owned(),
    };
    let artifact = json!({
        "path": path.to_string(), "url": path.url("artifacts"), "revision": revision,
        "digest": artifact.digest.to_string(), "lastUpdateTime": "2026-01-01T00:00:00Z",
    });
    patch(
        world,
        &id,
        json!({ "status": { "artifact": artifact } }),
        Some("status"),
    )
    .await;
}

fn store_files(
    store: &Store,
    path: &ArtifactPath,
    revision: &str,
    files: BTreeMap<String, &str>,
) -> sluice_artifact::Artifact {
    fn add(
        draft: &mut sluice_artifact::store::Draft,
        files: BTreeMap<String, &str>,
    ) -> sluice_artifact::store::DirectoryId {
        let mut entries = Vec::new();
        let mut below: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
        for (path, content) in files {
            match path.split_once('/') {
                Some((directory, rest)) => {
                    below
                        .entry(directory.to_owned())
                        .or_default()
                        .insert(rest.to_owned(), content);
                }
                None => {
                    let (blob, size) = (draft.blob(content.as_bytes()).unwrap(), content.len() as u64);
                    let content = EntryContent::File {
                        blob,
                        size,
                        is_executable: false,
                    };
                    entries.push(DirectoryEntry { name: path, content });
                }
            }
        }
        for (name, files) in below {
            let directory = add(draft, files);
            let content = EntryContent::Directory {
                directory,
                is_listed: true,
            };
            entries.push(DirectoryEntry { name, content });
        }
        draft.directory(entries).unwrap()
    }
    let mut draft = store.draft();
    let root = add(&mut draft, files);
    draft.commit(path, revision, root).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_in_git_is_packaged_with_its_subcharts() {
    let (mut world, server, registry) = (world().await, Canned::start(), Registry::start());
    offer(
        &server,
        "db",
        &[
            ("1.4.0", &chart("db", "1.4.0", &[])),
            ("2.0.0", &chart("db", "2.0.0", &[])),
        ],
    );
    let cache = chart("cache", "0.3.0", &[]);
    registry.push_layers("org/cache", "0.3.0", &[(CHART_LAYER, &cache)]);
    let metadata = format!(
        "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- {{name: db, version: ^1, repository: \"{}charts/\", alias: store}}\n- {{name: cache, version: 0.3.x, repository: \"{}\"}}\n- {{name: lib, version: \"*\", repository: \"file://../lib\"}}\n",
        server.base(),
        registry.url("org")
    );
    let revision = "main@sha1:0123456789abcdef0123456789abcdef01234567";
    let tree = [
        ("charts/web/Chart.yaml", metadata.as_str()),
        ("charts/web/values.yaml", "a: 1\n"),
        ("charts/web/templates/a.yaml", "a"),
        ("charts/lib/Chart.yaml", "name: lib\nversion: 1.0.0\n"),
        ("env/prod.yaml", "a: 2\n"),
    ];
    world
        .put_secret("login", json!({ "username": "me", "password": "secret" }))
        .await;
    world.start().await;
    let git = |changes: Value| {
        let usual = spec(
            json!({ "chart": "./charts/web", "sourceRef": { "kind": "GitRepository", "name": "repo" } }),
        );
        changed(usual, &changes)
    };
    world.put_source(git(json!({}))).await;
    world.failed("SourceUnavailable").await;
    // the repository of the namespace lends its credentials to its own address
    let login = json!({ "url": format!("{}charts", server.base()), "secretRef": { "name": "login" } });
    repository(&world, "stores", login).await;
    world
        .until("the index is there", async || {
            world
                .store
                .artifacts()
                .iter()
                .any(|artifact| artifact.path.kind() == "helmrepository")
                .then_some(())
        })
        .await;
    server.take_asked();
    offer_git(&world, "repo", revision, &tree).await;
    let object = world.ready("packaged 'web' chart with version '0.1.0'").await;
    assert_eq!(object["status"]["observedSourceArtifactRevision"], revision);
    let packaged = files(&world, &object);
    let names: Vec<String> = packaged
        .walk("/")
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(
        names,
        [
            "/web/Chart.yaml",
            "/web/charts/cache/Chart.yaml",
            "/web/charts/lib/Chart.yaml",
            "/web/charts/store/Chart.yaml",
            "/web/templates/a.yaml",
            "/web/values.yaml",
        ]
    );
    assert_eq!(
        text(&packaged, "/web/charts/store/Chart.yaml"),
        "apiVersion: v2\nname: store\nversion: 1.4.0\n"
    );
    let asked = server.take_asked();
    assert_eq!(asked.len(), 1, "the index is in the store already");
    assert_eq!(asked[0].headers["authorization"], "Basic bWU6c2VjcmV0");
    world
        .told(&["Normal ResolvedDependencies: resolved 3 chart dependencies".to_owned()])
        .await;

    // a new revision with the same version changes nothing, unless revisions count
    let second = "main@sha1:89abcdef0123456789abcdef0123456789abcdef";
    offer_git(&world, "repo", second, &tree).await;
    let same = world
        .until("the revision is observed", async || {
            let object = world.get().await?;
            (object["status"]["observedSourceArtifactRevision"] == second).then_some(object)
        })
        .await;
    assert_eq!(same["status"]["artifact"], object["status"]["artifact"]);
    world
        .put_source(git(
            json!({ "reconcileStrategy": "Revision", "valuesFiles": ["env/prod.yaml"] }),
        ))
        .await;
    let object = world
        .ready("packaged 'web' chart with version '0.1.0+89abcdef0123.2' and merged values files [env/prod.yaml]")
        .await;
    assert_eq!(text(&files(&world, &object), "/web/values.yaml"), "a: 2\n");

    // a dependency that cannot be had
    server.answer("GET /charts/files/db-1.4.0.tgz", 503, "");
    world.put_source(git(json!({ "interval": "2h" }))).await;
    let failed = world.failed("DependencyBuildError").await;
    let message = condition(&failed, "BuildFailed").2;
    assert!(
        message.starts_with("dependency build error: failed to add remote dependency 'store': chart download of version '1.4.0' failed: failed to fetch "),
        "{message}"
    );
    assert_eq!(failed["status"]["artifact"], object["status"]["artifact"]);
    world.stop().await;
}

/// `helm` as a user has it, where there is one.
fn helm() -> Option<std::path::PathBuf> {
    let found = std::env::var_os("SLUICE_HELM")
        .map(std::path::PathBuf::from)
        .or_else(|| {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path)
                .map(|folder| folder.join("helm"))
                .find(|helm| helm.is_file())
        });
    if found.is_none() {
        eprintln!("SKIPPED: charts of the real helm: no helm in PATH, and SLUICE_HELM is not set");
    }
    found
}

fn run(helm: &std::path::Path, home: &std::path::Path, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new(helm);
    command.args(arguments).current_dir(home).env("HOME", home);
    let output = command.output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {arguments:?}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_helm_pushed_is_pulled_and_what_is_packaged_here_helm_reads() {
    let Some(helm) = helm() else { return };
    let (mut world, registry) = (world().await, Registry::start());
    let home = world.folder.path().join("helm");
    std::fs::create_dir(&home).unwrap();
    run(&helm, &home, &["create", "shop"]);
    run(&helm, &home, &["package", "shop", "--version", "1.3.0+build.7"]);
    let url = registry.url("org");
    run(
        &helm,
        &home,
        &["push", "shop-1.3.0+build.7.tgz", &url, "--plain-http"],
    );
    let archive = std::fs::read(home.join("shop-1.3.0+build.7.tgz")).unwrap();
    world.start().await;
    repository(
        &world,
        "charts",
        json!({ "type": "oci", "url": url, "insecure": true }),
    )
    .await;
    world.put_source(spec(json!({}))).await;
    let object = world
        .ready("pulled 'shop' chart with version '1.3.0+build.7'")
        .await;
    assert_eq!(world.store.file(&path(&object)).unwrap(), archive);

    // Its own files, packaged here and by helm, hold the same.
    let mut tree: Vec<(String, String)> = Vec::new();
    let mut folders = vec![home.join("shop")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&home).unwrap().display().to_string();
                tree.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let tree: Vec<(&str, &str)> = tree
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    offer_git(
        &world,
        "repo",
        "main@sha1:0123456789abcdef0123456789abcdef01234567",
        &tree,
    )
    .await;
    let git = spec(json!({ "chart": "shop", "sourceRef": { "kind": "GitRepository", "name": "repo" } }));
    world.put_source(git).await;
    let object = world.ready("packaged 'shop' chart with version '0.1.0'").await;
    let ours = world.store.file(&path(&object)).unwrap();
    std::fs::write(home.join("ours.tgz"), &ours).unwrap();
    run(&helm, &home, &["package", "shop"]);
    let theirs = std::fs::read(home.join("shop-0.1.0.tgz")).unwrap();
    let entries = |archive: &[u8]| {
        let mut entries = Vec::new();
        let limits = unpack::Limits::default();
        unpack::visit(archive, &limits, unpack::Special::Refused, |found| {
            entries.push((found.path, found.content));
            Ok::<_, unpack::Error>(())
        })
        .unwrap();
        entries
    };
    let (ours, theirs) = (entries(&ours), entries(&theirs));
    let names = |entries: &[(String, Option<Vec<u8>>)]| {
        entries.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&ours), names(&theirs), "the same files in the same order");
    assert!(ours == theirs, "with the same contents");
    let shown = run(&helm, &home, &["template", "ours.tgz"]);
    assert!(shown.contains("kind: Deployment"), "{shown}");
    world.stop().await;
}
