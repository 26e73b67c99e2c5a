//! The one place that writes to custom resources: status, finalizers.

use super::context::{Context, object_id};
use super::schedule::Park;
use super::{Key, Kind};
use serde_json::{Map, Value, json};
use sluice_api::meta;
use sluice_apply::cluster::{Identity, Patch, PatchOptions, RequestError};
use sluice_event::events::StatusWritten;
use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a finalizer that nothing waits for makes way for other work.
const FINALIZER_PATIENCE: Duration = Duration::from_secs(5);

/// After a write that met somebody else's. The watch brings what they wrote, and mostly sooner.
const AFTER_CONFLICT: Duration = Duration::from_millis(200);

impl Context {
    /// Makes the status of a custom resource `status`, by one merge patch of what differs. No difference, no request.
    /// `object` is what the status was computed from; its UID is a precondition. True where something was written.
    ///
    /// # Errors
    /// What the API server said. An object that is gone is no error.
    pub(crate) async fn write_status(
        &self,
        kind: &'static Kind,
        key: &Key,
        object: &Value,
        status: &Value,
    ) -> Result<bool, RequestError> {
        if self.is_unsure(key) {
            self.read_back(kind, key).await?;
        }
        let known = self.store.get(key);
        let known_status = known
            .as_deref()
            .unwrap_or(object)
            .get("status")
            .unwrap_or(&Value::Null);
        let Some(difference) = merge_patch(known_status, status) else {
            return Ok(false);
        };
        let uid = object.pointer("/metadata/uid").cloned().unwrap_or_default();
        let patch = json!({ "metadata": { "uid": uid }, "status": difference });
        if let Some(object) = self.write(kind, key, patch, Some("status")).await? {
            self.took(key, object);
        }
        StatusWritten.emit();
        Ok(true)
    }

    /// Adds or removes our finalizer, guarded by the resource version so that nobody else's change is lost.
    /// Answers with the object as it is now, none where it is gone.
    ///
    /// # Errors
    /// How to go on where it could not be written, which is logged.
    pub(crate) async fn set_finalizer(
        &self,
        kind: &'static Kind,
        key: &Key,
        object: &Value,
        is_wanted: bool,
    ) -> Result<Option<Value>, Park> {
        let written = self.write_finalizer(kind, key, object, is_wanted).await;
        written.map_err(|error| match error.code() {
            // it changed meanwhile: the watch brings the new state
            409 => Park::For(Some(AFTER_CONFLICT)),
            _ => {
                tracing::warn!(%error, is_wanted, "finalizer not written, trying again");
                Park::Backoff { at_most: None }
            }
        })
    }

    /// Adds our finalizer in the background, one object after another, when nothing is ready for a worker. For a kind that
    /// cleans up without it too: where thousands are new at once, nothing waits for their finalizers.
    /// `seen` is the object that needs it: one that is another or newer by then has a pass of its own to come.
    pub(crate) fn add_finalizer_later(self: &Arc<Self>, kind: &'static Kind, key: &Key, seen: &Value) {
        let (cx, key, seen) = (self.clone(), key.clone(), wish(seen));
        self.spawn(async move {
            let shutdown = cx.shutdown.clone();
            let added = cx.add_finalizer(kind, &key, seen);
            shutdown.run_until_cancelled_owned(added).await;
        });
    }

    async fn add_finalizer(&self, kind: &'static Kind, key: &Key, seen: [Option<Value>; 3]) {
        loop {
            let Ok(turn) = self.finalizers.acquire().await else {
                return;
            };
            // one after another, so that where there is always something to do they come at last
            let _busy_still = tokio::time::timeout(FINALIZER_PATIENCE, self.quiet()).await;
            let Some(object) = self.store.get(key) else {
                return;
            };
            if wish(&object) != seen || has_finalizer(&object) {
                return;
            }
            match self.set_finalizer(kind, key, &object, true).await {
                Err(Park::For(Some(after))) => {
                    drop(turn);
                    tokio::time::sleep(after).await;
                }
                // what else went wrong is told, and left to the next pass
                Ok(_) | Err(_) => return,
            }
        }
    }

    async fn write_finalizer(
        &self,
        kind: &'static Kind,
        key: &Key,
        object: &Value,
        is_wanted: bool,
    ) -> Result<Option<Value>, RequestError> {
        let known = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        let mut finalizers: Vec<Value> = known.cloned().unwrap_or_default();
        finalizers.retain(|known| known.as_str() != Some(meta::FINALIZER));
        if is_wanted {
            finalizers.push(meta::FINALIZER.into());
        }
        let version = object
            .pointer("/metadata/resourceVersion")
            .cloned()
            .unwrap_or_default();
        let patch = json!({ "metadata": { "finalizers": finalizers, "resourceVersion": version } });
        let written = self.write(kind, key, patch, None).await?;
        if let Some(object) = &written {
            self.took(key, object.clone());
        }
        Ok(written)
    }

