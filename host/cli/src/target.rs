//! One object that a command waits for, and when it has come to an end (compat: cli, sections 7 and 8).

use crate::changes::{Change, changes};
use crate::kinds::{self, Kind, condition, text};
use crate::subject;
use anyhow::{Result, bail};
use futures::TryStreamExt as _;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher;
use serde_json::Value;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long one more look may take after the time is over.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// One object.
pub(crate) struct Target {
    pub(crate) client: kube::Client,
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Target {
    pub(crate) fn api(&self) -> Api<DynamicObject> {
        subject::objects(&self.client, self.kind, Some(&self.namespace))
    }

    pub(crate) async fn get(&self) -> Result<DynamicObject> {
        let got = self.api().get(&self.name).await;
        got.map_err(|error| self.kind.explain(error))
    }

    /// Watches until `wanted` holds and the object has settled.
    pub(crate) async fn wait(&self, wanted: impl Fn(&DynamicObject) -> bool) -> Result<DynamicObject> {
        let config = watcher::Config::default().fields(&format!("metadata.name={}", self.name));
        let mut changes = pin!(changes(self.api(), config));
        while let Some(Change { object, is_gone }) = changes.try_next().await? {
            if is_gone || object.metadata.deletion_timestamp.is_some() {
                bail!(
                    "{} {}/{} is being deleted",
                    self.kind.kind,
                    self.namespace,
                    self.name
                );
            }
            if wanted(&object) && settled(&object) {
                return Ok(object);
            }
        }
        bail!("the watch ended: is the API server going away?")
    }

    /// Waits until the object is reconciled as it is now, and went well.
    pub(crate) async fn reconciled(&self, deadline: Instant) -> Result<DynamicObject> {
        let wanted =
            |object: &DynamicObject| kinds::is_static(self.kind, object) || is_of_last_change(object);
        let Ok(settled) = timeout_at(deadline, self.wait(wanted)).await else {
            bail!(
                "context deadline exceeded: {}",
                self.why_late(is_of_last_change).await
            );
        };
        let object = settled?;
        match condition(&object, "Stalled") {
            Some(("True", message)) => bail!("{message}"),
            _ => Ok(object),
        }
    }

    /// What is known of an object that was not done in time; `is_answered` tells whether what it says of itself is an answer
    /// to what was asked.
    pub(crate) async fn why_late(&self, is_answered: impl Fn(&DynamicObject) -> bool) -> String {
        let unanswered = "the controller did not answer in time; see its logs, or raise --timeout".to_owned();
        let Ok(Ok(object)) = tokio::time::timeout(LAST_LOOK, self.get()).await else {
            return unanswered;
        };
        match condition(&object, "Ready") {
            Some((status, message)) if status != "True" && is_answered(&object) => {
                format!("{} is not ready: {message}", self.kind.kind)
            }
            _ => unanswered,
        }
    }
}

/// kstatus for custom resources: Current or Failed.
///
/// `flux` goes on waiting on Ready=False without Stalled, since a retry may mend it; so do we.
pub(crate) fn settled(object: &DynamicObject) -> bool {
    let observed = observed_generation(object);
    if observed.is_some() && observed != object.metadata.generation {
        return false;
    }
    let is = |of: &str| condition(object, of).is_some_and(|(status, _)| status == "True");
    if is("Reconciling") {
        return false;
    }
    is("Stalled") || condition(object, "Ready").is_none_or(|(status, _)| status == "True")
}

/// Whether Ready is about the last change of the object: what `create` and `resume` wait for. Kinds whose conditions do not
/// say of which generation they are say it for all of them.
pub(crate) fn is_of_last_change(object: &DynamicObject) -> bool {
    let observed = observed_generation(object).unwrap_or_default();
    let Some(ready) = kinds::condition_of(object, "Ready") else {
        return false;
    };
    let of = ready.get("observedGeneration").and_then(Value::as_i64);
    let of = of.filter(|of| *of != 0).unwrap_or(observed);
    observed >= 1 && Some(of) == object.metadata.generation
}

fn observed_generation(object: &DynamicObject) -> Option<i64> {
    object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64)
}

