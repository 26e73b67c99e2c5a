//! `Chart.yaml`, with the types that the original is lenient about.

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value as Json};
use sluice_yaml::{ParseOptions, Resolver, parse_document, to_json};

use super::version;
use crate::{
    CollectionType, Error, List, Map, Value, format,
    go::{quote::quote, unicode::is_print},
};

/// What `Chart.yaml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// `v1` or `v2`; `v1` where the file does not say.
    pub api_version: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The version of what it installs.
    pub app_version: String,
    /// One sentence.
    pub description: String,
    /// `application`, `library`, or nothing for the first.
    pub chart_type: String,
    /// Which versions of Kubernetes it is for.
    pub kube_version: String,
    /// A page about it.
    pub home: String,
    /// A picture.
    pub icon: String,
    /// Not looked at.
    pub condition: String,
    /// Not looked at.
    pub tags: String,
    /// Where its sources are.
    pub sources: Vec<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who maintains it.
    pub maintainers: Vec<Maintainer>,
    /// Whether nobody should use it any more.
    pub deprecated: bool,
    /// Free text; none where the file has none.
    pub annotations: Option<BTreeMap<String, String>>,
    /// The subcharts.
    pub dependencies: Vec<Dependency>,
    /// Whether the file names dependencies at all, be it none. Without it conditions and tags of subcharts are not looked at.
    pub has_dependencies: bool,
    /// The first of `maintainers` that is null.
    null_maintainer: Option<usize>,
    /// The first of `dependencies` that is null.
    null_dependency: Option<usize>,
}

/// Who maintains a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// A name.
    pub name: String,
    /// An address.
    pub email: String,
    /// A page.
    pub url: String,
}

/// A subchart, as its parent names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// The chart's name.
    pub name: String,
    /// Which versions will do.
    pub version: String,
    /// Where it comes from; not looked at.
    pub repository: String,
    /// Paths of values that switch it, with commas between them.
    pub condition: String,
    /// The tags that switch it.
    pub tags: Vec<String>,
    /// Whether it takes part.
    pub enabled: bool,
    /// Which of its values its parent gets.
    pub import_values: Vec<ImportValues>,
    /// The name under which its parent knows it; empty for its own.
    pub alias: String,
}

/// One entry of `import-values`.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportValues {
    /// The table below `exports` of this name, to the parent's root.
    Export(String),
    /// From a path of the child to a path of the parent.
    Path {
        /// The path in the child.
        child: String,
        /// The path in the parent.
        parent: String,
    },
    /// Something else, which is ignored.
    Other,
}

