//! Reading and setting fields the way the original's node library does: types survive a change of text, styles stay.

use sluice_yaml::{CollectionStyle, Node, Resolved, Resolver, ScalarStyle, Value};

use crate::{
    Text,
    error::{Error, Result},
};

/// Kubernetes objects are read with yaml.v3's rules.
pub(crate) const OBJECTS: Resolver = Resolver::V3;

/// The kinds of nodes that messages name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Sequence,
    Mapping,
}

pub(crate) fn kind(node: &Node) -> Kind {
    match &node.value {
        Value::Sequence(..) => Kind::Sequence,
        Value::Mapping(..) => Kind::Mapping,
        Value::Scalar(..) | Value::Alias(_) => Kind::Scalar,
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalar => "ScalarNode",
        Kind::Sequence => "SequenceNode",
        Kind::Mapping => "MappingNode",
    }
}

/// Fails unless `node` is null or of the wanted kind.
pub(crate) fn expect_kind(node: &Node, wanted: Kind) -> Result<()> {
    if node.is_null() || kind(node) == wanted {
        return Ok(());
    }
    Err(wrong_kind(node, wanted))
}

/// The original's words for a node that is not of the kind it should be.
pub(crate) fn wrong_kind(node: &Node, wanted: Kind) -> Error {
    let contents = crate::output::source_text(node);
    let found = match node.value {
        Value::Alias(_) => "AliasNode",
        _ => kind_name(kind(node)),
    };
    Error::new(format!(
        "wrong node kind: expected {} but got {found}: node contents:\n{contents}",
        kind_name(wanted)
    ))
}

/// The raw text of a scalar, whatever its type; empty for collections.
pub(crate) fn raw(node: &Node) -> &str {
    node.text().unwrap_or_default()
}

/// The raw text of a scalar that is not null.
pub(crate) fn value(node: &Node) -> &str {
    if node.is_null() { "" } else { raw(node) }
}

pub(crate) fn shared(node: &Node) -> Text {
    node.shared_text().cloned().unwrap_or_default()
}

/// Null, `{}` or `[]`.
pub(crate) fn is_nil_or_empty(node: &Node) -> bool {
    node.is_null()
        || match &node.value {
            Value::Mapping(entries, _) => entries.is_empty(),
            Value::Sequence(items, _) => items.is_empty(),
            _ => false,
        }
}

/// Whether a patch with this value asks for nothing to be there. A text without a type may be empty, and is written as null then.
pub(crate) fn is_written_null(node: &Node) -> bool {
    node.is_null() && !is_untyped(node)
}

/// The value of a field that is neither null nor empty.
pub(crate) fn present<'a>(node: &'a Node, field: &str) -> Option<&'a Node> {
    node.get(field).filter(|v| !is_nil_or_empty(v))
}

/// Whether text has no quotes in YAML 1.1 and is no string there.
pub(crate) fn is_yaml11_non_string(text: &str) -> bool {
    !text.is_empty()
        && !text.contains('\n')
        && !matches!(Resolver::V2.resolve_plain(text), Resolved::String(_))
}

pub(crate) fn is_string(node: &Node) -> bool {
    node.is_scalar() && node.is_string(OBJECTS)
}

fn is_plain_string(text: &str) -> bool {
    matches!(OBJECTS.resolve_plain(text), Resolved::String(_))
}

/// Plain text that reads as something else is a string by its tag; the style stays what it was.
fn string_tag(text: &str, style: ScalarStyle) -> Option<Text> {
    (style == ScalarStyle::Plain && !is_plain_string(text)).then(|| Text::new_static("!!str"))
}

/// Marks a scalar without a type of its own: what it is follows from its text and style, whatever it was before.
const UNTYPED: &str = "\0";

/// Whether a scalar has no type of its own.
pub(crate) fn is_untyped(node: &Node) -> bool {
    node.anchor() == Some(UNTYPED)
}

/// A new string.
pub(crate) fn string_node(text: impl Into<Text>) -> Node {
    let text = text.into();
    let tag = string_tag(&text, ScalarStyle::Plain);
    let mut node = Node::new(Value::Scalar(text, ScalarStyle::Plain));
    node.set_tag(tag);
    node
}

/// A new scalar without a type of its own: quoted where YAML 1.1 would not read a string.
pub(crate) fn untyped_node(text: impl Into<Text>) -> Node {
    let text = text.into();
    let style = if is_yaml11_non_string(&text) {
        ScalarStyle::DoubleQuoted
    } else {
        ScalarStyle::Plain
    };
    let mut node = Node::new(Value::Scalar(text, style));
    node.set_anchor(Some(Text::new_static(UNTYPED)));
    node
}

/// Takes a scalar's type away, as the original makes those that it puts into lists.
pub(crate) fn forget_type(field: &mut Node) {
    field.set_anchor(Some(Text::new_static(UNTYPED)));
}

