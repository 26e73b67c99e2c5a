//! The Git repository under test: directories of three objects, and commits that change one or all.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A working tree and the bare repository that is served.
#[derive(Debug)]
pub(crate) struct Repository {
    tree: PathBuf,
}

/// What one Kustomization applies. No controller is needed to make any of them ready.
pub(crate) fn objects(index: usize, namespace: &str, color: &str) -> [(String, Value); 3] {
    let name = name(index);
    let metadata = json!({"name": name, "namespace": namespace});
    let path = |plural: &str| format!("/api/v1/namespaces/{namespace}/{plural}/{name}");
    [
        (
            path("configmaps"),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"color": color, "index": index.to_string()}}),
        ),
        (
            path("services"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
                "spec": {"clusterIP": "None", "selector": {"app": name}, "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}}),
        ),
        (
            path("serviceaccounts"),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        ),
    ]
}

/// A Deployment that nobody makes ready: no controller manager runs.
pub(crate) fn never_ready(name: &str) -> Value {
    let labels = json!({"app": name});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "bench"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "registry.example.com/never:1"}]}}}})
}

pub(crate) fn name(index: usize) -> String {
    format!("app-{index:04}")
}

impl Repository {
    /// Makes `folder/work` with `count` directories and the bare `folder/served/bench.git`.
    pub(crate) fn make(folder: &Path, count: usize) -> anyhow::Result<Self> {
        let (tree, bare) = (folder.join("work"), folder.join("served/bench.git"));
        std::fs::create_dir_all(&tree)?;
        std::fs::create_dir_all(&bare)?;
        git(&bare, &["init", "--quiet", "--bare", "--initial-branch=main"])?;
        git(&tree, &["init", "--quiet", "--initial-branch=main"])?;
        git(&tree, &["remote", "add", "origin", &bare.display().to_string()])?;
        let repository = Self { tree };
        repository.change(0..count, "blue")?;
        Ok(repository)
    }

    /// Gives the ConfigMaps of these directories another color; gives the revision.
    pub(crate) fn change(&self, indices: Range<usize>, color: &str) -> anyhow::Result<String> {
        let message = format!("{} directories become {color}", indices.len());
        for index in indices {
            let objects = objects(index, "bench", color).map(|(_, object)| object);
            self.write(&name(index), &objects)?;
        }
        self.commit(&message)
    }

    /// Writes a directory with a kustomization of these objects, to be committed later.
    pub(crate) fn write(&self, name: &str, objects: &[Value]) -> anyhow::Result<()> {
        let folder = self.tree.join("apps").join(name);
        std::fs::create_dir_all(&folder)?;
        let mut names = Vec::new();
        for object in objects {
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
            let file = format!("{}.yaml", kind.to_lowercase());
            // JSON is YAML.
            std::fs::write(folder.join(&file), format!("{object:#}\n"))?;
            names.push(file);
        }
        let kustomization = json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names});
        Ok(std::fs::write(
            folder.join("kustomization.yaml"),
            format!("{kustomization:#}\n"),
        )?)
    }

    /// Commits and pushes; gives the revision as Flux writes it.
    pub(crate) fn commit(&self, message: &str) -> anyhow::Result<String> {
        git(&self.tree, &["add", "--all"])?;
        git(&self.tree, &["commit", "--quiet", "-m", message])?;
        git(&self.tree, &["push", "--quiet", "origin", "main"])?;
        let head = git(&self.tree, &["rev-parse", "HEAD"])?;
        Ok(format!("main@sha1:{}", head.trim()))
    }
}

fn git(folder: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@example.com",
            "-c",
            "gc.auto=0",
        ])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .context("git")?;
    if !output.status.success() {
        bail!(
            "git {}: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