impl Metadata {
    /// Reads `Chart.yaml`.
    ///
    /// # Errors
    /// In the original's words: what is no YAML or of the wrong type.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        let mut metadata = Self::default();
        metadata.read_into(text)?;
        Ok(metadata)
    }

    /// Reads a file over what is there, `requirements.yaml` over `Chart.yaml`, as Go decodes: the items of lists one over the
    /// other, so that what only one of them says stays.
    ///
    /// # Errors
    /// As [`Metadata::read`].
    pub fn read_into(&mut self, text: &[u8]) -> Result<(), Error> {
        let Some(fields) = read_object(text, "v2.Metadata")? else {
            return Ok(());
        };
        for (key, value) in &fields {
            let at = |field: &str| format!("Metadata.{field}");
            match key.to_ascii_lowercase().as_str() {
                "apiversion" => text_field(value, &mut self.api_version, || at("apiVersion"))?,
                "name" => text_field(value, &mut self.name, || at("name"))?,
                "version" => text_field(value, &mut self.version, || at("version"))?,
                "appversion" => text_field(value, &mut self.app_version, || at("appVersion"))?,
                "description" => text_field(value, &mut self.description, || at("description"))?,
                "type" => text_field(value, &mut self.chart_type, || at("type"))?,
                "kubeversion" => text_field(value, &mut self.kube_version, || at("kubeVersion"))?,
                "home" => text_field(value, &mut self.home, || at("home"))?,
                "icon" => text_field(value, &mut self.icon, || at("icon"))?,
                "condition" => text_field(value, &mut self.condition, || at("condition"))?,
                "tags" => text_field(value, &mut self.tags, || at("tags"))?,
                "sources" => texts(value, &mut self.sources, || at("sources"))?,
                "keywords" => texts(value, &mut self.keywords, || at("keywords"))?,
                "deprecated" => flag(value, &mut self.deprecated, || at("deprecated"))?,
                "annotations" => annotations(value, &mut self.annotations)?,
                "maintainers" => {
                    let (items, at) = (&mut self.maintainers, || at("maintainers"));
                    self.null_maintainer = objects(value, items, at, "Maintainer", Maintainer::read_into)?;
                }
                "dependencies" => {
                    let (items, at) = (&mut self.dependencies, || at("dependencies"));
                    self.null_dependency = objects(value, items, at, "Dependency", Dependency::read_into)?;
                    self.has_dependencies = !value.is_null();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks what every chart must have, and drops what cannot be printed from its texts.
    ///
    /// # Errors
    /// In the original's words: what is missing or not allowed.
    pub fn validate(&mut self) -> Result<(), Error> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ]
        .into_iter()
        .chain(&mut self.sources)
        .chain(&mut self.keywords)
        {
            sanitize(text);
        }
        let name = &self.name;
        if self.api_version.is_empty() {
            return invalid("chart.metadata.apiVersion is required");
        }
        if name.is_empty() {
            return invalid("chart.metadata.name is required");
        }
        if name == "." || name == ".." {
            return invalid(format!(
                "chart.metadata.name {} is not allowed",
                quote(name.as_bytes())
            ));
        }
        if name.contains('/') {
            return invalid(format!(
                "chart.metadata.name {} is invalid",
                quote(name.as_bytes())
            ));
        }
        if self.version.is_empty() {
            return invalid("chart.metadata.version is required");
        }
        if !version::is_version(&self.version) {
            let version = quote(self.version.as_bytes());
            return invalid(format!("chart.metadata.version {version} is invalid"));
        }
        if !["", "application", "library"].contains(&self.chart_type.as_str()) {
            return invalid("chart.metadata.type must be application or library");
        }
        if self.null_maintainer.is_some() {
            return invalid("maintainers must not contain empty or null nodes");
        }
        for maintainer in &mut self.maintainers {
            for text in [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url] {
                sanitize(text);
            }
        }
        self.validate_dependencies()
    }

    fn validate_dependencies(&mut self) -> Result<(), Error> {
        let mut names: Vec<&str> = Vec::new();
        for (index, dependency) in self.dependencies.iter_mut().enumerate() {
            if self.null_dependency == Some(index) {
                return invalid("dependencies must not contain empty or null nodes");
            }
            let texts = [
                &mut dependency.name,
                &mut dependency.version,
                &mut dependency.repository,
                &mut dependency.condition,
            ];
            texts.into_iter().chain(&mut dependency.tags).for_each(sanitize);
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !dependency.alias.chars().all(is_allowed) {
                return invalid(format!(
                    "dependency {} has disallowed characters in the alias",
                    quote(dependency.name.as_bytes())
                ));
            }
            let name = dependency.known_as();
            if names.contains(&name) {
                let name = quote(name.as_bytes());
                return invalid(format!("more than one dependency with name or alias {name}"));
            }
            names.push(name);
        }
        Ok(())
    }

    /// `.Chart`, as templates see it: a map with the names of Go's fields.
    pub fn to_map(&self, is_root: bool) -> Map {
        let list =
            |texts: &[String]| Value::List(texts.iter().map(|text| Value::from(text.as_str())).collect());
        let maintainer = |maintainer: &Maintainer| {
            Value::Map(Map::from_iter([
                ("Name", maintainer.name.as_str()),
                ("Email", maintainer.email.as_str()),
                ("URL", maintainer.url.as_str()),
            ]))
        };
        let map = Map::new();
        let texts = [
            ("APIVersion", &self.api_version),
            ("Name", &self.name),
            ("Version", &self.version),
            ("AppVersion", &self.app_version),
            ("Description", &self.description),
            ("Type", &self.chart_type),
            ("KubeVersion", &self.kube_version),
            ("Home", &self.home),
            ("Icon", &self.icon),
            ("Condition", &self.condition),
            ("Tags", &self.tags),
        ];
        for (name, text) in texts {
            map.set(name, text.as_str());
        }
        map.set("Sources", list(&self.sources));
        map.set("Keywords", list(&self.keywords));
        map.set(
            "Maintainers",
            Value::List(self.maintainers.iter().map(maintainer).collect()),
        );
        map.set("Deprecated", self.deprecated);
        map.set(
            "Dependencies",
            Value::List(self.dependencies.iter().map(Dependency::to_value).collect()),
        );
        map.set("Annotations", self.annotations_value());
        map.set("IsRoot", is_root);
        map
    }

    /// As `Chart.yaml` would spell it in JSON, without what is empty: what a release stores.
    pub fn to_json(&self) -> Json {
        let mut fields = JsonMap::new();
        let texts = [
            ("apiVersion", &self.api_version),
            ("name", &self.name),
            ("version", &self.version),
            ("appVersion", &self.app_version),
            ("description", &self.description),
            ("type", &self.chart_type),
            ("kubeVersion", &self.kube_version),
            ("home", &self.home),
            ("icon", &self.icon),
            ("condition", &self.condition),
            ("tags", &self.tags),
        ];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            fields.insert(name.to_owned(), Json::from(text.as_str()));
        }
        for (name, list) in [("sources", &self.sources), ("keywords", &self.keywords)] {
            if !list.is_empty() {
                fields.insert(name.to_owned(), Json::from(list.clone()));
            }
        }
        if let Some(annotations) = &self.annotations {
            let entries = annotations
                .iter()
                .map(|(key, value)| (key.clone(), Json::from(value.as_str())));
            fields.insert("annotations".to_owned(), Json::Object(entries.collect()));
        }
        if self.deprecated {
            fields.insert("deprecated".to_owned(), Json::Bool(true));
        }
        if !self.dependencies.is_empty() {
            fields.insert(
                "dependencies".to_owned(),
                self.dependencies.iter().map(Dependency::to_json).collect(),
            );
        }
        Json::Object(fields)
    }

    fn annotations_value(&self) -> Value {
        let Some(annotations) = &self.annotations else {
            return Value::Map(Map::nil(CollectionType::STRING));
        };
        let entries = annotations
            .iter()
            .map(|(key, value)| (key.as_str().into(), value.as_str().into()));
        Value::Map(Map::of_type(CollectionType::STRING, entries.collect()))
    }
}

