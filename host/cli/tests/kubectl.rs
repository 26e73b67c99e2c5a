//! kubectl against `sluice dev`: what a person does in the first five minutes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use crate::support::{Kubectl, Running};
use sluice_testkit::git_server::{Repository, git_is_present};

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.0.0
        ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
";

/// The columns of a table that kubectl printed, without those that differ from run to run.
fn columns(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[tokio::test]
async fn the_first_five_minutes() {
    let folder = tempfile::tempdir().unwrap();
    if !git_is_present("kubectl against sluice dev") {
        return;
    }
    let repository = Repository::init(&folder.path().join("repository"));
    let map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: default}\ndata: {key: \"1\"}\n";
    repository.commit([("app/map.yaml", map)], "first");
    let git = repository.directory().display().to_string();
    let args = ["dev", "--listen=127.0.0.1:0", "--git", &git, "--path", "app"];
    let dev = Running::start(folder.path(), "dev", &args);
    let line = dev.says("export KUBECONFIG=").await;
    let kubeconfig = line.rsplit("KUBECONFIG=").next().unwrap().trim();
    let Some(kubectl) = Kubectl::find("kubectl against sluice dev", kubeconfig.as_ref()) else {
        return;
    };

    // what Git says is there, and shown as Flux's custom resources show it
    kubectl.run(&[
        "-n",
        "flux-system",
        "wait",
        "kustomization/flux-system",
        "--for=condition=Ready",
        "--timeout=60s",
    ]);
    let kept = kubectl.run(&["get", "kustomizations", "-A"]);
    let kept = columns(&kept);
    assert_eq!(kept[0], ["NAMESPACE", "NAME", "AGE", "READY", "STATUS"]);
    assert_eq!(kept[1][..2], ["flux-system", "flux-system"]);
    assert_eq!(kept[1][3..6], ["True", "Applied", "revision:"]);
    let sources = kubectl.run(&["get", "gitrepositories", "-A"]);
    assert_eq!(
        columns(&sources)[0],
        ["NAMESPACE", "NAME", "URL", "AGE", "READY", "STATUS"]
    );

    // apply, get, wait, describe
    assert_eq!(
        kubectl.apply(&["apply", "-f", "-"], WEB),
        "deployment.apps/web created\nservice/web created\n"
    );
    assert_eq!(
        kubectl.apply(&["apply", "-f", "-"], WEB),
        "deployment.apps/web unchanged\nservice/web unchanged\n"
    );
    assert_eq!(
        kubectl.run(&[
            "wait",
            "deployment/web",
            "--for=condition=Available",
            "--timeout=60s"
        ]),
        "deployment.apps/web condition met\n"
    );
    let table = kubectl.run(&["get", "deployment", "web"]);
    let table = columns(&table);
    assert_eq!(table[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(table[1][..4], ["web", "2/2", "2", "2"]);
    let wide = kubectl.run(&["get", "deployment", "web", "-o", "wide"]);
    assert!(wide.contains("registry.example.com/web:1.0.0"), "{wide}");
    let pods = kubectl.run(&["get", "pods", "-l", "app=web", "-o", "name"]);
    assert_eq!(pods.lines().count(), 2, "{pods}");
    let described = kubectl.run(&["describe", "deployment", "web"]);
    for part in [
        "Replicas:               2 desired",
        "Image:      ",
        "NewReplicaSet:   web-",
    ] {
        assert!(described.contains(part.trim()), "{part} in {described}");
    }

    // explain, for what is built in and what is ours
    let explained = kubectl.run(&["explain", "deployment.spec.replicas"]);
    assert!(explained.contains("FIELD: replicas <integer>"), "{explained}");
    let explained = kubectl.run(&["explain", "kustomization.spec.prune"]);
    assert!(explained.contains("FIELD: prune <boolean>"), "{explained}");

    // a change, a rollout, a refused one
    let changed = WEB.replace("web:1.0.0", "web:2.0.0");
    assert_eq!(
        kubectl.apply(&["apply", "-f", "-"], &changed),
        "deployment.apps/web configured\nservice/web unchanged\n"
    );
    let rolled = kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    assert!(rolled.contains("successfully rolled out"), "{rolled}");
    let refused = kubectl.fails(&[
        "patch",
        "deployment",
        "web",
        "--type=merge",
        "-p",
        r#"{"spec":{"replicas":"two"}}"#,
    ]);
    assert!(refused.contains("replicas"), "{refused}");

    // an edit of what Git says is undone
    kubectl.run(&[
        "patch",
        "configmap",
        "kept",
        "--type=merge",
        "-p",
        r#"{"data":{"key":"edited"}}"#,
    ]);
    kubectl.run(&[
        "wait",
        "configmap/kept",
        "--for=jsonpath={.data.key}=1",
        "--timeout=60s",
    ]);

    // delete
    let deleted = kubectl.run(&["delete", "deployment/web", "service/web", "--timeout=60s"]);
    // older ones do not say from where
    assert_eq!(
        deleted.replace(" from default namespace", ""),
        "deployment.apps \"web\" deleted\nservice \"web\" deleted\n"
    );
    let gone = kubectl.fails(&["get", "deployment", "web"]);
    assert_eq!(
        gone,
        "Error from server (NotFound): deployments.apps \"web\" not found\n"
    );
}
