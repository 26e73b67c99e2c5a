use crate::ControllerConfig;
use crate::config::gates;
use crate::runtime::lease::{Leadership, Lease, lease_name};
use crate::runtime::sinks::{KubernetesEvents, Notifications};
use crate::runtime::{Context, Kind, Reconciler, SOURCES, serve, watch, workers};
use futures::future::join_all;
use kube::Config;
use sluice_apply::cluster::{Cluster, KubeCluster, RetryPolicy};
use sluice_event::{Sink, Sinks};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the first lists may take before work begins without those that did not answer.
const SYNC_TIMEOUT: Duration = Duration::from_secs(60);

/// Why the controller could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No client for the API server can be made of the configuration.
    #[error("the API server cannot be used")]
    Client(#[source] kube::Error),
    /// The API server does not say its version.
    #[error("the API server does not answer; check its address and the credentials")]
    Unreachable(#[source] kube::Error),
    /// The address of the notification-controller is no URL, or no HTTP client can be made.
    #[error("--events-addr {0:?} cannot be used: it is the URL of a notification-controller, or empty")]
    Events(String, #[source] reqwest::Error),
    /// An endpoint cannot listen; the flag says which one.
    #[error("{flag} {address} cannot be listened on; choose another address, or 0 for none")]
    Listen {
        /// The flag that says the address.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        error: std::io::Error,
    },
    /// A flag has a value that makes no sense.
    #[error("{0}")]
    Config(String),
}

impl RunError {
    fn listen(flag: &'static str, address: SocketAddr) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Listen { flag, address, error }
    }
}

/// What makes the reconcilers, given the runtime they work with.
pub type MakeReconcilers =
    Box<dyn FnOnce(&Arc<Context>) -> Result<Vec<Arc<dyn Reconciler>>, RunError> + Send>;

/// [`run_on`] the API server that `kube` names.
///
/// # Errors
/// See [`RunError`].
pub async fn run_with(
    config: ControllerConfig,
    kube: Config,
    kinds: Vec<(&'static Kind, usize)>,
    make: MakeReconcilers,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let cluster = KubeCluster::connect(kube, RetryPolicy::default()).map_err(RunError::Client)?;
    run_on(config, cluster, kinds, make, shutdown).await
}

/// Reconciles until `shutdown` is cancelled, then brings to an end what has begun.
///
/// `kinds` are the kinds that will be reconciled, each with how many at once; `make` makes their reconcilers.
///
/// # Errors
/// See [`RunError`]. A lost lease is no error: `shutdown` is cancelled and the process ends.
pub async fn run_on(
    config: ControllerConfig,
    cluster: KubeCluster,
    kinds: Vec<(&'static Kind, usize)>,
    make: MakeReconcilers,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let version = cluster.client().apiserver_version().await;
    let version = version.map_err(RunError::Unreachable)?.git_version;
    let is_ready = Arc::new(AtomicBool::new(false));
    if let Some(address) = config.health_addr {
        let served = serve::health(address, is_ready.clone(), shutdown.clone()).await;
        served.map_err(RunError::listen("--health-addr", address))?;
    }
    let sinks = sinks(&config, &cluster)?;
    let (grace, metrics_addr) = (config.graceful_shutdown_timeout, config.metrics_addr);
    let cx =
        Context::new(config, cluster, version, sinks, &kinds, shutdown.clone()).map_err(RunError::Config)?;
    if let Some(address) = metrics_addr {
        let (cx, kinds) = (
            cx.clone(),
            kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        );
        let served = serve::metrics(address, move || workers::sample(&cx, &kinds), shutdown.clone()).await;
        served.map_err(RunError::listen("--metrics-addr", address))?;
    }
    let reconcilers = make(&cx)?;

    let leadership = {
        let (cluster, shutdown) = (cx.kube.clone(), shutdown.clone());
        Leadership::new(move || {
            cluster.fence();
            shutdown.cancel();
        })
    };
    if await_turn(&cx, &kinds, &shutdown, &leadership).await {
        // not before: who waits has no artifacts, and must not be asked for any
        is_ready.store(true, Ordering::Relaxed);
        cx.turn.cancel();
        reconcile(&cx, &kinds, reconcilers, &shutdown, grace).await;
    }
    leadership.release().await;
    Ok(())
}

/// Where events go: into the cluster, and to the notification-controller where there is one.
fn sinks(config: &ControllerConfig, cluster: &KubeCluster) -> Result<Sinks, RunError> {
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(KubernetesEvents::start(Arc::new(cluster.clone())))];
    let address = config.events_addr.as_deref();
    if let Some(address) = address.filter(|address| !address.is_empty()) {
        let started = Notifications::start(address);
        let started = started.map_err(|error| RunError::Events(address.to_owned(), error))?;
        sinks.push(Box::new(started));
    }
    Ok(Sinks::new(sinks))
}

/// Works until shutdown, then brings to an end what has begun.
async fn reconcile(
    cx: &Arc<Context>,
    kinds: &[(&'static Kind, usize)],
    reconcilers: Vec<Arc<dyn Reconciler>>,
    shutdown: &CancellationToken,
    grace: Duration,
) {
    start_watches(cx, kinds).await;
    let drained = workers::work(cx.clone(), reconcilers);
    tokio::pin!(drained);
    tokio::select! {
        biased;
        () = &mut drained => {}
        () = shutdown.cancelled() => {
            if tokio::time::timeout(grace, drained).await.is_err() {
                tracing::warn!("stopping before all work came to its end");
                // what is still on its way must not write beside the next leader
                cx.kube.fence();
            }
        }
    }
}

/// Waits for the Leases: ours when electing, Flux's own controllers' otherwise. False where the process is to end first.
async fn await_turn(
    cx: &Arc<Context>,
    kinds: &[(&'static Kind, usize)],
    shutdown: &CancellationToken,
    leadership: &Leadership,
) -> bool {
    let mut components: Vec<&'static str> = kinds.iter().map(|(kind, _)| kind.component).collect();
    components.sort_unstable();
    components.dedup();
    let selector = cx.config.watch_label_selector.as_deref();
    let identity = format!("{}_{:016x}", cx.instance(), cx.chance().bits());
    for component in components {
        let cluster: Arc<dyn Cluster> = cx.cluster.clone();
        let name = lease_name(component, selector);
        let lease = Lease::new(
            cluster,
            &cx.config.runtime_namespace,
            name,
            identity.clone(),
            cx.config.lease,
        );
        if cx.config.enable_leader_election {
            if !lease.lead(shutdown, leadership).await {
                return false;
            }
        } else if cx.config.await_flux_leases {
            lease.await_release(shutdown).await;
        }
    }
    !shutdown.is_cancelled()
}

/// Starts all watches and waits until what they list is known: a source that is only not listed yet is not missing.
async fn start_watches(cx: &Arc<Context>, kinds: &[(&'static Kind, usize)]) {
    // sources of other shards are seen, and left to those who reconcile them
    let shard = |kind: &'static Kind| {
        let selector = cx.config.watch_label_selector.clone();
        selector.filter(|selector| !selector.is_empty() && !SOURCES.contains(&kind))
    };
    let own = kinds.iter().map(|(kind, _)| (*kind, shard(kind)));
    let sources = SOURCES
        .into_iter()
        .filter(|source| !kinds.iter().any(|(kind, _)| kind == source));
    let waits = own
        .chain(sources.map(|source| (source, None)))
        .map(|(kind, selector)| {
            let (synced, mut done) = tokio::sync::mpsc::channel(1);
            cx.spawn(watch::resources(cx.clone(), kind, selector, synced));
            async move { done.recv().await }
        });
    let waits: Vec<_> = waits.collect();
    if !cx.config.gate(gates::NO_CONFIG_WATCHERS) {
        for kind in ["ConfigMap", "Secret"] {
            cx.spawn(watch::configs(cx.clone(), kind));
        }
    }
    if tokio::time::timeout(SYNC_TIMEOUT, join_all(waits)).await.is_err() {
        tracing::warn!("not every kind could be listed yet, starting with those that could");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::KUSTOMIZATION;
    use serde_json::json;
    use sluice_apply::cluster::{Identity, Preconditions};
    use sluice_devcluster::DevCluster;
    use sluice_object::{GroupVersionKind, ObjectId};

    #[test]
    fn an_address_that_cannot_be_used_is_named_with_its_flag() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let error = RunError::Listen {
            flag: "--metrics-addr",
            address: SocketAddr::from(([0, 0, 0, 0], 8080)),
            error: std::io::ErrorKind::AddrInUse.into(),
        };
        let told = error.to_string();
        assert!(
            told.starts_with("--metrics-addr 0.0.0.0:8080 cannot be listened on; "),
            "{told}"
        );
        let Err(error) = Notifications::start("nonsense") else {
            panic!("it is no URL");
        };
        let told = RunError::Events("nonsense".to_owned(), error).to_string();
        assert!(
            told.starts_with("--events-addr \"nonsense\" cannot be used: "),
            "{told}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn its_turn_comes_with_the_lease() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = DevCluster::in_process(&sluice_devcluster::Config::default());
        let client = kube::Client::new(server.service(), "default");
        let cluster = KubeCluster::new(client, RetryPolicy::default());
        let lease = ObjectId {
            gvk: GroupVersionKind::new("coordination.k8s.io/v1", "Lease"),
            namespace: Some("default".to_owned()),
            name: lease_name(KUSTOMIZATION.component, None),
        };
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            .to_string();
        let held = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": lease.name, "namespace": lease.namespace },
            "spec": { "holderIdentity": "another", "leaseDurationSeconds": 3600, "renewTime": now },
        });
        let created = cluster.create(&Identity::AsController, &lease, held);
        created.await.unwrap();
        let config = ControllerConfig {
            enable_leader_election: true,
            runtime_namespace: "default".to_owned(),
            ..ControllerConfig::default()
        };
        let (made, turn) = tokio::sync::oneshot::channel();
        let make: MakeReconcilers = Box::new(move |cx| {
            made.send(cx.turn()).unwrap();
            Ok(Vec::new())
        });
        let shutdown = CancellationToken::new();
        let running = run_on(
            config,
            cluster.clone(),
            vec![(&KUSTOMIZATION, 1)],
            make,
            shutdown.clone(),
        );
        let running = tokio::spawn(running);
        let turn = turn.await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!turn.is_cancelled(), "another leads");
        let deleted = cluster.delete(&Identity::AsController, &lease, Preconditions::default());
        deleted.await.unwrap();
        turn.cancelled().await;
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }
}
