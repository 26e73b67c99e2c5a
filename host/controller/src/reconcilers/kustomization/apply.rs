//! From objects to the cluster: stages, inventory, prune.

use super::memory::Memory;
use super::render::Rendered;
use super::report::Report;
use super::{Attempt, gate, settle};
use crate::config::gates;
use crate::error_policy::{Failure, Stopped};
use crate::reconcilers::aside::aside;
use crate::runtime::{Key, Run};
use sluice_api::kustomize::{Inventory, ResourceRef};
use sluice_api::{Kustomization, meta, reason};
use sluice_apply::live::Moved;
use sluice_apply::{Applier, Options, Pruning};
use sluice_event::Severity;
use sluice_event::events::{DriftCorrected, FieldFightDamped, ObjectVerified, ObjectsApplied, ObjectsPruned};
use sluice_health::Checks;
use sluice_object::ObjectId;
use sluice_plan::{Audited, IgnoreRules, Owner, Policy, StagedObjects, Takeover, Violation};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::Instant;

/// What became of one object.
pub(super) type Applied = sluice_apply::Applied<Arc<Key>>;

/// What applying gave.
pub(super) struct AppliedAll {
    /// All objects, in order.
    pub(super) objects: Vec<Applied>,
    /// Whether something that others had changed was put back.
    pub(super) is_drift: bool,
    /// Whether it turned out that another Kustomization applies one of the objects too.
    pub(super) is_contest: bool,
}

/// Whether everything is to be as if it were applied anew: the interval is over, somebody asked, or a new revision came.
/// Jobs that have passed are made again then, as in Flux.
pub(super) fn is_due(report: &Report<'_>, memory: &Memory) -> bool {
    memory.due.is_none_or(|due| due <= Instant::now())
        || report.is_requested()
        || report.status.last_applied_revision != report.revision
}

impl Attempt<'_, '_> {
    /// Applies all stages, then prunes. The status's inventory follows: the union of old and new before the first object
    /// that is new is made, what is really there after the end.
    pub(super) async fn apply(
        &mut self,
        rendered: &Rendered,
        checks: &Checks,
        is_full: bool,
    ) -> Result<AppliedAll, Stopped> {
        let (run, ks) = (self.run, self.ks);
        let mut stages = staged(run, ks, rendered).await?;
        let new = sluice_plan::entries(ids(&stages));
        let old = sluice_apply::place_entries(run.cluster(), ks.inventory(), &new).await;
        audit(run, ks, &new, &old)?;
        let options = self.options(is_full)?;
        self.own(&new, &old).await?;
        ids(&stages).for_each(|id| run.watch_applied(&id.gvk));
        let applier = Applier {
            cluster: run.cluster(),
            identity: gate::identity(ks, &run.cx.config),
            live: run.live(),
            moved: &|moved| run.cx.moved(moved),
            owner: run.owner(),
            options,
            inventory: sluice_plan::ids(&old).into_iter().collect(),
            held: self.memory.held(Instant::now(), ks.spec.interval.get()).0,
        };
        let objects = self.apply_stages(checks, &applier, &mut stages).await?;
        // kinds that a stage before defined could not be watched until now, and had no place
        ids(&stages).for_each(|id| run.watch_applied(&id.gvk));
        let new = sluice_plan::entries(ids(&stages));
        let is_drift = self.tell(&objects);
        let is_contest = self.contests(&objects);
        self.report.status.inventory = Some(Inventory { entries: new.clone() });
        let pruning = Pruning {
            cluster: run.cluster(),
            identity: &applier.identity,
            owner: &owner(run),
            wanted: &new,
            own_namespace: &run.cx.config.runtime_namespace,
        };
        self.prune(pruning, &old).await?;
        Ok(AppliedAll {
            objects,
            is_drift,
            is_contest,
        })
    }

    /// Writes down what is new before any of it is made: it is owned, whatever comes between.
    async fn own(&mut self, new: &[ResourceRef], old: &[ResourceRef]) -> Result<(), Stopped> {
        let report = &mut *self.report;
        let union = sluice_plan::union(new, old);
        if union.len() > old.len() {
            let revision = report.revision.as_deref().unwrap_or_default();
            let phase = super::phase("Detecting drift", self.ks, revision);
            report.progressing(&phase);
            report.status.inventory = Some(Inventory { entries: union });
            report.write_now().await?;
        }
        Ok(())
    }

