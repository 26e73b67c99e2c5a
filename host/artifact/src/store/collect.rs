//! Forgetting artifacts, as Flux's flags say. Their contents go with the next sweep.

use std::{io, time::Duration};

use super::{ArtifactPath, Error, Store};

/// How many old artifacts of an object are kept, and how long: `--artifact-retention-ttl` and
/// `--artifact-retention-records`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Artifacts older than this may go.
    pub ttl: Duration,
    /// At most this many stay, the current one counted.
    pub records: usize,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            ttl: Duration::from_secs(60),
            records: 2,
        }
    }
}

impl Store {
    /// Removes old artifacts of the object that `current` belongs to, never `current` itself.
    /// Returns how many went: where any did, a [`Store::sweep`] is worth its time.
    pub fn collect(
        &self,
        current: &ArtifactPath,
        retention: Retention,
        now: jiff::Timestamp,
    ) -> Result<usize, Error> {
        let mut old: Vec<(jiff::Timestamp, ArtifactPath)> = {
            let state = self.state();
            let others = state
                .records
                .iter()
                .filter(|(path, _)| current.is_sibling(path) && *path != current);
            others
                .map(|(path, record)| (record.last_update_time, path.clone()))
                .collect()
        };
        old.sort();
        let total = old.len() + 1;
        let is_expired =
            |time: jiff::Timestamp| now.duration_since(time).unsigned_abs() > retention.ttl && now > time;
        let expired = old.iter().filter(|(time, _)| is_expired(*time)).count();
        // Oldest first: the expired ones are the first ones.
        let surplus = total.saturating_sub(retention.records.max(1));
        let removed: Vec<ArtifactPath> = old
            .into_iter()
            .take(expired.max(surplus))
            .map(|(_, path)| path)
            .collect();
        for path in &removed {
            self.forget(path)?;
        }
        Ok(removed.len())
    }

    /// Removes everything of one object. Returns how many artifacts went, as [`Store::collect`] does.
    pub fn remove_object(&self, kind: &str, namespace: &str, name: &str) -> Result<usize, Error> {
        let kind = kind.to_lowercase();
        let is_of_object = |path: &&ArtifactPath| {
            (path.kind(), path.namespace(), path.name()) == (kind.as_str(), namespace, name)
        };
        let removed: Vec<ArtifactPath> = self
            .state()
            .records
            .keys()
            .filter(is_of_object)
            .cloned()
            .collect();
        for path in &removed {
            self.forget(path)?;
        }
        if let Some(path) = removed.first() {
            // Not empty when something else put a file there; then it stays.
            let _kept: io::Result<()> = self.inner.root.remove_dir(path.record_directory());
        }
        Ok(removed.len())
    }

    /// Removes one artifact's record; its contents go with the next sweep.
    pub fn forget(&self, path: &ArtifactPath) -> Result<(), Error> {
        let mut state = self.state();
        match self.inner.root.remove_file(path.record_path()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::storage("remove artifact")(error)),
        }
        state.remove(path);
        Ok(())
    }
}
