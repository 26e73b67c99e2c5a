//! `Chart.yaml` and its lock, read as Go's decoder reads them: the fields that Helm knows, texts where it wants texts.

use std::collections::HashSet;

use serde_json::{Map, Value};
use sluice_semver::Version;
use sluice_yaml::{ParseOptions, Resolver, emit_v2, format_float, parse_document, to_json};

use crate::go_json;

/// What `Chart.yaml` says, in the fields that Helm knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(Map<String, Value>);

/// A subchart, as its parent names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The chart's name.
    pub name: String,
    /// Which versions will do.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// The name under which its parent knows it; empty for its own.
    pub alias: String,
}

/// `Chart.lock`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lock(Map<String, Value>);

/// What Go's decoder wants of a field.
#[derive(Clone, Copy)]
enum Wanted {
    Text,
    Texts,
    Flag,
    Texted,
    List,
    Objects(&'static str, &'static [(&'static str, Wanted)]),
}

const CHART: &[(&str, Wanted)] = &[
    ("annotations", Wanted::Texted),
    ("apiVersion", Wanted::Text),
    ("appVersion", Wanted::Text),
    ("condition", Wanted::Text),
    ("dependencies", Wanted::Objects("Dependency", DEPENDENCY)),
    ("deprecated", Wanted::Flag),
    ("description", Wanted::Text),
    ("home", Wanted::Text),
    ("icon", Wanted::Text),
    ("keywords", Wanted::Texts),
    ("kubeVersion", Wanted::Text),
    ("maintainers", Wanted::Objects("Maintainer", MAINTAINER)),
    ("name", Wanted::Text),
    ("sources", Wanted::Texts),
    ("tags", Wanted::Text),
    ("type", Wanted::Text),
    ("version", Wanted::Text),
];
const DEPENDENCY: &[(&str, Wanted)] = &[
    ("alias", Wanted::Text),
    ("condition", Wanted::Text),
    ("enabled", Wanted::Flag),
    ("import-values", Wanted::List),
    ("name", Wanted::Text),
    ("repository", Wanted::Text),
    ("tags", Wanted::Texts),
    ("version", Wanted::Text),
];
const MAINTAINER: &[(&str, Wanted)] = &[
    ("email", Wanted::Text),
    ("name", Wanted::Text),
    ("url", Wanted::Text),
];
const LOCK: &[(&str, Wanted)] = &[
    ("dependencies", Wanted::Objects("Dependency", DEPENDENCY)),
    ("digest", Wanted::Text),
    ("generated", Wanted::Text),
];
/// Fields of a dependency that are written although they are empty.
const ALWAYS_WRITTEN: &[&str] = &["name", "repository"];

impl Metadata {
    /// Reads a file over what is there: `requirements.yaml` over `Chart.yaml`.
    pub(super) fn read_over(&mut self, text: &[u8]) -> Result<(), String> {
        decode(&mut self.0, text, "Metadata", CHART)
    }

    /// Helm takes charts that say nothing for those of the first kind.
    pub(super) fn default_api_version(&mut self) {
        if self.text("apiVersion").is_empty() {
            self.set("apiVersion", "v1");
        }
    }

    /// The chart's name.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// The chart's version.
    pub fn version(&self) -> &str {
        self.text("version")
    }

    pub(super) fn is_first_kind(&self) -> bool {
        self.text("apiVersion") == "v1"
    }

    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        dependencies(&self.0)
    }

    fn text(&self, field: &str) -> &str {
        text(&self.0, field)
    }

    pub(super) fn set(&mut self, field: &str, text: &str) {
        self.0.insert(field.to_owned(), text.into());
    }

    /// What every chart must have.
    ///
    /// # Errors
    /// In Helm's words.
    pub(super) fn validate(&mut self) -> Result<(), String> {
        for value in self.0.values_mut() {
            sanitize(value);
        }
        let name = self.name();
        let problem = if self.text("apiVersion").is_empty() {
            "chart.metadata.apiVersion is required".to_owned()
        } else if name.is_empty() {
            "chart.metadata.name is required".to_owned()
        } else if name == "." || name == ".." {
            format!("chart.metadata.name {name:?} is not allowed")
        } else if name.contains(['/', '\\']) {
            format!("chart.metadata.name {name:?} is invalid")
        } else if self.version().is_empty() {
            "chart.metadata.version is required".to_owned()
        } else if Version::parse(self.version()).is_err() {
            format!("chart.metadata.version {:?} is invalid", self.version())
        } else if !matches!(self.text("type"), "" | "application" | "library") {
            "chart.metadata.type must be application or library".to_owned()
        } else {
            return self
                .validate_dependencies()
                .map_err(|text| format!("validation: {text}"));
        };
        Err(format!("validation: {problem}"))
    }

    fn validate_dependencies(&self) -> Result<(), String> {
        for list in ["maintainers", "dependencies"] {
            let items = self.0.get(list).and_then(Value::as_array);
            if items.into_iter().flatten().any(Value::is_null) {
                return Err(format!("{list} must not contain empty or null nodes"));
            }
        }
        let mut names = HashSet::new();
        for dependency in self.dependencies() {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !dependency.alias.chars().all(is_allowed) {
                return Err(format!(
                    "dependency {:?} has disallowed characters in the alias",
                    dependency.name
                ));
            }
            let name = dependency.known_as().to_owned();
            if !names.insert(name.clone()) {
                return Err(format!("more than one dependency with name or alias {name:?}"));
            }
        }
        Ok(())
    }

    /// As Helm writes it: known fields in order of name, without what is empty; those of the first kind name their
    /// dependencies in a file of their own.
    pub(super) fn to_yaml(&self) -> String {
        let mut fields = self.0.clone();
        if self.is_first_kind() {
            fields.remove("dependencies");
        }
        emit_v2(&written(fields))
    }
}

impl Dependency {
    /// The name under which its parent knows it.
    pub fn known_as(&self) -> &str {
        if self.alias.is_empty() {
            &self.name
        } else {
            &self.alias
        }
    }
}

impl Lock {
    pub(super) fn read(text: &[u8]) -> Result<Lock, String> {
        let mut fields = Map::new();
        decode(&mut fields, text, "Lock", LOCK)?;
        Ok(Lock(fields))
    }

    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        dependencies(&self.0)
    }

    /// As Helm writes it.
    pub(super) fn to_yaml(&self) -> String {
        let mut fields = self.0.clone();
        for field in ["dependencies", "digest", "generated"] {
            fields.entry(field).or_insert(match field {
                "dependencies" => Value::Null,
                "generated" => "0001-01-01T00:00:00Z".into(),
                _ => "".into(),
            });
        }
        if let Some(Value::Array(items)) = fields.get_mut("dependencies") {
            items.iter_mut().for_each(write_dependency);
        }
        emit_v2(&Value::Object(fields))
    }
}

fn text<'a>(fields: &'a Map<String, Value>, field: &str) -> &'a str {
    fields.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn dependencies(fields: &Map<String, Value>) -> Vec<Dependency> {
    let items = fields.get("dependencies").and_then(Value::as_array);
    let items = items.into_iter().flatten().filter_map(Value::as_object);
    let dependency = |fields| Dependency {
        name: text(fields, "name").to_owned(),
        version: text(fields, "version").to_owned(),
        repository: text(fields, "repository").to_owned(),
        alias: text(fields, "alias").to_owned(),
    };
    items.map(dependency).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn written(mut fields: Map<String, Value>) -> Value {
    fields.retain(|_, value| !is_empty(value));
    if let Some(Value::Array(items)) = fields.get_mut("dependencies") {
        items.iter_mut().for_each(write_dependency);
    }
    if let Some(Value::Array(items)) = fields.get_mut("maintainers") {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.retain(|_, value| !is_empty(value));
        }
    }
    Value::Object(fields)
}

