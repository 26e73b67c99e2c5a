//! Opens the artifact of a source: in process where our own store has it, else by its URL with the digest checked.

use clru::CLruCache;
use futures::TryStreamExt;
use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::Value;
use sha2::digest::DynDigest;
use sha2::{Sha256, Sha384, Sha512};
use sluice_artifact::store::{Content, Look};
use sluice_artifact::{Artifact, ArtifactPath, MemoryTree, Store, Tree, unpack};
use sluice_event::cause;
use sluice_source::Addresses;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};

/// Most bytes of one downloaded archive.
const DOWNLOAD_BYTES_MAX: usize = 64 << 20;
/// What is not in our store as files is held in memory, and whoever may make a source decides what comes.
const UNPACKED_BYTES_MAX: u64 = 128 << 20;
/// Unpacked artifacts that are kept: in a monorepo all Kustomizations ask for the same one.
const UNPACKED_MAX: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");
/// Archives that are brought and unpacked at a time.
const ARRIVING_MAX: usize = 2;
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

/// Unpacked archives by digest. Whoever asks for one that is on its way waits for it.
type Unpacked = CLruCache<String, Arc<OnceCell<Arc<MemoryTree>>>>;

/// Where artifacts are opened.
#[derive(Clone)]
pub struct Artifacts {
    store: Option<Store>,
    http: reqwest::Client,
    addresses: Addresses,
    unpacked: Arc<Mutex<Unpacked>>,
    arriving: Arc<Semaphore>,
}

impl Artifacts {
    /// Opens from `store` what it has, everything else over HTTP.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(store: Option<Store>) -> Result<Self, reqwest::Error> {
        Self::asking(store, Addresses::any())
    }

    /// The same, asking none but `addresses`: whoever may write the status of an ExternalArtifact names any URL there (N21).
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn asking(store: Option<Store>, addresses: Addresses) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(DOWNLOAD_TIMEOUT)
            .redirect(Policy::none())
            .dns_resolver(addresses.clone())
            .build()?;
        Ok(Self {
            store,
            http,
            addresses,
            unpacked: Arc::new(Mutex::new(Unpacked::new(UNPACKED_MAX))),
            arriving: Arc::new(Semaphore::new(ARRIVING_MAX)),
        })
    }

    /// The files of an artifact. Whatever is returned has the digest that the source's status promises.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(&self, facts: &ArtifactFacts) -> Result<Arc<dyn Tree>, OpenError> {
        if let (Some(store), Ok(path)) = (&self.store, facts.path.parse::<ArtifactPath>())
            && let Some(artifact) = look(store, &path, &facts.digest).await
        {
            let failed = |error: sluice_artifact::store::Error| OpenError::Failed(error.to_string());
            match artifact.content {
                Content::Tree(_) => return Ok(Arc::new(store.tree(&path).map_err(failed)?)),
                Content::File(_) => {
                    let store = store.clone();
                    let archive = || async move { blocking(move || store.file(&path).map_err(failed)).await };
                    return self.unpacked(&facts.digest, archive).await;
                }
            }
        }
        self.unpacked(&facts.digest, || self.download(facts)).await
    }

    /// Brings an archive, unpacks it and remembers the tree, unless it is remembered.
    async fn unpacked<A: Future<Output = Result<Vec<u8>, OpenError>>>(
        &self,
        digest: &str,
        archive: impl FnOnce() -> A,
    ) -> Result<Arc<dyn Tree>, OpenError> {
        let cell = self.used(digest);
        let bring = async || {
            let _permit = self.arriving.acquire().await;
            let archive = archive().await?;
            let unpack = move || {
                let limits = unpack::Limits {
                    unpacked_size_max: UNPACKED_BYTES_MAX,
                    ..unpack::Limits::default()
                };
                let tree = unpack::unpack(&*archive, &limits);
                tree.map_err(|error| OpenError::Failed(error.to_string()))
            };
            blocking(unpack).await.map(Arc::new)
        };
        let tree = cell.get_or_try_init(bring).await?;
        Ok(tree.clone())
    }

    /// The place of an archive, which is used now.
    fn used(&self, digest: &str) -> Arc<OnceCell<Arc<MemoryTree>>> {
        let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = unpacked.get(digest) {
            return cell.clone();
        }
        let cell = Arc::default();
        unpacked.put(digest.to_owned(), Arc::clone(&cell));
        cell
    }

    async fn download(&self, facts: &ArtifactFacts) -> Result<Vec<u8>, OpenError> {
        let refused = |text: String| OpenError::Failed(format!("failed to download archive: {text}"));
        let failed = |error: reqwest::Error| refused(cause::whole(&error));
        let url = Url::parse(&facts.url).map_err(|error| refused(format!("'{}': {error}", facts.url)))?;
        self.addresses.check(&url).map_err(refused)?;
        let response = self.http.get(url).send().await.map_err(failed)?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Err(OpenError::NotFound);
        }
        if response.status().is_redirection() {
            let text = "leads elsewhere: put the final address into status.artifact.url";
            return Err(refused(format!("{} {text}", facts.url)));
        }
        let response = response.error_for_status().map_err(failed)?;
        let mut stream = response.bytes_stream();
        let (mut archive, (algorithm, mut hash)) = (Vec::new(), hasher(&facts.digest)?);
        while let Some(chunk) = stream.try_next().await.map_err(failed)? {
            if archive.len() + chunk.len() > DOWNLOAD_BYTES_MAX {
                return Err(too_large(&facts.url));
            }
            hash.update(&chunk);
            archive.extend_from_slice(&chunk);
        }
        let digest = format!("{algorithm}:{}", hex::encode(hash.finalize()));
        if digest != facts.digest {
            return Err(OpenError::Failed(format!(
                "computed digest doesn't match '{}': {} served '{digest}'",
                facts.digest, facts.url
            )));
        }
        Ok(archive)
    }
}