    /// Patches the object. Answers with it as it is now, none where it is gone.
    async fn write(
        &self,
        kind: &'static Kind,
        key: &Key,
        patch: Value,
        subresource: Option<&str>,
    ) -> Result<Option<Value>, RequestError> {
        let id = object_id(kind, key);
        let options = PatchOptions {
            manager: kind.manager,
            subresource,
            ..PatchOptions::default()
        };
        match self
            .cluster
            .patch(&Identity::AsController, &id, Patch::Merge(patch), options)
            .await
        {
            Ok(patched) => Ok(Some(patched.object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => {
                // refused for good, or nobody knows: then what is known of the object may be older than what is there
                if error.code() == 0 || error.code() >= 500 {
                    self.unsure().insert(key.clone());
                }
                Err(error)
            }
        }
    }

    fn unsure(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.unsure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object is gone: there is nothing to be unsure about.
    pub(super) fn forget_doubt(&self, key: &Key) {
        self.unsure().remove(key);
    }

    fn is_unsure(&self, key: &Key) -> bool {
        self.unsure().contains(key)
    }

    /// Looks at an object whose last write had an unknown outcome: only what differs is written, so what is there must be
    /// known (field/reliability.md R10).
    async fn read_back(&self, kind: &'static Kind, key: &Key) -> Result<(), RequestError> {
        let found = self
            .cluster
            .get(&Identity::AsController, &object_id(kind, key))
            .await?;
        self.unsure().remove(key);
        if let Some(object) = found {
            self.took(key, object);
        }
        Ok(())
    }

    /// Takes in our own write: it must not look like somebody's wish, but who waits for this object must hear of it.
    fn took(&self, key: &Key, object: Value) {
        if object.pointer("/metadata/deletionTimestamp").is_some()
            && object
                .pointer("/metadata/finalizers")
                .and_then(Value::as_array)
                .is_none_or(Vec::is_empty)
        {
            // removing the last finalizer deletes: the watch will tell
            return;
        }
        if let Some(stored) = self.store.refresh(key, object) {
            super::watch::stored(self, key.clone(), &stored);
        }
    }
}

/// What tells one wish of a user from another: which object, of which generation, and whether it is to go.
fn wish(object: &Value) -> [Option<Value>; 3] {
    [
        "/metadata/uid",
        "/metadata/generation",
        "/metadata/deletionTimestamp",
    ]
    .map(|pointer| object.pointer(pointer).cloned())
}

/// Whether the object carries our finalizer, which is Flux's.
pub(crate) fn has_finalizer(object: &Value) -> bool {
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    finalizers.is_some_and(|all| all.iter().any(|finalizer| finalizer == meta::FINALIZER))
}

/// RFC 7396: what turns `from` into `to`, none where they are equal.
fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    if from == to {
        return None;
    }
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return Some(to.clone());
    };
    let mut patch = Map::new();
    for (key, value) in to {
        if let Some(difference) = merge_patch(from.get(key).unwrap_or(&Value::Null), value) {
            patch.insert(key.clone(), difference);
        }
    }
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::KUSTOMIZATION;
    use crate::runtime::context::embedded;

    #[test]
    fn only_what_differs_is_written() {
        let row = |from: Value, to: Value| merge_patch(&from, &to).map(|patch| patch.to_string());
        assert_eq!(
            row(json!({"a": 1, "b": {"c": [1]}}), json!({"a": 1, "b": {"c": [1]}})),
            None
        );
        assert_eq!(row(Value::Null, json!({"a": 1})), Some(r#"{"a":1}"#.into()));
        assert_eq!(
            row(
                json!({"a": 1, "b": {"c": [1], "d": 2}, "e": 3}),
                json!({"a": 1, "b": {"c": [2], "d": 2}})
            ),
            Some(r#"{"b":{"c":[2]},"e":null}"#.into())
        );
    }

    #[tokio::test]
    async fn an_answer_that_comes_after_the_end_brings_nothing_back() {
        let (cx, _server) = embedded();
        let key = Key::new(KUSTOMIZATION.kind, "ns", "apps");
        let at = |version: &str| json!({ "metadata": { "uid": "one", "resourceVersion": version } });
        cx.store.put(&key, at("1"));
        cx.took(&key, at("2"));
        assert_eq!(cx.store.get(&key).as_deref(), Some(&at("2")));
        cx.store.remove(&key);
        cx.took(&key, at("3"));
        assert_eq!(cx.store.get(&key), None);
    }
}
