//! Health after applying: what is known costs nothing, what moves wakes, what fails is named.

use super::checks::Checks;
use super::memory::{Awaiting, Inputs, Memory, Settled};
use super::report::Report;
use super::{Attempted, Done, gate};
use crate::error_policy::{Failure, PROGRESS_GRACE, Stopped};
use crate::runtime::Run;
use serde_json::Value;
use sluice_api::{ConditionStatus, Kustomization, reason};
use sluice_apply::cluster::Identity;
use sluice_apply::{Applied, Word};
use sluice_event::Severity;
use sluice_object::{GroupVersionKind, ObjectId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long definitions and classes may take to be ready before what needs them is applied.
const STAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Objects that no watch of ours shows, and the pods behind a workload, are looked at this often while they are awaited.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A reconcile that came as far as health.
pub(super) struct Pass {
    pub(super) inputs: Inputs,
    pub(super) attempted: Attempted,
    pub(super) started: Instant,
    pub(super) is_news: bool,
}

/// What one look at an object's health gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It is as it should be.
    Current,
    /// It is on its way.
    InProgress(String),
    /// It has failed and will not get better by itself.
    Failed(String),
    /// It is not there.
    NotFound,
    /// Nobody can say.
    Unknown(String),
}

impl Health {
    /// kstatus' word.
    fn word(&self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress(_) => "InProgress",
            Self::Failed(_) => "Failed",
            Self::NotFound => "NotFound",
            Self::Unknown(_) => "Unknown",
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Self::Current | Self::NotFound => None,
            Self::InProgress(cause) | Self::Failed(cause) | Self::Unknown(cause) => Some(cause.as_str()),
        }
    }
}

/// What one object was last seen as.
struct Looked {
    id: ObjectId,
    health: Health,
}

/// Which objects are checked: all applied ones that were not left alone (`wait`), or those listed.
fn subjects(run: &Run, ks: &Kustomization, objects: &[Applied]) -> Vec<ObjectId> {
    if ks.spec.wait {
        let is_self = |id: &ObjectId| {
            id.gvk.kind == run.key.kind
                && id.name == *run.key.name
                && id.namespace.as_deref() == Some(&*run.key.namespace)
        };
        let applied = objects
            .iter()
            .filter(|applied| applied.word != Word::Skipped && !is_self(&applied.id));
        return applied.map(|applied| applied.id.clone()).collect();
    }
    let checks = ks.spec.health_checks.iter();
    checks
        .map(|check| ObjectId {
            gvk: GroupVersionKind::new(check.api_version.as_deref().unwrap_or("apps/v1"), &check.kind),
            namespace: check.namespace.clone(),
            name: check.name.clone(),
        })
        .collect()
}

/// Whether nothing that was found healthy has moved since. Objects that no watch of ours shows always count as moved.
pub(super) fn is_as_before(run: &Run, ks: &Kustomization) -> bool {
    if ks.spec.wait {
        return super::inventory::ids(ks.inventory())
            .iter()
            .all(|id| run.cx.live.is_healthy(id) || is_skipped(run, id));
    }
    ks.spec.health_checks.is_empty() || subjects(run, ks, &[]).iter().all(|id| run.cx.live.is_healthy(id))
}

fn is_skipped(run: &Run, id: &ObjectId) -> bool {
    matches!(run.cx.live.knowledge(id), sluice_apply::live::Knowledge::Verified(verified, _) if verified.is_skipped)
}

