//! The suffix of generated names: a hash of the content.

use sha2::{Digest, Sha256};
use sluice_yaml::{Node, Resolved, Value};

use crate::{
    build::Session,
    error::{Error, Result},
    fields::{self, OBJECTS},
    object::Object,
    objects::Objects,
    output,
};

/// Adds the hash to the names of all generated objects that want one.
pub(crate) fn add_hashes(objects: &mut Objects, session: &Session<'_>) -> Result<()> {
    for at in 0..objects.len() {
        if objects.get(at).is_some_and(|o| o.needs_hash) {
            objects.modify(at, &session.schema, |object| {
                let hash = hash(object).map_err(|e| e.at(&object.source.file, object.position()))?;
                object.store_previous_id(&session.schema)?;
                let name = format!("{}-{hash}", object.name());
                object.set_name(&name.into())
            })?;
        }
    }
    Ok(())
}

fn hash(object: &Object) -> Result<String> {
    let node = &object.node;
    let mut parts: Vec<(&str, String)> = match object.kind() {
        "ConfigMap" => vec![
            ("data", part(node, "data")?),
            ("kind", "\"ConfigMap\"".into()),
            ("name", "\"\"".into()),
        ],
        "Secret" => vec![
            ("data", part(node, "data")?),
            ("kind", "\"Secret\"".into()),
            ("name", "\"\"".into()),
            ("type", part(node, "type")?),
        ],
        _ => return Ok(encode(&output::json(node))),
    };
    let extra = if object.kind() == "ConfigMap" {
        "binaryData"
    } else {
        "stringData"
    };
    if node.get(extra).is_some_and(Node::is_mapping) {
        parts.push((extra, part(node, extra)?));
    }
    parts.sort();
    let parts: Vec<String> = parts.into_iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
    Ok(encode(&format!("{{{}}}", parts.join(","))))
}

/// A field as JSON: its text where it is a scalar, `""` where it is missing.
fn part(node: &Node, field: &str) -> Result<String> {
    let Some(value) = node.get(field) else {
        return Ok("\"\"".into());
    };
    match &value.value {
        Value::Mapping(..) => {
            output::check_tabs(value).map_err(|e| Error::new(e.to_string()).help(output::NO_TAB))?;
            let mut copy = value.clone();
            round_numbers(&mut copy);
            let json = sluice_yaml::to_json(&copy, OBJECTS).map_err(|e| output::explain(node, &e))?;
            Ok(sluice_yaml::go_json(&json))
        }
        Value::Sequence(..) => Ok("null".into()),
        _ => Ok(sluice_yaml::go_json(&fields::raw(value).into())),
    }
}

/// Numbers pass through floating point before they are hashed.
fn round_numbers(node: &mut Node) {
    match &mut node.value {
        Value::Mapping(entries, _) => entries.iter_mut().for_each(|(_, value)| round_numbers(value)),
        Value::Sequence(items, _) => items.iter_mut().for_each(round_numbers),
        _ => {
            let number = match OBJECTS.resolve(node) {
                Ok(Resolved::Int(value)) => Some(value as f64),
                Ok(Resolved::Uint(value)) => Some(value as f64),
                Ok(Resolved::Float(value)) => Some(value),
                _ => None,
            };
            if let Some(number) = number {
                *node = Node::plain(crate::go::float_text(number));
            }
        }
    }
}

/// Ten hexadecimal digits of the SHA-256, some of them replaced so that no words arise.
fn encode(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    hex.chars()
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            c => c,
        })
        .collect()
}
