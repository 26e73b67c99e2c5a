//! The frame: what happens around each attempt to fetch a source.

use super::report::Report;
use super::storage::{Promised, Shelf};
use super::{Done, Pass, SourceKind, SourceSettings, Trouble, up_to_date, upkeep};
use crate::error_policy::Failure;
use crate::runtime::{Kind, Park, Reconciler, Run, has_finalizer};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use sluice_api::source::{Source, SourceStatus};
use sluice_api::{Next, conditions, decode, reason};
use sluice_apply::cluster::RequestError;
use sluice_artifact::Store;
use sluice_event::Severity;
use sluice_event::events::{
    FetchFailed, FetchUnchanged, ObjectMalformed, ReconcileFailed, ReconcileFinished, ReconcileSuspended,
    ReconcileWaiting,
};
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::time::Instant;

/// Reconciles one kind of source.
pub struct SourceReconciler<K> {
    kind: K,
    shelf: Shelf,
    /// Begun when the first object runs.
    upkeep: Once,
}

#[allow(private_bounds)] // kinds are of this room alone
impl<K: SourceKind> SourceReconciler<K> {
    /// Fetches as `kind` does, into `store`.
    pub fn new(kind: K, store: Store, settings: SourceSettings) -> Self {
        let shelf = Shelf { store, settings };
        Self {
            kind,
            shelf,
            upkeep: Once::new(),
        }
    }

    async fn step(&self, run: &Run, object: &Arc<Value>) -> Park {
        let source: K::Object = match decode(object) {
            Ok(source) => source,
            Err(error) => return self.malformed(run, object, &error.to_string()).await,
        };
        if K::is_static(&source) {
            return self.release(run, object, &source).await;
        }
        if source.metadata().deletion_timestamp.is_some() {
            return self.finalize(run, object, &source).await;
        }
        let park = self.pass(run, object, &source).await;
        if !has_finalizer(object) {
            // artifacts go without it too, by the watch or at the next start; so what others wait for comes first
            run.cx.add_finalizer_later(K::KIND, &run.key, object);
        }
        park
    }

    async fn pass(&self, run: &Run, object: &Arc<Value>, source: &K::Object) -> Park {
        let started = Instant::now();
        let status = source.status().cloned().unwrap_or_default();
        let mut report = Report::new(run, K::KIND, object.clone(), status);
        if source.is_suspended() {
            ReconcileSuspended {
                controller: K::KIND.controller,
                object: run.key.parts(),
                duration: started.elapsed(),
                message: "reconciliation is suspended for this object",
            }
            .emit();
            report.suspended();
            return match report.close().await {
                Ok(_) => Park::For(None),
                Err(error) => not_written(&error),
            };
        }
        report.progressing();
        self.look_into_storage(run, &mut report).await;
        report.forget_bad_signature();
        let mut pass = Pass {
            run,
            object: source,
            report,
            kind: K::KIND,
            shelf: &self.shelf,
            latest: K::LATEST,
        };
        let attempted = self.kind.attempt(&mut pass).await;
        let report = pass.report;
        match attempted {
            Ok(done) => succeeded::<K>(run, report, source.interval(), done, started).await,
            Err(Trouble::Superseded) => Park::For(Some(Duration::ZERO)),
            Err(Trouble::NotWritten(error)) => not_written(&error),
            Err(Trouble::Failed { condition, failure }) => {
                failed::<K>(run, report, condition, &failure, &failure, started).await
            }
            Err(Trouble::Unknown(failure)) => {
                let message = format!("unknown build error: {}", failure.message);
                let shown = Failure::retry(reason::UNKNOWN, message);
                failed::<K>(run, report, conditions::FETCH_FAILED, &shown, &failure, started).await
            }
        }
    }

    /// What the status promises must be there; old artifacts go (compat/source.md 2.4).
    async fn look_into_storage(&self, run: &Run, report: &mut Report<'_, StatusOf<K>>) {
        let Some(known) = report.status.artifact().cloned() else {
            report.absent();
            return;
        };
        let disappeared = match self.shelf.look(known.clone()).await {
            Some(Promised::Kept(path, collected)) => {
                report.relocate(&path, &self.shelf.settings.advertised_address, K::LATEST);
                if collected > 0 {
                    report.tell_of_garbage(&format!("garbage collected {collected} artifacts"));
                }
                false
            }
            Some(Promised::Spoiled(why)) => {
                let message = format!("failed to verify integrity of artifact: {why}");
                let reason = reason::ARTIFACT_VERIFICATION_FAILED;
                report.tell(Severity::Error, reason.as_str(), &message);
                true
            }
            Some(Promised::Gone) => true,
            None => false,
        };
        if disappeared {
            tracing::info!(path = known.path, object = %run.key, "artifact disappeared from storage");
            report.disappeared();
        }
    }

