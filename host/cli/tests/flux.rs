//! Flux's own controllers beside ours: one cluster handed over and back, and our artifacts in Flux's hands. They are built
//! with Go; that takes minutes, so this runs where `SLUICE_BUILD_TOOLS=1` is set or they were built before.
#![allow(clippy::unwrap_used)]

use crate::support::installed::{World, repository};
use crate::support::{Running, until};
use serde_json::json;
use sluice_testkit::tools::program;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

const SOURCES: &str = "source-controller";
const KUSTOMIZATIONS: &str = "kustomize-controller";

/// One of Flux's controllers. Outside of a Pod it cannot take its Lease; that ours waits for the Lease is another test's.
fn flux(world: &World, program: &Path, name: &str, more: &[&str]) -> Running {
    let kubeconfig = format!("KUBECONFIG={}", world.cluster.kubeconfig().display());
    let mut args = vec![kubeconfig, "RUNTIME_NAMESPACE=flux-system".to_owned()];
    args.push(program.display().to_string());
    let nowhere = ["--metrics-addr=0", "--health-addr=127.0.0.1:0"];
    args.extend(nowhere.iter().chain(more).map(|arg| (*arg).to_owned()));
    Running::program(Path::new("env"), world.folder.path(), name, &args)
}

/// Flux as it runs in most clusters: sources and Kustomizations.
fn whole_flux(world: &World, programs: &[PathBuf; 2], round: u32) -> [Running; 2] {
    let [sources, kustomizations] = programs;
    // it tells others its address, so it must know its port before
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let storage = world.folder.path().join(format!("flux-{round}"));
    std::fs::create_dir_all(&storage).unwrap();
    let place = [
        format!("--storage-path={}", storage.display()),
        format!("--storage-addr={port}"),
        format!("--storage-adv-addr={port}"),
    ];
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    [
        flux(world, sources, &format!("flux-sources-{round}"), &place),
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
