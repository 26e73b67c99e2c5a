//! Custom resources: pruning along the structural schema, and validation against it.

use crate::status::Cause;
use regex::Regex;
use serde_json::{Map, Value};
use sluice_schema::{Constraints, Node, Type};
use std::collections::BTreeSet;

/// Drops fields that the schema does not name; gives their paths.
pub(crate) fn prune(node: &Node, value: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    prune_at(node, value, "", &mut dropped, true);
    dropped.sort();
    dropped
}

fn prune_at(node: &Node, value: &mut Value, path: &str, dropped: &mut Vec<String>, is_resource: bool) {
    match value {
        Value::Object(map) => {
            if !node.is_open() {
                map.retain(|name, _| {
                    let known = node.has_named_field(name)
                        || (is_resource && matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
                    if !known {
                        dropped.push(join(path, name));
                    }
                    known
                });
            }
            for (name, value) in map.iter_mut() {
                if let Some(field) = node.field(name) {
                    prune_at(field, value, &join(path, name), dropped, field.embedded_resource);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for (index, item) in items.iter_mut().enumerate() {
                    prune_at(
                        node,
                        item,
                        &format!("{path}[{index}]"),
                        dropped,
                        node.embedded_resource,
                    );
                }
            }
        }
        _ => {}
    }
}

/// Drops nulls that stand where a default or nothing is meant.
pub(crate) fn drop_nulls(node: &Node, value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, value| {
                let field = node.field(name);
                !value.is_null() || field.is_none_or(|field| field.nullable || field.default.is_none())
            });
            for (name, value) in map.iter_mut() {
                if let Some(field) = node.field(name) {
                    drop_nulls(field, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                items.iter_mut().for_each(|item| drop_nulls(node, item));
            }
        }
        _ => {}
    }
}

/// What the schema has against `value`, as the server words it.
pub(crate) fn validate(node: &Node, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    visit(node, value, "", &mut causes);
    causes
}

/// What the schema of the status has against the status: its texts name fields from there.
pub(crate) fn validate_status(node: &Node, value: &Value) -> Vec<Cause> {
    let (Some(node), Some(status)) = (node.field("status"), value.get("status")) else {
        return Vec::new();
    };
    let mut causes = validate(node, status);
    for cause in &mut causes {
        cause.field = if cause.field.is_empty() {
            "status".to_owned()
        } else {
            format!("status.{}", cause.field)
        };
    }
    causes
}

fn visit(node: &Node, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() {
        if !node.nullable && node.kind != Type::Any {
            let message = format!(
                "Invalid value: \"null\": {} in body must be of type {}: \"null\"",
                shown(path),
                type_name(node.kind)
            );
            causes.push(Cause::new("FieldValueTypeInvalid", message, path));
        }
        return;
    }
    if !has_type(node.kind, value) {
        let message = format!(
            "Invalid value: \"{}\": {} in body must be of type {}: \"{}\"",
            json_type(value),
            shown(path),
            type_name(node.kind),
            json_type(value)
        );
        causes.push(Cause::new("FieldValueTypeInvalid", message, path));
        return;
    }
    match value {
        Value::Object(map) => object(node, map, path, causes),
        Value::Array(items) => list(node, items, path, causes),
        _ => {}
    }
    if let Some(constraints) = &node.constraints {
        scalars(constraints, value, path, causes);
        sizes(constraints, value, path, causes);
        branches(constraints, value, path, causes);
    }
    format(node, value, path, causes);
}

fn object(node: &Node, map: &Map<String, Value>, path: &str, causes: &mut Vec<Cause>) {
    for name in &node.required {
        if !map.contains_key(name) {
            causes.push(Cause::new(
                "FieldValueRequired",
                "Required value",
                join(path, name),
            ));
        }
    }
    for (name, value) in map {
        if path.is_empty() && name == "metadata" {
            continue;
        }
        match (node.properties.get(name), &node.additional) {
            (Some(field), _) => visit(field, value, &join(path, name), causes),
            (None, Some(field)) => visit(field, value, &join(path, name), causes),
            (None, None) => {}
        }
    }
}

fn list(node: &Node, items: &[Value], path: &str, causes: &mut Vec<Cause>) {
    use sluice_schema::ListType;
    if let Some(item) = &node.items {
        for (index, value) in items.iter().enumerate() {
            visit(item, value, &format!("{path}[{index}]"), causes);
        }
    }
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let key = match &node.list_type {
            ListType::Atomic => continue,
            ListType::Set => item.clone(),
            ListType::Map(keys) => {
                let fields = keys
                    .iter()
                    .filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
                Value::Object(fields.collect())
            }
        };
        if !seen.insert(key.to_string()) {
            let message = format!("Duplicate value: {key}");
            causes.push(Cause::new(
                "FieldValueDuplicate",
                message,
                format!("{path}[{index}]"),
            ));
        }
    }
}

