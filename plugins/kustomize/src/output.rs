//! Objects as text: the output, and the pieces of objects that messages show.

use std::borrow::Cow;

use sluice_yaml::{CollectionStyle, EmitV3, Node, Position, Resolved, ScalarStyle, Value};

use crate::{
    error::{Error, Result},
    fields::{self, OBJECTS},
    go,
};

/// An object as `kustomize build` prints it.
pub(crate) fn write(node: &Node, out: &mut String) -> Result<()> {
    sluice_yaml::emit_v2_node_into(node, OBJECTS, out).map_err(|error| explain(node, &error))
}

/// As the original: a dump of the object, then the reason.
pub(crate) fn explain(node: &Node, error: &sluice_yaml::Error) -> Error {
    let dump = match error {
        sluice_yaml::Error::Json { .. } | sluice_yaml::Error::Syntax { .. } => go_dump(node, true),
        _ => "map[string]interface {}(nil)".to_owned(),
    };
    Error::new(format!("{dump}: {error}"))
}

/// A node as the original's messages show it.
pub(crate) fn source_text(node: &Node) -> String {
    sluice_yaml::emit_v3(
        node,
        &EmitV3 {
            indent: 2,
            compact_sequences: true,
        },
    )
}

/// Sorted YAML, for the configurations that messages show.
pub(crate) fn yaml_text(node: &Node) -> String {
    sluice_yaml::emit_v2_node(node, OBJECTS).unwrap_or_default()
}

/// An object as messages may quote it: without the values of a Secret.
pub(crate) fn without_secrets(object: &Node) -> Cow<'_, Node> {
    if object.get("kind").map(fields::raw) != Some("Secret") {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    for field in ["data", "stringData"] {
        if let Some(entries) = object.get_mut(field).and_then(Node::entries_mut) {
            entries
                .iter_mut()
                .for_each(|(_, value)| *value = Node::string("***"));
        }
    }
    Cow::Owned(object)
}

/// Compact JSON with sorted keys, as Go prints it.
pub(crate) fn json(node: &Node) -> String {
    sluice_yaml::to_json(node, OBJECTS)
        .map(|json| sluice_yaml::go_json(&json))
        .unwrap_or_default()
}

/// The tag of a value.
pub(crate) fn tag_of(value: &Resolved<'_>) -> &'static str {
    match value {
        Resolved::Null => "!!null",
        Resolved::Bool(_) => "!!bool",
        Resolved::Int(_) | Resolved::Uint(_) => "!!int",
        Resolved::Float(_) => "!!float",
        Resolved::String(_) => "!!str",
        Resolved::Timestamp(_) => "!!timestamp",
    }
}

pub(crate) fn unsupported_number(value: f64) -> Error {
    Error::new(format!("json: unsupported value: {}", not_finite(value)))
        .help("JSON has no infinite numbers; quote the value")
}

fn not_finite(value: f64) -> &'static str {
    match value {
        v if v.is_nan() => "NaN",
        v if v > 0.0 => "+Inf",
        _ => "-Inf",
    }
}

/// An object that went through JSON: dates are strings, numbers have their canonical form.
pub(crate) fn normalize(node: &mut Node) -> Result<()> {
    match &mut node.value {
        Value::Sequence(items, style) => {
            *style = CollectionStyle::Block;
            return items.iter_mut().try_for_each(normalize);
        }
        Value::Mapping(entries, style) => {
            *style = CollectionStyle::Block;
            return entries.iter_mut().try_for_each(|(_, value)| normalize(value));
        }
        _ => {}
    }
    let position = node.position;
    let new = match OBJECTS.resolve(node).map_err(|e| Error::new(e.to_string()))? {
        Resolved::String(text) => Node::string(&*text),
        Resolved::Timestamp(text) => Node::string(text),
        Resolved::Null => Node::null(),
        Resolved::Bool(value) => Node::bool(value),
        Resolved::Int(value) => Node::int(value),
        Resolved::Uint(value) => Node::plain(value.to_string()),
        Resolved::Float(value) if value.is_finite() => Node::plain(go::float_text(value)),
        Resolved::Float(value) => return Err(unsupported_number(value)),
    };
    *node = new.at(position);
    Ok(())
}

