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
        for why in bad_key(key) {
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
        for why in bad_key(&key.to_lowercase()) {
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
        if let Some(why) = bad_key(finalizer).into_iter().next() {
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
        _ => (!is_match(
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            name,
        ))
        .then_some(SUBDOMAIN),
    }
}

fn bad_key(key: &str) -> Vec<String> {
    const NAME: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix == Some("") {
        return vec!["prefix part must be non-empty".to_owned()];
    }
    if let Some(prefix) = prefix
        && !is_match(
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            prefix,
        )
    {
        return vec![format!("prefix part {SUBDOMAIN}")];
    }
    if name.is_empty() {
        return vec!["name part must be non-empty".to_owned(), NAME.to_owned()];
    }
    if name.len() > 63 {
        return vec!["name part must be no more than 63 bytes".to_owned()];
    }
    if is_match("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$", name) {
        Vec::new()
    } else {
        vec![NAME.to_owned()]
    }
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
        ("batch", "Job") => {
            containers(object, "/spec/template/spec", "spec.template.spec", &mut causes);
            let policy = text(object, "/spec/template/spec/restartPolicy");
            if policy != "OnFailure" && policy != "Never" {
                let message = "Required value: valid values: \"OnFailure\", \"Never\"";
                causes.push(Cause::new(
                    "FieldValueRequired",
                    message,
                    "spec.template.spec.restartPolicy",
                ));
            }
        }
        ("batch", "CronJob") => schedule(object, &mut causes),
        ("networking.k8s.io", "Ingress") => ingress(object, &mut causes),
        ("coordination.k8s.io", "Lease") => lease(object, &mut causes),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => role(object, &mut causes),
        ("", "Event") => {
            let about = text(object, "/involvedObject/namespace");
            if about != meta::namespace(object) && !(about.is_empty() && meta::namespace(object) == "default")
            {
                let message = format!("Invalid value: \"{about}\": does not match event.namespace");
                causes.push(Cause::new(
                    "FieldValueInvalid",
                    message,
                    "involvedObject.namespace",
                ));
            }
        }
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
        if let Some(target) = port
            .get("targetPort")
            .and_then(Value::as_i64)
            .filter(|target| !(1..=65535).contains(target))
        {
            let message = format!("Invalid value: {target}: must be between 1 and 65535, inclusive");
            causes.push(Cause::new(
                "FieldValueInvalid",
                message,
                format!("{at}.targetPort"),
            ));
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

/// What keeps a schema from being structural: types that are left out.
fn structural(schema: &Value, path: &str, role: &str, causes: &mut Vec<Cause>) {
    let flag = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    for (name, field) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        structural(
            field,
            &format!("{path}.properties[{name}]"),
            "for specified object fields",
            causes,
        );
    }
    if let Some(items) = schema.get("items") {
        structural(
            items,
            &format!("{path}.items"),
            "for specified array items",
            causes,
        );
    }
    if let Some(more) = schema.get("additionalProperties").filter(|more| more.is_object()) {
        structural(
            more,
            &format!("{path}.additionalProperties"),
            "for specified object fields",
            causes,
        );
    }
    let has_type = schema
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| !kind.is_empty());
    let is_free = flag("x-kubernetes-int-or-string") || flag("x-kubernetes-preserve-unknown-fields");
    if !has_type && (!is_free || role == "at the root") {
        let message = format!("Required value: must not be empty {role}");
        causes.push(Cause::new("FieldValueRequired", message, format!("{path}.type")));
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
        if let Some(schema) = version.pointer("/schema/openAPIV3Schema") {
            let path = match versions {
                [_] => "spec.validation.openAPIV3Schema".to_owned(),
                _ => format!("spec.versions[{index}].schema.openAPIV3Schema"),
            };
            structural(schema, &path, "at the root", causes);
        }
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            causes.push(Cause::new(
                "FieldValueRequired",
                "Required value: schemas are required",
                format!("spec.versions[{index}].schema.openAPIV3Schema"),
            ));
        }
    }
}

fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn list<'v>(object: &'v Value, pointer: &str) -> &'v [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn schedule(object: &Value, causes: &mut Vec<Cause>) {
    let schedule = text(object, "/spec/schedule");
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if !schedule.starts_with('@') && fields.len() != 5 {
        let message = format!(
            "Invalid value: \"{schedule}\": expected exactly 5 fields, found {}: [{schedule}]",
            fields.len()
        );
        causes.push(Cause::new("FieldValueInvalid", message, "spec.schedule"));
    }
}

fn ingress(object: &Value, causes: &mut Vec<Cause>) {
    for (index, rule) in list(object, "/spec/rules").iter().enumerate() {
        for (at, path) in list(rule, "/http/paths").iter().enumerate() {
            if text(path, "/pathType").is_empty() {
                let field = format!("spec.rules[{index}].http.paths[{at}].pathType");
                causes.push(Cause::new(
                    "FieldValueRequired",
                    "Required value: pathType must be specified",
                    field,
                ));
            }
        }
    }
}

fn lease(object: &Value, causes: &mut Vec<Cause>) {
    let seconds = object
        .pointer("/spec/leaseDurationSeconds")
        .and_then(Value::as_i64);
    if let Some(seconds) = seconds.filter(|seconds| *seconds <= 0) {
        let message = format!("Invalid value: {seconds}: must be greater than 0");
        causes.push(Cause::new(
            "FieldValueInvalid",
            message,
            "spec.leaseDurationSeconds",
        ));
    }
}

fn role(object: &Value, causes: &mut Vec<Cause>) {
    for (index, rule) in list(object, "/rules").iter().enumerate() {
        if list(rule, "/verbs").is_empty() {
            let message = "Required value: verbs must contain at least one value";
            causes.push(Cause::new(
                "FieldValueRequired",
                message,
                format!("rules[{index}].verbs"),
            ));
        }
    }
}
