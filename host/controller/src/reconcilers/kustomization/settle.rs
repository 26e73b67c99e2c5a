//! Between stages: definitions and classes are ready before what needs them is applied.

use super::apply::Applied;
use super::health::{LOOK_AGAIN, Seen, found_healthy, is_known_healthy, look};
use super::report::now;
use crate::error_policy::{Failure, Stopped};
use crate::runtime::Run;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use sluice_api::reason;
use sluice_apply::cluster::{Identity, RequestError};
use sluice_health::{Checks, Looked, Verdict, verdict};
use sluice_object::{GroupVersionKind, Object, ObjectId};
use sluice_plan::StagedObjects;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long definitions and classes may take to be ready before what needs them is applied.
const STAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a worker stays with a stage: definitions are established within this, or something is wrong with them.
const STAGE_GRACE: Duration = Duration::from_secs(1);
/// How long an established definition may take to be served.
const SERVED_TIMEOUT: Duration = Duration::from_secs(10);
/// How often is looked whether a kind is served: nobody tells.
const SERVED_POLL: Duration = Duration::from_millis(500);

/// After a stage of definitions or classes, which what follows needs. They are ready within moments, and so long this
/// holds a worker; then the reconcile is parked and comes back when one of them moves. `since`: when it was parked first.
/// Ready they are by the user's expressions too, as in Flux.
pub(super) async fn stage(
    run: &Run,
    identity: &Identity,
    checks: &Checks,
    stages: &[StagedObjects],
    number: usize,
    since: Option<Instant>,
    applied: &[Applied],
) -> Result<(), Stopped> {
    let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
    let grace = if since.is_none() {
        STAGE_GRACE
    } else {
        Duration::ZERO
    };
    let until = Instant::now() + grace;
    let looks = applied
        .iter()
        .filter(|applied| !is_known_healthy(run, checks, &applied.id))
        .map(|applied| settled(run, identity, checks, applied, until).boxed());
    let looks: Vec<BoxFuture<'_, _>> = looks.collect();
    let looked: Vec<Option<Looked<ObjectId>>> = stream::iter(looks)
        .buffered(run.cx.config.concurrent_ssa.max(1))
        .try_collect()
        .await?;
    let late: Vec<Looked<ObjectId>> = looked.into_iter().flatten().collect();
    // what is not served in time fails by itself, with the name of its kind
    let is_served = waited >= SERVED_TIMEOUT || are_served(run, stages, number, until).await;
    match verdict(&late, false, waited >= STAGE_TIMEOUT) {
        Verdict::Passed if is_served => Ok(()),
        Verdict::Passed => Err(Stopped::Unsettled(number, SERVED_POLL)),
        Verdict::Waiting => {
            let left = STAGE_TIMEOUT.saturating_sub(waited);
            Err(Stopped::Unsettled(number, left.min(LOOK_AGAIN)))
        }
        Verdict::Failed(message) => {
            run.await_health(late.iter().map(|looked| &looked.id), false);
            Err(Failure::retry(reason::RECONCILIATION_FAILED, message)
                .recorded()
                .into())
        }
    }
}

/// How an object is that is not ready by `until`; none where it is ready.
async fn settled(
    run: &Run,
    identity: &Identity,
    checks: &Checks,
    applied: &Applied,
    until: Instant,
) -> Result<Option<Looked<ObjectId>>, Stopped> {
    let id = &applied.id;
    let answer = applied.object.as_ref();
    if let Some(object) = answer.filter(|object| checks.assess(object, now()).is_current()) {
        found_healthy(run, checks, id, object);
        return Ok(None);
    }
    run.await_health([id], true);
    loop {
        let Seen { looked, object } = look(run, identity, checks, id.clone()).await;
        if looked.health.is_current() {
            return Ok(None);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Some(looked));
        }
        if run.is_superseded() {
            return Err(Stopped::Superseded);
        }
        let version = object
            .as_ref()
            .and_then(|object| object.pointer("/metadata/resourceVersion")?.as_str());
        run.cluster().changed(identity, id, version, left).await;
    }
}

/// An established definition is served a moment later: whether by `until` all kinds of later stages are served that this
/// stage defines.
async fn are_served(run: &Run, stages: &[StagedObjects], number: usize, until: Instant) -> bool {
    let objects = stages.get(number).into_iter().flat_map(|staged| &staged.objects);
    let defined = sluice_plan::defined(objects);
    let to_come = stages
        .iter()
        .skip(number + 1)
        .flat_map(|staged| &staged.objects)
        .map(Object::gvk);
    let to_come: BTreeSet<&GroupVersionKind> = to_come
        .filter(|gvk| defined.contains_key(&gvk.group_kind()))
        .collect();
    for gvk in to_come {
        while matches!(
            run.cluster().mapping(gvk).await,
            Err(RequestError::NoMatch { .. })
        ) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            tokio::time::sleep(left.min(Duration::from_millis(100))).await;
        }
    }
    true
}
