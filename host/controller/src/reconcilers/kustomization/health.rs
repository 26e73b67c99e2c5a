//! Health after applying: what is known costs nothing, what moves wakes, what fails is named.

use super::apply::Applied;
use super::memory::{Awaiting, Inputs, Memory, Settled};
use super::report::now;
use super::{Attempt, Attempted, Done, gate};
use crate::config::gates;
use crate::error_policy::{Failure, PROGRESS_GRACE, Stopped};
use crate::runtime::{Run, Wake};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::Value;
use sluice_api::{ConditionStatus, Kustomization, reason};
use sluice_apply::cluster::Identity;
use sluice_health::{
    Around, Checks, Health, Looked, Status, Verdict, assess_with_pods, cause, pods_of, verdict,
};
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_plan::Action;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Objects that no watch of ours shows, and the pods behind a workload, are looked at this often while they are awaited.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The same for what has been awaited for long: hundreds that never become ready must not keep the API server busy.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(60);

/// A reconcile that came as far as health.
pub(super) struct Pass {
    /// What was applied.
    pub(super) objects: Vec<Applied>,
    pub(super) inputs: Inputs,
    pub(super) attempted: Attempted,
    pub(super) started: Instant,
    pub(super) is_drift: bool,
    /// Whether anything was changed.
    pub(super) is_changed: bool,
    /// What was awaited before drift interrupted: the time it has does not start anew.
    pub(super) previous: Option<Awaiting>,
}

/// Which objects are checked: all applied ones that were not left alone (`wait`), or those listed. Never the Kustomization
/// itself, which would wait for its own end.
fn subjects(run: &Run, ks: &Kustomization, objects: &[Applied]) -> Vec<ObjectId> {
    let mut subjects: Vec<ObjectId> = if ks.spec.wait {
        let applied = objects.iter().filter(|applied| applied.action != Action::Skipped);
        applied.map(|applied| applied.id.clone()).collect()
    } else {
        let checks = ks.spec.health_checks.iter();
        checks
            .map(|check| ObjectId {
                gvk: GroupVersionKind::new(check.api_version.as_deref().unwrap_or("apps/v1"), &check.kind),
                namespace: check.namespace.clone(),
                name: check.name.clone(),
            })
            .collect()
    };
    subjects.retain(|id| !is_self(run, id));
    subjects
}

fn is_self(run: &Run, id: &ObjectId) -> bool {
    id.gvk.kind == run.key.kind
        && id.name == *run.key.name
        && id.namespace.as_deref() == Some(&*run.key.namespace)
}

/// Whether nothing that was found healthy has moved since. Objects that no watch of ours shows always count as moved.
pub(super) fn is_as_before(run: &Run, ks: &Kustomization, checks: &Checks) -> bool {
    let is_healthy = |id: &ObjectId| is_known_healthy(run, checks, id);
    if ks.spec.wait {
        return sluice_plan::ids(ks.inventory())
            .iter()
            .all(|id| is_healthy(id) || is_skipped(run, id) || is_self(run, id));
    }
    ks.spec.health_checks.is_empty() || subjects(run, ks, &[]).iter().all(is_healthy)
}

/// Whether an object was found healthy by these checks, and has not moved since.
pub(super) fn is_known_healthy(run: &Run, checks: &Checks, id: &ObjectId) -> bool {
    run.live()
        .is_healthy(id, checks.rules(&id.gvk.group, &id.gvk.kind))
}

fn is_skipped(run: &Run, id: &ObjectId) -> bool {
    matches!(run.live().knowledge(id), sluice_apply::live::Knowledge::Verified(verified, _) if verified.is_skipped)
}

impl Attempt<'_, '_> {
    /// Everything is applied: what of it is not known to be healthy?
    pub(super) async fn check_health(&mut self, checks: &Checks, pass: Pass) -> Result<Done, Stopped> {
        let (run, ks) = (self.run, self.ks);
        let report = &mut *self.report;
        let subjects = subjects(run, ks, &pass.objects);
        if subjects.is_empty() {
            report.health(None);
            return Ok(settle(self.memory, pass.inputs, pass.attempted));
        }
        let is_new = report.status.last_applied_revision.as_deref() != Some(pass.attempted.revision.as_str());
        let is_news = pass.is_drift || !report.was_healthy() || is_new;
        let is_told = !report.is_healthy() || (is_new && pass.is_changed);
        // the answer to the apply is as good as a look
        let answers = pass.objects.iter();
        let answers = answers.filter_map(|applied| Some((&applied.id, applied.object.as_ref()?)));
        let answers: HashMap<&ObjectId, &Value> = answers.collect();
        let mut pending = Vec::new();
        for id in subjects {
            if is_known_healthy(run, checks, &id) {
                continue;
            }
            let answer = answers.get(&id).copied();
            match answer.filter(|object| checks.assess(object, now()).is_current()) {
                Some(object) => found_healthy(run, checks, &id, object),
                None => pending.push(id),
            }
        }
        let now = Instant::now();
        let awaiting = match pass.previous {
            Some(previous) => Awaiting {
                pending,
                inventory: report.status.inventory.clone(),
                is_news: is_news || previous.is_news,
                is_told: is_told || previous.is_told,
                ..previous
            },
            None => Awaiting {
                inputs: pass.inputs,
                origin_revision: report.origin_revision.clone(),
                manifests: pass.attempted.manifests,
                since: now,
                deadline: now + ks.spec.timeout(),
                pending,
                inventory: report.status.inventory.clone(),
                is_progress_told: false,
                is_news,
                is_told,
                started: pass.started,
            },
        };
        run.await_health(&awaiting.pending, true);
        self.look_again(checks, awaiting).await
    }

