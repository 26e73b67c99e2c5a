//! Looking at an object, with as few requests as that takes.

use super::Applier;
use crate::cluster::RequestError;
use crate::error::{ApplyError, Step};
use crate::live::{Knowledge, Short, short};
use serde_json::Value;
use sluice_object::Object;
use sluice_plan::Action;

/// An object that was looked at.
pub(super) struct Look<'o> {
    pub(super) object: &'o Object,
    /// Digest of what is desired of it.
    pub(super) desired: Short,
    pub(super) looked: Looked,
}

/// What looking at an object gave.
pub(super) enum Looked {
    /// Nothing is to be done.
    Settled(Action, Option<Value>),
    /// It is as last verified (with this fingerprint), and something else is desired now.
    Known(Short),
    /// It is not there.
    Absent,
    /// It is there like this.
    There(Box<Value>),
    /// Nobody looked: the dry run will tell.
    Unseen,
}

impl<O: Clone + PartialEq + Send + Sync> Applier<'_, O> {
    /// What must be known of an object before deciding.
    pub(super) async fn look<'o>(&self, object: &'o Object) -> Result<Look<'o>, ApplyError> {
        let desired = digest(object);
        let looked = self.look_for(object, desired).await?;
        Ok(Look {
            object,
            desired,
            looked,
        })
    }

    async fn look_for(&self, object: &Object, desired: Short) -> Result<Looked, ApplyError> {
        let id = object.id();
        if sluice_plan::is_left_alone(object, None) {
            return Ok(Looked::Settled(Action::Skipped, None));
        }
        match self.cluster.mapping(&id.gvk).await {
            Ok(mapping) if mapping.is_namespaced && id.namespace.is_none() => {
                let cause = RequestError::NoMatch {
                    kind: id.gvk.kind.clone(),
                    api_version: id.gvk.api_version(),
                };
                return Err(ApplyError {
                    lacks_namespace: true,
                    ..ApplyError::new(object, Step::Look, cause)
                });
            }
            Ok(_) => {}
            Err(cause) => return Err(ApplyError::new(object, Step::Look, cause)),
        }
        if self.held.contains(id) && self.live.last_desired(id) == Some(desired) {
            return Ok(Looked::Settled(Action::Unchanged, None));
        }
        // two want it: who brought something new last has it and looks after it, they do not write in turns
        if let Some((_, before)) = self.live.taken(id, &self.owner)
            && before == desired
            && !self.options.is_insistent
        {
            return Ok(Looked::Settled(Action::Unchanged, None));
        }
        match self.live.knowledge(id) {
            Knowledge::Passed(known) if known.desired == desired && !self.options.is_due => {
                return Ok(Looked::Settled(Action::Unchanged, None));
            }
            Knowledge::Verified(known, _) if known.desired == desired && !self.options.is_full => {
                let action = if known.is_skipped {
                    Action::Skipped
                } else {
                    Action::Unchanged
                };
                return Ok(Looked::Settled(action, None));
            }
            // what is made once, holds fields of others, or may have to move, must be looked at before it is written
            Knowledge::Verified(known, fingerprint)
                if !known.is_skipped
                    && !self.options.is_full
                    && !self.options.takeover.migrates_api_version
                    && self.options.ignore.is_none()
                    && !sluice_plan::is_created_only(object) =>
            {
                return Ok(Looked::Known(fingerprint));
            }
            Knowledge::Unknown | Knowledge::Absent
                if !self.inventory.contains(id)
                    && !self.options.takeover.migrates_api_version
                    && !sluice_plan::is_created_only(object) =>
            {
                return Ok(Looked::Unseen);
            }
            _ => {}
        }
        self.get(object, desired).await
    }

    pub(super) async fn get(&self, object: &Object, desired: Short) -> Result<Looked, ApplyError> {
        let failed = |cause| ApplyError::new(object, Step::Look, cause);
        let Some(live) = self
            .cluster
            .get(&self.identity, object.id())
            .await
            .map_err(failed)?
        else {
            let has_passed = sluice_plan::is_passing(object)
                && !self.options.is_due
                && self.live.last_desired(object.id()) == Some(desired);
            return Ok(match has_passed {
                true => Looked::Settled(Action::Unchanged, None),
                false => Looked::Absent,
            });
        };
        if sluice_plan::is_left_alone(object, Some(&live)) || sluice_plan::is_created_only(object) {
            self.verified(object, desired, true, &live);
            return Ok(Looked::Settled(Action::Skipped, Some(live)));
        }
        Ok(Looked::There(Box::new(live)))
    }
}

/// Digest of the desired state of one object.
fn digest(object: &Object) -> Short {
    // the keys of a body are sorted: equal objects give equal bytes
    let body = serde_json::to_string(object.body()).expect("invariant: a body is JSON");
    short(body.as_bytes())
}
