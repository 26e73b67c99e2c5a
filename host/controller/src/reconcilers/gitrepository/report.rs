//! What is said about a GitRepository: conditions, artifact, events (compat/source.md 2.3 to 2.8, 12).

use super::supported;
use crate::error_policy::Failure;
use crate::runtime::{GIT_REPOSITORY, Run};
use serde_json::Value;
use sluice_api::conditions::{
    self, ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, FETCH_FAILED, INCLUDE_UNAVAILABLE, READY, RECONCILING,
    SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED, Wish,
};
use sluice_api::source::GitRepositoryStatus;
use sluice_api::{ConditionStatus, Disposition, GitRepository, Next, Reason, Time, meta, reason};
use sluice_apply::cluster::RequestError;
use sluice_artifact::Artifact;
use sluice_event::Severity;
use sluice_source::{archive, fetch};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose reason and message Ready takes, the first one first.
const PRIORITY: &[&str] = &[
    STORAGE_OPERATION_FAILED,
    FETCH_FAILED,
    INCLUDE_UNAVAILABLE,
    ARTIFACT_OUTDATED,
    ARTIFACT_IN_STORAGE,
    SOURCE_VERIFIED,
    STALLED,
    RECONCILING,
];
/// Those of them that are good when true.
const POSITIVE: &[&str] = &[ARTIFACT_IN_STORAGE, SOURCE_VERIFIED];
/// Conditions whose end is worth an event.
const FAILURES: &[&str] = &[FETCH_FAILED, INCLUDE_UNAVAILABLE, STORAGE_OPERATION_FAILED];

/// Event metadata of source kinds: the digest.
const EVENT_DIGEST: &str = "source.toolkit.fluxcd.io/digest";

/// Why a pass did not come to its end.
pub(super) enum Trouble {
    /// Something failed; which condition says so.
    Failed {
        condition: &'static str,
        failure: Failure,
    },
    /// A newer wish came.
    Superseded,
    /// The status could not be written.
    NotWritten(RequestError),
}

impl Trouble {
    pub(super) fn fetch(error: &fetch::Error) -> Self {
        let condition = match error {
            fetch::Error::Disk(_) => STORAGE_OPERATION_FAILED,
            _ => FETCH_FAILED,
        };
        Self::Failed {
            condition,
            failure: Failure::of(error),
        }
    }

    pub(super) fn fetch_failure(failure: Failure) -> Self {
        Self::Failed {
            condition: FETCH_FAILED,
            failure,
        }
    }

    pub(super) fn storage(failure: Failure) -> Self {
        Self::Failed {
            condition: STORAGE_OPERATION_FAILED,
            failure,
        }
    }

    pub(super) fn archive(error: &archive::Error) -> Self {
        let is_ours = error.reason() == reason::ARCHIVE_OPERATION_FAILED;
        let condition = if is_ours {
            STORAGE_OPERATION_FAILED
        } else {
            FETCH_FAILED
        };
        Self::Failed {
            condition,
            failure: Failure::of(error),
        }
    }
}

/// The status of one GitRepository while it is worked on.
pub(super) struct Report<'a> {
    run: &'a Run,
    object: Arc<Value>,
    generation: i64,
    requested_at: Option<String>,
    digest_before: Option<String>,
    had_failed: bool,
    /// The status as it will be written.
    pub(super) status: GitRepositoryStatus,
}

impl<'a> Report<'a> {
    pub(super) fn new(run: &'a Run, object: Arc<Value>, repository: &GitRepository) -> Self {
        Self::with(run, object, repository.status.clone().unwrap_or_default())
    }

    /// The same for an object whose spec cannot be read.
    pub(super) fn of_unreadable(run: &'a Run, object: Arc<Value>) -> Self {
        let status = object.get("status").cloned().unwrap_or_default();
        let status = serde_json::from_value(status).unwrap_or_default();
        Self::with(run, object, status)
    }