    /// The object goes: its artifacts first, then our finalizer.
    async fn finalize(&self, run: &Run, object: &Arc<Value>, source: &K::Object) -> Park {
        if !has_finalizer(object) {
            return Park::For(None);
        }
        let status = source.status().cloned().unwrap_or_default();
        let report = Report::new(run, K::KIND, object.clone(), status);
        match self.shelf.remove(K::KIND, &run.key).await {
            Ok(0) => {}
            Ok(_) => report.tell_of_garbage("garbage collected artifacts for deleted resource"),
            Err(error) => {
                let message = format!("garbage collection for deleted resource failed: {error}");
                let failure = Failure::retry(reason::GARBAGE_COLLECTION_FAILED, message);
                report.tell(Severity::Error, failure.reason.as_str(), &failure.message);
                told_of::<K>(run, &failure, Instant::now());
                return Park::Backoff { at_most: None };
            }
        }
        match run.cx.set_finalizer(K::KIND, &run.key, object, false).await {
            Ok(_) => Park::For(None),
            Err(park) => park,
        }
    }

    /// The object is an address and no more: what it had as a source goes, finalizer and status too (compat/source.md 7.3).
    async fn release(&self, run: &Run, object: &Arc<Value>, source: &K::Object) -> Park {
        let is_going = source.metadata().deletion_timestamp.is_some();
        if source.is_suspended() && !is_going {
            return Park::For(None);
        }
        if let Err(error) = self.shelf.remove(K::KIND, &run.key).await {
            tracing::warn!(%error, "artifacts of what is no source any more not removed, trying again");
            return Park::Backoff { at_most: None };
        }
        if has_finalizer(object)
            && let Err(park) = run.cx.set_finalizer(K::KIND, &run.key, object, false).await
        {
            return park;
        }
        let has_status = object.get("status").and_then(Value::as_object);
        if has_status.is_some_and(|status| !status.is_empty()) && !is_going {
            let nothing = Value::Object(serde_json::Map::new());
            let emptied = run.cx.write_status(K::KIND, &run.key, object, &nothing);
            if let Err(error) = emptied.await {
                return not_written(&error);
            }
        }
        Park::For(None)
    }

    /// The object is gone, and with it goes what it had: its finalizer may have been taken by force.
    async fn gone(&self, run: &Run) -> Park {
        match self.shelf.remove(K::KIND, &run.key).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(object = %run.key, count, "artifacts of an object that is gone removed")
            }
            Err(error) => {
                tracing::warn!(%error, object = %run.key, "artifacts of an object that is gone not removed, trying again");
                return Park::Backoff { at_most: None };
            }
        }
        Park::Gone
    }

    /// The object is there but cannot be read. It alone suffers (N7).
    async fn malformed(&self, run: &Run, object: &Arc<Value>, error: &str) -> Park {
        ObjectMalformed { error }.emit();
        let status = object.get("status").cloned().unwrap_or_default();
        let status: StatusOf<K> = serde_json::from_value(status).unwrap_or_default();
        let mut report = Report::new(run, K::KIND, object.clone(), status);
        let failure = Failure::malformed(error);
        report.failed(conditions::FETCH_FAILED, &failure);
        report.stalled(&failure);
        let written = report.close().await;
        if matches!(written, Ok(true)) {
            report.tell(Severity::Error, failure.reason.as_str(), &failure.message);
        }
        written.map_or_else(|error| not_written(&error), |_| Park::For(None))
    }
}

type StatusOf<K> = <<K as SourceKind>::Object as sluice_api::CustomResource>::Status;

#[allow(private_bounds)]
impl<K: SourceKind> Reconciler for SourceReconciler<K> {
    fn kind(&self) -> &'static Kind {
        K::KIND
    }

    fn reconcile<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Park> {
        async move {
            self.upkeep
                .call_once(|| upkeep::begin(&run.cx, K::KIND, &self.shelf));
            match &run.object {
                Some(object) => self.step(run, object).await,
                None => self.gone(run).await,
            }
        }
        .boxed()
    }
}

