//! What is said about a source: conditions, artifact, events (compat/source.md 2.3 to 2.8, 12).

use crate::error_policy::Failure;
use crate::runtime::{Kind, Run};
use serde_json::Value;
use sluice_api::conditions::{
    self, ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, BUILD_FAILED, FETCH_FAILED, INCLUDE_UNAVAILABLE, READY,
    RECONCILING, SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED, Wish,
};
use sluice_api::source::SourceStatus;
use sluice_api::{ConditionStatus, Reason, Time, meta, reason};
use sluice_apply::cluster::RequestError;
use sluice_artifact::{Artifact, ArtifactPath};
use sluice_event::Severity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose reason and message Ready takes, the first one first. A kind that never sets one of them loses nothing by it.
const PRIORITY: &[&str] = &[
    STORAGE_OPERATION_FAILED,
    FETCH_FAILED,
    INCLUDE_UNAVAILABLE,
    BUILD_FAILED,
    ARTIFACT_OUTDATED,
    ARTIFACT_IN_STORAGE,
    SOURCE_VERIFIED,
    STALLED,
    RECONCILING,
];
/// Those of them that are good when true.
const POSITIVE: &[&str] = &[ARTIFACT_IN_STORAGE, SOURCE_VERIFIED];
/// Conditions whose end is worth an event.
const FAILURES: &[&str] = &[
    FETCH_FAILED,
    INCLUDE_UNAVAILABLE,
    BUILD_FAILED,
    STORAGE_OPERATION_FAILED,
];

/// The status of one source while it is worked on.
pub(in crate::reconcilers) struct Report<'a, S> {
    run: &'a Run,
    kind: &'static Kind,
    object: Arc<Value>,
    generation: i64,
    requested_at: Option<String>,
    digest_before: Option<String>,
    had_failed: bool,
    outcome: Option<(Reason, String)>,
    /// What is said besides of a pass that succeeds.
    remark: String,
    /// The status as it will be written. A kind sets what it observed; the rest is set here.
    pub(in crate::reconcilers) status: S,
}

impl<'a, S: SourceStatus> Report<'a, S> {
    pub(super) fn new(run: &'a Run, kind: &'static Kind, object: Arc<Value>, status: S) -> Self {
        let annotations = object.pointer("/metadata/annotations");
        let requested_at = annotations.and_then(|all| all.get(meta::REQUESTED_AT)?.as_str());
        let is_true = |type_: &&str| conditions::is(status.conditions(), type_, ConditionStatus::True);
        Self {
            run,
            kind,
            generation: object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            requested_at: requested_at.map(str::to_owned),
            digest_before: status.artifact().map(|artifact| artifact.digest.clone()),
            had_failed: FAILURES.iter().any(is_true),
            outcome: None,
            remark: String::new(),
            object,
            status,
        }
    }

    /// Whether the user asked for this pass by annotation, and no pass has answered yet.
    pub(super) fn is_requested(&mut self) -> bool {
        self.requested_at.is_some() && self.requested_at != *self.status.last_handled_reconcile_at()
    }

    /// The revision of the artifact.
    pub(in crate::reconcilers) fn revision(&self) -> &str {
        self.status
            .artifact()
            .map_or("", |artifact| artifact.revision.as_str())
    }

    /// Work begins. What is set here is written only if the work lasts.
    pub(super) fn progressing(&mut self) {
        let observed = self.status.observed_generation().unwrap_or(-1);
        let message = if observed == self.generation {
            "reconciliation in progress".to_owned()
        } else {
            let generation = self.generation;
            format!("processing object: new generation {observed} -> {generation}")
        };
        self.phase(&message);
        let is_undecided = match conditions::get(self.status.conditions(), READY) {
            None => true,
            Some(ready) => ready.status == ConditionStatus::Unknown,
        };
        if is_undecided {
            self.set(READY, ConditionStatus::Unknown, reason::PROGRESSING, &message);
        }
    }

    /// Reconciling says what is being done.
    fn phase(&mut self, message: &str) {
        let conditions = self.status.conditions_mut();
        conditions::mark_reconciling(conditions, reason::PROGRESSING, message, self.generation, now());
    }

    /// Reconciling and Ready say that the artifact is being made.
    pub(in crate::reconcilers) fn building(&mut self, message: &str) {
        self.drifted(&format!("building artifact: {message}"));
    }

    /// There is no artifact yet.
    pub(super) fn absent(&mut self) {
        conditions::remove(self.status.conditions_mut(), ARTIFACT_IN_STORAGE);
        self.drifted("building artifact");
    }

    fn drifted(&mut self, message: &str) {
        self.phase(message);
        self.set(READY, ConditionStatus::Unknown, reason::PROGRESSING, message);
    }

    /// The artifact of the status is not there any more.
    pub(super) fn disappeared(&mut self) {
        *self.status.artifact_mut() = None;
        if let Some(url) = self.status.url() {
            *url = None;
        }
        conditions::remove(self.status.conditions_mut(), ARTIFACT_IN_STORAGE);
        self.building("disappeared from storage");
    }

