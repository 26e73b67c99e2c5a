//! Kustomization: source → artifact → render → plan → apply → prune → health → status.

mod apply;
mod confidential;
mod decrypt;
mod finalize;
mod gate;
mod health;
mod kubeconfig;
mod memory;
mod ready_expr;
mod references;
mod remote;
pub mod render;
mod report;
mod variables;

pub use decrypt::Decryption;
pub use render::{Plugins, Render, Rendered, Renderer};

use crate::artifacts::{Artifacts, OpenError};
use crate::error_policy::{self, Failure, Stopped, WAITING_GRACE, Waiting};
use crate::runtime::{KUSTOMIZATION, Key, Kind, Park, Reconciler, Run, Wake};
use futures::FutureExt;
use futures::future::BoxFuture;
use memory::{Inputs, Memory};
use report::Report;
use serde_json::Value;
use sluice_api::{Kustomization, Next, decode, meta, reason};
use sluice_apply::live::Knowledge;
use sluice_event::events::{
    ObjectMalformed, ObjectParked, ReconcileFailed, ReconcileFinished, ReconcileSuspended,
};
use sluice_event::{Severity, metrics};
use sluice_health::Checks;
use sluice_object::ObjectId;
use sluice_source::credential::cloud::Clouds;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Reconciles Kustomizations.
pub struct KustomizationReconciler {
    artifacts: Artifacts,
    renderer: Renderer,
    clouds: Option<Clouds>,
    memories: Mutex<HashMap<Key, (Memory, Option<Instant>)>>,
}

/// What an attempt was about: for status, history and events.
#[derive(Clone, Debug)]
struct Attempted {
    revision: String,
    /// Digest of the manifests.
    manifests: String,
    duration: Duration,
}

/// An attempt that came to its end.
enum Done {
    /// Inputs are as before and no object moved.
    Nothing,
    /// Everything is as it should be, and something was done or is new.
    Settled(Attempted),
}

impl KustomizationReconciler {
    /// Opens artifacts from `artifacts`, renders with `renderer`.
    pub fn new(artifacts: Artifacts, renderer: Renderer) -> Self {
        Self {
            artifacts,
            renderer,
            clouds: None,
            memories: Mutex::default(),
        }
    }