    /// What the object, the administrator and this pass want of applying.
    fn options(&self, is_full: bool) -> Result<Options, Failure> {
        let config = &self.run.cx.config;
        Ok(Options {
            concurrency: config.concurrent_ssa.max(1),
            is_forced: self.ks.spec.force,
            takeover: Takeover {
                override_managers: config.override_managers.clone(),
                migrates_api_version: config.gate(gates::MIGRATE_API_VERSION),
            },
            ignore: ignore_rules(self.ks)?,
            is_full,
            is_due: is_due(self.report, self.memory),
            is_insistent: self.report.is_requested(),
            own_namespace: config.runtime_namespace.clone(),
        })
    }

    /// Applies one stage after another; after those that others need, these are waited for.
    async fn apply_stages(
        &mut self,
        checks: &Checks,
        applier: &Applier<'_, Arc<Key>>,
        stages: &mut [StagedObjects],
    ) -> Result<Vec<Applied>, Stopped> {
        let run = self.run;
        let mut all = Vec::with_capacity(ids(stages).count());
        for number in 0..stages.len() {
            // a stage before may have brought kinds that were not known
            place(run, stages.get_mut(number..=number).unwrap_or_default()).await?;
            let Some(staged) = stages.get(number) else { break };
            let applied = applier
                .apply_stage(&staged.objects)
                .await
                .map_err(|error| not_applied(&error, &all))?;
            if staged.stage.is_waited_for() {
                let since = self.memory.stage_since(number);
                let identity = &applier.identity;
                let settled = settle::stage(run, identity, checks, stages, number, since, &applied).await;
                if let Err(stopped) = settled {
                    // the pass that goes on finds these unchanged
                    all.extend(applied);
                    self.tell(&all);
                    return Err(stopped);
                }
            }
            all.extend(applied);
            if run.is_superseded() && number + 1 < stages.len() {
                return Err(Stopped::Superseded);
            }
        }
        Ok(all)
    }

