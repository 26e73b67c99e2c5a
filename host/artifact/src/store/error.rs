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
    #[error("unable to {action}: {cause}{}", remedy(cause))]
    Storage {
        /// What was tried.
        action: &'static str,
        /// Why it failed. Part of the text, for conditions have no other place for it.
        cause: io::Error,
    },
    /// Whoever wanted the artifact does not want it any more.
    #[error("the artifact is not wanted any more: its object is gone, or has changed")]
    Unwanted,
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
        move |cause| Error::Storage { action, cause }
    }

    /// Whether fetching the artifact again mends it.
    pub fn is_loss(&self) -> bool {
        matches!(
            self,
            Error::NotFound(_) | Error::Damaged { .. } | Error::Missing { .. }
        )
    }
}

/// What can be done where the volume of `--storage-path` refuses, if the cause says so: to be put right behind the cause's text,
/// in parentheses and with a blank before them, or nothing.
pub fn remedy(cause: &io::Error) -> &'static str {
    /// The same numbers on every system that this program runs on.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    match (cause.kind(), cause.raw_os_error()) {
        (io::ErrorKind::StorageFull, _) => " (enlarge the volume of --storage-path)",
        (io::ErrorKind::QuotaExceeded, _) => " (raise the quota of the volume of --storage-path)",
        (io::ErrorKind::ReadOnlyFilesystem, _) => " (the volume of --storage-path must be writable)",
        (_, Some(EMFILE)) => " (raise the limit of open files of this process: ulimit -n)",
        (_, Some(ENFILE)) => " (raise the limit of open files of the machine: fs.file-max)",
        _ => "",
    }
}
