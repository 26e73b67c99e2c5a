//! Values as JSON has them: when two are equal, and what one is after it was written and read again.

use sluice_yaml::{Node, Resolved, ScalarStyle, Value};

use crate::{
    Text,
    error::{Error, Result},
    fields::{self, OBJECTS},
    output,
};

/// Equal as JSON.
pub(super) fn equal(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Sequence(x, _), Value::Sequence(y, _)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Mapping(x, _), Value::Mapping(y, _)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(k, v)| b.get(fields::raw(k)).is_some_and(|w| equal(v, w)))
        }
        (Value::Scalar(..), Value::Scalar(..)) => match (OBJECTS.resolve(a), OBJECTS.resolve(b)) {
            (Ok(x), Ok(y)) => x == y || number(&x).is_some_and(|x| number(&y) == Some(x)),
            _ => false,
        },
        _ => false,
    }
}

pub(super) fn number(value: &Resolved<'_>) -> Option<f64> {
    match value {
        Resolved::Int(value) => Some(*value as f64),
        Resolved::Uint(value) => Some(*value as f64),
        Resolved::Float(value) => Some(*value),
        _ => None,
    }
}

/// What an object is after it was written as JSON and read again.
pub(super) fn through_json(node: &mut Node) -> Result<()> {
    match &mut node.value {
        Value::Sequence(items, _) => return items.iter_mut().try_for_each(through_json),
        Value::Mapping(entries, style) => {
            *style = sluice_yaml::CollectionStyle::Block;
            for (key, value) in entries.iter_mut() {
                if !fields::is_string(key) {
                    return Err(
                        Error::new("json: unsupported type: map[interface {}]interface {}")
                            .at("", key.position)
                            .help(format!("quote the key: \"{}\"", fields::raw(key))),
                    );
                }
                through_json(value)?;
            }
            entries.sort_by(|(a, _), (b, _)| fields::raw(a).cmp(fields::raw(b)));
            return Ok(());
        }
        _ => {}
    }
    let position = node.position;
    let new = match OBJECTS.resolve(node).map_err(|e| Error::new(e.to_string()))? {
        Resolved::String(text) => {
            let style = style_of(&text);
            let text = match node.shared_text() {
                Some(own) if own.as_str() == text => own.clone(),
                _ => Text::new(text),
            };
            Node::new(Value::Scalar(text, style))
        }
        Resolved::Timestamp(text) => Node::string(text),
        Resolved::Null => Node::null(),
        Resolved::Bool(value) => Node::bool(value),
        other => {
            let value = number(&other).unwrap_or_default();
            if !value.is_finite() {
                return Err(output::unsupported_number(value));
            }
            Node::plain(crate::go::shortest(value))
        }
    };
    *node = new.at(position);
    Ok(())
}

/// How the original writes a text that has no style: what a later patch puts in its place inherits that.
fn style_of(text: &str) -> ScalarStyle {
    let written = |style| first_printed(text, style);
    if text.contains('\n') {
        return match written(ScalarStyle::Literal) {
            Some('|') => ScalarStyle::Literal,
            _ => ScalarStyle::DoubleQuoted,
        };
    }
    let is_plain = matches!(OBJECTS.resolve_plain(text), Resolved::String(_));
    if !is_plain || is_old_bool(text) || sluice_yaml::is_sexagesimal(text) {
        return ScalarStyle::DoubleQuoted;
    }
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(is_word) {
        return ScalarStyle::Plain;
    }
    match written(ScalarStyle::Plain) {
        Some('\'') => ScalarStyle::SingleQuoted,
        Some('"') => ScalarStyle::DoubleQuoted,
        _ => ScalarStyle::Plain,
    }
}

/// The sign with which a text starts when it is printed.
fn first_printed(text: &str, style: ScalarStyle) -> Option<char> {
    let node = Node::new(Value::Scalar(text.into(), style));
    output::source_text(&node).chars().next()
}

/// What YAML 1.1 takes for a flag beyond `true` and `false`.
fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}
