//! `sluice controller`: flags as Flux's controllers spell them (compat: kustomize, section 12; cli, section 21).

use crate::args::{Global, duration, go_bool, path};
use crate::assemble::{self, Storage};
use crate::tenancy::Tenancy;
use anyhow::{Context, Result, bail};
use clap::{ArgAction, Args, ValueEnum};
use sluice_controller::ControllerConfig;
use sluice_controller::runtime::LeaseTimes;
use sluice_event::log;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Args, Debug)]
pub(crate) struct Controller {
    /// Objects of a kind worked on at once; waiting ones do not count
    #[arg(long, default_value_t = 4, value_name = "N")]
    concurrent: usize,
    /// Requests of one Kustomization at once
    #[arg(long, default_value_t = 4, value_name = "N")]
    concurrent_ssa: usize,
    /// Safety net for objects that wait for a source or a dependency; events wake them before
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    requeue_dependency: Duration,
    /// Intervals vary by this much
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(..100), value_name = "PERCENT")]
    interval_jitter_percentage: u8,
    /// First delay after an error that may heal by itself
    #[arg(long, default_value = "750ms", value_parser = duration, value_name = "DURATION")]
    min_retry_delay: Duration,
    /// Longest such delay
    #[arg(long, default_value = "15m", value_parser = duration, value_name = "DURATION")]
    max_retry_delay: Duration,
    #[command(flatten)]
    tenancy: Tenancy,
    /// Field manager whose fields are taken over, may be repeated
    #[arg(long = "override-manager", value_name = "NAME")]
    override_managers: Vec<String>,
    /// Group/Kind applied between classes and the rest, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "GROUP/KIND")]
    custom_apply_stage_kinds: Vec<String>,
    /// Watch all namespaces, or RUNTIME_NAMESPACE only
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    watch_all_namespaces: bool,
    /// Only objects with these labels: sharding
    #[arg(long, value_name = "SELECTOR")]
    watch_label_selector: Option<String>,
    /// ConfigMaps and Secrets with these labels wake what refers to them
    #[arg(
        long,
        default_value = "reconcile.fluxcd.io/watch=Enabled",
        value_name = "SELECTOR"
    )]
    watch_configs_label_selector: String,
    /// One of several replicas works, the others wait
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    enable_leader_election: bool,
    /// How long a leader leads without renewing
    #[arg(long, default_value = "35s", value_parser = duration, value_name = "DURATION")]
    leader_election_lease_duration: Duration,
    /// A leader that could not renew for so long stops
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    leader_election_renew_deadline: Duration,
    /// How often a leader renews, and a candidate looks
    #[arg(long, default_value = "5s", value_parser = duration, value_name = "DURATION")]
    leader_election_retry_period: Duration,
    /// Where the notification-controller takes events
    #[arg(long, env = "EVENTS_ADDR", default_value = "", value_name = "URL")]
    events_addr: String,
    /// Where metrics are served; nowhere where 0
    #[arg(long, env = "METRICS_ADDR", default_value = METRICS, value_parser = metrics, value_name = "ADDRESS")]
    metrics_addr: Endpoint,
    /// Where health is served; nowhere where 0
    #[arg(long, default_value = ":9440", value_parser = health, value_name = "ADDRESS")]
    health_addr: Endpoint,
    /// Where artifacts and Git stores are kept; without it a folder that is gone afterwards
    #[arg(long, env = "STORAGE_PATH", value_parser = path(), value_name = "DIR")]
    storage_path: Option<PathBuf>,
    /// Where artifacts are served
    #[arg(long, env = "STORAGE_ADDRESS", default_value = STORAGE, value_parser = storage, value_name = "ADDRESS")]
    storage_addr: SocketAddr,
    /// The host that artifact URLs name; without it where artifacts are served, this machine's name where that is everywhere
    #[arg(long, env = "STORAGE_ADV_ADDR", value_name = "HOST")]
    storage_adv_addr: Option<String>,
    /// How long an artifact is kept after a newer one
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "DURATION")]
    artifact_retention_ttl: Duration,
    /// How many artifacts of a source are kept
    #[arg(long, default_value_t = 2, value_name = "N")]
    artifact_retention_records: usize,
    /// Networks that sources may ask although they are this machine's, the API server's or a metadata service's
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    source_allowed_addresses: Vec<String>,
    /// Key exchanges that are offered to SSH servers, in this order
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    ssh_kex_algos: Vec<String>,
    /// Types of keys that SSH servers may prove themselves with, in this order
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    ssh_hostkey_algos: Vec<String>,
    /// Bytes of an index of charts
    #[arg(long, default_value_t = 50 << 20, value_name = "BYTES")]
    helm_index_max_size: u64,
    #[command(flatten)]
    accepted: Accepted,
    /// Bytes of a packaged chart
    #[arg(long, default_value_t = 10 << 20, value_name = "BYTES")]
    helm_chart_max_size: u64,
    /// Bytes of one file of a chart
    #[arg(long, default_value_t = 5 << 20, value_name = "BYTES")]
    helm_chart_file_max_size: u64,
    /// The trusted_root.json of your Sigstore: whom keyless signatures are checked against where the object names no root
    #[arg(long, value_name = "FILE")]
    sigstore_trusted_root: Option<PathBuf>,
    /// How many tokens of clouds are kept; none where 0
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    token_cache_max_size: usize,
    /// How long a token of a cloud is kept at most
    #[arg(long, default_value = "1h", value_parser = duration, value_name = "DURATION")]
    token_cache_max_duration: Duration,
    /// Flux's feature gates: A=true,B=false
    #[arg(long, value_delimiter = ',', value_name = "GATE=BOOL")]
    feature_gates: Vec<String>,
    /// trace, debug, info or error
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    log_level: String,
    /// How log lines look
    #[arg(long, value_enum, default_value = "json")]
    log_encoding: LogEncoding,
    /// Work although Flux's own controllers hold their Leases
    #[arg(long)]
    beside_flux: bool,
}

