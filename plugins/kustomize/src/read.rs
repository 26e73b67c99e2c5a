//! From bytes to objects: documents are split, lists are unwrapped, `<<` is merged.

use std::collections::HashMap;

use sluice_yaml::{Node, ParseOptions, Position, Resolver, Value};

use crate::{
    Text,
    error::{Class, Error, Result},
    fields::{self, OBJECTS},
    object::{Object, Source},
    output,
};

/// One document of a file, and the lines before it.
struct Part<'a> {
    text: &'a str,
    lines_before: u32,
}

/// The objects of a file.
///
/// # Errors
/// In the original's words; [`Class::Malformed`] for what is not YAML.
pub(crate) fn objects(bytes: &[u8], file: &str) -> Result<Vec<Object>> {
    let text = sluice_yaml::decode_text(bytes, &sluice_yaml::Limits::default())
        .map_err(|error| malformed(&error, file, 0))?;
    let text = if text.contains("\r\n") {
        text.replace("\r\n", "\n").into()
    } else {
        text
    };
    let parts = split(&text).map_err(|e| e.in_file(file))?;
    let is_single = parts.len() == 1;
    let shared_file = Text::from(file);
    let mut queue = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let root = parse(part, file)?;
        let Some(mut root) = root.filter(|node| !node.is_null()) else {
            continue;
        };
        let source = |node: &Node| Source {
            file: shared_file.clone(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            line: part.lines_before + node.position.line.max(1),
        };
        let kind = root.get("kind").map(fields::value).unwrap_or_default();
        let is_wrapper = matches!(kind, "List" | "ResourceList")
            && (root.get("items").is_some() || root.get("functionConfig").is_some());
        if is_single && is_wrapper {
            let items = match root.remove("items").map(|items| items.value) {
                Some(Value::Sequence(items, _)) => items,
                // taken for a list of its keys and values, of which the first is no object
                Some(Value::Mapping(entries, _)) => entries.into_iter().map(|(key, _)| key).collect(),
                _ => continue,
            };
            queue.extend(items.into_iter().map(|item| (source(&item), item)));
        } else {
            queue.push((source(&root), root));
        }
    }
    let checked = check(queue)?;
    unfold_lists(checked)
}

/// Splits at lines that start with `---`, as the original does before it parses.
fn split(text: &str) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let (mut start, mut from) = (0, 0);
    let mut lines_before = 0_u32;
    while let Some(at) = text
        .get(from..)
        .and_then(|rest| rest.find("\n---"))
        .map(|i| i + from)
    {
        let after = at + 4;
        let Some(end) = text
            .get(after..)
            .and_then(|rest| rest.find('\n'))
            .map(|i| i + after + 1)
        else {
            break;
        };
        let rest = text.get(after..end).unwrap_or_default().trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let line = count_lines(text.get(..at).unwrap_or_default()) + 2;
            let separator = text.get(at..end).unwrap_or_default().trim();
            return Err(Error::new(format!("invalid document separator: {separator}"))
                .at("", Position { line, column: 1 })
                .help("a line that separates documents is `---`, with nothing but a comment behind it"));
        }
        let part = text.get(start..=at).unwrap_or_default();
        parts.push(Part {
            text: part,
            lines_before,
        });
        lines_before += count_lines(text.get(start..end).unwrap_or_default());
        (start, from) = (end, end);
    }
    if !text.is_empty() {
        parts.push(Part {
            text: text.get(start..).unwrap_or_default(),
            lines_before,
        });
    }
    Ok(parts)
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|b| *b == b'\n').count()).unwrap_or(u32::MAX)
}

fn parse(part: &Part<'_>, file: &str) -> Result<Option<Node>> {
    let document = sluice_yaml::parse_document(part.text, &ParseOptions::new(OBJECTS))
        .map_err(|error| malformed(&error, file, part.lines_before))?;
    let Some(mut node) = document.map(|d| d.root) else {
        return Ok(None);
    };
    // most texts have neither: one character is found faster than many
    if part.text.contains('<') && part.text.contains("<<") {
        merge_keys(&mut node, OBJECTS).map_err(|e| e.in_file(file))?;
        drop_merge_names(&mut node);
    }
    if part.text.contains('#') && part.text.contains(MERGE_SCHEMA) {
        attach_schemas(&mut node, &part.text.lines().collect::<Vec<_>>());
    }
    Ok(Some(node))
}

fn malformed(error: &sluice_yaml::Error, file: &str, lines_before: u32) -> Error {
    let mut position = error.position();
    position.line += lines_before;
    let class = if matches!(error, sluice_yaml::Error::Limit { .. }) {
        Class::Limit
    } else {
        Class::Malformed
    };
    Error::of(class, format!("MalformedYAMLError: {error}")).at(file, position)
}