/// An empty null within `{…}` or `[…]` is an empty string in the output: a quirk of how the original writes flow style.
pub(crate) fn settle_flow_nulls(node: &mut Node, in_flow: bool) {
    match &mut node.value {
        Value::Scalar(text, style) if in_flow && text.is_empty() && *style == ScalarStyle::Plain => {
            *style = ScalarStyle::DoubleQuoted;
        }
        Value::Sequence(items, style) => {
            let in_flow = in_flow || *style == CollectionStyle::Flow;
            items.iter_mut().for_each(|item| settle_flow_nulls(item, in_flow));
        }
        Value::Mapping(entries, style) => {
            let in_flow = in_flow || *style == CollectionStyle::Flow;
            entries
                .iter_mut()
                .for_each(|(_, value)| settle_flow_nulls(value, in_flow));
        }
        _ => {}
    }
}

/// What becomes of texts between the original's tree and its output: it prints the tree as YAML and reads that again, then
/// as JSON and reads that.
///
/// # Errors
/// A text holds a character that YAML forbids.
pub(crate) fn settle_text(node: Node) -> Result<Node> {
    let (mut is_changed, mut is_led_by_tab, mut control) = (false, false, None);
    scalars(&node, &mut |text, style, position| {
        is_changed |= is_block_not_kept(text, style);
        is_led_by_tab |= is_block_led_by_tab(text, style);
        if control.is_none() && is_forbidden(text) {
            control = Some(position);
        }
    });
    if is_led_by_tab {
        check_tabs(&node).map_err(|error| explain(&node, &error).help(NO_TAB))?;
    }
    let node = if is_changed {
        let read = printed_and_read(node)
            .map_err(|error| Error::new(format!("map[string]interface {{}}(nil): {error}")))?;
        control = find_control(&read);
        read
    } else {
        node
    };
    match control {
        None => Ok(node),
        Some(position) => {
            let message = "yaml: control characters are not allowed".to_owned();
            let error = sluice_yaml::Error::Syntax { message, position };
            Err(explain(&node, &error).help("a text of this object holds a character that YAML forbids"))
        }
    }
}

/// What an object is once it was printed and read: before a JSON patch, and as the configuration of a plugin.
///
/// # Errors
/// A text cannot be printed so that it can be read.
pub(crate) fn settle_blocks(node: &mut Node) -> Result<()> {
    settle_flow_nulls(node, false);
    let mut is_changed = false;
    scalars(node, &mut |text, style, _| {
        is_changed |= is_block_not_kept(text, style)
    });
    if is_changed {
        *node = printed_and_read(std::mem::take(node)).map_err(|e| Error::new(e.to_string()).help(NO_TAB))?;
    }
    Ok(())
}

/// Folded text, and blocks that start with a space or a break: the original's printer does not keep all of them.
fn is_block_not_kept(text: &str, style: ScalarStyle) -> bool {
    match style {
        ScalarStyle::Folded => true,
        ScalarStyle::Literal => text.starts_with([' ', '\n']),
        _ => false,
    }
}

/// Where a text holds a character that YAML forbids.
pub(crate) fn find_control(node: &Node) -> Option<Position> {
    let mut found = None;
    scalars(node, &mut |text, _, position| {
        if is_forbidden(text) {
            found.get_or_insert(position);
        }
    });
    found
}

/// Whether YAML forbids a character of the text that JSON writes as it is. The others have escapes there.
fn is_forbidden(text: &str) -> bool {
    let may_be = |byte: u8| matches!(byte, 0x7F | 0xC2 | 0xEF);
    let is = |c: char| matches!(c, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}');
    text.bytes().any(may_be) && text.chars().any(is)
}

