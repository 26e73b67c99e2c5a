//! Everything one measurement needs: an API server, a Git server, a repository, the controller.

use crate::api::Api;
use crate::audit::{Audit, POLICY};
use crate::repository::Repository;
use crate::wishes::REPOSITORIES;
use crate::{git_http, process};
use anyhow::Context as _;
use serde_json::{Value, json};
use sluice_testkit::cluster::{Cluster, Options};
use sluice_testkit::process::Guarded;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is running while the cases are measured.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) audit: Audit,
    pub(crate) repository: Repository,
    pub(crate) git: git_http::Server,
    /// How many directories of three objects the repository has.
    pub(crate) count: usize,
    command: Command,
    controller: Option<Guarded>,
    metrics: String,
    // Dropped last: the controller leaves before the server does.
    _cluster: Cluster,
    _folder: Folder,
}

/// The folders of worlds that are over. ext4 uses the inodes of deleted files again only after minutes, and looks at each of
/// them whenever a file is made: the next world would be measured with that.
static OVER: Mutex<Vec<tempfile::TempDir>> = Mutex::new(Vec::new());

/// Removes what worlds left behind.
pub(crate) fn remove_folders() {
    OVER.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// The files of a world: its repository, its controller's storage.
#[derive(Debug)]
struct Folder(Option<tempfile::TempDir>);

impl Drop for Folder {
    fn drop(&mut self) {
        let mut over = OVER.lock().unwrap_or_else(PoisonError::into_inner);
        over.extend(self.0.take());
    }
}

/// How the controller is started.
#[derive(Debug)]
struct Command {
    program: PathBuf,
    flags: Vec<String>,
    log: PathBuf,
}

impl World {
    /// Starts everything; the controller has fetched the repository and has nothing else to do yet.
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
            // the Git server is on this machine
            "--source-allowed-addresses=127.0.0.0/8".to_owned(),
            // B19 has an index of twice the size that is allowed otherwise
            "--helm-index-max-size=209715200".to_owned(),
        ];
        // For trying something: further flags of the controller, separated by spaces.
        flags.extend(
            std::env::var("SLUICE_BENCH_FLAGS")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned),
        );
        std::fs::create_dir_all(at("storage"))?;
        let command = Command {
            program: sluice.to_owned(),
            flags,
            log: at("controller.log"),
        };
        let mut world = Self {
            audit: Audit::new(&at("audit.log")),
            api,
            repository,
            git,
            count,
            command,
            controller: None,
            metrics: format!("http://127.0.0.1:{metrics}/metrics"),
            _cluster: cluster,
            _folder: Folder(Some(folder)),
        };
        world.start_controller()?;
        world
            .wait_for_source()
            .await
            .map_err(|error| error.context(world.last_words()))?;
        Ok(world)
    }

    /// Starts the controller, with whatever an earlier one left in its storage.
    pub(crate) fn start_controller(&mut self) -> anyhow::Result<()> {
        let Command { program, flags, log } = &self.command;
        self.controller = Some(Guarded::start(program, flags, log)?);
        Ok(())
    }

    /// Kills the controller.
    pub(crate) fn stop_controller(&mut self) {
        self.controller = None;
    }

    /// The end of the controller's log.
    pub(crate) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.command.log).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(15).collect();
        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    async fn wait_for_source(&self) -> anyhow::Result<()> {
        let git = &self.git.url;
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

    pub(crate) async fn controller_ended(&self) {
        while !self.controller.as_ref().is_some_and(Guarded::has_ended) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn pid(&self) -> anyhow::Result<u32> {
        self.controller
            .as_ref()
            .and_then(Guarded::pid)
            .context("no controller")
    }

    /// The controller's processor time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        process::cpu(self.pid()?)
    }

    /// The controller's resident memory now and at its highest, in KiB.
    pub(crate) fn memory(&self) -> anyhow::Result<(u64, u64)> {
        process::memory(self.pid()?)
    }

    /// The sum of a counter over the series with this label. A counter that nothing has counted yet is 0.
    pub(crate) async fn metric(&self, wanted: &str, label: &str) -> anyhow::Result<f64> {
        let text = reqwest::get(&self.metrics).await?.text().await?;
        let values = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let name = series.split('{').next()?;
            (name == wanted && series.contains(label)).then(|| value.parse::<f64>().ok())?
        });
        Ok(values.sum())
    }
}

impl World {
    /// Waits until every object of the controller is parked.
    pub(crate) async fn until_parked(&self) -> anyhow::Result<()> {
        for _ in 0..1200 {
            let ready = self.metric("sluice_queue_ready", "").await?;
            let active = self.metric("controller_runtime_active_workers", "").await?;
            if ready + active == 0.0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the controller does not come to rest: {}", self.last_words())
    }
}

/// Namespaces and the custom resources, established.
async fn install(api: &Api) -> anyhow::Result<()> {
    for name in ["flux-system", "bench", "floor", "warm"] {
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
