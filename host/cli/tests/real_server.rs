//! The built binary on a real API server: who leads, who waits, what is told, which shard; what is installed goes and comes back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use crate::support::installed::{World, repository};
use crate::support::{Kubectl, Running, until};
use serde_json::{Value, json};
use sluice_testkit::cluster::{Cluster, Options};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// Flags that make leaders change within seconds.
const QUICK_LEASE: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=4s",
    "--leader-election-renew-deadline=3s",
    "--leader-election-retry-period=500ms",
];

const LEASE: &str = "lease/kustomize-controller-leader-election";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leads_and_the_next_follows() {
    let Some(world) = World::start("leader election on a real API server").await else {
        return;
    };
    let (_git, url) = repository(world.folder.path());
    world.put_source(&url);
    world.put_kustomization("one", json!({}));
    let first = world.controller("first", &QUICK_LEASE);
    world
        .until(
            "kustomization/one",
            "{.status.conditions[?(@.type=='Ready')].status}",
            "True",
        )
        .await;
    let holder = world.get(LEASE, "{.spec.holderIdentity}");
    assert_eq!(world.get(LEASE, "{.spec.leaseDurationSeconds}"), "4");

    let second = world.controller("second", &QUICK_LEASE);
    second.says("leader-election").await;
    assert_eq!(
        world.get(LEASE, "{.spec.holderIdentity}"),
        holder,
        "the first goes on leading"
    );

    // asked to end, the first gives its leases back and the second leads
    first.terminate();
    until("the first ends", || first.has_ended(), || first.log()).await;
    let taken = || ![holder.as_str(), ""].contains(&world.get(LEASE, "{.spec.holderIdentity}").as_str());
    until("the second leads", taken, || second.log()).await;
    world
        .kubectl
        .run(&["-n", "flux-system", "delete", "configmap", "one"]);
    world.until("configmap/one", "{.data.key}", "1").await;

    // somebody else has the lease: the second is fenced off and ends
    let stolen = r#"{"spec": {"holderIdentity": "somebody-else"}}"#;
    world
        .kubectl
        .run(&["-n", "flux-system", "patch", LEASE, "--type=merge", "-p", stolen]);
    until("the second ends", || second.has_ended(), || second.log()).await;
    assert_eq!(
        world.get(LEASE, "{.spec.holderIdentity}"),
        "somebody-else",
        "and leaves the lease alone"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_for_flux_keeps_to_its_shard_and_tells() {
    let Some(world) = World::start("Flux's Lease, shards and notifications on a real API server").await
    else {
        return;
    };
    let (_git, url) = repository(world.folder.path());
    // Flux's own kustomize-controller is at work
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    let flux = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "kustomize-controller-leader-election", "namespace": "flux-system"},
        "spec": {"holderIdentity": "kustomize-controller-of-flux", "leaseDurationSeconds": 3600, "renewTime": now}});
    world.put(&flux);
    world.put_source(&url);
    world.put_kustomization("one", json!({}));
    let waiting = world.controller("waiting", &["--leader-election-retry-period=500ms"]);
    let line = waiting.says("kustomize-controller-of-flux").await;
    assert!(line.contains("kustomize-controller-leader-election"), "{line}");
    assert_eq!(
        world.get("kustomization/one", "{.status.conditions}"),
        "",
        "nothing is touched"
    );
    let released = r#"{"spec": {"holderIdentity": ""}}"#;
    world.kubectl.run(&[
        "-n",
        "flux-system",
        "patch",
        LEASE,
        "--type=merge",
        "-p",
        released,
    ]);
    world
        .until(
            "kustomization/one",
            "{.status.conditions[?(@.type=='Ready')].status}",
            "True",
        )
        .await;
    drop(waiting);

    // a shard reconciles its own, from a source that is not of the shard, and tells of it; the others do the rest
    let old = world.get("gitrepository/apps", "{.status.artifact.url}");
    let main = world.controller("main", &["--watch-label-selector=!sharding.fluxcd.io/key"]);
    let served = || {
        let url = world.get("gitrepository/apps", "{.status.artifact.url}");
        !url.is_empty() && url != old
    };
    until("the source is served anew", served, || main.log()).await;
    let (address, mut told) = notifications().await;
    let shard = [
        "--watch-label-selector=sharding.fluxcd.io/key=shard1",
        &format!("--events-addr={address}"),
    ];
    let sharded = world.controller("sharded", &shard);
    world.put_kustomization("two", json!({"sharding.fluxcd.io/key": "shard1"}));
    world
        .until(
            "kustomization/two",
            "{.status.conditions[?(@.type=='Ready')].status}",
            "True",
        )
        .await;
    assert!(!sharded.log().contains(r#""name":"one""#), "{}", sharded.log());
    assert!(!main.log().contains(r#""name":"two""#), "{}", main.log());
    loop {
        let event = told
            .recv()
            .await
            .unwrap_or_else(|| panic!("no notification: {}", sharded.log()));
        assert_eq!(event.pointer("/involvedObject/kind").unwrap(), "Kustomization");
        assert_eq!(event.pointer("/involvedObject/name").unwrap(), "two");
        assert_eq!(event["reportingController"], "kustomize-controller");
        let message = event["message"].as_str().unwrap();
        if message.starts_with("Reconciliation finished in") {
            assert_eq!(
                (&event["severity"], &event["reason"]),
                (&json!("info"), &json!("ReconciliationSucceeded"))
            );
            let revision = event
                .pointer("/metadata/kustomize.toolkit.fluxcd.io~1revision")
                .unwrap();
            assert!(revision.as_str().unwrap().starts_with("main@sha1:"), "{event}");
            break;
        }
    }
}

/// Over Flux's Deployments, which came first. Nobody works on Deployments here: the test says what would be said of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_installed_goes_and_comes_back() {
    let what = "install, uninstall and install on a real API server";
    let Some(cluster) = Cluster::start_or_skip(what, &Options::default()).await.unwrap() else {
        return;
    };
    let Some(kubectl) = Kubectl::find(what, cluster.kubeconfig()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = format!("--kubeconfig={}", cluster.kubeconfig().display());
    let start = |name: &str, args: &[&str]| {
        let args: Vec<&str> = args.iter().copied().chain([kubeconfig.as_str()]).collect();
        Running::start(folder.path(), name, &args)
    };
    let install = async |name: &str| {
        let args = ["install", "--force", "--registry=registry.example.com/sluice"];
        let install = start(name, &args);
        install.says("verifying installation").await;
        ready(&kubectl, "kustomize-controller", 1);
        ready(&kubectl, "source-controller", 0);
        install.says("install finished").await;
    };
    let strategy = |name: &str| {
        let path = "-o=jsonpath={.spec.strategy.type} {.spec.strategy.rollingUpdate.maxSurge}";
        kubectl.run(&["-n", "flux-system", "get", "deployment", name, path])
    };

    kubectl.run(&["create", "namespace", "flux-system"]);
    let mut flux = json!({"apiVersion": "v1", "kind": "List",
        "items": [deployment_of_flux("kustomize-controller"), deployment_of_flux("source-controller")]});
    flux["items"][1]["spec"]["strategy"] = json!({"type": "Recreate"});
    let flux = flux.to_string();
    kubectl.apply(&["apply", "--server-side", "-f", "-"], &flux);
    assert_eq!(strategy("kustomize-controller"), "RollingUpdate 25%");
    install("first").await;
    assert_eq!(strategy("kustomize-controller"), "RollingUpdate 0");
    assert_eq!(strategy("source-controller"), "Recreate ");
    // warnings are told of on the way, as of a finalizer without a path
    let apply = |flag: &str, objects: &str| {
        let args = ["apply", "--server-side", "--force-conflicts", flag, "-f", "-"];
        let applied = kubectl.output(&args, objects);
        let errors = String::from_utf8_lossy(&applied.stderr);
        assert!(applied.status.success(), "{errors}");
    };
    // Flux's can come back
    apply("--dry-run=server", &flux);
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "apps", "namespace": "default", "finalizers": ["finalizers.fluxcd.io"]},
        "spec": {"interval": "1h", "url": "https://example.com/apps.git"}});
    apply("--dry-run=none", &source.to_string());
    // nobody empties namespaces here either
    let uninstall = start("uninstall", &["uninstall", "--silent", "--keep-namespace"]);
    uninstall.says("uninstall finished").await;
    let deployments = kubectl.run(&["-n", "flux-system", "get", "deployments", "-o=name"]);
    assert_eq!(deployments, "", "{}", uninstall.log());

    // its definitions may still be going
    install("second").await;
    assert_eq!(strategy("kustomize-controller"), "RollingUpdate 0");
    let sources = kubectl.run(&["get", "gitrepositories", "--all-namespaces", "-o=name"]);
    assert_eq!(sources, "", "{}", uninstall.log());
}

