//! One stage of objects: look, dry-run what will change, then write it in order.

mod look;
mod recreate;

use crate::cluster::{Cluster, Identity, Patch, PatchOptions, Patched, Preconditions, RequestError};
use crate::error::{ApplyError, Step};
use crate::judge;
use crate::live::{Live, Moved, Short, Verified};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use look::{Look, Looked};
use serde_json::Value;
use sluice_api::meta::APPLY_MANAGER;
use sluice_object::{Object, ObjectId};
use sluice_plan::{Action, IgnoreRules, Takeover};
use std::collections::HashSet;

/// How often a write that met a conflict is done again from a fresh look.
const CONFLICT_RETRIES: u32 = 5;

/// How every patch of an applied object is meant.
pub(crate) const APPLYING: PatchOptions<'static> = PatchOptions {
    manager: APPLY_MANAGER,
    is_dry_run: false,
    subresource: None,
    with_owners: true,
};

/// How objects are applied.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests at once (`--concurrent-ssa`).
    pub concurrency: usize,
    /// `spec.force`: objects with immutable changes are deleted and made anew.
    pub is_forced: bool,
    /// Whose fields become ours.
    pub takeover: Takeover,
    /// `spec.ignore`.
    pub ignore: Option<IgnoreRules>,
    /// Whether every object is looked at, although no watch told of a change.
    pub is_full: bool,
    /// Whether what went away by itself when it had done its work is made once more.
    pub is_due: bool,
    /// Whether what another owner has taken over is taken back.
    pub is_insistent: bool,
    /// The namespace this controller runs in, which is never deleted.
    pub own_namespace: String,
}

/// Applies the objects of one owner.
pub struct Applier<'a, O> {
    /// The API server.
    pub cluster: &'a dyn Cluster,
    /// In whose name.
    pub identity: Identity,
    /// What is known of applied objects.
    pub live: &'a Live<O>,
    /// Told what was seen of an object while it was written.
    pub moved: &'a (dyn Fn(Moved<O>) + Send + Sync),
    /// Who owns them.
    pub owner: O,
    /// How.
    pub options: Options,
    /// Those already in the inventory: what is not in it is probably not there yet.
    pub inventory: HashSet<ObjectId>,
    /// Those that somebody keeps changing: they are left as they are until something else is desired.
    pub held: HashSet<ObjectId>,
}

/// What became of one object.
#[derive(Clone, Debug)]
pub struct Applied<O> {
    /// The object.
    pub id: ObjectId,
    /// Flux's word for what became of it.
    pub action: Action,
    /// How it was last seen, where that was asked for.
    pub object: Option<Value>,
    /// Whether somebody else had changed it and it was put back.
    pub is_drift: bool,
    /// Other field managers that it had when it was looked at: one of them changed it.
    pub managers: Vec<String>,
    /// Another owner that applies it too, and had taken it over.
    pub rival: Option<O>,
}

impl<O> Applied<O> {
    /// Nothing was done to the object.
    fn settled(object: &Object, action: Action, live: Option<Value>) -> Self {
        Self {
            id: object.id().clone(),
            action,
            object: live,
            is_drift: false,
            managers: Vec::new(),
            rival: None,
        }
    }
}

/// What is to be written.
struct Write<'o> {
    object: &'o Object,
    /// Digest of what is desired.
    desired: Short,
    body: Value,
    before: Option<Short>,
    takeover: Option<Value>,
    recreate: Option<Preconditions>,
    is_drift: bool,
    managers: Vec<String>,
    /// Whether a dry run went before. A write without one is its own dry run, and fails in the words of one.
    is_tried: bool,
}

enum Verdict<'o, O> {
    Settled(Applied<O>),
    Write(Box<Write<'o>>),
}

impl Write<'_> {
    fn failed(&self, cause: RequestError) -> ApplyError {
        let step = match self.is_tried {
            // a takeover that was done is no longer asked for
            _ if self.takeover.is_some() => Step::TakeOver,
            true => Step::Apply,
            false => Step::DryRun,
        };
        ApplyError::new(self.object, step, cause)
    }
}

