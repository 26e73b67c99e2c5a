use crate::metrics::{
    ControllerLabels, ObjectLabels, RESULT_AFTER, RESULT_ERROR, RESULT_SUCCESS, ResultLabels, metrics,
    seconds,
};
use std::time::Duration;
use tracing::{debug, error, info, warn};

/// A reconcile came to an end that is no failure. The log line is Flux's.
pub struct ReconcileFinished<'a> {
    /// The controller, lower-case kind, as controller-runtime labels it.
    pub controller: &'static str,
    /// Kind, namespace and name of the object.
    pub object: (&'a str, &'a str, &'a str),
    /// How long it took, from its start to its final status.
    pub duration: Duration,
    /// Flux's text: `Reconciliation finished in 1s, next run in 5m0s`; none where nothing changed, which is not worth a line.
    pub message: Option<&'a str>,
    /// What was applied.
    pub revision: Option<&'a str>,
}

impl ReconcileFinished<'_> {
    /// Logs one line at info (nothing changed: debug) and records the duration.
    pub fn emit(self) {
        // as controller-runtime counts: it comes again after its interval
        record(self.controller, self.object, self.duration, RESULT_AFTER);
        match self.message {
            Some(message) => info!(revision = self.revision, "{message}"),
            None => debug!(revision = self.revision, "nothing changed"),
        }
    }
}

/// A reconcile failed; somebody or something must change before it can succeed.
pub struct ReconcileFailed<'a> {
    /// The controller, lower-case kind.
    pub controller: &'static str,
    /// Kind, namespace and name of the object.
    pub object: (&'a str, &'a str, &'a str),
    /// How long it took.
    pub duration: Duration,
    /// What failed, with cause and remedy.
    pub error: &'a str,
    /// The reason of the condition.
    pub reason: &'a str,
    /// Flux's text: `Reconciliation failed after 1s, next try in 5m0s`.
    pub message: &'a str,
    /// Whether only a change can help.
    pub is_terminal: bool,
    /// What was attempted.
    pub revision: Option<&'a str>,
}

impl ReconcileFailed<'_> {
    /// Logs at error and counts.
    pub fn emit(self) {
        // as controller-runtime counts: an error that only a change can heal is an error too
        record(self.controller, self.object, self.duration, RESULT_ERROR);
        if self.is_terminal {
            let labels = ControllerLabels {
                controller: self.controller,
            };
            metrics().terminal_errors.get_or_create(&labels).inc();
        }
        error!(
            error = self.error,
            reason = self.reason,
            revision = self.revision,
            "{}",
            self.message
        );
    }
}

fn record(
    controller: &'static str,
    (kind, namespace, name): (&str, &str, &str),
    duration: Duration,
    result: &'static str,
) {
    let labels = ObjectLabels {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    };
    let metrics = metrics();
    metrics
        .reconcile_duration
        .get_or_create(&labels)
        .observe(seconds(duration));
    metrics
        .reconcile_time
        .get_or_create(&ControllerLabels { controller })
        .observe(seconds(duration));
    metrics
        .reconciles
        .get_or_create(&ResultLabels { controller, result })
        .inc();
    if result == RESULT_ERROR {
        let labels = ControllerLabels { controller };
        metrics.reconcile_errors.get_or_create(&labels).inc();
    }
}

/// A reconcile waits for another object, and looks again after a while.
pub struct ReconcileWaiting<'a> {
    /// The controller, lower-case kind.
    pub controller: &'static str,
    /// Kind, namespace and name of the object.
    pub object: (&'a str, &'a str, &'a str),
    /// How long it took.
    pub duration: Duration,
    /// What it waits for.
    pub on: &'a str,
    /// When it looks again.
    pub after: Duration,
}

impl ReconcileWaiting<'_> {
    /// Logs Flux's line, with its keys, and counts.
    pub fn emit(self) {
        record(self.controller, self.object, self.duration, RESULT_AFTER);
        info!(
            reason = self.on,
            duration = seconds(self.after),
            "reconciliation waiting"
        );
    }
}

/// An object waits for something, holding no worker.
pub struct ObjectParked<'a> {
    /// For what, in Flux's words where it has some.
    pub on: &'a str,
}

impl ObjectParked<'_> {
    /// Logs at info, as Flux does for dependencies and missing sources.
    pub fn emit(self) {
        info!("{}", self.on);
    }
}

/// A suspended object was looked at and left alone.
pub struct ReconcileSuspended<'a> {
    /// The controller, lower-case kind.
    pub controller: &'static str,
    /// Kind, namespace and name of the object.
    pub object: (&'a str, &'a str, &'a str),
    /// How long it took.
    pub duration: Duration,
    /// Flux's text, which each of its controllers spells as it likes.
    pub message: &'static str,
}

impl ReconcileSuspended<'_> {
    /// Logs Flux's line and counts.
    pub fn emit(self) {
        record(self.controller, self.object, self.duration, RESULT_SUCCESS);
        info!("{}", self.message);
    }
}

/// A custom resource cannot be read as its type says. Only that object suffers.
pub struct ObjectMalformed<'a> {
    /// Why, with the field.
    pub error: &'a str,
}

impl ObjectMalformed<'_> {
    /// Logs at error.
    pub fn emit(self) {
        error!(error = self.error, "object cannot be read");
    }
}

/// A watch broke off or could not start; it is tried again.
pub struct WatchFailed<'a> {
    /// The kind that is watched.
    pub kind: &'a str,
    /// Why.
    pub error: &'a str,
}

impl WatchFailed<'_> {
    /// Logs at warn.
    pub fn emit(self) {
        warn!(
            kind = self.kind,
            error = self.error,
            "watch interrupted, trying again"
        );
    }
}

/// The status of a custom resource was written.
pub struct StatusWritten;

impl StatusWritten {
    /// Counts.
    pub fn emit(self) {
        metrics().status_writes.inc();
    }
}

/// A sink was too slow and an event for it was dropped.
pub struct EventDropped<'a> {
    /// Which sink: `kubernetes` or `notification`.
    pub sink: &'static str,
    /// Why.
    pub error: &'a str,
}

impl EventDropped<'_> {
    /// Logs at warn and counts.
    pub fn emit(self) {
        crate::metrics::event_dropped(self.sink);
        warn!(sink = self.sink, error = self.error, "unable to record event");
    }
}