    /// Looks at what is pending. All healthy: done. One failed, or the time is over: failed. Else: parked.
    pub(super) async fn look_again(
        &mut self,
        checks: &Checks,
        mut awaiting: Awaiting,
    ) -> Result<Done, Stopped> {
        let (run, ks) = (self.run, self.ks);
        self.report.status.last_attempted_revision = Some(awaiting.inputs.revision.clone());
        self.report.status.inventory.clone_from(&awaiting.inventory);
        let identity = gate::identity(ks, &run.cx.config);
        let is_over = Instant::now() >= awaiting.deadline;
        let looks = std::mem::take(&mut awaiting.pending).into_iter().map(|id| {
            let identity = &identity;
            async move { look(run, identity, checks, id).await }.boxed()
        });
        let looks: Vec<BoxFuture<'_, Seen>> = looks.collect();
        let mut seen: Vec<Seen> = stream::iter(looks)
            .buffered(run.cx.config.concurrent_ssa.max(1))
            .collect()
            .await;
        seen.retain(|seen| !seen.looked.health.is_current());
        awaiting.pending = seen.iter().map(|seen| seen.looked.id.clone()).collect();
        let attempted = Attempted {
            revision: awaiting.inputs.revision.clone(),
            manifests: awaiting.manifests.clone(),
            duration: awaiting.started.elapsed(),
        };
        let looked: Vec<Looked<ObjectId>> = seen.iter().map(|seen| seen.looked.clone()).collect();
        match verdict(&looked, !run.cx.config.gate(gates::NO_FAIL_FAST), is_over) {
            Verdict::Passed => return Ok(self.passed(awaiting, attempted)),
            Verdict::Failed(text) => {
                let text = with_causes(run, &identity, text, &seen).await;
                let phase = super::phase("Running health checks", ks, &attempted.revision);
                self.report.phase(&phase);
                return Err(self.unhealthy(&awaiting, &attempted, &text));
            }
            Verdict::Waiting => {}
        }
        let now = Instant::now();
        let told_at = awaiting.since + PROGRESS_GRACE;
        if !awaiting.is_progress_told && now >= told_at {
            let phase = super::phase("Running health checks", ks, &attempted.revision);
            self.report.progressing(&phase);
            self.report
                .health(Some((ConditionStatus::Unknown, reason::PROGRESSING, &phase)));
            self.report.write_now().await?;
            awaiting.is_progress_told = true;
        }
        let waited = now.saturating_duration_since(awaiting.since);
        let mut next = awaiting
            .deadline
            .min(now + (waited / 2).clamp(LOOK_AGAIN, LOOK_AGAIN_MAX));
        if !awaiting.is_progress_told {
            next = next.min(told_at);
        }
        self.memory.awaiting = Some(awaiting);
        Err(Stopped::Unhealthy(next.saturating_duration_since(now)))
    }

    fn passed(&mut self, awaiting: Awaiting, attempted: Attempted) -> Done {
        let report = &mut *self.report;
        let text = format!(
            "Health check passed in {}",
            sluice_api::Duration(round(awaiting.since.elapsed()))
        );
        if awaiting.is_news || !report.was_healthy() {
            report.health(Some((ConditionStatus::True, reason::SUCCEEDED, &text)));
        }
        if awaiting.is_told {
            report.tell_progressing(&text);
        }
        settle(self.memory, awaiting.inputs, attempted)
    }

    fn unhealthy(&mut self, awaiting: &Awaiting, attempted: &Attempted, text: &str) -> Stopped {
        // from here on its retry interval wakes it, as in Flux, not every move of what has failed
        self.run.await_health(&awaiting.pending, false);
        self.report
            .health(Some((ConditionStatus::False, reason::HEALTH_CHECK_FAILED, text)));
        let after = sluice_api::Duration(round(awaiting.since.elapsed()));
        let message = format!("health check failed after {after}: {text}");
        let failure = Failure::retry(reason::HEALTH_CHECK_FAILED, message).recorded();
        self.report.failed(&failure, Some(attempted));
        failure.into()
    }
}

