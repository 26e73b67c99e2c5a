//! The custom resources as the watches and our own writes last showed them.
//!
//! **Invariant:** an object never goes back to an older resource version.

use super::Key;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A state of an object that was taken in.
#[derive(Debug)]
pub struct Stored {
    /// What was known before; none where the object was not.
    pub old: Option<Arc<Value>>,
    /// What is known now.
    pub new: Arc<Value>,
}

/// Custom resources by key, whole but for `managedFields`.
#[derive(Debug, Default)]
pub struct Store {
    objects: RwLock<HashMap<Key, Known>>,
}

/// An object and its resource version, which every event of a watch is compared with.
#[derive(Debug)]
struct Known {
    version: Option<u64>,
    object: Arc<Value>,
}

impl Store {
    /// The object, none where no watch has shown it.
    pub fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.objects
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .map(|known| Arc::clone(&known.object))
    }

    /// Whether what is known of the object is as new as `version`, or newer.
    pub(super) fn has(&self, key: &Key, version: u64) -> bool {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let known = objects.get(key).and_then(|known| known.version);
        known.is_some_and(|known| version <= known)
    }

    /// Takes in a state of an object; none where what is known is as new or newer.
    pub fn put(&self, key: &Key, object: Value) -> Option<Stored> {
        self.take_in(key, object, |_| true)
    }

    /// The same with an answer to our own write, which may come after the watch has told that the object is gone, or is
    /// another: it says nothing new then.
    pub(super) fn refresh(&self, key: &Key, object: Value) -> Option<Stored> {
        let uid = uid(&object).cloned();
        self.take_in(key, object, |known| {
            known.is_some_and(|known| self::uid(&known.object) == uid.as_ref())
        })
    }

    fn take_in(
        &self,
        key: &Key,
        mut object: Value,
        is_wanted: impl FnOnce(Option<&Known>) -> bool,
    ) -> Option<Stored> {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        let version = version(&object);
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let known = objects.get(key);
        if !is_wanted(known) {
            return None;
        }
        if let Some(known) = known.and_then(|known| known.version)
            && version.is_some_and(|new| new <= known)
        {
            return None;
        }
        let new = Arc::new(object);
        let known = Known {
            version,
            object: Arc::clone(&new),
        };
        let old = objects.insert(key.clone(), known).map(|known| known.object);
        Some(Stored { old, new })
    }

    /// Drops an object; whether it was known.
    pub fn remove(&self, key: &Key) -> bool {
        self.objects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key)
            .is_some()
    }

    /// The keys of all objects of a kind, sorted.
    pub fn keys(&self, kind: &str) -> Vec<Key> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<Key> = objects.keys().filter(|key| key.kind == kind).cloned().collect();
        keys.sort_unstable();
        keys
    }
}

/// The resource version as a number: since Kubernetes 1.35 its order is part of the API.
pub(crate) fn version(object: &Value) -> Option<u64> {
    object
        .get("metadata")?
        .get("resourceVersion")?
        .as_str()?
        .parse()
        .ok()
}

fn uid(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("uid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn never_goes_back() {
        let store = Store::default();
        let key = Key::new("K", "ns", "a");
        let at = |version: &str| json!({ "metadata": { "resourceVersion": version, "managedFields": [] } });
        assert!(store.put(&key, at("9")).unwrap().old.is_none());
        assert!(store.put(&key, at("10")).unwrap().old.is_some());
        assert!(
            store.put(&key, at("9")).is_none(),
            "a late answer does not replace a newer watch event"
        );
        assert!(store.has(&key, 10) && !store.has(&key, 11));
        assert_eq!(
            *store.get(&key).unwrap(),
            json!({ "metadata": { "resourceVersion": "10" } })
        );
    }

    #[test]
    fn what_is_gone_does_not_come_back_with_a_late_answer() {
        let store = Store::default();
        let key = Key::new("K", "ns", "a");
        let at = |uid: &str, version: &str| json!({ "metadata": { "uid": uid, "resourceVersion": version } });
        store.put(&key, at("one", "1"));
        assert!(store.refresh(&key, at("one", "3")).unwrap().old.is_some());
        assert!(store.refresh(&key, at("one", "2")).is_none());
        store.remove(&key);
        assert!(store.refresh(&key, at("one", "4")).is_none());
        assert_eq!(store.get(&key), None);
        store.put(&key, at("two", "5"));
        assert!(store.refresh(&key, at("one", "6")).is_none());
        assert!(store.has(&key, 5) && !store.has(&key, 6));
    }
}