fn write_dependency(item: &mut Value) {
    let Some(fields) = item.as_object_mut() else {
        return;
    };
    fields.retain(|field, value| !is_empty(value) || ALWAYS_WRITTEN.contains(&field.as_str()));
    for field in ALWAYS_WRITTEN {
        fields.entry(*field).or_insert("".into());
    }
}

/// The first document of a file as an object, in the fields that are known, over what is there.
fn decode(
    into: &mut Map<String, Value>,
    yaml: &[u8],
    go_type: &str,
    known: &[(&'static str, Wanted)],
) -> Result<(), String> {
    let wrong = |error: sluice_yaml::Error| format!("error converting YAML to JSON: {error}");
    let Some(document) = parse_document(yaml, &ParseOptions::new(Resolver::V2)).map_err(wrong)? else {
        return Ok(());
    };
    match to_json(&document.root, Resolver::V2).map_err(wrong)? {
        Value::Null => Ok(()),
        Value::Object(fields) => decode_fields(into, fields, go_type, known),
        other => Err(mismatch(&other, "", &format!("v2.{go_type}"))),
    }
}

/// Names are compared without their case, as Go's decoder does; unknown ones are passed over. `place` is where in the file
/// this is, for messages: the Go type, and the fields that lead to it.
fn decode_fields(
    into: &mut Map<String, Value>,
    fields: Map<String, Value>,
    place: &str,
    known: &[(&'static str, Wanted)],
) -> Result<(), String> {
    for (key, value) in fields {
        let Some((name, wanted)) = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key)) else {
            continue;
        };
        if value.is_null() {
            continue;
        }
        let at = format!("{place}.{name}");
        into.insert((*name).to_owned(), decode_value(value, *wanted, &at)?);
    }
    Ok(())
}

fn decode_value(value: Value, wanted: Wanted, at: &str) -> Result<Value, String> {
    let text = |value: &Value| {
        scalar(value)
            .map(Value::String)
            .ok_or_else(|| mismatch(value, at, "string"))
    };
    let text_or_nothing = |value: Value| match value {
        Value::Null => Ok("".into()),
        value => text(&value),
    };
    match (wanted, value) {
        (Wanted::Text, value) => text(&value),
        (Wanted::Texts, Value::Array(items)) => items.into_iter().map(text_or_nothing).collect(),
        (Wanted::Texted, Value::Object(fields)) => {
            let field = |(key, value)| Ok((key, text_or_nothing(value)?));
            let fields: Map<String, Value> = fields.into_iter().map(field).collect::<Result<_, String>>()?;
            Ok(Value::Object(fields))
        }
        (Wanted::Flag, value @ Value::Bool(_)) | (Wanted::List, value @ Value::Array(_)) => Ok(value),
        (Wanted::Objects(go_type, known), Value::Array(items)) => {
            // Go names the innermost type, and all fields
            let (_, field) = at.split_once('.').unwrap_or(("", at));
            let place = format!("{go_type}.{field}");
            let item = |item: Value| match item {
                Value::Null => Ok(Value::Null),
                Value::Object(fields) => {
                    let mut into = Map::new();
                    decode_fields(&mut into, fields, &place, known)?;
                    Ok(Value::Object(into))
                }
                other => Err(mismatch(&other, at, &format!("v2.{go_type}"))),
            };
            items.into_iter().map(item).collect()
        }
        (Wanted::Texts, value) => Err(mismatch(&value, at, "[]string")),
        (Wanted::Texted, value) => Err(mismatch(&value, at, "map[string]string")),
        (Wanted::Flag, value) => Err(mismatch(&value, at, "bool")),
        (Wanted::List, value) => Err(mismatch(&value, at, "[]interface {}")),
        (Wanted::Objects(go_type, _), value) => Err(mismatch(&value, at, &format!("[]*v2.{go_type}"))),
    }
}

/// What is said of a value of another kind than is wanted.
pub(super) fn mismatch(value: &Value, at: &str, wanted: &str) -> String {
    let problem = go_json::mismatch(value, at, wanted);
    format!("error unmarshaling JSON: while decoding JSON: {problem}")
}

/// A text; numbers and truth values become what they print as.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => int.to_string(),
            (_, Some(int)) => int.to_string(),
            _ => format_float(number.as_f64().unwrap_or_default()),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Every blank becomes a space; what cannot be printed goes.
fn sanitize(value: &mut Value) {
    match value {
        Value::String(text) => {
            let keep = |c: char| match c {
                c if c.is_whitespace() => Some(' '),
                c => (!c.is_control()).then_some(c),
            };
            *text = text.chars().filter_map(keep).collect();
        }
        Value::Array(items) => items.iter_mut().for_each(sanitize),
        Value::Object(fields) => fields.values_mut().for_each(sanitize),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
