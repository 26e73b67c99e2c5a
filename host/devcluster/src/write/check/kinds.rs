use super::{DNS_LABEL, is_match};
use crate::kinds::Kind;
use crate::meta;
use crate::status::Cause;
use serde_json::Value;
use sluice_object::LabelSelector;

/// What is wrong with the spec of a built-in object.
pub(crate) fn built_in(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            workload(object, &mut causes);
            containers(object, "/spec/template/spec", "spec.template.spec", &mut causes);
            if kind.kind == "Deployment" {
                strategy(object, &mut causes);
            }
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
    } else if !LabelSelector::of_fields(selector).matches(template.pointer("/metadata/labels")) {
        causes.push(unmatched);
    }
}

/// What is given for rolling updates stays where a change or an apply says `Recreate` alone: the default of before, too.
fn strategy(object: &Value, causes: &mut Vec<Cause>) {
    let rolling = object.pointer("/spec/strategy/rollingUpdate");
    let is_given = rolling.is_some_and(|rolling| !rolling.is_null());
    if is_given && text(object, "/spec/strategy/type") == "Recreate" {
        causes.push(Cause::new(
            "FieldValueForbidden",
            "Forbidden: may not be specified when strategy `type` is 'Recreate'",
            "spec.strategy.rollingUpdate",
        ));
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
