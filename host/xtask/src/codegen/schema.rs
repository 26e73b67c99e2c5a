//! Turns recorded OpenAPI v3 documents and discovery into the compiled tables of `host/schema/src/current`.
//!
//! Input: `host/schema/data/openapi/v3/*.json.gz` (one document a group version) and `discovery/{api,apis}.json.gz` (aggregated
//! discovery), both as the server gave them. Output: `host/schema/data/current/*.json.gz` (what the
//! server's kinds are, without prose and paths) and `host/schema/src/current/embedded.rs`, which embeds both.

use crate::shell;
use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

const REF_PREFIX: &str = "#/components/schemas/";

pub(super) fn run(is_check: bool) -> Result<()> {
    let root = shell::root().join("host/schema");
    let recorded = root.join("data/openapi");
    let discovered = |name: &str| {
        read_gz(&recorded.join(format!("discovery/{name}.json.gz"))).context("discovery is not recorded")
    };
    let discovery = json!({"api": discovered("api")?, "apis": discovered("apis")?});
    let version = read_gz(&recorded.join("version.json.gz"))?;
    let mut tables: BTreeMap<PathBuf, Value> = BTreeMap::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    for (group_version, resources) in served(&discovery) {
        let name = file_name(&group_version);
        let path = recorded.join(format!("v3/{name}.json.gz"));
        let document = read_gz(&path).with_context(|| format!("{} is not recorded", path.display()))?;
        let table = compile(&group_version, &resources, &document)?;
        tables.insert(root.join(format!("data/current/{name}.json.gz")), table);
        rows.push((group_version, name));
    }
    tables.insert(root.join("data/current/discovery.json.gz"), discovery);
    let count = tables.len();
    let stale = |path: &Path| {
        format!(
            "{} is not what the recorded documents give; run `cargo xtask codegen schema`",
            path.display()
        )
    };
    for (path, table) in tables {
        // compared by content: another release of the compressor may pack the same differently
        if read_gz(&path).is_ok_and(|old| old == table) {
            continue;
        }
        ensure!(!is_check, stale(&path));
        std::fs::create_dir_all(path.parent().context("a generated file lies in a folder")?)?;
        std::fs::write(&path, gz(&table)?)?;
    }
    let (path, text) = (
        root.join("src/current/embedded.rs"),
        embedded(text(&version, "gitVersion"), &rows),
    );
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
        ensure!(!is_check, stale(&path));
        std::fs::write(&path, text)?;
    }
    println!("codegen: {count} tables in host/schema/data/current");
    Ok(())
}

/// Group versions with their resources, in the server's order.
fn served(discovery: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for list in ["api", "apis"] {
        for group in discovery
            .get(list)
            .into_iter()
            .flat_map(|list| array(list, "items"))
        {
            for version in array(group, "versions") {
                let group = group
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let version_name = text(version, "version");
                let name = if group.is_empty() {
                    version_name.to_owned()
                } else {
                    format!("{group}/{version_name}")
                };
                found.push((name, version.get("resources").cloned().unwrap_or_default()));
            }
        }
    }
    found
}

fn compile(group_version: &str, resources: &Value, document: &Value) -> Result<Value> {
    let schemas = document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .context("the document has no components.schemas")?;
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let mut kinds = BTreeMap::new();
    for resource in resources.as_array().into_iter().flatten() {
        let answers = std::iter::once(resource).chain(array(resource, "subresources"));
        for kind in answers.filter_map(|resource| resource.get("responseKind")) {
            let own = |key: &str, default: &str| match text(kind, key) {
                "" => default.to_owned(),
                text => text.to_owned(),
            };
            let gvk = json!({"group": own("group", group), "version": own("version", version), "kind": own("kind", "")});
            let named = schemas
                .iter()
                .find(|(_, schema)| array(schema, "x-kubernetes-group-version-kind").contains(&gvk));
            if let Some((name, _)) = named {
                kinds.insert(own("kind", ""), name.clone());
            }
        }
    }
    let mut reachable = BTreeSet::new();
    let mut pending: Vec<String> = kinds.values().cloned().collect();
    while let Some(name) = pending.pop() {
        if let Some(schema) = schemas.get(&name)
            && reachable.insert(name)
        {
            references(schema, &mut pending);
        }
    }
    let kept: Map<String, Value> = reachable
        .iter()
        .filter_map(|name| Some((name.clone(), without_prose(schemas.get(name)?, false))))
        .collect();
    Ok(json!({"groupVersion": group_version, "resources": resources, "kinds": kinds, "schemas": kept}))
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => map.iter().for_each(|(key, value)| match value.as_str() {
            Some(text) if key == "$ref" => found.extend(text.strip_prefix(REF_PREFIX).map(str::to_owned)),
            _ => references(value, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The schema without descriptions; `names` says that the keys of this mapping are field names, not keywords.
fn without_prose(schema: &Value, names: bool) -> Value {
    match schema {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| {
                names || !matches!(key.as_str(), "description" | "x-kubernetes-group-version-kind")
            })
            .map(|(key, value)| (key.clone(), without_prose(value, !names && key == "properties")))
            .collect(),
        Value::Array(items) => items.iter().map(|item| without_prose(item, false)).collect(),
        other => other.clone(),
    }
}

fn embedded(version: &str, rows: &[(String, String)]) -> String {
    let mut text = format!(
        "// Generated by `cargo xtask codegen schema` from data/openapi; do not edit.\n\nuse super::Embedded;\n\n\
         pub(super) const VERSION: &str = \"{version}\";\n\n\
         pub(super) const DISCOVERY: &[u8] = include_bytes!(\"../../data/current/discovery.json.gz\");\n\n\
         pub(super) const TABLES: &[Embedded] = &[\n",
    );
    for (group_version, name) in rows {
        let _ = write!(
            text,
            "    Embedded {{\n        group_version: \"{group_version}\",\n        \
             table: include_bytes!(\"../../data/current/{name}.json.gz\"),\n        \
             document: include_bytes!(\"../../data/openapi/v3/{name}.json.gz\"),\n    }},\n"
        );
    }
    text.push_str("];\n");
    text
}

fn file_name(group_version: &str) -> String {
    match group_version.split_once('/') {
        Some((group, version)) => format!("apis__{group}__{version}"),
        None => format!("api__{group_version}"),
    }
}

/// A list below a key; empty where there is none.
fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// A text below a key; empty where there is none.
fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn read_gz(path: &Path) -> Result<Value> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn gz(value: &Value) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(&serde_json::to_vec(value)?)?;
    Ok(writer.finish()?)
}