/// Everything is applied: what of it is not known to be healthy?
pub(super) async fn begin(
    run: &Run,
    ks: &Kustomization,
    checks: &Checks,
    report: &mut Report<'_>,
    memory: &mut Memory,
    pass: Pass,
    objects: Vec<Applied>,
) -> Result<Done, Stopped> {
    let subjects = subjects(run, ks, &objects);
    if subjects.is_empty() {
        report.health(None);
        return Ok(settle(memory, pass.inputs, pass.attempted));
    }
    let is_news = pass.is_news
        || !report.was_healthy()
        || report.status.last_applied_revision.as_deref() != Some(pass.attempted.revision.as_str());
    let mut pending = Vec::new();
    for id in subjects {
        if run.cx.live.is_healthy(&id) {
            continue;
        }
        // the answer to the apply is as good as a look
        let answer = objects
            .iter()
            .find(|applied| applied.id == id)
            .and_then(|applied| applied.object.as_ref());
        match answer.map(|object| checks.assess(object)) {
            Some(Health::Current) => found_healthy(run, &id, answer),
            _ => pending.push(id),
        }
    }
    let awaiting = Awaiting {
        inputs: pass.inputs,
        manifests: pass.attempted.manifests,
        since: Instant::now(),
        deadline: Instant::now() + ks.spec.timeout(),
        pending,
        is_progress_told: false,
        is_news,
        started: pass.started,
    };
    let owner = Arc::new(run.key.clone());
    awaiting
        .pending
        .iter()
        .for_each(|id| run.cx.live.await_health(id, &owner, true));
    go_on(run, ks, checks, report, memory, awaiting).await
}

/// Looks at what is pending. All healthy: done. One failed, or the time is over: failed. Else: parked.
pub(super) async fn go_on(
    run: &Run,
    ks: &Kustomization,
    checks: &Checks,
    report: &mut Report<'_>,
    memory: &mut Memory,
    mut awaiting: Awaiting,
) -> Result<Done, Stopped> {
    let identity = gate::identity(ks, &run.cx.config);
    let mut looked = Vec::with_capacity(awaiting.pending.len());
    let is_over = Instant::now() >= awaiting.deadline;
    for id in std::mem::take(&mut awaiting.pending) {
        let health = look(run, &identity, checks, &id).await;
        if health != Health::Current {
            awaiting.pending.push(id.clone());
            looked.push(Looked { id, health });
        }
    }
    let attempted = Attempted {
        revision: awaiting.inputs.revision.clone(),
        manifests: awaiting.manifests.clone(),
        duration: awaiting.started.elapsed(),
    };
    if awaiting.pending.is_empty() {
        return Ok(passed(report, memory, awaiting, attempted));
    }
    let is_fail_fast = !run.cx.config.gate("DisableFailFastBehavior");
    let failed: Vec<&Looked> = looked
        .iter()
        .filter(|looked| matches!(looked.health, Health::Failed(_)))
        .collect();
    let text = if !failed.is_empty() && (is_fail_fast || failed.len() == looked.len()) {
        Some(format!(
            "failed early due to stalled resources: [{}]",
            list(failed.iter().copied())
        ))
    } else if is_over {
        Some(format!("timeout waiting for: [{}]", list(looked.iter())))
    } else {
        None
    };
    if let Some(text) = text {
        return Err(unhealthy(report, &awaiting, &attempted, text));
    }
    let now = Instant::now();
    let told_at = awaiting.since + PROGRESS_GRACE;
    if !awaiting.is_progress_told && now >= told_at {
        let phase = format!(
            "Running health checks for revision {} with a timeout of {}",
            attempted.revision,
            sluice_api::Duration(ks.spec.timeout())
        );
        report.progressing(&phase);
        report.health(Some((ConditionStatus::Unknown, reason::PROGRESSING, &phase)));
        report.write_now().await?;
        awaiting.is_progress_told = true;
    }
    let mut next = awaiting.deadline.min(now + LOOK_AGAIN);
    if !awaiting.is_progress_told {
        next = next.min(told_at);
    }
    memory.awaiting = Some(awaiting);
    Err(Stopped::Unhealthy(next.saturating_duration_since(now)))
}

fn passed(report: &mut Report<'_>, memory: &mut Memory, awaiting: Awaiting, attempted: Attempted) -> Done {
    let text = format!(
        "Health check passed in {}",
        sluice_api::Duration(round(awaiting.since.elapsed()))
    );
    if awaiting.is_news {
        report.health(Some((ConditionStatus::True, reason::SUCCEEDED, &text)));
        let known = report.status.conditions.clone();
        report.progressing(&format!(
            "Running health checks for revision {}",
            attempted.revision
        ));
        report.tell(Severity::Info, &text);
        report.status.conditions = known;
    }
    settle(memory, awaiting.inputs, attempted)
}