    fn with(run: &'a Run, object: Arc<Value>, status: GitRepositoryStatus) -> Self {
        let annotations = object.pointer("/metadata/annotations");
        let requested_at = annotations.and_then(|all| all.get(meta::REQUESTED_AT)?.as_str());
        let is_true = |type_: &&str| conditions::is(&status.conditions, type_, ConditionStatus::True);
        Self {
            run,
            generation: object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            requested_at: requested_at.map(str::to_owned),
            digest_before: status.artifact.as_ref().map(|artifact| artifact.digest.clone()),
            had_failed: FAILURES.iter().any(is_true),
            object,
            status,
        }
    }

    /// Whether the user asked for this pass by annotation, and no pass has answered yet.
    pub(super) fn is_requested(&self) -> bool {
        self.requested_at.is_some() && self.requested_at != self.status.last_handled_reconcile_at
    }

    /// The revision of the artifact.
    pub(super) fn revision(&self) -> &str {
        self.status
            .artifact
            .as_ref()
            .map_or("", |artifact| &artifact.revision)
    }

    /// Whether the artifact was made with what the spec says of its content: absent and empty differ, as in Flux.
    pub(super) fn is_content_as_observed(&self, repository: &GitRepository) -> bool {
        let (spec, status) = (&repository.spec, &self.status);
        status.artifact.is_some()
            && status.observed_ignore == spec.ignore
            && status.observed_recurse_submodules == spec.recurse_submodules
            && status.observed_include == spec.include
            && status.observed_sparse_checkout == spec.sparse_checkout
    }

    /// Work begins. What is set here is written only if the work lasts.
    pub(super) fn progressing(&mut self) {
        let observed = self.status.observed_generation.unwrap_or(-1);
        let message = if observed == self.generation {
            "reconciliation in progress".to_owned()
        } else {
            format!(
                "processing object: new generation {observed} -> {}",
                self.generation
            )
        };
        self.phase(&message);
        let is_undecided = match conditions::get(&self.status.conditions, READY) {
            None => true,
            Some(ready) => ready.status == ConditionStatus::Unknown,
        };
        if is_undecided {
            self.set(READY, ConditionStatus::Unknown, reason::PROGRESSING, &message);
        }
    }

    /// Reconciling says what is being done.
    pub(super) fn phase(&mut self, message: &str) {
        let conditions = &mut self.status.conditions;
        conditions::mark_reconciling(conditions, reason::PROGRESSING, message, self.generation, now());
    }

    /// Reconciling and Ready say that the artifact is being made.
    fn building(&mut self, message: &str) {
        self.phase(message);
        self.set(READY, ConditionStatus::Unknown, reason::PROGRESSING, message);
    }

    /// The artifact of the status is not there any more.
    pub(super) fn disappeared(&mut self) {
        self.status.artifact = None;
        conditions::remove(&mut self.status.conditions, ARTIFACT_IN_STORAGE);
        self.building("building artifact: disappeared from storage");
    }

    /// The remote has something new.
    pub(super) fn new_revision(&mut self, revision: &str) {
        let message = format!("new upstream revision '{revision}'");
        if self.status.artifact.is_some() {
            self.set(
                ARTIFACT_OUTDATED,
                ConditionStatus::True,
                reason::NEW_REVISION,
                &message,
            );
        }
        self.building(&format!("building artifact: {message}"));
    }

    /// The advertised address may have changed.
    pub(super) fn relocate(&mut self, url: String) {
        if let Some(artifact) = &mut self.status.artifact {
            artifact.url = url;
        }
    }

    /// A new artifact is in the store.
    pub(super) fn stored(
        &mut self,
        repository: &GitRepository,
        artifact: &Artifact,
        advertised_address: &str,
    ) {
        self.status.artifact = Some(sluice_api::Artifact {
            path: artifact.path.to_string(),
            url: artifact.path.url(advertised_address),
            revision: artifact.revision.clone(),
            digest: artifact.digest.to_string(),
            last_update_time: Time::new(artifact.last_update_time),
            size: i64::try_from(artifact.size).ok(),
            metadata: BTreeMap::new(),
        });
        let spec = &repository.spec;
        self.status.observed_ignore.clone_from(&spec.ignore);
        self.status.observed_recurse_submodules = spec.recurse_submodules;
        self.status.observed_include.clone_from(&spec.include);
        self.status
            .observed_sparse_checkout
            .clone_from(&spec.sparse_checkout);
    }

