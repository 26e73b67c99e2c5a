use super::{Answer, bytes_answer, json};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json as object};
use sha2::Digest as _;
use sluice_schema::current;
use std::io::Read;
use std::sync::Arc;

/// `/openapi/v3` and the documents below it.
pub(super) fn answer(cluster: &Cluster, path: &str) -> Option<Answer> {
    match path.trim_end_matches('/') {
        "/openapi/v3" => Some(json(200, &index(cluster))),
        "/openapi/v2" => None,
        path => {
            let name = path.strip_prefix("/openapi/v3/")?;
            let group_version = name.strip_prefix("apis/").or_else(|| name.strip_prefix("api/"))?;
            if let Some(packed) = current::openapi_document(group_version) {
                let mut bytes = Vec::new();
                GzDecoder::new(packed).read_to_end(&mut bytes).ok()?;
                return Some(bytes_answer(200, "application/json", bytes));
            }
            let kinds = custom(cluster, group_version);
            if kinds.is_empty() {
                None
            } else {
                Some(json(200, &document(&kinds)))
            }
        }
    }
}

fn custom(cluster: &Cluster, group_version: &str) -> Vec<Arc<Kind>> {
    cluster
        .kinds
        .custom()
        .into_iter()
        .filter(|kind| kind.api_version() == group_version)
        .collect()
}

fn index(cluster: &Cluster) -> Value {
    let mut paths = Map::new();
    let mut add = |path: String, bytes: &[u8]| {
        let hash: String = sha2::Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        let url = format!("/openapi/v3/{path}?hash={hash}");
        paths.insert(path, object!({"serverRelativeURL": url}));
    };
    for group_version in current::group_versions() {
        let path = if group_version.contains('/') {
            format!("apis/{group_version}")
        } else {
            format!("api/{group_version}")
        };
        // the tables are compiled in: the release is as good as a hash of the text
        add(
            path,
            format!("{}{group_version}", current::KUBERNETES_VERSION).as_bytes(),
        );
    }
    let mut custom: Vec<Arc<Kind>> = cluster.kinds.custom();
    custom.sort_by_key(|kind| kind.api_version());
    for kinds in custom.chunk_by(|a, b| a.api_version() == b.api_version()) {
        if let Some(first) = kinds.first() {
            add(
                format!("apis/{}", first.api_version()),
                document(kinds).to_string().as_bytes(),
            );
        }
    }
    object!({"paths": paths})
}

/// The document of a custom group version: its schemas, and the paths that `kubectl explain` and field validation look at.
fn document(kinds: &[Arc<Kind>]) -> Value {
    let (mut schemas, mut paths) = (Map::new(), Map::new());
    schemas.insert(META.to_owned(), object_meta());
    for kind in kinds {
        let Some(custom) = &kind.custom else { continue };
        let name = definition_name(kind);
        let gvk = object!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
        let mut schema = custom.openapi.clone();
        let map = crate::meta::as_map(&mut schema);
        map.insert("x-kubernetes-group-version-kind".to_owned(), gvk.clone());
        let properties = crate::meta::as_map(map.entry("properties").or_insert_with(|| object!({})));
        properties.insert(
            "apiVersion".to_owned(),
            object!({"type": "string", "description": API_VERSION}),
        );
        properties.insert(
            "kind".to_owned(),
            object!({"type": "string", "description": KIND}),
        );
        let reference = object!([{"$ref": format!("#/components/schemas/{META}")}]);
        properties.insert(
            "metadata".to_owned(),
            object!({"description": "Standard object's metadata.", "allOf": reference}),
        );
        schemas.insert(name.clone(), schema);
        let base = if kind.is_namespaced {
            format!(
                "/apis/{}/namespaces/{{namespace}}/{}",
                kind.api_version(),
                kind.plural
            )
        } else {
            format!("/apis/{}/{}", kind.api_version(), kind.plural)
        };
        let action = |verb: &str| {
            object!({"x-kubernetes-action": verb,
            "x-kubernetes-group-version-kind": gvk.get(0),
            "parameters": [{"name": "dryRun", "in": "query", "schema": {"type": "string"}},
                {"name": "fieldManager", "in": "query", "schema": {"type": "string"}},
                {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema":
                {"$ref": format!("#/components/schemas/{name}")}}}}}})
        };
        paths.insert(
            base.clone(),
            object!({"get": action("list"), "post": action("post")}),
        );
        paths.insert(
            format!("{base}/{{name}}"),
            object!({"get": action("get"), "put": action("put"), "patch": action("patch"), "delete": action("delete")}),
        );
    }
    object!({"openapi": "3.0.0", "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": paths, "components": {"schemas": schemas}})
}

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";

/// `io.fluxcd.toolkit.source.v1.GitRepository` for `source.toolkit.fluxcd.io/v1`.
fn definition_name(kind: &Kind) -> String {
    let group: Vec<&str> = kind.group.split('.').rev().collect();
    format!("{}.{}.{}", group.join("."), kind.version, kind.kind)
}

/// The schema of metadata, as the core document has it, with what it refers to written out.
fn object_meta() -> Value {
    static FOUND: std::sync::OnceLock<Value> = std::sync::OnceLock::new();
    FOUND
        .get_or_init(|| {
            let mut text = Vec::new();
            let packed = current::openapi_document("coordination.k8s.io/v1").unwrap_or_default();
            let read = GzDecoder::new(packed).read_to_end(&mut text);
            let document: Value = read
                .ok()
                .and_then(|_| serde_json::from_slice(&text).ok())
                .unwrap_or_default();
            let schemas = document
                .pointer("/components/schemas")
                .cloned()
                .unwrap_or_default();
            inline(&schemas, schemas.get(META).unwrap_or(&Value::Null), 0)
        })
        .clone()
}

fn inline(schemas: &Value, schema: &Value, depth: usize) -> Value {
    match schema {
        Value::Object(map) if depth < 10 => {
            let name = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.rsplit('/').next());
            match name.and_then(|name| schemas.get(name)) {
                Some(target) => inline(schemas, target, depth + 1),
                None => map
                    .iter()
                    .map(|(key, value)| (key.clone(), inline(schemas, value, depth + 1)))
                    .collect(),
            }
        }
        Value::Array(items) => items
            .iter()
            .map(|item| inline(schemas, item, depth + 1))
            .collect(),
        other => other.clone(),
    }
}
