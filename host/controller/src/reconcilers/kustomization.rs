//! Kustomization: source → artifact → render → plan → apply → prune → health → status.

mod apply;
mod conclude;
mod confidential;
mod decrypt;
mod finalize;
mod gate;
mod health;
mod kubeconfig;
mod malformed;
mod memory;
mod ready_expr;
mod references;
mod remote;
pub mod render;
mod report;
mod settle;
mod variables;

pub use decrypt::Decryption;
pub use render::{Plugins, Render, RenderRequest, Rendered, Renderer};

use crate::artifacts::{ArtifactFacts, Artifacts, OpenError};
use crate::config::gates;
use crate::error_policy::{Failure, Stopped};
use crate::runtime::{KUSTOMIZATION, Key, Kind, Park, Reconciler, Run, Wake, has_finalizer};
use conclude::not_written;
use futures::FutureExt;
use futures::future::BoxFuture;
use memory::{Awaiting, Inputs, Memory};
use report::Report;
use serde_json::Value;
use sluice_api::{Kustomization, decode, reason};
use sluice_apply::live::Knowledge;
use sluice_artifact::Tree;
use sluice_event::events::ReconcileSuspended;
use sluice_health::Checks;
use sluice_object::ObjectId;
use sluice_source::credential::cloud::Clouds;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Reconciles Kustomizations.
pub struct KustomizationReconciler {
    artifacts: Artifacts,
    renderer: Renderer,
    clouds: Option<Clouds>,
    memories: Mutex<HashMap<Key, Memory>>,
}

/// What an attempt was about: for status, history and events.
#[derive(Clone, Debug)]
struct Attempted {
    revision: String,
    /// Digest of the manifests.
    manifests: String,
    duration: Duration,
}

/// An attempt while it is made: what its steps look at, what they say, what they remember.
struct Attempt<'a, 'r> {
    run: &'a Run,
    ks: &'a Kustomization,
    report: &'a mut Report<'r>,
    memory: &'a mut Memory,
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

