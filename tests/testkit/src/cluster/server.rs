//! Starts etcd, kube-apiserver and, where asked, kube-controller-manager on free loopback ports.

use super::{Binaries, Program};
use crate::process::Guarded;
use sha2::{Digest as _, Sha256};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one of the servers may take to answer; a cold start on a busy machine takes some seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often readiness is asked for.
const PAUSE: Duration = Duration::from_millis(100);

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Also start kube-controller-manager: needed for garbage collection, namespace deletion and Deployments.
    pub controller_manager: bool,
    /// Further flags of kube-apiserver.
    pub apiserver_flags: Vec<String>,
    /// Let etcd wait for the disk at every write, as in production; tests have nothing to lose.
    pub fsync: bool,
}

/// Why no cluster runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The programs are not there.
    #[error(
        "no kube-apiserver and etcd: run `cargo xtask test cluster` with Go installed, or set KUBEBUILDER_ASSETS"
    )]
    NoBinaries,
    /// A file or process could not be made.
    #[error("cannot prepare the test cluster")]
    Io(#[from] io::Error),
    /// A program ended or did not become ready.
    #[error("{program} did not become ready: {log}")]
    NotReady {
        /// Which.
        program: &'static str,
        /// The end of what it printed.
        log: String,
    },
    /// A certificate or key was refused or could not be made: a bug of the test kit.
    #[error("{0}")]
    Client(String),
}

/// A running API server with its store in a temporary folder; dropping it ends and removes everything.
#[derive(Debug)]
pub struct Cluster {
    // Fields drop in this order: clients of the store before the store, the folder last.
    controller_manager: Option<Guarded>,
    apiserver: Guarded,
    etcd: Guarded,
    url: String,
    credentials: Credentials,
    kubeconfig: PathBuf,
    client: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts a cluster, or none after a loud line where the programs are absent.
    #[allow(clippy::print_stderr)]
    pub async fn start_or_skip(what: &str, options: &Options) -> Result<Option<Self>, StartError> {
        match Self::start(options).await {
            Err(StartError::NoBinaries) => {
                eprintln!("SKIPPED: {what}: {}", StartError::NoBinaries);
                Ok(None)
            }
            started => started.map(Some),
        }
    }

    /// Starts a cluster and waits until it is ready.
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        let binaries = Binaries::find().ok_or(StartError::NoBinaries)?;
        let folder = tempfile::Builder::new().prefix("sluice-cluster-").tempdir()?;
        let at = |name: &str| folder.path().join(name);

        let [store, peer, secure] = free_ports()?;
        let etcd_url = format!("http://127.0.0.1:{store}");
        let etcd = Guarded::start(
            &program(&binaries, Program::Etcd)?,
            &etcd_flags(
                &at("etcd"),
                &etcd_url,
                &format!("http://127.0.0.1:{peer}"),
                options,
            ),
            &at("etcd.log"),
        )?;

        let credentials = Credentials::write(folder.path())?;
        let apiserver = Guarded::start(
            &program(&binaries, Program::ApiServer)?,
            &apiserver_flags(folder.path(), &etcd_url, secure, options),
            &at("kube-apiserver.log"),
        )?;
        let url = format!("https://127.0.0.1:{secure}");
        // The server makes its certificate first thing; the kubeconfig names the file.
        wait_for(
            "kube-apiserver",
            &apiserver,
            &at("kube-apiserver.log"),
            async || at("certs/apiserver.crt").is_file(),
        )
        .await?;
        let kubeconfig = credentials.kubeconfig(folder.path(), &url, "admin")?;
        let client = client_of(folder.path(), &credentials.token)?;
        wait_for(
            "kube-apiserver",
            &apiserver,
            &at("kube-apiserver.log"),
            async || is_ready(&client, &url).await,
        )
        .await?;

        let controller_manager = match options.controller_manager {
            false => None,
            true => Some(Guarded::start(
                &program(&binaries, Program::ControllerManager)?,
                &controller_manager_flags(folder.path(), &kubeconfig)?,
                &at("kube-controller-manager.log"),
            )?),
        };
        Ok(Self {
            controller_manager,
            apiserver,
            etcd,
            url,
            credentials,
            kubeconfig,
            client,
            folder,
        })
    }

    /// A kubeconfig of a cluster administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A kubeconfig of another user: `sluice`, an administrator too, or `dev`, who may nothing until a test binds a role.
    pub fn kubeconfig_of(&self, user: &str) -> Result<PathBuf, StartError> {
        self.credentials.kubeconfig(self.folder.path(), &self.url, user)
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An HTTP client of a cluster administrator.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The running programs by name, for reading what they use.
    pub fn processes(&self) -> impl Iterator<Item = (&'static str, &Guarded)> {
        let manager = self
            .controller_manager
            .as_ref()
            .map(|process| ("kube-controller-manager", process));
        [("etcd", &self.etcd), ("kube-apiserver", &self.apiserver)]
            .into_iter()
            .chain(manager)
    }

    /// The temporary folder: logs (`kube-apiserver.log`, …) and certificates.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn program(binaries: &Binaries, program: Program) -> Result<PathBuf, StartError> {
    binaries.path(program).ok_or(StartError::NoBinaries)
}

