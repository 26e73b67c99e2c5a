//! Asking a repository of charts for its index.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, BufWriter, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Method, StatusCode, Url,
    header::{ETAG, HeaderValue, IF_NONE_MATCH, USER_AGENT},
};
use sha2::{Digest as _, Sha256};
use sluice_artifact::{Artifact, ArtifactPath, Store};
use tokio::time::Instant;

use super::{ChartVersion, Error, Indexed, index};
use crate::{
    Credentials, Transport, disk_refusal,
    http::{Addresses, Clients, Failure, Http, Reply, Request, secret_header, shown},
    spool::Spool,
};

/// As Helm calls itself.
pub(super) const AGENT: &str = "Helm/4.3";
/// The file with the index, below the repository's address.
const INDEX: &str = "index.yaml";

/// What repositories of charts may cost.
#[derive(Clone, Copy, Debug)]
pub struct HelmLimits {
    /// `--helm-index-max-size`: bytes of an index as it is sent. Flux's default.
    pub index_size_max: u64,
    /// `--helm-chart-max-size`: bytes of a chart as it is sent. Flux's default.
    pub chart_size_max: u64,
    /// `--helm-chart-file-max-size`: bytes of one file of a chart. Flux's default.
    pub chart_file_size_max: u64,
    /// Bytes of all versions of one chart in an index, which are held at once; the largest known have 2 MiB.
    pub chart_versions_size_max: usize,
    /// Addresses whose last answer is remembered, so that a server may say that nothing changed.
    pub validators_max: usize,
    /// Clients with certificates of their own, before the oldest are forgotten.
    pub clients_max: usize,
}

impl Default for HelmLimits {
    fn default() -> HelmLimits {
        HelmLimits {
            index_size_max: 50 << 20,
            chart_size_max: 10 << 20,
            chart_file_size_max: 5 << 20,
            chart_versions_size_max: 32 << 20,
            validators_max: 10_000,
            clients_max: 1000,
        }
    }
}

/// Which repository.
#[derive(Clone, Debug)]
pub struct HelmRequest {
    /// `https://host/path`.
    pub url: String,
    /// Who we are: nobody, or user and password.
    pub credentials: Credentials,
    /// Whether charts that lie on other servers are asked for with these credentials: `spec.passCredentials`.
    pub passes_credentials: bool,
    /// Whom we trust.
    pub transport: Transport,
    /// How long the answer may take, and its body again.
    pub timeout: Duration,
}

/// Asks repositories of charts. Clones share what they remember.
#[derive(Clone)]
pub struct HelmFetcher {
    shared: Arc<Shared>,
}

struct Shared {
    spool: PathBuf,
    limits: HelmLimits,
    addresses: Addresses,
    /// The validator of the index that was seen last, and its revision, by address and identity.
    validators: Mutex<HashMap<[u8; 32], (HeaderValue, String)>>,
    clients: Clients<Http>,
}

/// One repository, asked as one person.
pub struct ChartRepository {
    pub(super) fetcher: HelmFetcher,
    pub(super) http: Http,
    pub(super) url: Url,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) passes_credentials: bool,
    key: [u8; 32],
    pub(super) timeout: Duration,
}

/// What a look at a repository brought.
pub enum Look {
    /// The index is the one of this revision that the caller has.
    Unchanged,
    /// Another index.
    Fetched(FetchedIndex),
}

/// An index that is here, and not read yet.
pub struct FetchedIndex {
    /// `sha256:<hex>` of its bytes as they came.
    pub revision: String,
    file: File,
    spool: PathBuf,
    limits: HelmLimits,
}

