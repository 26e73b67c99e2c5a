//! Bringing the archive of a chart from a repository over HTTP (compat/source.md 8.3).

use reqwest::{
    Method, Url,
    header::{HeaderValue, USER_AGENT},
};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{ChartRepository, ChartVersion, error::of_url, repository::AGENT};
use crate::http::{Failure, Request, is_same_origin, shown};

/// Why a chart does not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// The index gives no address, or one that cannot be used.
    #[error("{0}")]
    Address(String),
    /// The server or the way to it.
    #[error("{} ({})", of_url(failure, .url), failure.hint())]
    Fetch {
        /// Without credentials and query.
        url: String,
        /// What went wrong.
        failure: Failure,
    },
    /// Larger than allowed.
    #[error("size of chart '{file}' exceeds '{limit}' bytes limit (--helm-chart-max-size)")]
    TooLarge {
        /// The file's name.
        file: String,
        /// In bytes.
        limit: u64,
    },
    /// It is not what the index promises.
    #[error(
        "the digest of {url} is 'sha256:{found}', but the index of the repository says '{expected}' (the archive was changed after the index was made: make the index anew)"
    )]
    Digest {
        /// Without credentials and query.
        url: String,
        /// In hexadecimal digits.
        found: String,
        /// As the index writes it.
        expected: String,
    },
}

impl ChartRepository {
    /// Brings the archive of a version. Credentials go to the repository's own origin, and elsewhere only where the user
    /// says so.
    ///
    /// # Errors
    /// See [`DownloadError`].
    pub async fn download(&self, version: &ChartVersion) -> Result<Vec<u8>, DownloadError> {
        let url = self.chart_url(version)?;
        let failed = |failure| DownloadError::Fetch {
            url: shown(&url),
            failure,
        };
        let limit = self.fetcher.limits().chart_size_max;
        let mut request = Request::new(Method::GET, url.clone());
        request
            .headers
            .insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if self.passes_credentials || is_same_origin(&url, &self.url) {
            request.authorization.clone_from(&self.authorization);
        }
        let sent = self.http.send(request, Instant::now() + self.timeout).await;
        let mut reply = sent.and_then(crate::http::Reply::ok).map_err(failed)?;
        reply.extend(self.timeout);
        let mut archive = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(failed)? {
            if (archive.len() + chunk.len()) as u64 > limit {
                let file = url.path().rsplit('/').next().unwrap_or_default().to_owned();
                return Err(DownloadError::TooLarge { file, limit });
            }
            archive.extend_from_slice(&chunk);
        }
        check(&archive, version, &url)?;
        Ok(archive)
    }

    /// The first address of a version. A relative one lies below the repository, and has its query.
    fn chart_url(&self, version: &ChartVersion) -> Result<Url, DownloadError> {
        let unusable = |text: String| DownloadError::Address(text);
        let address = version.urls.first().ok_or_else(|| {
            let name = &version.name;
            unusable(format!("chart '{name}' has no downloadable URLs"))
        })?;
        let url = match Url::parse(address) {
            Ok(url) => url,
            Err(_) => {
                let mut base = self.url.clone();
                base.set_path(&format!("{}/", base.path().trim_end_matches('/')));
                let mut url = base
                    .join(address)
                    .map_err(|error| unusable(format!("failed to parse {address} as URL: {error}")))?;
                url.set_query(self.url.query());
                url
            }
        };
        match url.scheme() {
            "http" | "https" => Ok(url),
            scheme => Err(unusable(format!(
                "the address {} of chart '{}' has the scheme \"{scheme}\", which is not supported here (charts of registries need a HelmRepository of type oci)",
                shown(&url),
                version.name
            ))),
        }
    }
}

/// The digest of an index is looked at where it is one: 64 hexadecimal digits, with or without `sha256:`.
fn check(archive: &[u8], version: &ChartVersion, url: &Url) -> Result<(), DownloadError> {
    let expected = version.digest.strip_prefix("sha256:").unwrap_or(&version.digest);
    if expected.len() != 64 || !expected.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let found = hex::encode(Sha256::digest(archive));
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(DownloadError::Digest {
        url: shown(url),
        found,
        expected: version.digest.clone(),
    })
}
