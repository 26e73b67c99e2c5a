//! A controller put together out of the rooms: store, fetcher, plugins, reconcilers.

use anyhow::{Context, Result};
use sluice_artifact::{Store, serve, store};
use sluice_controller::reconcilers::bucket::Buckets;
use sluice_controller::reconcilers::gitrepository::GitRepositories;
use sluice_controller::reconcilers::helmchart::HelmCharts;
use sluice_controller::reconcilers::helmrepository::HelmRepositories;
use sluice_controller::reconcilers::kustomization::{KustomizationReconciler, Plugins};
use sluice_controller::reconcilers::ocirepository::OciRepositories;
use sluice_controller::reconcilers::source::SourceSettings;
use sluice_controller::runtime::{
    BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, KUSTOMIZATION, OCI_REPOSITORY, Reconciler,
};
use sluice_controller::{Artifacts, ControllerConfig, MakeReconcilers, RunError, run_with};
use sluice_render::{Memo, Render};
use sluice_source::credential::cloud;
use sluice_source::{BucketFetcher, GitFetcher, HelmFetcher, OciFetcher, bucket, fetch, helm, oci};
use sluice_wasm::{Engine, Limits, Pool, builtin};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::{net::TcpSocket, sync::oneshot};
use tokio_util::sync::CancellationToken;

/// Where artifacts and Git stores are kept and served.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    /// The folder.
    pub(crate) path: PathBuf,
    /// Where artifacts are served.
    pub(crate) listen: SocketAddr,
    /// The host that their URLs name; none takes the address they are served at.
    pub(crate) advertised: Option<String>,
    /// Whether `file://` URLs name repositories: in development only.
    pub(crate) local_git: bool,
    /// Which machines sources may ask.
    pub(crate) addresses: sluice_source::Addresses,
    /// What indexes and charts may cost.
    pub(crate) helm: helm::HelmLimits,
    /// What is offered to SSH servers.
    pub(crate) ssh: sluice_source::SshAlgorithms,
    /// How many tokens of clouds are kept, and how long at most.
    pub(crate) token_cache: (usize, Duration),
    /// How long an artifact is kept after a newer one.
    pub(crate) retention_ttl: Duration,
    /// How many artifacts of a source are kept.
    pub(crate) retention_records: usize,
}

/// Runs a controller until `shutdown`, with its artifacts served beside it.
pub(crate) async fn run(
    config: ControllerConfig,
    storage: Storage,
    kube: kube::Config,
    shutdown: CancellationToken,
) -> Result<()> {
    // taking the rest down with it: half a controller helps nobody
    let _down = shutdown.clone().drop_guard();
    let store = open_store(&storage)?;
    let (known, turn) = oneshot::channel();
    let (address, serving) = serve_artifacts(storage.listen, store.clone(), turn, shutdown.clone())?;
    let render = Arc::new(render()?);
    let artifacts = Artifacts::asking(Some(store.clone()), storage.addresses.clone())
        .context("no HTTP client for artifacts")?;
    let fetchers = Fetchers::open(&storage)?;
    let settings = source_settings(&storage, address);
    let kinds = vec![
        (&GIT_REPOSITORY, config.concurrent_sources),
        (&OCI_REPOSITORY, config.concurrent_sources),
        (&HELM_REPOSITORY, config.concurrent_sources),
        (&HELM_CHART, config.concurrent_sources),
        (&BUCKET, config.concurrent_sources),
        (&KUSTOMIZATION, config.concurrent),
    ];
    let make: MakeReconcilers = Box::new(move |cx| -> Result<Vec<Arc<dyn Reconciler>>, RunError> {
        // nobody waits for it where the process ends already
        let _ended: Result<(), CancellationToken> = known.send(cx.turn());
        let plugins = Plugins::new(render, Pool::default(), cx.kube_version.clone());
        let clouds = fetchers.clouds.clone();
        let mut reconcilers = fetchers.reconcilers(&store, &settings);
        reconcilers.push(Arc::new(
            KustomizationReconciler::new(artifacts, Arc::new(plugins)).with_clouds(clouds),
        ));
        Ok(reconcilers)
    });
    let result = run_with(config, kube, kinds, make, shutdown.clone()).await;
    shutdown.cancel();
    serving
        .await
        .context("serving artifacts broke")?
        .context("serving artifacts failed")?;
    Ok(result?)
}

