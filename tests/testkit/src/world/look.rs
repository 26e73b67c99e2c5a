//! What stories look at.

use super::{CM, KS, World};
use serde_json::{Value, json};
use std::time::Duration;

/// Who knows more of what is missing says so before patience ends.
const LOOK_SPARE: Duration = Duration::from_secs(5);

/// Status, reason and message of a condition, empty where it is absent.
pub fn condition(object: &Value, type_: &str) -> (String, String, String) {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions
        .into_iter()
        .flatten()
        .rfind(|condition| condition["type"] == type_);
    let part = |key: &str| {
        found
            .and_then(|condition| condition[key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (part("status"), part("reason"), part("message"))
}

/// `data.key` of a ConfigMap.
pub fn data(object: Option<Value>) -> Option<String> {
    text(&object?, "/data/key")
}

/// A text in an object.
pub fn text(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer)?.as_str().map(str::to_owned)
}

/// The ids in a Kustomization's inventory.
pub fn inventory(ks: &Value) -> Vec<String> {
    let entries = ks.pointer("/status/inventory/entries").and_then(Value::as_array);
    let ids = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["id"].as_str());
    ids.map(str::to_owned).collect()
}

impl World {
    /// A Kustomization.
    ///
    /// # Panics
    /// It is not there.
    pub async fn ks(&self, name: &str) -> Value {
        self.get(KS, name).await.expect("the Kustomization is there")
    }

    /// `data.key` of a ConfigMap, none where it is absent.
    pub async fn value(&self, name: &str) -> Option<String> {
        data(self.get(CM, name).await)
    }

    /// Waits until Ready of a Kustomization says so for `revision`.
    ///
    /// # Panics
    /// It never does; Ready as it was last is told.
    pub async fn ready(&self, name: &str, revision: &str) -> Value {
        let message = format!("Applied revision: main@sha1:{revision}");
        // what users should know beside that follows it
        let is_it = |found: &str| {
            found
                .strip_prefix(&message)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("; "))
        };
        self.reports(name, "True", "ReconciliationSucceeded", is_it).await
    }

    /// Waits until Ready of a Kustomization is false for `reason`; answers with the message.
    ///
    /// # Panics
    /// It never is.
    pub async fn failed(&self, name: &str, reason: &str) -> String {
        let ks = self.reports(name, "False", reason, |_| true).await;
        condition(&ks, "Ready").2
    }

    async fn reports(&self, name: &str, status: &str, reason: &str, message: impl Fn(&str) -> bool) -> Value {
        let mut last = Value::Null;
        let look = async || {
            last = self.get(KS, name).await.unwrap_or_default();
            let ready = condition(&last, "Ready");
            (ready.0 == status && ready.1 == reason && message(&ready.2)).then(|| last.clone())
        };
        let what = format!("{name} is {status} {reason}");
        let tried = tokio::time::timeout(super::PATIENCE - LOOK_SPARE, self.until(&what, look));
        tried.await.unwrap_or_else(|_| {
            panic!(
                "{name} is never {status} {reason}, but {:?}",
                self::condition(&last, "Ready")
            )
        })
    }

    /// Waits until a Kustomization has answered a request by annotation.
    ///
    /// # Panics
    /// It never does.
    pub async fn asked_to_reconcile(&self, name: &str, token: &str) -> Value {
        let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": token } } });
        self.merge("flux", &self.id_of(KS, name), patch, None).await;
        self.until("the request is answered", async || {
            let ks = self.ks(name).await;
            (text(&ks, "/status/lastHandledReconcileAt")? == token).then_some(ks)
        })
        .await
    }

    /// The events of an object, as `reason: message`, each as often as it was told.
    pub async fn events(&self, name: &str) -> Vec<String> {
        let mut events = self.list(("v1", "Event"), "").await.unwrap_or_default();
        events.retain(|event| event.pointer("/involvedObject/name") == Some(&json!(name)));
        events.sort_by_key(|event| {
            event
                .pointer("/metadata/resourceVersion")
                .and_then(|version| version.as_str()?.parse::<u64>().ok())
        });
        let part = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .flat_map(|event| {
                let line = format!("{}: {}", part(event, "reason"), part(event, "message"));
                std::iter::repeat_n(line, event["count"].as_u64().unwrap_or(1) as usize)
            })
            .collect()
    }

    /// Waits for an event of an object that contains `text`; answers with the whole.
    ///
    /// # Panics
    /// There never is one.
    pub async fn told(&self, name: &str, text: &str) -> String {
        let what = format!("an event of {name} with {text:?}");
        self.until(&what, async || {
            self.events(name)
                .await
                .into_iter()
                .find(|event| event.contains(text))
        })
        .await
    }
}
