//! Everything one measurement needs: an API server, a Git server, a repository, the controller.

use crate::api::Api;
use crate::audit::{Audit, POLICY};
use crate::repository::{Repository, name, objects};
use crate::{git_http, process};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use sluice_testkit::cluster::{Cluster, Guarded, Options};
use std::collections::HashSet;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const REPOSITORIES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories";
/// Nothing that is measured takes longer, at the size that is measured.
const PATIENCE: Duration = Duration::from_secs(900);

/// What is running while the cases are measured.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) audit: Audit,
    pub(crate) repository: Repository,
    pub(crate) count: usize,
    controller: Guarded,
    metrics: String,
    // Dropped last: the controller leaves before the server does.
    _cluster: Cluster,
    _folder: tempfile::TempDir,
}

impl World {
    /// Starts everything; the controller has nothing to do yet. `interval` is that of the Kustomizations.
    pub(crate) async fn start(sluice: &Path, count: usize) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sluice-bench-").tempdir()?;
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("policy.json"), POLICY)?;
        let options = Options {
            apiserver_flags: vec![
                format!("--audit-policy-file={}", at("policy.json").display()),
                format!("--audit-log-path={}", at("audit.log").display()),
            ],
            ..Options::default()
        };
        let cluster = Cluster::start(&options).await?;
        let api = Api {
            url: cluster.url().to_owned(),
            client: cluster.client().clone(),
        };
        install(&api).await?;
        let repository = Repository::make(folder.path(), count)?;
        let git = git_http::serve(&at("served")).await?;

        let [storage, metrics, health] = ports()?;
        let kubeconfig = cluster.kubeconfig_of("sluice")?;
        let mut flags = vec![
            "controller".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--storage-path={}", at("storage").display()),
            format!("--storage-addr=127.0.0.1:{storage}"),
            format!("--storage-adv-addr=127.0.0.1:{storage}"),
            format!("--metrics-addr=127.0.0.1:{metrics}"),
            format!("--health-addr=127.0.0.1:{health}"),
            "--concurrent=20".to_owned(),
        ];
        // For trying something: further flags of the controller, separated by spaces.
        flags.extend(
            std::env::var("SLUICE_BENCH_FLAGS")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned),
        );
        std::fs::create_dir_all(at("storage"))?;
        let controller = Guarded::start(sluice, &flags, &at("controller.log"))?;
        let metrics = format!("http://127.0.0.1:{metrics}/metrics");
        let world = Self {
            audit: Audit::new(&at("audit.log")),
            api,
            repository,
            count,
            controller,
            metrics,
            _cluster: cluster,
            _folder: folder,
        };
        world.wait_for_source(&git).await.map_err(|error| {
            let log =
                std::fs::read_to_string(world._folder.path().join("controller.log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(15).collect();
            error.context(tail.into_iter().rev().collect::<Vec<_>>().join("\n"))
        })?;
        Ok(world)
    }

    async fn wait_for_source(&self, git: &str) -> anyhow::Result<()> {
        let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": "bench", "namespace": "flux-system"},
            "spec": {"interval": "1h", "url": format!("{git}/bench.git"), "ref": {"branch": "main"}}});
        self.api.create(REPOSITORIES, &source).await?;
        let deadline = Duration::from_secs(60);
        self.until(
            &format!("{REPOSITORIES}?fieldSelector=metadata.name%3Dbench"),
            deadline,
            |object| object.pointer("/status/artifact/revision").is_some(),
        )
        .await
        .context("the GitRepository got no artifact")
    }

    /// Watches until one object satisfies.
    async fn until(
        &self,
        path: &str,
        patience: Duration,
        mut done: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<()> {
        tokio::select! {
            watched = self.api.watch(path, &mut done) => watched,
            () = self.controller_ended() => bail!("the controller ended"),
            () = tokio::time::sleep(patience) => bail!("not within {} s", patience.as_secs()),
        }
    }

    async fn controller_ended(&self) {
        while !self.controller.has_ended() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Creates every Kustomization; gives the time until all are Ready.
    pub(crate) async fn install(&self, interval: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let objects: Vec<Value> = (0..self.count)
            .map(|index| kustomization(index, interval))
            .collect();
        let create = self.api.each(objects, async |api, objects, index| {
            let object = objects.get(index).context("invariant: the index is in range")?;
            api.create(KUSTOMIZATIONS, object).await.map(|_created| ())
        });
        let (created, ready) = tokio::join!(create, self.all(is_ready));
        created?;
        ready?;
        Ok(started.elapsed())
    }

    /// Waits until every Kustomization satisfies `done`.
    pub(crate) async fn all(&self, done: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        let mut satisfied = HashSet::new();
        let mut last = Value::Null;
        let result = self
            .until(KUSTOMIZATIONS, PATIENCE, |object| {
                let name = object
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                if done(object) {
                    satisfied.insert(name);
                } else {
                    satisfied.remove(&name);
                    last = object.pointer("/status/conditions").cloned().unwrap_or_default();
                }
                satisfied.len() == self.count
            })
            .await;
        result.with_context(|| format!("{} of {}; another says {last}", satisfied.len(), self.count))
    }

    /// Asks every Kustomization to reconcile; gives the time until all have.
    pub(crate) async fn ask_all(&self, token: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let patches: Vec<String> = vec![token.to_owned(); self.count];
        let ask = self.api.each(patches, async |api, tokens, index| {
            let token = tokens.get(index).context("invariant: the index is in range")?;
            let patch = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
            api.merge(&format!("{KUSTOMIZATIONS}/{}", name(index)), &patch)
                .await
                .map(|_changed| ())
        });
        let handled = self.all(|object| {
            object
                .pointer("/status/lastHandledReconcileAt")
                .and_then(Value::as_str)
                == Some(token)
                && is_ready(object)
        });
        let (asked, handled) = tokio::join!(ask, handled);
        asked?;
        handled?;
        Ok(started.elapsed())
    }

    /// Asks the source to look; gives the time until every Kustomization has applied `revision`.
    pub(crate) async fn land(&self, revision: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let patch = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": revision}}});
        self.api.merge(&format!("{REPOSITORIES}/bench"), &patch).await?;
        self.all(|object| {
            object
                .pointer("/status/lastAppliedRevision")
                .and_then(Value::as_str)
                == Some(revision)
                && is_ready(object)
        })
        .await?;
        Ok(started.elapsed())
    }

    /// Edits one ConfigMap by hand; gives the time until the edit is undone.
    pub(crate) async fn drift(&self, index: usize) -> anyhow::Result<Duration> {
        let (path, _) = objects(index, "bench", "")
            .into_iter()
            .next()
            .context("invariant: three objects")?;
        let was = self
            .api
            .get(&path)
            .await?
            .pointer("/data/color")
            .cloned()
            .unwrap_or_default();
        let edited = self
            .api
            .merge(&path, &json!({"data": {"color": "edited by hand"}}))
            .await?;
        let started = Instant::now();
        let version = edited
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            .unwrap_or("0")
            .to_owned();
        let one = format!(
            "/api/v1/namespaces/bench/configmaps?fieldSelector=metadata.name%3D{}&resourceVersion={version}",
            name(index)
        );
        self.until(&one, Duration::from_secs(60), |object| {
            object.pointer("/data/color") == Some(&was)
        })
        .await?;
        Ok(started.elapsed())
    }

    /// The controller's processor time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        process::cpu(self.controller.pid().context("no controller")?)
    }

    /// The controller's resident memory now and at its highest, in KiB.
    pub(crate) fn memory(&self) -> anyhow::Result<(u64, u64)> {
        process::memory(self.controller.pid().context("no controller")?)
    }

    /// The sum of a counter over the series with this label; none where the controller has no such metric.
    pub(crate) async fn metric(&self, wanted: &str, label: &str) -> Option<f64> {
        let text = reqwest::get(&self.metrics).await.ok()?.text().await.ok()?;
        let values = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let name = series.split('{').next()?;
            (name == wanted).then(|| {
                if series.contains(label) {
                    value.parse::<f64>().ok()
                } else {
                    Some(0.0)
                }
            })?
        });
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }
}

