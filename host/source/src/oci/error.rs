//! Why an artifact could not be had: Flux's words first, then the cause and what to do (compat/source.md 6.2).

use std::time::Duration;

use sluice_api::{Blame, Disposition, Next, Reason, reason};

use crate::http::Failure;
use sluice_artifact::unpack;

/// What the registry or the way to it did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// An answer that is no success, or none at all.
    #[error("{method} {url}: {}{failure} ({})", quoted(.said), failure.hint())]
    Http {
        /// `GET`.
        method: String,
        /// Without credentials and query.
        url: String,
        /// What the registry said: `MANIFEST_UNKNOWN: manifest unknown`.
        said: Option<String>,
        /// What went wrong.
        failure: Box<Failure>,
    },
    /// An answer that cannot be right.
    #[error("{0}")]
    Content(String),
    /// A manifest that cannot be read, by its digest.
    #[error("failed to parse manifest {0}")]
    Manifest(String),
    /// There are no credentials where some must be.
    #[error("failed to get access token for artifact registry: {0}")]
    Credentials(String),
    /// Our own disk.
    #[error("{0}")]
    Disk(String),
    /// What the user asks for is not there, or cannot be asked for.
    #[error("{0}")]
    Wish(String),
}

fn quoted(said: &Option<String>) -> String {
    said.as_ref().map_or_else(String::new, |said| format!("{said}: "))
}

impl Cause {
    /// The failure of the way, where that was it.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Cause::Http { failure, .. } => Some(failure.as_ref()),
            Cause::Content(_)
            | Cause::Manifest(_)
            | Cause::Credentials(_)
            | Cause::Disk(_)
            | Cause::Wish(_) => None,
        }
    }
}

/// A failure to fetch an artifact. The text is the message of the condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `spec.url` cannot be used: it must change.
    #[error("URL validation failed for '{url}': {problem}")]
    InvalidUrl {
        /// As the user wrote it.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Certificates, keys or the proxy cannot be used.
    #[error("failed to generate transport for '{url}': {problem}")]
    Transport {
        /// As the user wrote it.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// Which tag cannot be found out.
    #[error("failed to determine the artifact tag for '{url}': {cause}")]
    Tag {
        /// As the user wrote it.
        url: String,
        /// Why.
        cause: Cause,
    },
    /// Which digest a tag has cannot be found out.
    #[error("failed to determine artifact digest: {0}")]
    Digest(Cause),
    /// Its manifest or its content does not come.
    #[error("failed to pull artifact from '{url}': {cause}")]
    Pull {
        /// As the user wrote it.
        url: String,
        /// Why.
        cause: Cause,
    },
    /// Its manifest cannot be read.
    #[error("failed to parse artifact manifest: {0}")]
    Manifest(String),
    /// It has no content that could be used.
    #[error("{0}")]
    Layer(String),
    /// The content of the layer cannot be had.
    #[error("{}: {}", step(.0), .0)]
    Blob(Cause),
}

/// Where Flux finds that out: it asks for a layer before it reads it.
fn step(cause: &Cause) -> &'static str {
    match cause {
        Cause::Http { .. } | Cause::Credentials(_) | Cause::Wish(_) => {
            "failed to extract the first layer from artifact"
        }
        Cause::Content(_) | Cause::Manifest(_) | Cause::Disk(_) => {
            "failed to extract layer contents from artifact"
        }
    }
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Error::InvalidUrl { .. } => reason::URL_INVALID,
            Error::Transport { .. } => reason::AUTHENTICATION_FAILED,
            Error::Tag { .. } => reason::READ_OPERATION_FAILED,
            Error::Digest(_) | Error::Pull { .. } => reason::OCI_ARTIFACT_PULL_FAILED,
            Error::Manifest(_) | Error::Layer(_) | Error::Blob(_) => {
                reason::OCI_ARTIFACT_LAYER_OPERATION_FAILED
            }
        }
    }

    fn next(&self) -> Next {
        match self {
            Error::InvalidUrl { .. } => Next::Stall,
            Error::Tag { cause, .. }
            | Error::Digest(cause)
            | Error::Pull { cause, .. }
            | Error::Blob(cause) => match cause {
                Cause::Wish(_) | Cause::Credentials(_) => Next::Retry,
                Cause::Http { .. } | Cause::Content(_) | Cause::Manifest(_) | Cause::Disk(_) => Next::BackOff,
            },
            Error::Transport { .. } | Error::Manifest(_) | Error::Layer(_) => Next::Retry,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::InvalidUrl { .. } | Error::Transport { .. } => Blame::User,
            Error::Tag { cause, .. }
            | Error::Digest(cause)
            | Error::Pull { cause, .. }
            | Error::Blob(cause) => match cause {
                Cause::Wish(_) | Cause::Credentials(_) => Blame::User,
                Cause::Http { .. } | Cause::Content(_) | Cause::Manifest(_) => Blame::Upstream,
                Cause::Disk(_) => Blame::Host,
            },
            Error::Manifest(_) | Error::Layer(_) => Blame::Upstream,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Tag { cause, .. }
            | Error::Digest(cause)
            | Error::Pull { cause, .. }
            | Error::Blob(cause) => cause.failure()?.retry_after(),
            Error::InvalidUrl { .. } | Error::Transport { .. } | Error::Manifest(_) | Error::Layer(_) => None,
        }
    }
}

/// What a hostile or damaged archive is in the words of the condition.
pub(super) fn of_archive(error: &unpack::Error) -> String {
    format!("failed to extract layer contents from artifact: {error}")
}