/// What fetches from each kind of source, each with its place below `--storage-path`.
struct Fetchers {
    git: GitFetcher,
    registries: OciFetcher,
    charts: HelmFetcher,
    buckets: BucketFetcher,
    clouds: cloud::Clouds,
}

impl Fetchers {
    fn open(storage: &Storage) -> Result<Self> {
        let unusable = || cannot_use(storage);
        let place = |name: &str| storage.path.join(name);
        let addresses = || storage.addresses.clone();
        let local = if storage.local_git {
            fetch::LocalAccess::Allowed
        } else {
            fetch::LocalAccess::Denied
        };
        let limits = fetch::Limits::default();
        let git = GitFetcher::with_algorithms(&place("git"), limits, local, addresses(), storage.ssh.clone())
            .with_context(unusable)?;
        let registries = OciFetcher::new(&place("layers"), oci::OciLimits::default(), addresses())
            .with_context(unusable)?;
        let charts = HelmFetcher::new(&place("indexes"), storage.helm, addresses()).with_context(unusable)?;
        let buckets = BucketFetcher::new(&place("objects"), bucket::BucketLimits::default(), addresses())
            .with_context(unusable)?;
        let environment = cloud::CloudEnvironment::read(|name| std::env::var(name).ok());
        let (tokens_max, age_max) = storage.token_cache;
        let clouds = cloud::Clouds::new(environment, cloud::CloudEndpoints::default(), tokens_max, age_max)?;
        Ok(Self {
            git,
            registries,
            charts,
            buckets,
            clouds,
        })
    }

    /// One reconciler for each kind of source.
    fn reconcilers(self, store: &Store, settings: &SourceSettings) -> Vec<Arc<dyn Reconciler>> {
        let (clouds, store, settings) = (&self.clouds, || store.clone(), || settings.clone());
        vec![
            Arc::new(GitRepositories::reconciler(
                self.git,
                clouds.clone(),
                store(),
                settings(),
            )),
            Arc::new(Buckets::reconciler(
                self.buckets,
                clouds.clone(),
                store(),
                settings(),
            )),
            Arc::new(HelmRepositories::reconciler(
                self.charts.clone(),
                store(),
                settings(),
            )),
            Arc::new(HelmCharts::reconciler(
                self.charts,
                self.registries.clone(),
                clouds.clone(),
                store(),
                settings(),
            )),
            Arc::new(OciRepositories::reconciler(
                self.registries,
                clouds.clone(),
                store(),
                settings(),
            )),
        ]
    }
}

fn cannot_use(storage: &Storage) -> String {
    format!("cannot use --storage-path {}", storage.path.display())
}

fn open_store(storage: &Storage) -> Result<Store> {
    let folder = storage.path.join("artifacts");
    std::fs::create_dir_all(&folder).with_context(|| cannot_use(storage))?;
    Ok(Store::open(&folder, store::Limits::default())?)
}

fn source_settings(storage: &Storage, address: SocketAddr) -> SourceSettings {
    let named = storage.advertised.clone();
    SourceSettings {
        advertised_address: named.unwrap_or_else(|| advertised(address, std::env::var("HOSTNAME").ok())),
        retention: store::Retention {
            ttl: storage.retention_ttl,
            records: storage.retention_records,
        },
    }
}