/// Sets a scalar's text to a string, keeping its style.
pub(crate) fn assign_string(field: &mut Node, text: &Text) {
    let style = field.scalar_style().unwrap_or_default();
    field.set_tag(string_tag(text, style));
    if is_untyped(field) {
        field.set_anchor(None);
    }
    field.value = Value::Scalar(text.clone(), style);
}

/// Sets a scalar's text; its type follows from the style it had and the new text.
pub(crate) fn assign_untyped(field: &mut Node, text: &Text) {
    let style = field.scalar_style().unwrap_or_default();
    field.set_tag(None);
    if field.anchor().is_none() {
        field.set_anchor(Some(Text::new_static(UNTYPED)));
    }
    field.value = Value::Scalar(text.clone(), style);
}

/// Quotes text where YAML 1.1 would not read a string, as it is when a merge sets a field: what takes its place later has the
/// quotes too.
pub(crate) fn settle_text(field: &mut Node) {
    let is_text = is_untyped(field) || is_string(field);
    if let Value::Scalar(text, style @ ScalarStyle::Plain) = &mut field.value
        && is_text
        && is_yaml11_non_string(text)
    {
        *style = ScalarStyle::DoubleQuoted;
    }
}

/// Sets a scalar's text and keeps its type: a string stays a string, a number that is none any more fails at output.
pub(crate) fn assign_text(field: &mut Node, text: &Text) {
    if is_untyped(field) {
        return assign_untyped(field, text);
    }
    let tag: Text = match OBJECTS.resolve(field) {
        Ok(Resolved::String(_)) => return assign_string(field, text),
        Ok(value) => crate::output::tag_of(&value).into(),
        // set for the second time: the type is still the one it had first
        Err(_) => field.tag().unwrap_or("!!str").into(),
    };
    let is_same = crate::output::tag_of(&OBJECTS.resolve_plain(text)) == tag;
    field.value = Value::Scalar(text.clone(), field.scalar_style().unwrap_or_default());
    field.set_tag((!is_same).then_some(tag));
}

/// Replaces a node by another one; the style of the old one stays where the new value allows it.
pub(crate) fn assign(field: &mut Node, mut new: Node) {
    let is_untyped = is_untyped(&new);
    match (&field.value, &mut new.value) {
        (Value::Scalar(_, old), Value::Scalar(text, style)) => {
            let (old, text) = (*old, text.clone());
            if !is_untyped && new_is_string(&text, *style, new.tag()) {
                new.set_tag(string_tag(&text, old));
                new.value = Value::Scalar(text, old);
            } else if new.tag().is_none() {
                // A number in the quotes of the text it replaces is text: so the original writes it.
                new.value = Value::Scalar(text, old);
            }
        }
        (Value::Mapping(_, old), Value::Mapping(_, style) | Value::Sequence(_, style))
        | (Value::Sequence(_, old), Value::Mapping(_, style) | Value::Sequence(_, style)) => *style = *old,
        (Value::Scalar(..), Value::Mapping(_, style) | Value::Sequence(_, style)) => {
            *style = CollectionStyle::Block
        }
        _ => {}
    }
    let position = if new.position.line == 0 {
        field.position
    } else {
        new.position
    };
    if let Some(mark) = field.anchor().filter(|a| *a != UNTYPED).map(Text::from) {
        new.set_anchor(Some(mark));
    }
    *field = new;
    field.position = position;
}

fn new_is_string(text: &str, style: ScalarStyle, tag: Option<&str>) -> bool {
    match tag {
        None => style != ScalarStyle::Plain || is_plain_string(text),
        Some(tag) => tag == "!!str",
    }
}

/// Sets a field to a string; where there was a field, its style stays. Gives the field if it is new. Nothing happens below null.
///
/// A new key is plain, whatever it looks like: as in the original, `1` and `true` then fail at output.
pub(crate) fn set_string<'a>(map: &'a mut Node, name: &str, text: &Text) -> Result<Option<&'a mut Node>> {
    expect_kind(map, Kind::Mapping)?;
    if map.is_null() {
        return Ok(None);
    }
    if let Some(field) = map.get_mut(name) {
        assign_string(field, text);
        return Ok(None);
    }
    let Some(entries) = map.entries_mut() else {
        return Ok(None);
    };
    let mut new = string_node(text.clone());
    if is_yaml11_non_string(text) {
        new = Node::new(Value::Scalar(text.clone(), ScalarStyle::DoubleQuoted));
    }
    entries.push((Node::plain(name), new));
    Ok(entries.last_mut().map(|(_, value)| value))
}

/// Sets a field to text without a type; where there was a field, its style decides.
pub(crate) fn set_untyped(map: &mut Node, name: &str, text: &Text) {
    if let Some(field) = map.get_mut(name) {
        assign_untyped(field, text);
    } else if let Some(entries) = map.entries_mut() {
        entries.push((Node::plain(name), untyped_node(text.clone())));
    }
}

/// The field, made an empty block mapping where it is missing.
pub(crate) fn mapping_field<'a>(map: &'a mut Node, name: &str) -> Result<&'a mut Node> {
    expect_kind(map, Kind::Mapping)?;
    Ok(map.get_or_insert_with(name, || Node::mapping(Vec::new())))
}

