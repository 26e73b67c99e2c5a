//! `x-kubernetes-validations`: CEL rules of custom resources, best effort.
//!
//! A rule that the interpreter cannot compile or evaluate is passed over: refusing an object that the real server takes would be worse.

use crate::status::Cause;
use serde_json::Value;
use sluice_schema::{Node, Rule};

/// What the rules of a schema have against `new`; `old` is none for a create.
pub(crate) fn validate(node: &Node, new: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    visit(node, new, old, "", &mut causes);
    causes
}

fn visit(node: &Node, new: &Value, old: Option<&Value>, path: &str, causes: &mut Vec<Cause>) {
    for rule in node.constraints.iter().flat_map(|constraints| &constraints.rules) {
        let about_change = rule.rule.contains("oldSelf");
        if about_change && old.is_none() && !rule.optional_old_self {
            continue;
        }
        if holds(rule, new, old) == Some(false) {
            causes.push(refuse(rule, new, path));
        }
    }
    match new {
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(field) = node.field(name) {
                    let at = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    visit(field, value, old.and_then(|old| old.get(name)), &at, causes);
                }
            }
        }
        Value::Array(items) => {
            if let Some(item) = &node.items {
                for (index, value) in items.iter().enumerate() {
                    let was = old.and_then(|old| correlated(node, old, value));
                    visit(item, value, was, &format!("{path}[{index}]"), causes);
                }
            }
        }
        _ => {}
    }
}

/// The item of the old list that is the same one, by the keys of the list.
fn correlated<'v>(node: &Node, old: &'v Value, item: &Value) -> Option<&'v Value> {
    let sluice_schema::ListType::Map(keys) = &node.list_type else {
        return None;
    };
    old.as_array()?
        .iter()
        .find(|old| keys.iter().all(|key| old.get(key) == item.get(key)))
}

fn holds(rule: &Rule, new: &Value, old: Option<&Value>) -> Option<bool> {
    let program = cel::Program::compile(&rule.rule).ok()?;
    let mut context = cel::Context::default();
    context.add_variable("self", with_signed_numbers(new)).ok()?;
    if let Some(old) = old {
        context.add_variable("oldSelf", with_signed_numbers(old)).ok()?;
    }
    match program.execute(&context) {
        Ok(cel::Value::Bool(verdict)) => Some(verdict),
        _ => None,
    }
}

/// JSON integers are signed in CEL; the interpreter would read positive ones as unsigned.
fn with_signed_numbers(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => cel::Value::Int(number),
            None => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(text.clone().into()),
        Value::Array(items) => {
            cel::Value::List(items.iter().map(with_signed_numbers).collect::<Vec<_>>().into())
        }
        Value::Object(map) => {
            let map: std::collections::HashMap<String, cel::Value> = map
                .iter()
                .map(|(name, value)| (name.clone(), with_signed_numbers(value)))
                .collect();
            cel::Value::Map(map.into())
        }
    }
}

fn refuse(rule: &Rule, value: &Value, path: &str) -> Cause {
    let said = rule
        .message
        .clone()
        .unwrap_or_else(|| format!("failed rule: {}", rule.rule.trim()));
    let path = match &rule.field_path {
        Some(below) => format!("{path}{below}").trim_start_matches('.').to_owned(),
        None => path.to_owned(),
    };
    let reason = rule.reason.as_deref().unwrap_or("FieldValueInvalid");
    let shown = match value {
        Value::Object(_) | Value::Array(_) => None,
        scalar => Some(scalar.to_string()),
    };
    let message = match reason {
        "FieldValueForbidden" => format!("Forbidden: {said}"),
        "FieldValueRequired" => format!("Required value: {said}"),
        "FieldValueDuplicate" => format!("Duplicate value: {}", shown.unwrap_or_default()),
        _ => match shown {
            Some(shown) => format!("Invalid value: {shown}: {said}"),
            None => format!("Invalid value: {said}"),
        },
    };
    Cause::new(reason, message, path)
}
