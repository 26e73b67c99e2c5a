//! The one table from what went wrong to condition, event, log and next attempt. Nothing else decides policy.
//!
//! | what | condition | event | parked |
//! |---|---|---|---|
//! | `Failed`, next `Stall` | Ready False and Stalled | error | until something changes |
//! | `Failed`, next `Retry` | Ready False | error | `retryInterval` |
//! | `Failed`, next `BackOff` | Ready False | error | doubling from `--min-retry-delay`, at most `retryInterval` |
//! | `Waiting` | Ready False, once it lasted [`WAITING_GRACE`] | info or none | until the awaited moves; safety net |
//! | `Unsettled` | none | none | until an object of the stage moves, or its time is over |
//! | `Unhealthy` | Running health checks, once it lasted [`PROGRESS_GRACE`] | none | until an object moves, or the deadline |
//! | `Superseded` | none | none | runs again at once |
//! | `NotWritten` | cannot be written | none | doubling |

use crate::runtime::Park;
use sluice_api::{Disposition, Next, Reason, reason};
use sluice_apply::cluster::RequestError;
use sluice_event::Severity;
use std::num::NonZeroU32;
use std::time::Duration;

/// A wait shorter than this is not worth a status write: at a new revision, dependents wait for each other all the time.
pub const WAITING_GRACE: Duration = Duration::from_secs(1);
/// A health check shorter than this is not worth a status write of its own.
pub const PROGRESS_GRACE: Duration = Duration::from_secs(5);

/// The line of the log about a failed reconcile: Flux's, and no time that will not be kept.
pub(crate) fn told(took: Duration, next: &Next, park: Park) -> String {
    let took = sluice_api::Duration(took);
    match park {
        _ if *next == Next::Stall => "Reconciliation failed terminally due to configuration error".to_owned(),
        Park::For(Some(wait)) | Park::BackoffAtLeast(wait) => {
            let wait = sluice_api::Duration(wait);
            format!("Reconciliation failed after {took}, next try in {wait}")
        }
        _ => format!("Reconciliation failed after {took}, trying again"),
    }
}

/// Why a reconcile did not come to its end.
#[derive(Debug)]
pub enum Stopped {
    /// Something failed.
    Failed(Failure),
    /// Something it needs is not there yet.
    Waiting(Waiting),
    /// The objects are applied; their health is awaited. Look again after this time at the latest.
    Unhealthy(Duration),
    /// The objects of a stage, counted from 0, are not ready; those after it need them. Look again after this time at the
    /// latest.
    Unsettled(usize, Duration),
    /// A newer wish came.
    Superseded,
    /// The status could not be written, so nothing may go on.
    NotWritten(RequestError),
}

/// What failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Reason of the condition and the event.
    pub reason: Reason,
    /// Message of the condition.
    pub message: String,
    /// Message of the event, where Flux says it differently.
    pub told: Option<String>,
    /// When it is tried again.
    pub next: Next,
    /// How many seconds the other side asked to be left alone.
    pub(crate) after: Option<NonZeroU32>,
    /// Whether the attempt enters the history: it got as far as applying.
    pub is_recorded: bool,
}

impl Failure {
    /// A failure that the user must mend; tried again after `retryInterval`.
    pub fn retry(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            told: None,
            next: Next::Retry,
            after: None,
            is_recorded: false,
        }
    }

    /// A failure that may heal by itself; tried again soon, and then after a growing delay.
    pub(crate) fn back_off(reason: Reason, message: impl Into<String>) -> Self {
        Self::retry(reason, message).back_off_if(true)
    }

    /// A failure that only a change of the object can mend.
    pub fn stall(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            next: Next::Stall,
            ..Self::retry(reason, message)
        }
    }

    /// An object that cannot be read.
    pub(crate) fn malformed(error: &str) -> Self {
        let message = format!("the object cannot be read: {error}. Correct the named field");
        Self::stall(reason::INVALID_SPEC, message)
    }

    /// A mistake in the configuration, in Flux's words.
    pub fn misconfigured(error: &(impl Disposition + std::fmt::Display)) -> Self {
        let message = format!("Reconciliation failed terminally due to configuration error: {error}");
        Self::stall(error.reason(), message)
    }

    /// The failure of a stage, by its own disposition.
    pub fn of(error: &(impl Disposition + std::fmt::Display)) -> Self {
        Self {
            next: error.next(),
            ..Self::retry(error.reason(), error.to_string())
        }
        .left_alone(error.retry_after())
    }

    /// The same, tried again soon where it may heal by itself.
    #[must_use]
    pub(crate) fn back_off_if(self, is_transient: bool) -> Self {
        match is_transient {
            true => Self {
                next: Next::BackOff,
                ..self
            },
            false => self,
        }
    }

    /// The same of an attempt that got as far as applying: it enters the history.
    #[must_use]
    pub(crate) fn recorded(self) -> Self {
        Self {
            is_recorded: true,
            ..self
        }
    }

    /// The same where the other side asked to be left alone for so long.
    #[must_use]
    pub fn left_alone(self, after: Option<Duration>) -> Self {
        let seconds = after.and_then(|after| u32::try_from(after.as_secs()).ok());
        Self {
            after: seconds.and_then(NonZeroU32::new),
            ..self
        }
    }

    /// How long the other side asked to be left alone.
    pub fn after(&self) -> Option<Duration> {
        let seconds = self.after?.get();
        Some(Duration::from_secs(seconds.into()))
    }
}

/// What is waited for.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Reason of the condition.
    pub reason: Reason,
    /// Message of the condition.
    pub message: String,
    /// An event users get, once.
    pub told: Option<(Severity, String)>,
    /// The line in the log.
    pub log: String,
    /// When to look although nothing was heard.
    pub after: Duration,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Waiting> for Stopped {
    fn from(waiting: Waiting) -> Self {
        Self::Waiting(waiting)
    }
}

/// How an object that failed is parked.
pub fn park(next: &Next, retry_interval: Duration) -> Park {
    match next {
        Next::Stall => Park::For(None),
        Next::Retry | Next::Ignore => Park::For(Some(retry_interval)),
        Next::BackOff => Park::Backoff {
            at_most: Some(retry_interval),
        },
        Next::Wait(_) => Park::For(Some(retry_interval)),
    }
}
