//! What users are told about an object: one value, two forms (core/v1 Event and Flux's notification JSON).

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Longest event message in bytes, as Flux's notification-controller takes it (compat/kustomize.md section 11).
///
/// The API server's limit of 1024 bytes is one of events.k8s.io and of events with an `eventTime`; ours are of core/v1
/// and have none, as those of Flux, whose long refusals are told whole.
pub const EVENT_MESSAGE_BYTES_MAX: usize = 39_000;

/// Prefix of the annotations of an object that are copied into its events.
pub const EVENT_METADATA_PREFIX: &str = "event.toolkit.fluxcd.io/";

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
    /// The annotations that are copied into the metadata: those with [`EVENT_METADATA_PREFIX`].
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
        let copied = &self.subject.annotations;
        copied
            .iter()
            .chain(&self.metadata)
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    /// Namespace and name of the core/v1 Event. client-go's recorder names events after the object and the nanosecond.
    pub fn place(&self) -> (&str, String) {
        let namespace = match self.subject.namespace.as_str() {
            "" => "default",
            namespace => namespace,
        };
        let object = cut(&self.subject.name, 230);
        (
            namespace,
            format!("{object}.{:x}", self.timestamp.as_nanosecond()),
        )
    }

    /// When it happened, as `lastTimestamp` has it.
    pub fn told_at(&self) -> String {
        rfc3339(self.timestamp)
    }

    /// The core/v1 Event: metadata become annotations, severity error becomes `Warning`.
    pub fn core_v1(&self) -> impl Serialize {
        let (namespace, name) = self.place();
        let at = self.told_at();
        CoreEvent {
            api_version: "v1",
            kind: "Event",
            metadata: CoreMetadata {
                name,
                namespace,
                annotations: self.full_metadata(),
            },
            involved_object: self.reference(),
            r#type: if self.severity == Severity::Error {
                "Warning"
            } else {
                "Normal"
            },
            reason: &self.reason,
            message: truncate(&self.message, EVENT_MESSAGE_BYTES_MAX),
            first_timestamp: at.clone(),
            last_timestamp: at,
            count: 1,
            source: CoreSource {
                component: self.controller,
            },
            reporting_component: self.controller,
            reporting_instance: "",
        }
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

    fn reference(&self) -> Reference<'_> {
        let subject = &self.subject;
        Reference {
            api_version: &subject.api_version,
            kind: &subject.kind,
            namespace: &subject.namespace,
            name: &subject.name,
            uid: &subject.uid,
            resource_version: &subject.resource_version,
        }
    }
}

/// core/v1 Event, as far as it is filled in. Typed, because it is written with every reconcile.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CoreEvent<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: CoreMetadata<'a>,
    involved_object: Reference<'a>,
    r#type: &'static str,
    reason: &'a str,
    message: Cow<'a, str>,
    first_timestamp: String,
    last_timestamp: String,
    count: u32,
    source: CoreSource,
    reporting_component: &'static str,
    reporting_instance: &'static str,
}

#[derive(Serialize)]
struct CoreMetadata<'a> {
    name: String,
    namespace: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct CoreSource {
    component: &'static str,
}

/// core/v1 ObjectReference.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    resource_version: &'a str,
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
fn truncate(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return text.into();
    }
    format!("{}...", cut(text, bytes_max.saturating_sub(3))).into()
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
                annotations: [("event.toolkit.fluxcd.io/team".to_owned(), "red".to_owned())].into(),
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
        event.message = "é".repeat(20_000);
        let core = serde_json::to_value(event.core_v1()).unwrap();
        assert_eq!(core.pointer("/type").unwrap(), "Warning");
        assert_eq!(core.pointer("/source/component").unwrap(), "kustomize-controller");
        assert_eq!(
            core.pointer("/metadata/annotations/kustomize.toolkit.fluxcd.io~1revision")
                .unwrap(),
            "main@sha1:abc"
        );
        let message = core.pointer("/message").and_then(Value::as_str).unwrap();
        assert!(
            message.len() <= EVENT_MESSAGE_BYTES_MAX && message.ends_with("é..."),
            "cut between characters"
        );
        assert_eq!(
            core.pointer("/eventTime"),
            None,
            "with it a message had 1024 bytes"
        );
        event.message = "é".repeat(1000);
        let core = serde_json::to_value(event.core_v1()).unwrap();
        assert_eq!(
            core.pointer("/message").and_then(Value::as_str),
            Some(event.message.as_str()),
            "long, and whole"
        );
    }
}
