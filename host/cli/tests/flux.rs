//! Flux's own controllers beside ours: one cluster handed over and back, and our artifacts in Flux's hands. They are built
//! with Go; that takes minutes, so this runs where `SLUICE_BUILD_TOOLS=1` is set or they were built before.
#![allow(clippy::unwrap_used)]

use crate::support::installed::{World, repository};
use crate::support::{Running, until};
use serde_json::{Value, json};
use sluice_testkit::canned::Canned;
use sluice_testkit::git_server::{GitServer, Repository};
use sluice_testkit::registry::{Entry, Registry, digest, tgz};
use sluice_testkit::tools::{file_of, program};
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

const SOURCES: &str = "source-controller";
const KUSTOMIZATIONS: &str = "kustomize-controller";
const RELEASES: &str = "helm-controller";
const NOTIFICATIONS: &str = "notification-controller";

/// One of Flux's controllers. Outside of a Pod it cannot take its Lease; that ours waits for the Lease is another test's.
fn flux(world: &World, program: &Path, name: &str, more: &[&str]) -> Running {
    let kubeconfig = format!("KUBECONFIG={}", world.cluster.kubeconfig().display());
    let mut args = vec![kubeconfig, "RUNTIME_NAMESPACE=flux-system".to_owned()];
    args.push(program.display().to_string());
    let nowhere = ["--metrics-addr=0", "--health-addr=127.0.0.1:0"];
    args.extend(nowhere.iter().chain(more).map(|arg| (*arg).to_owned()));
    Running::program(Path::new("env"), world.folder.path(), name, &args)
}

/// An address of this machine at which nobody listens.
fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Flux's sources.
fn sources(world: &World, program: &Path, name: &str, more: &[&str]) -> Running {
    // it tells others its address, so it must know its port before
    let address = free();
    let storage = world.folder.path().join(format!("storage-of-{name}"));
    std::fs::create_dir_all(&storage).unwrap();
    let place = [
        format!("--storage-path={}", storage.display()),
        format!("--storage-addr={address}"),
        format!("--storage-adv-addr={address}"),
    ];
    let args: Vec<&str> = place
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    flux(world, program, name, &args)
}

