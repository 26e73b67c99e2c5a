//! Objects in memory: one counter for all writes, a bounded history of them, and watchers.

mod history;
mod journal;

pub(crate) use history::{Change, ChangeKind, Watch};
pub(crate) use journal::Journal;

use crate::meta;
use history::Table;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Which object of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// Empty for cluster-scoped objects.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(crate) fn of(object: &Value) -> Self {
        Self::new(meta::namespace(object), meta::name(object))
    }
}

/// What must hold for a write to land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// There is no such object.
    Absent,
    /// The stored object has this resource version.
    Revision(u64),
}

/// A write that came too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale;

/// All objects, by table (`group/resource`).
pub(crate) struct Store {
    inner: Mutex<Inner>,
    history_max: usize,
}

struct Inner {
    revision: u64,
    /// What was written up to here was written before a restart: the journal keeps objects, not their history.
    restored: u64,
    tables: BTreeMap<String, Table>,
    journal: Option<Journal>,
    observers: Vec<mpsc::UnboundedSender<Arc<Change>>>,
}

/// A consistent look at some objects.
pub(crate) struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) objects: Vec<Arc<Value>>,
}

impl Store {
    /// `history_max` is how many changes a table remembers for watchers that come back.
    pub(crate) fn new(history_max: usize, journal: Option<Journal>) -> Self {
        let mut inner = Inner {
            revision: 1,
            restored: 0,
            tables: BTreeMap::new(),
            journal: None,
            observers: Vec::new(),
        };
        if let Some(mut journal) = journal {
            let (revision, objects) = journal.take_state();
            inner.revision = revision.max(1);
            inner.restored = revision;
            for (table, object) in objects {
                let key = Key::of(&object);
                inner.table(&table).objects.insert(key, Arc::new(object));
            }
            inner.journal = Some(journal);
        }
        Self {
            inner: Mutex::new(inner),
            history_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere cannot leave a half-made write: every write is one insert at its end.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
    }

    pub(crate) fn get(&self, table: &str, key: &Key) -> Option<Arc<Value>> {
        self.lock().tables.get(table)?.objects.get(key).cloned()
    }

    /// All objects of a table, or of one namespace of it, in the order of namespace and name.
    pub(crate) fn list(&self, table: &str, namespace: Option<&str>) -> Snapshot {
        let inner = self.lock();
        let objects = inner
            .tables
            .get(table)
            .map(|table| table.select(namespace))
            .unwrap_or_default();
        Snapshot {
            revision: inner.revision,
            objects,
        }
    }

    /// The same as it was at an earlier revision; none where history does not reach back.
    pub(crate) fn list_at(
        &self,
        table: &str,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Snapshot, TooOld> {
        let inner = self.lock();
        let objects = match inner.tables.get(table) {
            Some(table) => table.select_at(namespace, revision)?,
            None => Table::since(inner.restored).select_at(namespace, revision)?,
        };
        Ok(Snapshot { revision, objects })
    }

    /// Writes `object` if `expect` holds; its resource version is set here.
    pub(crate) fn put(&self, table: &str, mut object: Value, expect: &Expect) -> Result<Arc<Value>, Stale> {
        let key = Key::of(&object);
        let mut inner = self.lock();
        let previous = inner.table(table).objects.get(&key).cloned();
        match (expect, &previous) {
            (Expect::Absent, None) => {}
            (Expect::Revision(revision), Some(previous)) if revision_of(previous) == *revision => {}
            _ => return Err(Stale),
        }
        inner.revision += 1;
        let revision = inner.revision;
        meta::set(&mut object, "resourceVersion", revision.to_string());
        let object = Arc::new(object);
        let kind = if previous.is_some() {
            ChangeKind::Modified
        } else {
            ChangeKind::Added
        };
        let change = Change {
            table: table.to_owned(),
            revision,
            kind,
            key,
            object: object.clone(),
            previous,
        };
        inner.record(change, self.history_max);
        Ok(object)
    }

    /// Removes an object if it still has this resource version; gives its last state, stamped with the removal's version.
    pub(crate) fn remove(&self, table: &str, key: &Key, expected: u64) -> Result<Arc<Value>, Stale> {
        let mut inner = self.lock();
        let previous = inner.table(table).objects.get(key).cloned().ok_or(Stale)?;
        if revision_of(&previous) != expected {
            return Err(Stale);
        }
        inner.revision += 1;
        let revision = inner.revision;
        let mut last = (*previous).clone();
        meta::set(&mut last, "resourceVersion", revision.to_string());
        let object = Arc::new(last);
        let change = Change {
            table: table.to_owned(),
            revision,
            kind: ChangeKind::Deleted,
            key: key.clone(),
            object: object.clone(),
            previous: Some(previous),
        };
        inner.record(change, self.history_max);
        Ok(object)
    }

    /// Follows a table from `since` (exclusive); without it, from now. Gives none if history does not reach back.
    pub(crate) fn watch(&self, table: &str, since: Option<u64>, backlog: usize) -> Result<Watch, TooOld> {
        let mut inner = self.lock();
        let now = inner.revision;
        inner.table(table).watch(since.unwrap_or(now), backlog)
    }

    /// A consistent look at a table and everything that follows it.
    pub(crate) fn list_and_watch(
        &self,
        table: &str,
        namespace: Option<&str>,
        backlog: usize,
    ) -> (Snapshot, Watch) {
        let mut inner = self.lock();
        let revision = inner.revision;
        let table = inner.table(table);
        let objects = table.select(namespace);
        (
            Snapshot { revision, objects },
            table.subscribe(Vec::new(), backlog),
        )
    }

    /// Every change of every table, for the controllers that live in this process.
    pub(crate) fn observe(&self) -> mpsc::UnboundedReceiver<Arc<Change>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().observers.push(sender);
        receiver
    }

    /// Ends all watches, as a restarting server does.
    pub(crate) fn drop_watches(&self, table: Option<&str>) {
        for (name, entry) in &mut self.lock().tables {
            if table.is_none_or(|table| table == name) {
                entry.drop_watchers();
            }
        }
    }

    /// Forgets history, so that a watch from before now is answered with 410 Gone.
    pub(crate) fn compact(&self) {
        let mut inner = self.lock();
        let revision = inner.revision;
        for table in inner.tables.values_mut() {
            table.compact(revision);
        }
    }
}

/// History does not reach back to the asked revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooOld {
    pub(crate) asked: u64,
    pub(crate) oldest: u64,
}

