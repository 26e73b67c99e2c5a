//! Forgetting: records as Flux's flags say, then contents that no record needs.

use std::{collections::HashSet, io, io::Write, time::Duration};

use super::{
    ArtifactPath, Error, Store,
    draft::sync_directory,
    segment::{self, MAGIC},
};
use crate::Digest;

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

/// A segment less than half of which is needed is written again, unless it is this small (bytes).
const REWRITE_ABOVE: u64 = 1 << 20;

impl Store {
    /// Removes old artifacts of the object that `current` belongs to, never `current` itself.
    /// Returns how many went.
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
        if !removed.is_empty() {
            self.sweep()?;
        }
        Ok(removed.len())
    }

    /// Removes everything of one object. Returns how many artifacts went.
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
            self.sweep()?;
        }
        Ok(removed.len())
    }

    /// Removes one artifact's record; its contents go with the next sweep.
    pub fn forget(&self, path: &ArtifactPath) -> Result<(), Error> {
        match self.inner.root.remove_file(path.record_path()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(Error::Storage {
                    action: "remove artifact",
                    source,
                });
            }
        }
        let mut state = self.state();
        state.records.remove(path);
        if state.newest.get(&path.object()) == Some(path) {
            state.newest.remove(&path.object());
        }
        Ok(())
    }

    /// Drops contents that neither a record nor a living tree needs.
    /// Does nothing while a draft is being written; the next sweep will.
    pub(crate) fn sweep(&self) -> Result<(), Error> {
        let failed = Error::storage("collect garbage in the artifact store");
        let mut live = HashSet::new();
        {
            let mut state = self.state();
            if state.open_drafts > 0 {
                return Ok(());
            }
            state.pins.retain(|pin| pin.strong_count() > 0);
            let pinned: Vec<_> = state
                .pins
                .iter()
                .filter_map(|pin| pin.upgrade().map(|pin| pin.0))
                .collect();
            let kept: Vec<_> = state.records.values().map(|record| record.content).collect();
            for root in kept.into_iter().chain(pinned) {
                // A damaged tree keeps what of it can still be found; it is fetched again soon.
                // A disk that does not answer is no time to delete.
                if let Err(Error::Storage { .. }) = state.mark_content(root, &mut live) {
                    return Ok(());
                }
            }
            let dead: Vec<u64> = state.segments.keys().copied().collect();
            let mut needed = std::collections::HashMap::<u64, u64>::new();
            for (digest, location) in &state.contents {
                if live.contains(digest) {
                    *needed.entry(location.segment).or_default() += location.length.max(1);
                }
            }
            for number in dead {
                let size = state.segments.get(&number).map_or(0, |segment| segment.size);
                match needed.get(&number) {
                    None => {
                        state.contents.retain(|_, location| location.segment != number);
                        state.segments.remove(&number);
                        self.inner
                            .root
                            .remove_file(format!("segments/{number}.seg"))
                            .map_err(&failed)?;
                    }
                    Some(needed) if size > REWRITE_ABOVE && *needed < size / 2 => {
                        self.rewrite(&mut state, number, &live).map_err(&failed)?;
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Copies the needed contents of a segment to a new one and removes the old.
    fn rewrite(&self, state: &mut super::State, number: u64, live: &HashSet<Digest>) -> io::Result<()> {
        let root = &self.inner.root;
        let Some(old) = state
            .segments
            .get(&number)
            .map(|segment| std::sync::Arc::clone(&segment.file))
        else {
            return Ok(());
        };
        state.next_temporary += 1;
        let temporary = format!("tmp/{}", state.next_temporary);
        let mut file = io::BufWriter::new(root.create(&temporary)?);
        file.write_all(MAGIC)?;
        let mut end = MAGIC.len() as u64;
        for (digest, location) in segment::scan(number, &old)? {
            if live.contains(&digest)
                && let Ok(content) = segment::read(&old, location, &digest)?
            {
                segment::append(&mut file, &mut end, &digest, &content)?;
            }
        }
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        let next = state.next_segment;
        let name = format!("segments/{next}.seg");
        root.rename(&temporary, root, &name)?;
        sync_directory(root, "segments")?;
        state.contents.retain(|_, location| location.segment != number);
        state.segments.remove(&number);
        state.add_segment(next, root.open(&name)?)?;
        root.remove_file(format!("segments/{number}.seg"))
    }
}
