//! Where artifacts are kept: what a status promises is there, and what nobody needs goes.
//!
//! The store reads and writes files, so it is asked on threads that may block.

use super::SourceSettings;
use crate::reconcilers::aside::elsewhere;
use crate::runtime::{Key, Kind};
use sluice_artifact::store::{self, Look};
use sluice_artifact::{ArtifactPath, Store};

/// Where artifacts are kept, and how.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) store: Store,
    pub(super) settings: SourceSettings,
}

/// What the store has of the artifact that a status names.
pub(super) enum Promised {
    /// It is there; so many older ones went.
    Kept(ArtifactPath, usize),
    /// Something is there, and not this. Why.
    Spoiled(String),
    /// Nothing is there.
    Gone,
}

impl Shelf {
    /// Looks whether what a status promises is there, and lets old artifacts of the object go (compat/source.md 2.4). What is
    /// damaged goes as well, so that it is told of once. None where the process ends.
    pub(super) async fn look(&self, promised: sluice_api::Artifact) -> Option<Promised> {
        let (store, retention) = (self.store.clone(), self.settings.retention);
        let look = move || {
            let Ok(path) = promised.path.parse::<ArtifactPath>() else {
                return Promised::Gone;
            };
            match store.look(&path) {
                Look::Whole(found) if found.digest.to_string() == promised.digest => {
                    let collected = store.collect(&path, retention, jiff::Timestamp::now());
                    Promised::Kept(path, collected.unwrap_or_else(not_collected))
                }
                Look::Whole(_) => {
                    Promised::Spoiled(format!("computed digest doesn't match '{}'", promised.digest))
                }
                Look::Damaged(_) => {
                    store.forget(&path).unwrap_or_else(|error| {
                        not_collected(error);
                    });
                    Promised::Spoiled(format!("files of '{path}' are damaged or missing in storage"))
                }
                Look::Nothing => Promised::Gone,
            }
        };
        let promised = tokio::task::spawn_blocking(look).await.ok()?;
        if matches!(promised, Promised::Kept(_, 1..) | Promised::Spoiled(_)) {
            self.sweep_soon();
        }
        Some(promised)
    }

    /// Removes all artifacts of an object. How many there were.
    ///
    /// # Errors
    /// Some may still be there: the object must not go yet.
    pub(super) async fn remove(&self, kind: &'static Kind, key: &Key) -> Result<usize, String> {
        let (store, key) = (self.store.clone(), key.clone());
        let remove = move || store.remove_object(kind.kind, &key.namespace, &key.name);
        let removed = elsewhere(remove).await;
        let removed = removed.map_err(|broken| format!("removing artifacts {broken}"))?;
        let count = removed.map_err(|error| error.to_string())?;
        if count > 0 {
            self.sweep_soon();
        }
        Ok(count)
    }

    /// Contents that nothing needs any more go in the background: one sweep for all who ask while it has not begun.
    fn sweep_soon(&self) {
        let Some(pause) = self.store.ask_for_sweep() else {
            return;
        };
        let store = self.store.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || store.sweep()).await {
                not_collected(error);
            }
        });
    }
}

fn not_collected(error: store::Error) -> usize {
    tracing::warn!(%error, "garbage collection failed");
    0
}
