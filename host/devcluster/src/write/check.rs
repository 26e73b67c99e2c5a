//! Validation that the server's code does beyond schemas: names, labels, and the rules of built-in kinds that people trip over.

use crate::kinds::Kind;
use crate::meta;
use crate::selector::Selector;
use crate::status::Cause;
use regex::Regex;
use serde_json::Value;
use std::sync::OnceLock;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

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
        if let Some(why) = bad_key(key) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{key}\": {why}"),
                "metadata.labels",
            ));
        }
        let value = value.as_str().unwrap_or_default();
        if value.len() > 63 {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{value}\": must be no more than 63 bytes"),
                "metadata.labels",
            ));
        } else if !is_match("^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", value) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{value}\": {LABEL_VALUE}"),
                "metadata.labels",
            ));
        }
    }
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        if let Some(why) = bad_key(&key.to_lowercase()) {
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
        if let Some(why) = bad_key(finalizer) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{finalizer}\": {why}"),
                at,
            ));
        } else if !is_standard && !finalizer.contains('/') {
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
            owner
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let shown = object
            .pointer("/metadata/ownerReferences")
            .cloned()
            .unwrap_or_default();
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
    for (index, owner) in meta::owner_references(object).iter().enumerate() {
        let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
        for (key, said) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "kind must not be empty"),
            ("name", "name must not be empty"),
            ("uid", "uid must not be empty"),
        ] {
            if text(key).is_empty() {
                let message = format!("Invalid value: \"\": {said}");
                causes.push(Cause::new(
                    "FieldValueInvalid",
                    message,
                    format!("metadata.ownerReferences[{index}].{key}"),
                ));
            }
        }
    }
    causes
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
            _ => (!is_match("^[a-z]([-a-z0-9]*[a-z0-9])?$", name)).then_some(DNS_1035),
        };
    }
    match name.len() {
        254.. => Some("must be no more than 253 bytes"),
        _ => (!is_match(
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            name,
        ))
        .then_some(SUBDOMAIN),
    }
}

fn bad_key(key: &str) -> Option<String> {
    const NAME: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix == Some("") {
        return Some("prefix part must be non-empty".to_owned());
    }
    if let Some(prefix) = prefix
        && !is_match(
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            prefix,
        )
    {
        return Some(format!("prefix part {SUBDOMAIN}"));
    }
    if name.is_empty() {
        return Some(format!("name part must be non-empty; {NAME}"));
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes".to_owned());
    }
    (!is_match("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$", name)).then(|| NAME.to_owned())
}

fn is_match(pattern: &'static str, text: &str) -> bool {
    static COMPILED: OnceLock<std::sync::Mutex<std::collections::HashMap<&'static str, Regex>>> =
        OnceLock::new();
    let compiled = COMPILED.get_or_init(Default::default);
    let mut compiled = compiled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| {
        Regex::new(pattern).expect("invariant: the patterns of this file are literals that compile")
    });
    regex.is_match(text)
}

/// What is wrong with the spec of a built-in object.
pub(crate) fn built_in(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            workload(object, &mut causes);
            containers(object, "/spec/template/spec", "spec.template.spec", &mut causes);
        }
        ("batch", "Job") => containers(object, "/spec/template/spec", "spec.template.spec", &mut causes),
        ("", "Pod") => containers(object, "/spec", "spec", &mut causes),
        ("", "Service") => service(object, &mut causes),
        ("", "ConfigMap" | "Secret") => data(kind, object, &mut causes),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object, &mut causes),
        _ => {}
    }
    causes
}

fn workload(object: &Value, causes: &mut Vec<Cause>) {
    if let Some(replicas) = object
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .filter(|replicas| *replicas < 0)
    {
        let message = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        causes.push(Cause::new("FieldValueInvalid", message, "spec.replicas"));
    }
    let template = object.pointer("/spec/template").cloned().unwrap_or_default();
    let labels = template
        .pointer("/metadata/labels")
        .cloned()
        .unwrap_or(Value::Null);
    let unmatched = Cause::new(
        "FieldValueInvalid",
        format!("Invalid value: {labels}: `selector` does not match template `labels`"),
        "spec.template.metadata.labels",
    );
    let Some(selector) = object
        .pointer("/spec/selector")
        .filter(|selector| !selector.is_null())
    else {
        causes.push(Cause::new(
            "FieldValueRequired",
            "Required value",
            "spec.selector",
        ));
        causes.push(unmatched);
        return;
    };
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        let message = format!("Invalid value: {selector}: empty selector is invalid for deployment");
        causes.push(Cause::new("FieldValueInvalid", message, "spec.selector"));
    } else if !Selector::of_label_selector(selector).matches(&template) {
        causes.push(unmatched);
    }
}

fn containers(object: &Value, pointer: &str, path: &str, causes: &mut Vec<Cause>) {
    let spec = object.pointer(pointer);
    let list = spec
        .and_then(|spec| spec.get("containers"))
        .and_then(Value::as_array);
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        causes.push(Cause::new(
            "FieldValueRequired",
            "Required value",
            format!("{path}.containers"),
        ));
        return;
    };
    let mut seen: Vec<&str> = Vec::new();
    for (index, container) in list.iter().enumerate() {
        let at = format!("{path}.containers[{index}]");
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            causes.push(Cause::new(
                "FieldValueRequired",
                "Required value",
                format!("{at}.name"),
            ));
        } else if !is_match("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", name) {
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: \"{name}\": {DNS_LABEL}"),
                format!("{at}.name"),
            ));
        } else if seen.contains(&name) {
            causes.push(Cause::new(
                "FieldValueDuplicate",
                format!("Duplicate value: \"{name}\""),
                format!("{at}.name"),
            ));
        }
        seen.push(name);
        if container
            .get("image")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .is_empty()
            && path != "spec"
        {
            causes.push(Cause::new(
                "FieldValueRequired",
                "Required value",
                format!("{at}.image"),
            ));
        }
    }
}

