use super::{DNS_LABEL, is_match};
use crate::kinds::Kind;
use crate::meta;
use crate::status::Cause;
use serde_json::Value;
use sluice_object::label;

/// What is wrong with an object's metadata.
pub(crate) fn metadata(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = meta::name(object);
    let prefix = meta::text(object, "generateName");
    if let Some(why) = bad_name(kind, prefix.trim_end_matches('-')).filter(|_| !prefix.is_empty()) {
        causes.push(Cause::new(
            "FieldValueInvalid",
            format!("Invalid value: \"{prefix}\": {why}"),
            "metadata.generateName",
        ));
    }
    if name.is_empty() {
        causes.push(Cause::new(
            "FieldValueRequired",
            "Required value: name or generateName is required",
            "metadata.name",
        ));
    } else if let Some(why) = bad_name(kind, name) {
        causes.push(Cause::new(
            "FieldValueInvalid",
            format!("Invalid value: \"{name}\": {why}"),
            "metadata.name",
        ));
    }
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
    for (key, value) in labels.into_iter().flatten() {
        for why in label::key_problems(key) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{key}\": {why}"),
                "metadata.labels",
            ));
        }
        let value = value.as_str().unwrap_or_default();
        for why in label::value_problems(value) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{value}\": {why}"),
                "metadata.labels",
            ));
        }
    }
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        for why in label::key_problems(&key.to_lowercase()) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{key}\": {why}"),
                "metadata.annotations",
            ));
        }
    }
    if size > ANNOTATIONS_BYTES_MAX {
        let message = format!("Too long: may not be more than {ANNOTATIONS_BYTES_MAX} bytes");
        causes.push(Cause::new("FieldValueTooLong", message, "metadata.annotations"));
    }
    for (index, finalizer) in meta::finalizers(object).iter().enumerate() {
        let is_standard = matches!(finalizer.as_str(), "orphan" | "foregroundDeletion" | "kubernetes");
        let at = format!("metadata.finalizers[{index}]");
        if let Some(why) = label::key_problems(finalizer).into_iter().next() {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{finalizer}\": {why}"),
                at,
            ));
        } else if kind.custom.is_none() && !is_standard && !finalizer.contains('/') {
            // only the built-in kinds ask for this: Flux's own finalizer has no slash
            let message = format!(
                "Invalid value: \"{finalizer}\": name is neither a standard finalizer name nor is it fully qualified"
            );
            causes.push(Cause::new("FieldValueInvalid", message, at));
        }
    }
    let controllers: Vec<&Value> = meta::owner_references(object)
        .iter()
        .filter(|owner| owner.get("controller") == Some(&Value::Bool(true)))
        .collect();
    if let [first, second, ..] = controllers.as_slice() {
        let name = |owner: &Value| {
            let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{}/{}", text("kind"), text("name"))
        };
        let shown = owners_in_go(object);
        let message = format!(
            "Invalid value: {shown}: Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
            name(first),
            name(second)
        );
        causes.push(Cause::new(
            "FieldValueInvalid",
            message,
            "metadata.ownerReferences",
        ));
    }
    for owner in meta::owner_references(object) {
        let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
        let said = [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ];
        for (key, said) in said.into_iter().filter(|(key, _)| text(key).is_empty()) {
            let message = format!("Invalid value: \"\": {said}");
            causes.push(Cause::new(
                "FieldValueInvalid",
                message,
                format!("metadata.ownerReferences.{key}"),
            ));
        }
    }
    causes
}

/// Owner references as Go prints them: in the order of the type's fields.
fn owners_in_go(object: &Value) -> String {
    let fields = [
        "apiVersion",
        "kind",
        "name",
        "uid",
        "controller",
        "blockOwnerDeletion",
    ];
    let owners = meta::owner_references(object).iter().map(|owner| {
        let known = fields
            .iter()
            .filter_map(|field| Some(format!("\"{field}\":{}", owner.get(field)?)));
        format!("{{{}}}", known.collect::<Vec<_>>().join(","))
    });
    format!("[{}]", owners.collect::<Vec<_>>().join(","))
}

/// What an update may not do to metadata.
pub(crate) fn metadata_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if meta::is_deleted(old) {
        let had = meta::finalizers(old);
        let added: Vec<String> = meta::finalizers(new)
            .into_iter()
            .filter(|name| !had.contains(name))
            .collect();
        if !added.is_empty() {
            let shown: Vec<String> = added.iter().map(|name| format!("\"{name}\"")).collect();
            let message = format!(
                "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                shown.join(", ")
            );
            causes.push(Cause::new("FieldValueForbidden", message, "metadata.finalizers"));
        }
    }
    if meta::uid(old) != meta::uid(new) {
        let message = format!("Invalid value: \"{}\": field is immutable", meta::uid(new));
        causes.push(Cause::new("FieldValueInvalid", message, "metadata.uid"));
    }
    causes
}

/// All annotations of an object together, as the real server bounds them.
const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

fn bad_name(kind: &Kind, name: &str) -> Option<&'static str> {
    if kind.group == "rbac.authorization.k8s.io" {
        return match name {
            "." => Some("may not be '.'"),
            ".." => Some("may not be '..'"),
            name if name.contains('/') => Some("may not contain '/'"),
            name if name.contains('%') => Some("may not contain '%'"),
            _ => None,
        };
    }
    if kind.custom.is_none() && kind.kind == "Namespace" {
        return match name.len() {
            64.. => Some("must be no more than 63 bytes"),
            _ => (!is_match("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", name)).then_some(DNS_LABEL),
        };
    }
    if kind.custom.is_none() && kind.kind == "Service" {
        return match name.len() {
            64.. => Some("must be no more than 63 bytes"),
            _ => (!is_match("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", name)).then_some(DNS_LABEL),
        };
    }
    match name.len() {
        254.. => Some("must be no more than 253 bytes"),
        _ => (!label::is_subdomain(name)).then_some(label::SUBDOMAIN),
    }
}
