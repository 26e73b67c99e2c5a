//! Making anew what cannot be changed in place, where somebody asks for that and nothing forbids it.

use super::Applier;
use crate::cluster::{Preconditions, RequestError};
use crate::error::{ApplyError, Step};
use crate::judge;
use serde_json::Value;
use sluice_object::Object;
use std::time::Duration;

/// How long a deleted object may take to go before it is made anew.
const RECREATE_TIMEOUT: Duration = Duration::from_secs(60);

impl<O: Clone + PartialEq + Send + Sync> Applier<'_, O> {
    /// Deletes an object and waits until it is gone.
    pub(super) async fn remove(
        &self,
        object: &Object,
        only: Preconditions,
    ) -> Result<(), (Step, RequestError)> {
        let id = object.id();
        let deleted = self.cluster.delete(&self.identity, id, only.clone()).await;
        deleted.map_err(|cause| (Step::Delete, cause))?;
        let gone = async {
            while let Some(live) = self.cluster.get(&self.identity, id).await? {
                if live.pointer("/metadata/uid").and_then(Value::as_str) != only.uid.as_deref() {
                    break;
                }
                let version = live
                    .pointer("/metadata/resourceVersion")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                self.cluster
                    .changed(&self.identity, id, version.as_deref(), Duration::from_secs(10))
                    .await;
            }
            Ok(())
        };
        let gone = tokio::time::timeout(RECREATE_TIMEOUT, gone).await;
        gone.unwrap_or_else(|_| {
            Err(RequestError::Transport(format!(
                "the object was not gone after {RECREATE_TIMEOUT:?}; look at its finalizers"
            )))
        })
        .map_err(|cause| (Step::Vanish, cause))
    }

    pub(super) fn is_recreated(&self, object: &Object, live: Option<&Value>, cause: &RequestError) -> bool {
        judge::is_immutable(cause) && self.is_force_asked(object, live) && !self.is_protected(object)
    }

    fn is_force_asked(&self, object: &Object, live: Option<&Value>) -> bool {
        self.options.is_forced || sluice_plan::is_force_requested(object, live)
    }

    fn is_protected(&self, object: &Object) -> bool {
        sluice_plan::is_protected(object.id(), &self.options.own_namespace)
    }

    /// Whether a refused object would have been made anew, or its owner told to ask for that, were it not protected.
    pub(super) fn is_spared(&self, object: &Object, live: Option<&Value>, cause: &RequestError) -> bool {
        let is_asked = self.is_force_asked(object, live) || cause.to_string().contains("immutable");
        judge::is_immutable(cause) && is_asked && self.is_protected(object)
    }

    pub(super) fn refused(&self, object: &Object, live: Option<&Value>, cause: RequestError) -> ApplyError {
        ApplyError {
            is_spared: self.is_spared(object, live, &cause),
            ..ApplyError::new(object, Step::DryRun, cause)
        }
    }
}
