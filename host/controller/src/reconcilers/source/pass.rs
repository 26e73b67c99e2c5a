//! One pass over one source, as its kind sees it.

use super::report::Report;
use super::{Shelf, Trouble};
use crate::artifacts::look;
use crate::error_policy::Failure;
use crate::reconcilers::aside::elsewhere;
use crate::runtime::{Kind, Run};
use sluice_api::source::{Source, SourceStatus as _};
use sluice_api::{Disposition, reason};
use sluice_artifact::{Artifact, ArtifactPath, Store, StoreTree};
use sluice_event::events::ArtifactStored;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Work shorter than this is not worth a status write of its own.
const PROGRESS_GRACE: Duration = Duration::from_secs(1);

/// One pass over one source.
pub(in crate::reconcilers) struct Pass<'a, K: Source> {
    /// The object's name, the runtime.
    pub(in crate::reconcilers) run: &'a Run,
    /// The object as its user wrote it.
    pub(in crate::reconcilers) object: &'a K,
    /// What is said of it.
    pub(in crate::reconcilers) report: Report<'a, K::Status>,
    pub(super) kind: &'static Kind,
    pub(super) shelf: &'a Shelf,
    pub(super) latest: Option<&'static str>,
}

impl<K: Source> Pass<'_, K> {
    /// The revision of the artifact that is stored.
    pub(in crate::reconcilers) fn stored_revision(&self) -> Option<&str> {
        self.report
            .status
            .artifact()
            .map(|artifact| artifact.revision.as_str())
    }

    /// The files of another source's artifact, if they are in the same store and are what its status says.
    pub(in crate::reconcilers) async fn open(
        &self,
        artifact: &sluice_api::Artifact,
    ) -> Result<StoreTree, String> {
        let absent = || {
            format!(
                "{} is not in storage (it comes back with the next pass of its source)",
                artifact.path
            )
        };
        let path = artifact
            .path
            .parse::<ArtifactPath>()
            .map_err(|error| error.to_string())?;
        let store = &self.shelf.store;
        look(store, &path, &artifact.digest).await.ok_or_else(absent)?;
        store.tree(&path).map_err(|error| error.to_string())
    }

    /// Waits for work. If it lasts, the status says that it goes on; if a newer wish comes, it is left to itself.
    pub(in crate::reconcilers) async fn patiently<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Trouble> {
        tokio::pin!(work);
        loop {
            match tokio::time::timeout(PROGRESS_GRACE, &mut work).await {
                Ok(done) => return Ok(done),
                Err(_) if self.run.is_superseded() => return Err(Trouble::Superseded),
                Err(_) => self.report.write().await.map(drop).map_err(Trouble::NotWritten)?,
            }
        }
    }

    /// Waits for what is fetched, as patiently. What fails says by itself which condition tells of it.
    pub(in crate::reconcilers) async fn fetch<T, E: Disposition + std::fmt::Display>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Trouble> {
        let fetched = self.patiently(work).await?;
        fetched.map_err(|error| Trouble::of(&error))
    }

    /// Makes something the artifact: `write` puts it into the store under the path of `file`, on a thread that may block.
    /// `metadata` is what the remote says of it.
    pub(in crate::reconcilers) async fn store<E>(
        &mut self,
        file: &str,
        metadata: BTreeMap<String, String>,
        write: impl FnOnce(&Store, &ArtifactPath) -> Result<Artifact, E> + Send + 'static,
    ) -> Result<(), Trouble>
    where
        E: Disposition + std::fmt::Display + Send + 'static,
    {
        let started = Instant::now();
        let (namespace, name) = (&self.run.key.namespace, &self.run.key.name);
        let path = ArtifactPath::new(self.kind.kind, namespace, name, file)
            .map_err(|error| Trouble::storage(Failure::stall(reason::INVALID_PATH, error.to_string())))?;
        // Who gives up waiting gives up what is written: a later pass may store something newer, or remove it all.
        let (store, _turn) = self.shelf.store.turn();
        let work = elsewhere(move || write(&store, &path));
        let artifact = match self.patiently(work).await? {
            Ok(stored) => stored.map_err(|error| Trouble::of(&error))?,
            Err(broken) => {
                let message = format!("storing the artifact {broken}");
                let failure = Failure::retry(reason::ARCHIVE_OPERATION_FAILED, message);
                return Err(Trouble::storage(failure));
            }
        };
        ArtifactStored {
            revision: &artifact.revision,
            digest: &artifact.digest.to_string(),
            duration: started.elapsed(),
        }
        .emit();
        let address = &self.shelf.settings.advertised_address;
        self.report.stored(&artifact, metadata, address, self.latest);
        Ok(())
    }
}