    /// The remote has something new: `new upstream revision '…'`.
    pub(in crate::reconcilers) fn outdated(&mut self, message: &str) {
        self.outdated_by(reason::NEW_REVISION, message);
    }

    /// The same for another reason.
    pub(in crate::reconcilers) fn outdated_by(&mut self, reason: Reason, message: &str) {
        if self.status.artifact().is_some() {
            self.set(ARTIFACT_OUTDATED, ConditionStatus::True, reason, message);
        }
        self.building(message);
    }

    /// What was new at the last pass is looked at anew.
    pub(in crate::reconcilers) fn forget_news(&mut self) {
        conditions::remove(self.status.conditions_mut(), ARTIFACT_OUTDATED);
    }

    /// The advertised address may have changed.
    pub(super) fn relocate(&mut self, path: &ArtifactPath, address: &str, latest: Option<&str>) {
        if let Some(artifact) = self.status.artifact_mut() {
            artifact.url = path.url(address);
        }
        self.set_url(path, address, latest);
    }

    fn set_url(&mut self, path: &ArtifactPath, address: &str, latest: Option<&str>) {
        if let (Some(url), Some(file)) = (self.status.url(), latest) {
            *url = path.with_file(file).map(|path| path.url(address)).ok();
        }
    }

    /// A new artifact is in the store.
    pub(super) fn stored(
        &mut self,
        artifact: &Artifact,
        metadata: BTreeMap<String, String>,
        address: &str,
        latest: Option<&str>,
    ) {
        *self.status.artifact_mut() = Some(sluice_api::Artifact {
            path: artifact.path.to_string(),
            url: artifact.path.url(address),
            revision: artifact.revision.clone(),
            digest: artifact.digest.to_string(),
            last_update_time: Time::new(artifact.last_update_time),
            size: i64::try_from(artifact.size).ok(),
            metadata,
        });
        self.set_url(&artifact.path, address, latest);
    }

    /// What is known of the signature: true, or nothing where none was asked for or none decides.
    pub(in crate::reconcilers) fn verified(&mut self, message: Option<&str>) {
        match message {
            Some(message) => self.set(SOURCE_VERIFIED, ConditionStatus::True, reason::SUCCEEDED, message),
            None => conditions::remove(self.status.conditions_mut(), SOURCE_VERIFIED),
        }
    }

    /// The signature is not good, or cannot be looked at.
    pub(in crate::reconcilers) fn unverified(&mut self, message: &str) {
        let (type_, status) = (SOURCE_VERIFIED, ConditionStatus::False);
        self.set(type_, status, reason::VERIFICATION_ERROR, message);
    }

    /// What is said of this pass if it succeeds, by condition and event, where the kind has words of its own for it.
    pub(in crate::reconcilers) fn outcome(&mut self, reason: Reason, message: String) {
        self.outcome = Some((reason, message));
    }

    /// What is said besides, at the end of the condition of a pass that succeeds. Whether the last one did not say it.
    pub(in crate::reconcilers) fn remark(&mut self, remark: &str) -> bool {
        remark.clone_into(&mut self.remark);
        let said = conditions::get(self.status.conditions(), ARTIFACT_IN_STORAGE);
        !said.is_some_and(|said| said.message.ends_with(remark))
    }

    /// A signature that was bad is looked at anew; a good one stays good for what was verified by it.
    pub(super) fn forget_bad_signature(&mut self) {
        let conditions = self.status.conditions_mut();
        if conditions::is(conditions, SOURCE_VERIFIED, ConditionStatus::False) {
            conditions::remove(conditions, SOURCE_VERIFIED);
        }
    }

    /// Whether the signature was found good for this generation of the object.
    pub(in crate::reconcilers) fn is_verified(&self) -> bool {
        conditions::get(self.status.conditions(), SOURCE_VERIFIED).is_some_and(|condition| {
            condition.status == ConditionStatus::True
                && condition.observed_generation == Some(self.generation)
        })
    }

    /// The artifact is what the spec asks for, and `message` says so.
    pub(super) fn succeeded(&mut self, message: &str) {
        for type_ in FAILURES.iter().chain(&[ARTIFACT_OUTDATED, STALLED, RECONCILING]) {
            conditions::remove(self.status.conditions_mut(), type_);
        }
        let (reason, message) = match self.outcome.clone() {
            Some(outcome) => outcome,
            None => (reason::SUCCEEDED, format!("{message}{}", self.remark)),
        };
        self.set(ARTIFACT_IN_STORAGE, ConditionStatus::True, reason, &message);
    }

    /// Something failed; the last good artifact stays.
    pub(super) fn failed(&mut self, condition: &'static str, failure: &Failure) {
        // what failed before and did not come to be tried again says nothing any more
        for other in FAILURES.iter().filter(|other| **other != condition) {
            conditions::remove(self.status.conditions_mut(), other);
        }
        let status = match condition {
            SOURCE_VERIFIED => ConditionStatus::False,
            _ => ConditionStatus::True,
        };
        self.set(condition, status, failure.reason, &failure.message);
    }

