//! What can go wrong with a store.

use std::{io, path::PathBuf};

use super::ArtifactPath;
use crate::Digest;

/// A failure of the artifact store. Variants tell what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage path is not a directory that can be used: the configuration must change.
    #[error("invalid dir path: {path}")]
    Open {
        /// The configured path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk is full, read-only or broken: the last good state stays, try again later.
    #[error("unable to {action}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Nothing is stored there.
    #[error("artifact {0} is not in storage")]
    NotFound(ArtifactPath),
    /// Bytes on disk are not those that were written: fetch again.
    #[error("{what} in the artifact store is damaged: expected {expected}, found {found}")]
    Damaged {
        /// Which content.
        what: String,
        /// The digest it was stored under.
        expected: Digest,
        /// The digest of what was read.
        found: Digest,
    },
    /// A content that a record needs is gone: fetch again.
    #[error("{what} is missing from the artifact store")]
    Missing {
        /// Which content.
        what: String,
    },
    /// The input is larger than a limit.
    #[error("{what} is larger than the limit of {limit} bytes ({knob})")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit in bytes.
        limit: u64,
        /// The limit's name.
        knob: &'static str,
    },
}

impl Error {
    pub(crate) fn storage(action: &'static str) -> impl Fn(io::Error) -> Error {
        move |source| Error::Storage { action, source }
    }

    /// Whether fetching the artifact again mends it.
    pub fn is_loss(&self) -> bool {
        matches!(
            self,
            Error::NotFound(_) | Error::Damaged { .. } | Error::Missing { .. }
        )
    }
}
