//! The resources of a directory without a kustomization file: every manifest below it.

use super::{FILE_NAMES, base_name, bounded};
use crate::error::Error;
use crate::ignore::Ignore;
use crate::recording::Recording;
use serde_json::Value;
use sluice_artifact::EntryType;
use sluice_yaml::Resolver;

/// Manifests and kustomizations below `root` in lexical order, relative to it: `./apps/web.yaml`, `./base`.
pub(super) fn resources(
    reader: &Recording<'_>,
    root: &str,
    ignore: Option<&Ignore>,
) -> Result<Vec<String>, Error> {
    let mut paths = Vec::new();
    scan(reader, root, ignore, &mut paths)?;
    let relative = |path: String| {
        format!(
            "./{}",
            path.strip_prefix(root).unwrap_or(&path).trim_start_matches('/')
        )
    };
    Ok(paths.into_iter().map(relative).collect())
}

fn scan(
    reader: &Recording<'_>,
    directory: &str,
    ignore: Option<&Ignore>,
    paths: &mut Vec<String>,
) -> Result<(), Error> {
    let unreadable =
        |path: &str, error| Error::Generate(format!("{}: {error}", path.trim_start_matches('/')));
    for entry in reader
        .read_dir(directory)
        .map_err(|error| unreadable(directory, error))?
    {
        if entry.entry_type == EntryType::Directory {
            let inside = reader
                .read_dir(&entry.path)
                .map_err(|error| unreadable(&entry.path, error))?;
            let is_kustomization = |path: &str| FILE_NAMES.contains(&base_name(path));
            if inside
                .iter()
                .any(|inner| inner.entry_type == EntryType::File && is_kustomization(&inner.path))
            {
                paths.push(entry.path);
            } else {
                scan(reader, &entry.path, ignore, paths)?;
            }
        } else if base_name(&entry.path)
            .rsplit_once('.')
            .is_some_and(|(_, end)| matches!(end, "yaml" | "yml"))
            && !ignore.is_some_and(|ignore| ignore.is_ignored(&entry.path, false))
        {
            let bytes = reader
                .read(&entry.path)
                .map_err(|error| unreadable(&entry.path, error))?;
            check_manifests(&bytes).map_err(|cause| {
                let path = entry.path.trim_start_matches('/');
                Error::Generate(format!(
                    "failed to decode Kubernetes YAML from {path}: {cause}; add a kustomization.yaml that lists the manifests where a directory holds other YAML too"
                ))
            })?;
            paths.push(entry.path);
        }
    }
    Ok(())
}

/// Every document must be an object with a kind and a name, or a list of such.
fn check_manifests(bytes: &[u8]) -> Result<(), String> {
    let documents = sluice_yaml::parse_documents(bytes, &bounded(Resolver::V3));
    let documents = documents.map_err(|error| error.to_string())?;
    for document in documents {
        let value = sluice_yaml::to_json(&document.root, Resolver::V3).map_err(|error| error.to_string())?;
        let line = document.position.line;
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        if value.is_null() {
            continue;
        }
        if !value.is_object() {
            return Err(format!("the document at line {line} is no mapping"));
        }
        if !text("/kind") {
            return Err(format!("the document at line {line} has no kind"));
        }
        let is_list = value
            .get("kind")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.ends_with("List"));
        if !is_list && !text("/metadata/name") {
            return Err(format!("the document at line {line} has no metadata.name"));
        }
    }
    Ok(())
}