/// A chart of one ConfigMap: its archive, and its files.
fn chart(name: &str) -> (Vec<u8>, Vec<(String, String)>) {
    let file = |path: &str, content: String| (format!("{name}/{path}"), content);
    let files = vec![
        file("Chart.yaml", format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n")),
        file("values.yaml", "greeting: nothing\n".to_owned()),
        file(
            "templates/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\ndata: {greeting: {{ .Values.greeting }}}\n"
                .to_owned(),
        ),
    ];
    let entries: Vec<Entry> = files
        .iter()
        .map(|(path, content)| Entry::file(path, content))
        .collect();
    (tgz(&entries), files)
}

/// Flux as it runs in most clusters: sources and Kustomizations.
fn whole_flux(world: &World, programs: &[PathBuf; 2], round: u32) -> [Running; 2] {
    let [fetching, kustomizations] = programs;
    [
        sources(world, fetching, &format!("flux-sources-{round}"), &[]),
        // what ours served is gone when it begins: it shall not ask for it for minutes
        flux(
            world,
            kustomizations,
            &format!("flux-kustomizations-{round}"),
            &["--http-retry=1"],
        ),
    ]
}

/// Ends them in order.
async fn end(running: &[Running]) {
    for one in running {
        one.terminate();
    }
    for one in running {
        until("it ends", || one.has_ended(), || one.log()).await;
    }
}

/// Asks for a reconcile of the source and the Kustomization, and waits until both were answered and are ready.
async fn reconcile(world: &World, kustomization: &str, token: &str) {
    let annotation = format!("reconcile.fluxcd.io/requestedAt={token}");
    for object in ["gitrepository/apps", kustomization] {
        world.kubectl.run(&[
            "-n",
            "flux-system",
            "annotate",
            "--overwrite",
            object,
            &annotation,
        ]);
        world
            .until(object, "{.status.lastHandledReconcileAt}", token)
            .await;
        world.until(object, READY, "True").await;
    }
}

const READY: &str = "{.status.conditions[?(@.type=='Ready')].status}";
/// What would tell that somebody wrote the object.
const WRITTEN: &str =
    "{.metadata.uid} {.metadata.generation} {.metadata.resourceVersion} {.metadata.managedFields}";
const INVENTORY: &str = "{.status.inventory}";
const ARTIFACT: &str = "{.status.artifact.url}";
const REVISION: &str = "{.status.artifact.revision}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_goes_from_flux_to_sluice_and_back_and_flux_takes_our_artifacts() {
    let what = "Flux's own controllers";
    let Some(programs) = program(SOURCES, what).zip(program(KUSTOMIZATIONS, what)) else {
        return;
    };
    let programs = [programs.0, programs.1];
    let Some(world) = World::start(what).await else {
        return;
    };
    let (_git, url) = repository(world.folder.path());
    world.put_source(&url);
    world.put_kustomization("one", json!({}));

    // Flux is at work
    let before = whole_flux(&world, &programs, 1);
    world.until("kustomization/one", READY, "True").await;
    let written = world.get("configmap/one", WRITTEN);
    let inventory = world.get("kustomization/one", INVENTORY);
    let revision = world.get("gitrepository/apps", REVISION);
    assert!(written.contains("kustomize-controller"), "{written}");

    // handed over: the same source, the same objects, and none of them was written
    end(&before).await;
    let sluice = world.controller("sluice", &[]);
    reconcile(&world, "kustomization/one", "over").await;
    assert_eq!(world.get("configmap/one", WRITTEN), written, "{}", sluice.log());
    assert_eq!(world.get("kustomization/one", INVENTORY), inventory);
    assert_eq!(world.get("gitrepository/apps", REVISION), revision);

    // a shard of Flux's takes what ours fetched
    let shard = ["--watch-label-selector=sharding.fluxcd.io/key=flux"];
    let sharded = flux(&world, &programs[1], "flux-shard", &shard);
    drop(sluice);
    let ours = world.controller("main", &["--watch-label-selector=!sharding.fluxcd.io/key"]);
    reconcile(&world, "kustomization/one", "sharded").await;
    world.put_kustomization("two", json!({ "sharding.fluxcd.io/key": "flux" }));
    world.until("kustomization/two", READY, "True").await;
    assert!(!ours.log().contains(r#""name":"two""#), "{}", ours.log());
    assert_eq!(world.get("configmap/two", "{.data.key}"), "1");
    let artifact = world.get("gitrepository/apps", ARTIFACT);
    end(&[sharded, ours]).await;

    // handed back: the same again
    let after = whole_flux(&world, &programs, 2);
    reconcile(&world, "kustomization/one", "back").await;
    assert_ne!(
        world.get("gitrepository/apps", ARTIFACT),
        artifact,
        "Flux serves its own"
    );
    assert_eq!(world.get("configmap/one", WRITTEN), written, "{}", after[1].log());
    assert_eq!(world.get("kustomization/one", INVENTORY), inventory);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_kustomizations_take_what_flux_fetched() {
    let what = "Kustomizations of a source that Flux's own controller fetches";
    let Some(flux_sources) = program(SOURCES, what) else {
        return;
    };
    let Some(world) = World::start(what).await else {
        return;
    };
    let (_git, url) = repository(world.folder.path());
    let shard = ["--watch-label-selector=sharding.fluxcd.io/key=flux"];
    let fetching = sources(&world, &flux_sources, "flux-sources", &shard);
    let ours = world.controller("ours", &["--watch-label-selector=!sharding.fluxcd.io/key"]);
    world.put_source(&url);
    let labels = [
        "-n",
        "flux-system",
        "label",
        "gitrepository/apps",
        "sharding.fluxcd.io/key=flux",
    ];
    world.kubectl.run(&labels);
    world.put_kustomization("one", json!({}));
    world.until("kustomization/one", READY, "True").await;

    assert_eq!(world.get("configmap/one", "{.data.key}"), "1", "{}", ours.log());
    let revision = world.get("gitrepository/apps", REVISION);
    assert_eq!(
        world.get("kustomization/one", "{.status.lastAppliedRevision}"),
        revision
    );
    let managers = world.get("gitrepository/apps", "{.metadata.managedFields[*].manager}");
    assert!(
        managers.contains("source-controller"),
        "{managers}\n{}",
        fetching.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_controller_releases_charts_that_we_fetched() {
    let what = "HelmReleases of charts that we fetched";
    let Some(helm) = program(RELEASES, what) else {
        return;
    };
    let Some(world) = World::start(what).await else {
        return;
    };
    world.define(&file_of(
        RELEASES,
        "config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml",
    ));
    let ours = world.controller("ours", &[]);
    let releasing = flux(&world, &helm, "helm-controller", &["--http-retry=1"]);

    // from an index, from a directory in Git, and from a registry
    let (charts, registry) = (Canned::start(), Registry::start());
    let (archive, _) = chart("indexed");
    charts.answer("GET /index.yaml", 200, &format!(
        "apiVersion: v1\nentries: {{indexed: [{{apiVersion: v2, name: indexed, version: 1.0.0, urls: [indexed-1.0.0.tgz], digest: {}}}]}}\n",
        digest(&archive).trim_start_matches("sha256:")
    ));
    charts.answer_bytes("GET /indexed-1.0.0.tgz", 200, &[], &archive);
    let source = |kind: &str, name: &str, spec: Value| {
        world.put_spec("source.toolkit.fluxcd.io/v1", kind, name, &spec);
    };
    source(
        "HelmRepository",
        "index",
        json!({"interval": "1h", "url": charts.base()}),
    );
    let (in_git, in_registry) = (chart("in-git").1, chart("in-registry").0);
    let git = Repository::init(&world.folder.path().join("served/charts"));
    git.commit(
        in_git
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str())),
        "a chart",
    );
    let git = GitServer::start(&world.folder.path().join("served"));
    let at = git.url("charts/.git");
    source(
        "GitRepository",
        "charts",
        json!({"interval": "1h", "url": at, "ref": {"branch": "main"}}),
    );
    registry.push_layers(
        "charts/in-registry",
        "1.0.0",
        &[(
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            &in_registry,
        )],
    );
    source(
        "OCIRepository",
        "in-registry",
        json!({"interval": "1h", "url": registry.url("charts/in-registry"),
        "insecure": true, "ref": {"tag": "1.0.0"}, "layerSelector": {"operation": "copy",
        "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip"}}),
    );

    let release = |name: &str, chart: Value| {
        let mut spec = json!({"interval": "1h", "values": {"greeting": "hello"}});
        spec.as_object_mut()
            .unwrap()
            .extend(chart.as_object().unwrap().clone());
        world.put_spec("helm.toolkit.fluxcd.io/v2", "HelmRelease", name, &spec);
    };
    release(
        "indexed",
        json!({"chart": {"spec": {"chart": "indexed", "version": "1.x",
        "sourceRef": {"kind": "HelmRepository", "name": "index"}}}}),
    );
    release(
        "in-git",
        json!({"chart": {"spec": {"chart": "in-git",
        "sourceRef": {"kind": "GitRepository", "name": "charts"}}}}),
    );
    release(
        "in-registry",
        json!({"chartRef": {"kind": "OCIRepository", "name": "in-registry"}}),
    );
    for name in ["indexed", "in-git", "in-registry"] {
        world.until(&format!("helmrelease/{name}"), READY, "True").await;
        let said = world.get(&format!("configmap/{name}"), "{.data.greeting}");
        assert_eq!(said, "hello", "{name}\n{}\n{}", ours.log(), releasing.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notification_controller_passes_our_events_on_and_wakes_our_sources() {
    let what = "events and webhooks through Flux's own controller";
    let Some(notifying) = program(NOTIFICATIONS, what) else {
        return;
    };
    let Some(world) = World::start(what).await else {
        return;
    };
    for kind in ["alerts", "providers", "receivers"] {
        let path = format!("config/crd/bases/notification.toolkit.fluxcd.io_{kind}.yaml");
        world.define(&file_of(NOTIFICATIONS, &path));
    }

    // who is told
    let told = Canned::start();
    told.answer("POST /told", 200, "");
    let put = |kind: &str, version: &str, name: &str, spec: Value| {
        let api_version = format!("notification.toolkit.fluxcd.io/{version}");
        world.put_spec(&api_version, kind, name, &spec);
    };
    let address = format!("{}told", told.base());
    put(
        "Provider",
        "v1beta3",
        "chat",
        json!({"type": "generic", "address": address}),
    );
    put(
        "Alert",
        "v1beta3",
        "all",
        json!({"providerRef": {"name": "chat"}, "eventSeverity": "info",
        "eventSources": [{"kind": "GitRepository", "name": "*"}, {"kind": "Kustomization", "name": "*"}]}),
    );
    let [events, hooks] = [free(), free()];
    let addresses = [
        format!("--events-addr={events}"),
        format!("--receiverAddr={hooks}"),
    ];
    let addresses = [addresses[0].as_str(), addresses[1].as_str()];
    let notifying = flux(&world, &notifying, "notification-controller", &addresses);
    until(
        "it listens",
        || {
            TcpStream::connect(&events)
                .and(TcpStream::connect(&hooks))
                .is_ok()
        },
        || notifying.log(),
    )
    .await;

    let ours = world.controller("ours", &[&format!("--events-addr=http://{events}/")]);
    let (_git, url) = repository(world.folder.path());
    world.put_source(&url);
    world.put_kustomization("one", json!({}));
    world.until("kustomization/one", READY, "True").await;
    let said = RefCell::new(Vec::<Value>::new());
    let both = || {
        let asked = told.take_asked();
        said.borrow_mut().extend(
            asked
                .iter()
                .map(|asked| serde_json::from_str(&asked.body).unwrap()),
        );
        ["GitRepository", "Kustomization"].iter().all(|kind| {
            let said = said.borrow();
            said.iter().any(|event| event["involvedObject"]["kind"] == *kind)
        })
    };
    until("both are told of", both, || {
        format!("{}\n{}", ours.log(), notifying.log())
    })
    .await;
    let revision = world.get("gitrepository/apps", REVISION);
    for event in said.borrow().iter() {
        assert_eq!(event["severity"], "info", "{event}");
        assert_eq!(event["metadata"]["revision"], revision, "{event}");
    }

    // a webhook of a Git server wakes the source
    world.kubectl.apply(
        &["apply", "-f", "-"],
        &json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "token", "namespace": "flux-system"}, "stringData": {"token": "t"}})
        .to_string(),
    );
    put(
        "Receiver",
        "v1",
        "git",
        json!({"type": "generic", "secretRef": {"name": "token"},
        "resources": [{"kind": "GitRepository", "name": "apps"}]}),
    );
    world.until("receiver/git", READY, "True").await;
    let hook = world.get("receiver/git", "{.status.webhookPath}");
    let mut stream = TcpStream::connect(&hooks).unwrap();
    let request =
        format!("POST {hook} HTTP/1.1\r\nHost: hooks\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let asked = world.get(
        "gitrepository/apps",
        "{.metadata.annotations.reconcile\\.fluxcd\\.io/requestedAt}",
    );
    assert!(!asked.is_empty());
    world
        .until("gitrepository/apps", "{.status.lastHandledReconcileAt}", &asked)
        .await;
}