impl Inner {
    /// One that was not there had no changes, so its history is complete since the start of this process.
    fn table(&mut self, name: &str) -> &mut Table {
        let restored = self.restored;
        let table = self.tables.entry(name.to_owned());
        table.or_insert_with(|| Table::since(restored))
    }

    fn record(&mut self, change: Change, history_max: usize) {
        if let Some(journal) = &mut self.journal {
            journal.append(&change);
            if journal.wants_snapshot() {
                let mut objects: Vec<(String, Arc<Value>)> = Vec::new();
                for (name, table) in &self.tables {
                    objects.extend(
                        table
                            .objects
                            .values()
                            .map(|object| (name.clone(), object.clone())),
                    );
                }
                // the change is not in the table yet
                objects.retain(|(table, object)| *table != change.table || Key::of(object) != change.key);
                if change.kind != ChangeKind::Deleted {
                    objects.push((change.table.clone(), change.object.clone()));
                }
                journal.snapshot(change.revision, &objects);
            }
        }
        let change = Arc::new(change);
        self.observers
            .retain(|observer| observer.send(change.clone()).is_ok());
        self.table(&change.table).record(change, history_max);
    }
}

/// The resource version of a stored object.
pub(crate) fn revision_of(object: &Value) -> u64 {
    meta::resource_version(object).parse().unwrap_or_default()
}
