//! A whole system in this process: the embedded API server, the controller, and a kubeconfig for people.

use crate::assemble::{self, Storage};
use crate::commands::install::CRDS;
use anyhow::{Context, Result};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use sluice_controller::ControllerConfig;
use sluice_devcluster::DevCluster;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What this program writes objects as.
const MANAGER: &str = "sluice";
/// Where the objects of the system itself live.
pub(crate) const NAMESPACE: &str = "flux-system";

/// Which repository to keep, and which part of it.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// A URL, or a directory of this machine.
    pub(crate) git: String,
    /// The branch; none takes the remote's own.
    pub(crate) branch: Option<String>,
    /// The directory with the kustomization.
    pub(crate) path: String,
}

/// For its owner alone: the token of an administrator lies in such a folder.
pub(crate) fn private() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o700)
}

/// A running system. It ends when it is stopped, or with the process.
pub(crate) struct Dev {
    cluster: DevCluster,
    client: kube::Client,
    folder: tempfile::TempDir,
    stop: CancellationToken,
    controller: JoinHandle<Result<()>>,
}

impl Dev {
    /// Starts everything; state is in memory unless there is a folder for it.
    pub(crate) async fn start(listen: SocketAddr, data_dir: Option<&Path>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("sluice-dev-")
            .permissions(private())
            .tempdir()
            .context("no temporary folder")?;
        let cluster = start_cluster(listen, data_dir).await?;
        std::fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig())?;
        let config = cluster.client_config().await?;
        let client = kube::Client::try_from(config.clone())?;
        prepare(&client).await?;
        let storage = Storage {
            path: data_dir.unwrap_or(folder.path()).join("artifacts"),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            advertised: None,
            local_git: true,
            addresses: sluice_source::Addresses::any(),
            helm: sluice_source::helm::HelmLimits::default(),
            ssh: sluice_source::SshAlgorithms::default(),
            token_cache: (100, Duration::from_secs(3600)),
            retention_ttl: Duration::from_secs(60),
            retention_records: 2,
        };
        let settings = ControllerConfig {
            await_flux_leases: false,
            concurrent: 8,
            ..ControllerConfig::default()
        };
        let stop = CancellationToken::new();
        let controller = tokio::spawn(assemble::run(settings, storage, config, stop.clone()));
        Ok(Self {
            cluster,
            client,
            folder,
            stop,
            controller,
        })
    }

    /// Where the kubeconfig lies.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// A client as administrator.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Where the API server answers.
    pub(crate) fn url(&self) -> &str {
        &self.cluster.url
    }

    /// Waits until the controller ends by itself, which it should not.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.controller).await {
            Ok(Ok(())) => anyhow::anyhow!("the controller has stopped"),
            Ok(Err(error)) => error,
            Err(error) => anyhow::Error::new(error).context("the controller broke"),
        }
    }

    /// Stops the controller, then the server.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        let ended = self.controller.await;
        self.cluster.shutdown().await;
        ended.context("the controller broke")?
    }
}

/// Makes a GitRepository and a Kustomization `flux-system`, as `flux bootstrap` does.
pub(crate) async fn keep(client: &kube::Client, repository: &Repository) -> Result<()> {
    let local = local_directory(&repository.git)?;
    let url = match &local {
        Some(directory) => format!("file://{}", directory.display()),
        None => repository.git.clone(),
    };
    // looking into a directory of this machine costs nothing; somebody else's server is asked once a minute
    let interval = if local.is_some() { "2s" } else { "1m" };
    let mut spec = json!({"interval": interval, "url": url, "timeout": "60s"});
    if let (Some(branch), Some(spec)) = (&repository.branch, spec.as_object_mut()) {
        spec.insert("ref".to_owned(), json!({"branch": branch}));
    }
    let meta = json!({"name": NAMESPACE, "namespace": NAMESPACE});
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": meta, "spec": spec});
    let path = format!(
        "./{}",
        repository.path.trim_start_matches("./").trim_start_matches('/')
    );
    let kustomization = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta,
        "spec": {"interval": "10m", "path": path, "prune": true, "wait": true, "timeout": "5m",
            "sourceRef": {"kind": "GitRepository", "name": NAMESPACE}}});
    apply(client, &source).await?;
    apply(client, &kustomization).await
}

/// The server at its usual port, or at a free one where that is taken.
async fn start_cluster(listen: SocketAddr, data_dir: Option<&Path>) -> Result<DevCluster> {
    let config = sluice_devcluster::Config {
        listen,
        data_dir: data_dir.map(|folder| folder.join("cluster")),
        ..sluice_devcluster::Config::default()
    };
    match DevCluster::start(config.clone()).await {
        Err(sluice_devcluster::StartError::Listen { .. }) if listen.port() != 0 => {
            let free = SocketAddr::new(listen.ip(), 0);
            Ok(DevCluster::start(sluice_devcluster::Config {
                listen: free,
                ..config
            })
            .await?)
        }
        started => Ok(started?),
    }
}

/// The namespace and the custom resources.
async fn prepare(client: &kube::Client) -> Result<()> {
    apply(
        client,
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
    )
    .await?;
    for crd in CRDS {
        // only here may a repository be a directory of this machine
        let crd = crd.replace("^(http|https|ssh)://.*$", "^(http|https|ssh|file)://.*$");
        let crd: Value = sluice_yaml::from_str(&crd, sluice_yaml::Resolver::V2, false)?;
        apply(client, &crd).await?;
    }
    Ok(())
}

/// Server-side apply of one object of a kind whose plural is made as English makes it.
pub(crate) async fn apply(client: &kube::Client, object: &Value) -> Result<()> {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let lower = kind.to_lowercase();
    let plural = lower
        .strip_suffix('y')
        .map_or_else(|| format!("{lower}s"), |stem| format!("{stem}ies"));
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural,
    };
    let api: Api<DynamicObject> = match text("/metadata/namespace") {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let name = text("/metadata/name");
    api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object))
        .await
        .with_context(|| format!("cannot apply {kind}/{name}"))?;
    Ok(())
}

/// The directory that `git` names, none where it is a URL.
fn local_directory(git: &str) -> Result<Option<PathBuf>> {
    let path = match git.split_once("://") {
        Some(("file", path)) => path,
        Some(_) => return Ok(None),
        None => git,
    };
    let directory = Path::new(path)
        .canonicalize()
        .with_context(|| format!("--git {git}: no such directory, and no URL"))?;
    Ok(Some(directory))
}
