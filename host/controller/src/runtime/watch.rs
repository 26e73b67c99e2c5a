//! The watches: own kinds whole, ConfigMaps and Secrets and applied objects by their metadata only.
//!
//! **Invariant:** one malformed object never stops a kind: objects are decoded one by one, by their reconciler (N7).

use super::context::Context;
use super::follow::{Again, follow};
use super::schedule::{Topic, Wake};
use super::seen::Seen;
use super::store::Stored;
use super::{Key, Kind};
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use sluice_api::meta::{self, OWNER_NAME, OWNER_NAMESPACE};
use sluice_apply::cluster::{Cluster, KubeCluster, Mapping};
use sluice_apply::live::Live;
use sluice_apply::served;
use sluice_event::events::WatchFailed;
use sluice_object::{GroupKind, GroupVersionKind};
use std::collections::HashSet;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Objects of a list are asked for in pages: it bounds what is decoded at once.
pub(super) const PAGE_OBJECTS: u32 = 100;

/// The API server ends a watch after this time; one that shows nothing for five seconds longer, not even a bookmark, is dead
/// and is made anew: no watch is frozen for more than 90 seconds (field/reliability.md R4).
pub(super) const WATCH_SECONDS: u32 = 85;

/// Watches a kind of custom resource until shutdown. `synced` is told once, when all objects are known or the kind is
/// known to be absent.
pub(crate) async fn resources(
    cx: Arc<Context>,
    kind: &'static Kind,
    selector: Option<String>,
    synced: tokio::sync::mpsc::Sender<()>,
) {
    let resource = kind.api_resource();
    let api: Api<Seen> = watched(&cx, &resource);
    let mut config = watcher::Config::default()
        .timeout(WATCH_SECONDS)
        .page_size(PAGE_OBJECTS);
    config.label_selector = selector;
    let mut listed: HashSet<Key> = HashSet::new();
    let mut synced = Some(synced);
    let on = |event: Result<Event<Seen>, watcher::Error>| {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(seen)) => {
                if let Some(key) = key(kind, &seen) {
                    listed.insert(key.clone());
                    take_in(&cx, kind, key, seen);
                }
            }
            Ok(Event::InitDone) => {
                for key in cx.store.keys(kind.kind) {
                    if !listed.contains(&key) {
                        vanish(&cx, &key);
                    }
                }
                listed = HashSet::new();
                synced = None;
            }
            Ok(Event::Apply(seen)) => {
                if let Some(key) = key(kind, &seen) {
                    take_in(&cx, kind, key, seen);
                }
            }
            Ok(Event::Delete(seen)) => {
                if let Some(key) = key(kind, &seen) {
                    vanish(&cx, &key);
                }
            }
            Err(error) => {
                if is_absent(&error) {
                    // the CRD is not installed; the watch goes on trying, the process need not wait for it
                    synced = None;
                } else {
                    interrupted(kind.kind, &error);
                }
            }
        }
    };
    follow(&cx, &cx.shutdown, api, config, on).await;
}

/// All namespaces, or the controller's own.
fn watched<K>(cx: &Context, resource: &ApiResource) -> Api<K>
where
    K: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>,
{
    let client = cx.kube.client().clone();
    match cx.config.watch_all_namespaces {
        true => Api::all_with(client, resource),
        false => Api::namespaced_with(client, &cx.config.runtime_namespace, resource),
    }
}

/// Watches ConfigMaps or Secrets that ask for it by label; whoever read them is woken.
pub(crate) async fn configs(cx: Arc<Context>, kind: &'static str) {
    let resource = core_resource(kind);
    let api: Api<PartialObjectMeta<DynamicObject>> = watched(&cx, &resource);
    let config = watcher::Config::default()
        .timeout(WATCH_SECONDS)
        .page_size(PAGE_OBJECTS)
        .labels(&cx.config.watch_configs_label_selector);
    let on = |event: Result<Event<PartialObjectMeta<DynamicObject>>, watcher::Error>| match event {
        Ok(Event::Init | Event::InitDone) => {}
        Ok(Event::InitApply(object) | Event::Apply(object) | Event::Delete(object)) => {
            let name = object.metadata.name.unwrap_or_default();
            let key = Key::new(kind, &object.metadata.namespace.unwrap_or_default(), &name);
            cx.reschedule(|schedule| schedule.signal(&Topic::News(key)));
        }
        Err(error) => interrupted(kind, &error),
    };
    follow(&cx, &cx.shutdown, api, config, on).await;
}