/// Splits a path at a delimiter that no backslash precedes. A leading delimiter is dropped.
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<&str> = path.split(delimiter).collect();
    if parts.len() > 1 && parts.first().is_some_and(|p| p.is_empty()) {
        parts.remove(0);
    }
    let mut out: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match out.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => out.push(part.to_owned()),
        }
    }
    out
}

/// As [`split_path`], but a part in brackets may hold the delimiter: `a.[name=x.y].b`, `metadata.annotations.[a.b/c]`.
pub(crate) fn split_path_with_brackets(path: &str, delimiter: char) -> Vec<String> {
    let mut out = Vec::new();
    let mut parts = split_path(path, delimiter).into_iter();
    while let Some(mut part) = parts.next() {
        if part.starts_with('[') && !part.ends_with(']') {
            for next in parts.by_ref() {
                part.push(delimiter);
                part.push_str(&next);
                if next.ends_with(']') {
                    break;
                }
            }
            if !part.contains('=') {
                part = part.trim_matches(['[', ']']).to_owned();
            }
        }
        out.push(part);
    }
    out
}

/// `[name=value]`.
pub(crate) fn is_list_index(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// What names an element of a list: `0`, `-`, `[name=value]`.
pub(crate) fn is_element(part: &str) -> bool {
    part.parse::<i64>().is_ok() || part == "-" || is_list_index(part)
}

pub(crate) fn as_index(part: &str) -> Option<usize> {
    part.strip_prefix('+').unwrap_or(part).parse().ok()
}

/// The field and value of `[field=value]`.
pub(crate) fn split_list_index(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        Error::new("list path element must contain fieldName=fieldValue for element to match")
            .help(format!("write [name=value] instead of {part}"))
    })
}

/// What is found under a path of fields, indexes and `[key=value]`; none where something is missing.
pub(crate) fn lookup<'a, S: AsRef<str>>(node: &'a Node, path: &[S]) -> Result<Option<&'a Node>> {
    let mut current = node;
    for part in path.iter().map(|p| p.as_ref().trim()).filter(|p| !p.is_empty()) {
        let next = if let Ok(index) = part.parse::<i64>() {
            if index < 0 {
                return Err(Error::new(format!("array index {index} cannot be negative")));
            }
            expect_kind(current, Kind::Sequence)?;
            current.items().get(usize::try_from(index).unwrap_or(usize::MAX))
        } else if part == "-" {
            expect_kind(current, Kind::Sequence)?;
            current.items().last()
        } else if part == "*" {
            return Err(Error::new("wildcard is not supported in PathGetter"));
        } else if is_list_index(part) {
            let (field, wanted) = split_list_index(part)?;
            expect_kind(current, Kind::Sequence)?;
            current.items().iter().find(|item| {
                if field.is_empty() {
                    raw(item) == wanted
                } else {
                    item.get(field)
                        .is_some_and(|v| !item.is_null() && raw(v) == wanted)
                }
            })
        } else {
            if current.is_null() {
                return Ok(None);
            }
            expect_kind(current, Kind::Mapping)?;
            current.get(part)
        };
        match next {
            Some(node) => current = node,
            None => return Ok(None),
        }
    }
    Ok(Some(current))
}

/// As [`lookup`], to change.
pub(crate) fn lookup_mut<'a, S: AsRef<str>>(node: &'a mut Node, path: &[S]) -> Option<&'a mut Node> {
    let mut current = node;
    for part in path.iter().map(|p| p.as_ref().trim()).filter(|p| !p.is_empty()) {
        current = if let Ok(index) = part.parse::<usize>() {
            current.items_mut()?.get_mut(index)?
        } else if part == "-" {
            current.items_mut()?.last_mut()?
        } else if is_list_index(part) {
            let (field, wanted) = split_list_index(part).ok()?;
            current.items_mut()?.iter_mut().find(|item| {
                if field.is_empty() {
                    raw(item) == wanted
                } else {
                    item.get(field).is_some_and(|v| raw(v) == wanted)
                }
            })?
        } else {
            current.get_mut(part)?
        };
    }
    Some(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(split_path("/a/b\\/c/d", '/'), ["a", "b/c", "d"]);
        assert_eq!(
            split_path_with_brackets("a.[name=x.y].[e.f/g]", '.'),
            ["a", "[name=x.y]", "e.f/g"]
        );
        assert_eq!(split_path_with_brackets("a.b", '.'), ["a", "b"]);
    }

    #[test]
    fn types_survive() {
        let mut node = Node::plain("abc");
        assign_text(&mut node, &"123".into());
        assert!(is_string(&node));
        let mut node = Node::plain("1");
        assign_text(&mut node, &"2".into());
        assert!(!is_string(&node));
        let mut node = Node::new(Value::Scalar("1".into(), ScalarStyle::DoubleQuoted));
        assign(&mut node, Node::plain("2"));
        assert!(is_string(&node), "quotes stay");
        assign_untyped(&mut node, &"x".into());
        assert_eq!(raw(&node), "x");
    }
}