/// What artifact URLs name where nobody says it: where they are served, and this machine's name where that is every address
/// (compat/source.md 3.1).
fn advertised(address: SocketAddr, hostname: Option<String>) -> String {
    match hostname.filter(|name| !name.is_empty()) {
        Some(name) if address.ip().is_unspecified() => format!("{name}:{}", address.port()),
        None if address.ip().is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}

type Serving = tokio::task::JoinHandle<std::io::Result<()>>;

/// Connections that wait to be accepted, as the runtime has it by itself.
const BACKLOG: u32 = 1024;

/// Serves artifacts once it is this process's turn: who waits for another has none, and Flux's probes ask here whether it is
/// ready. Answers where, at once, so that an address that cannot be used is told of at the start. Until then whoever asks is
/// refused, as by Flux: nobody hangs, and clients come again.
fn serve_artifacts(
    listen: SocketAddr,
    store: Store,
    turn: oneshot::Receiver<CancellationToken>,
    shutdown: CancellationToken,
) -> Result<(SocketAddr, Serving)> {
    let socket = bound(listen)
        .with_context(|| format!("cannot serve artifacts on {listen}: choose another --storage-addr"))?;
    let address = socket.local_addr()?;
    let serving = async move {
        // somebody may take the address before it is our turn, and nobody looks here until the end
        let _down = shutdown.clone().drop_guard();
        let comes = async {
            match turn.await {
                Ok(turn) => turn.cancelled().await,
                // it never comes: the process ends
                Err(_) => std::future::pending().await,
            }
        };
        if shutdown.run_until_cancelled(comes).await.is_none() {
            return Ok(());
        }
        let listener = socket.listen(BACKLOG)?;
        let stop = async move { shutdown.cancelled().await };
        serve::serve(listener, store, serve::Limits::default(), stop).await
    };
    Ok((address, tokio::spawn(serving)))
}

/// A socket that has its address and does not listen yet.
fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The renderer and the transformer of Kustomizations.
pub(crate) fn render() -> Result<Render> {
    let engine = Engine::get().map_err(anyhow::Error::msg)?;
    let renderer = builtin::load(engine, "kustomize", Limits::default())?.renderer()?;
    let substitute = builtin::load(engine, "substitute", Limits::default())?.transformer()?;
    Ok(Render::new(renderer, substitute, Memo::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn artifact_urls_name_a_host_that_can_be_asked() {
        let row =
            |address: &str, name: Option<&str>| advertised(address.parse().unwrap(), name.map(str::to_owned));
        assert_eq!(row("127.0.0.1:9090", Some("pod-1")), "127.0.0.1:9090");
        assert_eq!(row("0.0.0.0:9090", Some("pod-1")), "pod-1:9090");
        assert_eq!(row("[::]:9090", Some("pod-1")), "pod-1:9090");
        assert_eq!(row("0.0.0.0:9090", None), "localhost:9090");
        assert_eq!(row("0.0.0.0:9090", Some("")), "localhost:9090");
    }

    #[tokio::test]
    async fn nothing_is_served_before_it_is_our_turn() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), store::Limits::default()).unwrap();
        let ((known, wait), shutdown) = (oneshot::channel(), CancellationToken::new());
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, serving) = serve_artifacts(anywhere, store, wait, shutdown.clone()).unwrap();
        let early = tokio::net::TcpStream::connect(address).await;
        assert_eq!(
            early.unwrap_err().kind(),
            std::io::ErrorKind::ConnectionRefused,
            "another leads"
        );
        let turn = CancellationToken::new();
        known.send(turn.clone()).unwrap();
        turn.cancel();
        // it listens when the task comes round
        let connected = async {
            loop {
                match tokio::net::TcpStream::connect(address).await {
                    Ok(stream) => break stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let mut asking = connected.await;
        asking
            .write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 15];
        asking.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        shutdown.cancel();
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_address_that_somebody_took_meanwhile_takes_the_rest_down() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), store::Limits::default()).unwrap();
        let ((known, wait), shutdown) = (oneshot::channel(), CancellationToken::new());
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, serving) = serve_artifacts(anywhere, store, wait, shutdown.clone()).unwrap();
        let _somebody = std::net::TcpListener::bind(address).unwrap();
        let turn = CancellationToken::new();
        known.send(turn.clone()).unwrap();
        turn.cancel();
        let error = serving.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        assert!(shutdown.is_cancelled(), "nobody would notice otherwise");
    }
}
