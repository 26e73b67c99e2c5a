use super::path::PathElement;
use super::shape::{self, Shape};
use serde_json::Value;
use sluice_schema::{Node, Type};
use std::collections::BTreeSet;

/// What keeps `value` from being walked along `node`, one text a mistake; none if nothing does.
pub(crate) fn validate(node: &Node, value: &Value) -> Result<(), String> {
    let mut walk = Walk { errors: Vec::new() };
    walk.visit(node, value, "");
    match walk.errors.as_slice() {
        [] => Ok(()),
        [only] => Err(only.clone()),
        many => Err(format!("errors:\n  {}", many.join("\n  "))),
    }
}

struct Walk {
    errors: Vec<String>,
}

impl Walk {
    fn refuse(&mut self, path: &str, what: impl AsRef<str>) {
        let what = what.as_ref();
        self.errors.push(if path.is_empty() {
            what.to_owned()
        } else {
            format!("{path}: {what}")
        });
    }

    fn visit(&mut self, node: &Node, value: &Value, path: &str) {
        if value.is_null() {
            return;
        }
        match shape::shape(node, value) {
            Shape::Scalar => self.scalar(node, value, path),
            Shape::List | Shape::AtomicList => self.list(node, value, path),
            Shape::Map | Shape::AtomicMap => self.map(node, value, path),
        }
    }

    fn scalar(&mut self, node: &Node, value: &Value, path: &str) {
        match node.kind {
            Type::Integer | Type::Number if !value.is_number() => {
                self.refuse(
                    path,
                    format!("expected numeric (int or float), got {}", go_type(value)),
                );
            }
            // a quantity is a string in the schema and may be written as a number
            Type::String if !(value.is_string() || value.is_number() && node.format.is_none()) => {
                self.refuse(
                    path,
                    format!(
                        "expected string, got &value.valueUnstructured{{Value:{}}}",
                        go_syntax(value)
                    ),
                );
            }
            Type::Boolean if !value.is_boolean() => {
                self.refuse(path, format!("expected boolean, got {}", go_debug(value)));
            }
            Type::IntOrString if value.is_object() || value.is_array() => {
                self.refuse(path, format!("expected any scalar, got {}", go_debug(value)));
            }
            _ => {}
        }
    }

    fn list(&mut self, node: &Node, value: &Value, path: &str) {
        let Value::Array(items) = value else {
            return self.refuse(path, format!("expected list, got {}", go_debug(value)));
        };
        let keyed = shape::shape(node, value) == Shape::List;
        let mut seen: BTreeSet<PathElement> = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let at = if keyed {
                match shape::element(node, item) {
                    Err(what) => {
                        self.refuse(path, format!("element {index}: {what}"));
                        continue;
                    }
                    Ok(element) => {
                        let at = format!("{path}{element}");
                        if !seen.insert(element.clone()) {
                            self.refuse(path, format!("duplicate entries for key {element}"));
                        }
                        at
                    }
                }
            } else {
                format!("{path}[{index}]")
            };
            self.visit(shape::item(node), item, &at);
        }
    }

    fn map(&mut self, node: &Node, value: &Value, path: &str) {
        let Value::Object(map) = value else {
            return self.refuse(path, format!("expected map, got {}", go_debug(value)));
        };
        for (name, value) in map {
            let at = format!("{path}.{name}");
            match shape::field(node, name) {
                Some(field) => self.visit(field, value, &at),
                None => self.refuse(&at, "field not declared in schema"),
            }
        }
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// `%v` of a value in its wrapper.
fn go_debug(value: &Value) -> String {
    format!("&{{{}}}", go_plain(value))
}

fn go_syntax(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("\"{name}\":{}", go_syntax(value)))
                .collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::Array(items) => format!(
            "[]interface {{}}{{{}}}",
            items.iter().map(go_syntax).collect::<Vec<_>>().join(", ")
        ),
        other => other.to_string(),
    }
}

fn go_plain(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{name}:{}", go_plain(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(go_plain).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}