    /// The same with an identity at clouds, for `spec.kubeConfig.configMapRef`.
    #[must_use]
    pub fn with_clouds(self, clouds: Clouds) -> Self {
        let clouds = Some(clouds);
        Self { clouds, ..self }
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<Key, (Memory, Option<Instant>)>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn step(
        &self,
        run: &Run,
        object: &Arc<Value>,
        memory: &mut Memory,
        deleting: &mut Option<Instant>,
    ) -> Park {
        let mut ks: Kustomization = match decode(object) {
            Ok(ks) => ks,
            Err(error) => return self.malformed(run, object, &error.to_string()).await,
        };
        if ks.metadata.deletion_timestamp.is_some() {
            return self.finalize(run, object, &ks, memory, deleting).await;
        }
        let mut object = object.clone();
        if !gate::has_finalizer(&ks) {
            match run
                .cx
                .set_finalizer(&KUSTOMIZATION, &run.key, &object, meta::FINALIZER, true)
                .await
            {
                Ok(Some(current)) => object = Arc::new(current),
                Ok(None) => return Park::Gone,
                // it changed meanwhile: the watch brings the new state
                Err(error) if error.code() == 409 => return Park::For(Some(Duration::from_millis(200))),
                Err(_) => return Park::Backoff { at_most: None },
            }
            ks.metadata
                .finalizers
                .get_or_insert_default()
                .push(meta::FINALIZER.to_owned());
        }
        let started = Instant::now();
        let mut report = Report::new(run, object, &ks);
        if ks.spec.suspend {
            *memory = Memory::default();
            ReconcileSuspended.emit();
            return match report.close().await {
                Ok(_) => Park::For(None),
                Err(_) => Park::Backoff { at_most: None },
            };
        }
        let attempt = self.attempt(run, &ks, &mut report, memory, started).await;
        self.conclude(run, &ks, report, memory, attempt, started).await
    }

    /// The floor plan.
    async fn attempt(
        &self,
        run: &Run,
        ks: &Kustomization,
        report: &mut Report<'_>,
        memory: &mut Memory,
        started: Instant,
    ) -> Result<Done, Stopped> {
        gate::allow(ks, &run.cx.config)?;
        let checks =
            Checks::compile(&ks.spec.health_check_exprs).map_err(|error| Failure::misconfigured(&error))?;
        let artifact = gate::artifact(run, ks)?;
        report.revision = Some(artifact.revision.clone());
        report.origin_revision.clone_from(&artifact.origin_revision);
        gate::dependencies(run, ks, &artifact)?;
        memory.waiting = None;
        let elsewhere = remote::attach(run, ks, self.clouds.as_ref(), memory)
            .await
            .map_err(Failure::from)?;
        let elsewhere = elsewhere.map(|remote| run.towards(remote));
        let run = elsewhere.as_ref().unwrap_or(run);
        let variables = variables::read(run, ks).await?;
        let decryption = decrypt::read(run, ks).await?;
        let inputs = Inputs {
            generation: ks.metadata.generation.unwrap_or_default(),
            revision: artifact.revision.clone(),
            digest: artifact.digest.clone(),
            variables: variables::digest(&variables),
            keys: decryption.as_ref().map(|decryption| decryption.digest),
        };
        let is_full = memory.full_at.is_none_or(|at| at.elapsed() >= full_interval(run));
        let is_drift = run.wakes.has(Wake::Drift);
        let moved = moved(run, ks);
        if let Some(settled) = memory
            .settled
            .as_ref()
            .filter(|settled| settled.inputs == inputs && !is_full && moved.is_empty())
            && health::is_as_before(run, ks)
        {
            let attempted = Attempted {
                revision: inputs.revision,
                manifests: settled.manifests.clone(),
                duration: started.elapsed(),
            };
            return Ok(if report.is_requested() {
                Done::Settled(attempted)
            } else {
                Done::Nothing
            });
        }
        let previous = memory
            .awaiting
            .take()
            .filter(|awaiting| awaiting.inputs == inputs);
        if let Some(awaiting) = previous.clone().filter(|_| !is_drift) {
            return health::go_on(run, ks, &checks, report, memory, awaiting).await;
        }
        let is_same = memory
            .settled
            .as_ref()
            .is_some_and(|settled| settled.inputs == inputs);
        let (held, wait) = memory.held(Instant::now(), ks.spec.interval.get());
        let is_all_held = !moved.is_empty() && moved.iter().all(|id| held.contains(id));
        if let Some(wait) = wait.filter(|_| is_same && !is_full && is_all_held) {
            // somebody keeps undoing what we do: not at once
            return Err(Stopped::Unhealthy(wait));
        }

        report.phase(&format!(
            "Fetching manifests for revision {} with a timeout of {}",
            artifact.revision,
            sluice_api::Duration(ks.spec.timeout())
        ));
        let is_strict = run.cx.config.gate("StrictPostBuildSubstitutions");
        let tree = self
            .artifacts
            .open(&artifact)
            .await
            .map_err(|error| not_opened(run, error))?;
        report.phase(&format!("Building manifests for revision {}", artifact.revision));
        let rendered = self
            .renderer
            .render(ks, tree, &artifact, variables, is_strict, decryption.as_ref())
            .await;
        // as in Flux, an artifact without the path does not count as an attempt
        if !matches!(&rendered, Err(failure) if failure.reason == reason::ARTIFACT_FAILED) {
            report.status.last_attempted_revision = Some(artifact.revision.clone());
        }
        let rendered = rendered?;
        if run.is_superseded() {
            return Err(Stopped::Superseded);
        }

        report.phase(&format!("Detecting drift for revision {}", artifact.revision));
        let applied = apply::apply(run, ks, report, memory, &rendered, is_full).await;
        let attempted = Attempted {
            revision: artifact.revision.clone(),
            manifests: rendered.digest.clone(),
            duration: started.elapsed(),
        };
        let applied = match applied {
            Ok(applied) => applied,
            Err(Stopped::Failed(failure)) => return Err(self.record(report, failure, &attempted)),
            Err(stopped) => return Err(stopped),
        };
        if is_full {
            memory.full_at = Some(started);
        }
        let is_changed = applied.objects.iter().any(|applied| applied.action.is_change());
        if is_same && !is_changed && !report.is_requested() && health::is_as_before(run, ks) {
            // looked at, and found to be as it should: nothing to tell
            return Ok(Done::Nothing);
        }
        let pass = health::Pass {
            inputs,
            attempted,
            started,
            is_news: applied.is_drift,
            previous,
        };
        health::begin(run, ks, &checks, report, memory, pass, applied.objects).await
    }

    /// A failure after rendering enters the history.
    fn record(&self, report: &mut Report<'_>, failure: Failure, attempted: &Attempted) -> Stopped {
        report.failed(&failure, Some(attempted));
        Stopped::Failed(failure)
    }

    /// Turns the end of an attempt into status, events and the next step, by the table of [`error_policy`].
    async fn conclude(
        &self,
        run: &Run,
        ks: &Kustomization,
        mut report: Report<'_>,
        memory: &mut Memory,
        attempt: Result<Done, Stopped>,
        started: Instant,
    ) -> Park {
        match attempt {
            Ok(Done::Nothing) => {
                self.finished(run, &report, started.elapsed(), None);
                if memory.due.is_none_or(|due| due <= Instant::now()) {
                    memory.due = Some(Instant::now() + run.spread(ks.spec.interval.get()));
                }
                self.until_due(ks, memory)
            }
            Ok(Done::Settled(attempted)) => {
                report.succeeded(&attempted);
                if let Err(error) = report.close().await {
                    return self.not_written(memory, &error);
                }
                let message = format!(
                    "Reconciliation finished in {}, next run in {}",
                    sluice_api::Duration(attempted.duration),
                    ks.spec.interval
                );
                report.tell_with(
                    Severity::Info,
                    &message,
                    Some((meta::EVENT_COMMIT_STATUS, meta::COMMIT_STATUS_UPDATE)),
                );
                self.finished(run, &report, attempted.duration, Some(&message));
                memory.due = Some(Instant::now() + run.spread(ks.spec.interval.get()));
                self.until_due(ks, memory)
            }
            Err(Stopped::Failed(failure)) => {
                return self.failed(run, ks, report, memory, &failure, started).await;
            }
            Err(Stopped::Waiting(waiting)) => return self.waits(report, memory, waiting).await,
            Err(Stopped::Unhealthy(after)) => Park::Awaiting(after),
            Err(Stopped::Superseded) => Park::For(Some(Duration::ZERO)),
            Err(Stopped::NotWritten(error)) => self.not_written(memory, &error),
        }
    }

    async fn failed(
        &self,
        run: &Run,
        ks: &Kustomization,
        mut report: Report<'_>,
        memory: &mut Memory,
        failure: &Failure,
        started: Instant,
    ) -> Park {
        memory.settled = None;
        memory.awaiting = None;
        report.failed(failure, None);
        let written = report.close().await;
        let text = failure.told.as_deref().unwrap_or(&failure.message);
        if written.is_ok() {
            report.tell(Severity::Error, text);
        }
        let retry_interval = ks.spec.retry_interval();
        ReconcileFailed {
            controller: KUSTOMIZATION.controller,
            object: (KUSTOMIZATION.kind, &run.key.namespace, &run.key.name),
            duration: started.elapsed(),
            error: text,
            reason: failure.reason.as_str(),
            next: (failure.next != Next::Stall).then_some(retry_interval),
            revision: report.revision.as_deref(),
        }
        .emit();
        match written {
            Ok(_) => error_policy::park(&failure.next, retry_interval),
            Err(error) => self.not_written(memory, &error),
        }
    }

    async fn waits(&self, mut report: Report<'_>, memory: &mut Memory, waiting: Waiting) -> Park {
        memory.awaiting = None;
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
            Err(error) => self.not_written(memory, &error),
        }
    }

