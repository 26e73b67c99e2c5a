//! Results that still hold.

use crate::build::Rendered;
use sluice_artifact::Tree;
use sluice_wasm::Closure;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What names a result apart from the tree: plugins, spec, configuration, context.
pub(crate) type Key = [u8; 32];

/// Keeps results, each with the closure that it depends on. Bounded by bytes; what was used longest ago goes first.
#[derive(Debug)]
pub struct Memo<T = Rendered> {
    bytes_max: u64,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    entries: BTreeMap<Key, Vec<Entry<T>>>,
    by_age: BTreeMap<u64, Key>,
    bytes: u64,
    clock: u64,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            by_age: BTreeMap::new(),
            bytes: 0,
            clock: 0,
        }
    }
}

#[derive(Debug)]
struct Entry<T> {
    closure: Arc<Closure>,
    /// Some where the result holds for this revision only.
    revision: Option<String>,
    result: Arc<T>,
    bytes: u64,
    used: u64,
}

/// How many results one key keeps: the newest, and one before it, for a revert or two sources in turn.
const ENTRIES_PER_KEY: usize = 2;

impl<T> Default for Memo<T> {
    /// 64 MiB: 1000 Kustomizations of 3 objects take a tenth of it.
    fn default() -> Self {
        Self::new(64 << 20)
    }
}

impl<T> Memo<T> {
    /// A memo of at most `bytes_max` bytes of manifests and closures, roughly counted. 0 keeps nothing.
    pub fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            state: Mutex::default(),
        }
    }

    /// The result under `key` whose closure holds in `tree`.
    pub(crate) fn find(&self, key: &Key, tree: &dyn Tree, revision: &str) -> Option<Arc<T>> {
        // digests are compared without the lock: they may have to read
        let candidates: Vec<_> = {
            let state = self.lock();
            let entries = state.entries.get(key)?;
            let current = entries
                .iter()
                .filter(|entry| entry.revision.as_deref().is_none_or(|of| of == revision));
            current
                .map(|entry| (Arc::clone(&entry.closure), Arc::clone(&entry.result), entry.used))
                .collect()
        };
        let (_, result, used) = candidates
            .into_iter()
            .rev()
            .find(|(closure, ..)| closure.holds_in(tree))?;
        self.lock().touch(key, used);
        Some(result)
    }

    /// `bytes` is the size of the result.
    pub(crate) fn keep(
        &self,
        key: Key,
        closure: Closure,
        revision: Option<String>,
        result: Arc<T>,
        bytes: u64,
    ) {
        let bytes = bytes
            + closure
                .reads
                .iter()
                .map(|(_, path, _)| path.len() as u64 + 64)
                .sum::<u64>();
        if bytes > self.bytes_max {
            return;
        }
        let mut state = self.lock();
        state.clock += 1;
        let used = state.clock;
        let entries = state.entries.entry(key).or_default();
        entries.retain(|entry| *entry.closure != closure || entry.revision != revision);
        entries.push(Entry {
            closure: Arc::new(closure),
            revision,
            result,
            bytes,
            used,
        });
        if entries.len() > ENTRIES_PER_KEY {
            entries.remove(0);
        }
        state.recount(key);
        while state.bytes > self.bytes_max {
            state.drop_oldest();
        }
    }

    /// Bytes in use, roughly.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn touch(&mut self, key: &Key, used: u64) {
        self.clock += 1;
        let now = self.clock;
        if let Some(entry) = self
            .entries
            .get_mut(key)
            .and_then(|all| all.iter_mut().find(|entry| entry.used == used))
        {
            entry.used = now;
            self.by_age.remove(&used);
            self.by_age.insert(now, *key);
        }
    }

    /// After the entries of a key changed: ages and bytes again.
    fn recount(&mut self, key: Key) {
        self.by_age.retain(|_, of| *of != key);
        for entry in self.entries.get(&key).into_iter().flatten() {
            self.by_age.insert(entry.used, key);
        }
        self.bytes = self.entries.values().flatten().map(|entry| entry.bytes).sum();
    }

    fn drop_oldest(&mut self) {
        let Some((used, key)) = self.by_age.pop_first() else {
            return;
        };
        let Some(entries) = self.entries.get_mut(&key) else {
            return;
        };
        let before: u64 = entries.iter().map(|entry| entry.bytes).sum();
        entries.retain(|entry| entry.used != used);
        let after: u64 = entries.iter().map(|entry| entry.bytes).sum();
        self.bytes = self.bytes.saturating_sub(before - after);
        if entries.is_empty() {
            self.entries.remove(&key);
        }
    }
}