/// What Flux knows and nothing here needs: manifests that set it go on working.
#[derive(Args, Debug)]
#[allow(dead_code)] // read by the command line alone
struct Accepted {
    /// Accepted: remote bases are refused in any case
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    no_remote_bases: bool,
    /// Accepted: no index is held, however many charts are looked up in it
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    helm_cache_max_size: u64,
    /// Accepted, see --helm-cache-max-size
    #[arg(long, default_value = "15m", value_parser = duration, value_name = "DURATION")]
    helm_cache_ttl: Duration,
    /// Accepted, see --helm-cache-max-size
    #[arg(long, default_value = "1m", value_parser = duration, value_name = "DURATION")]
    helm_cache_purge_interval: Duration,
    /// Accepted: what could not be fetched is tried again with its object
    #[arg(long, default_value_t = 9, value_name = "COUNT")]
    http_retry: u32,
    /// Accepted: a Lease is always given back
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    leader_election_release_on_cancel: bool,
    /// Digest of artifacts: always sha256
    #[arg(long, default_value = "sha256", value_parser = digest_algorithm, value_name = "NAME")]
    artifact_digest_algo: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogEncoding {
    Json,
    Console,
}

/// Content is stored, shared and compared by its sha256; whoever checks a digest knows it.
fn digest_algorithm(name: &str) -> Result<String, String> {
    match name {
        "sha256" => Ok(name.to_owned()),
        _ => Err("artifacts have sha256 digests, which every consumer checks: leave the flag out".to_owned()),
    }
}

/// Where something is served, none where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Endpoint(Option<SocketAddr>);

/// Where metrics are served where nothing is said.
const METRICS: &str = ":8080";

/// As controller-runtime reads it: `0` is nowhere, and to say nothing is not to say anything.
fn metrics(text: &str) -> Result<Endpoint, String> {
    match text {
        "0" => Ok(Endpoint(None)),
        "" => metrics(METRICS),
        _ => Ok(Endpoint(Some(address(text)?))),
    }
}

/// As controller-runtime reads it: `0` and nothing are nowhere.
fn health(text: &str) -> Result<Endpoint, String> {
    match text {
        "0" | "" => Ok(Endpoint(None)),
        _ => Ok(Endpoint(Some(address(text)?))),
    }
}

/// Where artifacts are served where nothing is said.
const STORAGE: &str = ":9090";

/// An empty variable of the environment says nothing, as in Flux.
fn storage(text: &str) -> Result<SocketAddr, String> {
    address(if text.is_empty() { STORAGE } else { text })
}

/// The same of a folder.
fn said<'p>(folder: Option<&'p Path>, default: &'p Path) -> &'p Path {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(default)
}

/// `host:port`, or Go's `:port` for all interfaces.
fn address(text: &str) -> Result<SocketAddr, String> {
    let refused = || format!("`{text}` is no address: use HOST:PORT or :PORT");
    if let Some(port) = text.strip_prefix(':') {
        let port = port.parse().map_err(|_| refused())?;
        return Ok(SocketAddr::new(every_interface(), port));
    }
    let found = text.to_socket_addrs();
    let mut found = found.map_err(|error| format!("{} ({error})", refused()))?;
    found.next().ok_or_else(refused)
}

/// All interfaces, of both versions of IP where one socket takes both: Pods may have addresses of the newer one only.
fn every_interface() -> IpAddr {
    match std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only") {
        Ok(only) if only.trim() == "0" => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// `A=true,B=false`, refusing what Flux does not know.
fn gates(given: &[String]) -> Result<Vec<(String, bool)>> {
    given
        .iter()
        .filter(|gate| !gate.is_empty())
        .map(|gate| {
            let (name, value) = gate
                .split_once('=')
                .with_context(|| format!("feature-gate '{gate}' needs =true or =false"))?;
            if !sluice_controller::gates::KNOWN.contains(&name) {
                bail!("feature-gate '{name}' not supported");
            }
            let value =
                go_bool(value).with_context(|| format!("feature-gate '{name}' is neither true nor false"))?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

pub(crate) async fn run(args: Controller, global: &Global) -> Result<()> {
    start_logs(&args.log_level, args.log_encoding)?;
    let kube = global.connect.config().await?;
    let temporary = tempfile::Builder::new().prefix("sluice-").tempdir()?;
    let storage = Storage {
        path: said(args.storage_path.as_deref(), temporary.path()).to_owned(),
        listen: args.storage_addr,
        advertised: args
            .storage_adv_addr
            .clone()
            .filter(|address| !address.is_empty()),
        local_git: false,
        addresses: addresses(&args.source_allowed_addresses).await?,
        helm: sluice_source::helm::HelmLimits {
            index_size_max: args.helm_index_max_size,
            chart_size_max: args.helm_chart_max_size,
            chart_file_size_max: args.helm_chart_file_max_size,
            ..sluice_source::helm::HelmLimits::default()
        },
        ssh: sluice_source::SshAlgorithms::new(&args.ssh_kex_algos, &args.ssh_hostkey_algos)?,
        token_cache: (args.token_cache_max_size, args.token_cache_max_duration),
        retention_ttl: args.artifact_retention_ttl,
        retention_records: args.artifact_retention_records,
    };
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        asked_to_stop().await;
        stop.cancel();
    });
    // on the runtime's worker: what wakes the reconcilers need not wake this thread (ADR 0026)
    tokio::spawn(assemble::run(settings(args)?, storage, kube, shutdown)).await?
}

/// Sources may ask any machine but this one, the API server and those that only a cloud's machines may ask.
async fn addresses(allowed: &[String]) -> Result<sluice_source::Addresses> {
    let denied = api_server(std::env::var("KUBERNETES_SERVICE_HOST").ok()).await?;
    sluice_source::Addresses::guarded(denied, allowed).context("--source-allowed-addresses")
}

/// Where the API server is: an address as a rule, a name where somebody set it.
async fn api_server(host: Option<String>) -> Result<Vec<IpAddr>> {
    let Some(host) = host.filter(|host| !host.is_empty()) else {
        return Ok(Vec::new());
    };
    let found = tokio::net::lookup_host((host.as_str(), 0)).await;
    let found = found.with_context(|| {
        format!("KUBERNETES_SERVICE_HOST {host:?} cannot be resolved, so sources cannot be kept from it")
    })?;
    Ok(found.map(|found| found.ip()).collect())
}

/// Installs the log of this process.
pub(crate) fn start_logs(level: &str, encoding: LogEncoding) -> Result<()> {
    let encoding = match encoding {
        LogEncoding::Json => log::Encoding::Json,
        LogEncoding::Console => log::Encoding::Console,
    };
    log::init(encoding, level.parse().map_err(anyhow::Error::msg)?);
    Ok(())
}

/// SIGTERM, ctrl-c, or a terminal that is closed.
pub(crate) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let told = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = told(SignalKind::terminate()) => {}
        () = told(SignalKind::hangup()) => {}
    }
}

/// `--custom-apply-stage-kinds=` means none, as in Flux.
fn stage_kinds(given: &[String]) -> Result<Vec<sluice_object::GroupKind>> {
    let kinds = given
        .iter()
        .map(|kind| kind.trim())
        .filter(|kind| !kind.is_empty());
    let kinds = kinds.map(str::parse).collect::<Result<_, _>>();
    kinds.context("--custom-apply-stage-kinds")
}

fn runtime_namespace(said: Option<String>) -> String {
    let said = said.filter(|namespace| !namespace.is_empty());
    said.unwrap_or_else(|| "flux-system".to_owned())
}

fn settings(args: Controller) -> Result<ControllerConfig> {
    let trusted_root = match &args.sigstore_trusted_root {
        None => None,
        Some(file) => {
            let read = std::fs::read(file);
            Some(
                read.with_context(|| format!("--sigstore-trusted-root {}", file.display()))?
                    .into(),
            )
        }
    };
    let mut config = ControllerConfig {
        concurrent: args.concurrent,
        concurrent_sources: args.concurrent,
        trusted_root,
        concurrent_ssa: args.concurrent_ssa,
        requeue_dependency: args.requeue_dependency,
        interval_jitter_percentage: args.interval_jitter_percentage,
        min_retry_delay: args.min_retry_delay,
        max_retry_delay: args.max_retry_delay,
        override_managers: args.override_managers,
        custom_apply_stage_kinds: stage_kinds(&args.custom_apply_stage_kinds)?,
        watch_all_namespaces: args.watch_all_namespaces,
        watch_label_selector: args.watch_label_selector,
        watch_configs_label_selector: args.watch_configs_label_selector,
        enable_leader_election: args.enable_leader_election,
        lease: LeaseTimes {
            lease: args.leader_election_lease_duration,
            renew_deadline: args.leader_election_renew_deadline,
            retry: args.leader_election_retry_period,
        }
        .check()
        .map_err(anyhow::Error::msg)?,
        runtime_namespace: runtime_namespace(std::env::var("RUNTIME_NAMESPACE").ok()),
        events_addr: Some(args.events_addr).filter(|address| !address.is_empty()),
        metrics_addr: args.metrics_addr.0,
        health_addr: args.health_addr.0,
        feature_gates: gates(&args.feature_gates)?.into_iter().collect(),
        await_flux_leases: !args.beside_flux,
        ..ControllerConfig::default()
    };
    args.tenancy.set(&mut config)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn addresses_are_read_as_go_does() {
        let everywhere = address(":8080").unwrap();
        assert!(everywhere.ip().is_unspecified() && everywhere.port() == 8080);
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        assert_eq!(address("127.0.0.1:0"), Ok(here));
        assert!(address("localhost:0").unwrap().ip().is_loopback());
        for wrong in ["nowhere", ":x", ":", "0"] {
            let told = address(wrong).unwrap_err();
            assert!(told.starts_with(&format!("`{wrong}` is no address")), "{told}");
        }
        assert_eq!(metrics("127.0.0.1:0"), Ok(Endpoint(Some(here))));
        assert_eq!(metrics("0"), Ok(Endpoint(None)));
        assert_eq!(metrics(""), Ok(Endpoint(Some(everywhere))));
        assert_eq!(health("0"), Ok(Endpoint(None)));
        assert_eq!(health(""), Ok(Endpoint(None)));
    }

    #[tokio::test]
    async fn the_api_server_is_known_by_address_and_by_name() {
        let at = |host: &str| api_server(Some(host.to_owned()));
        assert_eq!(at("10.96.0.1").await.unwrap(), [IpAddr::from([10u8, 96, 0, 1])]);
        assert_eq!(
            at("fd00::1").await.unwrap(),
            ["fd00::1".parse::<IpAddr>().unwrap()]
        );
        let named = at("localhost").await.unwrap();
        assert!(
            !named.is_empty() && named.iter().all(IpAddr::is_loopback),
            "{named:?}"
        );
        assert!(at("").await.unwrap().is_empty());
        assert!(api_server(None).await.unwrap().is_empty());
        // no label of a name is so long: nobody is asked
        let told = at(&"a".repeat(64)).await.unwrap_err().to_string();
        assert!(
            told.ends_with("cannot be resolved, so sources cannot be kept from it"),
            "{told}"
        );
    }

    #[test]
    fn an_empty_variable_says_nothing() {
        // they are read as the flags are
        let read = parse(&["--storage-addr=", "--storage-path="]).unwrap();
        assert_eq!(read.storage_addr, address(":9090").unwrap());
        let default = Path::new("/tmp/here");
        assert_eq!(said(read.storage_path.as_deref(), default), default);
        assert_eq!(said(Some(Path::new("/data")), default), Path::new("/data"));
        assert_eq!(runtime_namespace(Some(String::new())), "flux-system");
        assert_eq!(runtime_namespace(Some("apps".to_owned())), "apps");
    }

    /// On every interface of a machine with both versions of IP, both are answered.
    #[test]
    fn every_interface_takes_both_versions() {
        let listener = std::net::TcpListener::bind(address(":0").unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn kinds_of_the_custom_stage_are_read_before_anything_starts() {
        let read = |flag: &str| stage_kinds(&parse(&[flag]).unwrap().custom_apply_stage_kinds);
        assert!(read("--custom-apply-stage-kinds=").unwrap().is_empty());
        assert_eq!(
            read("--custom-apply-stage-kinds=batch/Job,/ConfigMap")
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            format!("{:#}", read("--custom-apply-stage-kinds=Nope").unwrap_err()),
            "--custom-apply-stage-kinds: 'Nope' is not GROUP/KIND: write batch/Job, or /ConfigMap for a kind of the core group"
        );
    }

    fn parse(flags: &[&str]) -> Result<Controller, clap::Error> {
        let args = ["sluice", "controller"].iter().chain(flags);
        match <Cli as clap::Parser>::try_parse_from(args)?.command {
            Command::Controller(controller) => Ok(*controller),
            other => panic!("{other:?}"),
        }
    }

    /// compat/source.md 13.1, compat/kustomize.md 12.1, with values that manifests give them.
    #[test]
    fn manifests_of_both_of_fluxs_controllers_start_this_one() {
        let flags = "--metrics-addr=:8080 --health-addr=:9440 --events-addr=http://notification-controller.flux-system.svc.cluster.local./ \
            --concurrent=10 --concurrent-ssa=8 --requeue-dependency=10s --interval-jitter-percentage=10 \
            --min-retry-delay=1s --max-retry-delay=10m --http-retry=3 --no-remote-bases=true --no-cross-namespace-refs=true \
            --default-service-account=default --default-decryption-service-account=keys \
            --default-kubeconfig-service-account=remote --sops-age-secret=age --sops-vault-configmap=vault \
            --override-manager=kubectl --override-manager=argo --custom-apply-stage-kinds=v1/Namespace \
            --watch-all-namespaces=true --watch-label-selector=sharding.fluxcd.io/key=a \
            --watch-configs-label-selector=owner!=helm --enable-leader-election --leader-election-release-on-cancel=false \
            --leader-election-lease-duration=60s --leader-election-renew-deadline=40s --leader-election-retry-period=10s \
            --kube-api-qps=500 --kube-api-burst=1000 --insecure-kubeconfig-exec=false --insecure-kubeconfig-tls=false \
            --log-encoding=json --log-level=debug --feature-gates=ObjectLevelWorkloadIdentity=true \
            --token-cache-max-size=0 --token-cache-max-duration=30m --helm-index-max-size=52428800 --helm-chart-max-size=1 \
            --helm-chart-file-max-size=1 --helm-cache-max-size=10 --helm-cache-ttl=60m --helm-cache-purge-interval=5m \
            --ssh-kex-algos=curve25519-sha256 --ssh-hostkey-algos=ssh-ed25519 --storage-path=/data --storage-addr=:9090 \
            --storage-adv-addr=source-controller.flux-system.svc.cluster.local. --artifact-retention-ttl=60s \
            --artifact-retention-records=2 --artifact-digest-algo=sha256";
        let flags: Vec<&str> = flags.split_whitespace().collect();
        parse(&flags).unwrap();
    }

    #[test]
    fn the_last_of_a_flag_counts() {
        let flags = "--log-level=info --log-level=debug --concurrent=2 --concurrent=8 --enable-leader-election \
            --enable-leader-election=false --events-addr=http://a --events-addr= --kube-api-qps=1 --kube-api-qps=2 \
            --beside-flux --beside-flux --override-manager=a --override-manager=b --feature-gates=A=true --feature-gates=B=true";
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let read = parse(&flags).unwrap();
        assert_eq!((read.log_level.as_str(), read.concurrent), ("debug", 8));
        assert_eq!(
            (read.events_addr.as_str(), read.enable_leader_election),
            ("", false)
        );
        assert!(read.beside_flux);
        // and all of one that takes several
        assert_eq!(read.override_managers, ["a", "b"]);
        assert_eq!(read.feature_gates, ["A=true", "B=true"]);
    }

    #[test]
    fn what_cannot_be_kept_is_refused_at_the_start() {
        let refused = |flag: &str| parse(&[flag]).unwrap_err().to_string();
        assert!(refused("--artifact-digest-algo=blake3").contains("sha256"));
        assert!(refused("--interval-jitter-percentage=100").contains("100"));
    }

    #[test]
    fn an_unknown_gate_is_refused_with_the_words_of_flux() {
        assert!(gates(&["ExternalArtifact=True".to_owned()]).is_ok());
        let error = gates(&["Nonsense=true".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "feature-gate 'Nonsense' not supported");
    }
}
