//! What users are told about an object: one value, two forms (core/v1 Event and Flux's notification JSON).

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Longest event message in bytes, as Flux's notification-controller takes it (compat/kustomize.md section 11).
pub const EVENT_MESSAGE_BYTES_MAX: usize = 39_000;

/// Longest note in bytes that the API server accepts in a core/v1 Event.
const CORE_MESSAGE_BYTES_MAX: usize = 1024;

/// Prefix of the annotations of an object that are copied into its events.
const METADATA_PREFIX: &str = "event.toolkit.fluxcd.io/";

/// How much an event matters. `Trace` is recorded in the cluster only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For the record, never sent to the notification-controller.
    Trace,
    /// Something happened as intended.
    Info,
    /// Somebody should look.
    Error,
}

impl Severity {
    /// Flux's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Info => "info",
            Self::Error => "error",
        }
    }
}

/// The object an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `group/version`.
    pub api_version: String,
    /// Kind, CamelCase.
    pub kind: String,
    /// Namespace; events about cluster-scoped objects go to `default`.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID as the API server gave it.
    pub uid: String,
    /// Resource version that was reconciled.
    pub resource_version: String,
    /// Annotations; those with Flux's event prefix are copied into the metadata.
    pub annotations: BTreeMap<String, String>,
}

/// Something a user should see, about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// What it is about.
    pub subject: Subject,
    /// How much it matters.
    pub severity: Severity,
    /// A CamelCase reason, from a bounded set.
    pub reason: String,
    /// The text, sentences.
    pub message: String,
    /// Flux's metadata, keys with the API group as prefix (`kustomize.toolkit.fluxcd.io/revision`).
    pub metadata: BTreeMap<String, String>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The controller's name, `kustomize-controller`.
    pub controller: &'static str,
    /// The host name of this process.
    pub instance: Arc<str>,
}

impl ObjectEvent {
    /// The metadata with the subject's event annotations added; the controller's own keys win.
    fn full_metadata(&self) -> BTreeMap<&str, &str> {
        let copied = self
            .subject
            .annotations
            .iter()
            .filter(|(key, _)| key.starts_with(METADATA_PREFIX));
        copied
            .chain(&self.metadata)
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    /// The core/v1 Event: metadata become annotations, severity error becomes `Warning`.
    pub fn core_v1(&self) -> Value {
        let at = rfc3339(self.timestamp);
        let namespace = if self.subject.namespace.is_empty() {
            "default"
        } else {
            self.subject.namespace.as_str()
        };
        // client-go's recorder names events after the object and the nanosecond
        let name = format!(
            "{}.{:x}",
            cut(&self.subject.name, 230),
            self.timestamp.as_nanosecond()
        );
        let mut metadata = json!({ "name": name, "namespace": namespace });
        let annotations = self.full_metadata();
        if let (false, Some(map)) = (annotations.is_empty(), metadata.as_object_mut()) {
            map.insert("annotations".to_owned(), json!(annotations));
        }
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": metadata,
            "involvedObject": self.reference(),
            "type": if self.severity == Severity::Error { "Warning" } else { "Normal" },
            "reason": self.reason,
            "message": truncate(&self.message, CORE_MESSAGE_BYTES_MAX),
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "source": { "component": self.controller },
            "reportingComponent": self.controller,
            "reportingInstance": "",
        })
    }

    /// The JSON Flux posts to its notification-controller; none for what stays in the cluster.
    pub fn notification(&self) -> Option<Value> {
        let named = !self.subject.kind.is_empty()
            && !self.subject.name.is_empty()
            && !self.subject.namespace.is_empty();
        if self.severity == Severity::Trace || !named {
            return None;
        }
        let mut event = json!({
            "involvedObject": self.reference(),
            "severity": self.severity.as_str(),
            "timestamp": rfc3339(self.timestamp),
            "message": truncate(&self.message, EVENT_MESSAGE_BYTES_MAX),
            "reason": self.reason,
            "reportingController": self.controller,
            "reportingInstance": &*self.instance,
        });
        let metadata = self.full_metadata();
        if let (false, Some(map)) = (metadata.is_empty(), event.as_object_mut()) {
            map.insert("metadata".to_owned(), json!(metadata));
        }
        Some(event)
    }

    fn reference(&self) -> Value {
        let subject = &self.subject;
        json!({
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
            "resourceVersion": subject.resource_version,
        })
    }
}