/// The original clears the field `<<` after merging, and a quoted `"<<"` with it, which merges nothing.
fn drop_merge_names(node: &mut Node) {
    match &mut node.value {
        Value::Sequence(items, _) => items.iter_mut().for_each(drop_merge_names),
        Value::Mapping(entries, _) => {
            entries.retain(|(key, _)| fields::raw(key) != "<<");
            entries.iter_mut().for_each(|(_, value)| drop_merge_names(value));
        }
        _ => {}
    }
}

/// The mark of a comment that is a schema: `ports: # {"x-kubernetes-patch-strategy": "merge", …}`.
const MERGE_SCHEMA: &str = "x-kubernetes-patch-strategy";

/// Gives lists the schema that a comment behind their key writes down.
fn attach_schemas(node: &mut Node, lines: &[&str]) {
    match &mut node.value {
        Value::Sequence(items, _) => items.iter_mut().for_each(|item| attach_schemas(item, lines)),
        Value::Mapping(entries, _) => {
            for (key, value) in entries {
                let line = usize::try_from(key.position.line)
                    .ok()
                    .and_then(|l| lines.get(l.checked_sub(1)?));
                let comment = line
                    .and_then(|l| l.find("# {").and_then(|at| l.get(at..)))
                    .filter(|c| c.contains(MERGE_SCHEMA));
                if let (Some(comment), true) = (comment, value.is_sequence()) {
                    value.comments_mut().line = comment.into();
                }
                attach_schemas(value, lines);
            }
        }
        _ => {}
    }
}

/// Puts what `<<` names in its place. In objects, fields that are written win over those that are merged. In YAML 1.1 what
/// comes last wins: the fields are left where they stand, more than once perhaps.
fn merge_keys(node: &mut Node, resolver: Resolver) -> Result<()> {
    let entries = match &mut node.value {
        Value::Sequence(items, _) => {
            return items.iter_mut().try_for_each(|item| merge_keys(item, resolver));
        }
        Value::Mapping(entries, _) => entries,
        _ => return Ok(()),
    };
    entries
        .iter_mut()
        .try_for_each(|(_, value)| merge_keys(value, resolver))?;
    while let Some(at) = entries.iter().position(|(key, _)| OBJECTS.is_merge(key)) {
        let (key, value) = entries.remove(at);
        if resolver == OBJECTS && entries.iter().any(|(key, _)| OBJECTS.is_merge(key)) {
            return Err(Error::new("duplicate merge key").at("", key.position));
        }
        let not_a_map = "map merge requires map or sequence of maps as the value";
        let sources = match value.value {
            Value::Mapping(..) => vec![value],
            Value::Sequence(items, _) => items,
            _ => return Err(Error::new(not_a_map).at("", key.position)),
        };
        for source in sources {
            let merged = match source.value {
                Value::Mapping(merged, _) => merged,
                Value::Sequence(..) => {
                    let words = "invalid map merge: received a nested sequence";
                    return Err(Error::new(words).at("", key.position));
                }
                _ => return Err(Error::new(not_a_map).at("", key.position)),
            };
            if resolver == OBJECTS {
                for (key, value) in merged {
                    let name = fields::raw(&key);
                    if entries.iter().all(|(known, _)| fields::raw(known) != name) {
                        entries.push((key, value));
                    }
                }
            } else {
                // before what an earlier source gave, which wins
                entries.splice(at..at, merged);
            }
        }
    }
    Ok(())
}

/// Of a key that stands twice the last value counts.
pub(crate) fn keep_last(node: &mut Node) {
    match &mut node.value {
        Value::Sequence(items, _) => items.iter_mut().for_each(keep_last),
        Value::Mapping(entries, _) => {
            let mut last: HashMap<Text, usize> = HashMap::with_capacity(entries.len());
            for (at, (key, _)) in entries.iter().enumerate() {
                last.insert(fields::shared(key), at);
            }
            let mut at = 0;
            entries.retain(|(key, _)| {
                at += 1;
                last.get(fields::raw(key)) == Some(&(at - 1))
            });
            entries.iter_mut().for_each(|(_, value)| keep_last(value));
        }
        _ => {}
    }
}

/// Drops empty documents; all others must have a kind and, lists apart, a name.
fn check(nodes: Vec<(Source, Node)>) -> Result<Vec<Object>> {
    let mut objects = Vec::with_capacity(nodes.len());
    for (source, node) in nodes {
        if fields::is_nil_or_empty(&node) {
            continue;
        }
        check_metadata(&node).map_err(|e| {
            let at = Position {
                line: source.line,
                column: 0,
            };
            e.at(&source.file, at)
        })?;
        objects.push(Object::new(node, source));
    }
    Ok(objects)
}

