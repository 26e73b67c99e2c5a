//! ConfigMaps and Secrets that somebody reads: each is watched by its name, its metadata only, whatever its labels say
//! (field/pains.md P38). What nobody reads any more is not watched any longer.
//!
//! **Invariant:** a change between reading an object and watching it is not lost: the version that was read is compared.

use super::context::{Context, Run};
use super::schedule::Topic;
use super::{Key, follow, watch};
use kube::api::{Api, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use sluice_apply::cluster::{Identity, RequestError};
use sluice_event::events::WatchFailed;
use sluice_object::{GroupVersionKind, ObjectId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The references that are watched.
#[derive(Debug, Default)]
pub(super) struct References(Mutex<BTreeMap<Key, Reference>>);

#[derive(Debug)]
struct Reference {
    /// Resource version as it was read or shown last, none where the object is absent.
    version: Option<u64>,
    stop: CancellationToken,
}

impl References {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Reference>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was read. The token of the watch that is to be started, where there is none yet.
    fn read(
        &self,
        key: &Key,
        version: Option<u64>,
        shutdown: &CancellationToken,
    ) -> Option<CancellationToken> {
        let mut references = self.lock();
        if let Some(known) = references.get_mut(key) {
            // an answer may be older than what the watch has shown meanwhile; that was signalled then
            known.version = known.version.max(version).filter(|_| version.is_some());
            return None;
        }
        let stop = shutdown.child_token();
        let reference = Reference {
            version,
            stop: stop.clone(),
        };
        references.insert(key.clone(), reference);
        Some(stop)
    }

    /// The watch shows the object. Whether that is news.
    fn shown(&self, key: &Key, version: Option<u64>) -> bool {
        let mut references = self.lock();
        let Some(known) = references.get_mut(key) else {
            return false;
        };
        let is_news = if version.is_none() {
            known.version.is_some()
        } else {
            version > known.version
        };
        if is_news {
            known.version = version;
        }
        is_news
    }

    /// Ends the watches of those that are not `wanted`.
    fn retain(&self, wanted: impl Fn(&Key) -> bool) {
        self.lock().retain(|key, reference| {
            let is_wanted = wanted(key);
            if !is_wanted {
                reference.stop.cancel();
            }
            is_wanted
        });
    }
}

impl Context {
    /// Ends the watches of what nobody reads any more.
    pub(super) fn end_references(&self) {
        let schedule = self.schedule();
        self.references
            .retain(|key| schedule.is_subscribed(&Topic::News(key.clone())));
    }
}

impl Run {
    /// Reads a ConfigMap or Secret; none where it is absent. From now on until the end of the next run that reads all it needs
    /// every change of it wakes this object.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn read(
        &self,
        identity: &Identity,
        kind: &'static str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, RequestError> {
        let key = Key::new(kind, namespace, name);
        self.subscribe(Topic::News(key.clone()));
        let id = ObjectId {
            gvk: GroupVersionKind::new("v1", kind),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        let object = self.cx.cluster.get(identity, &id).await?;
        if !self.cx.config.gate("DisableConfigWatchers") {
            let version = object.as_ref().and_then(super::store::version);
            if let Some(stop) = self.cx.references.read(&key, version, &self.cx.shutdown) {
                self.cx.spawn(follow(self.cx.clone(), key, stop));
            }
        }
        Ok(object)
    }
}

/// Watches one object until it is told to stop.
async fn follow(cx: Arc<Context>, key: Key, stop: CancellationToken) {
    let resource = watch::core_resource(key.kind);
    let api: Api<PartialObjectMeta<DynamicObject>> =
        Api::namespaced_with(cx.kube.client().clone(), &key.namespace, &resource);
    let config = watcher::Config::default()
        .timeout(watch::WATCH_SECONDS)
        .fields(&format!("metadata.name={}", key.name));
    let mut listed = None;
    let show = |version: Option<u64>| {
        if cx.references.shown(&key, version) {
            cx.reschedule(|schedule| schedule.signal(&Topic::News(key.clone())));
        }
    };
    let on = |event: Result<Event<PartialObjectMeta<DynamicObject>>, watcher::Error>| match event {
        Ok(Event::Init) => listed = None,
        Ok(Event::InitApply(object)) => listed = version(&object),
        Ok(Event::InitDone) => show(listed),
        Ok(Event::Apply(object)) => show(version(&object)),
        Ok(Event::Delete(_)) => show(None),
        Err(error) => WatchFailed {
            kind: key.kind,
            error: &watch::text(&error),
        }
        .emit(),
    };
    follow::follow(&cx, &stop, api, config, on).await;
}

fn version(object: &PartialObjectMeta<DynamicObject>) -> Option<u64> {
    object.metadata.resource_version.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::context::embedded;
    use crate::runtime::{KUSTOMIZATION, Park, Wake, Wakes};

    #[test]
    fn what_was_read_is_no_news_and_everything_after_is() {
        let (references, shutdown) = (References::default(), CancellationToken::new());
        let key = Key::new("ConfigMap", "ns", "vars");
        assert!(!references.shown(&key, Some(3)), "nobody reads it");
        assert!(references.read(&key, Some(5), &shutdown).is_some());
        assert!(
            references.read(&key, Some(5), &shutdown).is_none(),
            "one watch is enough"
        );
        assert!(!references.shown(&key, Some(5)));
        assert!(references.shown(&key, Some(6)));
        assert!(!references.shown(&key, Some(6)), "a relist shows it again");
        references.read(&key, Some(5), &shutdown);
        assert!(
            !references.shown(&key, Some(6)),
            "a late answer does not make old news new"
        );
        assert!(references.shown(&key, None));
        assert!(!references.shown(&key, None));
        assert!(references.shown(&key, Some(9)), "made anew");
        references.retain(|_| false);
        assert!(references.read(&key, None, &shutdown).is_some());
    }

    #[tokio::test]
    async fn what_nobody_reads_any_more_is_not_watched() {
        let (cx, _server) = embedded();
        let key = Key::new(KUSTOMIZATION.kind, "default", "apps");
        let is_watched = || !cx.references.lock().is_empty();
        let start = || {
            cx.reschedule(|schedule| schedule.wake(&key, Wake::Changed));
            assert!(cx.schedule().next().is_some());
        };
        start();
        let run = Run {
            key: key.clone(),
            wakes: Wakes::default(),
            object: None,
            cx: cx.clone(),
            remote: None,
        };
        let read = run.read(&Identity::AsController, "ConfigMap", "default", "vars");
        assert_eq!(read.await.unwrap(), None);
        cx.parked(&key, Park::For(None));
        assert!(is_watched(), "its change wakes who read it");
        start();
        cx.parked(&key, Park::Gone);
        assert!(!is_watched());
    }
}
