use super::older::{self, Older};
use super::structural::structural;
use crate::meta::{DISABLED, KUSTOMIZE_GROUP, SUBSTITUTE};
use crate::{
    Bucket, CustomResource, ExternalArtifact, GitRepository, HelmChart, HelmRepository, Kustomization,
    OciRepository,
};
use serde_json::{Map, Value, json};

/// A printer column: name, JSON path, type.
type Column = (&'static str, &'static str, &'static str);

const AGE: Column = ("Age", ".metadata.creationTimestamp", "date");
const READY: Column = (
    "Ready",
    r#".status.conditions[?(@.type=="Ready")].status"#,
    "string",
);
const STATUS: Column = (
    "Status",
    r#".status.conditions[?(@.type=="Ready")].message"#,
    "string",
);
const URL: Column = ("URL", ".spec.url", "string");

/// What a CRD says beyond its types.
struct Shape {
    short_name: Option<&'static str>,
    columns: &'static [Column],
    description: &'static str,
    /// Whether an object that no controller has seen says `observedGeneration: -1`.
    has_status_default: bool,
    older: &'static [Older],
}

/// Every CustomResourceDefinition of this controller, in the order of their names.
pub fn all() -> Vec<Value> {
    vec![
        definition_of::<Bucket>(&Shape {
            short_name: None,
            columns: &[("Endpoint", ".spec.endpoint", "string"), AGE, READY, STATUS],
            description: "The files of a bucket in an object store.",
            has_status_default: true,
            older: older::BUCKET,
        }),
        definition_of::<ExternalArtifact>(&Shape {
            short_name: Some("ea"),
            columns: &[AGE, READY, STATUS, ("Source", ".spec.sourceRef.name", "string")],
            description: "An artifact that another controller makes.",
            has_status_default: false,
            older: &[],
        }),
        definition_of::<GitRepository>(&Shape {
            short_name: Some("gitrepo"),
            columns: &[URL, AGE, READY, STATUS],
            description: "A Git repository, fetched and kept as an artifact.",
            has_status_default: true,
            older: older::GIT_REPOSITORY,
        }),
        definition_of::<HelmChart>(&Shape {
            short_name: Some("hc"),
            columns: &[
                ("Chart", ".spec.chart", "string"),
                ("Version", ".spec.version", "string"),
                ("Source Kind", ".spec.sourceRef.kind", "string"),
                ("Source Name", ".spec.sourceRef.name", "string"),
                AGE,
                READY,
                STATUS,
            ],
            description: "One version of one Helm chart, packaged.",
            has_status_default: true,
            older: older::HELM_CHART,
        }),
        definition_of::<HelmRepository>(&Shape {
            short_name: Some("helmrepo"),
            columns: &[URL, AGE, READY, STATUS],
            description: "A repository of Helm charts: its index, or the place of its registry.",
            has_status_default: true,
            older: older::HELM_REPOSITORY,
        }),
        definition_of::<Kustomization>(&Shape {
            short_name: Some("ks"),
            columns: &[AGE, READY, STATUS],
            description: "One directory of a source, rendered and applied to a cluster, and kept as it is in the source.",
            has_status_default: true,
            older: older::KUSTOMIZATION,
        }),
        definition_of::<OciRepository>(&Shape {
            short_name: Some("ocirepo"),
            columns: &[URL, READY, STATUS, AGE],
            description: "An OCI artifact, fetched from a registry.",
            has_status_default: true,
            older: older::OCI_REPOSITORY,
        }),
    ]
}

/// The CustomResourceDefinition of one kind.
pub fn definition(kind: &str) -> Option<Value> {
    all()
        .into_iter()
        .find(|crd| crd.pointer("/spec/names/kind").and_then(Value::as_str) == Some(kind))
}

fn definition_of<K: CustomResource>(shape: &Shape) -> Value {
    let schema = root_schema::<K>(shape);
    let stored = version(K::VERSION, &schema, shape);
    let versions: Vec<Value> = shape
        .older
        .iter()
        .map(|older| older::version(older, K::GROUP, K::KIND, &stored))
        .chain([stored.clone()])
        .collect();
    let applies = if K::GROUP == KUSTOMIZE_GROUP {
        "fluxcd-appliers"
    } else {
        "fluxcd-sources"
    };
    let mut names = json!({
        "categories": ["all", "fluxcd", applies],
        "kind": K::KIND,
        "listKind": format!("{}List", K::KIND),
        "plural": K::PLURAL,
        "singular": K::KIND.to_lowercase(),
    });
    if let (Some(short_name), Some(names)) = (shape.short_name, names.as_object_mut()) {
        names.insert("shortNames".to_owned(), json!([short_name]));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "annotations": { SUBSTITUTE: DISABLED },
            "name": format!("{}.{}", K::PLURAL, K::GROUP),
        },
        "spec": { "group": K::GROUP, "names": names, "scope": "Namespaced", "versions": versions },
    })
}

fn version(name: &str, schema: &Value, shape: &Shape) -> Value {
    let column = |(name, path, type_): &Column| json!({ "name": name, "jsonPath": path, "type": type_ });
    json!({
        "additionalPrinterColumns": shape.columns.iter().map(column).collect::<Vec<_>>(),
        "name": name,
        "schema": { "openAPIV3Schema": schema },
        "served": true,
        "storage": true,
        "subresources": { "status": {} },
    })
}

fn root_schema<K: CustomResource>(shape: &Shape) -> Value {
    let mut status = structural::<K::Status>();
    if let (true, Some(status)) = (shape.has_status_default, status.as_object_mut()) {
        status.insert("default".to_owned(), json!({ "observedGeneration": -1 }));
    }
    let mut properties = Map::new();
    properties.insert(
        "apiVersion".into(),
        json!({ "type": "string", "description": "Group and version of this object." }),
    );
    properties.insert(
        "kind".into(),
        json!({ "type": "string", "description": "Kind of this object, in CamelCase." }),
    );
    properties.insert("metadata".into(), json!({ "type": "object" }));
    properties.insert("spec".into(), structural::<K::Spec>());
    properties.insert("status".into(), status);
    json!({ "description": shape.description, "type": "object", "properties": properties })
}