pub(crate) fn check_metadata(node: &Node) -> Result<()> {
    let text = |field: &str| fields::present(node, field).map(fields::value);
    let metadata = fields::present(node, "metadata").filter(|m| m.is_mapping());
    let of = |field: &str| metadata.and_then(|m| fields::present(m, field));
    let name = of("name").map(fields::raw).unwrap_or_default();
    let has_any = text("apiVersion").is_some()
        || text("kind").is_some()
        || ["name", "namespace", "labels", "annotations"]
            .iter()
            .any(|f| of(f).is_some());
    if !node.is_mapping() || !has_any {
        return Err(Error::new("missing Resource metadata")
            .help("this is no Kubernetes object: it needs apiVersion, kind and metadata.name"));
    }
    if of("annotations").is_some_and(Node::is_sequence) {
        return Err(
            Error::new("wrong node kind: expected MappingNode but got SequenceNode")
                .on_field("metadata.annotations")
                .help("annotations are `key: value` pairs, not a list"),
        );
    }
    let kind = text("kind").unwrap_or_default();
    if !kind.is_empty() && (kind.ends_with("List") || !name.is_empty()) {
        return Ok(());
    }
    let shown = |field: &str| {
        let mut pairs: Vec<String> = of(field)
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|(k, v)| format!("{}:{}", fields::value(k), fields::value(v)))
            .collect();
        pairs.sort();
        format!("map[{}]", pairs.join(" "))
    };
    let dump = format!(
        "{{{{{} {kind}}} {{{{{name} {}}} {} {}}}}}",
        text("apiVersion").unwrap_or_default(),
        of("namespace").map(fields::value).unwrap_or_default(),
        shown("labels"),
        shown("annotations")
    );
    Err(if kind.is_empty() {
        Error::new(format!("missing kind in object {dump}"))
            .on_field("kind")
            .help("every object needs a kind")
    } else {
        Error::new(format!("missing metadata.name in object {dump}"))
            .on_field("metadata.name")
            .help("every object needs a name")
    })
}

/// Puts the items of lists (`kind: …List`) at the end of the file's objects.
fn unfold_lists(objects: Vec<Object>) -> Result<Vec<Object>> {
    let mut out = Vec::with_capacity(objects.len());
    let mut queue = std::collections::VecDeque::from(objects);
    while let Some(mut object) = queue.pop_front() {
        let kind = Text::from(object.kind());
        if !kind.ends_with("List") || object.node.get("items").is_none() {
            out.push(object);
            continue;
        }
        let source = object.source.clone();
        let items = object.node.remove("items").unwrap_or_default();
        if items.is_null() {
            continue;
        }
        let Value::Sequence(items, _) = items.value else {
            let found = if items.is_mapping() {
                "map[string]interface {}"
            } else {
                "string"
            };
            return Err(
                Error::new(format!("expected array in {kind}/items, but found {found}")).at(
                    &source.file,
                    Position {
                        line: source.line,
                        column: 0,
                    },
                ),
            );
        };
        let mut nodes = Vec::with_capacity(items.len());
        for mut item in items {
            output::normalize(&mut item)?;
            nodes.push((source.clone(), item));
        }
        queue.extend(check(nodes)?);
    }
    Ok(out)
}

/// The first document of a file that is read like an object.
#[cfg(test)]
pub(crate) fn document(bytes: &[u8], file: &str) -> Result<Node> {
    document_with(bytes, file, OBJECTS)
}

/// The first document of a file that is read like a kustomization: YAML 1.1. Keys may stand twice; the last counts.
pub(crate) fn document_v2(bytes: &[u8], file: &str) -> Result<Node> {
    document_with(bytes, file, Resolver::V2)
}

/// Whether the original reads this as JSON, not as YAML.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// As [`document_v2`], but what starts with `{` must be JSON.
///
/// # Errors
/// `words` says what is wrong with JSON, in the original's words where it ends too early.
pub(crate) fn document_json(bytes: &[u8], file: &str, early_end: &str) -> Result<Node> {
    if is_json(bytes)
        && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
    {
        let position = Position {
            line: u32::try_from(error.line()).unwrap_or_default(),
            column: u32::try_from(error.column()).unwrap_or_default(),
        };
        let words = match error.is_eof() {
            true => early_end.to_owned(),
            false => format!("invalid character in JSON: {error}"),
        };
        return Err(Error::new(words).at(file, position));
    }
    document_v2(bytes, file).map_err(|e| e.wrap("error converting YAML to JSON"))
}

fn document_with(bytes: &[u8], file: &str, resolver: Resolver) -> Result<Node> {
    let document = sluice_yaml::parse_document(bytes, &ParseOptions::new(resolver)).map_err(|error| {
        let class = if matches!(error, sluice_yaml::Error::Limit { .. }) {
            Class::Limit
        } else {
            Class::Input
        };
        Error::of(class, error.to_string()).at(file, error.position())
    })?;
    let mut node = document.map(|d| d.root).unwrap_or_else(Node::null);
    if bytes.windows(2).any(|w| w == b"<<") {
        merge_keys(&mut node, resolver).map_err(|e| e.in_file(file))?;
    }
    Ok(node)
}
