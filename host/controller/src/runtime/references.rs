//! ConfigMaps and Secrets that somebody reads: each is watched by its name, its metadata only, whatever its labels say
//! (field/pains.md P38). Where many are read one watch of their namespace shows them, or one of all namespaces. What nobody
//! reads any more is not watched any longer.

mod known;

pub(super) use known::References;

use super::context::{Context, Run};
use super::schedule::Topic;
use super::{Key, follow, watch};
use crate::config::gates;
use known::{Outdated, Scope, Shown, Started};
use kube::api::{Api, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use sluice_apply::cluster::{Identity, RequestError};
use sluice_object::{GroupVersionKind, ObjectId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// After so long the API server is asked again for a watch that it did not allow: roles change seldom.
const REFUSED_AGAIN: Duration = Duration::from_secs(600);

impl Context {
    /// Ends the watches of what nobody reads any more.
    pub(super) fn end_references(self: &Arc<Self>) {
        let started = {
            let schedule = self.schedule();
            let is_read = |key: &Key| schedule.is_subscribed(&Topic::News(key.clone()));
            self.references.retain(is_read)
        };
        self.follow_references(started);
    }

    fn follow_references(self: &Arc<Self>, started: Vec<Started>) {
        for (scope, stop) in started {
            self.spawn(follow(self.clone(), scope, stop));
        }
    }

    /// A watch shows an object: whoever has read another version is woken.
    fn show_reference(&self, key: Key, shown: Shown) {
        if self.references.shown(&key, shown) {
            self.reschedule(|schedule| schedule.signal(&Topic::News(key)));
        }
    }
}

impl Run {
    /// Reads a ConfigMap or Secret; none where it is absent. From now on until the end of the next run that reads all it needs
    /// every change of it wakes this object.
    ///
    /// # Errors
    /// What the API server said.
    pub(crate) async fn read(
        &self,
        identity: &Identity,
        kind: &'static str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, RequestError> {
        let key = Key::new(kind, namespace, name);
        let topic = Topic::News(key.clone());
        self.subscribe(topic.clone());
        let id = ObjectId {
            gvk: GroupVersionKind::new("v1", kind),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        let cx = &self.cx;
        if cx.config.gate(gates::NO_CONFIG_WATCHERS) {
            return cx.cluster.get(identity, &id).await;
        }
        let since = cx.references.expect(&key);
        let object = cx.cluster.get(identity, &id).await?;
        let version = object.as_ref().and_then(super::store::version);
        let (outdated, started) = cx.references.read(&key, since, version);
        cx.follow_references(started);
        match outdated {
            Outdated::Nobody => {}
            Outdated::Others => cx.reschedule(|schedule| schedule.signal_others(&topic, &self.key)),
            Outdated::Reader => cx.wake(&self.key),
        }
        Ok(object)
    }
}

/// Watches what `scope` takes in until it is told to stop. Where that is not allowed narrower watches stand in, until it is.
async fn follow(cx: Arc<Context>, scope: Scope, stop: CancellationToken) {
    let resource = watch::core_resource(scope.kind);
    while !stop.is_cancelled() {
        let client = cx.kube.client().clone();
        let api: Api<PartialObjectMeta<DynamicObject>> = match &scope.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        let mut config = watcher::Config::default()
            .timeout(watch::WATCH_SECONDS)
            .page_size(watch::PAGE_OBJECTS);
        if let Some(name) = &scope.name {
            config = config.fields(&format!("metadata.name={name}"));
        }
        let refused = stop.child_token();
        // what is first expected after a list has come is read after it: that the list does not have it says nothing
        let mut unlisted: Option<BTreeSet<Key>> = None;
        let on = |event: Result<Event<PartialObjectMeta<DynamicObject>>, watcher::Error>| match event {
            Ok(Event::Init) => unlisted = None,
            Ok(Event::InitApply(object)) => {
                let unlisted = unlisted.get_or_insert_with(|| cx.references.of(&scope));
                let (key, version) = place(scope.kind, &object);
                unlisted.remove(&key);
                cx.show_reference(key, Shown::There(version));
            }
            Ok(Event::InitDone) => {
                let unlisted = unlisted.take().unwrap_or_else(|| cx.references.of(&scope));
                for key in unlisted {
                    cx.show_reference(key, Shown::Unlisted);
                }
                cx.follow_references(cx.references.listed(&scope));
            }
            Ok(Event::Apply(object)) => {
                let (key, version) = place(scope.kind, &object);
                cx.show_reference(key, Shown::There(version));
            }
            Ok(Event::Delete(object)) => {
                let (key, version) = place(scope.kind, &object);
                cx.show_reference(key, Shown::Gone(version));
            }
            Err(error) if scope.is_wide() && watch::is_forbidden(&error) => {
                let (kind, namespace) = (scope.kind, scope.namespace.as_deref());
                tracing::debug!(
                    kind,
                    namespace,
                    "may not be watched together, smaller watches stand in"
                );
                refused.cancel();
            }
            Err(error) => watch::interrupted(scope.kind, &error),
        };
        follow::follow(&cx, &refused, api, config, on).await;
        if !stop.is_cancelled() {
            cx.follow_references(cx.references.refused(&scope));
            let _stopped = tokio::time::timeout(REFUSED_AGAIN, stop.cancelled()).await;
        }
    }
}

/// Which object it is, and its version. Nothing else of it is looked at: an annotation may hold what a Secret holds.
fn place(kind: &'static str, object: &PartialObjectMeta<DynamicObject>) -> (Key, u64) {
    let metadata = &object.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let key = Key::new(kind, namespace, metadata.name.as_deref().unwrap_or_default());
    let version = metadata.resource_version.as_deref();
    (
        key,
        version
            .and_then(|version| version.parse().ok())
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::context::embedded;
    use crate::runtime::{KUSTOMIZATION, Park, Wake, Wakes};
    use serde_json::json;
    use sluice_apply::cluster::{Patch, PatchOptions, Preconditions};
    use sluice_devcluster::{DevCluster, Effect, Fault};

    /// Kustomizations that read ConfigMaps.
    struct World {
        cx: Arc<Context>,
        server: DevCluster,
    }

    impl World {
        fn new() -> Self {
            let (cx, server) = embedded();
            Self { cx, server }
        }

        fn start(&self, reader: &str) -> Run {
            let key = Key::new(KUSTOMIZATION.kind, "default", reader);
            self.cx.reschedule(|schedule| schedule.wake(&key, Wake::Changed));
            let started = self.cx.schedule().next().unwrap();
            assert_eq!(started.key, key);
            Run {
                key,
                wakes: Wakes::default(),
                object: None,
                cx: self.cx.clone(),
                remote: None,
            }
        }

        /// `apps` runs, and reads what it is told to.
        async fn read(&self, names: impl IntoIterator<Item = (String, String)>) {
            let run = self.start("apps");
            for (namespace, name) in names {
                let read = run.read(&Identity::AsController, "ConfigMap", &namespace, &name);
                read.await.unwrap();
            }
            self.cx.parked(&run.key, Park::For(None));
        }

        async fn put(&self, name: &str, value: &str) {
            let (id, object) = (id(name), config_map(name, value));
            let options = PatchOptions {
                manager: "test",
                ..PatchOptions::default()
            };
            let put = self
                .cx
                .cluster
                .patch(&Identity::AsController, &id, Patch::Apply(object), options);
            put.await.unwrap();
        }

        async fn delete(&self, name: &str) {
            let (id, only) = (id(name), Preconditions::default());
            let deleted = self.cx.cluster.delete(&Identity::AsController, &id, only);
            assert!(deleted.await.unwrap());
        }

        /// Waits until there are so many watches of single objects, of namespaces, of all, and each has listed what there is.
        async fn watched_by(&self, watches: [usize; 3]) {
            let all = watches.iter().sum();
            self.until(&format!("watches {watches:?}"), || {
                self.cx.references.watches() == (watches, all)
            })
            .await;
        }

        async fn woken(&self, why: &str) {
            self.until(why, || self.cx.schedule().counts().0 == 1).await;
        }

        async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
            let tried = async {
                while !is_so() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let tried = tokio::time::timeout(Duration::from_secs(60), tried).await;
            assert!(tried.is_ok(), "never: {what}: {:?}", self.cx.references);
        }

        /// Nobody is woken, however long one waits.
        async fn quiet(&self) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(self.cx.schedule().counts().0, 0);
        }
    }

    fn id(name: &str) -> ObjectId {
        ObjectId {
            gvk: GroupVersionKind::new("v1", "ConfigMap"),
            namespace: Some("default".to_owned()),
            name: name.to_owned(),
        }
    }

    fn config_map(name: &str, value: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "default" },
            "data": { "key": value },
        })
    }

    fn names(numbers: std::ops::Range<usize>) -> impl Iterator<Item = (String, String)> {
        numbers.map(|number| ("default".to_owned(), number.to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_reads_any_more_is_not_watched() {
        let world = World::new();
        world.read(names(0..1)).await;
        world.watched_by([1, 0, 0]).await;
        let run = world.start("apps");
        world.cx.parked(&run.key, Park::Gone);
        world.watched_by([0, 0, 0]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_watch_shows_many_of_a_namespace() {
        let world = World::new();
        world.put("0", "a").await;
        world.read(names(0..9)).await;
        world.watched_by([0, 1, 0]).await;
        world.quiet().await;

        world.put("0", "b").await;
        world.woken("changed").await;
        world.read(names(0..9)).await;
        world.put("8", "a").await;
        world.woken("made").await;
        world.read(names(0..9)).await;
        world.delete("8").await;
        world.woken("deleted").await;
        world.read(names(0..9)).await;

        world.put("unrelated", "a").await;
        world.quiet().await;
        let all = Scope {
            kind: "ConfigMap",
            namespace: None,
            name: None,
        };
        assert_eq!(world.cx.references.of(&all).len(), 9, "nothing is kept of others");

        // what happened while there was no watch is in the list of the next one
        let late = Effect::Delay(Duration::from_secs(2));
        world
            .server
            .faults()
            .add(Fault::once("watch", "configmaps", late));
        world.server.drop_watches(None);
        world.delete("0").await;
        world.server.compact();
        world.woken("deleted").await;

        world.read(names(0..1)).await;
        world.watched_by([1, 0, 0]).await;
        world.put("0", "c").await;
        world.woken("few are watched one by one again").await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_while_one_watch_takes_the_place_of_many_wakes() {
        let world = World::new();
        world.put("4", "a").await;
        world.read(names(0..8)).await;
        world.watched_by([8, 0, 0]).await;
        let late = Effect::Delay(Duration::from_secs(5));
        world.server.faults().add(Fault::once("list", "configmaps", late));
        world.read(names(0..9)).await;
        world.put("3", "a").await;
        world.woken("the many go on").await;
        assert_eq!(world.cx.references.watches(), ([8, 1, 0], 8));
        world.read(names(0..9)).await;
        world.delete("4").await;
        world.woken("the many go on").await;
        world.read(names(0..9)).await;
        world.put("8", "a").await;
        world.woken("the list has it").await;
        world.watched_by([0, 1, 0]).await;
        world.read(names(0..9)).await;
        world.quiet().await;
    }

    #[tokio::test(start_paused = true)]
    async fn where_a_namespace_may_not_be_listed_each_object_is_watched() {
        let world = World::new();
        world.read(names(0..8)).await;
        world.watched_by([8, 0, 0]).await;
        let forbidden = Fault::once("list", "configmaps", Effect::Answer(403));
        world.server.faults().add(forbidden);
        world.read(names(0..9)).await;
        world
            .until("refused", || world.cx.references.watches() == ([9, 1, 0], 9))
            .await;
        for name in ["0", "8"] {
            world.put(name, "a").await;
            world.woken(name).await;
            world.read(names(0..9)).await;
        }
        world.quiet().await;

        // somebody allows it
        tokio::time::sleep(REFUSED_AGAIN).await;
        world.watched_by([0, 1, 0]).await;
        world.delete("8").await;
        world.woken("deleted").await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_watch_shows_many_namespaces() {
        let world = World::new();
        let tenants = || (0..64).map(|number| (format!("tenant{number}"), "vars".to_owned()));
        let own = || [("default".to_owned(), "vars".to_owned())];
        world.read(tenants().chain(own())).await;
        world.watched_by([0, 0, 1]).await;
        world.put("vars", "a").await;
        world.woken("made").await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_read_before_hears_of_what_is_read_while_no_watch_shows_it() {
        let world = World::new();
        world.read(names(0..1)).await;
        world.watched_by([1, 0, 0]).await;
        world.server.faults().add(Fault {
            times: usize::MAX,
            ..Fault::once("watch", "configmaps", Effect::Answer(500))
        });
        world.server.drop_watches(None);
        world.put("0", "a").await;
        world.quiet().await;
        let run = world.start("other");
        let read = run.read(&Identity::AsController, "ConfigMap", "default", "0");
        assert!(read.await.unwrap().is_some());
        world.cx.parked(&run.key, Park::For(None));
        let woken = world.cx.schedule().next().map(|started| started.key);
        assert_eq!(woken, Some(Key::new(KUSTOMIZATION.kind, "default", "apps")));
        assert_eq!(world.cx.schedule().counts().0, 0, "who has read it knows");
    }
}
