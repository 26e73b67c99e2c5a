//! JSON in the order it was written, and binary files in their JSON envelope.

use super::tree::{Branch, Entry, Item, Node, SecretText, lossy};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::fmt::{self, Write as _};
use zeroize::Zeroizing;

pub(super) fn load(data: &[u8]) -> Result<Branch, String> {
    let failed = |error: serde_json::Error| {
        // the text of the error may quote a value; its place does not
        format!(
            "Could not unmarshal input data: line {}, column {}: {}",
            error.line(),
            error.column(),
            match error.classify() {
                serde_json::error::Category::Eof => "the file ends too early",
                _ => "this is no JSON that can be read",
            }
        )
    };
    match serde_json::from_slice(data).map_err(failed)? {
        Node::Map(branch) => Ok(branch),
        _ => Err("SOPS only supports JSON files with a top-level object (starting with '{')".to_owned()),
    }
}

/// With tabs, in the order of the file, without comments.
pub(super) fn emit(branch: &Branch) -> Result<Vec<u8>, String> {
    let mut out = Zeroizing::new(String::new());
    map(branch, 0, &mut out)?;
    out.push('\n');
    Ok(out.as_bytes().to_vec())
}

/// The bytes under `data`.
pub(super) fn emit_binary(branch: &Branch) -> Result<Vec<u8>, String> {
    let data = branch.iter().find_map(|entry| match entry {
        Entry::Pair(key, node) if key == "data" => Some(node),
        _ => None,
    });
    match data {
        Some(Node::Text(text)) => Ok(text.as_bytes().to_vec()),
        Some(Node::Bytes(bytes)) => Ok(bytes.to_vec()),
        Some(_) => {
            Err("error emitting binary store: 'data' key in tree does not have a string value".to_owned())
        }
        None => Err("error emitting binary store: no binary data found in tree".to_owned()),
    }
}

fn map(branch: &Branch, depth: usize, out: &mut String) -> Result<(), String> {
    let mut is_empty = true;
    out.push('{');
    for entry in branch {
        let Entry::Pair(key, node) = entry else { continue };
        separate(&mut is_empty, depth, out);
        out.push_str(&quoted(key));
        out.push_str(": ");
        value(node, depth + 1, out).map_err(|cause| format!("{key}: {cause}"))?;
    }
    close(is_empty, '}', depth, out);
    Ok(())
}

fn list(items: &[Item], depth: usize, out: &mut String) -> Result<(), String> {
    let mut is_empty = true;
    out.push('[');
    for item in items {
        let Item::Node(node) = item else { continue };
        separate(&mut is_empty, depth, out);
        value(node, depth + 1, out)?;
    }
    close(is_empty, ']', depth, out);
    Ok(())
}

fn separate(is_empty: &mut bool, depth: usize, out: &mut String) {
    if !std::mem::take(is_empty) {
        out.push(',');
    }
    line(depth + 1, out);
}

fn close(is_empty: bool, bracket: char, depth: usize, out: &mut String) {
    if !is_empty {
        line(depth, out);
    }
    out.push(bracket);
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n('\t', depth));
}

fn value(node: &Node, depth: usize, out: &mut String) -> Result<(), String> {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Int(value) => {
            // writing to a String cannot fail
            let _ = write!(out, "{value}");
        }
        Node::Float(value) if !value.is_finite() => {
            return Err("JSON has no infinite numbers, and no .nan: encrypt it as text".to_owned());
        }
        Node::Float(value) => out.push_str(&sluice_yaml::format_json_float(*value)),
        Node::Text(text) => out.push_str(&quoted(text)),
        Node::Bytes(bytes) => out.push_str(&quoted(&lossy(bytes))),
        Node::Time(text) => out.push_str(&quoted(text)),
        Node::List(items) => list(items, depth, out)?,
        Node::Map(branch) => map(branch, depth, out)?,
    }
    Ok(())
}

/// As Go's `json.Marshal` quotes.
fn quoted(text: &str) -> SecretText {
    Zeroizing::new(sluice_yaml::go_json(&serde_json::Value::from(text)))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Ordered)
    }
}

/// Keeps the order of keys, which `serde_json::Value` does not.
struct Ordered;

impl<'de> Visitor<'de> for Ordered {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        // Go's decoder falls back to a float where an int does not hold it
        #[allow(clippy::cast_precision_loss)]
        Ok(i64::try_from(value).map_or(Node::Float(value as f64), Node::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        if value == 0.0 {
            // written `-0` it is an integer for Go, and without a fraction it is never written otherwise
            Ok(Node::Int(0))
        } else if value.is_finite() {
            Ok(Node::Float(value))
        } else {
            Err(E::custom("a number out of range"))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(node) = access.next_element()? {
            items.push(Item::Node(node));
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut branch = Branch::new();
        while let Some(key) = access.next_key::<String>()? {
            let node = access.next_value()?;
            branch.push(Entry::Pair(key, node));
        }
        Ok(Node::Map(branch))
    }
}
