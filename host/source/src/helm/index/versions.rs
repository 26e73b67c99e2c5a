//! The versions of one chart: which Helm accepts, and in which order.

use std::cmp::Ordering;

use serde_json::{Map, Value};
use sluice_semver::Version;

use super::Strictness;

/// Fields of a version: those of `Chart.yaml`, and those of the index.
const FIELDS: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
    "urls",
    "created",
    "removed",
    "digest",
    "checksum",
    "engine",
    "tillerVersion",
    "url",
];

/// Fields that are texts even where YAML reads a number or a truth value, as Go's decoder has it.
const TEXTS: &[&str] = &[
    "name",
    "home",
    "version",
    "description",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "kubeVersion",
    "type",
    "created",
    "digest",
];

/// The versions of the chart `name` that can be used, newest first.
pub(super) fn of_chart(name: &str, versions: Value, strictness: Strictness) -> Result<Vec<Value>, String> {
    let versions = match versions {
        Value::Null => Vec::new(),
        Value::Array(versions) => versions,
        _ => {
            return Err(format!(
                "error unmarshaling JSON: the versions of chart \"{name}\" are no list"
            ));
        }
    };
    let mut usable = Vec::with_capacity(versions.len());
    for version in versions {
        let fields = match version {
            Value::Null => continue,
            Value::Object(fields) => fields,
            _ => {
                return Err(format!(
                    "error unmarshaling JSON: a version of chart \"{name}\" is no object"
                ));
            }
        };
        let unknown = fields.keys().find(|field| !FIELDS.contains(&field.as_str()));
        if let Some(field) = unknown.filter(|_| strictness == Strictness::Strict) {
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: unknown field \"{field}\" (chart \"{name}\")"
            ));
        }
        if let Some(found) = accept(fields) {
            usable.push(found);
        }
    }
    usable.sort_by(|(one, _), (other, _)| newest_first(one.as_ref(), other.as_ref()));
    Ok(usable
        .into_iter()
        .map(|(_, fields)| Value::Object(fields))
        .collect())
}

fn newest_first(one: Option<&Version>, other: Option<&Version>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => other.precedence(one),
        // what is no version is older than all that is
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

/// What Helm's own check lets pass; the others are as if they were not there.
fn accept(mut fields: Map<String, Value>) -> Option<(Option<Version>, Map<String, Value>)> {
    for field in TEXTS {
        if let Some(value) = fields.get_mut(*field) {
            as_text(value);
        }
    }
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    let (name, kind) = (text("name"), text("type"));
    let is_name = !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..";
    if !is_name || !matches!(kind, "" | "application" | "library") {
        return None;
    }
    let version = Version::parse(text("version")).ok()?;
    let dependencies = fields.get("dependencies").and_then(Value::as_array);
    if !dependencies.into_iter().flatten().all(is_dependency) {
        return None;
    }
    if text("apiVersion").is_empty() {
        fields.insert("apiVersion".to_owned(), "v1".into());
    }
    Some((Some(version), fields))
}

fn as_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Bool(truth) => *value = Value::String(truth.to_string()),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

/// An alias must be letters, digits, `_` and `-`.
fn is_dependency(dependency: &Value) -> bool {
    let alias = dependency
        .get("alias")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    dependency.is_object() && alias.chars().all(is_allowed)
}