    /// Says what became of the objects; whether one had been changed by others.
    fn tell(&mut self, objects: &[Applied]) -> bool {
        let report = &*self.report;
        let changes: Vec<(String, &'static str)> = objects
            .iter()
            .map(|applied| (applied.id.to_string(), applied.action.as_str()))
            .collect();
        let verified = objects.iter().filter(|applied| applied.object.is_none()).count();
        ObjectVerified { count: verified }.emit();
        ObjectsApplied {
            changes: &changes,
            revision: report.revision.as_deref().unwrap_or_default(),
        }
        .emit();
        let lines = lines(objects);
        if !lines.is_empty() {
            report.tell_progressing(&lines.join("\n"));
        }
        let drifted: Vec<&Applied> = objects.iter().filter(|applied| applied.is_drift).collect();
        for applied in &drifted {
            let subject = applied.id.to_string();
            DriftCorrected { subject: &subject }.emit();
            if let Some((delay, true)) = self.memory.corrected(&applied.id, Instant::now()) {
                let managers = managers(applied);
                FieldFightDamped {
                    subject: &subject,
                    managers: &managers,
                    delay,
                }
                .emit();
                let message = format!(
                    "{subject} keeps being changed by {managers}; corrections are slowed down, up to once per interval of {}. \
                     Remove the field from the source, or stop the other writer",
                    self.ks.spec.interval
                );
                report.tell_as(Severity::Error, FIGHT_REASON, &message, None);
            }
        }
        !drifted.is_empty()
    }

    /// Notes the objects that another Kustomization applies too and has taken over. Each is told of once, with both names;
    /// whether there was one to tell of.
    fn contests(&mut self, objects: &[Applied]) -> bool {
        let mut is_news = false;
        let mut contested = HashSet::new();
        for applied in objects {
            let Some(rival) = &applied.rival else { continue };
            let subject = &applied.id;
            self.report.note(format!("{subject} is also applied by {rival}"));
            if !self.memory.contested.contains(subject) {
                is_news = true;
                let message = format!(
                    "{subject} is applied by {} and by {rival}: what either brings anew undoes the other's. Remove it from one of \
                     them",
                    self.run.key,
                );
                self.report
                    .tell_as(Severity::Error, CONTEST_REASON, &message, None);
            }
            contested.insert(subject.clone());
        }
        self.memory.contested = contested;
        is_news
    }

    /// Deletes what is no longer wanted, where that is allowed.
    async fn prune(&mut self, pruning: Pruning<'_>, old: &[ResourceRef]) -> Result<(), Stopped> {
        let (run, ks) = (self.run, self.ks);
        let report = &mut *self.report;
        let new = pruning.wanted;
        let stale = sluice_plan::stale(new, old);
        if !ks.spec.prune || stale.is_empty() {
            stale.iter().for_each(|id| forget(run, id));
            return Ok(());
        }
        let revision = report.revision.clone().unwrap_or_default();
        let annotation = |key: &str| ks.metadata.annotations.as_ref()?.get(key).map(String::as_str);
        let is_guarded = run.cx.config.prune_guard && annotation(meta::PRUNE_GUARD) != Some(meta::DISABLED);
        let guarded = sluice_plan::guard(&stale, old.len(), &revision, annotation(meta::APPROVE_PRUNE));
        if let Err(guarded) = guarded
            && is_guarded
        {
            // what is not deleted is still owned
            let entries = sluice_plan::union(new, old);
            report.status.inventory = Some(Inventory { entries });
            let failure = Failure::retry(reason::PRUNE_HELD, guarded.to_string());
            return Err(failure.recorded().into());
        }
        let pruned = sluice_apply::prune(pruning, &stale).await;
        pruned.changes.iter().for_each(|(id, _)| forget(run, id));
        if !pruned.changes.is_empty() {
            let changes: Vec<(String, &'static str)> = pruned
                .changes
                .iter()
                .map(|(id, action)| (id.to_string(), action.as_str()))
                .collect();
            ObjectsPruned { changes: &changes }.emit();
            let lines: Vec<String> = changes
                .iter()
                .map(|(subject, action)| format!("{subject} {action}"))
                .collect();
            report.tell_progressing(&lines.join("\n"));
        }
        let texts = [pruned.error(), sluice_plan::spared(&pruned.protected)];
        let texts: Vec<String> = texts.into_iter().flatten().collect();
        if texts.is_empty() {
            return Ok(());
        }
        // what could not be deleted is tried again, and so must not be forgotten
        let entries = sluice_plan::survivors(new, pruned.remaining());
        report.status.inventory = Some(Inventory { entries });
        let failure = Failure::retry(reason::PRUNE_FAILED, texts.join(" "));
        Err(failure.back_off_if(pruned.is_transient).recorded().into())
    }
}

/// The rendered objects as they are sent, in the stages in which they are applied.
async fn staged(run: &Run, ks: &Kustomization, rendered: &Rendered) -> Result<Vec<StagedObjects>, Failure> {
    let policy = Policy {
        common_metadata: ks.spec.common_metadata.clone(),
        custom_stage_kinds: run.cx.config.custom_apply_stage_kinds.clone(),
    };
    let mut stages = prepared(rendered.build.clone(), owner(run), policy).await?;
    place(run, &mut stages).await?;
    Ok(stages)
}

/// Takes the namespace off objects that live in none.
async fn place(run: &Run, stages: &mut [StagedObjects]) -> Result<(), Failure> {
    match sluice_apply::place(run.cluster(), stages).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::of(&error).recorded()),
    }
}

/// The Kustomization as its objects name it.
pub(super) fn owner(run: &Run) -> Owner {
    Owner {
        name: run.key.name.to_string(),
        namespace: run.key.namespace.to_string(),
    }
}

fn ids(stages: &[StagedObjects]) -> impl Iterator<Item = &ObjectId> {
    stages
        .iter()
        .flat_map(|staged| &staged.objects)
        .map(|object| object.id())
}