    fn memories(&self) -> MutexGuard<'_, HashMap<Key, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn step(&self, run: &Run, object: &Arc<Value>, memory: &mut Memory) -> Park {
        let ks: Kustomization = match decode(object) {
            Ok(ks) => ks,
            Err(error) if malformed::is_deleted(object) => {
                let ks = malformed::end_of(run, object, &error.to_string());
                return self.finalize(run, object, &ks, memory).await;
            }
            Err(error) => return malformed::tell(run, object, &error.to_string()).await,
        };
        if ks.metadata.deletion_timestamp.is_some() {
            return self.finalize(run, object, &ks, memory).await;
        }
        let mut object = object.clone();
        if !has_finalizer(&object) {
            let set = run.cx.set_finalizer(&KUSTOMIZATION, &run.key, &object, true);
            match set.await {
                Ok(Some(current)) => object = Arc::new(current),
                Ok(None) => return Park::Gone,
                Err(park) => return park,
            }
        }
        let started = Instant::now();
        let mut report = Report::new(run, object, &ks);
        report.quiet = memory.quiet;
        if ks.spec.suspend && memory.awaiting.is_none() {
            return suspended(run, report, memory, started).await;
        }
        if let Some(wait) = memory.holds_back(run.wakes) {
            run.keep_subscriptions();
            return Park::For(Some(wait));
        }
        memory.failed_until = None;
        let awaiting = memory.awaiting.take_if(|_| ks.spec.suspend);
        let mut attempt = Attempt {
            run,
            ks: &ks,
            report: &mut report,
            memory,
        };
        let end = match awaiting {
            // what is running goes on
            Some(awaiting) => self.go_on(&mut attempt, awaiting).await,
            None => self.attempt(&mut attempt, started).await,
        };
        attempt.conclude(end, started).await
    }

    /// The floor plan.
    async fn attempt(&self, here: &mut Attempt<'_, '_>, started: Instant) -> Result<Done, Stopped> {
        let (run, ks) = (here.run, here.ks);
        let checks = checks(ks)?;
        let artifact = here.admitted().await?;
        let elsewhere = match remote::attach(run, ks, self.clouds.as_ref(), here.memory).await {
            Ok(elsewhere) => elsewhere,
            Err(unattached) => return Err(self.after_opening(here, &artifact, unattached.into()).await),
        };
        let run = elsewhere.as_ref().unwrap_or(run);
        let attempt = &mut here.with(run, ks);
        let (decryption, variables::Read { variables, secrets }) = self.read(attempt, &artifact).await?;
        let inputs = Inputs::of(ks, &artifact, &variables, decryption.as_ref());
        // what was written meanwhile, that something it needs was missing, is to be taken back
        let is_told = attempt.report.says_applied(&inputs.revision) && !attempt.report.is_requested();
        let (is_full, previous) = match attempt.remaining(&checks, &inputs)? {
            Remaining::Nothing { .. } if is_told => return Ok(Done::Nothing),
            Remaining::Nothing { manifests } => {
                return Ok(Done::Settled(Attempted {
                    revision: inputs.revision,
                    manifests,
                    duration: started.elapsed(),
                }));
            }
            Remaining::Health(awaiting) => return attempt.look_again(&checks, awaiting).await,
            Remaining::All { is_full, previous } => (is_full, previous),
        };

        let rendered = self
            .build(attempt, &artifact, variables, decryption.as_ref())
            .await?;
        if run.is_superseded() {
            return Err(Stopped::Superseded);
        }

        let phase = phase("Detecting drift", ks, &artifact.revision);
        attempt.report.phase(&phase);
        let applied = attempt.apply(&rendered, &checks, is_full).await;
        let attempted = Attempted {
            revision: artifact.revision.clone(),
            manifests: rendered.digest.clone(),
            duration: started.elapsed(),
        };
        let applied = match applied {
            Ok(applied) => applied,
            Err(Stopped::Failed(failure)) => {
                let failure = secrets.kept_out_of(failure);
                // after rendering it enters the history
                attempt.report.failed(&failure, Some(&attempted));
                return Err(failure.into());
            }
            Err(Stopped::Unsettled(number, after)) => {
                attempt.memory.awaits_stage(number, inputs);
                return Err(Stopped::Unhealthy(after));
            }
            Err(stopped) => return Err(stopped),
        };
        attempt.memory.stage = None;
        if is_full {
            attempt.memory.full_at = Some(started);
        }
        let is_same = attempt.memory.settled_at(&inputs).is_some();
        let is_changed = applied.objects.iter().any(|applied| applied.action.is_change());
        if is_same && !is_changed && !applied.is_contest && is_told && health::is_as_before(run, ks, &checks)
        {
            // looked at, and found to be as it should: nothing to tell
            return Ok(Done::Nothing);
        }
        let pass = health::Pass {
            objects: applied.objects,
            inputs,
            attempted,
            started,
            is_drift: applied.is_drift,
            is_changed,
            previous,
        };
        attempt.check_health(&checks, pass).await
    }

    /// The keys and the variables, as they are now.
    async fn read(
        &self,
        attempt: &mut Attempt<'_, '_>,
        artifact: &ArtifactFacts,
    ) -> Result<(Option<Decryption>, variables::Read), Stopped> {
        let (run, ks) = (attempt.run, attempt.ks);
        let decryption = match decrypt::read(run, ks).await {
            Ok(decryption) => decryption,
            Err(failure) => return Err(self.after_opening(attempt, artifact, failure).await),
        };
        match variables::read(run, ks).await {
            Ok(read) => Ok((decryption, read)),
            Err(failure) => {
                let decryption = decryption.as_ref();
                Err(self.after_building(attempt, artifact, decryption, failure).await)
            }
        }
    }

    /// Goes on with a health check, whatever became of the wish meanwhile.
    async fn go_on(&self, here: &mut Attempt<'_, '_>, awaiting: Awaiting) -> Result<Done, Stopped> {
        let (run, ks) = (here.run, here.ks);
        here.report.revision = Some(awaiting.inputs.revision.clone());
        here.report.origin_revision.clone_from(&awaiting.origin_revision);
        let checks = checks(ks)?;
        let elsewhere = remote::attach(run, ks, self.clouds.as_ref(), here.memory)
            .await
            .map_err(Failure::from)?;
        let run = elsewhere.as_ref().unwrap_or(run);
        let attempt = &mut here.with(run, ks);
        attempt.look_again(&checks, awaiting).await
    }

    /// Opens the artifact and renders it.
    async fn build(
        &self,
        attempt: &mut Attempt<'_, '_>,
        artifact: &ArtifactFacts,
        variables: BTreeMap<String, String>,
        decryption: Option<&Decryption>,
    ) -> Result<Rendered, Stopped> {
        let tree = self.open(attempt, artifact).await?;
        let (run, ks) = (attempt.run, attempt.ks);
        let report = &mut *attempt.report;
        report.phase(&phase("Building manifests", ks, &artifact.revision));
        let wanted = RenderRequest {
            ks,
            tree,
            artifact,
            variables,
            is_strict: run.cx.config.gate(gates::STRICT_SUBSTITUTION),
            decryption,
        };
        let rendered = self.renderer.render(wanted).await;
        // as in Flux, an artifact without the path does not count as an attempt, nor has building begun
        if matches!(&rendered, Err(failure) if failure.reason == reason::ARTIFACT_FAILED) {
            report.phase(&phase("Fetching manifests", ks, &artifact.revision));
        } else {
            report.status.last_attempted_revision = Some(artifact.revision.clone());
        }
        Ok(rendered?)
    }

    async fn open(
        &self,
        attempt: &mut Attempt<'_, '_>,
        artifact: &ArtifactFacts,
    ) -> Result<Arc<dyn Tree>, Stopped> {
        let phase = phase("Fetching manifests", attempt.ks, &artifact.revision);
        attempt.report.phase(&phase);
        let opened = self.artifacts.open(artifact).await;
        opened.map_err(|error| not_opened(attempt.run, error))
    }

    /// A failure of what is read beside the artifact: as in Flux, the artifact comes first.
    async fn after_opening(
        &self,
        attempt: &mut Attempt<'_, '_>,
        artifact: &ArtifactFacts,
        failure: Failure,
    ) -> Stopped {
        if let Err(stopped) = self.open(attempt, artifact).await {
            return stopped;
        }
        let phase = phase("Building manifests", attempt.ks, &artifact.revision);
        attempt.report.phase(&phase);
        attempt.report.status.last_attempted_revision = Some(artifact.revision.clone());
        failure.into()
    }

    /// A failure to read variables: as in Flux, building comes first, and the first object that needs them is named.
    async fn after_building(
        &self,
        attempt: &mut Attempt<'_, '_>,
        artifact: &ArtifactFacts,
        decryption: Option<&Decryption>,
        failure: Failure,
    ) -> Stopped {
        let run = attempt.run;
        let mut plain = attempt.ks.clone();
        plain.spec.post_build = None;
        let attempt = &mut attempt.with(run, &plain);
        let built = self.build(attempt, artifact, BTreeMap::new(), decryption);
        let built = match built.await {
            Ok(built) => built,
            Err(stopped) => return stopped,
        };
        let message = match variables::first_user(&built.build.manifests) {
            Some(subject) => format!("post build failed for '{subject}': {}", failure.message),
            None => format!("post build failed: {}", failure.message),
        };
        Failure { message, ..failure }.into()
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
                return Park::Gone;
            };
            let mut memory = self.memories().remove(&run.key).unwrap_or_default();
            let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
            if memory.uid.as_deref() != uid {
                // another object of the same name: nothing that was done for the one before holds for it
                memory = Memory::of(uid);
            }
            let park = self.step(run, &object, &mut memory).await;
            self.memories().insert(run.key.clone(), memory);
            park
        }
        .boxed()
    }
}