/// A cluster whose applied objects are watched, what is known of them, and until when.
pub(crate) struct Place {
    pub(crate) kube: KubeCluster,
    pub(crate) live: Arc<Live<Arc<Key>>>,
    pub(crate) stop: CancellationToken,
}

/// Watches the metadata of all objects of a kind that carry our owner label: drift and health wake their owner. A version
/// that is not served any more is left for one that is.
pub(crate) async fn applied(cx: Arc<Context>, place: Place, gvk: GroupVersionKind) {
    let kind = gvk.group_kind();
    let live = &place.live;
    let Ok(mapping) = place.kube.mapping(&gvk).await else {
        return live.release_watch(&kind);
    };
    let mut watched = (gvk, mapping);
    let mut again = Again::new(cx.chance().clone());
    loop {
        let (gvk, mapping) = &watched;
        let resource = ApiResource {
            group: gvk.group.clone(),
            version: gvk.version.clone(),
            api_version: gvk.api_version(),
            kind: gvk.kind.clone(),
            plural: mapping.plural.clone(),
        };
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::all_with(place.kube.client().clone(), &resource);
        let config = watcher::Config::default()
            .timeout(WATCH_SECONDS)
            .page_size(PAGE_OBJECTS)
            .labels(OWNER_NAME);
        let ended = place.stop.child_token();
        let on = |event: Result<Event<PartialObjectMeta<DynamicObject>>, watcher::Error>| match event {
            Ok(Event::Init) => live.listing(&kind),
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                let seen = sluice_apply::seen_in(&object.metadata, &cx.config.override_managers);
                saw(&cx, live, &kind, &object, Some(seen));
            }
            Ok(Event::InitDone) => live.listed(&kind).into_iter().for_each(|moved| cx.moved(moved)),
            Ok(Event::Delete(object)) => saw(&cx, live, &kind, &object, None),
            // the definition of the kind is gone, or serves it in other versions only
            Err(error) if is_absent(&error) => ended.cancel(),
            Err(error) => interrupted(&kind.kind, &error),
        };
        follow(&cx, &ended, api, config, on).await;
        if place.stop.is_cancelled() {
            return;
        }
        // it starts over, with a list
        live.unserved(&kind);
        let found = served_again(&place.kube, &watched.0, &mut again);
        let Some(found) = place.stop.run_until_cancelled(found).await else {
            return;
        };
        watched = found;
    }
}

/// An applied object was seen as it is now, or that it is gone: its owner hears of it.
fn saw(
    cx: &Context,
    live: &Live<Arc<Key>>,
    kind: &GroupKind,
    object: &PartialObjectMeta<DynamicObject>,
    seen: Option<sluice_apply::live::Seen>,
) {
    let metadata = &object.metadata;
    let name = metadata.name.as_deref().unwrap_or_default();
    let owner = owner(object).map(Arc::new);
    let moved = live.saw(kind, metadata.namespace.as_deref(), name, owner, seen);
    cx.moved(moved);
}

/// Waits until a kind is served again, in whatever version: all of them have the same metadata.
async fn served_again(
    kube: &KubeCluster,
    gvk: &GroupVersionKind,
    again: &mut Again,
) -> (GroupVersionKind, Arc<Mapping>) {
    loop {
        tokio::time::sleep(again.wait(Instant::now())).await;
        kube.distrust(gvk);
        if let Ok(found) = served(kube, gvk).await {
            return found;
        }
    }
}

/// What of a Kustomization's changes somebody follows beside its news.
fn followed(cx: &Context, key: &Key, old: Option<&Value>, new: &Value) -> Vec<Topic> {
    if key.kind != super::KUSTOMIZATION.kind {
        return Vec::new();
    }
    let differs = |pointer: &str| old.and_then(|old| old.pointer(pointer)) != new.pointer(pointer);
    let is_described = ["/metadata/labels", "/metadata/annotations"]
        .into_iter()
        .any(differs);
    let mut followed = vec![Topic::Every(key.clone())];
    followed.extend(is_described.then(|| Topic::Description(key.clone())));
    let schedule = cx.schedule();
    followed.retain(|topic| schedule.is_subscribed(topic));
    followed
}