fn is_ready(object: &Value) -> bool {
    let generation = object.pointer("/metadata/generation");
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    object.pointer("/status/observedGeneration") == generation
        && conditions.into_iter().flatten().any(|condition| {
            let is = |key: &str, value: &str| condition.get(key).and_then(Value::as_str) == Some(value);
            is("type", "Ready") && is("status", "True")
        })
}

fn kustomization(index: usize, interval: &str) -> Value {
    json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name(index), "namespace": "flux-system"},
        "spec": {"interval": interval, "path": format!("./apps/{}", name(index)), "prune": true, "wait": true, "timeout": "5m",
            "sourceRef": {"kind": "GitRepository", "name": "bench"}}})
}

/// Namespaces and the custom resources, established.
async fn install(api: &Api) -> anyhow::Result<()> {
    for name in ["flux-system", "bench", "floor"] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        api.create("/api/v1/namespaces", &namespace).await?;
    }
    let folder = sluice_testkit::repository().join("deploy/base/crds");
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let definition: Value = serde_saphyr::from_str(text.trim_start_matches("---\n"))?;
        if definition.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
            continue;
        }
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        api.create(definitions, &definition).await?;
        let name = definition
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let established = |object: &Value| {
            let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
            conditions
                .into_iter()
                .flatten()
                .any(|c| c["type"] == "Established" && c["status"] == "True")
        };
        api.watch(
            &format!("{definitions}?fieldSelector=metadata.name%3D{name}"),
            established,
        )
        .await?;
    }
    Ok(())
}

fn ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(listeners.iter()) {
        let listener = listener
            .as_ref()
            .map_err(|error| anyhow::anyhow!("no free port: {error}"))?;
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
