use crate::metrics::{WordLabels, metrics};
use std::time::Duration;
use tracing::debug;

/// A source had something new and it is stored.
pub struct ArtifactStored<'a> {
    /// Flux's revision, `main@sha1:…`.
    pub revision: &'a str,
    /// Digest of the artifact, `sha256:…`.
    pub digest: &'a str,
    /// How long fetching and storing took.
    pub duration: Duration,
}

impl ArtifactStored<'_> {
    /// Logs at debug and counts: what users are told of it is the line of the reconcile.
    pub fn emit(self) {
        metrics().fetches.get_or_create(&WordLabels { word: "new" }).inc();
        debug!(revision = self.revision, digest = self.digest, duration = ?self.duration, "stored artifact for revision '{}'", self.revision);
    }
}

/// A source was asked and had nothing new.
pub struct FetchUnchanged<'a> {
    /// The revision that is still the newest.
    pub revision: &'a str,
}

impl FetchUnchanged<'_> {
    /// Logs at debug and counts.
    pub fn emit(self) {
        metrics()
            .fetches
            .get_or_create(&WordLabels { word: "unchanged" })
            .inc();
        debug!(
            revision = self.revision,
            "no changes since last reconciliation: observed revision '{}'", self.revision
        );
    }
}

/// A source could not be fetched. The last good artifact stays.
pub struct FetchFailed;

impl FetchFailed {
    /// Counts: what failed is told by the line of the reconcile.
    pub fn emit(self) {
        metrics()
            .fetches
            .get_or_create(&WordLabels { word: "failed" })
            .inc();
    }
}
