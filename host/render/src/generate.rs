//! The kustomization file that Flux would write: found or made, with the spec merged in, laid over the tree.

mod filter;
mod known;
mod merge;
mod scan;

use crate::error::Error;
use crate::ignore::Ignore;
use crate::recording::Recording;
use crate::spec::BuildSpec;
use serde_json::{Map, Value, json};
use sluice_artifact::{EntryType, Overlay, Question, Tree, TreeError, join_path};
use sluice_wasm::Finding;
use sluice_yaml::{Limits, ParseOptions, Resolver};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names of a kustomization file, in the order in which they are looked for.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Most nodes of a file that is read here, outside of the sandbox: a plugin could not hold more. A build of 12 MB has a million.
const NODES_MAX: usize = 2_000_000;

/// A tree that is ready to be built.
pub struct Generated {
    /// The artifact's tree with the kustomization file laid over it.
    pub tree: Arc<dyn Tree>,
    /// The directory to build, absolute in the tree.
    pub path: String,
    /// The file that was laid over; none where the tree's own says all.
    pub overlaid: Option<String>,
    /// What was asked of the base tree for it.
    pub asked: BTreeSet<(Question, String)>,
    /// Fields that Flux drops without a word.
    pub findings: Vec<Finding>,
}

/// Finds or makes the kustomization file of `spec.path` and merges the spec into it (`compat/kustomize.md` 5.1 to 5.4).
/// With `ignore`, manifests that it excludes are not scanned, and entries of the file that it excludes are dropped.
pub fn generate(tree: &Arc<dyn Tree>, spec: &BuildSpec, ignore: Option<&Ignore>) -> Result<Generated, Error> {
    let path = clean(&spec.path);
    let reader = Recording::new(&**tree);
    let names = list(&reader, &path)?;
    let found = FILE_NAMES
        .into_iter()
        .find(|name| names.iter().any(|file| file == name));
    let mut findings = Vec::new();
    let (file, original) = match found {
        Some(name) => {
            let file = join_path(&path, name);
            let original = read_file(&reader, &file, &mut findings)?;
            (file, Some(original))
        }
        None => (join_path(&path, "kustomization.yaml"), None),
    };
    let mut kustomization = match &original {
        Some(original) => merge::with_origins_where_empty(original.clone()),
        None => made(scan::resources(&reader, &path, ignore)?),
    };
    if let Some(ignore) = ignore {
        filter::drop_ignored(&mut kustomization, &path, &reader, ignore)?;
    }
    let merged = merge::merge(kustomization, spec, &path, &reader)?;
    let asked = reader.into_asked();
    // a file that says all by itself stays as it is, with its lines for messages
    if original.as_ref() == Some(&merged) && findings.is_empty() {
        return Ok(Generated {
            tree: Arc::clone(tree),
            path,
            overlaid: None,
            asked,
            findings,
        });
    }
    let text = sluice_yaml::emit_v2(&Value::Object(merged));
    let overlay = Overlay::new(Arc::clone(tree), [(file.as_str(), text.into_bytes())])
        .map_err(|error| Error::Generate(error.to_string()))?;
    Ok(Generated {
        tree: Arc::new(overlay),
        path,
        overlaid: Some(file),
        asked,
        findings,
    })
}

/// `spec.path` inside of the tree: `..` stops at the root, as Flux's secure join does.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn bounded(dialect: Resolver) -> ParseOptions {
    ParseOptions {
        limits: Limits {
            nodes: NODES_MAX,
            ..Limits::default()
        },
        ..ParseOptions::new(dialect)
    }
}

/// The files of a directory by name; that it is there is what Flux checks first.
fn list(reader: &Recording<'_>, path: &str) -> Result<Vec<String>, Error> {
    let entries = reader.read_dir(path).map_err(|error| Error::PathNotFound {
        path: path.to_owned(),
        cause: match error {
            TreeError::NotADirectory => "not a directory".to_owned(),
            error => error.to_string(),
        },
    })?;
    let files = entries
        .into_iter()
        .filter(|entry| entry.entry_type == EntryType::File);
    Ok(files.map(|entry| base_name(&entry.path).to_owned()).collect())
}

/// A kustomization file as Flux reads it: unknown fields vanish, spelling of case does not matter.
fn read_file(
    reader: &Recording<'_>,
    file: &str,
    findings: &mut Vec<Finding>,
) -> Result<Map<String, Value>, Error> {
    let shown = file.trim_start_matches('/');
    let failed = |what: String| Error::Generate(format!("{shown}: {what}"));
    let bytes = reader.read(file).map_err(|error| failed(error.to_string()))?;
    let document = sluice_yaml::parse_document(&bytes, &bounded(Resolver::V2));
    let mut root = match document.map_err(|error| failed(error.to_string()))? {
        Some(document) if !document.root.is_null() => document.root,
        _ => return Ok(made(Vec::new())),
    };
    if !root.is_mapping() {
        return Err(failed("a kustomization is a mapping of fields".to_owned()));
    }
    findings.extend(known::drop_unknown_fields(&mut root, shown));
    match sluice_yaml::to_json(&root, Resolver::V2).map_err(|error| failed(error.to_string()))? {
        Value::Object(fields) => Ok(with_type(fields)),
        _ => Err(failed("a kustomization is a mapping of fields".to_owned())),
    }
}

/// What Flux makes where no file is. Without resources a placeholder keeps Kustomize from refusing it as empty.
fn made(resources: Vec<String>) -> Map<String, Value> {
    let mut fields = Map::new();
    if resources.is_empty() {
        fields.insert("namespace".to_owned(), json!("_placeholder"));
    } else {
        fields.insert("resources".to_owned(), json!(resources));
    }
    with_type(fields)
}

fn with_type(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields
        .entry("apiVersion")
        .or_insert_with(|| json!("kustomize.config.k8s.io/v1beta1"));
    fields.entry("kind").or_insert_with(|| json!("Kustomization"));
    fields
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
