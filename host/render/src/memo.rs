//! Results that still hold.

use crate::build::Rendered;
use clru::{CLruCache, WeightScale};
use sluice_artifact::Tree;
use sluice_wasm::Closure;
use std::cmp::Reverse;
use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// What names a result apart from the tree: plugins, spec, configuration, context.
pub(crate) type Key = [u8; 32];

/// Where a result is: one key has some places.
type Place = (Key, usize);

/// How many results one key keeps: the newest, and one before it, for a revert or two sources in turn.
const PLACES_PER_KEY: usize = 2;

/// Keeps results, each with the closure that it depends on. Bounded by bytes; what was used longest ago goes first.
#[derive(Debug)]
pub struct Memo<T = Rendered>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    entries: CLruCache<Place, Entry<T>, RandomState, Bytes>,
    /// How many results came.
    clock: u64,
}

#[derive(Debug)]
struct Entry<T> {
    closure: Arc<Closure>,
    /// Some where the result holds for this revision only.
    revision: Option<String>,
    result: Arc<T>,
    bytes: usize,
    /// The newest of a key has the largest.
    came: u64,
}

/// Results weigh their bytes.
#[derive(Debug)]
struct Bytes;

impl<T> WeightScale<Place, Entry<T>> for Bytes {
    fn weight(&self, _: &Place, entry: &Entry<T>) -> usize {
        entry.bytes
    }
}

impl<T> Default for Memo<T> {
    /// 64 MiB: 1000 Kustomizations of 3 objects take a tenth of it.
    fn default() -> Self {
        Self::new(64 << 20)
    }
}

impl<T> Memo<T> {
    /// A memo of at most `bytes_max` bytes of manifests and closures, roughly counted. 0 keeps nothing.
    pub fn new(bytes_max: u64) -> Self {
        // the cache stays below its capacity
        let capacity = NonZeroUsize::MIN.saturating_add(counted(bytes_max));
        Self(Mutex::new(State {
            entries: CLruCache::with_scale(capacity, Bytes),
            clock: 0,
        }))
    }

    /// The result under `key` whose closure holds in `tree`.
    pub(crate) fn find(&self, key: &Key, tree: &dyn Tree, revision: &str) -> Option<Arc<T>> {
        // digests are compared without the lock: they may have to read
        let mut candidates: Vec<_> = {
            let state = self.lock();
            let all = places(key).filter_map(|place| Some((place, state.entries.peek(&place)?)));
            all.filter(|(_, entry)| entry.revision.as_deref().is_none_or(|of| of == revision))
                .map(|(place, entry)| {
                    let (closure, result) = (Arc::clone(&entry.closure), Arc::clone(&entry.result));
                    (Reverse(entry.came), place, closure, result)
                })
                .collect()
        };
        candidates.sort_by_key(|(came, ..)| *came);
        let (_, place, _, result) = candidates
            .into_iter()
            .find(|(_, _, closure, _)| closure.holds_in(tree))?;
        let _used = self.lock().entries.get(&place);
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
        let read = closure.reads.iter();
        let read = read.map(|(_, path, _)| path.len() as u64 + 64);
        let bytes = counted(bytes + read.sum::<u64>());
        let mut state = self.lock();
        state.clock += 1;
        // in place of its like, where nothing is, or in place of the oldest
        let place = places(&key).min_by_key(|place| match state.entries.peek(place) {
            Some(entry) if *entry.closure == closure && entry.revision == revision => (0, 0),
            None => (1, 0),
            Some(entry) => (2, entry.came),
        });
        let entry = Entry {
            closure: Arc::new(closure),
            revision,
            result,
            bytes,
            came: state.clock,
        };
        if let Some(place) = place {
            // what is larger than the whole memo is not kept
            let _before = state.entries.put_with_weight(place, entry);
        }
    }

    /// Bytes in use, roughly.
    pub fn bytes(&self) -> u64 {
        self.lock().entries.weight() as u64
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn places(key: &Key) -> impl Iterator<Item = Place> {
    let key = *key;
    (0..PLACES_PER_KEY).map(move |number| (key, number))
}

fn counted(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
