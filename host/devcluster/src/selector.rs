//! Label and field selectors.

use crate::kinds::Kind;
use crate::meta;
use crate::status::{Result, Status};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Greater(String, i64),
    Less(String, i64),
}

/// Which objects of a collection are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    /// Path, value, whether it must be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    pub(crate) fn parse(kind: &Kind, labels: &str, fields: &str) -> Result<Self> {
        Ok(Self {
            labels: parse_labels(labels)?,
            fields: parse_fields(kind, fields)?,
        })
    }

    /// The `spec.selector` of a workload or a policy.
    pub(crate) fn of_label_selector(selector: &Value) -> Self {
        let mut labels = Vec::new();
        for (key, value) in selector
            .get("matchLabels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            labels.push(Requirement::In(
                key.clone(),
                vec![value.as_str().unwrap_or_default().to_owned()],
            ));
        }
        for expression in selector
            .get("matchExpressions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let key = expression
                .get("key")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            let values = expression.get("values").and_then(Value::as_array);
            let values = values.map(|values| {
                values
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            });
            let values: Vec<String> = values.unwrap_or_default();
            labels.extend(match expression.get("operator").and_then(Value::as_str) {
                Some("In") => Some(Requirement::In(key, values)),
                Some("NotIn") => Some(Requirement::NotIn(key, values)),
                Some("Exists") => Some(Requirement::Exists(key)),
                Some("DoesNotExist") => Some(Requirement::Absent(key)),
                _ => None,
            });
        }
        Self {
            labels,
            fields: Vec::new(),
        }
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(object))
            && self
                .fields
                .iter()
                .all(|(path, value, equal)| (field(object, path) == *value) == *equal)
    }
}

impl Requirement {
    fn holds(&self, object: &Value) -> bool {
        let label = |key: &str| meta::entry(object, "labels", key);
        match self {
            Self::In(key, values) => {
                label(key).is_some_and(|label| values.iter().any(|value| value == label))
            }
            Self::NotIn(key, values) => {
                label(key).is_none_or(|label| values.iter().all(|value| value != label))
            }
            Self::Exists(key) => label(key).is_some(),
            Self::Absent(key) => label(key).is_none(),
            Self::Greater(key, than) => label(key)
                .and_then(|label| label.parse::<i64>().ok())
                .is_some_and(|n| n > *than),
            Self::Less(key, than) => label(key)
                .and_then(|label| label.parse::<i64>().ok())
                .is_some_and(|n| n < *than),
        }
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>> {
    let refuse = |what: &str| Status::bad_request(format!("unable to parse requirement: {what}"));
    split_outside_parentheses(text)
        .into_iter()
        .map(|part| {
            let part = part.trim();
            if let Some(key) = part.strip_prefix('!') {
                return Ok(Requirement::Absent(key.trim().to_owned()));
            }
            if let Some((head, values)) = part.split_once('(') {
                let values = values
                    .trim_end()
                    .strip_suffix(')')
                    .ok_or_else(|| refuse("found '', expected: ')'"))?;
                let values = values.split(',').map(|value| value.trim().to_owned()).collect();
                let mut words = head.split_whitespace();
                return match (words.next(), words.next()) {
                    (Some(key), Some("in")) => Ok(Requirement::In(key.to_owned(), values)),
                    (Some(key), Some("notin")) => Ok(Requirement::NotIn(key.to_owned(), values)),
                    _ => Err(refuse(&format!(
                        "found '{head}', expected: in, notin, =, ==, !=, gt, lt"
                    ))),
                };
            }
            let number = |text: &str| {
                text.trim()
                    .parse()
                    .map_err(|_| refuse("for 'Gt', 'Lt' operators, the value must be an integer"))
            };
            if let Some((key, value)) = part.split_once("!=") {
                return Ok(Requirement::NotIn(
                    key.trim().to_owned(),
                    vec![value.trim().to_owned()],
                ));
            }
            if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                return Ok(Requirement::In(
                    key.trim().to_owned(),
                    vec![value.trim().to_owned()],
                ));
            }
            if let Some((key, value)) = part.split_once('>') {
                return Ok(Requirement::Greater(key.trim().to_owned(), number(value)?));
            }
            if let Some((key, value)) = part.split_once('<') {
                return Ok(Requirement::Less(key.trim().to_owned(), number(value)?));
            }
            if part.contains(char::is_whitespace) {
                let word = part.split_whitespace().nth(1).unwrap_or_default();
                return Err(refuse(&format!(
                    "found '{word}', expected: in, notin, =, ==, !=, gt, lt"
                )));
            }
            Ok(Requirement::Exists(part.to_owned()))
        })
        .collect()
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn parse_fields(kind: &Kind, text: &str) -> Result<Vec<(String, String, bool)>> {
    let mut fields = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
            (path, value, false)
        } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (path, value, true)
        } else {
            return Err(Status::bad_request(format!(
                "invalid selector: '{text}'; can't understand '{part}'"
            )));
        };
        if !is_selectable(kind, path) {
            return Err(Status::bad_request(if selectable(kind).is_empty() {
                format!(
                    "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )
            } else {
                format!("field label not supported: {path}")
            }));
        }
        fields.push((path.to_owned(), value.to_owned(), equal));
    }
    Ok(fields)
}

fn is_selectable(kind: &Kind, path: &str) -> bool {
    if matches!(path, "metadata.name" | "metadata.namespace") {
        return true;
    }
    if let Some(custom) = &kind.custom {
        return custom
            .selectable
            .iter()
            .any(|selectable| selectable.trim_start_matches('.') == path);
    }
    selectable(kind).contains(&path)
}

/// What a built-in kind can be selected by, beside name and namespace.
fn selectable(kind: &Kind) -> &'static [&'static str] {
    match kind.kind.as_str() {
        "Pod" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        "Event" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reportingController",
        ],
        "Namespace" => &["status.phase"],
        "Secret" => &["type"],
        "Node" => &["spec.unschedulable"],
        "Service" => &["spec.clusterIP", "spec.type"],
        "ReplicaSet" | "ReplicationController" => &["status.replicas"],
        "Job" => &["status.successful"],
        "CertificateSigningRequest" => &["spec.signerName"],
        _ => &[],
    }
}

/// A field's text by its dotted path, empty where it is absent.
fn field(object: &Value, path: &str) -> String {
    let path = if path == "source" {
        "source.component"
    } else {
        path
    };
    let mut value = object;
    for part in path.trim_start_matches('.').split('.') {
        match value.get(part) {
            Some(inner) => value = inner,
            None => {
                return if path == "status.replicas" || path == "status.successful" {
                    "0".into()
                } else {
                    String::new()
                };
            }
        }
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