/// It is switched off: nothing is done, and nothing is remembered but which object it is.
async fn suspended(run: &Run, mut report: Report<'_>, memory: &mut Memory, started: Instant) -> Park {
    *memory = Memory::of(memory.uid.as_deref());
    ReconcileSuspended {
        controller: KUSTOMIZATION.controller,
        object: run.key.parts(),
        duration: started.elapsed(),
        message: "Reconciliation is suspended for this object",
    }
    .emit();
    report.suspended();
    match report.close().await {
        Ok(_) => Park::For(None),
        Err(error) => not_written(memory, &error),
    }
}

impl<'r> Attempt<'_, 'r> {
    /// The same with its objects in another cluster, or by another spec.
    fn with<'b>(&'b mut self, run: &'b Run, ks: &'b Kustomization) -> Attempt<'b, 'r> {
        Attempt {
            run,
            ks,
            report: &mut *self.report,
            memory: &mut *self.memory,
        }
    }

    /// What must hold before anything is read for it: it is allowed, its source has this artifact, its dependencies are ready.
    async fn admitted(&mut self) -> Result<ArtifactFacts, Stopped> {
        let (run, ks) = (self.run, self.ks);
        gate::allow(ks, &run.cx.config)?;
        let artifact = gate::artifact(run, ks)?;
        self.report.revision = Some(artifact.revision.clone());
        self.report.origin_revision.clone_from(&artifact.origin_revision);
        gate::dependencies(run, ks, &artifact).await?;
        Ok(artifact)
    }

    /// What `inputs` leave to do, by what is remembered and what the watches have seen since.
    fn remaining(&mut self, checks: &Checks, inputs: &Inputs) -> Result<Remaining, Stopped> {
        let (run, ks) = (self.run, self.ks);
        let memory = &mut *self.memory;
        memory.stage.take_if(|stage| stage.inputs != *inputs);
        // a pass that goes on after a stage has looked at that stage's objects already
        let is_full =
            memory.stage.is_none() && memory.full_at.is_none_or(|at| at.elapsed() >= full_interval(run));
        let moved = moved(run, ks, apply::is_due(self.report, memory));
        if let Some(settled) = memory.settled_at(inputs)
            && !is_full
            && moved.is_empty()
            && health::is_as_before(run, ks, checks)
        {
            let manifests = settled.manifests.clone();
            return Ok(Remaining::Nothing { manifests });
        }
        let awaiting = memory.awaiting.take();
        let previous = match awaiting.filter(|awaiting| awaiting.inputs == *inputs) {
            Some(awaiting) if !run.wakes.has(Wake::Drift) => return Ok(Remaining::Health(awaiting)),
            interrupted => interrupted,
        };
        let is_same = memory.settled_at(inputs).is_some();
        let (held, wait) = memory.held(Instant::now(), ks.spec.interval.get());
        let is_all_held = !moved.is_empty() && moved.iter().all(|id| held.contains(id));
        match wait {
            // somebody keeps undoing what we do: not at once
            Some(wait) if is_same && !is_full && is_all_held => Err(Stopped::Unhealthy(wait)),
            _ => Ok(Remaining::All { is_full, previous }),
        }
    }
}