/// Visits all scalars, keys among them.
fn scalars(node: &Node, visit: &mut dyn FnMut(&str, ScalarStyle, Position)) {
    match &node.value {
        Value::Sequence(items, _) => items.iter().for_each(|item| scalars(item, visit)),
        Value::Mapping(entries, _) => entries.iter().for_each(|(key, value)| {
            scalars(key, visit);
            scalars(value, visit);
        }),
        Value::Scalar(text, style) => visit(text, *style, node.position),
        Value::Alias(_) => {}
    }
}

/// What to do about [`check_tabs`].
pub(crate) const NO_TAB: &str =
    "a text that starts with a tab cannot be written as a block; let it start with something else";

/// Fails where a text that starts with a tab is a block, or has several lines: the original prints a block, and cannot read that.
pub(crate) fn check_tabs(node: &Node) -> Result<(), sluice_yaml::Error> {
    let mut is_led_by_tab = false;
    scalars(node, &mut |text, style, _| {
        is_led_by_tab |= is_block_led_by_tab(text, style)
    });
    if is_led_by_tab {
        printed_and_read(node.clone())?;
    }
    Ok(())
}

fn is_block_led_by_tab(text: &str, style: ScalarStyle) -> bool {
    text.starts_with('\t')
        && match style {
            ScalarStyle::Literal | ScalarStyle::Folded => true,
            ScalarStyle::Plain => text.contains('\n'),
            _ => false,
        }
}

fn printed_and_read(mut node: Node) -> Result<Node, sluice_yaml::Error> {
    strip_anchors(&mut node);
    let text = source_text(&node);
    let read = sluice_yaml::parse_document(&text, &sluice_yaml::ParseOptions::new(OBJECTS))?;
    Ok(read.map_or(node, |document| document.root))
}

/// Anchors mark scalars while a build runs; they are no part of the object.
fn strip_anchors(node: &mut Node) {
    node.set_anchor(None);
    match &mut node.value {
        Value::Sequence(items, _) => items.iter_mut().for_each(strip_anchors),
        Value::Mapping(entries, _) => entries.iter_mut().for_each(|(key, value)| {
            strip_anchors(key);
            strip_anchors(value);
        }),
        _ => {}
    }
}

/// `%#v` of a decoded value.
pub(crate) fn go_syntax(node: &Node) -> String {
    go_dump(node, false)
}

fn go_dump(node: &Node, is_root: bool) -> String {
    match &node.value {
        Value::Sequence(items, _) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Mapping(entries, _) => {
            let is_text = |key: &Node| fields::is_string(key) && key.tag() != Some("!!binary");
            let has_text_keys = is_root || entries.iter().all(|(k, _)| is_text(k));
            let mut parts: Vec<(u8, String)> = entries
                .iter()
                .map(|(k, v)| {
                    let key = if has_text_keys {
                        go::quote(fields::raw(k))
                    } else {
                        go_syntax(k)
                    };
                    (u8::from(!k.is_null()), format!("{key}:{}", go_syntax(v)))
                })
                .collect();
            parts.sort();
            let name = if has_text_keys {
                "map[string]interface {}"
            } else {
                "map[interface {}]interface {}"
            };
            let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
            format!("{name}{{{}}}", parts.join(", "))
        }
        _ => match OBJECTS.resolve(node) {
            Ok(Resolved::Null) => "interface {}(nil)".into(),
            Ok(Resolved::Bool(value)) => value.to_string(),
            Ok(Resolved::Int(value)) => value.to_string(),
            Ok(Resolved::Uint(value)) => format!("{value:#x}"),
            Ok(Resolved::Float(value)) if !value.is_finite() => not_finite(value).to_owned(),
            Ok(Resolved::Float(value)) => go::shortest(value),
            Ok(Resolved::String(text)) => go::quote(&text),
            Ok(Resolved::Timestamp(text)) => text,
            Err(_) => go::quote(fields::raw(node)),
        },
    }
}
