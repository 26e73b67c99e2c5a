//! The metrics of this process, served as OpenMetrics text. Names with `gotk_` and `controller_runtime_` are Flux's
//! (compat/cli.md section 24), so that its dashboards keep working; our own are `sluice_<stage>_<noun>_<unit>`.

mod caches;
mod process;

pub use caches::{index_asked, token_asked, token_dropped, token_kept};

use caches::Caches;
use process::Process;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What `/metrics` answers with in its Content-Type header.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Flux's buckets for reconcile durations: ten, exponential from 10 ms to 30 minutes.
const RECONCILE_BUCKETS: (f64, f64, usize) = (0.01, 1800.0, 10);

/// controller-runtime's buckets for the same.
const CONTROLLER_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0,
    50.0, 60.0,
];

/// How a reconcile ended, in controller-runtime's words: it failed; it comes again after a time; it comes again at once, which
/// nothing does here; nothing is left to do.
pub(crate) const RESULT_ERROR: &str = "error";
pub(crate) const RESULT_AFTER: &str = "requeue_after";
const RESULT_REQUEUE: &str = "requeue";
pub(crate) const RESULT_SUCCESS: &str = "success";

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

/// client-go's queues are named after the controller that they feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct QueueLabels {
    pub(crate) controller: &'static str,
    pub(crate) name: &'static str,
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

impl QueueLabels {
    fn of(controller: &'static str) -> Self {
        Self {
            controller,
            name: controller,
        }
    }
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every metric there is, in one place.
pub(crate) struct Metrics {
    registry: Registry,
    process: Process,
    caches: Caches,
    pub(crate) reconcile_duration: Durations<ObjectLabels>,
    pub(crate) reconciles: Family<ResultLabels, Counter>,
    pub(crate) reconcile_errors: Family<ControllerLabels, Counter>,
    pub(crate) terminal_errors: Family<ControllerLabels, Counter>,
    pub(crate) panics: Family<ControllerLabels, Counter>,
    timeouts: Family<ControllerLabels, Counter>,
    pub(crate) reconcile_time: Durations<ControllerLabels>,
    workqueue_depth: Family<QueueLabels, Gauge>,
    workqueue_adds: Family<QueueLabels, Counter>,
    workqueue_retries: Family<QueueLabels, Counter>,
    workqueue_waited: Durations<QueueLabels>,
    workqueue_worked: Durations<QueueLabels>,
    workqueue_unfinished: Family<QueueLabels, Gauge<f64, AtomicU64>>,
    workqueue_longest: Family<QueueLabels, Gauge<f64, AtomicU64>>,
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
            process: Process::register(&mut registry),
            caches: Caches::register(&mut registry),
            registry: Registry::default(),
            reconcile_duration: Family::new_with_constructor(reconcile_histogram),
            reconciles: Family::default(),
            reconcile_errors: Family::default(),
            terminal_errors: Family::default(),
            panics: Family::default(),
            timeouts: Family::default(),
            reconcile_time: Family::new_with_constructor(controller_histogram),
            workqueue_depth: Family::default(),
            workqueue_adds: Family::default(),
            workqueue_retries: Family::default(),
            workqueue_waited: Family::new_with_constructor(queue_histogram),
            workqueue_worked: Family::new_with_constructor(queue_histogram),
            workqueue_unfinished: Family::default(),
            workqueue_longest: Family::default(),
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
        registry.register("controller_runtime_reconcile_errors", "Total number of reconciliation errors per controller", it.reconcile_errors.clone());
        registry.register("controller_runtime_terminal_reconcile_errors", "Total number of reconciliation errors per controller that only a change can heal", it.terminal_errors.clone());
        registry.register("controller_runtime_reconcile_panics", "Total number of reconciliations per controller that a bug ended", it.panics.clone());
        registry.register("controller_runtime_reconcile_timeouts", "Total number of reconciliations per controller that a general limit of time ended; there is none", it.timeouts.clone());
        registry.register("controller_runtime_reconcile_time_seconds", "Length of time per reconciliation per controller", it.reconcile_time.clone());
        registry.register("workqueue_depth", "Current depth of workqueue by workqueue name", it.workqueue_depth.clone());
        registry.register("workqueue_adds", "Total number of objects that a worker took", it.workqueue_adds.clone());
        registry.register("workqueue_retries", "Total number of objects that come again after a time", it.workqueue_retries.clone());
        registry.register("workqueue_queue_duration_seconds", "How long in seconds an item stays in workqueue before being requested", it.workqueue_waited.clone());
        registry.register("workqueue_work_duration_seconds", "How long in seconds processing an item from workqueue takes", it.workqueue_worked.clone());
        registry.register("workqueue_unfinished_work_seconds", "How long those that are worked on have been worked on, together", it.workqueue_unfinished.clone());
        registry.register("workqueue_longest_running_processor_seconds", "How long the one that is worked on longest has been worked on", it.workqueue_longest.clone());
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

fn controller_histogram() -> Histogram {
    Histogram::new(CONTROLLER_BUCKETS.iter().copied())
}

/// client-go's buckets: ten nanoseconds to a thousand seconds, in powers of ten.
fn queue_histogram() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(
        1e-8, 10.0, 12,
    ))
}

pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(Metrics::new)
}

/// All metrics as OpenMetrics text.
pub fn encode() -> String {
    let mut text = String::new();
    metrics().process.sample();
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
    metrics().caches.forget(kind, namespace, name);
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

/// Sets what waits for a controller's workers, and how long those that run have been running.
pub fn workqueue(controller: &'static str, depth: usize, unfinished: Duration, longest: Duration) {
    let labels = QueueLabels::of(controller);
    let metrics = metrics();
    let depth = i64::try_from(depth).unwrap_or(i64::MAX);
    metrics.workqueue_depth.get_or_create(&labels).set(depth);
    metrics
        .workqueue_unfinished
        .get_or_create(&labels)
        .set(seconds(unfinished));
    metrics
        .workqueue_longest
        .get_or_create(&labels)
        .set(seconds(longest));
}

/// A worker took an object that was ready for so long.
pub fn dequeued(controller: &'static str, waited: Duration) {
    let labels = QueueLabels::of(controller);
    metrics().workqueue_adds.get_or_create(&labels).inc();
    metrics()
        .workqueue_waited
        .get_or_create(&labels)
        .observe(seconds(waited));
}

/// A worker is done with an object, for now or for good.
pub fn worked(controller: &'static str, took: Duration, is_retried: bool) {
    let labels = QueueLabels::of(controller);
    metrics()
        .workqueue_worked
        .get_or_create(&labels)
        .observe(seconds(took));
    if is_retried {
        metrics().workqueue_retries.get_or_create(&labels).inc();
    }
}

/// A controller begins: what it counts is there from the start, so that the first failure is seen as a rise from 0.
pub fn begin(controller: &'static str) {
    let labels = ControllerLabels { controller };
    let metrics = metrics();
    for result in [RESULT_ERROR, RESULT_AFTER, RESULT_REQUEUE, RESULT_SUCCESS] {
        let labels = ResultLabels { controller, result };
        drop(metrics.reconciles.get_or_create(&labels));
    }
    let counters = [
        &metrics.reconcile_errors,
        &metrics.terminal_errors,
        &metrics.panics,
        &metrics.timeouts,
    ];
    for counter in counters {
        drop(counter.get_or_create(&labels));
    }
}

/// Counts one reconcile that a bug ended.
pub fn panicked(controller: &'static str) {
    metrics()
        .panics
        .get_or_create(&ControllerLabels { controller })
        .inc();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// compat/cli.md section 24: what Flux's dashboards ask for.
    #[test]
    fn the_dashboards_of_flux_find_what_they_ask_for() {
        dequeued("kustomization", Duration::from_secs(1));
        worked("kustomization", Duration::from_secs(1), true);
        workqueue("kustomization", 1, Duration::ZERO, Duration::ZERO);
        workers("kustomization", 1, 4);
        panicked("kustomization");
        request("get", 200);
        let text = encode();
        for wanted in [
            "workqueue_depth{controller=\"kustomization\",name=\"kustomization\"} 1",
            "workqueue_adds_total{controller=\"kustomization\",name=\"kustomization\"} 1",
            "workqueue_retries_total{controller=\"kustomization\",name=\"kustomization\"} 1",
            "workqueue_queue_duration_seconds_bucket{le=\"10.0\",controller=\"kustomization\",name=\"kustomization\"} 1",
            "workqueue_work_duration_seconds_sum{controller=\"kustomization\",name=\"kustomization\"} 1.0",
            "workqueue_unfinished_work_seconds{",
            "workqueue_longest_running_processor_seconds{",
            "controller_runtime_active_workers{controller=\"kustomization\"} 1",
            "controller_runtime_max_concurrent_reconciles{controller=\"kustomization\"} 4",
            "controller_runtime_reconcile_panics_total{controller=\"kustomization\"} 1",
            "rest_client_requests_total{code=\"200\",method=\"get\"} 1",
            "process_cpu_seconds_total ",
            "process_resident_memory_bytes ",
            "process_open_fds ",
            "process_max_fds ",
            "process_start_time_seconds ",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
