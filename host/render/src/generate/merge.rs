//! The spec's fields, put into a kustomization (`compat/kustomize.md` 5.2 to 5.4).

use super::clean;
use crate::error::Error;
use crate::recording::Recording;
use crate::spec::{BuildSpec, Image};
use serde_json::{Map, Value, json};
use sluice_artifact::TreeError;
use std::collections::HashMap;

/// Beginnings of what Kustomize would fetch over the network.
const REMOTE: [&str; 8] = [
    "git::",
    "gh:",
    "ssh://",
    "https://",
    "http://",
    "git@",
    "github.com:",
    "github.com/",
];

/// A file without resources gets origin annotations in place of its own `buildMetadata`, so that Kustomize does not
/// call it empty.
pub(super) fn with_origins_where_empty(mut fields: Map<String, Value>) -> Map<String, Value> {
    let resources = fields.get("resources").and_then(Value::as_array);
    if resources.is_none_or(Vec::is_empty) {
        fields.insert("buildMetadata".to_owned(), json!(["originAnnotations"]));
    }
    fields
}

pub(super) fn merge(
    mut fields: Map<String, Value>,
    spec: &BuildSpec,
    path: &str,
    reader: &Recording<'_>,
) -> Result<Map<String, Value>, Error> {
    let texts = [
        ("namespace", &spec.target_namespace),
        ("namePrefix", &spec.name_prefix),
        ("nameSuffix", &spec.name_suffix),
    ];
    for (field, value) in texts {
        if let Some(value) = value {
            fields.insert(field.to_owned(), json!(value));
        }
    }
    let patches = spec
        .patches
        .iter()
        .map(|patch| with_target(json!({"patch": patch.patch}), patch.target.as_ref()));
    append(&mut fields, "patches", patches);
    append(
        &mut fields,
        "patchesStrategicMerge",
        spec.patches_strategic_merge
            .iter()
            .map(|patch| json!(patch.to_string())),
    );
    let patches = spec
        .patches_json6902
        .iter()
        .map(|patch| with_target(json!({"patch": patch.patch.to_string()}), Some(&patch.target)));
    append(&mut fields, "patchesJson6902", patches);
    let components = local_components(spec, path, reader)?;
    append(&mut fields, "components", components.into_iter().map(Value::from));
    if !spec.images.is_empty() {
        let images = fields.entry("images").or_insert_with(|| json!([]));
        if let Value::Array(images) = images {
            let mut places = HashMap::new();
            for (place, image) in images.iter().enumerate() {
                if let Some(name) = image.get("name").and_then(Value::as_str) {
                    places.entry(name.to_owned()).or_insert(place);
                }
            }
            for image in &spec.images {
                merge_image(images, &mut places, image);
            }
        }
    }
    if let Some(metadata) = &spec.build_metadata {
        fields.insert("buildMetadata".to_owned(), json!(metadata));
    }
    Ok(fields)
}

fn with_target(mut patch: Value, target: Option<&Value>) -> Value {
    if let (Value::Object(patch), Some(target)) = (&mut patch, target) {
        patch.insert("target".to_owned(), target.clone());
    }
    patch
}

fn append(fields: &mut Map<String, Value>, field: &str, items: impl Iterator<Item = Value>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let list = fields.entry(field).or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    if let Value::Array(list) = list {
        list.extend(items);
    }
}

/// Components must be directories of the tree. Missing ones are left out only where the spec says so.
fn local_components(spec: &BuildSpec, path: &str, reader: &Recording<'_>) -> Result<Vec<String>, Error> {
    let mut components = Vec::new();
    for component in &spec.components {
        if component.starts_with('/') || REMOTE.iter().any(|prefix| component.starts_with(prefix)) {
            return Err(Error::Generate(format!(
                "component path '{component}' must be local and relative; copy the component into the repository, or make it a source of its own"
            )));
        }
        let is_missing = || {
            let directory = clean(&format!("{path}/{component}"));
            matches!(reader.read_dir(&directory), Err(TreeError::NotFound))
        };
        if spec.ignore_missing_components && is_missing() {
            continue;
        }
        components.push(component.clone());
    }
    Ok(components)
}

/// By name, with the place of each: a new name replaces where it is not empty; tag and digest are one, so either replaces both.
fn merge_image(images: &mut Vec<Value>, places: &mut HashMap<String, usize>, image: &Image) {
    let place = *places.entry(image.name.clone()).or_insert(images.len());
    if place == images.len() {
        images.push(json!({"name": image.name}));
    }
    let Some(Value::Object(entry)) = images.get_mut(place) else {
        return;
    };
    let mut set = |field: &str, value: &str| {
        if value.is_empty() {
            entry.remove(field);
        } else {
            entry.insert(field.to_owned(), json!(value));
        }
    };
    if !image.new_name.is_empty() {
        set("newName", &image.new_name);
    }
    if !image.new_tag.is_empty() || !image.digest.is_empty() {
        set("newTag", &image.new_tag);
        set("digest", &image.digest);
    }
}