/// Ports nobody listens on now. All are held until all are known, so that they differ.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn etcd_flags(data: &Path, client: &str, peer: &str, options: &Options) -> Vec<String> {
    let mut flags = vec![
        format!("--data-dir={}", data.display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--log-level=warn".to_owned(),
    ];
    if !options.fsync {
        flags.push("--unsafe-no-fsync".to_owned());
    }
    flags
}

fn apiserver_flags(folder: &Path, etcd: &str, port: u16, options: &Options) -> Vec<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut flags = vec![
        format!("--etcd-servers={etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(), // loopback is no address for the `kubernetes` Service
        format!("--secure-port={port}"),
        format!("--cert-dir={}", at("certs")),
        format!("--token-auth-file={}", at("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", at("service-account.pub")),
        format!("--service-account-signing-key-file={}", at("service-account.key")),
        "--disable-admission-plugins=ServiceAccount".to_owned(), // no controller makes accounts here
        // No throttling of one loud client: what is measured is the client.
        "--max-requests-inflight=0".to_owned(),
        "--max-mutating-requests-inflight=0".to_owned(),
        "--enable-priority-and-fairness=false".to_owned(),
    ];
    flags.extend(options.apiserver_flags.iter().cloned());
    flags
}

fn controller_manager_flags(folder: &Path, kubeconfig: &Path) -> Result<Vec<String>, StartError> {
    let [port] = free_ports()?;
    Ok(vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials=false".to_owned(),
        format!("--cert-dir={}", folder.join("kcm-certs").display()),
        format!(
            "--service-account-private-key-file={}",
            folder.join("service-account.key").display()
        ),
        "--kube-api-qps=1000".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ])
}

/// What the server and its clients prove themselves with; made anew for each cluster.
struct Credentials {
    token: String,
}

/// Says nothing of the token.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    fn write(folder: &Path) -> Result<Self, StartError> {
        let pair = rcgen::KeyPair::generate().map_err(|error| StartError::Client(error.to_string()))?;
        let key = pair.serialize_pem();
        std::fs::write(folder.join("service-account.pub"), pair.public_key_pem())?;
        let digest = Sha256::digest(key.as_bytes());
        let token: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(folder.join("service-account.key"), key)?;
        // user, uid, groups. `sluice` is an administrator whom the audit log tells from the test itself;
        // `dev` has no rights but those a test binds.
        let tokens = format!(
            "{token},admin,admin,system:masters\nsluice-{token},sluice,sluice,system:masters\ndev-{token},dev,dev,developers\n"
        );
        std::fs::write(folder.join("tokens.csv"), tokens)?;
        Ok(Self { token })
    }

    fn kubeconfig(&self, folder: &Path, url: &str, user: &str) -> Result<PathBuf, StartError> {
        let path = folder.join(format!("kubeconfig-{user}"));
        let authority = folder.join("certs/apiserver.crt");
        let contexts = ["admin", "sluice", "dev"]
            .map(|user| serde_json::json!({"name": user, "context": {"cluster": "test", "user": user}}));
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": user,
            "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": authority}}],
            "users": [
                {"name": "admin", "user": {"token": self.token}},
                {"name": "sluice", "user": {"token": format!("sluice-{}", self.token)}},
                {"name": "dev", "user": {"token": format!("dev-{}", self.token)}},
            ],
            "contexts": contexts,
        });
        std::fs::write(&path, format!("{text:#}"))?;
        Ok(path)
    }
}

/// A client that trusts the server's own certificate and shows this token.
fn client_of(folder: &Path, token: &str) -> Result<reqwest::Client, StartError> {
    let refused = |error: &dyn std::fmt::Display| StartError::Client(error.to_string());
    // Another provider may be there already: both are ring.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(folder.join("certs/apiserver.crt"))?;
    let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| refused(&error))?;
    let mut authorization = reqwest::header::HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|error| refused(&error))?;
    authorization.set_sensitive(true);
    reqwest::Client::builder()
        .tls_certs_only(authorities)
        .default_headers(
            [(reqwest::header::AUTHORIZATION, authorization)]
                .into_iter()
                .collect(),
        )
        .build()
        .map_err(|error| refused(&error))
}

async fn is_ready(client: &reqwest::Client, url: &str) -> bool {
    let answer = client.get(format!("{url}/readyz")).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

async fn wait_for(
    program: &'static str,
    process: &Guarded,
    log: &Path,
    mut ready: impl AsyncFnMut() -> bool,
) -> Result<(), StartError> {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !process.has_ended() {
            if ready().await {
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    });
    if waited.await == Ok(true) {
        return Ok(());
    }
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let tail: Vec<&str> = text.lines().rev().take(5).collect();
    Err(StartError::NotReady {
        program,
        log: tail.into_iter().rev().collect::<Vec<_>>().join("\n"),
    })
}
