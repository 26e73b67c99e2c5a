//! Events go by themselves: an hour after their last write, as `kube-apiserver --event-ttl` has it, and the oldest first where
//! there are very many. They own nothing, so nothing else looks when one goes.

use crate::store::{Change, ChangeKind, Key, Store, revision_of};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// The default of a real API server.
const LIFE: Duration = Duration::from_secs(3600);
/// A server for development holds everything in memory.
const KEPT_MAX: usize = 20_000;

/// The events that there are, by their last write.
#[derive(Default)]
pub(super) struct Expiry {
    written: VecDeque<Written>,
}

struct Written {
    at: Instant,
    key: Key,
    revision: u64,
}

impl Expiry {
    /// Remembers a written event and lets go of those whose time has come.
    pub(super) fn look(&mut self, store: &Store, change: &Change) {
        if change.kind == ChangeKind::Deleted {
            return;
        }
        self.written.push_back(Written {
            at: Instant::now(),
            key: change.key.clone(),
            revision: revision_of(&change.object),
        });
        while let Some(oldest) = self.written.front()
            && (oldest.at.elapsed() >= LIFE || self.written.len() > KEPT_MAX)
        {
            // one that was written again, or is gone, has another revision and stays as it is
            let _ = store.remove(&change.table, &oldest.key, oldest.revision);
            self.written.pop_front();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::Expect;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn an_hour_after_their_last_write_and_when_there_are_too_many() {
        let store = Store::new(10, None);
        let mut changes = store.observe();
        let mut expiry = Expiry::default();
        let mut write = |name: &str, expect: &Expect| {
            let event = json!({ "metadata": { "name": name, "namespace": "a" } });
            let stored = store.put("/events", event, expect).unwrap();
            while let Ok(change) = changes.try_recv() {
                expiry.look(&store, &change);
            }
            revision_of(&stored)
        };
        let names = || -> Vec<String> {
            let events = store.list("/events", None).objects;
            events.iter().map(|event| Key::of(event).name).collect()
        };
        write("once", &Expect::Absent);
        let again = write("twice", &Expect::Absent);
        tokio::time::advance(LIFE / 2).await;
        write("twice", &Expect::Revision(again));
        tokio::time::advance(LIFE / 2).await;
        write("new", &Expect::Absent);
        assert_eq!(names(), ["new", "twice"]);
        for index in 0..KEPT_MAX {
            write(&format!("many-{index:05}"), &Expect::Absent);
        }
        let names = names();
        assert_eq!(
            (names.len(), names.first()),
            (KEPT_MAX, Some(&"many-00000".to_owned()))
        );
    }
}