impl Maintainer {
    fn read_into(&mut self, fields: &JsonMap<String, Json>) -> Result<(), Error> {
        for (key, value) in fields {
            let at = |field: &str| format!("Maintainer.maintainers.{field}");
            match key.to_ascii_lowercase().as_str() {
                "name" => text_field(value, &mut self.name, || at("name"))?,
                "email" => text_field(value, &mut self.email, || at("email"))?,
                "url" => text_field(value, &mut self.url, || at("url"))?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Dependency {
    pub(super) fn read_into(&mut self, fields: &JsonMap<String, Json>) -> Result<(), Error> {
        for (key, value) in fields {
            let at = |field: &str| format!("Dependency.dependencies.{field}");
            match key.to_ascii_lowercase().as_str() {
                "name" => text_field(value, &mut self.name, || at("name"))?,
                "version" => text_field(value, &mut self.version, || at("version"))?,
                "repository" => text_field(value, &mut self.repository, || at("repository"))?,
                "condition" => text_field(value, &mut self.condition, || at("condition"))?,
                "alias" => text_field(value, &mut self.alias, || at("alias"))?,
                "tags" => texts(value, &mut self.tags, || at("tags"))?,
                "enabled" => flag(value, &mut self.enabled, || at("enabled"))?,
                "import-values" => self.import_values = imports(value)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The name under which its parent knows it.
    pub fn known_as(&self) -> &str {
        if self.alias.is_empty() {
            &self.name
        } else {
            &self.alias
        }
    }

    fn to_json(&self) -> Json {
        let texts = [
            ("name", &self.name),
            ("version", &self.version),
            ("repository", &self.repository),
            ("condition", &self.condition),
            ("alias", &self.alias),
        ];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut fields: JsonMap<_, _> = texts
            .map(|(name, text)| (name.to_owned(), Json::from(text.as_str())))
            .collect();
        fields.insert("enabled".to_owned(), Json::Bool(self.enabled));
        Json::Object(fields)
    }

    fn to_value(&self) -> Value {
        let import = |import: &ImportValues| {
            let pair = |child: &str, parent: &str| {
                let entries = [("child".into(), child.into()), ("parent".into(), parent.into())];
                Value::Map(Map::of_type(CollectionType::STRING, entries.into()))
            };
            match import {
                ImportValues::Export(name) => pair(&format!("exports.{name}"), "."),
                ImportValues::Path { child, parent } => pair(child, parent),
                ImportValues::Other => Value::Nil,
            }
        };
        let imports: Vec<Value> = self
            .import_values
            .iter()
            .filter(|value| **value != ImportValues::Other)
            .map(import)
            .collect();
        let map = Map::new();
        map.set("Name", self.name.as_str());
        map.set("Version", self.version.as_str());
        map.set("Repository", self.repository.as_str());
        map.set("Condition", self.condition.as_str());
        map.set(
            "Tags",
            Value::List(self.tags.iter().map(|tag| Value::from(tag.as_str())).collect()),
        );
        map.set("Enabled", self.enabled);
        map.set("ImportValues", Value::List(List::new(imports)));
        map.set("Alias", self.alias.as_str());
        Value::Map(map)
    }
}

fn invalid<T>(text: impl AsRef<str>) -> Result<T, Error> {
    Err(Error::new(format!("validation: {}", text.as_ref())))
}

/// The first document of a file as an object; none where it is empty.
pub(super) fn read_object(text: &[u8], into: &str) -> Result<Option<JsonMap<String, Json>>, Error> {
    let wrong = |error: sluice_yaml::Error| Error::new(format!("error converting YAML to JSON: {error}"));
    let Some(document) = parse_document(text, &ParseOptions::new(Resolver::V2)).map_err(wrong)? else {
        return Ok(None);
    };
    match to_json(&document.root, Resolver::V2).map_err(wrong)? {
        Json::Null => Ok(None),
        Json::Object(fields) => Ok(Some(fields)),
        other => Err(Error::new(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type {into}",
            json_type(&other)
        ))),
    }
}

fn json_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn mismatch<T>(value: &Json, field: &str, go_type: &str) -> Result<T, Error> {
    Err(Error::new(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go struct field {field} of type {go_type}",
        json_type(value)
    )))
}

/// A text; numbers and booleans become what they print as, numbers with a fraction in the digits of 32 bits. Null leaves what
/// was there.
pub(crate) fn scalar_text(value: &Json) -> Option<String> {
    Some(match value {
        Json::String(text) => text.clone(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => int.to_string(),
            (_, Some(int)) => int.to_string(),
            _ => single_text(number.as_f64().unwrap_or_default()),
        },
        _ => return None,
    })
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`: the digits that tell a number of 32 bits from its neighbours.
#[allow(clippy::cast_possible_truncation, reason = "that is what the original does")]
fn single_text(value: f64) -> String {
    let digits = (value as f32).to_string();
    format::float(digits.parse().unwrap_or(value))
}

pub(super) fn text_field(value: &Json, field: &mut String, name: impl Fn() -> String) -> Result<(), Error> {
    match scalar_text(value) {
        Some(text) => *field = text,
        None if value.is_null() => {}
        None => return mismatch(value, &name(), "string"),
    }
    Ok(())
}

/// Where an item is null what was there stays.
fn texts(value: &Json, texts: &mut Vec<String>, name: impl Fn() -> String) -> Result<(), Error> {
    let items = match value {
        Json::Null => &[][..],
        Json::Array(items) => items.as_slice(),
        other => return mismatch(other, &name(), "[]string"),
    };
    texts.resize(items.len(), String::new());
    for (text, item) in texts.iter_mut().zip(items) {
        match scalar_text(item) {
            Some(found) => *text = found,
            None if item.is_null() => {}
            None => return mismatch(item, &name(), "string"),
        }
    }
    Ok(())
}

fn flag(value: &Json, flag: &mut bool, name: impl Fn() -> String) -> Result<(), Error> {
    match value {
        Json::Bool(value) => *flag = *value,
        Json::Null => {}
        other => return mismatch(other, &name(), "bool"),
    }
    Ok(())
}

fn annotations(value: &Json, annotations: &mut Option<BTreeMap<String, String>>) -> Result<(), Error> {
    let fields = match value {
        Json::Null => {
            *annotations = None;
            return Ok(());
        }
        Json::Object(fields) => fields,
        other => return mismatch(other, "Metadata.annotations", "map[string]string"),
    };
    let annotations = annotations.get_or_insert_default();
    for (key, value) in fields {
        let text = match scalar_text(value) {
            Some(text) => text,
            None if value.is_null() => String::new(),
            None => return mismatch(value, "Metadata.annotations", "string"),
        };
        annotations.insert(key.clone(), text);
    }
    Ok(())
}

/// Reads the objects of a list over those that are there. Which of them is the first that is null, if one is.
pub(super) fn objects<T: Default>(
    value: &Json,
    objects: &mut Vec<T>,
    name: impl Fn() -> String,
    go_type: &str,
    read: impl Fn(&mut T, &JsonMap<String, Json>) -> Result<(), Error>,
) -> Result<Option<usize>, Error> {
    let items = match value {
        Json::Null => &[][..],
        Json::Array(items) => items.as_slice(),
        other => return mismatch(other, &name(), &format!("[]*v2.{go_type}")),
    };
    objects.resize_with(items.len(), T::default);
    for (object, item) in objects.iter_mut().zip(items) {
        match item {
            Json::Null => *object = T::default(),
            Json::Object(fields) => read(object, fields)?,
            other => return mismatch(other, &name(), &format!("v2.{go_type}")),
        }
    }
    Ok(items.iter().position(Json::is_null))
}

fn imports(value: &Json) -> Result<Vec<ImportValues>, Error> {
    let items = match value {
        Json::Null => return Ok(Vec::new()),
        Json::Array(items) => items,
        other => return mismatch(other, "Dependency.dependencies.import-values", "[]interface {}"),
    };
    let path = |value: Option<&Json>| match value {
        None | Some(Json::Null) => "<nil>".to_owned(),
        Some(Json::Number(number)) => format::float(number.as_f64().unwrap_or_default()),
        Some(value) => scalar_text(value).unwrap_or_else(|| value.to_string()),
    };
    let import = |item: &Json| match item {
        Json::String(name) => ImportValues::Export(name.clone()),
        Json::Object(fields) => ImportValues::Path {
            child: path(fields.get("child")),
            parent: path(fields.get("parent")),
        },
        _ => ImportValues::Other,
    };
    Ok(items.iter().map(import).collect())
}

/// Every blank becomes a space; what cannot be printed goes.
fn sanitize(text: &mut String) {
    if text.chars().all(|c| c.is_ascii() && !c.is_ascii_control()) {
        return;
    }
    let keep = |c: char| {
        if c.is_whitespace() {
            Some(' ')
        } else {
            is_print(c).then_some(c)
        }
    };
    *text = text.chars().filter_map(keep).collect();
}
