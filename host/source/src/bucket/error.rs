//! Why a bucket could not be had: Flux's words first, then the cause and what to do (compat/source.md 9.2).

use std::time::Duration;

use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_artifact::store;

/// Why a bucket could not be had. The text is the message of the condition.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Certificates, keys or addresses cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The bucket is not there.
    #[error("bucket '{0}' not found (correct spec.bucketName, or spec.endpoint)")]
    NoBucket(String),
    /// It cannot be asked whether it is there.
    #[error("failed to confirm existence of '{bucket}' bucket: {cause}")]
    Unknown {
        /// Its name.
        bucket: String,
        /// Why.
        cause: String,
        /// How long the store wants to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// It cannot be listed.
    #[error(
        "indexation of objects from bucket '{bucket}' failed: listing objects from bucket '{bucket}' failed: {cause}"
    )]
    Index {
        /// Its name.
        bucket: String,
        /// Why.
        cause: String,
        /// How long the store wants to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// An object does not come.
    #[error("fetch from bucket '{bucket}' failed: failed to get '{key}' object: {cause}")]
    Object {
        /// The bucket's name.
        bucket: String,
        /// The object's name.
        key: String,
        /// Why.
        cause: String,
        /// How long the store wants to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// Our own disk.
    #[error("fetch from bucket '{bucket}' failed: {cause}")]
    Disk {
        /// The bucket's name.
        bucket: String,
        /// What the system said.
        cause: String,
    },
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Error::Unusable(_) => reason::AUTHENTICATION_FAILED,
            Error::NoBucket(_)
            | Error::Unknown { .. }
            | Error::Index { .. }
            | Error::Object { .. }
            | Error::Disk { .. } => reason::BUCKET_OPERATION_FAILED,
        }
    }

    fn next(&self) -> Next {
        match self {
            Error::Unusable(_) | Error::NoBucket(_) => Next::Retry,
            Error::Unknown { .. } | Error::Index { .. } | Error::Object { .. } | Error::Disk { .. } => {
                Next::BackOff
            }
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Unusable(_) | Error::NoBucket(_) => Blame::User,
            Error::Unknown { .. } | Error::Index { .. } | Error::Object { .. } => Blame::Upstream,
            Error::Disk { .. } => Blame::Host,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Unknown { after, .. } | Error::Index { after, .. } | Error::Object { after, .. } => *after,
            Error::Unusable(_) | Error::NoBucket(_) | Error::Disk { .. } => None,
        }
    }
}

/// Why what was downloaded could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Two keys that cannot both be files.
    #[error("unable to archive artifact to storage: '{0}' is both a file and a directory")]
    Clash(String),
    /// The disk under it.
    #[error("unable to archive artifact to storage: {0}")]
    Disk(String),
    /// The store.
    #[error("unable to archive artifact to storage: {0}")]
    Store(#[from] store::Error),
}

impl Disposition for StoreError {
    fn reason(&self) -> Reason {
        reason::ARCHIVE_OPERATION_FAILED
    }

    fn next(&self) -> Next {
        match self {
            StoreError::Clash(_) => Next::Retry,
            StoreError::Disk(_) | StoreError::Store(_) => Next::BackOff,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            StoreError::Clash(_) => Blame::Upstream,
            StoreError::Disk(_) | StoreError::Store(_) => Blame::Host,
        }
    }
}