fn settle(memory: &mut Memory, inputs: Inputs, attempted: Attempted) -> Done {
    memory.settled = Some(Settled {
        inputs,
        manifests: attempted.manifests.clone(),
    });
    Done::Settled(attempted)
}

/// Milliseconds are enough for people.
fn round(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// One awaited object as it was last seen.
pub(super) struct Seen {
    pub(super) looked: Looked<ObjectId>,
    pub(super) object: Option<Value>,
}

/// Looks at an object, and notes where it is healthy.
pub(super) async fn look(run: &Run, identity: &Identity, checks: &Checks, id: ObjectId) -> Seen {
    // as in Flux, group and kind of a check count: its version may be served no more
    let (health, object) = match sluice_apply::find(run.cluster(), identity, &id).await {
        Ok(Some(object)) => {
            let health = checks.assess(&object, now());
            if health.is_current() {
                found_healthy(run, checks, &id, &object);
            }
            // what a pod says of its set matters only while nobody else says anything, and costs a list
            let is_silent = health.status == Status::InProgress && run.wakes.has(Wake::Timer);
            let health = if is_silent && !checks.is_custom(&object) {
                with_pods(run, identity, &object).await.unwrap_or(health)
            } else {
                health
            };
            (health, Some(object))
        }
        // it has done its work
        Ok(None) if run.live().is_passing(&id) => (
            Health {
                status: Status::Current,
                ..Health::not_found()
            },
            None,
        ),
        Ok(None) => (Health::not_found(), None),
        Err(error) => (Health::unknown(error.to_string()), None),
    };
    Seen {
        looked: Looked { id, health },
        object,
    }
}

/// A failed pod makes its set failed.
async fn with_pods(run: &Run, identity: &Identity, object: &Value) -> Option<Health> {
    let pods = pods_of(object)?;
    let namespace = object.pointer("/metadata/namespace")?.as_str()?;
    let gvk = GroupVersionKind::new("v1", "Pod");
    let pods = run
        .cluster()
        .list(identity, &gvk, Some(namespace), &pods)
        .await
        .ok()?;
    Some(assess_with_pods(object, &typed(pods, "v1", "Pod"), now()))
}

/// Items of lists come without their kind.
fn typed(objects: Vec<Value>, api_version: &str, kind: &str) -> Vec<Value> {
    let with_kind = |mut object: Value| {
        if let Some(map) = object.as_object_mut() {
            map.insert("apiVersion".to_owned(), api_version.into());
            map.insert("kind".to_owned(), kind.into());
        }
        object
    };
    objects.into_iter().map(with_kind).collect()
}

/// What may lie between an object and the cause of its trouble.
const CHILDREN: [(&str, &str); 4] = [
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("v1", "PersistentVolumeClaim"),
];

/// Flux's text, then for each object that is not healthy the cause that lies deepest.
async fn with_causes(run: &Run, identity: &Identity, mut text: String, seen: &[Seen]) -> String {
    let mut namespaces: HashMap<&str, (Vec<Value>, Vec<Value>)> = HashMap::new();
    for Seen { looked, object } in seen {
        let Some(object) = object else { continue };
        let namespace = looked.id.namespace.as_deref().unwrap_or_default();
        if !namespace.is_empty() && !namespaces.contains_key(namespace) {
            namespaces.insert(namespace, around(run, identity, namespace).await);
        }
        let around = namespaces.get(namespace);
        let around = around.map_or_else(Around::default, |(objects, events)| Around { objects, events });
        if let Some(cause) = cause(object, around) {
            text.push('\n');
            text.push_str(&cause.to_string());
        }
    }
    text
}

/// The children and events of a namespace.
async fn around(run: &Run, identity: &Identity, namespace: &str) -> (Vec<Value>, Vec<Value>) {
    let list = async |api_version: &str, kind: &str| {
        let gvk = GroupVersionKind::new(api_version, kind);
        // what may not be read cannot help to explain
        typed(
            run.cluster()
                .list(identity, &gvk, Some(namespace), "")
                .await
                .unwrap_or_default(),
            api_version,
            kind,
        )
    };
    let mut objects = Vec::new();
    for (api_version, kind) in CHILDREN {
        objects.extend(list(api_version, kind).await);
    }
    (objects, list("v1", "Event").await)
}

/// Notes that an object is healthy by these checks: until it moves nobody need look again.
pub(super) fn found_healthy(run: &Run, checks: &Checks, id: &ObjectId, object: &Value) {
    let version = object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok());
    let rules = checks.rules(&id.gvk.group, &id.gvk.kind);
    run.live().healthy(id, version.unwrap_or(0), rules);
    run.await_health([id], false);
}
