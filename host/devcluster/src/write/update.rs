//! Changing objects: PUT, the patches, and server-side apply.

use super::{Write, Written, create, owners, read, read_patched, strategy, validate};
use crate::cluster::Cluster;
use crate::meta;
use crate::patch::{PatchKind, go_map, patched};
use crate::request::FieldValidation;
use crate::status::{Cause, Result, Status};
use crate::store::{Expect, Key, revision_of};
use serde_json::{Value, json};
use std::sync::Arc;

/// How often a patch is tried again when somebody else wrote in between.
const PATCH_TRIES_MAX: usize = 5;

fn current(cluster: &Cluster, write: &Write) -> Result<Arc<Value>> {
    let key = Key::new(&write.namespace, &write.name);
    cluster
        .store
        .get(&write.kind.table, &key)
        .ok_or_else(|| Status::not_found(&write.named()))
}

/// PUT of an object or its status.
pub(crate) fn replace(cluster: &Cluster, write: &Write, mut body: Value) -> Result<Written> {
    let mut warnings = Vec::new();
    read(write, &mut body, &mut warnings)?;
    create::place(write, &mut body)?;
    loop {
        let stored = current(cluster, write)?;
        if meta::resource_version(&body) == "0" {
            meta::remove(&mut body, "resourceVersion"); // any version will do
        }
        let sent = meta::resource_version(&body);
        if !sent.is_empty() && sent.parse::<u64>().is_err() {
            return Err(Status::new(
                500,
                "",
                format!("strconv.ParseUint: parsing \"{sent}\": invalid syntax"),
            ));
        }
        if sent.is_empty() && !strategy::allows_unconditional_update(&write.kind) {
            let cause = Cause::new(
                "FieldValueInvalid",
                "Invalid value: 0: must be specified for an update",
                "metadata.resourceVersion",
            );
            return Err(Status::invalid(
                &write.kind.group,
                &write.kind.plural,
                &write.name,
                vec![cause],
            ));
        }
        let is_pinned = !sent.is_empty();
        let old = write.kind.present(&stored);
        match finish(cluster, write, &stored, &old, body.clone(), Owner::Update)? {
            Some(object) => {
                return Ok(Written {
                    object,
                    is_new: false,
                    warnings,
                });
            }
            None if is_pinned => return Err(Status::modified(&write.named())),
            None => {}
        }
    }
}

/// PATCH with a JSON, merge or strategic merge patch.
pub(crate) fn patch(cluster: &Cluster, write: &Write, how: PatchKind, body: &Value) -> Result<Written> {
    if how == PatchKind::Strategic && write.kind.custom.is_some() {
        return Err(Status::unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        ));
    }
    for _ in 0..PATCH_TRIES_MAX {
        let stored = current(cluster, write)?;
        let old = write.kind.present(&stored);
        let mut new = patched(how, &write.kind.schema, &old, body.clone())?;
        let mut warnings = Vec::new();
        let shown = if how == PatchKind::Strategic {
            go_map(body)
        } else {
            new.to_string()
        };
        read_patched(write, &mut new, &shown, &mut warnings)?;
        create::place(write, &mut new)?;
        let is_pinned = meta::resource_version(&new) != meta::resource_version(&old);
        if let Some(object) = finish(cluster, write, &stored, &old, new, Owner::Patch)? {
            return Ok(Written {
                object,
                is_new: false,
                warnings,
            });
        }
        if is_pinned {
            break;
        }
    }
    Err(Status::modified(&write.named()))
}