/// What has come of a reconciliation that went well, in Flux's words.
pub(crate) fn done(kind: Kind, object: &DynamicObject) -> String {
    let said = |pointer: &str| text(object, pointer).unwrap_or_default();
    let ready = || condition(object, "Ready").map(|(_, message)| message.to_owned());
    match kind.kind {
        "Kustomization" => format!("applied revision {}", said("/status/lastAppliedRevision")),
        "HelmRelease" => {
            let released = text(object, "/status/history/0/chartVersion");
            let revision = released.unwrap_or_else(|| said("/status/lastAttemptedRevision"));
            format!("applied revision {revision}")
        }
        "ImageRepository" => {
            let tags = object.data.pointer("/status/lastScanResult/tagCount");
            format!(
                "scan fetched {} tags",
                tags.and_then(Value::as_i64).unwrap_or_default()
            )
        }
        "ImagePolicy" => {
            let part = |before: &str, field: &str| {
                let part = text(object, &format!("/status/latestRef/{field}"));
                part.map_or_else(String::new, |part| format!("{before}{part}"))
            };
            let (name, tag, digest) = (part("", "name"), part(":", "tag"), part("@", "digest"));
            format!("selected ref {name}{tag}{digest}")
        }
        "ImageUpdateAutomation" => ready().unwrap_or_else(|| "automation not yet run".to_owned()),
        "Receiver" | "Alert" | "Provider" => format!("{} reconciliation completed", kind.kind),
        _ if kinds::is_static(kind, object) => ready().unwrap_or_default(),
        _ => format!("fetched revision {}", said("/status/artifact/revision")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_counts_as_settled() {
        let rows = [
            (json!({}), true),
            (json!({"observedGeneration": 1}), false),
            (
                json!({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]}),
                true,
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "False"}]}),
                false,
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]}),
                true,
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "True"}, {"type": "Reconciling", "status": "True"}]}),
                false,
            ),
        ];
        for (status, expected) in rows {
            let value = json!({"metadata": {"generation": 2}, "status": status});
            assert_eq!(settled(&object(value.clone())), expected, "{value}");
        }
    }

    #[test]
    fn what_is_of_the_last_change() {
        let ready = |of: i64| json!([{"type": "Ready", "status": "True", "observedGeneration": of}]);
        for (observed, conditions, expected) in [
            (2, ready(2), true),
            // it was left from before, and says so
            (2, ready(1), false),
            (1, ready(0), false),
            (2, ready(0), true),
            (2, json!([{"type": "Ready", "status": "True"}]), true),
            (2, json!([{"type": "Stalled", "status": "True"}]), false),
            (-1, ready(2), false),
        ] {
            let status = json!({"observedGeneration": observed, "conditions": conditions});
            let value = json!({"metadata": {"generation": 2}, "status": status});
            assert_eq!(is_of_last_change(&object(value.clone())), expected, "{value}");
        }
        assert!(!is_of_last_change(&object(
            json!({"metadata": {"generation": 1}})
        )));
    }

    #[test]
    fn what_has_come_of_it_is_told_as_flux_tells_it() {
        let ready = json!([{"type": "Ready", "status": "True", "message": "fine"}]);
        for (kind, spec, status, expected) in [
            (
                kinds::GIT_REPOSITORY,
                json!({}),
                json!({"artifact": {"revision": "main@sha1:0123"}}),
                "fetched revision main@sha1:0123",
            ),
            (
                kinds::KUSTOMIZATION,
                json!({}),
                json!({"lastAppliedRevision": "main@sha1:0123"}),
                "applied revision main@sha1:0123",
            ),
            (
                kinds::HELM_REPOSITORY,
                json!({"type": "oci"}),
                json!({"conditions": ready}),
                "fine",
            ),
            (kinds::HELM_REPOSITORY, json!({"type": "oci"}), json!({}), ""),
            (
                kinds::HELM_RELEASE,
                json!({}),
                json!({"lastAttemptedRevision": "2", "history": [{"chartVersion": "1"}]}),
                "applied revision 1",
            ),
            (
                kinds::HELM_RELEASE,
                json!({}),
                json!({"lastAttemptedRevision": "2"}),
                "applied revision 2",
            ),
            (
                kinds::IMAGE_REPOSITORY,
                json!({}),
                json!({"lastScanResult": {"tagCount": 7}}),
                "scan fetched 7 tags",
            ),
            (
                kinds::IMAGE_POLICY,
                json!({}),
                json!({"latestRef": {"name": "example.com/a", "tag": "1.0", "digest": "sha256:0"}}),
                "selected ref example.com/a:1.0@sha256:0",
            ),
            (
                kinds::IMAGE_UPDATE_AUTOMATION,
                json!({}),
                json!({"conditions": ready}),
                "fine",
            ),
            (
                kinds::RECEIVER,
                json!({}),
                json!({}),
                "Receiver reconciliation completed",
            ),
        ] {
            let of = object(json!({"metadata": {}, "spec": spec, "status": status}));
            assert_eq!(done(kind, &of), expected);
        }
    }
}