fn scalars(constraints: &Constraints, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let mut refuse = |reason: &str, message: String| causes.push(Cause::new(reason, message, path));
    if !constraints.one_of_values.is_empty() && !constraints.one_of_values.contains(value) {
        let supported: Vec<String> = constraints.one_of_values.iter().map(Value::to_string).collect();
        refuse(
            "FieldValueNotSupported",
            format!(
                "Unsupported value: {value}: supported values: {}",
                supported.join(", ")
            ),
        );
    }
    let at = shown(path);
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        if let Some(max) = constraints.max_length.filter(|max| length > *max) {
            refuse(
                "FieldValueTooLong",
                format!("Too long: may not be more than {max} bytes"),
            );
        } else if let Some(min) = constraints.min_length.filter(|min| length < *min) {
            refuse(
                "FieldValueInvalid",
                format!("Invalid value: {value}: {at} in body should be at least {min} chars long"),
            );
        } else if let Some(pattern) = &constraints.pattern
            && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
        {
            refuse(
                "FieldValueInvalid",
                format!("Invalid value: {value}: {at} in body should match '{pattern}'"),
            );
        }
    }
    if let Some(number) = value.as_f64() {
        if let Some(min) = constraints.minimum {
            let (bad, than) = if constraints.exclusive_minimum {
                (number <= min, "greater than")
            } else {
                (number < min, "greater than or equal to")
            };
            if bad {
                refuse(
                    "FieldValueInvalid",
                    format!("Invalid value: {value}: {at} in body should be {than} {min}"),
                );
            }
        }
        if let Some(max) = constraints.maximum {
            let (bad, than) = if constraints.exclusive_maximum {
                (number >= max, "less than")
            } else {
                (number > max, "less than or equal to")
            };
            if bad {
                refuse(
                    "FieldValueInvalid",
                    format!("Invalid value: {value}: {at} in body should be {than} {max}"),
                );
            }
        }
        if let Some(of) = constraints
            .multiple_of
            .filter(|of| *of != 0.0 && (number / of).fract() != 0.0)
        {
            refuse(
                "FieldValueInvalid",
                format!("Invalid value: {value}: {at} in body should be a multiple of {of}"),
            );
        }
    }
}

fn sizes(constraints: &Constraints, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let at = shown(path);
    let (count, unit, min, max) = match value {
        Value::Array(items) => (
            items.len() as u64,
            "items",
            constraints.min_items,
            constraints.max_items,
        ),
        Value::Object(map) => (
            map.len() as u64,
            "properties",
            constraints.min_properties,
            constraints.max_properties,
        ),
        _ => return,
    };
    if let Some(max) = max.filter(|max| count > *max) {
        causes.push(Cause::new(
            "FieldValueTooMany",
            format!("Too many: {count}: must have at most {max} items"),
            path,
        ));
    }
    if let Some(min) = min.filter(|min| count < *min) {
        let message = format!("Invalid value: {count}: {at} in body should have at least {min} {unit}");
        causes.push(Cause::new("FieldValueInvalid", message, path));
    }
    if let Value::Array(items) = value
        && constraints.unique_items
        && items
            .iter()
            .enumerate()
            .any(|(index, item)| items.iter().take(index).any(|other| other == item))
    {
        causes.push(Cause::new(
            "FieldValueInvalid",
            format!("Invalid value: {at} in body shouldn't contain duplicates"),
            path,
        ));
    }
}

fn branches(constraints: &Constraints, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let holds = |node: &Node| {
        let mut found = Vec::new();
        visit(node, value, path, &mut found);
        found.is_empty()
    };
    let at = shown(path);
    let mut refuse = |what: &str| {
        let message = format!("Invalid value: {}: {at} in body {what}", short(value));
        causes.push(Cause::new("FieldValueInvalid", message, path));
    };
    if !constraints.any_of.is_empty() && !constraints.any_of.iter().any(|node| holds(node)) {
        refuse("must validate at least one schema (anyOf)");
    }
    if !constraints.one_of.is_empty() {
        match constraints.one_of.iter().filter(|node| holds(node)).count() {
            1 => {}
            0 => refuse("must validate one and only one schema (oneOf). Found none valid"),
            count => refuse(&format!(
                "must validate one and only one schema (oneOf). Found {count} valid alternatives"
            )),
        }
    }
    if constraints.not.as_ref().is_some_and(|node| holds(node)) {
        refuse("must not validate the schema (not)");
    }
    for node in &constraints.all_of {
        let mut found = Vec::new();
        visit(node, value, path, &mut found);
        if !found.is_empty() {
            causes.append(&mut found);
            let message = format!(
                "Invalid value: {}: {at} in body must validate all the schemas (allOf)",
                short(value)
            );
            causes.push(Cause::new("FieldValueInvalid", message, path));
        }
    }
}

fn format(node: &Node, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let (Some(format), Some(text)) = (&node.format, value.as_str()) else {
        return;
    };
    let ok = match format.as_str() {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "uuid" => uuid::Uuid::parse_str(text).is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        _ => true,
    };
    if !ok {
        let message = format!(
            "Invalid value: {value}: {} in body must be of type {format}: {value}",
            shown(path)
        );
        causes.push(Cause::new("FieldValueInvalid", message, path));
    }
}

fn has_type(kind: Type, value: &Value) -> bool {
    match kind {
        Type::Any => true,
        Type::Object => value.is_object(),
        Type::Array => value.is_array(),
        Type::String => value.is_string(),
        Type::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Type::Number => value.is_number(),
        Type::Boolean => value.is_boolean(),
        Type::IntOrString => value.is_string() || value.is_i64() || value.is_u64(),
    }
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Any => "any",
        Type::Object => "object",
        Type::Array => "array",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::IntOrString => "integer,string",
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Objects and lists are named, not printed.
fn short(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => format!("\"{}\"", json_type(value)),
        scalar => scalar.to_string(),
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "<nil>" } else { path }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