/// Server-side apply to an object or its status; makes the object where it is absent.
pub(crate) fn apply(cluster: &Cluster, write: &Write, body: &Value) -> Result<Written> {
    check_applied(write, body)?;
    let mut config = body.clone();
    create::place(write, &mut config)?;
    // what lives in no namespace loses the one it was sent with; elsewhere what was sent is what the manager owns
    let config = if write.kind.is_namespaced { body } else { &config };
    for _ in 0..PATCH_TRIES_MAX {
        let stored = cluster
            .store
            .get(&write.kind.table, &Key::new(&write.namespace, &write.name));
        let Some(stored) = stored else {
            if !write.subresource.is_empty() {
                return Err(Status::not_found(&write.named()));
            }
            return apply_new(cluster, write, config);
        };
        let old = write.kind.present(&stored);
        let sent = meta::resource_version(config);
        if !sent.is_empty() && sent != meta::resource_version(&old) {
            return Err(Status::modified(&write.named()));
        }
        let (manager, force) = (&write.options.manager, write.options.force);
        let mut new = owners::apply(&write.kind, &old, config, manager, &write.subresource, force)?;
        // read again as the stored type would be; what is unknown was refused above
        let quiet = Write {
            options: crate::request::WriteOptions {
                field_validation: FieldValidation::Ignore,
                ..write.options.clone()
            },
            ..write.clone()
        };
        read(&quiet, &mut new, &mut Vec::new())?;
        if let Some(object) = finish(cluster, write, &stored, &old, new, Owner::Apply)? {
            return Ok(Written {
                object,
                is_new: false,
                warnings: Vec::new(),
            });
        }
    }
    Err(Status::modified(&write.named()))
}

fn check_applied(write: &Write, body: &Value) -> Result<()> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (write.kind.api_version(), &write.kind.kind);
    if !body.is_object() {
        return Err(Status::bad_request(
            "error decoding YAML: the patch is not an object",
        ));
    }
    if text("apiVersion") != version || text("kind") != kind {
        let (group, sent_version) = text("apiVersion")
            .split_once('/')
            .unwrap_or(("", text("apiVersion")));
        return Err(Status::bad_request(format!(
            "invalid object type: {group}/{sent_version}, Kind={}",
            text("kind")
        )));
    }
    Ok(())
}

fn apply_new(cluster: &Cluster, write: &Write, config: &Value) -> Result<Written> {
    if !meta::uid(config).is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {}, and no existing object was found",
            meta::uid(config)
        );
        return Err(Status::conflict(&write.named(), &why));
    }
    let mut config = config.clone();
    meta::remove(&mut config, "resourceVersion");
    let config = &config;
    let mut live = (*write.kind.empty).clone();
    meta::set(&mut live, "name", write.name.clone());
    if write.kind.is_namespaced {
        meta::set(&mut live, "namespace", write.namespace.clone());
    }
    let (manager, force) = (&write.options.manager, write.options.force);
    let mut new = owners::apply(&write.kind, &live, config, manager, &write.subresource, force)?;
    let quiet = Write {
        options: crate::request::WriteOptions {
            field_validation: FieldValidation::Ignore,
            ..write.options.clone()
        },
        ..write.clone()
    };
    read(&quiet, &mut new, &mut Vec::new())?;
    let object = create::finish(cluster, write, new)?;
    Ok(Written {
        object,
        is_new: true,
        warnings: Vec::new(),
    })
}

/// Who notes the owners of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Nobody yet: the change is compared with what was there.
    Update,
    /// The same, after a patch.
    Patch,
    /// The apply did.
    Apply,
}

fn uid_conflict(write: &Write, wanted: &str, found: &str) -> Status {
    let group = if write.kind.custom.is_some() {
        format!("{}/", write.kind.group)
    } else {
        String::new()
    };
    let namespace = if write.namespace.is_empty() {
        String::new()
    } else {
        format!("{}/", write.namespace)
    };
    let key = format!("/registry/{group}{}/{namespace}{}", write.kind.plural, write.name);
    Status::conflict(
        &write.named(),
        &format!(
            "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
        ),
    )
}