/// Where events go. An implementation queues and returns at once.
pub trait Sink: Send + Sync {
    /// Takes one event; drops it, and counts that, when its queue is full.
    fn record(&self, event: &Arc<ObjectEvent>);
}

/// All registered sinks, cheap to clone.
#[derive(Clone, Default)]
pub struct Sinks(Arc<Vec<Box<dyn Sink>>>);

impl Sinks {
    /// Sinks that each get every event.
    pub fn new(sinks: Vec<Box<dyn Sink>>) -> Self {
        Self(Arc::new(sinks))
    }

    /// Hands the event to every sink.
    pub fn record(&self, event: ObjectEvent) {
        let event = Arc::new(event);
        for sink in self.0.iter() {
            sink.record(&event);
        }
    }
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sinks({})", self.0.len())
    }
}

fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The longest prefix of at most `bytes_max` bytes that ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    text.get(..end).unwrap_or("")
}

/// `text`, cut with `...` as Flux does where it is longer than `bytes_max`.
fn truncate(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    format!("{}...", cut(text, bytes_max.saturating_sub(3)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn event(severity: Severity) -> ObjectEvent {
        ObjectEvent {
            subject: Subject {
                api_version: "kustomize.toolkit.fluxcd.io/v1".to_owned(),
                kind: "Kustomization".to_owned(),
                namespace: "apps".to_owned(),
                name: "web".to_owned(),
                uid: "u-1".to_owned(),
                resource_version: "7".to_owned(),
                annotations: [("event.toolkit.fluxcd.io/team", "red"), ("other", "no")]
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .into(),
            },
            severity,
            reason: "ReconciliationSucceeded".to_owned(),
            message: "Reconciliation finished in 1s, next run in 5m0s".to_owned(),
            metadata: [(
                "kustomize.toolkit.fluxcd.io/revision".to_owned(),
                "main@sha1:abc".to_owned(),
            )]
            .into(),
            timestamp: Timestamp::from_second(1_700_000_000).unwrap(),
            controller: "kustomize-controller",
            instance: "pod-0".into(),
        }
    }

    #[test]
    fn notification_form() {
        let json = serde_json::to_string_pretty(&event(Severity::Info).notification()).unwrap();
        expect![[r#"
            {
              "involvedObject": {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "name": "web",
                "namespace": "apps",
                "resourceVersion": "7",
                "uid": "u-1"
              },
              "message": "Reconciliation finished in 1s, next run in 5m0s",
              "metadata": {
                "event.toolkit.fluxcd.io/team": "red",
                "kustomize.toolkit.fluxcd.io/revision": "main@sha1:abc"
              },
              "reason": "ReconciliationSucceeded",
              "reportingController": "kustomize-controller",
              "reportingInstance": "pod-0",
              "severity": "info",
              "timestamp": "2023-11-14T22:13:20Z"
            }"#]]
        .assert_eq(&json);
        assert!(
            event(Severity::Trace).notification().is_none(),
            "trace stays in the cluster"
        );
    }

    #[test]
    fn core_form() {
        let mut event = event(Severity::Error);
        event.message = "é".repeat(1000);
        let core = event.core_v1();
        assert_eq!(core.pointer("/type").unwrap(), "Warning");
        assert_eq!(core.pointer("/source/component").unwrap(), "kustomize-controller");
        assert_eq!(
            core.pointer("/metadata/annotations/kustomize.toolkit.fluxcd.io~1revision")
                .unwrap(),
            "main@sha1:abc"
        );
        let message = core.pointer("/message").and_then(Value::as_str).unwrap();
        assert!(
            message.len() <= 1024 && message.ends_with("é..."),
            "cut between characters"
        );
    }
}
