//! `sluice install`, `check` and `uninstall` on an embedded API server, with Flux's own controllers beside and without.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::SLUICE;
use expect_test::expect;
use serde_json::{Value, json};
use sluice_apply::cluster::{
    Cluster as _, Identity, KubeCluster, Patch, PatchOptions, Preconditions, RetryPolicy,
};
use sluice_devcluster::{Config, DevCluster};
use sluice_object::{Object, ObjectId};
use sluice_testkit::canned::Canned;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const REGISTRY: &str = "--registry=registry.example.com/sluice";

/// An API server, and programs that reach it.
struct Place {
    server: DevCluster,
    cluster: KubeCluster,
    kubeconfig: PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn start() -> Self {
        sluice_testkit::world::install_tls();
        let server = DevCluster::start(Config::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, server.kubeconfig()).unwrap();
        let config = server.client_config().await.unwrap();
        Self {
            cluster: KubeCluster::connect(config, RetryPolicy::default()).unwrap(),
            server,
            kubeconfig,
            _folder: folder,
        }
    }

    /// Exit code, and what is printed and told.
    async fn run(&self, args: &[&str]) -> (i32, String, String) {
        self.answering("", args).await
    }

    /// The same with an answer to what is asked.
    async fn answering(&self, answer: &'static str, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(SLUICE);
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // the server is in this process, and must go on answering
        let ran = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let _unread = child.stdin.take().unwrap().write_all(answer.as_bytes());
            child.wait_with_output().unwrap()
        });
        let output = ran.await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    async fn put(&self, object: Value) {
        let id = id(&object);
        let options = PatchOptions {
            manager: "test",
            ..PatchOptions::default()
        };
        let patch = Patch::Apply(object);
        let put = self
            .cluster
            .patch(&Identity::AsController, &id, patch, options)
            .await;
        put.unwrap();
    }

    /// One of Flux's own, as `flux install` makes it.
    async fn flux(&self, namespace: &str, name: &str) {
        self.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
            .await;
        let labels = json!({"app": name, "app.kubernetes.io/part-of": "flux"});
        let mut spec = json!({"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "manager", "image": format!("ghcr.io/fluxcd/{name}:v1.6.3")}]}}});
        if name == "source-controller" {
            spec["strategy"] = json!({"type": "Recreate"});
        }
        self.put(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec}))
            .await;
    }

    fn has(&self, resource: &str, namespace: &str, name: &str) -> bool {
        self.server.object(resource, namespace, name).is_some()
    }
}

fn id(object: &Value) -> ObjectId {
    Object::new(object.clone()).unwrap().id().clone()
}

/// A definition that Flux or another tool left.
fn definition(labels: Value) -> Value {
    definition_of("v1", labels)
}