fn too_large(url: &str) -> OpenError {
    OpenError::Failed(format!(
        "the archive of {url} exceeds the limit of {DOWNLOAD_BYTES_MAX} bytes (download_bytes_max): leave files out by \
         spec.ignore of the source"
    ))
}

/// Does what waits for the disk or takes long where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let done = tokio::task::spawn_blocking(work).await;
    // what its panic says may quote what was read
    done.unwrap_or_else(|_| {
        Err(OpenError::Failed(
            "reading the artifact ended unexpectedly".to_owned(),
        ))
    })
}

/// What our store has at a path, if it has this digest. Looks on a thread that may block: after a loss directories are read.
pub(crate) async fn look(store: &Store, path: &ArtifactPath, digest: &str) -> Option<Artifact> {
    let look = match store.known(path) {
        Some(known) => known,
        None => {
            let (store, path) = (store.clone(), path.clone());
            let look = tokio::task::spawn_blocking(move || store.look(&path));
            look.await.unwrap_or(Look::Nothing)
        }
    };
    match look {
        Look::Whole(artifact) => (artifact.digest.to_string() == digest).then_some(artifact),
        Look::Damaged(_) | Look::Nothing => None,
    }
}

/// What makes digests of the algorithm that a digest names: Flux's `--artifact-digest-algo` has several.
fn hasher(digest: &str) -> Result<(&'static str, Box<dyn DynDigest + Send>), OpenError> {
    match digest.split(':').next() {
        Some("sha256") => Ok(("sha256", Box::new(Sha256::default()))),
        Some("sha384") => Ok(("sha384", Box::new(Sha384::default()))),
        Some("sha512") => Ok(("sha512", Box::new(Sha512::default()))),
        _ => Err(OpenError::Failed(format!(
            "the algorithm of digest '{digest}' is not supported: set --artifact-digest-algo of its controller to sha256, sha384 or sha512"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_is_too_large_can_be_made_smaller() {
        assert_eq!(
            too_large("http://store/a.tar.gz").to_string(),
            "the archive of http://store/a.tar.gz exceeds the limit of 67108864 bytes (download_bytes_max): leave files out by \
             spec.ignore of the source"
        );
    }

    #[tokio::test]
    async fn what_a_panic_says_of_an_artifact_is_not_told() {
        let panics: fn() -> Result<(), OpenError> = || panic!("hunter2");
        let error = blocking(panics).await.unwrap_err();
        assert_eq!(error.to_string(), "reading the artifact ended unexpectedly");
    }
}