/// Looks over all that will be done before any of it is.
fn audit(run: &Run, ks: &Kustomization, new: &[ResourceRef], old: &[ResourceRef]) -> Result<(), Failure> {
    let stale = if ks.spec.prune {
        sluice_plan::stale(new, old)
    } else {
        Vec::new()
    };
    let audited = Audited {
        inventory: old,
        own_namespace: &run.cx.config.runtime_namespace,
        target_namespace: ks.spec.target_namespace.as_deref(),
    };
    let violations = sluice_plan::audit(new, &stale, &audited);
    if violations.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = violations.iter().map(Violation::to_string).collect();
    let failure = Failure::retry(reason::RECONCILIATION_FAILED, texts.join("; "));
    Err(failure.recorded())
}

/// Objects of so many bytes take some milliseconds: others are not to wait for them.
const PREPARED_AT_ONCE_BYTES: u64 = 256 << 10;

async fn prepared(
    build: Arc<sluice_render::Rendered>,
    owner: Owner,
    policy: Policy,
) -> Result<Vec<StagedObjects>, Failure> {
    let is_long = build.bytes > PREPARED_AT_ONCE_BYTES;
    let prepare = move || {
        let prepared = sluice_plan::prepare(&build.manifests, &owner, &policy);
        prepared.map_err(|error| Failure::of(&error))
    };
    let prepared = aside(is_long, prepare).await.map_err(|broken| {
        let message = format!("preparing the objects {broken}");
        Failure::back_off(reason::RECONCILIATION_FAILED, message)
    });
    prepared.flatten().map_err(Failure::recorded)
}

fn ignore_rules(ks: &Kustomization) -> Result<Option<IgnoreRules>, Failure> {
    if ks.spec.ignore.is_empty() {
        return Ok(None);
    }
    let rules = IgnoreRules::compile(&ks.spec.ignore);
    rules.map(Some).map_err(|error| Failure::of(&error))
}

/// Reason of the event about an object that others keep changing. Not Flux's, which does not notice.
const FIGHT_REASON: &str = "DriftDamped";

/// Who else wrote to an object.
fn managers(applied: &Applied) -> String {
    if applied.managers.is_empty() {
        "another writer".to_owned()
    } else {
        applied.managers.join(", ")
    }
}

/// `Kind/namespace/name word` of what changed.
fn lines(objects: &[Applied]) -> Vec<String> {
    let changed = objects.iter().filter(|applied| applied.action.is_change());
    changed
        .map(|applied| format!("{} {}", applied.id, applied.action.as_str()))
        .collect()
}

fn not_applied(error: &sluice_apply::ApplyError, before: &[Applied]) -> Stopped {
    let failure = Failure::of(error);
    let mut message = failure.message.clone();
    for line in lines(before) {
        message.push('\n');
        message.push_str(&line);
    }
    Failure { message, ..failure }.recorded().into()
}

/// Reason of the event about an object that two Kustomizations apply. Not Flux's, which lets each undo the other's work.
const CONTEST_REASON: &str = "ObjectContested";

/// An object is no longer owned. One from whom it had been taken may have it again.
pub(super) fn forget(run: &Run, id: &ObjectId) {
    let forgotten = run.live().forget(id, &run.owner());
    if let Moved::Drifted(owner) = forgotten {
        run.cx.wake(&owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use serde_json::json;
    use sluice_object::{Manifests, Object};

    #[test]
    fn many_bytes_are_prepared_where_nobody_waits() {
        let prepared = |size: usize| {
            let body = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "one", "namespace": "apps" },
                "data": { "key": "x".repeat(size) },
            });
            let manifests = Manifests {
                objects: vec![Object::new(body).unwrap()],
            };
            let build = sluice_render::Rendered::new(manifests, Vec::new());
            let owner = Owner {
                name: "apps".to_owned(),
                namespace: "apps".to_owned(),
            };
            prepared(Arc::new(build), owner, Policy::default())
        };
        let few = prepared(10).now_or_never();
        assert_eq!(few.unwrap().unwrap()[0].objects.len(), 1);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            // the one thread for long work is busy until it is told
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || wait.recv());
            let mut many = std::pin::pin!(prepared(300 << 10));
            assert!(
                many.as_mut().now_or_never().is_none(),
                "a thread of its own does it"
            );
            go.send(()).unwrap();
            busy.await.unwrap().unwrap();
            assert_eq!(many.await.unwrap()[0].objects.len(), 1);
        });
    }
}
