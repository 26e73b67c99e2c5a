//! The metrics of this process, served as OpenMetrics text. Names with `gotk_` and `controller_runtime_` are Flux's
//! (compat/cli.md section 24), so that its dashboards keep working; our own are `sluice_<stage>_<noun>_<unit>`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::OnceLock;
use std::time::Duration;

/// What `/metrics` answers with in its Content-Type header.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Flux's buckets for reconcile durations: ten, exponential from 10 ms to 30 minutes.
const RECONCILE_BUCKETS: (f64, f64, usize) = (0.01, 1800.0, 10);

/// Names one custom resource: the only metric with object names as labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ObjectLabels {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ControllerLabels {
    pub(crate) controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ResultLabels {
    pub(crate) controller: &'static str,
    pub(crate) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) code: u16,
    pub(crate) method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct NameLabels {
    pub(crate) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct WordLabels {
    pub(crate) word: &'static str,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every metric there is, in one place.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) reconcile_duration: Durations<ObjectLabels>,
    pub(crate) reconciles: Family<ResultLabels, Counter>,
    pub(crate) reconcile_time: Durations<ControllerLabels>,
    pub(crate) active_workers: Family<ControllerLabels, Gauge>,
    pub(crate) max_concurrent: Family<ControllerLabels, Gauge>,
    pub(crate) leader: Family<NameLabels, Gauge>,
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) queue_ready: Gauge,
    pub(crate) queue_parked: Gauge,
    pub(crate) changes: Family<WordLabels, Counter>,
    pub(crate) verified: Counter,
    pub(crate) drifts: Counter,
    pub(crate) fights: Counter,
    pub(crate) renders: Family<WordLabels, Counter>,
    pub(crate) render_seconds: Histogram,
    pub(crate) fetches: Family<WordLabels, Counter>,
    pub(crate) status_writes: Counter,
    pub(crate) events_dropped: Family<WordLabels, Counter>,
}

impl Metrics {
    #[rustfmt::skip]
    fn new() -> Self {
        let mut registry = Registry::default();
        let mut it = Self {
            registry: Registry::default(),
            reconcile_duration: Family::new_with_constructor(reconcile_histogram),
            reconciles: Family::default(),
            reconcile_time: Family::new_with_constructor(reconcile_histogram),
            active_workers: Family::default(),
            max_concurrent: Family::default(),
            leader: Family::default(),
            requests: Family::default(),
            queue_ready: Gauge::default(),
            queue_parked: Gauge::default(),
            changes: Family::default(),
            verified: Counter::default(),
            drifts: Counter::default(),
            fights: Counter::default(),
            renders: Family::default(),
            render_seconds: reconcile_histogram(),
            fetches: Family::default(),
            status_writes: Counter::default(),
            events_dropped: Family::default(),
        };
        registry.register("gotk_reconcile_duration_seconds", "The duration in seconds of a GitOps Toolkit resource reconciliation", it.reconcile_duration.clone());
        registry.register("controller_runtime_reconcile", "Total number of reconciliations per controller", it.reconciles.clone());
        registry.register("controller_runtime_reconcile_time_seconds", "Length of time per reconciliation per controller", it.reconcile_time.clone());
        registry.register("controller_runtime_active_workers", "Number of currently used workers per controller", it.active_workers.clone());
        registry.register("controller_runtime_max_concurrent_reconciles", "Maximum number of concurrent reconciles per controller", it.max_concurrent.clone());
        registry.register("leader_election_master_status", "Whether this process holds the lease of that name", it.leader.clone());
        registry.register("rest_client_requests", "Requests to the API server by code and method; code 0 where none came back", it.requests.clone());
        registry.register("sluice_queue_ready", "Objects waiting for a worker", it.queue_ready.clone());
        registry.register("sluice_queue_parked", "Objects waiting for an event or a time, holding no worker", it.queue_parked.clone());
        registry.register("sluice_apply_changes", "Objects by what became of them: created, configured, unchanged, deleted, skipped", it.changes.clone());
        registry.register("sluice_apply_verified_without_request", "Objects known to be as desired without asking the API server", it.verified.clone());
        registry.register("sluice_apply_drifts", "Objects changed by others and put back", it.drifts.clone());
        registry.register("sluice_apply_fights", "Objects that others keep changing, whose correction is damped", it.fights.clone());
        registry.register("sluice_render", "Renders by outcome: rendered, remembered, failed", it.renders.clone());
        registry.register("sluice_render_seconds", "Length of time of one render", it.render_seconds.clone());
        registry.register("sluice_fetch", "Fetches by outcome: new, unchanged, failed", it.fetches.clone());
        registry.register("sluice_status_writes", "Writes to the status of custom resources", it.status_writes.clone());
        registry.register("sluice_event_dropped", "Events dropped because a sink was slow, by sink", it.events_dropped.clone());
        it.registry = registry;
        it
    }
}

fn reconcile_histogram() -> Histogram {
    let (first, last, count) = RECONCILE_BUCKETS;
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets_range(
        first,
        last,
        count as u16,
    ))
}

pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(Metrics::new)
}

/// All metrics as OpenMetrics text.
pub fn encode() -> String {
    let mut text = String::new();
    // writing to a String cannot fail
    let _ = prometheus_client::encoding::text::encode(&mut text, &metrics().registry);
    text
}

/// Removes the series of a custom resource that is gone: dashboards must not show ghosts.
pub fn forget_object(kind: &str, namespace: &str, name: &str) {
    let labels = ObjectLabels {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    };
    metrics().reconcile_duration.remove(&labels);
}

/// Sets how many objects wait for a worker and how many are parked.
pub fn queue(ready: usize, parked: usize) {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    metrics().queue_ready.set(count(ready));
    metrics().queue_parked.set(count(parked));
}

/// Sets how many workers of a controller are busy, of how many.
pub fn workers(controller: &'static str, active: usize, limit: usize) {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let labels = ControllerLabels { controller };
    metrics().active_workers.get_or_create(&labels).set(count(active));
    metrics().max_concurrent.get_or_create(&labels).set(count(limit));
}

/// Counts one request to the API server; `code` is 0 where no answer came back.
pub fn request(method: &'static str, code: u16) {
    metrics()
        .requests
        .get_or_create(&RequestLabels { code, method })
        .inc();
}

/// Counts one event that a sink had to drop.
pub fn event_dropped(sink: &'static str) {
    metrics()
        .events_dropped
        .get_or_create(&WordLabels { word: sink })
        .inc();
}

/// Seconds as metrics want them.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