/// A custom resource is there or changed, as its watch shows it.
fn show(cx: &Context, key: Key, object: Value) {
    if let Some(taken) = cx.store.put(&key, object) {
        stored(cx, key, &taken);
    }
}

/// A state of a custom resource was taken in: it runs if that means anything to it, and so do those who wait for it.
pub(super) fn stored(cx: &Context, key: Key, stored: &Stored) {
    let new = Facts::of(&stored.new);
    let old = stored.old.as_deref().map(Facts::of);
    let is_ours = cx.shard.has(&stored.new);
    let was_ours = stored.old.as_deref().is_some_and(|old| cx.shard.has(old));
    let wake = wake((old.as_ref(), was_ours), (&new, is_ours));
    let is_news = old.is_none_or(|old| old.offers != new.offers || old.generation != new.generation);
    let followed = followed(cx, &key, stored.old.as_deref(), &stored.new);
    if wake.is_none() && !is_news && followed.is_empty() {
        return;
    }
    cx.reschedule(|schedule| {
        followed.iter().for_each(|topic| schedule.signal(topic));
        if let Some(wake) = wake {
            schedule.wake(&key, wake);
        }
        if is_news {
            schedule.signal(&Topic::News(key));
        }
    });
}

/// Why an object runs that was so, and in this shard, and is so now.
fn wake((old, was_ours): (Option<&Facts<'_>>, bool), (new, is_ours): (&Facts<'_>, bool)) -> Option<Wake> {
    let Some(old) = old else {
        return is_ours.then_some(Wake::Changed);
    };
    // a watch of the shard alone would show that one comes or goes; who goes runs once more, to be forgotten
    if was_ours != is_ours {
        return Some(Wake::Changed);
    }
    let is_changed = old.generation != new.generation
        || old.is_deleted != new.is_deleted
        || old.uid != new.uid
        || old.prune != new.prune;
    match is_ours {
        true if is_changed => Some(Wake::Changed),
        // who takes the annotation away asks for nothing
        true if new.requested_at.is_some() && old.requested_at != new.requested_at => Some(Wake::Requested),
        _ => None,
    }
}

fn vanish(cx: &Context, key: &Key) {
    if cx.store.remove(key) {
        cx.forget_doubt(key);
        cx.reschedule(|schedule| {
            schedule.wake(key, Wake::Changed);
            schedule.signal(&Topic::News(key.clone()));
        });
    }
}

/// What about a custom resource wakes itself or others. Asked for every state of every object: nothing is copied.
#[derive(PartialEq, Eq)]
struct Facts<'a> {
    uid: Option<&'a str>,
    generation: Option<i64>,
    is_deleted: bool,
    requested_at: Option<&'a str>,
    /// Approval of a prune, and whether the guard is on.
    prune: [Option<&'a str>; 2],
    /// What others wait for: the artifact of a source, readiness and revision of a dependency.
    offers: [Option<&'a Value>; 3],
}

impl<'a> Facts<'a> {
    fn of(object: &'a Value) -> Self {
        let (metadata, status) = (object.get("metadata"), object.get("status"));
        let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
        let annotation = |name: &str| annotations?.get(name)?.as_str();
        let is_kustomization = object.get("kind").and_then(Value::as_str) == Some(super::KUSTOMIZATION.kind);
        Self {
            uid: metadata.and_then(|metadata| metadata.get("uid")?.as_str()),
            generation: metadata.and_then(|metadata| metadata.get("generation")?.as_i64()),
            is_deleted: metadata.is_some_and(|metadata| metadata.get("deletionTimestamp").is_some()),
            requested_at: annotation(meta::REQUESTED_AT),
            prune: [annotation(meta::APPROVE_PRUNE), annotation(meta::PRUNE_GUARD)],
            offers: match (status, is_kustomization) {
                (None, _) => [None; 3],
                (Some(status), true) => [
                    status.get("lastAppliedRevision"),
                    ready(status).and_then(|condition| condition.get("status")),
                    status.get("observedGeneration"),
                ],
                (Some(status), false) => {
                    let artifact = |field: &str| status.get("artifact")?.get(field);
                    [artifact("revision"), artifact("digest"), None]
                }
            },
        }
    }
}

/// The last condition `Ready` of a status.
fn ready(status: &Value) -> Option<&Value> {
    let mut conditions = status.get("conditions")?.as_array()?.iter();
    conditions.rfind(|condition| condition.get("type").and_then(Value::as_str) == Some("Ready"))
}

fn key(kind: &'static Kind, seen: &Seen) -> Option<Key> {
    let (namespace, name) = seen.place()?;
    Some(Key::new(kind.kind, namespace, name))
}

/// What a watch shows. The most frequent is the echo of our own write, known from its answer: it is not decoded.
fn take_in(cx: &Context, kind: &'static Kind, key: Key, seen: Seen) {
    if seen.version().is_some_and(|version| cx.store.has(&key, version)) {
        return;
    }
    match seen.object(kind) {
        Ok(object) => show(cx, key, object),
        Err(error) => WatchFailed {
            kind: kind.kind,
            error: &format!("{}/{}: {error}", key.namespace, key.name),
        }
        .emit(),
    }
}

fn owner(object: &PartialObjectMeta<DynamicObject>) -> Option<Key> {
    let labels = object.metadata.labels.as_ref()?;
    Some(Key::new(
        super::KUSTOMIZATION.kind,
        labels.get(OWNER_NAMESPACE)?,
        labels.get(OWNER_NAME)?,
    ))
}

fn is_absent(error: &watcher::Error) -> bool {
    refusal(error) == Some(404)
}

pub(super) fn is_forbidden(error: &watcher::Error) -> bool {
    refusal(error) == Some(403)
}

/// The status that a list, or the start of a watch, was answered with.
fn refusal(error: &watcher::Error) -> Option<u16> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => Some(status.code),
        _ => None,
    }
}