fn deployment_of_flux(name: &str) -> Value {
    let labels = json!({"app": name, "app.kubernetes.io/part-of": "flux"});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "flux-system", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "manager", "image": format!("ghcr.io/fluxcd/{name}:v1.9.4")}]}}}})
}

/// Says of a Deployment what its controller says when all its Pods are ready.
fn ready(kubectl: &Kubectl, name: &str, replicas: u32) {
    let path = "-o=jsonpath={.metadata.generation}";
    let generation = kubectl.run(&["-n", "flux-system", "get", "deployment", name, path]);
    let generation: u64 = generation.parse().unwrap();
    let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason, "message": reason});
    let status = json!({"status": {
        "observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")],
    }});
    let patch = status.to_string();
    let patch = [
        "-n",
        "flux-system",
        "patch",
        "deployment",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch,
    ];
    kubectl.run(&patch);
}

/// A notification-controller: takes what is posted.
async fn notifications() -> (String, tokio::sync::mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                loop {
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                            return;
                        }
                        match line.trim_end().to_lowercase().split_once(": ") {
                            Some(("content-length", value)) => length = value.parse().unwrap(),
                            Some(_) => {}
                            None if line.trim_end().is_empty() => break,
                            None => assert!(line.starts_with("POST / "), "{line}"),
                        }
                    }
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await.unwrap();
                    let _full = sender.send(serde_json::from_slice(&body).unwrap()).await;
                    let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
                    stream.get_mut().write_all(answer).await.unwrap();
                }
            });
        }
    });
    (address, receiver)
}
