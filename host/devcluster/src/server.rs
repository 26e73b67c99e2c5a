//! Starting and stopping the server.

use crate::access::Authorization;
use crate::audit;
use crate::cluster::Cluster;
use crate::faults::Faults;
use crate::http::{Face, listen, service};
use crate::simulate::{self, Controllers};
use crate::store::{Journal, Key};
use axum::Router;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How a [`DevCluster`] is started.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// Serve HTTPS with a certificate made for this run. Default true: `kubectl` sends a token over HTTPS only.
    pub tls: bool,
    /// The bearer token that requests must carry; none makes one up. It is in the kubeconfig.
    pub token: Option<String>,
    /// Let requests in that carry no token. Default false: any program of this machine can reach loopback.
    /// Requests that a web page makes are refused even then.
    pub anonymous: bool,
    /// Who may do what. Default: everybody everything.
    pub authorization: Authorization,
    /// Keep state in this folder across restarts. Default: in memory only.
    pub data_dir: Option<PathBuf>,
    /// How many changes of a resource a watch may have missed before it must list again.
    pub history_max: usize,
    /// How many changes a slow watcher may be behind before it is dropped.
    pub watch_backlog: usize,
    /// Let Deployments and their like become ready. Default true.
    pub simulate_workloads: bool,
    /// Run the controllers of namespaces and of owner references; without them, what a namespace held or an owner owned stays.
    /// Default true.
    pub collect_garbage: bool,
    /// Remember requests, see [`DevCluster::requests`]. Default false.
    pub audit: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: true,
            token: None,
            anonymous: false,
            authorization: Authorization::AlwaysAllow,
            data_dir: None,
            history_max: 10_000,
            watch_backlog: 10_000,
            simulate_workloads: true,
            collect_garbage: true,
            audit: false,
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: choose another address, or port 0 for a free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The data folder cannot be read or written.
    #[error("cannot use the data folder {folder}")]
    Data {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
}