async fn succeeded<K: SourceKind>(
    run: &Run,
    mut report: Report<'_, StatusOf<K>>,
    interval: Duration,
    done: Done,
    started: Instant,
) -> Park {
    let is_requested = report.is_requested();
    report.succeeded(&K::stored(report.revision()));
    if let Err(error) = report.close().await {
        return not_written(&error);
    }
    let revision = report.revision().to_owned();
    let message = match done {
        Done::Unchanged { told, trace } => {
            FetchUnchanged { revision: &revision }.emit();
            let (reason, text) = trace;
            if report.tell_of_success(&told) {
                Some(told)
            } else if is_requested {
                // Flux says so at each pass; here only where somebody asked
                report.tell(Severity::Trace, reason.as_str(), &text);
                Some(text)
            } else {
                None
            }
        }
        Done::Stored { told } => {
            if report.tell_of_success(&told) {
                Some(told)
            } else {
                let text = up_to_date(&revision);
                report.tell(Severity::Trace, reason::ARTIFACT_UP_TO_DATE.as_str(), &text);
                Some(text)
            }
        }
    };
    ReconcileFinished {
        controller: K::KIND.controller,
        object: run.key.parts(),
        duration: started.elapsed(),
        message: message.as_deref(),
        revision: Some(&revision),
    }
    .emit();
    Park::For(Some(run.spread(interval)))
}

/// Turns a failure into conditions, an event and the next attempt (compat/source.md 2.5). `shown` is what the condition says.
async fn failed<K: SourceKind>(
    run: &Run,
    mut report: Report<'_, StatusOf<K>>,
    condition: &'static str,
    shown: &Failure,
    failure: &Failure,
    started: Instant,
) -> Park {
    report.failed(condition, shown);
    if failure.next == Next::Stall {
        report.stalled(failure);
    }
    let written = report.close().await;
    let severity = match failure.next {
        Next::Wait(_) => Severity::Trace,
        _ => Severity::Error,
    };
    report.tell(severity, failure.reason.as_str(), &failure.message);
    if condition == conditions::FETCH_FAILED {
        FetchFailed.emit();
    }
    let park = park(failure, run.cx.config.requeue_dependency);
    told_of::<K>(run, failure, started);
    match written {
        Err(error) => not_written(&error),
        Ok(_) => park,
    }
}

/// The line of the log, in the words of Flux and of its library.
fn told_of<K: SourceKind>(run: &Run, failure: &Failure, started: Instant) {
    let object = run.key.parts();
    let (controller, duration) = (K::KIND.controller, started.elapsed());
    if let Next::Wait(_) = failure.next {
        return ReconcileWaiting {
            controller,
            object,
            duration,
            on: &failure.message,
            after: run.cx.config.requeue_dependency,
        }
        .emit();
    }
    let is_terminal = failure.next == Next::Stall;
    ReconcileFailed {
        controller,
        object,
        duration,
        error: &failure.message,
        reason: failure.reason.as_str(),
        message: if is_terminal {
            "reconciliation stalled"
        } else {
            "Reconciler error"
        },
        is_terminal,
        revision: None,
    }
    .emit();
}

/// When a source that failed runs again. It has no retry interval: Flux too backs off from `--min-retry-delay` to
/// `--max-retry-delay`. A server that asks to be left alone is.
fn park(failure: &Failure, requeue_dependency: Duration) -> Park {
    match (&failure.next, failure.after()) {
        (Next::Stall, _) => Park::For(None),
        (Next::Wait(_), _) => Park::For(Some(requeue_dependency)),
        (Next::Retry | Next::BackOff | Next::Ignore, Some(after)) => Park::BackoffAtLeast(after),
        (Next::Retry | Next::BackOff | Next::Ignore, None) => Park::Backoff { at_most: None },
    }
}

fn not_written(error: &RequestError) -> Park {
    tracing::warn!(%error, "status not written, trying again");
    Park::Backoff { at_most: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_api::{Blame, Disposition, Reason};

    #[derive(Debug)]
    struct Limited(Option<u64>);

    impl std::fmt::Display for Limited {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("too many requests")
        }
    }

    impl Disposition for Limited {
        fn reason(&self) -> Reason {
            reason::GIT_OPERATION_FAILED
        }

        fn next(&self) -> Next {
            Next::BackOff
        }

        fn blame(&self) -> Blame {
            Blame::Upstream
        }

        fn retry_after(&self) -> Option<Duration> {
            self.0.map(Duration::from_secs)
        }
    }

    #[test]
    fn a_server_that_asks_to_be_left_alone_is() {
        let parked = |after| match Trouble::of(&Limited(after)) {
            Trouble::Failed { failure, .. } => park(&failure, Duration::from_secs(30)),
            _ => panic!("it failed"),
        };
        assert_eq!(parked(Some(60)), Park::BackoffAtLeast(Duration::from_secs(60)));
        assert_eq!(parked(None), Park::Backoff { at_most: None });
    }
}
