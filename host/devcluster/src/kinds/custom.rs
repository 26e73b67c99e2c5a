use super::{Kind, Subresource, object_meta_schema};
use serde_json::{Value, json};
use sluice_schema::{Node, Type, openapi};
use std::sync::Arc;

/// What only custom kinds have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custom {
    /// The version that objects are stored in.
    pub(crate) storage_version: String,
    /// What that version knows; nothing else stays. None where it is this one.
    pub(crate) storage_schema: Option<Arc<Node>>,
    pub(crate) columns: Vec<Column>,
    pub(crate) scale: Option<ScalePaths>,
    /// JSON paths that field selectors may name.
    pub(crate) selectable: Vec<String>,
    /// The schema as the definition gives it, for OpenAPI.
    pub(crate) openapi: Value,
    pub(crate) deprecation: Option<String>,
}

/// One `additionalPrinterColumns` entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: String,
    pub(crate) priority: i64,
    pub(crate) path: String,
}

/// Where the scale subresource finds its fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScalePaths {
    pub(crate) spec_replicas: String,
    pub(crate) status_replicas: String,
    pub(crate) label_selector: Option<String>,
}

const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// The kinds that a CustomResourceDefinition defines, one a served version.
pub(crate) fn read_definition(definition: &Value) -> Result<Vec<Arc<Kind>>, openapi::Error> {
    let spec = definition.get("spec").cloned().unwrap_or_default();
    let versions = list(&spec, "versions");
    let storage = versions.iter().find(|version| flag(version, "storage"));
    let served = versions.iter().filter(|version| flag(version, "served"));
    served
        .map(|version| version_of(&spec, version, storage).map(Arc::new))
        .collect()
}

/// What a version says of its fields, and what is stored of them.
fn schema_of(spec: &Value, version: &Value) -> Result<(Value, Arc<Node>), openapi::Error> {
    let raw = version
        .pointer("/schema/openAPIV3Schema")
        .cloned()
        .unwrap_or_else(|| json!({"type": "object"}));
    let keeps_all = spec.get("preserveUnknownFields") == Some(&Value::Bool(true));
    let schema = root(openapi::structural(&raw)?, keeps_all);
    Ok((raw, Arc::new(schema)))
}

fn version_of(spec: &Value, version: &Value, storage: Option<&Value>) -> Result<Kind, openapi::Error> {
    let names = spec.get("names").cloned().unwrap_or_default();
    let (group, plural, kind) = (text(spec, "group"), text(&names, "plural"), text(&names, "kind"));
    let name = text(version, "name");
    let (raw, schema) = schema_of(spec, version)?;
    let storage_version = storage.map(|version| text(version, "name")).unwrap_or_default();
    let storage_schema = match storage {
        Some(storage) if storage_version != name => Some(schema_of(spec, storage)?.1),
        _ => None,
    };
    let subresources = version.get("subresources");
    let scale = subresources
        .and_then(|subresources| subresources.get("scale"))
        .map(scale_paths);
    let own = |name: &str, group: &str, in_version: &str, kind: &str| Subresource {
        name: name.to_owned(),
        group: group.to_owned(),
        version: in_version.to_owned(),
        kind: kind.to_owned(),
        verbs: ["get", "patch", "update"].map(str::to_owned).to_vec(),
    };
    let mut served = Vec::new();
    if subresources
        .is_some_and(|subresources| subresources.get("status").is_some_and(|status| !status.is_null()))
    {
        served.push(own("status", &group, &name, &kind));
    }
    if scale.is_some() {
        served.push(own("scale", "autoscaling", "v1", "Scale"));
    }
    let custom = Custom {
        storage_version,
        storage_schema,
        columns: list(version, "additionalPrinterColumns")
            .iter()
            .map(column)
            .collect(),
        scale,
        selectable: list(version, "selectableFields")
            .iter()
            .map(|field| text(field, "jsonPath"))
            .collect(),
        openapi: raw,
        deprecation: flag(version, "deprecated").then(|| match text(version, "deprecationWarning") {
            said if said.is_empty() => match successor(spec) {
                Some(newer) => format!("{group}/{name} {kind} is deprecated; use {group}/{newer} {kind}"),
                None => format!("{group}/{name} {kind} is deprecated"),
            },
            said => said,
        }),
    };
    let list_kind = text(&names, "listKind");
    let singular = text(&names, "singular");
    Ok(Kind {
        empty: Arc::new(json!({"apiVersion": format!("{group}/{name}"), "kind": kind})),
        table: format!("{group}/{plural}"),
        singular: if singular.is_empty() {
            kind.to_lowercase()
        } else {
            singular
        },
        list_kind: if list_kind.is_empty() {
            format!("{kind}List")
        } else {
            list_kind
        },
        is_namespaced: text(spec, "scope") == "Namespaced",
        short_names: texts(&names, "shortNames"),
        categories: texts(&names, "categories"),
        verbs: VERBS.map(str::to_owned).to_vec(),
        subresources: served,
        schema,
        custom: Some(Arc::new(custom)),
        version: name,
        group,
        plural,
        kind,
    })
}

/// The version to use in place of a deprecated one.
fn successor(spec: &Value) -> Option<String> {
    let mut living: Vec<String> = list(spec, "versions")
        .iter()
        .filter(|version| flag(version, "served") && !flag(version, "deprecated"))
        .map(|version| text(version, "name"))
        .collect();
    living.sort_by_key(|version| std::cmp::Reverse(super::priority(version)));
    living.into_iter().next()
}

/// `apiVersion`, `kind` and `metadata` are the server's, whatever the definition says about them.
fn root(mut schema: Node, preserve_all: bool) -> Node {
    let string = Arc::new(Node {
        kind: Type::String,
        ..Node::default()
    });
    schema.properties.insert("apiVersion".to_owned(), string.clone());
    schema.properties.insert("kind".to_owned(), string);
    schema
        .properties
        .insert("metadata".to_owned(), object_meta_schema());
    schema.preserve_unknown |= preserve_all;
    schema
}

fn scale_paths(scale: &Value) -> ScalePaths {
    ScalePaths {
        spec_replicas: text(scale, "specReplicasPath"),
        status_replicas: text(scale, "statusReplicasPath"),
        label_selector: scale
            .get("labelSelectorPath")
            .and_then(Value::as_str)
            .map(str::to_owned),
    }
}

fn column(column: &Value) -> Column {
    Column {
        name: text(column, "name"),
        kind: text(column, "type"),
        format: text(column, "format"),
        description: text(column, "description"),
        priority: column.get("priority").and_then(Value::as_i64).unwrap_or_default(),
        path: text(column, "jsonPath"),
    }
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}
