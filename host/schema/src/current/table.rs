use crate::node::Node;
use crate::openapi::Definitions;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The resources of one group version.
#[derive(Clone, Debug)]
pub struct Table {
    /// The group, empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resources, in the server's order.
    pub resources: Vec<Resource>,
    /// The schemas of the kinds that resources and subresources take, by kind.
    pub kinds: BTreeMap<String, Arc<Node>>,
}

/// One resource of the API: its names, what can be done with it, and the schema of its objects.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The plural name that paths use.
    pub name: String,
    /// The singular name.
    pub singular: String,
    /// The kind of its objects.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub is_namespaced: bool,
    /// Short names for command lines.
    pub short_names: Vec<String>,
    /// Groups of resources that a command line may ask for, `all`.
    pub categories: Vec<String>,
    /// The verbs it takes.
    pub verbs: Vec<String>,
    /// What lies below its objects: `status`, `scale` …
    pub subresources: Vec<Subresource>,
    /// The schema of its objects.
    pub schema: Arc<Node>,
}

/// A subresource of a [`Resource`].
#[derive(Clone, Debug)]
pub struct Subresource {
    /// The last part of its path.
    pub name: String,
    /// The group of its kind.
    pub group: String,
    /// The version of its kind.
    pub version: String,
    /// The kind it takes and gives.
    pub kind: String,
    /// The verbs it takes.
    pub verbs: Vec<String>,
}

impl Table {
    /// Reads what codegen wrote.
    pub(super) fn parse(document: &Value) -> Self {
        let group_version = text(document, "groupVersion");
        let (group, version) = group_version.split_once('/').unwrap_or(("", &group_version));
        let none = Map::new();
        let mut definitions = Definitions::new(
            document
                .get("schemas")
                .and_then(Value::as_object)
                .unwrap_or(&none),
        );
        let named = document.get("kinds").and_then(Value::as_object).unwrap_or(&none);
        let kinds: BTreeMap<String, Arc<Node>> = named
            .iter()
            .filter_map(|(kind, name)| Some((kind.clone(), definitions.resolve(name.as_str()?)?)))
            .collect();
        let resources = array(document, "resources");
        let resources = resources
            .iter()
            .map(|entry| resource(entry, group, version, &kinds))
            .collect();
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            resources,
            kinds,
        }
    }
}

fn resource(entry: &Value, group: &str, version: &str, kinds: &BTreeMap<String, Arc<Node>>) -> Resource {
    let kind = entry
        .get("responseKind")
        .map(|kind| text(kind, "kind"))
        .unwrap_or_default();
    Resource {
        name: text(entry, "resource"),
        singular: text(entry, "singularResource"),
        is_namespaced: text(entry, "scope") == "Namespaced",
        short_names: texts(entry, "shortNames"),
        categories: texts(entry, "categories"),
        verbs: texts(entry, "verbs"),
        subresources: array(entry, "subresources")
            .iter()
            .map(|entry| subresource(entry, group, version))
            .collect(),
        schema: kinds
            .get(&kind)
            .cloned()
            .unwrap_or_else(|| Arc::new(Node::deduced())),
        kind,
    }
}

fn subresource(entry: &Value, group: &str, version: &str) -> Subresource {
    let kind = entry.get("responseKind").cloned().unwrap_or_default();
    let of = |key: &str, default: &str| match text(&kind, key) {
        text if text.is_empty() => default.to_owned(),
        text => text,
    };
    let version = if text(&kind, "version").is_empty() {
        version.to_owned()
    } else {
        text(&kind, "version")
    };
    Subresource {
        name: text(entry, "subresource"),
        group: if text(&kind, "version").is_empty() {
            of("group", group)
        } else {
            text(&kind, "group")
        },
        version,
        kind: text(&kind, "kind"),
        verbs: texts(entry, "verbs"),
    }
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    array(value, key)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
