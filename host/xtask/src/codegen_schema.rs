//! Turns recorded OpenAPI v3 documents and discovery into the compiled tables of `host/schema/src/current`.
//!
//! Input: `host/schema/data/openapi/v3/*.json.gz` (one document a group version) and `discovery/{api,apis}.json.gz` (aggregated
//! discovery), both as the server gave them. Output: `host/schema/data/current/*.json.gz` (what the
//! server's kinds are, without prose and paths) and `host/schema/src/current/embedded.rs`, which embeds both.

use anyhow::{Context, Result, bail};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

const REF_PREFIX: &str = "#/components/schemas/";

/// `cargo xtask codegen schema [--check]`: `--check` writes nothing and fails where something would change.
pub fn run(args: &[String]) -> Result<()> {
    let check = args.iter().any(|arg| arg == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    let recorded = root.join("data/openapi");
    let discovered = |name: &str| read_gz(&recorded.join(format!("discovery/{name}.json.gz"))).context("discovery is not recorded");
    let discovery = json!({"api": discovered("api")?, "apis": discovered("apis")?});
    let version = read_gz(&recorded.join("version.json.gz"))?["gitVersion"].as_str().unwrap_or_default().to_owned();
    let mut out: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    for (group_version, resources) in served(&discovery) {
        let name = file_name(&group_version);
        let path = recorded.join(format!("v3/{name}.json.gz"));
        let document = read_gz(&path).with_context(|| format!("{} is not recorded", path.display()))?;
        let table = compile(&group_version, &resources, &document)?;
        out.insert(root.join(format!("data/current/{name}.json.gz")), gz(&table)?);
        rows.push((group_version, name));
    }
    out.insert(root.join("data/current/discovery.json.gz"), gz(&discovery)?);
    out.insert(root.join("src/current/embedded.rs"), embedded(&version, &rows).into_bytes());
    for (path, bytes) in out {
        if std::fs::read(&path).is_ok_and(|old| old == bytes) {
            continue;
        }
        if check {
            bail!("{} is not what the recorded documents give; run `cargo xtask codegen schema`", path.display());
        }
        std::fs::create_dir_all(path.parent().context("a generated file lies in a folder")?)?;
        std::fs::write(&path, bytes)?;
    }
    Ok(())
}

/// Group versions with their resources, in the server's order.
fn served(discovery: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for list in ["api", "apis"] {
        for group in array(&discovery[list]["items"]) {
            for version in array(&group["versions"]) {
                let group = group["metadata"]["name"].as_str().unwrap_or_default();
                let version_name = version["version"].as_str().unwrap_or_default();
                let name = if group.is_empty() { version_name.to_owned() } else { format!("{group}/{version_name}") };
                found.push((name, version["resources"].clone()));
            }
        }
    }
    found
}

fn compile(group_version: &str, resources: &Value, document: &Value) -> Result<Value> {
    let schemas = document["components"]["schemas"].as_object().context("the document has no components.schemas")?;
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let mut kinds = BTreeMap::new();
    for resource in array(resources) {
        let subresources = array(&resource["subresources"]).iter().map(|subresource| &subresource["responseKind"]);
        for kind in std::iter::once(&resource["responseKind"]).chain(subresources) {
            let own = |key: &str, default: &str| match kind[key].as_str() {
                Some(text) if !text.is_empty() => text.to_owned(),
                _ => default.to_owned(),
            };
            let gvk = json!({"group": own("group", group), "version": own("version", version), "kind": own("kind", "")});
            let named = schemas.iter().find(|(_, schema)| {
                array(&schema["x-kubernetes-group-version-kind"]).contains(&gvk)
            });
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
    let kept: Map<String, Value> =
        reachable.iter().map(|name| (name.clone(), without_prose(&schemas[name], false))).collect();
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
            .filter(|(key, _)| names || !matches!(key.as_str(), "description" | "x-kubernetes-group-version-kind"))
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

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
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
