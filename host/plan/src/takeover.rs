use crate::controls::keeps_foreign_fields;
use serde_json::{Map, Value, json};
use sluice_api::meta::{
    APPLY_MANAGER, FLUX1_CHECKSUM, FLUX1_GC_MARK, LAST_APPLIED_CONFIGURATION, LEGACY_CHECKSUM,
};
use sluice_object::{Object, pointer};

/// What earlier tools left behind.
const FOREIGN_ANNOTATIONS: [&str; 3] = [LAST_APPLIED_CONFIGURATION, LEGACY_CHECKSUM, FLUX1_CHECKSUM];
const FOREIGN_LABELS: [&str; 1] = [FLUX1_GC_MARK];
/// Managers whose fields are ours to take, by prefix, with the operations that count.
const FOREIGN_MANAGERS: [(&str, &[&str]); 3] = [
    ("kubectl", &["Apply", "Update"]),
    ("before-first-apply", &["Update"]),
    (APPLY_MANAGER, &["Update"]),
];

/// What is taken over beside the fields of the tools that are known.
#[derive(Clone, Debug, Default)]
pub struct Takeover {
    /// `--override-manager`: prefixes of more managers.
    pub override_managers: Vec<String>,
    /// Gate `MigrateAPIVersion`: every manager's entry moves to the API version that is desired.
    pub migrates_api_version: bool,
}

/// The JSON patch that takes over what earlier tools own of a live object (compat kustomize 6.8); none where there is
/// nothing to take. The API server refuses it where the object has changed since it was read.
pub fn takeover(desired: &Object, live: &Value, rules: &Takeover) -> Option<Value> {
    if keeps_foreign_fields(desired, Some(live)) {
        return None;
    }
    let mut operations = Vec::new();
    for (place, keys) in [
        ("annotations", &FOREIGN_ANNOTATIONS[..]),
        ("labels", &FOREIGN_LABELS[..]),
    ] {
        let has = |key: &&&str| {
            live.get("metadata")
                .and_then(|metadata| metadata.get(place)?.get(**key))
                .is_some()
        };
        let remove = |key: &&str| json!({ "op": "remove", "path": format!("/metadata/{place}/{}", pointer::escape(key)) });
        operations.extend(keys.iter().filter(has).map(remove));
    }
    if let Some(fields) = taken_fields(live, &rules.override_managers) {
        operations.push(json!({ "op": "replace", "path": "/metadata/managedFields", "value": fields }));
    }
    (!operations.is_empty()).then(|| guarded(operations, live))
}

/// The JSON patch that moves every manager's entry to the API version that is desired, where that is asked for and one has
/// another. Before anything else: with an entry of an older version the API server may refuse the dry run. As in Flux,
/// `ssa: Merge` does not keep it away.
pub fn migration(desired: &Object, live: &Value, rules: &Takeover) -> Option<Value> {
    if !rules.migrates_api_version {
        return None;
    }
    let version = desired.gvk().api_version();
    let mut fields = live.pointer("/metadata/managedFields")?.clone();
    let mut is_moved = false;
    for entry in fields.as_array_mut()?.iter_mut().filter_map(Value::as_object_mut) {
        if entry.get("apiVersion").and_then(Value::as_str) != Some(&version) {
            entry.insert("apiVersion".to_owned(), Value::from(version.as_str()));
            is_moved = true;
        }
    }
    is_moved.then(|| {
        let replace = json!({ "op": "replace", "path": "/metadata/managedFields", "value": fields });
        guarded(vec![replace], live)
    })
}

fn guarded(mut operations: Vec<Value>, live: &Value) -> Value {
    let version = live
        .pointer("/metadata/resourceVersion")
        .cloned()
        .unwrap_or_default();
    operations.push(json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": version }));
    Value::Array(operations)
}

/// `managedFields` with the entries of foreign managers merged into ours; none where there are none.
fn taken_fields(live: &Value, override_managers: &[String]) -> Option<Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let (foreign, mut kept): (Vec<&Value>, Vec<&Value>) = entries
        .iter()
        .partition(|entry| is_foreign(entry, override_managers));
    let first = *foreign.first()?;
    let ours = kept
        .iter()
        .position(|entry| is(entry, APPLY_MANAGER, "Apply"))
        .map(|index| kept.remove(index));
    let mut taken = ours.unwrap_or(first).clone();
    for entry in foreign {
        if let (Some(into), Some(from)) = (taken.get_mut("fieldsV1"), entry.get("fieldsV1")) {
            unite(into, from);
        }
    }
    if let Some(map) = taken.as_object_mut() {
        map.insert("manager".to_owned(), APPLY_MANAGER.into());
        map.insert("operation".to_owned(), "Apply".into());
    }
    Some(kept.into_iter().cloned().chain([taken]).collect())
}

fn text<'v>(entry: &'v Value, key: &str) -> &'v str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is(entry: &Value, manager: &str, operation: &str) -> bool {
    text(entry, "manager") == manager
        && text(entry, "operation") == operation
        && text(entry, "subresource").is_empty()
}

fn is_foreign(entry: &Value, override_managers: &[String]) -> bool {
    let (manager, operation) = (text(entry, "manager"), text(entry, "operation"));
    let is_listed = FOREIGN_MANAGERS
        .iter()
        .any(|(prefix, operations)| manager.starts_with(prefix) && operations.contains(&operation));
    let is_overridden = override_managers
        .iter()
        .any(|prefix| !prefix.is_empty() && manager.starts_with(prefix.as_str()));
    // our own apply entry is the one that takes
    text(entry, "subresource").is_empty()
        && (is_listed || is_overridden)
        && !is(entry, APPLY_MANAGER, "Apply")
}

/// The union of two field sets.
fn unite(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            unite(
                into.entry(key.clone())
                    .or_insert_with(|| Value::Object(Map::new())),
                value,
            );
        }
    }
}