fn definition_of(version: &str, labels: Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gitrepositories.source.toolkit.fluxcd.io", "labels": labels},
        "spec": {"group": "source.toolkit.fluxcd.io", "scope": "Namespaced",
            "names": {"kind": "GitRepository", "listKind": "GitRepositoryList", "plural": "gitrepositories", "singular": "gitrepository"},
            "versions": [{"name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}})
}

const DEPLOYMENTS: &str = "apps/deployments";
const DEFINITIONS: &str = "apiextensions.k8s.io/customresourcedefinitions";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_installed_on_checked_and_left() {
    let place = Place::start().await;
    let (code, _, told) = place.run(&["check", "--pre"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("✔ Kubernetes ") && told.ends_with("✔ prerequisites checks passed\n"),
        "{told}"
    );
    let (code, _, told) = place.run(&["check"]).await;
    assert_eq!(code, 1, "{told}");
    for expected in [
        "✗ checking failed: customresourcedefinitions.apiextensions.k8s.io \"gitrepositories.source.toolkit.fluxcd.io\" not found\n",
        "✗ no controllers found in the 'flux-system' namespace with the label selector 'app.kubernetes.io/part-of=flux'\n",
        "✗ no crds found with the label selector 'app.kubernetes.io/part-of=flux'\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(told.ends_with("✗ check failed\n"), "{told}");

    let (code, printed, told) = place.run(&["install", REGISTRY]).await;
    expect![[r"
        ✚ generating manifests
        ✔ manifests build completed
        ► installing components in flux-system namespace
        ◎ verifying installation
        ✔ kustomize-controller: deployment ready
        ✔ source-controller: deployment ready
        ✔ install finished
    "]]
    .assert_eq(&told);
    assert_eq!(code, 0);
    assert!(printed.starts_with("CustomResourceDefinition/"), "{printed}");
    assert!(printed.contains("\nNamespace/flux-system created\n"), "{printed}");
    assert!(
        printed.lines().all(|line| line.ends_with(" created")),
        "{printed}"
    );

    // once more changes nothing, something else changes one thing
    let (code, printed, told) = place.run(&["install", REGISTRY]).await;
    assert_eq!(code, 0, "{told}");
    assert!(
        printed.lines().all(|line| line.ends_with(" unchanged")),
        "{printed}"
    );
    let (_, printed, _) = place.run(&["install", REGISTRY, "--log-level=debug"]).await;
    let changed: Vec<&str> = printed
        .lines()
        .filter(|line| !line.ends_with(" unchanged"))
        .collect();
    assert_eq!(
        changed,
        ["Deployment/flux-system/kustomize-controller configured"]
    );

    let (code, _, told) = place.run(&["check"]).await;
    assert_eq!(code, 0, "{told}");
    for expected in [
        "✔ distribution: flux-v2.9.0\n✔ bootstrapped: false\n► checking controllers\n✔ kustomize-controller: deployment ready\n► registry.example.com/sluice/kustomize-controller:v1.9.4\n",
        "✔ source-controller: deployment ready\n",
        "► checking crds\n",
        "✔ gitrepositories.source.toolkit.fluxcd.io/v1\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(!told.contains("Flux's own"), "{told}");

    // what it would do, asked for; then not agreed to; then done
    place
        .put(
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": "apps", "namespace": "default", "finalizers": ["finalizers.fluxcd.io"]},
            "spec": {"interval": "1h", "url": "https://example.com/apps.git"}}),
        )
        .await;
    let (code, _, told) = place.run(&["uninstall", "--dry-run"]).await;
    assert_eq!(code, 0, "{told}");
    for expected in [
        "► deleting components in flux-system namespace\n✔ Deployment/flux-system/kustomize-controller deleted (dry run)\n",
        "✔ GitRepository/default/apps finalizers deleted (dry run)\n",
        "✔ CustomResourceDefinition/gitrepositories.source.toolkit.fluxcd.io deleted (dry run)\n",
        "✔ Namespace/flux-system deleted (dry run)\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    let (code, _, told) = place.answering("n\n", &["uninstall"]).await;
    assert_eq!(
        told,
        "Are you sure you want to delete Flux and its custom resource definitions? [y/N] ✗ aborting; --silent goes on without asking\n"
    );
    assert_eq!(code, 1);
    assert!(place.has(DEPLOYMENTS, "flux-system", "kustomize-controller"));

    let (code, _, told) = place
        .answering("y\n", &["uninstall", "--keep-namespace=true"])
        .await;
    assert_eq!(code, 0, "{told}");
    for expected in [
        "✔ Service/flux-system/source-controller deleted\n",
        "✔ NetworkPolicy/flux-system/allow-egress deleted\n",
        "✔ ServiceAccount/flux-system/kustomize-controller deleted\n",
        "✔ ClusterRole/crd-controller-flux-system deleted\n",
        "✔ ClusterRoleBinding/cluster-reconciler-flux-system deleted\n",
        "► deleting toolkit.fluxcd.io finalizers in all namespaces\n",
        "✔ GitRepository/default/apps finalizers deleted\n",
        "► deleting toolkit.fluxcd.io custom resource definitions\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(told.ends_with("✔ uninstall finished\n"), "{told}");
    assert!(!told.contains("Namespace/"), "{told}");
    assert!(place.has("/namespaces", "", "flux-system"));
    assert!(!place.has(DEPLOYMENTS, "flux-system", "kustomize-controller"));

    let (code, _, told) = place.run(&["uninstall", "-s"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("✔ Namespace/flux-system deleted\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_installation_made_is_left() {
    let place = Place::start().await;
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    place.put(namespace("production")).await;
    let (code, _, told) = place.run(&["uninstall", "-s", "-n", "production"]).await;
    assert_eq!(code, 0, "{told}");
    let stays =
        "⚠️ the namespace production stays, since it has not the label app.kubernetes.io/part-of=flux; ";
    assert!(told.contains(stays), "{told}");
    assert!(place.has("/namespaces", "", "production"));

    // a controller whose Deployment was deleted before has not ended
    place
        .put(definition(json!({"app.kubernetes.io/part-of": "flux"})))
        .await;
    place.put(namespace("flux-system")).await;
    place
        .put(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "helm-controller-0", "namespace": "flux-system", "labels": {"app": "helm-controller"}},
            "spec": {"containers": [{"name": "manager", "image": "ghcr.io/fluxcd/helm-controller:v1.6.3"}]}}))
        .await;
    let (code, _, told) = place.run(&["uninstall", "-s", "--timeout=3s"]).await;
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("◎ waiting for helm-controller-0 to end\n")
            && told.contains("✗ context deadline exceeded: helm-controller-0 has not ended, "),
        "{told}"
    );
    assert!(place.has(DEFINITIONS, "", "gitrepositories.source.toolkit.fluxcd.io"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_elsewhere_keeps_finalizers_and_definitions() {
    let place = Place::start().await;
    place
        .put(definition(json!({"app.kubernetes.io/part-of": "flux"})))
        .await;
    let lease = |renewed: &str| {
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "kustomize-controller-leader-election", "namespace": "default"},
            "spec": {"holderIdentity": "workstation_1", "leaseDurationSeconds": 3600, "renewTime": renewed}})
    };
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    place.put(lease(&now)).await;
    let (code, _, told) = place.run(&["uninstall", "-s", "--timeout=3s"]).await;
    assert_eq!(code, 1, "{told}");
    let holder = "workstation_1, which holds Lease/default/kustomize-controller-leader-election,";
    for expected in [
        format!("◎ waiting for {holder} to end\n"),
        format!("✗ context deadline exceeded: {holder} has not ended, "),
    ] {
        assert!(told.contains(&expected), "{told}");
    }
    assert!(place.has(DEFINITIONS, "", "gitrepositories.source.toolkit.fluxcd.io"));

    // it ended long ago, without giving it up
    place.put(lease("2020-01-01T00:00:00.000000Z")).await;
    let (code, _, told) = place.run(&["uninstall", "-s"]).await;
    assert_eq!(code, 0, "{told}");
    let deleted = "✔ CustomResourceDefinition/gitrepositories.source.toolkit.fluxcd.io deleted\n";
    assert!(told.contains(deleted), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_flux_defined_goes_too() {
    let place = Place::start().await;
    let labels = json!({"app.kubernetes.io/part-of": "flux"});
    place.put(definition_of("v1beta2", labels)).await;
    place
        .put(
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1beta2", "kind": "GitRepository",
            "metadata": {"name": "apps", "namespace": "default", "finalizers": ["finalizers.fluxcd.io"]}}),
        )
        .await;
    let (code, _, told) = place.run(&["uninstall", "-s"]).await;
    assert_eq!(code, 0, "{told}");
    for expected in [
        "✔ GitRepository/default/apps finalizers deleted\n",
        "✔ CustomResourceDefinition/gitrepositories.source.toolkit.fluxcd.io deleted\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flux_beside_is_named_and_left_alone() {
    let place = Place::start().await;
    place.flux("flux-system", "helm-controller").await;
    let (code, _, told) = place.run(&["uninstall", "-s"]).await;
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("no controllers of Sluice found in the 'flux-system' namespace")
            && told.ends_with(": flux-system/helm-controller\n"),
        "{told}"
    );

    let (code, _, told) = place.run(&["install", REGISTRY]).await;
    assert_eq!(code, 0, "{told}");
    let (code, _, told) = place.run(&["check"]).await;
    assert_eq!(code, 0, "{told}");
    let whose = "► Sluice's: kustomize-controller, source-controller; Flux's own: helm-controller\n";
    assert!(told.contains(whose), "{told}");

    let (code, _, told) = place.run(&["uninstall", "--silent"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(
        told.starts_with("⚠️ roles, custom resources and their definitions stay, since other controllers work with them: flux-system/helm-controller; "),
        "{told}"
    );
    assert!(!place.has(DEPLOYMENTS, "flux-system", "kustomize-controller"));
    assert!(!place.has("/serviceaccounts", "flux-system", "kustomize-controller"));
    assert!(place.has(DEPLOYMENTS, "flux-system", "helm-controller"));
    assert!(place.has(DEFINITIONS, "", "gitrepositories.source.toolkit.fluxcd.io"));
    let roles = "rbac.authorization.k8s.io/clusterroles";
    assert!(place.has(roles, "", "crd-controller-flux-system"));

    let (code, _, told) = place.run(&["uninstall", "--silent", "--with-flux"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(!place.has(DEPLOYMENTS, "flux-system", "helm-controller"));
    assert!(!place.has(roles, "", "crd-controller-flux-system"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_installed_is_not_overridden_unasked() {
    let place = Place::start().await;
    place.flux("flux-system", "kustomize-controller").await;
    let version = json!({"app.kubernetes.io/version": "v2.8.0"});
    place.put(definition(version)).await;
    let install = ["install", REGISTRY];
    let (code, printed, told) = place.run(&install).await;
    assert_eq!((code, printed.as_str()), (1, ""), "{told}");
    assert!(
        told.ends_with(
            "Flux's own controllers run in the flux-system namespace: kustomize-controller\n\
             Are you sure you want to put Sluice in their place? [y/N] ✗ installation cancelled; --force goes on without asking\n"
        ),
        "{told}"
    );

    let helm = json!({"app.kubernetes.io/version": "v2.8.0", "app.kubernetes.io/managed-by": "Helm"});
    place.put(definition(helm)).await;
    let (code, _, told) = place.answering("n\n", &install).await;
    assert_eq!(code, 1);
    assert!(
        told.contains(
            "Flux v2.8.0 has been installed on this cluster with Helm!\n\
             Are you sure you want to override the Helm installation? Y/N? [y/N] ✗ installation cancelled"
        ),
        "{told}"
    );

    let version = json!({"app.kubernetes.io/version": "v2.8.0"});
    place.put(definition(version)).await;
    let (code, _, told) = place.run(&["install", REGISTRY, "-n", "beside"]).await;
    assert_eq!(code, 1);
    assert!(
        told.contains(
            "controllers of other namespaces do this work already: flux-system/kustomize-controller\n\
             Are you sure you want two of them to work on the same objects? [y/N] ✗ installation cancelled"
        ),
        "{told}"
    );
    assert!(!place.has("/namespaces", "", "beside"));

    let kept = json!({"app.kubernetes.io/version": "v2.8.0", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    place.put(definition(kept)).await;
    let (code, _, told) = place.run(&["install", REGISTRY, "--force"]).await;
    assert_eq!(code, 1);
    let refused = "✗ this cluster has already been bootstrapped with Flux v2.8.0! Please use 'flux bootstrap' to upgrade";
    assert!(told.contains(refused), "{told}");
    assert!(!place.has(DEPLOYMENTS, "flux-system", "source-controller"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_deleted_is_not_installed_into() {
    let place = Place::start().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}});
    let map = |finalizers: Value| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "kept", "namespace": "flux-system", "finalizers": finalizers}})
    };
    place.put(namespace.clone()).await;
    place.put(map(json!(["example.com/keep"]))).await;
    let deleted = place
        .cluster
        .delete(&Identity::AsController, &id(&namespace), Preconditions::default())
        .await;
    assert!(deleted.unwrap());

    let mut install = Command::new(SLUICE)
        .arg("--kubeconfig")
        .arg(&place.kubeconfig)
        .args(["install", REGISTRY])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(install.stderr.take().unwrap()).lines();
    let waits = "◎ waiting for Namespace/flux-system to be gone, which is being deleted";
    let is_waiting = tokio::task::spawn_blocking(move || {
        let line = told.find(|line| line.as_ref().unwrap() == waits);
        (line.is_some(), told)
    });
    let (is_waiting, told) = is_waiting.await.unwrap();
    assert!(is_waiting);
    place.put(map(json!([]))).await;
    let ended = tokio::task::spawn_blocking(move || {
        let told: Vec<String> = told.map(Result::unwrap).collect();
        (install.wait().unwrap().code(), told.join("\n"))
    });
    let (code, told) = ended.await.unwrap();
    assert_eq!(code, Some(0), "{told}");
    assert!(place.has(DEPLOYMENTS, "flux-system", "kustomize-controller"));
}

/// Each is applied over what the other left, by a manager that owns none of the other's fields.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deployments_of_flux_are_replaced_and_come_back() {
    let place = Place::start().await;
    let strategy = |name: &str| {
        let found = place.server.object(DEPLOYMENTS, "flux-system", name).unwrap();
        found.pointer("/spec/strategy").unwrap().clone()
    };
    let names = ["kustomize-controller", "source-controller"];
    for name in names {
        place.flux("flux-system", name).await;
    }
    let default =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    let recreate = json!({"type": "Recreate"});
    assert_eq!(names.map(strategy), [default, recreate.clone()]);

    let (code, _, told) = place.run(&["install", REGISTRY, "--force"]).await;
    assert_eq!(code, 0, "{told}");
    let one_by_one = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}});
    assert_eq!(names.map(strategy), [one_by_one, recreate]);
    for name in names {
        place.flux("flux-system", name).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_go_with_the_last_controllers_of_their_namespace() {
    let place = Place::start().await;
    place.flux("elsewhere", "helm-controller").await;
    let (code, _, told) = place.run(&["install", REGISTRY, "--force"]).await;
    assert_eq!(code, 0, "{told}");
    let roles = "rbac.authorization.k8s.io/clusterroles";
    assert!(place.has(roles, "", "crd-controller-flux-system"));

    let (code, _, told) = place.run(&["uninstall", "-s"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(
        told.starts_with("⚠️ custom resources and their definitions stay, since other controllers work with them: elsewhere/helm-controller; "),
        "{told}"
    );
    assert!(!place.has(roles, "", "crd-controller-flux-system"));
    assert!(place.has(DEPLOYMENTS, "elsewhere", "helm-controller"));
    assert!(place.has(DEFINITIONS, "", "gitrepositories.source.toolkit.fluxcd.io"));
}

/// Where it cannot be seen who works, nothing goes that they would take for a wish.
#[test]
fn what_fails_keeps_what_comes_after_it() {
    let server = Canned::start();
    let serve = |version: &str, kind: &str, plural: &str, is_namespaced: bool| {
        let resource = json!({"name": plural, "singularName": "", "kind": kind, "namespaced": is_namespaced, "verbs": []});
        let list = json!({"kind": "APIResourceList", "groupVersion": version, "resources": [resource]});
        server.answer(&format!("GET /apis/{version}"), 200, &list.to_string());
    };
    serve("apps/v1", "Deployment", "deployments", true);
    serve(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    );
    let empty = r#"{"apiVersion":"v1","kind":"List","metadata":{},"items":[]}"#;
    server.answer("GET /apis/apps/v1/deployments", 200, empty);
    server.answer("GET /api/v1/namespaces/flux-system/pods", 200, empty);
    let refusal = r#"{"kind":"Status","code":403,"message":"no","reason":"Forbidden","status":"Failure"}"#;
    let deployments = "GET /apis/apps/v1/namespaces/flux-system/deployments";
    server.answer(deployments, 403, refusal);
    let output = Command::new(SLUICE)
        .args(["uninstall", "-s", "--token=secret"])
        .arg(format!("--server={}", server.base()))
        .env_remove("KUBECONFIG")
        .env("HOME", "/nowhere")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("✗ listing deployments failed: no\n")
            && told
                .contains("✗ uninstall failed 1 times, as is told above; finalizers and definitions stay, "),
        "{told}"
    );
    let asked = server.take_asked();
    let is_of_flux = |target: &str| target.starts_with("/apis/source.toolkit.fluxcd.io/");
    assert!(
        asked
            .iter()
            .all(|asked| asked.method == "GET" && !is_of_flux(&asked.target)),
        "{asked:?}"
    );
}
