use super::{Key, TooOld};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One write.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) table: String,
    pub(crate) revision: u64,
    pub(crate) kind: ChangeKind,
    pub(crate) key: Key,
    pub(crate) object: Arc<Value>,
    pub(crate) previous: Option<Arc<Value>>,
}

/// The changes of one table: those missed, then those to come. The channel ends when the reader falls too far behind.
pub(crate) struct Watch {
    pub(crate) missed: Vec<Arc<Change>>,
    pub(crate) next: mpsc::Receiver<Arc<Change>>,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Arc<Change>>,
    /// Changes up to this revision are forgotten.
    forgotten: u64,
    watchers: Vec<mpsc::Sender<Arc<Change>>>,
}

impl Table {
    /// A table without objects whose changes up to `revision` nobody knows.
    pub(super) fn since(revision: u64) -> Self {
        Self {
            forgotten: revision,
            ..Self::default()
        }
    }

    pub(super) fn select(&self, namespace: Option<&str>) -> Vec<Arc<Value>> {
        match namespace {
            None => self.objects.values().cloned().collect(),
            Some(namespace) => self
                .objects
                .range(Key::new(namespace, "")..)
                .take_while(|(key, _)| key.namespace == namespace)
                .map(|(_, object)| object.clone())
                .collect(),
        }
    }

    /// The objects as they were, found by undoing what came after.
    pub(super) fn select_at(
        &self,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Vec<Arc<Value>>, TooOld> {
        if revision < self.forgotten {
            return Err(TooOld {
                asked: revision,
                oldest: self.forgotten,
            });
        }
        let mut objects = self.objects.clone();
        for change in self
            .history
            .iter()
            .rev()
            .take_while(|change| change.revision > revision)
        {
            match &change.previous {
                Some(previous) => drop(objects.insert(change.key.clone(), previous.clone())),
                None => drop(objects.remove(&change.key)),
            }
        }
        let is_meant = |key: &Key| namespace.is_none_or(|namespace| namespace == key.namespace);
        Ok(objects
            .into_iter()
            .filter(|(key, _)| is_meant(key))
            .map(|(_, object)| object)
            .collect())
    }

    pub(super) fn record(&mut self, change: Arc<Change>, history_max: usize) {
        match change.kind {
            ChangeKind::Deleted => drop(self.objects.remove(&change.key)),
            ChangeKind::Added | ChangeKind::Modified => {
                self.objects.insert(change.key.clone(), change.object.clone());
            }
        }
        // a watcher that is full has lost touch: it is dropped and comes back with its last resource version
        self.watchers
            .retain(|watcher| watcher.try_send(change.clone()).is_ok());
        self.history.push_back(change);
        while self.history.len() > history_max {
            if let Some(oldest) = self.history.pop_front() {
                self.forgotten = oldest.revision;
            }
        }
    }

    pub(super) fn watch(&mut self, since: u64, backlog: usize) -> Result<Watch, TooOld> {
        if since < self.forgotten {
            return Err(TooOld {
                asked: since,
                oldest: self.forgotten,
            });
        }
        let missed = self
            .history
            .iter()
            .filter(|change| change.revision > since)
            .cloned()
            .collect();
        Ok(self.subscribe(missed, backlog))
    }

    pub(super) fn subscribe(&mut self, missed: Vec<Arc<Change>>, backlog: usize) -> Watch {
        let (sender, next) = mpsc::channel(backlog.max(1));
        self.watchers.retain(|watcher| !watcher.is_closed());
        self.watchers.push(sender);
        Watch { missed, next }
    }

    pub(super) fn drop_watchers(&mut self) {
        self.watchers.clear();
    }

    pub(super) fn compact(&mut self, revision: u64) {
        self.history.clear();
        self.forgotten = revision;
        self.watchers.clear();
    }
}
