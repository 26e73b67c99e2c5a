//! Why an index could not be had: Flux's words first, then the cause and what to do (compat/source.md 7.2).

use std::time::Duration;

use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_artifact::store;

use crate::http::Failure;

/// Why an index could not be had. The text is the message of the condition.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `spec.url` cannot be used: it must change.
    #[error("invalid Helm repository URL: {0}")]
    InvalidUrl(String),
    /// Certificates or keys cannot be used.
    #[error("failed to construct Helm client's TLS config: {0}")]
    Transport(String),
    /// The index does not come.
    #[error(
        "failed to fetch Helm repository index: failed to cache index to temporary file: {} ({})",
        of_url(failure, .url), failure.hint()
    )]
    Fetch {
        /// Without credentials and query.
        url: String,
        /// What went wrong.
        failure: Failure,
    },
    /// The index is larger than allowed.
    #[error(
        "failed to fetch Helm repository index: failed to cache index to temporary file: index exceeds the maximum index file size of {0} bytes (--helm-index-max-size)"
    )]
    TooLarge(u64),
    /// The index cannot be read.
    #[error("failed to load Helm repository from index YAML: failed to load index: {0}")]
    Index(String),
    /// Our own disk.
    #[error("failed to fetch Helm repository index: failed to cache index to temporary file: {0}")]
    Disk(String),
    /// The store cannot take it.
    #[error("unable to save artifact to storage: {0}")]
    Store(#[from] store::Error),
}

/// Helm's library names the address first, and the status where a server answered.
pub(super) fn of_url(failure: &Failure, url: &str) -> String {
    match failure.status() {
        Some(status) => format!("failed to fetch {url} : {status}"),
        None => format!("Get \"{url}\": {failure}"),
    }
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Error::InvalidUrl(_) => reason::URL_INVALID,
            Error::Transport(_) => reason::AUTHENTICATION_FAILED,
            Error::Fetch { .. } | Error::TooLarge(_) | Error::Disk(_) => reason::FAILED,
            Error::Index(_) => reason::INDEXATION_FAILED,
            Error::Store(_) => reason::ARCHIVE_OPERATION_FAILED,
        }
    }

    fn next(&self) -> Next {
        match self {
            Error::InvalidUrl(_) => Next::Stall,
            Error::Transport(_) | Error::TooLarge(_) | Error::Index(_) => Next::Retry,
            Error::Fetch { .. } | Error::Disk(_) | Error::Store(_) => Next::BackOff,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::InvalidUrl(_) | Error::Transport(_) => Blame::User,
            Error::Fetch { .. } | Error::TooLarge(_) | Error::Index(_) => Blame::Upstream,
            Error::Disk(_) | Error::Store(_) => Blame::Host,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Fetch { failure, .. } => failure.retry_after(),
            Error::InvalidUrl(_)
            | Error::Transport(_)
            | Error::TooLarge(_)
            | Error::Index(_)
            | Error::Disk(_)
            | Error::Store(_) => None,
        }
    }
}
