//! What Flux counts of its caches: tokens of clouds and of GitHub Apps, and the indexes of chart repositories
//! (compat/source.md 13.2).

use super::metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What an object asked a cache of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenEvent {
    event_type: &'static str,
    kind: String,
    name: String,
    namespace: String,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IndexEvent {
    event_type: &'static str,
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

const HIT: &str = "cache_hit";
const MISS: &str = "cache_miss";
/// The one thing that tokens are asked for here, in Flux's word.
const RECONCILE: &str = "reconcile";

/// The metrics of caches.
#[derive(Default)]
pub(super) struct Caches {
    token_events: Family<TokenEvent, Counter>,
    tokens: Gauge,
    token_requests: Family<Status, Counter>,
    token_evictions: Counter,
    index_events: Family<IndexEvent, Counter>,
}

impl Caches {
    #[rustfmt::skip]
    pub(super) fn register(registry: &mut Registry) -> Self {
        let it = Self::default();
        registry.register("gotk_token_cache_events", "Total number of cache retrieval events for a Gitops Toolkit resource reconciliation", it.token_events.clone());
        registry.register("gotk_token_cached_items", "Total number of items in the cache", it.tokens.clone());
        registry.register("gotk_token_cache_requests", "Total number of cache requests by success or failure", it.token_requests.clone());
        registry.register("gotk_token_cache_evictions", "Total number of cache evictions", it.token_evictions.clone());
        registry.register("gotk_cache_events", "Total number of cache retrieval events for a Gitops Toolkit resource reconciliation", it.index_events.clone());
        it
    }

    pub(super) fn forget(&self, kind: &str, namespace: &str, name: &str) {
        for event_type in [HIT, MISS] {
            let event = token_event(event_type, (kind, namespace, name));
            self.token_events.remove(&event);
            if kind == "HelmRepository" {
                self.index_events
                    .remove(&index_event(event_type, namespace, name));
            }
        }
    }
}

fn event_type(is_hit: bool) -> &'static str {
    if is_hit { HIT } else { MISS }
}

fn token_event(event_type: &'static str, (kind, namespace, name): (&str, &str, &str)) -> TokenEvent {
    TokenEvent {
        event_type,
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        operation: RECONCILE,
    }
}

fn index_event(event_type: &'static str, namespace: &str, name: &str) -> IndexEvent {
    IndexEvent {
        event_type,
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    }
}

/// Counts one question to the cache of tokens: whether the token was there, whether there is one in the end, and for which
/// object (kind, namespace, name), where it is for one.
pub fn token_asked(object: Option<(&str, &str, &str)>, is_hit: bool, is_given: bool) {
    let caches = &metrics().caches;
    let status = if is_given { "success" } else { "failure" };
    caches.token_requests.get_or_create(&Status { status }).inc();
    if let Some(object) = object {
        let event = token_event(event_type(is_hit), object);
        caches.token_events.get_or_create(&event).inc();
    }
}

/// Counts a token more in the cache.
pub fn token_kept() {
    metrics().caches.tokens.inc();
}

/// Counts a token less in the cache; `is_evicted` where it made room for another.
pub fn token_dropped(is_evicted: bool) {
    let caches = &metrics().caches;
    caches.tokens.dec();
    if is_evicted {
        caches.token_evictions.inc();
    }
}

/// Counts one look into the index of a HelmRepository: whether it had been read before.
pub fn index_asked(namespace: &str, name: &str, is_hit: bool) {
    let event = index_event(event_type(is_hit), namespace, name);
    metrics().caches.index_events.get_or_create(&event).inc();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{encode, forget_object};

    #[test]
    fn what_caches_did_is_counted_as_flux_counts_it() {
        let object = ("GitRepository", "apps", "shop");
        token_asked(Some(object), false, true);
        token_asked(Some(object), true, true);
        token_asked(Some(object), true, true);
        token_asked(None, false, false);
        token_kept();
        token_kept();
        token_dropped(true);
        index_asked("apps", "charts", true);
        let text = encode();
        let labels = "kind=\"GitRepository\",name=\"shop\",namespace=\"apps\",operation=\"reconcile\"";
        let lines = [
            format!("gotk_token_cache_events_total{{event_type=\"cache_miss\",{labels}}} 1"),
            format!("gotk_token_cache_events_total{{event_type=\"cache_hit\",{labels}}} 2"),
            "gotk_token_cached_items 1".to_owned(),
            "gotk_token_cache_requests_total{status=\"success\"} 3".to_owned(),
            "gotk_token_cache_requests_total{status=\"failure\"} 1".to_owned(),
            "gotk_token_cache_evictions_total 1".to_owned(),
            "gotk_cache_events_total{event_type=\"cache_hit\",name=\"charts\",namespace=\"apps\"} 1"
                .to_owned(),
        ];
        for line in lines {
            assert!(text.contains(&line), "{line}: {text}");
        }
        forget_object("GitRepository", "apps", "shop");
        forget_object("HelmRepository", "apps", "charts");
        let text = encode();
        assert!(
            !text.contains("name=\"shop\",namespace=\"apps\",operation"),
            "{text}"
        );
        assert!(!text.contains("gotk_cache_events_total{"), "{text}");
    }
}
