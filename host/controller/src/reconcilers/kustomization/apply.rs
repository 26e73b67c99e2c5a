//! From objects to the cluster: stages, inventory, prune.

use super::inventory;
use super::memory::Memory;
use super::render::Rendered;
use super::report::Report;
use super::stages::stages;
use super::{gate, health};
use crate::error_policy::{Failure, Stopped};
use crate::runtime::Run;
use sluice_api::kustomize::{Inventory, ResourceRef};
use sluice_api::{Kustomization, Next, reason};
use sluice_apply::{Applied, Applier, Options, Word};
use sluice_event::Severity;
use sluice_event::events::{DriftCorrected, FieldFightDamped, ObjectVerified, ObjectsApplied, ObjectsPruned};
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
    let stages = stages(run, ks, &rendered.objects)?;
    let new: Vec<ResourceRef> = stages
        .iter()
        .flatten()
        .map(|object| inventory::entry(object.id()))
        .collect();
    let old: Vec<ResourceRef> = ks.inventory().to_vec();
    let union = inventory::union(&new, &old);
    if union.len() > old.len() {
        report.progressing(&format!(
            "Detecting drift for revision {}",
            report.revision.clone().unwrap_or_default()
        ));
        report.status.inventory = Some(Inventory { entries: union });
        report.write_now().await?;
    }
    for object in stages.iter().flatten() {
        run.cx.watch_applied(object.gvk());
    }
    let applier = Applier {
        cluster: &*run.cx.cluster,
        identity: gate::identity(ks, &run.cx.config),
        live: &run.cx.live,
        owner: Arc::new(run.key.clone()),
        options: Options {
            concurrency: run.cx.config.concurrent_ssa.max(1),
            is_forced: ks.spec.force,
            override_managers: run.cx.config.override_managers.clone(),
            is_full,
        },
        inventory: inventory::ids(&old).into_iter().collect(),
    };
    let mut objects = Vec::with_capacity(new.len());
    for (number, stage) in stages.iter().enumerate() {
        let applied = applier
            .apply_stage(stage)
            .await
            .map_err(|error| not_applied(&error, &objects))?;
        if number < WAITED_STAGES {
            health::settle_stage(run, &applier.identity, &applied).await?;
        }
        objects.extend(applied);
        if run.is_superseded() && number + 1 < stages.len() {
            return Err(Stopped::Superseded);
        }
    }
    // kinds that a stage before defined could not be watched until now
    for object in stages.iter().flatten() {
        run.cx.watch_applied(object.gvk());
    }
    let is_drift = tell(ks, report, memory, &objects);
    report.status.inventory = Some(Inventory { entries: new.clone() });
    prune(run, ks, report, &applier.identity, &new, &old).await?;
    Ok(AppliedAll { objects, is_drift })
}

/// Definitions and classes are waited for; what follows may need them.
const WAITED_STAGES: usize = 2;

fn tell(ks: &Kustomization, report: &mut Report<'_>, memory: &mut Memory, objects: &[Applied]) -> bool {
    let changes: Vec<(String, &'static str)> = objects
        .iter()
        .map(|applied| (applied.id.to_string(), applied.word.as_str()))
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
        // Flux tells of changes while Ready is unknown, and its readers filter by that reason
        let known = report.status.conditions.clone();
        report.progressing(&format!(
            "Running health checks for revision {}",
            report.revision.clone().unwrap_or_default()
        ));
        report.tell(Severity::Info, &lines.join("\n"));
        report.status.conditions = known;
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
            report.tell(Severity::Error, &message);
        }
    }
    !drifted.is_empty()
}

/// Field managers of an object other than ours.
fn managers(applied: &Applied) -> String {
    let entries = applied
        .object
        .as_ref()
        .and_then(|object| object.pointer("/metadata/managedFields")?.as_array());
    let names = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.get("subresource").is_none());
    let mut names: Vec<&str> = names.filter_map(|entry| entry.get("manager")?.as_str()).collect();
    names.retain(|name| *name != sluice_api::meta::APPLY_MANAGER);
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        "another writer".to_owned()
    } else {
        names.join(", ")
    }
}

/// `Kind/namespace/name word` of what changed.
fn lines(objects: &[Applied]) -> Vec<String> {
    let changed = objects
        .iter()
        .filter(|applied| matches!(applied.word, Word::Created | Word::Configured | Word::Deleted));
    changed
        .map(|applied| format!("{} {}", applied.id, applied.word.as_str()))
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
    identity: &sluice_apply::cluster::Identity,
    new: &[ResourceRef],
    old: &[ResourceRef],
) -> Result<(), Stopped> {
    let stale = inventory::ids(&inventory::stale(new, old));
    stale.iter().for_each(|id| run.cx.live.forget(id));
    if !ks.spec.prune || stale.is_empty() {
        return Ok(());
    }
    let owner = (&*run.key.name, &*run.key.namespace);
    let pruned = sluice_apply::prune(&*run.cx.cluster, identity, &stale, owner).await;
    if !pruned.changes.is_empty() {
        let changes: Vec<(String, &'static str)> = pruned
            .changes
            .iter()
            .map(|(id, word)| (id.to_string(), word.as_str()))
            .collect();
        ObjectsPruned { changes: &changes }.emit();
        let lines: Vec<String> = changes
            .iter()
            .map(|(subject, word)| format!("{subject} {word}"))
            .collect();
        let known = report.status.conditions.clone();
        report.progressing(&format!(
            "Running health checks for revision {}",
            report.revision.clone().unwrap_or_default()
        ));
        report.tell(Severity::Info, &lines.join("\n"));
        report.status.conditions = known;
    }
    let Some(message) = pruned.error() else {
        return Ok(());
    };
    // what could not be deleted is tried again, and so must not be forgotten
    let survivors = pruned.failures.iter().map(|(id, _)| inventory::entry(id));
    let entries = new.iter().cloned().chain(survivors).collect();
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
