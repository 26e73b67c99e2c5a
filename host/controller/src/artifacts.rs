//! Opens the artifact of a source: in process where our own store has it, else by its URL with the digest checked.

use futures::TryStreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sluice_artifact::{ArtifactPath, MemoryTree, Store, Tree, unpack};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most bytes of one downloaded archive; what unpacks to more is refused by `unpack` anyway.
const DOWNLOAD_BYTES_MAX: usize = 256 << 20;
/// Unpacked foreign artifacts that are kept: in a monorepo all Kustomizations ask for the same one.
const FOREIGN_TREES_MAX: usize = 2;
/// How long one download may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// The facts of `status.artifact` that opening needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactFacts {
    /// `gitrepository/ns/name/<sha>.tar.gz`.
    pub path: String,
    /// Where it is served.
    pub url: String,
    /// `main@sha1:…`.
    pub revision: String,
    /// `sha256:…` of the archive.
    pub digest: String,
    /// `org.opencontainers.image.revision` of the metadata.
    pub origin_revision: Option<String>,
}

impl ArtifactFacts {
    /// The artifact that a source offers, none while it has none.
    pub fn of(source: &Value) -> Option<Self> {
        let artifact = source.pointer("/status/artifact")?;
        let text = |pointer: &str| {
            artifact
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        Some(Self {
            path: text("/path").unwrap_or_default(),
            url: text("/url").unwrap_or_default(),
            revision: text("/revision")?,
            digest: text("/digest").unwrap_or_default(),
            origin_revision: text("/metadata/org.opencontainers.image.revision"),
        })
    }
}

/// Why an artifact could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not there (any more): the source will offer a new one.
    #[error("artifact not found")]
    NotFound,
    /// It is there and cannot be had.
    #[error("{0}")]
    Failed(String),
}

/// Unpacked archives by digest, the one used last at the end.
type Foreign = VecDeque<(String, Arc<MemoryTree>)>;

/// Where artifacts are opened.
#[derive(Clone)]
pub struct Artifacts {
    store: Option<Store>,
    http: reqwest::Client,
    foreign: Arc<Mutex<Foreign>>,
}

impl Artifacts {
    /// Opens from `store` what it has, everything else over HTTP.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(store: Option<Store>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().timeout(DOWNLOAD_TIMEOUT).build()?;
        Ok(Self {
            store,
            http,
            foreign: Arc::default(),
        })
    }

    /// The files of an artifact. Whatever is returned has the digest that the source's status promises.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(&self, facts: &ArtifactFacts) -> Result<Arc<dyn Tree>, OpenError> {
        if let (Some(store), Ok(path)) = (&self.store, facts.path.parse::<ArtifactPath>())
            && let Some(artifact) = store.artifact(&path)
            && artifact.digest.to_string() == facts.digest
        {
            let tree = store
                .tree(&path)
                .map_err(|error| OpenError::Failed(error.to_string()))?;
            return Ok(Arc::new(tree));
        }
        if let Some(tree) = self.remembered(&facts.digest) {
            return Ok(tree);
        }
        let archive = self.download(facts).await?;
        let unpacked =
            tokio::task::spawn_blocking(move || unpack::unpack(&*archive, &unpack::Limits::default()));
        let tree = unpacked
            .await
            .map_err(|error| OpenError::Failed(error.to_string()))?;
        let tree = Arc::new(tree.map_err(|error| OpenError::Failed(error.to_string()))?);
        let mut foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        foreign.push_back((facts.digest.clone(), tree.clone()));
        while foreign.len() > FOREIGN_TREES_MAX {
            foreign.pop_front();
        }
        Ok(tree)
    }

    fn remembered(&self, digest: &str) -> Option<Arc<dyn Tree>> {
        let foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, tree) = foreign.iter().find(|(known, _)| known == digest)?;
        Some(tree.clone())
    }

    async fn download(&self, facts: &ArtifactFacts) -> Result<Vec<u8>, OpenError> {
        let failed =
            |error: reqwest::Error| OpenError::Failed(format!("failed to download archive: {error}"));
        let response = self.http.get(&facts.url).send().await.map_err(failed)?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Err(OpenError::NotFound);
        }
        let response = response.error_for_status().map_err(failed)?;
        let mut stream = response.bytes_stream();
        let (mut archive, mut sha256) = (Vec::new(), Sha256::new());
        while let Some(chunk) = stream.try_next().await.map_err(failed)? {
            if archive.len() + chunk.len() > DOWNLOAD_BYTES_MAX {
                return Err(OpenError::Failed(format!(
                    "the archive of {} exceeds the limit of {DOWNLOAD_BYTES_MAX} bytes",
                    facts.url
                )));
            }
            sha256.update(&chunk);
            archive.extend_from_slice(&chunk);
        }
        let digest = format!("sha256:{}", hex::encode(sha256.finalize()));
        if digest != facts.digest {
            return Err(OpenError::Failed(format!(
                "computed digest doesn't match '{}': {} served '{digest}'",
                facts.digest, facts.url
            )));
        }
        Ok(archive)
    }
}
