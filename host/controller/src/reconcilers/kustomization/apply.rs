//! From objects to the cluster: stages, inventory, prune.

use super::memory::Memory;
use super::render::Rendered;
use super::report::Report;
use super::{gate, health};
use crate::error_policy::{Failure, Stopped};
use crate::runtime::Run;
use sluice_api::kustomize::{Inventory, ResourceRef};
use sluice_api::{Kustomization, Next, meta, reason};
use sluice_apply::cluster::Identity;
use sluice_apply::{Applied, Applier, Options};
use sluice_event::Severity;
use sluice_event::events::{DriftCorrected, FieldFightDamped, ObjectVerified, ObjectsApplied, ObjectsPruned};
use sluice_object::{GroupKind, GroupVersionKind};
use sluice_plan::{Action, Audited, Change, IgnoreRules, Owner, Policy, StagedObjects};
use std::sync::Arc;
use tokio::time::Instant;

/// What applying gave.
pub(super) struct AppliedAll {
    /// All objects, in order.
    pub(super) objects: Vec<Applied>,
    /// Whether something that others had changed was put back.
    pub(super) is_drift: bool,
}

/// Applies all stages, then prunes. The status's inventory follows: the union of old and new before the first object
/// that is new is made, what is really there after the end.
pub(super) async fn apply(
    run: &Run,
    ks: &Kustomization,
    report: &mut Report<'_>,
    memory: &mut Memory,
    rendered: &Rendered,
    is_full: bool,
) -> Result<AppliedAll, Stopped> {
    let owner = Owner {
        name: run.key.name.to_string(),
        namespace: run.key.namespace.to_string(),
    };
    let stages = prepare(run, ks, &owner, rendered)?;
    let objects = || stages.iter().flat_map(|staged| &staged.objects);
    let new = sluice_plan::entries(objects().map(|object| object.id()));
    let old: Vec<ResourceRef> = ks.inventory().to_vec();
    let union = sluice_plan::union(&new, &old);
    let revision = report.revision.clone().unwrap_or_default();
    if union.len() > old.len() {
        report.progressing(&format!("Detecting drift for revision {revision}"));
        report.status.inventory = Some(Inventory {
            entries: union.clone(),
        });
        report.write_now().await?;
    }
    objects().for_each(|object| run.watch_applied(object.gvk()));
    let applier = Applier {
        cluster: run.cluster(),
        identity: gate::identity(ks, &run.cx.config),
        live: run.live(),
        owner: Arc::new(run.key.clone()),
        options: Options {
            concurrency: run.cx.config.concurrent_ssa.max(1),
            is_forced: ks.spec.force,
            override_managers: run.cx.config.override_managers.clone(),
            ignore: ignore_rules(ks)?,
            is_full,
        },
        inventory: sluice_plan::ids(&old).into_iter().collect(),
        held: memory.held(Instant::now(), ks.spec.interval.get()).0,
    };
    let mut all = Vec::with_capacity(new.len());
    for (number, staged) in stages.iter().enumerate() {
        let applied = applier
            .apply_stage(&staged.objects)
            .await
            .map_err(|error| not_applied(&error, &all))?;
        if staged.stage.is_waited_for() {
            health::settle_stage(run, &applier.identity, &applied).await?;
            let to_come = stages.iter().skip(number + 1).flat_map(|staged| &staged.objects);
            let to_come: Vec<&GroupVersionKind> = to_come.map(|object| object.gvk()).collect();
            health::served(run, &applied, &to_come).await;
        }
        all.extend(applied);
        if run.is_superseded() && number + 1 < stages.len() {
            return Err(Stopped::Superseded);
        }
    }
    // kinds that a stage before defined could not be watched until now
    objects().for_each(|object| run.watch_applied(object.gvk()));
    let is_drift = tell(ks, report, memory, &all);
    report.status.inventory = Some(Inventory { entries: new.clone() });
    prune(run, ks, report, &applier.identity, &owner, (&new, &old)).await?;
    Ok(AppliedAll {
        objects: all,
        is_drift,
    })
}