pub(super) fn core_resource(kind: &str) -> ApiResource {
    let gvk = kube::core::GroupVersionKind::gvk("", "v1", kind);
    ApiResource::from_gvk_with_plural(&gvk, &format!("{}s", kind.to_lowercase()))
}

/// Tells of a watch that failed and is made anew.
pub(super) fn interrupted(kind: &str, error: &watcher::Error) {
    WatchFailed {
        kind,
        error: &text(error),
    }
    .emit();
}

fn text(error: &(dyn std::error::Error + 'static)) -> String {
    sluice_event::cause::said(error, |cause| match cause.downcast_ref() {
        // what the API server says is enough: the client's own text has the whole answer in Rust's words
        Some(kube::Error::Api(status)) if !status.message.is_empty() => Break(status.message.clone()),
        _ => Continue(Some(cause.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_makes_an_object_run() {
        let at = |generation: i64, requested: Option<&str>| {
            let annotations = requested.map(|at| json!({ (meta::REQUESTED_AT): at }));
            json!({ "metadata": { "generation": generation, "annotations": annotations } })
        };
        let row = |old: Option<(&Value, bool)>, new: (&Value, bool)| {
            let facts = old.map(|(old, _)| Facts::of(old));
            let was_ours = old.is_some_and(|(_, was_ours)| was_ours);
            wake((facts.as_ref(), was_ours), (&Facts::of(new.0), new.1))
        };
        let (first, asked, again) = (at(1, None), at(1, Some("a")), at(1, Some("b")));
        assert_eq!(row(None, (&first, true)), Some(Wake::Changed));
        assert_eq!(row(None, (&first, false)), None);
        assert_eq!(row(Some((&first, true)), (&first, true)), None);
        assert_eq!(
            row(Some((&first, true)), (&at(2, None), true)),
            Some(Wake::Changed)
        );
        assert_eq!(row(Some((&first, true)), (&asked, true)), Some(Wake::Requested));
        assert_eq!(row(Some((&asked, true)), (&again, true)), Some(Wake::Requested));
        assert_eq!(row(Some((&asked, true)), (&asked, true)), None);
        assert_eq!(row(Some((&asked, true)), (&first, true)), None, "taken away");
        // into the shard, out of it, and within another
        assert_eq!(row(Some((&first, false)), (&first, true)), Some(Wake::Changed));
        assert_eq!(row(Some((&first, true)), (&first, false)), Some(Wake::Changed));
        assert_eq!(row(Some((&first, false)), (&at(2, Some("a")), false)), None);
    }
}