    /// Nothing is tried again until something changes.
    pub(super) fn stalled(&mut self, failure: &Failure) {
        let conditions = self.status.conditions_mut();
        let (reason, message) = (failure.reason, &failure.message);
        conditions::mark_stalled(conditions, reason, message, self.generation, now());
    }

    /// Nothing is done. If anything was said of the object before, it holds for this generation too: whoever waits for the
    /// object need not wait for what is suspended (compat/source.md 2.5, trap 12).
    pub(super) fn suspended(&mut self) {
        let conditions = self.status.conditions_mut();
        conditions::remove(conditions, STALLED);
        if !conditions.is_empty() {
            *self.status.observed_generation() = Some(self.generation);
        }
    }

    /// The end of every pass: Ready is summed up, the request is answered, the status written.
    pub(super) async fn close(&mut self) -> Result<bool, RequestError> {
        self.retrying();
        self.sum_up();
        let conditions = self.status.conditions_mut();
        let is_ready = conditions::finalize(conditions, self.generation, now());
        let is_stalled = conditions::is(conditions, STALLED, ConditionStatus::True);
        if is_ready || is_stalled {
            *self.status.observed_generation() = Some(self.generation);
        }
        if let Some(requested_at) = &self.requested_at {
            *self.status.last_handled_reconcile_at() = Some(requested_at.clone());
        }
        self.write().await
    }

    /// What is still under way when a pass ends is tried again, and Ready may have no better words than that.
    fn retrying(&mut self) {
        let reconciling = conditions::get(self.status.conditions(), RECONCILING);
        if let Some(message) = reconciling.map(|condition| condition.message.clone()) {
            let (status, reason) = (ConditionStatus::True, reason::PROGRESSING_WITH_RETRY);
            self.set(RECONCILING, status, reason, &message);
        }
    }

    /// Ready takes status, reason and message of the condition that counts most; a bad signature counts more than all
    /// (compat/source.md 2.6).
    fn sum_up(&mut self) {
        let conditions = self.status.conditions();
        let bad_signature = conditions::get(conditions, SOURCE_VERIFIED)
            .filter(|condition| condition.status == ConditionStatus::False)
            .map(|condition| conditions::Summary {
                status: ConditionStatus::False,
                reason: condition.reason.clone(),
                message: condition.message.clone(),
            });
        let summary = bad_signature.or_else(|| conditions::summarize(conditions, PRIORITY, POSITIVE));
        if let Some(summary) = summary {
            let reason = known_reason(&summary.reason);
            self.set(READY, summary.status, reason, &summary.message);
        }
    }

    /// Writes the status as it is now, if it differs.
    pub(super) async fn write(&self) -> Result<bool, RequestError> {
        let status = serde_json::to_value(&self.status).expect("invariant: a status is JSON");
        self.run
            .cx
            .write_status(self.kind, &self.run.key, &self.object, &status)
            .await
    }

    fn set(&mut self, type_: &str, status: ConditionStatus, reason: Reason, message: &str) {
        let wish = Wish {
            type_,
            status,
            reason,
            message,
        };
        conditions::set(self.status.conditions_mut(), &wish, self.generation, now());
    }

    /// Tells of an artifact that is new, or of the end of failures. Whether there was anything to tell.
    pub(super) fn tell_of_success(&self, message: &str) -> bool {
        let digest = self.status.artifact().map(|artifact| &artifact.digest);
        let reason = if digest != self.digest_before.as_ref() {
            reason::NEW_ARTIFACT
        } else if self.had_failed {
            reason::SUCCEEDED
        } else {
            return false;
        };
        let reason = self.outcome.as_ref().map_or(reason, |(reason, _)| *reason);
        self.tell(Severity::Info, reason.as_str(), message);
        true
    }

    /// Tells of what was collected; the cluster only.
    pub(super) fn tell_of_garbage(&self, message: &str) {
        self.trace(reason::GARBAGE_COLLECTION_SUCCEEDED, message);
    }

    /// Tells of a step, by the log and to the cluster only.
    pub(in crate::reconcilers) fn trace(&self, reason: Reason, message: &str) {
        tracing::info!("{message}");
        self.tell(Severity::Trace, reason.as_str(), message);
    }

    /// Tells users something.
    pub(in crate::reconcilers) fn tell(&self, severity: Severity, reason: &str, message: &str) {
        let artifact = self.status.artifact().filter(|_| severity == Severity::Info);
        let metadata = artifact.map(|artifact| {
            BTreeMap::from([
                (meta::SOURCE_EVENT_REVISION.to_owned(), artifact.revision.clone()),
                (meta::SOURCE_EVENT_DIGEST.to_owned(), artifact.digest.clone()),
            ])
        });
        let metadata = metadata.unwrap_or_default();
        let cx = &self.run.cx;
        cx.tell(self.kind, &self.object, severity, reason, message, metadata);
    }
}

/// Ready takes the reason of another condition, whose text came from the API server.
fn known_reason(text: &str) -> Reason {
    let mut all = reason::ALL.iter().copied();
    all.find(|known| known.as_str() == text).unwrap_or(reason::FAILED)
}

fn now() -> Time {
    Time::new(jiff::Timestamp::now())
}