fn prepare(
    run: &Run,
    ks: &Kustomization,
    owner: &Owner,
    rendered: &Rendered,
) -> Result<Vec<StagedObjects>, Failure> {
    let custom_stage_kinds = custom_kinds(&run.cx.config.custom_apply_stage_kinds);
    let policy = Policy {
        common_metadata: ks.spec.common_metadata.clone(),
        custom_stage_kinds,
    };
    let prepared = sluice_plan::prepare(&rendered.build.manifests, owner, &policy);
    prepared.map_err(|error| Failure {
        is_recorded: true,
        ..Failure::of(&error)
    })
}

fn ignore_rules(ks: &Kustomization) -> Result<Option<IgnoreRules>, Failure> {
    if ks.spec.ignore.is_empty() {
        return Ok(None);
    }
    let rules = IgnoreRules::compile(&ks.spec.ignore);
    rules
        .map(Some)
        .map_err(|error| Failure::stall(reason::INVALID_SPEC, error.to_string()))
}

/// `Group/Kind`, comma-separated and repeated; a kind of the core group is written `/Kind` or `Kind`.
fn custom_kinds(given: &[String]) -> Vec<GroupKind> {
    let kinds = given
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|kind| !kind.is_empty());
    kinds
        .map(|kind| {
            let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
            GroupKind {
                group: group.to_owned(),
                kind: kind.to_owned(),
            }
        })
        .collect()
}

/// Reason of the event about an object that others keep changing. Not Flux's, which does not notice.
const FIGHT_REASON: &str = "DriftDamped";

fn tell(ks: &Kustomization, report: &mut Report<'_>, memory: &mut Memory, objects: &[Applied]) -> bool {
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
        if let Some((delay, true)) = memory.corrected(&applied.id, Instant::now()) {
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
                ks.spec.interval
            );
            report.tell_as(Severity::Error, FIGHT_REASON, &message, None);
        }
    }
    !drifted.is_empty()
}

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
    Failure {
        message,
        is_recorded: true,
        ..failure
    }
    .into()
}

async fn prune(
    run: &Run,
    ks: &Kustomization,
    report: &mut Report<'_>,
    identity: &Identity,
    owner: &Owner,
    (new, old): (&[ResourceRef], &[ResourceRef]),
) -> Result<(), Stopped> {
    let stale = sluice_plan::stale(new, old);
    if !ks.spec.prune || stale.is_empty() {
        stale.iter().for_each(|id| run.live().forget(id));
        return Ok(());
    }
    let held = |failure: Failure, report: &mut Report<'_>| {
        // what is not deleted is still owned
        report.status.inventory = Some(Inventory {
            entries: sluice_plan::union(new, old),
        });
        Stopped::from(Failure {
            is_recorded: true,
            ..failure
        })
    };
    let revision = report.revision.clone().unwrap_or_default();
    let annotation = |key: &str| ks.metadata.annotations.as_ref()?.get(key).map(String::as_str);
    let is_guarded = run.cx.config.prune_guard && annotation(meta::PRUNE_GUARD) != Some(meta::DISABLED);
    let guarded = sluice_plan::guard(&stale, old.len(), &revision, annotation(meta::APPROVE_PRUNE));
    if let Err(guarded) = guarded
        && is_guarded
    {
        let failure = Failure::retry(reason::PRUNE_HELD, guarded.to_string());
        return Err(held(failure, report));
    }
    let changes: Vec<Change> = stale
        .iter()
        .map(|id| Change {
            id: id.clone(),
            action: Action::Deleted,
        })
        .collect();
    let audited = Audited {
        inventory: old,
        own_namespace: &run.cx.config.runtime_namespace,
        more_protected: &[],
    };
    if let Some(violation) = sluice_plan::audit(&changes, &audited).first() {
        return Err(held(
            Failure::retry(reason::PRUNE_FAILED, violation.to_string()),
            report,
        ));
    }
    let pruned = sluice_apply::prune(run.cluster(), identity, &stale, owner).await;
    pruned.changes.iter().for_each(|(id, _)| run.live().forget(id));
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
    let Some(message) = pruned.error() else {
        return Ok(());
    };
    // what could not be deleted is tried again, and so must not be forgotten
    let entries = sluice_plan::survivors(new, pruned.failures.iter().map(|(id, _)| id));
    report.status.inventory = Some(Inventory { entries });
    let next = if pruned.is_transient {
        Next::BackOff
    } else {
        Next::Retry
    };
    Err(Failure {
        next,
        is_recorded: true,
        ..Failure::retry(reason::PRUNE_FAILED, message)
    }
    .into())
}