/// What an attempt has left to do.
enum Remaining {
    /// Nothing: these manifests are applied and healthy, and no object has moved.
    Nothing { manifests: String },
    /// To look again at the health that is awaited.
    Health(Awaiting),
    /// To render and to apply.
    All {
        /// Whether every object is looked at, whatever the watches saw.
        is_full: bool,
        /// What was awaited before drift interrupted.
        previous: Option<Awaiting>,
    },
}

fn not_opened(run: &Run, error: OpenError) -> Stopped {
    match error {
        OpenError::NotFound => gate::no_artifact(run, "Source is not ready, artifact not found"),
        OpenError::Failed(message) => Failure::back_off(reason::ARTIFACT_FAILED, message).into(),
    }
}

fn checks(ks: &Kustomization) -> Result<Checks, Failure> {
    Checks::compile(&ks.spec.health_check_exprs).map_err(|error| Failure::misconfigured(&error))
}

/// What is being done, in Flux's words.
fn phase(what: &str, ks: &Kustomization, revision: &str) -> String {
    let timeout = sluice_api::Duration(ks.spec.timeout());
    format!("{what} for revision {revision} with a timeout of {timeout}")
}

/// The objects that are not as they were last verified, as far as the watches know.
fn moved(run: &Run, ks: &Kustomization, is_due: bool) -> Vec<ObjectId> {
    let owner = run.owner();
    let mut ids = sluice_plan::ids(ks.inventory());
    ids.retain(|id| match run.live().knowledge(id) {
        Knowledge::Verified(..) => run.live().taken(id, &owner).is_some(),
        Knowledge::Passed(_) => is_due,
        _ => true,
    });
    ids
}

/// The interval of full verifications, spread by a tenth so that they do not come together.
fn full_interval(run: &Run) -> Duration {
    run.cx
        .config
        .full_verification_interval
        .mul_f64(0.95 + 0.1 * run.cx.chance().share())
}