fn settle(memory: &mut Memory, inputs: Inputs, attempted: Attempted) -> Done {
    memory.settled = Some(Settled {
        inputs,
        manifests: attempted.manifests.clone(),
    });
    Done::Settled(attempted)
}

fn unhealthy(report: &mut Report<'_>, awaiting: &Awaiting, attempted: &Attempted, text: String) -> Stopped {
    report.health(Some((ConditionStatus::False, reason::HEALTH_CHECK_FAILED, &text)));
    let after = sluice_api::Duration(round(awaiting.since.elapsed()));
    let failure = Failure {
        told: Some(format!("health check failed after {after}: {text}")),
        is_recorded: true,
        ..Failure::retry(reason::HEALTH_CHECK_FAILED, text)
    };
    report.failed(&failure, Some(attempted));
    failure.into()
}

/// Milliseconds are enough for people.
fn round(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn list<'l>(looked: impl Iterator<Item = &'l Looked>) -> String {
    let texts = looked.map(|looked| match looked.health.cause() {
        Some(cause) if !cause.is_empty() => {
            format!("{} status: '{}': {cause}", looked.id, looked.health.word())
        }
        _ => format!("{} status: '{}'", looked.id, looked.health.word()),
    });
    texts.collect::<Vec<_>>().join(", ")
}

async fn look(run: &Run, identity: &Identity, checks: &Checks, id: &ObjectId) -> Health {
    match run.cx.cluster.get(identity, id).await {
        Ok(Some(object)) => {
            let health = checks.assess(&object);
            if health == Health::Current {
                found_healthy(run, id, Some(&object));
            }
            health
        }
        Ok(None) => Health::NotFound,
        Err(error) => Health::Unknown(error.to_string()),
    }
}

fn found_healthy(run: &Run, id: &ObjectId, object: Option<&Value>) {
    let version = object.and_then(|object| {
        object
            .pointer("/metadata/resourceVersion")?
            .as_str()?
            .parse()
            .ok()
    });
    run.cx.live.healthy(id, version.unwrap_or(0));
    run.cx.live.await_health(id, &Arc::new(run.key.clone()), false);
}

/// After a stage of definitions or classes: waits, by watch, until they are ready. This is the one wait that holds a
/// worker: what follows needs them, and they are ready within moments or not at all.
pub(super) async fn settle_stage(run: &Run, identity: &Identity, applied: &[Applied]) -> Result<(), Stopped> {
    let checks = Checks::default();
    let deadline = Instant::now() + STAGE_TIMEOUT;
    for applied in applied {
        let mut object = applied.object.clone();
        // not asked about because it is as last verified, and so it was ready then
        if object.is_none() {
            continue;
        }
        loop {
            let health = object
                .as_ref()
                .map_or(Health::NotFound, |object| checks.assess(object));
            if health == Health::Current {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let looked = [Looked {
                    id: applied.id.clone(),
                    health,
                }];
                let message = format!("timeout waiting for: [{}]", list(looked.iter()));
                return Err(Failure {
                    is_recorded: true,
                    ..Failure::retry(reason::RECONCILIATION_FAILED, message)
                }
                .into());
            }
            if run.is_superseded() {
                return Err(Stopped::Superseded);
            }
            let version = object
                .as_ref()
                .and_then(|object| object.pointer("/metadata/resourceVersion")?.as_str());
            // an error of the watch only means to look again, after a moment
            let changed = run
                .cx
                .cluster
                .changed(identity, &applied.id, version, left.min(LOOK_AGAIN))
                .await;
            if changed.is_err() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            object = run.cx.cluster.get(identity, &applied.id).await.unwrap_or(None);
        }
    }
    Ok(())
}