impl HelmFetcher {
    /// Keeps indexes in `spool` while they arrive, which is created where it is missing; asks only `addresses`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(spool: &Path, limits: HelmLimits, addresses: Addresses) -> std::io::Result<HelmFetcher> {
        std::fs::create_dir_all(spool)?;
        let shared = Arc::new(Shared {
            spool: spool.to_owned(),
            limits,
            addresses,
            validators: Mutex::default(),
            clients: Clients::new(limits.clients_max),
        });
        Ok(HelmFetcher { shared })
    }

    /// The repository of a request. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`], [`Error::Transport`].
    pub fn repository(&self, request: &HelmRequest) -> Result<ChartRepository, Error> {
        let url = Url::parse(&request.url).map_err(|error| Error::InvalidUrl(error.to_string()))?;
        match url.scheme() {
            "http" | "https" => {}
            "oci" => {
                let text = "'oci' URL scheme cannot be used with 'default' HelmRepository type";
                return Err(Error::InvalidUrl(text.to_owned()));
            }
            scheme => return Err(Error::InvalidUrl(format!("scheme \"{scheme}\" not supported"))),
        }
        let authorization = match &request.credentials {
            Credentials::Basic { username, password } => {
                let text = STANDARD.encode(format!("{username}:{}", password.reveal()));
                let header = secret_header(&format!("Basic {text}"));
                Some(header.map_err(|error| Error::Transport(error.to_string()))?)
            }
            Credentials::None | Credentials::Bearer(_) | Credentials::Refresh(_) => None,
        };
        let key = Sha256::new()
            .chain_update(request.credentials.fingerprint())
            .chain_update(request.transport.fingerprint())
            .chain_update(&request.url)
            .finalize()
            .into();
        let make = |transport: &Transport| Http::new(transport, &self.shared.addresses);
        let http = self.shared.clients.get(&request.transport, make);
        Ok(ChartRepository {
            fetcher: self.clone(),
            http: http.map_err(Error::Transport)?,
            url,
            authorization,
            passes_credentials: request.passes_credentials,
            key,
            timeout: request.timeout,
        })
    }

    /// What charts and indexes may cost.
    pub fn limits(&self) -> HelmLimits {
        self.shared.limits
    }

    fn validators(&self) -> MutexGuard<'_, HashMap<[u8; 32], (HeaderValue, String)>> {
        let locked = self.shared.validators.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChartRepository {
    /// Brings the index, unless it is the one with the revision `known`.
    ///
    /// # Errors
    /// [`Error::Fetch`], [`Error::TooLarge`], [`Error::Disk`].
    pub async fn fetch(&self, known: Option<&str>) -> Result<Look, Error> {
        let url = self.index_url();
        let failed = |failure| Error::Fetch {
            url: shown(&url),
            failure,
        };
        let mut request = Request::new(Method::GET, url.clone());
        request
            .headers
            .insert(USER_AGENT, HeaderValue::from_static(AGENT));
        request.authorization.clone_from(&self.authorization);
        if let Some(validator) = self.validator(known) {
            request.headers.insert(IF_NONE_MATCH, validator);
        }
        let asked = self.http.send(request, Instant::now() + self.timeout).await;
        let reply = asked.map_err(failed)?;
        if reply.status() == StatusCode::NOT_MODIFIED {
            return Ok(Look::Unchanged);
        }
        let reply = reply.ok().map_err(failed)?;
        let validator = reply
            .header(ETAG.as_str())
            .and_then(|text| HeaderValue::from_str(text).ok());
        let (file, revision) = self.spool(reply).await?;
        self.remember(validator, &revision);
        if known == Some(revision.as_str()) {
            // a file without a name goes when it is closed, and a large one takes its time
            tokio::task::spawn_blocking(move || drop(file));
            return Ok(Look::Unchanged);
        }
        let limits = self.fetcher.shared.limits;
        Ok(Look::Fetched(FetchedIndex {
            revision,
            file,
            spool: self.fetcher.shared.spool.clone(),
            limits,
        }))
    }

    /// `<path>/index.yaml`; a query stays.
    fn index_url(&self) -> Url {
        let mut url = self.url.clone();
        let path = format!("{}/{INDEX}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_fragment(None);
        url
    }

    /// Writes an index to a file without a name while it is hashed.
    async fn spool(&self, mut reply: Reply) -> Result<(File, String), Error> {
        let limit = self.fetcher.shared.limits.index_size_max;
        let disk = |error: std::io::Error| Error::Disk(disk_refusal(&error));
        let file = tempfile::tempfile_in(&self.fetcher.shared.spool).map_err(disk)?;
        let mut spool = Spool::new(file, 0);
        let (mut hasher, mut size) = (Sha256::new(), 0u64);
        reply.extend(self.timeout);
        loop {
            let chunk = reply.chunk().await.map_err(|failure: Failure| Error::Fetch {
                url: shown(&self.index_url()),
                failure,
            })?;
            let Some(chunk) = chunk else { break };
            size += chunk.len() as u64;
            if size > limit {
                return Err(Error::TooLarge(limit));
            }
            hasher.update(&chunk);
            spool.write(&chunk).await.map_err(disk)?;
        }
        let mut file = spool.finish().await.map_err(disk)?;
        file.seek(SeekFrom::Start(0)).map_err(disk)?;
        Ok((file, format!("sha256:{}", hex::encode(hasher.finalize()))))
    }

    /// What the server called the index whose revision is `known`.
    fn validator(&self, known: Option<&str>) -> Option<HeaderValue> {
        let validators = self.fetcher.validators();
        let (validator, revision) = validators.get(&self.key)?;
        (Some(revision.as_str()) == known).then(|| validator.clone())
    }

    fn remember(&self, validator: Option<HeaderValue>, revision: &str) {
        let mut validators = self.fetcher.validators();
        if validators.len() >= self.fetcher.shared.limits.validators_max {
            validators.clear();
        }
        match validator {
            Some(validator) => validators.insert(self.key, (validator, revision.to_owned())),
            None => validators.remove(&self.key),
        };
    }
}

impl FetchedIndex {
    /// Reads the index and puts it into the store, as JSON. Blocks; the artifact is visible when this returns.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Store`].
    pub fn store(self, store: &Store, path: &ArtifactPath) -> Result<Artifact, Error> {
        let disk = |error: std::io::Error| Error::Disk(disk_refusal(&error));
        let mut json = BufWriter::with_capacity(256 << 10, tempfile::tempfile_in(&self.spool).map_err(disk)?);
        let limit = self.limits.chart_versions_size_max;
        let input = BufReader::with_capacity(256 << 10, self.file);
        let Indexed { charts, versions } = index::read(input, limit, None, &mut json)?;
        let mut json = json.into_inner().map_err(|error| disk(error.into_error()))?;
        tracing::debug!(charts, versions, "index read");
        let mut draft = store.draft();
        let blob = draft.blob_from(&mut json)?;
        Ok(draft.commit_file(path, &self.revision, blob)?)
    }

    /// The versions of one chart; nothing of the others is kept. Blocks.
    ///
    /// # Errors
    /// [`Error::Index`]; none where the index does not name the chart.
    pub fn versions(&mut self, chart: &str) -> Result<Option<Vec<ChartVersion>>, Error> {
        let disk = |error: std::io::Error| Error::Disk(disk_refusal(&error));
        self.file.seek(SeekFrom::Start(0)).map_err(disk)?;
        let mut json = Vec::new();
        let limit = self.limits.chart_versions_size_max;
        let input = BufReader::with_capacity(256 << 10, &mut self.file);
        index::read(input, limit, Some(chart), &mut json)?;
        let index: OneChart =
            serde_json::from_slice(&json).map_err(|error| Error::Index(error.to_string()))?;
        Ok(index.entries.into_values().next())
    }
}

#[derive(serde::Deserialize)]
struct OneChart {
    entries: HashMap<String, Vec<ChartVersion>>,
}