/// A running development API server. It stops when it is dropped.
pub struct DevCluster {
    /// Where it answers, `https://127.0.0.1:40213`; empty where it listens nowhere.
    pub url: String,
    token: String,
    authority: Option<String>,
    cluster: Arc<Cluster>,
    service: Router,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl DevCluster {
    /// Starts a server; it answers when this returns.
    ///
    /// # Errors
    /// [`StartError`] when the address, the data folder or the certificate fail.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let journal = match &config.data_dir {
            None => None,
            Some(folder) => Some(Journal::open(folder).map_err(|source| StartError::Data {
                folder: folder.clone(),
                source,
            })?),
        };
        let failed = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (tls, authority) = match config.tls {
            true => certificate(address).map(|(acceptor, pem)| (Some(acceptor), Some(pem)))?,
            false => (None, None),
        };
        let mut server = Self::with_journal(&config, journal);
        let face = server.face(&config, (!config.anonymous).then(|| server.token.clone()));
        server.tasks.push(tokio::spawn(listen(listener, tls, face)));
        let scheme = if config.tls { "https" } else { "http" };
        server.url = format!("{scheme}://{address}");
        server.authority = authority;
        Ok(server)
    }

    /// A server that listens nowhere: only [`service`](Self::service) reaches it. It does no IO, so that under a paused
    /// clock it answers at once and always the same. `listen`, `tls`, `token`, `anonymous` and `data_dir` do not count.
    pub fn in_process(config: &Config) -> Self {
        Self::with_journal(config, None)
    }

    fn with_journal(config: &Config, journal: Option<Journal>) -> Self {
        let cluster = Cluster::new(
            config.history_max,
            config.watch_backlog,
            journal,
            Faults::default(),
        );
        if config.audit {
            cluster.audit.start();
        }
        let (stop, stopped) = watch::channel(false);
        let token = config
            .token
            .clone()
            .unwrap_or_else(|| crate::meta::new_uid().replace('-', ""));
        let controllers = Controllers {
            workloads: config.simulate_workloads,
            garbage: config.collect_garbage,
        };
        let tasks = vec![tokio::spawn(simulate::run(cluster.clone(), controllers, stopped))];
        let mut server = Self {
            url: String::new(),
            token,
            authority: None,
            cluster,
            service: Router::new(),
            stop,
            tasks,
        };
        server.service = service(server.face(config, None));
        server
    }

    fn face(&self, config: &Config, token: Option<String>) -> Face {
        Face {
            cluster: self.cluster.clone(),
            token,
            authorization: config.authorization,
            stop: self.stop.subscribe(),
        }
    }

    /// The server as a tower service, for callers in this process: no connection, no TLS, no token.
    pub fn service(&self) -> Router {
        self.service.clone()
    }

    /// A kubeconfig for this server; nothing is written anywhere.
    pub fn kubeconfig(&self) -> String {
        let authority = match &self.authority {
            None => String::new(),
            Some(pem) => {
                use base64::Engine as _;
                let packed = base64::engine::general_purpose::STANDARD.encode(pem);
                format!("    certificate-authority-data: {packed}\n")
            }
        };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: devcluster\nclusters:\n- name: devcluster\n  cluster:\n    server: {}\n{authority}\
             contexts:\n- name: devcluster\n  context:\n    cluster: devcluster\n    user: admin\nusers:\n- name: admin\n  user:\n    token: {}\n",
            self.url, self.token
        )
    }

    /// The bearer token that requests must carry.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The certificate authority of an HTTPS server, PEM.
    pub fn certificate_authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// One object as it is stored, without a request; `resource`: `apps/deployments`, `/configmaps`.
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<serde_json::Value>> {
        self.cluster.store.get(resource, &Key::new(namespace, name))
    }

    /// All objects of a resource as they are stored, without a request.
    pub fn objects(&self, resource: &str) -> Vec<Arc<serde_json::Value>> {
        self.cluster.store.list(resource, None).objects
    }

    /// Faults on demand, for tests.
    pub fn faults(&self) -> Faults {
        self.cluster.faults.clone()
    }

    /// The requests since the start or the last call; empty unless [`Config::audit`] is on.
    pub fn requests(&self) -> Vec<audit::Request> {
        self.cluster.audit.take()
    }

    /// Ends all watches, as a restarting server does; `resource` (`apps/deployments`, `/pods`) limits it to one resource.
    pub fn drop_watches(&self, resource: Option<&str>) {
        self.cluster.store.drop_watches(resource);
    }

    /// Forgets the history of changes: a watch from before now is answered with 410 Gone.
    pub fn compact(&self) {
        self.cluster.store.compact();
    }

    /// The newest resource version.
    pub fn revision(&self) -> u64 {
        self.cluster.store.revision()
    }

    /// The configuration of a Kubernetes client for this server.
    ///
    /// # Errors
    /// The URL is not one; cannot happen for a server that started.
    #[cfg(feature = "client")]
    pub async fn client_config(&self) -> Result<kube::Config, kube::config::KubeconfigError> {
        let kubeconfig = kube::config::Kubeconfig::from_yaml(&self.kubeconfig())?;
        kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await
    }

    /// A Kubernetes client for this server.
    ///
    /// # Errors
    /// As [`client_config`](Self::client_config), or the client's TLS setup fails.
    #[cfg(feature = "client")]
    pub async fn client(&self) -> Result<kube::Client, Box<dyn std::error::Error + Send + Sync>> {
        Ok(kube::Client::try_from(self.client_config().await?)?)
    }

    /// Stops the server and waits until it is down.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }
}

impl Drop for DevCluster {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A certificate for `address`, signed by itself, and its PEM.
fn certificate(address: SocketAddr) -> Result<(TlsAcceptor, String), StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Certificate(error.to_string());
    let names = vec!["localhost".to_owned(), address.ip().to_string()];
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}
