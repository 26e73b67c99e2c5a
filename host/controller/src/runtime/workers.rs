//! Takes from the schedule what is ready and runs it, within the limits.

use super::Kind;
use super::context::{Context, Reconciler, Run};
use super::schedule::{Park, Started};
use futures::FutureExt;
use sluice_event::log::reconcile_span;
use sluice_event::metrics;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::Instrument;

/// Runs ready objects until shutdown, then waits for those that run.
pub(crate) async fn work(cx: Arc<Context>, reconcilers: Vec<Arc<dyn Reconciler>>) {
    let reconcilers: HashMap<&'static str, Arc<dyn Reconciler>> = reconcilers
        .into_iter()
        .map(|reconciler| (reconciler.kind().kind, reconciler))
        .collect();
    reconcilers
        .values()
        .for_each(|reconciler| metrics::begin(reconciler.kind().controller));
    while !cx.shutdown.is_cancelled() {
        let next_timer = start_ready(&cx, &reconcilers);
        let timer = async {
            match next_timer {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = cx.shutdown.cancelled() => {}
            () = cx.work.notified() => {}
            () = timer => {}
        }
    }
    // what has begun is brought to its end, so that no half-written status is left
    while !cx.schedule().is_idle() {
        cx.work.notified().await;
    }
}

fn start_ready(
    cx: &Arc<Context>,
    reconcilers: &HashMap<&'static str, Arc<dyn Reconciler>>,
) -> Option<Instant> {
    let mut schedule = cx.schedule();
    schedule.fire(Instant::now());
    while let Some(started) = schedule.next() {
        if let Some(reconciler) = reconcilers.get(started.key.kind) {
            metrics::dequeued(reconciler.kind().controller, started.waited);
            cx.spawn(run(cx.clone(), reconciler.clone(), started));
        }
    }
    if schedule.counts().0 == 0 {
        cx.rest.notify_waiters();
    }
    schedule.next_timer()
}

/// Tells the metrics how long the queues are and how many workers are busy. Asked for when somebody reads them: they change
/// with every step.
pub(crate) fn sample(cx: &Context, kinds: &[&'static Kind]) {
    let schedule = cx.schedule();
    let (ready, parked) = schedule.counts();
    metrics::queue(ready, parked);
    for kind in kinds {
        let load = schedule.load(kind.kind);
        metrics::workers(kind.controller, load.running, load.limit);
        metrics::workqueue(kind.controller, load.ready, load.unfinished, load.longest);
    }
}

async fn run(cx: Arc<Context>, reconciler: Arc<dyn Reconciler>, started: Started) {
    let Started { key, wakes, .. } = started;
    let since = Instant::now();
    let kind = reconciler.kind();
    let span = reconcile_span(
        kind.controller,
        kind.group,
        kind.kind,
        &key.namespace,
        &key.name,
        &cx.reconcile_id(),
    );
    let object = cx.store.get(&key);
    if object.as_ref().is_some_and(|object| !cx.shard.has(object)) {
        // its label changed while it waited: another process has it now
        return cx.parked(&key, Park::Gone);
    }
    let run = Run {
        object,
        key: key.clone(),
        wakes,
        cx: cx.clone(),
        remote: None,
    };
    let reconciled = AssertUnwindSafe(reconciler.reconcile(&run))
        .catch_unwind()
        .instrument(span.clone())
        .await;
    let park = reconciled.unwrap_or_else(|_| {
        // a bug in one reconcile must not take the others down
        span.in_scope(|| tracing::error!("reconcile panicked"));
        metrics::panicked(kind.controller);
        Park::Backoff { at_most: None }
    });
    // as client-go counts: whatever is added with a delay
    let is_retried = match park {
        Park::For(after) => after.is_some_and(|after| !after.is_zero()),
        Park::Awaiting(_) | Park::Backoff { .. } | Park::BackoffAtLeast(_) => true,
        Park::Gone => false,
    };
    metrics::worked(kind.controller, since.elapsed(), is_retried);
    cx.parked(&key, park);
}
