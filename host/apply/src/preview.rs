//! What applying would do, asked of the API server without changing anything.

use crate::cluster::{Cluster, Identity, Patch, PatchOptions, RequestError};
use crate::error::{ApplyError, Step};
use crate::judge;
use crate::served::find;
use serde_json::Value;
use sluice_api::meta::APPLY_MANAGER;
use sluice_object::{GroupKind, Object, ObjectId};
use sluice_plan::{Action, IgnoreRules, Owner, Takeover, is_protected, is_prunable};
use std::collections::{HashMap, HashSet};

/// What would become of one object, with both sides where something would change.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The object.
    pub id: ObjectId,
    /// Flux's word for it.
    pub action: Action,
    /// How it is; none where it is absent.
    pub live: Option<Value>,
    /// How it would be; none where it would go.
    pub desired: Option<Value>,
}

/// How a preview is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PreviewOptions<'a> {
    /// `spec.force`: objects that cannot be changed in place would be made anew.
    pub is_forced: bool,
    /// `spec.ignore`.
    pub ignore: &'a IgnoreRules,
}

/// Asks about the objects of all stages, in order. The controller's namespace and flags are not known here. What lives in a
/// namespace or is of a kind that would only be made by the same apply counts as created.
///
/// # Errors
/// The first object that the API server would refuse.
pub async fn preview(
    cluster: &dyn Cluster,
    identity: &Identity,
    objects: &[Object],
    options: PreviewOptions<'_>,
) -> Result<Vec<Preview>, ApplyError> {
    let made = Made::of(objects);
    let mut previews = Vec::with_capacity(objects.len());
    for object in objects {
        previews.push(preview_one(cluster, identity, object, options, &made).await?);
    }
    Ok(previews)
}

/// What the objects themselves bring with them.
struct Made {
    namespaces: HashSet<String>,
    kinds: HashMap<GroupKind, bool>,
}

impl Made {
    fn of(objects: &[Object]) -> Self {
        let namespaces = objects.iter().filter(|object| object.gvk().kind == "Namespace");
        Self {
            namespaces: namespaces.map(|object| object.id().name.clone()).collect(),
            kinds: sluice_plan::defined(objects),
        }
    }

    /// Whether a refusal only means that something is not there yet that the same apply makes.
    fn explains(&self, object: &Object, cause: &RequestError) -> bool {
        let id = object.id();
        match cause {
            RequestError::NoMatch { .. } => self.kinds.contains_key(&id.gvk.group_kind()),
            cause if cause.is_not_found() => id
                .namespace
                .as_ref()
                .is_some_and(|namespace| self.namespaces.contains(namespace)),
            _ => false,
        }
    }
}

async fn preview_one(
    cluster: &dyn Cluster,
    identity: &Identity,
    object: &Object,
    options: PreviewOptions<'_>,
    made: &Made,
) -> Result<Preview, ApplyError> {
    let body = Value::Object(object.body().clone());
    let would = |action: Action, live: Option<Value>, desired: Option<Value>| Preview {
        id: object.id().clone(),
        action,
        live,
        desired,
    };
    let live = match cluster.get(identity, object.id()).await {
        Ok(live) => live,
        Err(cause) if made.explains(object, &cause) => return Ok(would(Action::Created, None, Some(body))),
        Err(cause) => return Err(ApplyError::new(object, Step::Look, cause)),
    };
    let is_created_only = sluice_plan::is_created_only(object) && live.is_some();
    if sluice_plan::is_left_alone(object, live.as_ref()) || is_created_only {
        return Ok(would(Action::Skipped, live, None));
    }
    let patch = PatchOptions {
        manager: APPLY_MANAGER,
        is_dry_run: true,
        subresource: None,
        with_owners: true,
    };
    let merged = match cluster
        .patch(identity, object.id(), Patch::Apply(body.clone()), patch)
        .await
    {
        Ok(patched) => patched.object,
        Err(cause) if live.is_none() && made.explains(object, &cause) => body,
        Err(cause) => {
            let is_asked = options.is_forced || sluice_plan::is_force_requested(object, live.as_ref());
            let is_recreated = is_asked && judge::is_immutable(&cause) && !is_protected(object.id(), "");
            return match live {
                Some(live) if is_recreated => Ok(would(Action::Configured, Some(live), Some(body))),
                _ => Err(ApplyError::new(object, Step::DryRun, cause)),
            };
        }
    };
    let is_taken_over = live
        .as_ref()
        .is_some_and(|live| sluice_plan::takeover(object, live, &Takeover::default()).is_some());
    let compared = sluice_plan::compare(object, live.as_ref(), &merged, options.ignore, is_taken_over);
    Ok(would(compared.action, live, Some(merged)))
}

/// What pruning would do to these objects, in its order. The namespace of the controller is not known here.
///
/// # Errors
/// One of them cannot be looked at: its text.
pub async fn preview_prune(
    cluster: &dyn Cluster,
    identity: &Identity,
    stale: &[ObjectId],
    owner: &Owner,
) -> Result<Vec<Preview>, String> {
    let mut previews = Vec::new();
    for id in stale {
        let live = match find(cluster, identity, id).await {
            Ok(Some(live)) => live,
            // gone already: nothing to show
            Ok(None) | Err(RequestError::NoMatch { .. }) => continue,
            Err(cause) => return Err(format!("{id} query failed: {cause}")),
        };
        let action = if is_prunable(&live, owner) && !is_protected(id, "") {
            Action::Deleted
        } else {
            Action::Skipped
        };
        previews.push(Preview {
            id: id.clone(),
            action,
            live: Some(live),
            desired: None,
        });
    }
    Ok(previews)
}