    /// The artifact is what the spec asks for.
    pub(super) fn succeeded(&mut self) {
        for type_ in [
            FETCH_FAILED,
            STORAGE_OPERATION_FAILED,
            ARTIFACT_OUTDATED,
            INCLUDE_UNAVAILABLE,
            STALLED,
        ] {
            conditions::remove(&mut self.status.conditions, type_);
        }
        conditions::remove(&mut self.status.conditions, RECONCILING);
        let message = format!("stored artifact for revision '{}'", self.revision());
        self.set(
            ARTIFACT_IN_STORAGE,
            ConditionStatus::True,
            reason::SUCCEEDED,
            &message,
        );
    }

    /// Something failed; the last good artifact stays.
    pub(super) fn failed(&mut self, condition: &'static str, failure: &Failure) {
        // what failed before and did not come to be tried again says nothing any more
        for other in FAILURES.iter().filter(|other| **other != condition) {
            conditions::remove(&mut self.status.conditions, other);
        }
        self.set(condition, ConditionStatus::True, failure.reason, &failure.message);
        if failure.next == Next::Stall {
            let conditions = &mut self.status.conditions;
            conditions::mark_stalled(
                conditions,
                failure.reason,
                &failure.message,
                self.generation,
                now(),
            );
        }
    }

    /// Nothing is done.
    pub(super) fn suspended(&mut self) {
        conditions::remove(&mut self.status.conditions, STALLED);
    }

    /// The end of every pass: Ready is summed up, the request is answered, the status written.
    pub(super) async fn close(&mut self) -> Result<bool, RequestError> {
        if let Some(summary) = conditions::summarize(&self.status.conditions, PRIORITY, POSITIVE) {
            let wish = Wish {
                type_: READY,
                status: summary.status,
                reason: known_reason(&summary.reason),
                message: &summary.message,
            };
            conditions::set(&mut self.status.conditions, &wish, self.generation, now());
        }
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
        let status = serde_json::to_value(&self.status).unwrap_or_default();
        self.run
            .cx
            .write_status(&GIT_REPOSITORY, &self.run.key, &self.object, &status)
            .await
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

    /// Tells of an artifact that is new, or of the end of failures. Whether there was anything to tell.
    pub(super) fn tell_of_success(&self, message: &str) -> bool {
        let digest = self.status.artifact.as_ref().map(|artifact| &artifact.digest);
        let reason = if digest != self.digest_before.as_ref() {
            reason::NEW_ARTIFACT
        } else if self.had_failed {
            reason::SUCCEEDED
        } else {
            return false;
        };
        self.tell(Severity::Info, reason.as_str(), message);
        true
    }

    /// Tells of what was collected; the cluster only.
    pub(super) fn tell_of_garbage(&self, message: &str) {
        self.tell(
            Severity::Trace,
            reason::GARBAGE_COLLECTION_SUCCEEDED.as_str(),
            message,
        );
    }

    /// Tells users something.
    pub(super) fn tell(&self, severity: Severity, reason: &str, message: &str) {
        let artifact = self
            .status
            .artifact
            .as_ref()
            .filter(|_| severity == Severity::Info);
        let metadata = artifact.map(|artifact| {
            BTreeMap::from([
                (meta::SOURCE_EVENT_REVISION.to_owned(), artifact.revision.clone()),
                (EVENT_DIGEST.to_owned(), artifact.digest.clone()),
            ])
        });
        let cx = &self.run.cx;
        cx.tell(
            &GIT_REPOSITORY,
            &self.object,
            severity,
            reason,
            message,
            metadata.unwrap_or_default(),
        );
    }
}

/// Ready takes the reason of another condition, whose text came from the API server.
fn known_reason(text: &str) -> Reason {
    let own = [supported::NOT_SUPPORTED, fetch::EMPTY_GIT_REPOSITORY];
    reason::ALL
        .iter()
        .copied()
        .chain(own)
        .find(|known| known.as_str() == text)
        .unwrap_or(reason::FAILED)
}

fn now() -> Time {
    Time::new(jiff::Timestamp::now())
}
