//! What is said about a Kustomization: conditions, history, events. Words and rules are Flux's (compat/kustomize.md 3, 11).

use super::Attempted;
use crate::error_policy::{Failure, Stopped};
use crate::runtime::{KUSTOMIZATION, Run};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use sluice_api::conditions::{self, HEALTHY, READY, RECONCILING, STALLED, Wish};
use sluice_api::history::{self, Attempt};
use sluice_api::{
    ConditionStatus, Duration, Kustomization, KustomizationStatus, Next, Reason, Time, meta, reason,
};
use sluice_apply::cluster::RequestError;
use sluice_event::Severity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The status of one Kustomization while it is worked on.
pub(super) struct Report<'a> {
    run: &'a Run,
    object: Arc<Value>,
    generation: i64,
    requested_at: Option<String>,
    /// The status as it will be written.
    pub(super) status: KustomizationStatus,
    /// Revision and origin revision, once known: metadata of every event.
    pub(super) revision: Option<String>,
    pub(super) origin_revision: Option<String>,
    /// What users should know beside that everything is applied.
    notes: Vec<String>,
    /// Reconciles that nothing was written about: the history counts them with the next.
    pub(super) quiet: i64,
}

impl<'a> Report<'a> {
    pub(super) fn new(run: &'a Run, object: Arc<Value>, ks: &Kustomization) -> Self {
        Self::of(run, object, &ks.metadata, ks.status.clone().unwrap_or_default())
    }

    /// The same for an object whose spec cannot be read.
    pub(super) fn of(
        run: &'a Run,
        object: Arc<Value>,
        metadata: &ObjectMeta,
        status: KustomizationStatus,
    ) -> Self {
        let annotations = metadata.annotations.as_ref();
        Self {
            run,
            object,
            generation: metadata.generation.unwrap_or_default(),
            requested_at: annotations.and_then(|annotations| annotations.get(meta::REQUESTED_AT).cloned()),
            status,
            revision: None,
            origin_revision: None,
            notes: Vec::new(),
            quiet: 0,
        }
    }

    /// Whether the user asked for this pass by annotation, and no pass has answered yet.
    pub(super) fn is_requested(&self) -> bool {
        self.requested_at.is_some() && self.requested_at != self.status.last_handled_reconcile_at
    }

    /// Whether the status says that all of `revision` is applied, as the end of a reconcile leaves it.
    pub(super) fn says_applied(&self, revision: &str) -> bool {
        let conditions = &self.status.conditions;
        conditions::is(conditions, READY, ConditionStatus::True)
            && [RECONCILING, STALLED]
                .iter()
                .all(|type_| conditions::get(conditions, type_).is_none())
            && self.status.observed_generation == Some(self.generation)
            && self.status.last_applied_revision.as_deref() == Some(revision)
    }

    fn set(&mut self, type_: &str, status: ConditionStatus, reason: Reason, message: &str) {
        let wish = Wish {
            type_,
            status,
            reason,
            message,
        };
        conditions::set(&mut self.status.conditions, &wish, self.generation, now());
    }

    /// Work is under way: Ready is unknown, Reconciling says what is being done.
    pub(super) fn progressing(&mut self, phase: &str) {
        self.set(
            READY,
            ConditionStatus::Unknown,
            reason::PROGRESSING,
            "Reconciliation in progress",
        );
        self.phase(phase);
    }

    /// Reconciling says what is being done.
    pub(super) fn phase(&mut self, phase: &str) {
        let conditions = &mut self.status.conditions;
        conditions::mark_reconciling(conditions, reason::PROGRESSING, phase, self.generation, now());
    }

    /// What is said of health; none where no checks are configured.
    pub(super) fn health(&mut self, health: Option<(ConditionStatus, Reason, &str)>) {
        match health {
            Some((status, reason, message)) => self.set(HEALTHY, status, reason, message),
            None => conditions::remove(&mut self.status.conditions, HEALTHY),
        }
    }

    /// Something that users should know although everything is applied: it is said where that is said.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Whether the last that was said is that everything is healthy.
    pub(super) fn is_healthy(&self) -> bool {
        conditions::is(&self.status.conditions, HEALTHY, ConditionStatus::True)
    }

    /// The same, and of this generation.
    pub(super) fn was_healthy(&self) -> bool {
        conditions::get(&self.status.conditions, HEALTHY).is_some_and(|healthy| {
            healthy.status == ConditionStatus::True && healthy.observed_generation == Some(self.generation)
        })
    }

    /// Everything is applied and healthy.
    pub(super) fn succeeded(&mut self, attempted: &Attempted) {
        let mut message = format!("Applied revision: {}", attempted.revision);
        for note in &self.notes {
            message.push_str("; ");
            message.push_str(note);
        }
        self.set(
            READY,
            ConditionStatus::True,
            reason::RECONCILIATION_SUCCEEDED,
            &message,
        );
        self.status.last_applied_revision = Some(attempted.revision.clone());
        self.status
            .last_applied_origin_revision
            .clone_from(&self.origin_revision);
        self.record(attempted, reason::RECONCILIATION_SUCCEEDED);
    }

