//! A real API server with everything that is installed, and what its controllers work on.

use super::{Kubectl, Running, SLUICE, until};
use serde_json::{Value, json};
use sluice_testkit::cluster::{Cluster, Options};
use sluice_testkit::git_server::{GitServer, Repository, git_is_present};
use std::path::Path;
use std::process::Command;

/// A cluster on which everything that `sluice install --export` prints was applied.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) kubectl: Kubectl,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start(what: &str) -> Option<Self> {
        if !git_is_present(what) {
            return None;
        }
        let cluster = Cluster::start_or_skip(what, &Options::default()).await.unwrap()?;
        let kubectl = Kubectl::find(what, cluster.kubeconfig())?;
        let exported = Command::new(SLUICE)
            .args(["install", "--export", "--registry=registry.example.com/sluice"])
            .output()
            .unwrap();
        let exported = String::from_utf8(exported.stdout).unwrap();
        let world = Self {
            cluster,
            kubectl,
            folder: tempfile::tempdir().unwrap(),
        };
        world.define(&exported);
        Some(world)
    }

    /// Applies definitions of kinds, and waits until the kinds are served.
    pub(crate) fn define(&self, definitions: &str) {
        self.kubectl
            .apply(&["apply", "--server-side", "-f", "-"], definitions);
        self.kubectl.run(&[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd",
            "--all",
        ]);
    }

    pub(crate) fn controller(&self, name: &str, more: &[&str]) -> Running {
        Running::controller(self.folder.path(), name, self.cluster.kubeconfig(), more)
    }

    pub(crate) fn get(&self, what: &str, path: &str) -> String {
        let path = format!("-o=jsonpath={path}");
        let output = self
            .kubectl
            .output(&["-n", "flux-system", "get", what, &path], "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) async fn until(&self, what: &str, path: &str, value: &str) {
        let is = || self.get(what, path) == value;
        let name = format!("{what} {path} is {value}");
        until(&name, is, || {
            self.kubectl
                .run(&["-n", "flux-system", "get", what, "-o", "yaml"])
        })
        .await;
    }

    pub(crate) fn put(&self, object: &Value) {
        self.kubectl.apply(&["apply", "-f", "-"], &object.to_string());
    }

    /// An object of which only the spec matters.
    pub(crate) fn put_spec(&self, api_version: &str, kind: &str, name: &str, spec: &Value) {
        self.put(&json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": "flux-system"}, "spec": spec}));
    }

    /// A GitRepository `apps` and, for each name, a Kustomization of its directory with the labels.
    pub(crate) fn put_kustomization(&self, name: &str, labels: Value) {
        self.put(&json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "flux-system", "labels": labels},
            "spec": {"interval": "1h", "path": name, "prune": true, "sourceRef": {"kind": "GitRepository", "name": "apps"}}}));
    }

    pub(crate) fn put_source(&self, url: &str) {
        let spec = json!({"interval": "1h", "url": url, "ref": {"branch": "main"}});
        self.put_spec("source.toolkit.fluxcd.io/v1", "GitRepository", "apps", &spec);
    }
}

/// Directories `one` and `two` with a ConfigMap each.
pub(crate) fn repository(folder: &Path) -> (GitServer, String) {
    let repository = Repository::init(&folder.join("served/apps"));
    let map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: flux-system}}\ndata: {{key: \"1\"}}\n"
        )
    };
    let (one, two) = (map("one"), map("two"));
    repository.commit(
        [("one/map.yaml", one.as_str()), ("two/map.yaml", two.as_str())],
        "first",
    );
    let server = GitServer::start(&folder.join("served"));
    let url = server.url("apps/.git");
    (server, url)
}
