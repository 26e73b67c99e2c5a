//! Keeps `metadata.managedFields`.

use crate::kinds::Kind;
use crate::merge::{self, Ignore, Managers, Operation, Writer};
use crate::meta;
use crate::status::{Cause, Result, Status};
use serde_json::{Value, json};
use std::sync::Arc;

/// Who owned everything before the first apply to an object without owners.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn managed_fields(object: &Value) -> Option<&Vec<Value>> {
    object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
}

fn writer(kind: &Kind, operation: Operation, manager: &str, subresource: &str) -> Writer {
    Writer {
        operation,
        manager: manager.to_owned(),
        api_version: kind.api_version(),
        subresource: subresource.to_owned(),
    }
}

fn ignore(kind: &Kind, subresource: &str) -> Ignore {
    match (subresource, &kind.custom) {
        ("status", Some(_)) => Ignore::AllButStatus,
        ("status", None) => Ignore::SpecAndLabels,
        _ if kind.has_subresource("status") => Ignore::Status,
        _ => Ignore::Nothing,
    }
}

/// A write that is no apply: notes what `manager` changed. `live` is none for a create.
pub(crate) fn note_update(
    kind: &Kind,
    live: Option<&Value>,
    new: &mut Value,
    manager: &str,
    subresource: &str,
) {
    let sent = new.pointer("/metadata/managedFields").cloned();
    meta::remove(new, "managedFields");
    let stored = live
        .and_then(managed_fields)
        .and_then(|entries| Managers::read(entries))
        .unwrap_or_default();
    let mut managers = match &sent {
        _ if !subresource.is_empty() => stored,
        Some(Value::Array(entries)) if is_reset(entries) => Managers::default(),
        Some(Value::Array(entries)) => Managers::read(entries)
            .filter(|sent| !sent.is_empty())
            .unwrap_or(stored),
        _ => stored,
    };
    if managers.is_empty() && live.is_some() {
        return; // nobody asked for ownership of this object
    }
    let old = match live {
        Some(live) => without_managed_fields(live),
        None => kind.empty.clone(),
    };
    let writer = writer(kind, Operation::Update, manager, subresource);
    // the real server notes no time for the scale endpoint
    let now = if subresource == "scale" {
        String::new()
    } else {
        meta::now()
    };
    merge::update(
        &kind.schema,
        &old,
        new,
        &mut managers,
        &writer,
        ignore(kind, subresource),
        &now,
    );
    managers.cap();
    store(new, &managers);
}

fn is_reset(entries: &[Value]) -> bool {
    match entries {
        [] => true,
        [only] => *only == json!({}),
        _ => false,
    }
}

fn without_managed_fields(object: &Value) -> Arc<Value> {
    let mut object = object.clone();
    meta::remove(&mut object, "managedFields");
    Arc::new(object)
}

fn store(object: &mut Value, managers: &Managers) {
    if managers.is_empty() {
        meta::remove(object, "managedFields");
    } else {
        meta::set(object, "managedFields", managers.write());
    }
}

/// Server-side apply of `config` onto `live` (an empty object for a create).
pub(crate) fn apply(
    kind: &Kind,
    live: &Value,
    config: &Value,
    manager: &str,
    subresource: &str,
    force: bool,
) -> Result<Value> {
    if config
        .pointer("/metadata/managedFields")
        .is_some_and(|fields| !fields.is_null())
    {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    merge::validate(&kind.schema, config).map_err(|errors| untyped(kind, config, &errors))?;
    let read = managed_fields(live).map(|entries| Managers::read(entries).unwrap_or_default());
    let mut managers = read.unwrap_or_default();
    let live = without_managed_fields(live);
    let now = meta::now();
    let is_new = meta::uid(&live).is_empty();
    if managers.is_empty() && !is_new {
        let before = writer(kind, Operation::Update, BEFORE_FIRST_APPLY, "");
        merge::update(
            &kind.schema,
            &kind.empty,
            &live,
            &mut managers,
            &before,
            ignore(kind, ""),
            &now,
        );
    }
    let who = writer(kind, Operation::Apply, manager, subresource);
    let kept = managers.clone();
    let mut applied = merge::apply(
        &kind.schema,
        &live,
        config,
        &mut managers,
        &who,
        ignore(kind, subresource),
        force,
    );
    if let Err(conflicts) = &applied
        && manager == "kubectl"
        && are_client_side(&live, conflicts)
    {
        // the fields belong to the same tool from before it knew server-side apply
        managers = kept;
        applied = merge::apply(
            &kind.schema,
            &live,
            config,
            &mut managers,
            &who,
            ignore(kind, subresource),
            true,
        );
    }
    let applied = applied.map_err(|conflicts| refuse(&conflicts))?;
    let mut new = match applied {
        Some(new) => {
            managers.touch(&who, &now);
            new
        }
        None => (*live).clone(),
    };
    store(&mut new, &managers);
    Ok(new)
}

/// Whether all conflicting fields were last written by a client-side `kubectl apply`.
fn are_client_side(live: &Value, conflicts: &[merge::Conflict]) -> bool {
    let Some(last) = meta::annotation(live, LAST_APPLIED) else {
        return false;
    };
    let Ok(last) = serde_json::from_str::<Value>(last) else {
        return false;
    };
    conflicts.iter().all(|conflict| mentions(&last, &conflict.path))
}

/// Whether the configuration says something about a path; list items are looked up by their first key.
fn mentions(config: &Value, path: &str) -> bool {
    let mut value = config;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let (name, keys) = step.split_once('[').unwrap_or((step, ""));
        let Some(inner) = value.get(name) else {
            return false;
        };
        value = inner;
        if let Some((key, wanted)) = keys.trim_end_matches(']').split_once('=') {
            let wanted: Value = serde_json::from_str(wanted).unwrap_or_default();
            let item = value
                .as_array()
                .and_then(|items| items.iter().find(|item| item.get(key) == Some(&wanted)));
            let Some(item) = item else { return false };
            value = item;
        }
    }
    true
}

fn untyped(kind: &Kind, config: &Value, errors: &str) -> Status {
    let (namespace, name) = (meta::namespace(config), meta::name(config));
    let id = format!(
        "{namespace}/{name}; {}/{}, Kind={}",
        kind.group, kind.version, kind.kind
    );
    Status::new(
        500,
        "",
        format!("failed to create typed patch object ({id}): {errors}"),
    )
}

fn refuse(conflicts: &[merge::Conflict]) -> Status {
    let causes = conflicts.iter().map(|conflict| {
        let message = format!("conflict with {}", conflict.writer.describe());
        Cause::new("FieldManagerConflict", message, conflict.path.clone())
    });
    let message = match conflicts {
        [only] => format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            only.writer.describe(),
            only.path
        ),
        many => {
            let mut lines: Vec<String> = Vec::new();
            let mut last = None;
            for conflict in many {
                let who = conflict.writer.describe();
                if last.as_ref() != Some(&who) {
                    lines.push(format!("conflicts with {who}:"));
                    last = Some(who);
                }
                lines.push(format!("- {}", conflict.path));
            }
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    Status::apply_conflict(causes.collect(), message)
}