    /// Something failed; what was known of the objects stays.
    pub(super) fn failed(&mut self, failure: &Failure, attempted: Option<&Attempted>) {
        self.set(READY, ConditionStatus::False, failure.reason, &failure.message);
        if failure.next == Next::Stall {
            let conditions = &mut self.status.conditions;
            conditions::mark_stalled(
                conditions,
                failure.reason,
                &failure.message,
                self.generation,
                now(),
            );
        } else {
            conditions::remove(&mut self.status.conditions, STALLED);
        }
        if let Some(attempted) = attempted.filter(|_| failure.is_recorded) {
            self.record(attempted, failure.reason);
        }
    }

    /// Something it needs is not there yet.
    pub(super) fn waits(&mut self, reason: Reason, message: &str) {
        conditions::remove(&mut self.status.conditions, STALLED);
        self.set(READY, ConditionStatus::False, reason, message);
    }

    /// It is switched off. What the process before, or the wish before, left half done is not said to go on.
    pub(super) fn suspended(&mut self) {
        let message = "Suspended before it came to its end";
        if conditions::is(&self.status.conditions, READY, ConditionStatus::Unknown) {
            self.set(READY, ConditionStatus::False, reason::SUSPENDED, message);
        }
        if conditions::is(&self.status.conditions, HEALTHY, ConditionStatus::Unknown) {
            self.set(HEALTHY, ConditionStatus::Unknown, reason::SUSPENDED, message);
        }
        conditions::remove(&mut self.status.conditions, RECONCILING);
    }

    fn record(&mut self, attempted: &Attempted, status: Reason) {
        let origin = self
            .origin_revision
            .iter()
            .map(|origin| ("originRevision".to_owned(), origin.clone()));
        let metadata: BTreeMap<String, String> = origin
            .chain([("revision".to_owned(), attempted.revision.clone())])
            .collect();
        if let Some(newest) = self.status.history.first_mut() {
            let quiet = std::mem::take(&mut self.quiet);
            newest.total_reconciliations = newest.total_reconciliations.saturating_add(quiet);
        }
        let attempt = Attempt {
            digest: attempted.manifests.clone(),
            status: status.into(),
            time: now(),
            duration: Duration(attempted.duration),
            metadata,
        };
        history::upsert(&mut self.status.history, attempt);
    }

    /// The end of every reconcile: Reconciling goes or says that it retries, the request is answered, the status written.
    pub(super) async fn close(&mut self) -> Result<bool, RequestError> {
        let is_ready = conditions::finalize(&mut self.status.conditions, self.generation, now());
        let is_stalled = conditions::is(&self.status.conditions, STALLED, ConditionStatus::True);
        if is_ready || is_stalled {
            self.status.observed_generation = Some(self.generation);
        }
        if self.requested_at.is_some() {
            self.status
                .last_handled_reconcile_at
                .clone_from(&self.requested_at);
        }
        self.write().await
    }

    /// Writes the status as it is now, if it differs.
    pub(super) async fn write(&self) -> Result<bool, RequestError> {
        let status = serde_json::to_value(&self.status).expect("invariant: a status is JSON");
        self.run
            .cx
            .write_status(&KUSTOMIZATION, &self.run.key, &self.object, &status)
            .await
    }

    /// The same in the midst of work: without it, work must not go on.
    pub(super) async fn write_now(&self) -> Result<(), Stopped> {
        self.write().await.map(drop).map_err(Stopped::NotWritten)
    }

    /// Tells users something. The reason is that of Ready, as Flux has it.
    pub(super) fn tell(&self, severity: Severity, message: &str) {
        self.tell_with(severity, message, None);
    }

    /// Tells of something that happened on the way. Flux tells such while Ready is unknown, and readers filter by that reason.
    pub(super) fn tell_progressing(&self, message: &str) {
        self.tell_as(Severity::Info, reason::PROGRESSING.as_str(), message, None);
    }

    /// The same with one more piece of metadata.
    pub(super) fn tell_with(&self, severity: Severity, message: &str, more: Option<(&str, &str)>) {
        let ready = conditions::get(&self.status.conditions, READY);
        let reason = ready.map_or(severity.as_str(), |ready| ready.reason.as_str());
        self.tell_as(severity, reason, message, more);
    }

    /// The same with a reason of its own.
    pub(super) fn tell_as(
        &self,
        severity: Severity,
        reason: &str,
        message: &str,
        more: Option<(&str, &str)>,
    ) {
        let own = [
            (meta::EVENT_REVISION, self.revision.as_deref()),
            (meta::EVENT_ORIGIN_REVISION, self.origin_revision.as_deref()),
        ];
        let own = own.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let metadata = own
            .chain(more)
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        self.run
            .cx
            .tell(&KUSTOMIZATION, &self.object, severity, reason, message, metadata);
    }
}

/// The clock of conditions and history.
pub(super) fn now() -> Time {
    Time::new(Timestamp::now())
}
