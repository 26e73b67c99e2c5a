//! Fields inside of a text that is YAML or JSON itself.

use sluice_yaml::{Node, ParseOptions, ScalarStyle, Value};

use super::path::{Stop, is_fresh, match_path};
use crate::{
    Text,
    error::{Error, Result},
    fields::{self, Kind, OBJECTS},
    output,
};

/// A path that goes on inside a text: it is looked at, but what is set there is lost, as in the original.
pub(super) fn match_in_text(
    field: &Node,
    rest: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<(), Stop> {
    let text = fields::raw(field);
    let mut inner = match parse_text(text) {
        Some(inner) => inner,
        None if text.trim().is_empty() => return Err(nothing_in_text(rest).into()),
        None => return Err(Error::new("yaml: the field is a text that is not YAML").into()),
    };
    match_path(&mut inner, rest, create, set)
}

/// The original's words for a path that goes on where nothing is written.
fn nothing_in_text(rest: &[String]) -> Error {
    // to this walk `-` and numbers below zero are names like others
    let is_of_list =
        |part: &String| part == "*" || fields::as_index(part).is_some() || fields::is_list_index(part);
    let (wanted, instead) = match rest.first().is_some_and(is_of_list) {
        true => ("SequenceNode", "[]"),
        false => ("MappingNode", "{}"),
    };
    Error::new(format!(
        "wrong node kind: expected {wanted} but got : node contents:\nnull"
    ))
    .help(format!(
        "a field on the way has no value: write `{instead}`, or leave it out"
    ))
}

/// The document in a text. What is printed as YAML again keeps its comments and aliases.
fn parse_text(text: &str) -> Option<Node> {
    let is_yaml = !is_json(text);
    let options = ParseOptions {
        comments: is_yaml,
        keep_aliases: is_yaml,
        ..ParseOptions::new(OBJECTS)
    };
    let document = sluice_yaml::parse_document(text, &options).ok()?;
    document.map(|d| d.root)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Sets a field of a YAML or JSON document that a field holds as text. None where there is no such field.
pub(super) fn set_in_text(
    object: &mut Node,
    value: &Node,
    parts: &[String],
    create: Option<Kind>,
) -> Option<()> {
    let (at, text) = (1..parts.len()).find_map(|i| {
        let found = fields::lookup(object, parts.get(..i)?).ok()??;
        let text = found.text().filter(|_| found.is_scalar())?;
        parse_text(text).map(|_| (i, Text::from(text)))
    })?;
    let mut document = parse_text(&text)?;
    let mut count = 0;
    let result = match_path(&mut document, parts.get(at..)?, create, &mut |field| {
        count += 1;
        if field.is_scalar() {
            set_scalar(field, &fields::shared(value));
        } else {
            *field = value.clone();
        }
        Ok(())
    });
    if result.is_err() || count == 0 {
        return None;
    }
    settle(&mut document);
    let new = print_text(&document, &text)?;
    let field = fields::lookup_mut(object, parts.get(..at)?)?;
    fields::assign_text(field, &new.into());
    Some(())
}

/// Sets a scalar's text; a tag that was written stays.
fn set_scalar(field: &mut Node, text: &Text) {
    const STRING: &str = "!!str";
    if is_fresh(field) {
        return fields::assign_untyped(field, text);
    }
    let is_written = field.tag() == Some(STRING);
    fields::assign_text(field, text);
    if is_written {
        field.set_tag(Some(STRING.into()));
    } else if field.tag() == Some(STRING) {
        quote(field);
    }
}

/// Gives a string quotes instead of a tag.
fn quote(field: &mut Node) {
    field.set_tag(None);
    field.value = Value::Scalar(fields::shared(field), ScalarStyle::DoubleQuoted);
}

/// Takes off the marks of a build, which are no anchors of the text, and writes merges as the original does.
fn settle(node: &mut Node) {
    if node.anchor().is_some_and(|anchor| anchor.starts_with('\0')) {
        node.set_anchor(None);
    }
    match &mut node.value {
        Value::Sequence(items, _) => items.iter_mut().for_each(settle),
        Value::Mapping(entries, _) => {
            for (key, value) in entries {
                if fields::raw(key) == "<<" && key.scalar_style() == Some(ScalarStyle::Plain) {
                    key.set_tag(Some(Text::new_static("!!merge")));
                }
                settle(value);
            }
        }
        Value::Scalar(..) | Value::Alias(_) => {}
    }
}

/// A document in the form it had: JSON on one line or several, or YAML.
fn print_text(document: &Node, before: &str) -> Option<String> {
    if !is_json(before) {
        return Some(output::source_text(document).trim().to_owned());
    }
    let json = sluice_yaml::to_json(document, OBJECTS).ok()?;
    let compact = sluice_yaml::go_json(&json);
    Some(if before.contains('\n') && before.contains("  ") {
        indent_json(&compact)
    } else {
        compact
    })
}

/// Compact JSON with line breaks and two spaces a level, as Go's MarshalIndent gives it.
fn indent_json(compact: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut chars = compact.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        if in_text {
            out.push(c);
            match c {
                '\\' => out.extend(chars.next()),
                '"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                match chars.peek() {
                    Some('}' | ']') => out.extend(chars.next()),
                    _ => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => out.push(c),
        }
    }
    out
}