/// Stores a change that is read. None means that somebody else was faster.
fn finish(
    cluster: &Cluster,
    write: &Write,
    stored: &Arc<Value>,
    old: &Arc<Value>,
    mut new: Value,
    owner: Owner,
) -> Result<Option<Arc<Value>>> {
    let kind = &write.kind;
    if owner == Owner::Update && !meta::uid(&new).is_empty() && meta::uid(&new) != meta::uid(old) {
        return Err(uid_conflict(write, meta::uid(&new), meta::uid(old)));
    }
    let sent = meta::resource_version(&new);
    if !sent.is_empty() && sent != meta::resource_version(old) {
        return Err(Status::modified(&write.named()));
    }
    if meta::uid(&new).is_empty() {
        meta::carry(old, &mut new, "uid");
    }
    for field in [
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        meta::carry(old, &mut new, field);
    }
    if meta::text(&new, "generateName").is_empty() {
        meta::carry(old, &mut new, "generateName");
    }
    if owner != Owner::Apply {
        owners::note_update(
            kind,
            Some(old),
            &mut new,
            &write.options.manager,
            &write.subresource,
        );
    }
    match write.subresource.as_str() {
        "status" => strategy::prepare_status_update(kind, old, &mut new),
        "finalize" => strategy::prepare_finalize(old, &mut new),
        _ => {
            write.admit(cluster, &mut new)?;
            strategy::prepare_update(kind, old, &mut new);
            cluster.allocate(kind, &mut new);
        }
    }
    validate(write, Some(old), &new)?;
    meta::carry(old, &mut new, "resourceVersion");
    if is_same(old, &new) {
        return Ok(Some(old.clone()));
    }
    let goes = meta::is_deleted(&new) && meta::finalizers(&new).is_empty() && !keeps_alive(kind, &new);
    let to_store = kind.to_stored(new);
    if write.options.is_dry_run {
        return Ok(Some(kind.present(&Arc::new(to_store))));
    }
    let expected = revision_of(stored);
    if goes && meta::text(&to_store, "deletionGracePeriodSeconds").is_empty() && grace(&to_store) == 0 {
        let gone = cluster.remove(kind, &Key::of(&to_store), expected);
        return Ok(gone.ok().map(|_| kind.present(&Arc::new(to_store))));
    }
    Ok(cluster
        .put(kind, to_store, &Expect::Revision(expected))
        .ok()
        .map(|stored| kind.present(&stored)))
}

fn grace(object: &Value) -> i64 {
    object
        .pointer("/metadata/deletionGracePeriodSeconds")
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// A namespace lives until its own finalizers are gone.
fn keeps_alive(kind: &crate::kinds::Kind, object: &Value) -> bool {
    kind.is("", "namespaces")
        && object
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty())
}

/// Whether nothing changed but the times of ownership.
fn is_same(old: &Value, new: &Value) -> bool {
    fn timeless(object: &Value) -> Vec<Value> {
        let entries = object
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        entries
            .into_iter()
            .map(|mut entry| {
                meta::as_map(&mut entry).remove("time");
                entry
            })
            .collect()
    }
    let (old_map, new_map) = (old.as_object(), new.as_object());
    let (Some(old_map), Some(new_map)) = (old_map, new_map) else {
        return false;
    };
    let rest = |map: &serde_json::Map<String, Value>| -> serde_json::Map<String, Value> {
        map.get("metadata")
            .and_then(Value::as_object)
            .cloned()
            .map(|mut meta| {
                meta.remove("managedFields");
                meta
            })
            .unwrap_or_default()
    };
    old_map.len() == new_map.len()
        && old_map
            .iter()
            .all(|(field, value)| field == "metadata" || new_map.get(field) == Some(value))
        && rest(old_map) == rest(new_map)
        && sorted(timeless(old)) == sorted(timeless(new))
}

fn sorted(mut entries: Vec<Value>) -> Vec<Value> {
    let key = |entry: &Value| {
        json!([
            entry.get("manager"),
            entry.get("operation"),
            entry.get("apiVersion"),
            entry.get("subresource")
        ])
        .to_string()
    };
    entries.sort_by_key(key);
    entries
}