impl<O: Clone + PartialEq + Send + Sync> Applier<'_, O> {
    /// Brings all objects of a stage to their desired state. Where two or more change, all of them are dry-run before
    /// the first is written, so that one bad object does not leave half a stage. Answers in the order of `objects`.
    ///
    /// # Errors
    /// The first object that failed. Objects before it may have been written.
    pub async fn apply_stage(&self, objects: &[Object]) -> Result<Vec<Applied<O>>, ApplyError> {
        let rivals = objects
            .iter()
            .map(|object| Some(self.live.taken(object.id(), &self.owner)?.0));
        let rivals: Vec<Option<O>> = rivals.collect();
        let looks: Vec<BoxFuture<'_, _>> = objects.iter().map(|object| self.look(object).boxed()).collect();
        let looked: Vec<Look<'_>> = stream::iter(looks)
            .buffered(self.options.concurrency)
            .try_collect()
            .await?;
        let candidates = looked
            .iter()
            .filter(|look| !matches!(look.looked, Looked::Settled(..)))
            .count();
        let is_dry_run = candidates >= 2 || (candidates == 1 && self.options.ignore.is_some());
        let verdicts = looked
            .into_iter()
            .map(|look| self.decide(look, is_dry_run).boxed());
        let verdicts: Vec<BoxFuture<'_, _>> = verdicts.collect();
        let verdicts: Vec<Verdict<'_, O>> = stream::iter(verdicts)
            .buffered(self.options.concurrency)
            .try_collect()
            .await?;
        let mut applied = self.write(verdicts).await?;
        applied
            .iter_mut()
            .zip(rivals)
            .for_each(|(applied, rival)| applied.rival = rival);
        Ok(applied)
    }

    /// What is to be done to an object. It is looked at again where more must be known of it, and where somebody wrote it
    /// at the same time.
    async fn decide<'o>(&self, look: Look<'o>, is_dry_run: bool) -> Result<Verdict<'o, O>, ApplyError> {
        let Look {
            object,
            desired,
            mut looked,
        } = look;
        let is_drift = self.live.last_desired(object.id()) == Some(desired);
        let write_over = |before: Option<Short>| Write {
            object,
            desired,
            body: Value::Object(object.body().clone()),
            before,
            takeover: None,
            recreate: None,
            is_drift,
            managers: Vec::new(),
            is_tried: is_dry_run,
        };
        let mut conflicts = 0;
        loop {
            match looked {
                Looked::Settled(action, live) => {
                    return Ok(Verdict::Settled(Applied::settled(object, action, live)));
                }
                Looked::Unseen | Looked::Absent | Looked::Known(_) => {
                    let before = match looked {
                        Looked::Known(before) => Some(before),
                        _ => None,
                    };
                    let write = write_over(before);
                    if self.is_ready(&write, &looked).await? {
                        return Ok(Verdict::Write(Box::new(write)));
                    }
                }
                Looked::There(live) => {
                    let before = judge::fingerprint_of(&live);
                    match self.migrate(object, *live).await {
                        // somebody wrote at the same time
                        Err(error) if error.cause.code() == 409 && conflicts < CONFLICT_RETRIES => {
                            conflicts += 1;
                        }
                        migrated => return self.compare(write_over(Some(before)), migrated?).await,
                    }
                }
            }
            looked = self.get(object, desired).await?;
        }
    }

    /// Whether an object that was not read, or is absent, can be written as it is desired. A dry run, where there is one,
    /// tells what reading would have told; false where it must be read all the same.
    async fn is_ready(&self, write: &Write<'_>, looked: &Looked) -> Result<bool, ApplyError> {
        let object = write.object;
        let is_unseen = matches!(looked, Looked::Unseen);
        if !write.is_tried {
            return Ok(!is_unseen);
        }
        match self.dry_run(object, &write.body).await {
            // with a version it is there, although nobody owned it
            Ok(answer) => Ok(!is_unseen || answer.pointer("/metadata/resourceVersion").is_none()),
            Err(cause) if !matches!(looked, Looked::Absent) && self.is_recreated(object, None, &cause) => {
                Ok(false)
            }
            Err(cause) => Err(self.refused(object, None, cause)),
        }
    }

    /// Moves the entries of all managers to the desired version, where that is asked for. As in Flux before the dry run,
    /// which needs it. Answers with the object as it is then, and whether that is another.
    async fn migrate(&self, object: &Object, live: Value) -> Result<(Value, bool), ApplyError> {
        let Some(patch) = sluice_plan::migration(object, &live, &self.options.takeover) else {
            return Ok((live, false));
        };
        let _writing = self.live.writing(object.id(), &self.owner, self.moved);
        let patched = self
            .cluster
            .patch(&self.identity, object.id(), Patch::Json(patch), APPLYING)
            .await;
        let patched = patched.map_err(|cause| ApplyError::new(object, Step::Migrate, cause))?;
        Ok((patched.object, true))
    }

    /// The object is there: does it differ from what is desired?
    async fn compare<'o>(
        &self,
        mut write: Write<'o>,
        (live, is_migrated): (Value, bool),
    ) -> Result<Verdict<'o, O>, ApplyError> {
        let object = write.object;
        write.takeover = sluice_plan::takeover(object, &live, &self.options.takeover);
        write.managers = other_managers(&live);
        if write.is_tried {
            match self.dry_run(object, &write.body).await {
                Ok(answer) => {
                    let none = IgnoreRules::default();
                    let ignore = self.options.ignore.as_ref().unwrap_or(&none);
                    let is_patched = is_migrated || write.takeover.is_some();
                    let compared = sluice_plan::compare(object, Some(&live), &answer, ignore, is_patched);
                    if compared.action == Action::Unchanged {
                        self.verified(object, write.desired, false, &live);
                        let settled = Applied::settled(object, Action::Unchanged, Some(live));
                        return Ok(Verdict::Settled(settled));
                    }
                    if let Some(body) = compared.body {
                        write.body = body;
                    }
                }
                Err(cause) if self.is_recreated(object, Some(&live), &cause) => {
                    write.recreate = Some(only(&live));
                }
                Err(cause) => return Err(self.refused(object, Some(&live), cause)),
            }
        }
        Ok(Verdict::Write(Box::new(write)))
    }

    /// Writes in order; objects of one kind that follow each other are written side by side.
    async fn write(&self, verdicts: Vec<Verdict<'_, O>>) -> Result<Vec<Applied<O>>, ApplyError> {
        let mut applied = Vec::with_capacity(verdicts.len());
        let mut verdicts = verdicts.into_iter().peekable();
        while let Some(first) = verdicts.next() {
            let mut group = vec![first];
            while let Some(next) = verdicts.next_if(|next| kind(next) == kind_of(&group)) {
                group.push(next);
            }
            let writes: Vec<BoxFuture<'_, _>> = group
                .into_iter()
                .map(|verdict| self.carry_out(verdict).boxed())
                .collect();
            let written: Vec<Applied<O>> = stream::iter(writes)
                .buffered(self.options.concurrency)
                .try_collect()
                .await?;
            applied.extend(written);
        }
        Ok(applied)
    }

    async fn carry_out(&self, verdict: Verdict<'_, O>) -> Result<Applied<O>, ApplyError> {
        let mut write = match verdict {
            Verdict::Settled(applied) => return Ok(applied),
            Verdict::Write(write) => *write,
        };
        let object = write.object;
        let _writing = self.live.writing(object.id(), &self.owner, self.moved);
        let mut conflicts = 0;
        loop {
            if let Some(preconditions) = write.recreate.take() {
                self.remove(object, preconditions)
                    .await
                    .map_err(|(step, cause)| ApplyError::new(object, step, cause))?;
                write.before = None;
            }
            let cause = match self.take_over_and_apply(&mut write).await {
                Ok(patched) => return Ok(self.written(&write, patched)),
                Err(cause) => cause,
            };
            // somebody wrote at the same time: look again, so that nothing of his is undone by accident
            let is_conflict = cause.code() == 409 && cause.reason() == "Conflict";
            if !is_conflict && !judge::is_immutable(&cause) {
                return Err(write.failed(cause));
            }
            let live = self.cluster.get(&self.identity, object.id()).await;
            let live = live.map_err(|cause| ApplyError::new(object, Step::Look, cause))?;
            conflicts += 1;
            let is_spared = self.is_spared(object, live.as_ref(), &cause);
            match live {
                Some(live) if is_conflict && conflicts <= CONFLICT_RETRIES => {
                    write.takeover = sluice_plan::takeover(object, &live, &self.options.takeover);
                    write.before = Some(judge::fingerprint_of(&live));
                }
                Some(live)
                    if conflicts <= CONFLICT_RETRIES && self.is_recreated(object, Some(&live), &cause) =>
                {
                    write.recreate = Some(only(&live));
                }
                None if is_conflict && conflicts <= CONFLICT_RETRIES => write.takeover = None,
                _ => {
                    return Err(ApplyError {
                        is_spared,
                        ..write.failed(cause)
                    });
                }
            }
        }
    }

    async fn take_over_and_apply(&self, write: &mut Write<'_>) -> Result<Patched, RequestError> {
        let id = write.object.id();
        if let Some(patch) = write.takeover.clone() {
            self.cluster
                .patch(&self.identity, id, Patch::Json(patch), APPLYING)
                .await?;
            write.takeover = None;
        }
        self.cluster
            .patch(&self.identity, id, Patch::Apply(write.body.clone()), APPLYING)
            .await
    }

    fn written(&self, write: &Write<'_>, patched: Patched) -> Applied<O> {
        let after = self.verified(write.object, write.desired, false, &patched.object);
        let action = match write.before {
            _ if patched.is_created => Action::Created,
            Some(before) if before == after => Action::Unchanged,
            _ => Action::Configured,
        };
        let is_drift = write.is_drift && action != Action::Unchanged;
        Applied {
            id: write.object.id().clone(),
            action,
            object: Some(patched.object),
            is_drift,
            managers: write.managers.clone(),
            rival: None,
        }
    }

    async fn dry_run(&self, object: &Object, body: &Value) -> Result<Value, RequestError> {
        let options = PatchOptions {
            is_dry_run: true,
            ..APPLYING
        };
        let answer = self
            .cluster
            .patch(&self.identity, object.id(), Patch::Apply(body.clone()), options)
            .await?;
        Ok(answer.object)
    }

    fn verified(&self, object: &Object, desired: Short, is_skipped: bool, live: &Value) -> Short {
        let seen = judge::seen(live, &self.options.takeover.override_managers);
        let verified = Verified {
            desired,
            is_skipped,
            is_passing: sluice_plan::is_passing(object),
        };
        self.live.verified(object.id(), &self.owner, verified, seen);
        seen.fingerprint
    }
}

/// Who else owns fields of an object, its status aside.
fn other_managers(live: &Value) -> Vec<String> {
    let entries = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let entries = entries.filter(|entry| entry.get("subresource").and_then(Value::as_str) != Some("status"));
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.get("manager")?.as_str()?.to_owned()))
        .collect();
    names.retain(|name| name != APPLY_MANAGER);
    names.sort_unstable();
    names.dedup();
    names
}

fn only(live: &Value) -> Preconditions {
    Preconditions {
        uid: live
            .pointer("/metadata/uid")
            .and_then(Value::as_str)
            .map(str::to_owned),
    }
}

fn kind<'v, O>(verdict: &'v Verdict<'_, O>) -> &'v str {
    match verdict {
        Verdict::Settled(applied) => &applied.id.gvk.kind,
        Verdict::Write(write) => &write.object.id().gvk.kind,
    }
}

fn kind_of<'v, O>(group: &'v [Verdict<'_, O>]) -> &'v str {
    group.first().map_or("", kind)
}