fn service(object: &Value, causes: &mut Vec<Cause>) {
    let kind = object
        .pointer("/spec/type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let ports = object
        .pointer("/spec/ports")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let headless = object.pointer("/spec/clusterIP").and_then(Value::as_str) == Some("None");
    if ports.is_empty() && kind != "ExternalName" && !headless {
        causes.push(Cause::new("FieldValueRequired", "Required value", "spec.ports"));
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let number = port.get("port").and_then(Value::as_i64).unwrap_or_default();
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        let at = format!("spec.ports[{index}]");
        if ports.len() > 1 && name.is_empty() {
            causes.push(Cause::new(
                "FieldValueRequired",
                "Required value",
                format!("{at}.name"),
            ));
        } else if !name.is_empty() && names.contains(&name) {
            causes.push(Cause::new(
                "FieldValueDuplicate",
                format!("Duplicate value: \"{name}\""),
                format!("{at}.name"),
            ));
        }
        names.push(name);
        if !(1..=65535).contains(&number) {
            let message = format!("Invalid value: {number}: must be between 1 and 65535, inclusive");
            causes.push(Cause::new("FieldValueInvalid", message, format!("{at}.port")));
        }
    }
}

fn data(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    for key in object
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
    {
        if !is_match("^[-._a-zA-Z0-9]+$", key) {
            let message = format!(
                "Invalid value: \"{key}\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
            );
            causes.push(Cause::new("FieldValueInvalid", message, format!("data[{key}]")));
        }
    }
    for key in object
        .get("binaryData")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
    {
        if object.pointer("/data").and_then(|data| data.get(key)).is_some() {
            let message = format!("Invalid value: \"{key}\": duplicate of key present in binaryData");
            causes.push(Cause::new("FieldValueInvalid", message, format!("data[{key}]")));
        }
    }
    if kind.kind == "Secret" {
        secret(object, causes);
    }
    let size: usize = object
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(_, value)| value.as_str().map_or(0, str::len))
        .sum();
    let size = if kind.kind == "Secret" { size / 4 * 3 } else { size };
    if size > 1024 * 1024 {
        let field = if kind.kind == "Secret" { "data" } else { "" };
        causes.push(Cause::new(
            "FieldValueTooLong",
            "Too long: may not be more than 1048576 bytes",
            field,
        ));
    }
}

/// What the well-known types of Secrets must hold.
fn secret(object: &Value, causes: &mut Vec<Cause>) {
    let required: &[&str] = match object.get("type").and_then(Value::as_str).unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in required {
        let field = format!("data[{key}]");
        let Some(text) = object
            .get("data")
            .and_then(|data| data.get(key))
            .and_then(Value::as_str)
        else {
            causes.push(Cause::new("FieldValueRequired", "Required value", field));
            continue;
        };
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap_or_default();
        if key.starts_with(".docker") && serde_json::from_slice::<Value>(&bytes).is_err() {
            let shown = String::from_utf8_lossy(&bytes);
            let message = format!(
                "Invalid value: \"<secret contents redacted>\": {}",
                json_error(&shown)
            );
            causes.push(Cause::new("FieldValueInvalid", message, field));
        }
    }
}

/// What Go's decoder says of a text that is no JSON.
fn json_error(text: &str) -> String {
    for (word, name) in [("null", "null"), ("true", "true"), ("false", "false")] {
        if text.starts_with(word.get(..1).unwrap_or_default()) {
            let wrong = text.chars().zip(word.chars()).find(|(got, wanted)| got != wanted);
            if let Some((got, wanted)) = wrong {
                return format!("invalid character '{got}' in literal {name} (expecting '{wanted}')");
            }
        }
    }
    match text.trim_start().chars().next() {
        None => "unexpected end of JSON input".to_owned(),
        Some(letter) => format!("invalid character '{letter}' looking for beginning of value"),
    }
}

fn definition(object: &Value, causes: &mut Vec<Cause>) {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let expected = format!("{}.{}", text("/spec/names/plural"), text("/spec/group"));
    let name = meta::name(object);
    if name != expected {
        let message = format!("Invalid value: \"{name}\": must be spec.names.plural+\".\"+spec.group");
        causes.push(Cause::new("FieldValueInvalid", message, "metadata.name"));
    }
    let versions = object
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let storage = versions
        .iter()
        .filter(|version| version.get("storage") == Some(&Value::Bool(true)))
        .count();
    if storage != 1 {
        causes.push(Cause::new(
            "FieldValueInvalid",
            format!(
                "Invalid value: {}: must have exactly one version marked as storage version",
                Value::Array(Vec::new())
            ),
            "spec.versions",
        ));
    }
    for (index, version) in versions.iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            causes.push(Cause::new(
                "FieldValueRequired",
                "Required value: schemas are required",
                format!("spec.versions[{index}].schema.openAPIV3Schema"),
            ));
        }
    }
}