    /// The status could not be written: what is remembered must not say that it was.
    fn not_written(&self, memory: &mut Memory, error: &sluice_apply::cluster::RequestError) -> Park {
        tracing::warn!(%error, "status not written, trying again");
        memory.settled = None;
        Park::Backoff { at_most: None }
    }

    fn finished(&self, run: &Run, report: &Report<'_>, duration: Duration, message: Option<&str>) {
        ReconcileFinished {
            controller: KUSTOMIZATION.controller,
            object: (KUSTOMIZATION.kind, &run.key.namespace, &run.key.name),
            duration,
            message,
            revision: report.revision.as_deref(),
        }
        .emit();
    }

    fn until_due(&self, ks: &Kustomization, memory: &Memory) -> Park {
        let now = Instant::now();
        let due = memory.due.map(|due| due.saturating_duration_since(now));
        let released = memory.held(now, ks.spec.interval.get()).1;
        Park::For(due.into_iter().chain(released).min())
    }

    /// The object is there but cannot be read as a Kustomization. It alone suffers.
    async fn malformed(&self, run: &Run, object: &Arc<Value>, error: &str) -> Park {
        ObjectMalformed { error }.emit();
        let status = object.get("status").cloned().unwrap_or_default();
        let metadata = object.get("metadata").cloned().unwrap_or_default();
        let metadata = serde_json::from_value(metadata).unwrap_or_default();
        let mut report = Report::of(
            run,
            object.clone(),
            &metadata,
            serde_json::from_value(status).unwrap_or_default(),
        );
        let message = format!("the object cannot be read: {error}. Correct the named field");
        report.failed(&Failure::stall(reason::INVALID_SPEC, message), None);
        match report.close().await {
            Ok(true) => {
                report.tell(Severity::Error, &format!("the object cannot be read: {error}"));
                Park::For(None)
            }
            Ok(false) => Park::For(None),
            Err(_) => Park::Backoff { at_most: None },
        }
    }
}

