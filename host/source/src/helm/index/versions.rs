//! The versions of one chart: which Helm accepts, and in which order.

use std::io::{self, Write};

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

/// The versions of one chart that can be used. They are kept as text: as trees they take many times the room.
pub(super) struct Versions<'a> {
    chart: &'a str,
    usable: Vec<(Version, Box<[u8]>)>,
}

impl<'a> Versions<'a> {
    /// None yet, of this chart.
    pub(super) fn new(chart: &'a str) -> Versions<'a> {
        let usable = Vec::new();
        Versions { chart, usable }
    }

    /// All of a chart.
    pub(super) fn all(chart: &'a str, found: Value, strictness: Strictness) -> Result<Versions<'a>, String> {
        let mut versions = Versions::new(chart);
        match found {
            Value::Null => {}
            Value::Array(found) => {
                for version in found {
                    versions.add(version, strictness)?;
                }
            }
            _ => {
                return Err(format!(
                    "error unmarshaling JSON: the versions of chart \"{chart}\" are no list"
                ));
            }
        }
        Ok(versions)
    }

    /// One more, unless Helm would not let it pass.
    pub(super) fn add(&mut self, version: Value, strictness: Strictness) -> Result<(), String> {
        let chart = self.chart;
        let fields = match version {
            Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            _ => {
                return Err(format!(
                    "error unmarshaling JSON: a version of chart \"{chart}\" is no object"
                ));
            }
        };
        let unknown = fields.keys().find(|field| !FIELDS.contains(&field.as_str()));
        if let Some(field) = unknown.filter(|_| strictness == Strictness::Strict) {
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: unknown field \"{field}\" (chart \"{chart}\")"
            ));
        }
        if let Some((version, fields)) = accept(fields) {
            let text = serde_json::to_vec(&fields).map_err(|error| error.to_string())?;
            self.usable.push((version, text.into_boxed_slice()));
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.usable.len()
    }

    /// Writes them as a list, newest first.
    pub(super) fn write(mut self, output: &mut dyn Write) -> io::Result<()> {
        self.usable.sort_by(|(one, _), (other, _)| other.precedence(one));
        output.write_all(b"[")?;
        for (number, (_, text)) in self.usable.iter().enumerate() {
            if number > 0 {
                output.write_all(b",")?;
            }
            output.write_all(text)?;
        }
        output.write_all(b"]")
    }
}

/// What Helm's own check lets pass; the others are as if they were not there.
fn accept(mut fields: Map<String, Value>) -> Option<(Version, Map<String, Value>)> {
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
    Some((version, fields))
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
