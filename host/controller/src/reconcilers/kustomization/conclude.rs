//! The end of an attempt: status, events, and what comes next, by the table of [`crate::error_policy`].

use super::memory::Memory;
use super::{Attempt, Done};
use crate::config::gates;
use crate::error_policy::{self, Failure, Stopped, WAITING_GRACE, Waiting};
use crate::runtime::{KUSTOMIZATION, Park};
use sluice_api::{Next, meta, reason};
use sluice_apply::cluster::RequestError;
use sluice_event::Severity;
use sluice_event::events::{ObjectParked, ReconcileFailed, ReconcileFinished};
use std::time::Duration;
use tokio::time::Instant;

impl Attempt<'_, '_> {
    /// Turns the end of an attempt into status, events and the next step.
    pub(super) async fn conclude(&mut self, end: Result<Done, Stopped>, started: Instant) -> Park {
        let (run, ks) = (self.run, self.ks);
        // an artifact that cannot be opened is waited for too, after all else was there
        if !matches!(end, Err(Stopped::Waiting(_))) {
            self.memory.waiting = None;
        }
        match end {
            Ok(Done::Nothing) => {
                self.finished(started.elapsed(), None);
                if self.memory.due.is_none_or(|due| due <= Instant::now()) {
                    self.memory.quiet += 1;
                    self.memory.due = Some(Instant::now() + run.spread(ks.spec.interval.get()));
                }
                self.until_due()
            }
            Ok(Done::Settled(attempted)) => {
                self.report.succeeded(&attempted);
                if let Err(error) = self.report.close().await {
                    return not_written(self.memory, &error);
                }
                self.memory.quiet = 0;
                let message = format!(
                    "Reconciliation finished in {}, next run in {}",
                    sluice_api::Duration(attempted.duration),
                    ks.spec.interval
                );
                if !run.cx.config.gate(gates::NO_COMMIT_STATUS) {
                    self.report.tell_with(
                        Severity::Info,
                        &message,
                        Some((meta::EVENT_COMMIT_STATUS, meta::COMMIT_STATUS_UPDATE)),
                    );
                }
                self.finished(attempted.duration, Some(&message));
                self.memory.due = Some(Instant::now() + run.spread(ks.spec.interval.get()));
                self.until_due()
            }
            Err(Stopped::Failed(failure)) => self.failed(&failure, started).await,
            Err(Stopped::Waiting(waiting)) => {
                // what it reads after that is still what it needs
                run.keep_subscriptions();
                self.waits(waiting).await
            }
            Err(Stopped::Unhealthy(after) | Stopped::Unsettled(_, after)) => Park::Awaiting(after),
            Err(Stopped::Superseded) => Park::For(Some(Duration::ZERO)),
            Err(Stopped::NotWritten(error)) => not_written(self.memory, &error),
        }
    }

    /// Something failed: it is said, and tried again when the table says.
    async fn failed(&mut self, failure: &Failure, started: Instant) -> Park {
        let report = &mut *self.report;
        let memory = &mut *self.memory;
        memory.settled = None;
        memory.awaiting = None;
        memory.stage = None;
        report.failed(failure, None);
        let written = report.close().await;
        let text = failure.told.as_deref().unwrap_or(&failure.message);
        if written.is_ok() {
            report.tell(Severity::Error, text);
        }
        let retry_interval = self.ks.spec.retry_interval();
        memory.failed_until = held_for(failure, retry_interval).map(|wait| Instant::now() + wait);
        let park = error_policy::park(&failure.next, retry_interval);
        ReconcileFailed {
            controller: KUSTOMIZATION.controller,
            object: self.run.key.parts(),
            duration: started.elapsed(),
            error: text,
            reason: failure.reason.as_str(),
            message: &error_policy::told(started.elapsed(), &failure.next, park),
            is_terminal: failure.next == Next::Stall,
            revision: report.revision.as_deref(),
        }
        .emit();
        match written {
            Ok(_) => {
                if failure.is_recorded {
                    memory.quiet = 0;
                }
                park
            }
            Err(error) => not_written(memory, &error),
        }
    }

    /// Something it needs is not there yet: it is said once that has lasted.
    async fn waits(&mut self, waiting: Waiting) -> Park {
        let report = &mut *self.report;
        let memory = &mut *self.memory;
        memory.awaiting = None;
        memory.stage = None;
        let now = Instant::now();
        let since = match &memory.waiting {
            Some((on, since)) if *on == waiting.message => *since,
            _ => now,
        };
        let is_told = memory.waiting.is_some() && since != now && now.duration_since(since) >= WAITING_GRACE;
        memory.waiting = Some((waiting.message.clone(), since));
        if !is_told {
            return Park::For(Some(WAITING_GRACE.saturating_sub(now.duration_since(since))));
        }
        ObjectParked { on: &waiting.log }.emit();
        report.waits(waiting.reason, &waiting.message);
        match report.close().await {
            Ok(true) => {
                if let Some((severity, message)) = &waiting.told {
                    report.tell(*severity, message);
                }
                Park::For(Some(waiting.after))
            }
            Ok(false) => Park::For(Some(waiting.after)),
            Err(error) => not_written(memory, &error),
        }
    }

    fn finished(&self, duration: Duration, message: Option<&str>) {
        ReconcileFinished {
            controller: KUSTOMIZATION.controller,
            object: self.run.key.parts(),
            duration,
            message,
            revision: self.report.revision.as_deref(),
        }
        .emit();
    }

    fn until_due(&self) -> Park {
        let now = Instant::now();
        let due = self.memory.due.map(|due| due.saturating_duration_since(now));
        let released = self.memory.held(now, self.ks.spec.interval.get()).1;
        Park::For(due.into_iter().chain(released).min())
    }
}

/// As good as for ever, and no clock overflows.
const ALWAYS: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long moves of its objects do not lead to another attempt. Where they are all applied, drift is put back even though
/// something else failed; where an attempt can only fail as the last one did, each would tell it again.
fn held_for(failure: &Failure, retry_interval: Duration) -> Option<Duration> {
    let applied = [
        reason::HEALTH_CHECK_FAILED,
        reason::PRUNE_FAILED,
        reason::PRUNE_HELD,
    ];
    match failure.next {
        _ if applied.contains(&failure.reason) => None,
        Next::BackOff => None,
        Next::Stall => Some(ALWAYS),
        Next::Retry | Next::Ignore | Next::Wait(_) => Some(retry_interval),
    }
}

/// The status could not be written: what is remembered must not say that it was.
pub(super) fn not_written(memory: &mut Memory, error: &RequestError) -> Park {
    tracing::warn!(%error, "status not written, trying again");
    memory.settled = None;
    Park::Backoff { at_most: None }
}