impl Reconciler for KustomizationReconciler {
    fn kind(&self) -> &'static Kind {
        &KUSTOMIZATION
    }

    fn reconcile<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Park> {
        async move {
            let Some(object) = run.object.clone() else {
                self.memories().remove(&run.key);
                metrics::forget_object(KUSTOMIZATION.kind, &run.key.namespace, &run.key.name);
                return Park::Gone;
            };
            let (mut memory, mut deleting) = self.memories().remove(&run.key).unwrap_or_default();
            let park = self.step(run, &object, &mut memory, &mut deleting).await;
            self.memories().insert(run.key.clone(), (memory, deleting));
            park
        }
        .boxed()
    }
}

fn not_opened(run: &Run, error: OpenError) -> Stopped {
    match error {
        OpenError::NotFound => {
            let after = run.cx.config.requeue_dependency;
            let message = "Source is not ready, artifact not found, retrying in 30s".to_owned();
            Waiting {
                reason: reason::ARTIFACT_FAILED,
                log: message.clone(),
                message,
                told: None,
                after,
            }
            .into()
        }
        OpenError::Failed(message) => Failure {
            next: Next::BackOff,
            ..Failure::retry(reason::ARTIFACT_FAILED, message)
        }
        .into(),
    }
}

/// The objects that are not as they were last verified, as far as the watches know.
fn moved(run: &Run, ks: &Kustomization) -> Vec<ObjectId> {
    let mut ids = sluice_plan::ids(ks.inventory());
    ids.retain(|id| !matches!(run.live().knowledge(id), Knowledge::Verified(..)));
    ids
}

/// The interval of full verifications, spread by a tenth so that they do not come together.
fn full_interval(run: &Run) -> Duration {
    run.cx
        .config
        .full_verification_interval
        .mul_f64(0.95 + 0.1 * run.cx.chance().share())
}
