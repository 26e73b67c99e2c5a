//! The end of a Kustomization: its objects go or stay as `deletionPolicy` says, then its finalizer (compat/kustomize.md 7.4).

use super::apply::{forget, owner};
use super::memory::Memory;
use super::remote::{self, Unattached};
use super::report::Report;
use super::{KustomizationReconciler, gate};
use crate::runtime::{KUSTOMIZATION, Park, Run, has_finalizer};
use serde_json::Value;
use sluice_api::Kustomization;
use sluice_api::kustomize::DeletionPolicy;
use sluice_apply::cluster::{Identity, RequestError};
use sluice_apply::{Pruned, Pruning};
use sluice_event::Severity;
use sluice_object::{GroupVersionKind, ObjectId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often is looked whether deleted objects are gone.
const TERMINATION_POLL: Duration = Duration::from_secs(2);
/// How long the rights of a tenant's account may be missing before its objects are left behind: a deletion that waits for
/// an account blocks its namespace for ever (field/pains.md P16).
const RIGHTS_GRACE: Duration = Duration::from_secs(60);

impl KustomizationReconciler {
    pub(super) async fn finalize(
        &self,
        run: &Run,
        object: &Arc<Value>,
        ks: &Kustomization,
        memory: &mut Memory,
    ) -> Park {
        if !has_finalizer(object) {
            return Park::For(None);
        }
        let mut report = Report::new(run, object.clone(), ks);
        report.revision.clone_from(&report.status.last_applied_revision);
        report
            .origin_revision
            .clone_from(&report.status.last_applied_origin_revision);
        let owned = sluice_plan::stale(&[], ks.inventory());
        if ks.spec.deletes_inventory() && !ks.spec.suspend && !owned.is_empty() {
            match self.delete_owned(run, ks, &report, &owned, memory).await {
                Deleted::Done => {}
                Deleted::Later(park) => return park,
            }
        }
        let removed = run.cx.set_finalizer(&KUSTOMIZATION, &run.key, object, false);
        match removed.await {
            Ok(_) => Park::For(None),
            Err(park) => park,
        }
    }

    /// Deletes what `ks` owns, as far as anybody may.
    async fn delete_owned(
        &self,
        run: &Run,
        ks: &Kustomization,
        report: &Report<'_>,
        owned: &[ObjectId],
        memory: &mut Memory,
    ) -> Deleted {
        let elsewhere = match remote::attach(run, ks, self.clouds.as_ref(), memory).await {
            Ok(elsewhere) => elsewhere,
            Err(Unattached::Missing(_)) => return left_behind(report, owned.iter()),
            Err(Unattached::Failed(failure)) => {
                report.tell(Severity::Error, &failure.message);
                return Deleted::Later(Park::Backoff { at_most: None });
            }
        };
        let run = elsewhere.as_ref().unwrap_or(run);
        let identity = gate::identity(ks, &run.cx.config);
        match is_orphaned(run, &identity).await {
            Ok(false) => {}
            Ok(true) => return left_behind(report, owned.iter()),
            // nothing is deleted, and nothing given up, on what is not known
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "whether the account that applied the objects is there is not known, trying again");
                return Deleted::Later(Park::Backoff { at_most: None });
            }
            // whether the account is there may not be asked: it shows when its rights are used
            Err(_) => {}
        }
        let pruned = prune(run, &identity, owned).await;
        let is_tenant = matches!(identity, Identity::AsTenant { .. });
        if is_tenant && pruned.forbidden > 0 && pruned.forbidden == pruned.failures.len() {
            // the tenant's rights went before the tenant's objects: they do not come back by waiting
            if memory.ending_since.get_or_insert_with(Instant::now).elapsed() < RIGHTS_GRACE {
                return Deleted::Later(Park::For(Some(TERMINATION_POLL)));
            }
            return left_behind(report, pruned.failures.iter().map(|(id, _)| id));
        }
        if let Some(error) = pruned.error() {
            tracing::error!(error, "pruning for deleted resource failed");
            report.tell(Severity::Error, "pruning for deleted resource failed");
            return Deleted::Later(Park::Backoff { at_most: None });
        }
        // told once, however often the finalizer is tried to be removed
        if memory.ending_since.is_none() {
            tell(report, &pruned);
        }
        owned.iter().for_each(|id| forget(run, id));
        let since = *memory.ending_since.get_or_insert_with(Instant::now);
        let is_awaited = ks.spec.deletion_policy == Some(DeletionPolicy::WaitForTermination);
        if is_awaited && !are_gone(run, &identity, owned).await {
            if since.elapsed() < ks.spec.timeout() {
                return Deleted::Later(Park::For(Some(TERMINATION_POLL)));
            }
            report.tell(Severity::Error, "failed to wait for resources termination");
        }
        Deleted::Done
    }
}

/// Whether the account that applied the objects is gone: then nobody may delete them, and they stay.
async fn is_orphaned(run: &Run, identity: &Identity) -> Result<bool, RequestError> {
    let Identity::AsTenant {
        namespace,
        service_account,
    } = identity
    else {
        return Ok(false);
    };
    let id = ObjectId {
        gvk: GroupVersionKind::new("v1", "ServiceAccount"),
        namespace: Some(namespace.clone()),
        name: service_account.clone(),
    };
    Ok(run.cluster().get(&Identity::AsController, &id).await?.is_none())
}

async fn prune(run: &Run, identity: &Identity, owned: &[ObjectId]) -> Pruned {
    let pruning = Pruning {
        cluster: run.cluster(),
        identity,
        owner: &owner(run),
        wanted: &[],
        own_namespace: &run.cx.config.runtime_namespace,
    };
    sluice_apply::prune(pruning, owned).await
}

/// What was deleted, and what stays although it could be.
fn tell(report: &Report<'_>, pruned: &Pruned) {
    let lines: Vec<String> = pruned
        .changes
        .iter()
        .map(|(id, word)| format!("{id} {}", word.as_str()))
        .collect();
    if !lines.is_empty() {
        report.tell(Severity::Info, &lines.join("\n"));
    }
    if !pruned.protected.is_empty() {
        let names: Vec<String> = pruned.protected.iter().map(ToString::to_string).collect();
        report.tell(
            Severity::Error,
            &format!("left behind, protected: {}", names.join(", ")),
        );
    }
}

async fn are_gone(run: &Run, identity: &Identity, owned: &[ObjectId]) -> bool {
    for id in owned {
        match sluice_apply::find(run.cluster(), identity, id).await {
            Ok(None) => {}
            Err(error) if error.is_not_found() => {}
            // what asks to stay, or belongs to another by now, is not waited for
            Ok(Some(live)) if live.pointer("/metadata/deletionTimestamp").is_none() => {}
            _ => return false,
        }
    }
    true
}

/// The end, where nobody may delete these objects: says that they stay.
fn left_behind<'i>(report: &Report<'_>, objects: impl Iterator<Item = &'i ObjectId>) -> Deleted {
    let list: Vec<String> = objects.map(ToString::to_string).collect();
    report.tell(
        Severity::Error,
        &format!("unable to prune objects: \n{}", list.join("\n")),
    );
    Deleted::Done
}

enum Deleted {
    Done,
    Later(Park),
}
