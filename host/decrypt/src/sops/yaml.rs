//! YAML: all documents, with comments where SOPS puts them.

use super::VALUES_MAX;
use super::tree::{Branch, Comment, Entry, Item, Node};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sluice_yaml::{
    EmitV3, Limits, Node as Yaml, ParseOptions, Resolved, Resolver, ScalarStyle, Value, emit_v3,
    is_sexagesimal, parse_documents,
};
use std::collections::HashMap;

/// Spaces a level, as SOPS writes.
const INDENT: usize = 4;

pub(super) fn load(data: &[u8]) -> Result<Vec<Branch>, String> {
    let options = ParseOptions {
        dialect: Resolver::V3,
        comments: true,
        limits: Limits {
            nodes: VALUES_MAX,
            ..Limits::default()
        },
        ..ParseOptions::default()
    };
    let documents =
        parse_documents(data, &options).map_err(|error| format!("Error unmarshaling input YAML: {error}"))?;
    documents
        .iter()
        .enumerate()
        .map(|(index, document)| {
            // SOPS looks for repeated keys in the first document only
            let checked = if index == 0 {
                refuse_repeated(&document.root)
            } else {
                Ok(())
            };
            checked
                .and_then(|()| branch_of_document(&document.root))
                .map_err(|cause| format!("Error unmarshaling input YAML: {cause}"))
        })
        .collect()
}

/// Two entries of one name, as a merge of two versions leaves them: which of them counts is not for us to guess.
fn refuse_repeated(yaml: &Yaml) -> Result<(), String> {
    match &yaml.value {
        Value::Mapping(entries, _) => {
            let mut seen = HashMap::with_capacity(entries.len());
            for (key, value) in entries {
                let line = key.position.line;
                if let Some((name, first)) =
                    key.text().and_then(|name| Some((name, seen.insert(name, line)?)))
                {
                    return Err(format!(
                        "line {line}: mapping key {name:?} already defined at line {first}: leave one of the two"
                    ));
                }
                refuse_repeated(value)?;
            }
            Ok(())
        }
        Value::Sequence(items, _) => items.iter().try_for_each(refuse_repeated),
        _ => Ok(()),
    }
}

fn branch_of_document(root: &Yaml) -> Result<Branch, String> {
    let mut branch = Branch::new();
    match &root.value {
        Value::Mapping(entries, _) => {
            comments(&mut branch, root, |all| &all.head, false);
            comments(&mut branch, root, |all| &all.line, false);
            mapping(entries, &mut branch)?;
            comments(&mut branch, root, |all| &all.foot, false);
        }
        Value::Sequence(..) => return Err("YAML documents that are sequences are not supported".to_owned()),
        _ if root.is_null() => {}
        _ => return Err("YAML documents that are values are not supported".to_owned()),
    }
    Ok(branch)
}

fn mapping(entries: &[(Yaml, Yaml)], branch: &mut Branch) -> Result<(), String> {
    for (key, value) in entries {
        comments(branch, key, |all| &all.head, false);
        comments(branch, key, |all| &all.line, false);
        let is_scalar = value.is_scalar();
        if is_scalar {
            comments(branch, value, |all| &all.head, false);
            comments(branch, value, |all| &all.line, true);
        }
        if !key.is_string(Resolver::V3) {
            return Err(format!(
                "Tree contains a non-string key at line {}. Only string keys are supported",
                key.position.line
            ));
        }
        let name = key.text().unwrap_or_default().to_owned();
        branch.push(Entry::Pair(name, node(value, is_scalar)?));
        if is_scalar {
            comments(branch, value, |all| &all.foot, false);
        }
        comments(branch, key, |all| &all.foot, false);
    }
    Ok(())
}

fn node(yaml: &Yaml, are_comments_taken: bool) -> Result<Node, String> {
    match &yaml.value {
        Value::Mapping(entries, _) => {
            let mut branch = Branch::new();
            if !are_comments_taken {
                comments(&mut branch, yaml, |all| &all.head, false);
                comments(&mut branch, yaml, |all| &all.line, false);
            }
            mapping(entries, &mut branch)?;
            if !are_comments_taken {
                comments(&mut branch, yaml, |all| &all.foot, false);
            }
            Ok(Node::Map(branch))
        }
        Value::Sequence(items, _) => {
            let mut list = Vec::new();
            if !are_comments_taken {
                items_of(&mut list, yaml, |all| &all.head, false);
                items_of(&mut list, yaml, |all| &all.line, false);
            }
            for item in items {
                items_of(&mut list, item, |all| &all.head, false);
                items_of(&mut list, item, |all| &all.line, true);
                list.push(Item::Node(node(item, true)?));
                items_of(&mut list, item, |all| &all.foot, false);
            }
            if !are_comments_taken {
                items_of(&mut list, yaml, |all| &all.foot, false);
            }
            Ok(Node::List(list))
        }
        Value::Scalar(..) => scalar(yaml),
        Value::Alias(name) => Err(format!("unknown anchor '{name}' referenced")),
    }
}

fn scalar(yaml: &Yaml) -> Result<Node, String> {
    let at = yaml.position.line;
    if yaml.tag() == Some("!!binary") {
        let text: String = yaml.text().unwrap_or_default().split(['\r', '\n']).collect();
        let bytes = BASE64.decode(text);
        let bytes = bytes.map_err(|_| format!("line {at}: !!binary value contains invalid base64 data"))?;
        return Ok(Node::of_bytes(&bytes));
    }
    let resolved = Resolver::V3
        .resolve(yaml)
        .map_err(|_| format!("line {at}: a value that does not fit its tag"))?;
    Ok(match resolved {
        Resolved::Null => Node::Null,
        Resolved::Bool(value) => Node::Bool(value),
        Resolved::Int(value) => Node::Int(value),
        Resolved::Uint(_) => return Err(format!("Cannot walk value, unknown type: uint64 (line {at})")),
        Resolved::Float(value) => Node::Float(value),
        Resolved::String(text) => Node::text(text),
        Resolved::Timestamp(text) => Node::Time(text),
    })
}

fn each_line<'y>(
    yaml: &'y Yaml,
    which: impl Fn(&'y sluice_yaml::Comments) -> &'y sluice_yaml::Text,
    is_inline: bool,
) -> impl Iterator<Item = Comment> + 'y {
    let text = yaml.comments().map(which).map_or("", |text| text.as_str());
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(move |line| Comment {
            text: line.strip_prefix('#').unwrap_or(line).to_owned(),
            is_inline,
        })
}

fn comments<'y>(
    branch: &mut Branch,
    yaml: &'y Yaml,
    which: impl Fn(&'y sluice_yaml::Comments) -> &'y sluice_yaml::Text,
    is_inline: bool,
) {
    branch.extend(each_line(yaml, which, is_inline).map(Entry::Comment));
}

fn items_of<'y>(
    list: &mut Vec<Item>,
    yaml: &'y Yaml,
    which: impl Fn(&'y sluice_yaml::Comments) -> &'y sluice_yaml::Text,
    is_inline: bool,
) {
    list.extend(each_line(yaml, which, is_inline).map(Item::Comment));
}

/// All documents, as SOPS writes them with yaml.v3.
pub(super) fn emit(branches: &[Branch]) -> Vec<u8> {
    let options = EmitV3 {
        indent: INDENT,
        compact_sequences: false,
    };
    let documents: Vec<String> = branches.iter().map(|branch| document(branch, &options)).collect();
    documents.join("---\n").into_bytes()
}

fn document(branch: &Branch, options: &EmitV3) -> String {
    let (mut root, lead) = written_map(branch);
    if root.entries().is_empty() {
        let head: String = lead.iter().map(|line| format!("{line}\n")).collect();
        return head + &emit_v3(&root, options);
    }
    lead_inside(&mut root, lead);
    emit_v3(&root, options)
}

/// Comments that wait for the node they belong to.
#[derive(Default)]
struct Pending {
    head: Vec<String>,
    inline: Vec<String>,
}

impl Pending {
    fn take(&mut self, comment: &Comment) {
        let list = if comment.is_inline {
            &mut self.inline
        } else {
            &mut self.head
        };
        list.push(format!("#{}", comment.text));
    }

    fn put_head(&mut self, yaml: &mut Yaml) {
        put_before(yaml, std::mem::take(&mut self.head));
    }

    fn put_inline(&mut self, yaml: &mut Yaml) {
        if !self.inline.is_empty() {
            yaml.comments_mut().line = std::mem::take(&mut self.inline).join("\n").into();
        }
    }

    /// Comments after the last entry; where there is none, they lead.
    fn put_foot(mut self, yaml: Option<&mut Yaml>, lead: &mut Vec<String>) {
        self.head.append(&mut self.inline);
        match yaml {
            Some(yaml) if !self.head.is_empty() => yaml.comments_mut().foot = self.head.join("\n").into(),
            Some(_) => {}
            None => lead.append(&mut self.head),
        }
    }
}

fn put_before(yaml: &mut Yaml, mut lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let comments = yaml.comments_mut();
    if !comments.head.is_empty() {
        lines.push(comments.head.to_string());
    }
    comments.head = lines.join("\n").into();
}

/// Under a key, or at the root, what leads a collection is printed inside of it; yaml.v3 forgets it where the first item
/// of a list is led by a comment too.
fn lead_inside(yaml: &mut Yaml, lead: Vec<String>) {
    let first = match &mut yaml.value {
        Value::Mapping(entries, _) => entries.first_mut().map(|(key, _)| key),
        Value::Sequence(items, _) => items.first_mut(),
        _ => None,
    };
    if let Some(first) = first.filter(|first| first.comments().is_none_or(|all| all.head.is_empty())) {
        put_before(first, lead);
    }
}

/// A mapping, and the comments that lead it. yaml.v3 gives those to the mapping: in a list they stand before the dash.
fn written_map(branch: &Branch) -> (Yaml, Vec<String>) {
    let mut pending = Pending::default();
    let mut lead = Vec::new();
    let mut entries: Vec<(Yaml, Yaml)> = Vec::new();
    for entry in branch {
        match entry {
            Entry::Comment(comment) => pending.take(comment),
            Entry::Pair(key, node) => {
                if entries.is_empty() {
                    lead = std::mem::take(&mut pending.head);
                }
                let mut key = text_node(key);
                pending.put_head(&mut key);
                let (mut value, inner) = written(node);
                lead_inside(&mut value, inner);
                pending.put_inline(&mut value);
                entries.push((key, value));
            }
        }
    }
    pending.put_foot(entries.last_mut().map(|(key, _)| key), &mut lead);
    (Yaml::mapping(entries), lead)
}

/// A list, and the comments that lead it.
fn written_list(items: &[Item]) -> (Yaml, Vec<String>) {
    let mut pending = Pending::default();
    let mut lead = Vec::new();
    let mut list: Vec<Yaml> = Vec::new();
    for item in items {
        match item {
            Item::Comment(comment) => pending.take(comment),
            Item::Node(node) => {
                if list.is_empty() {
                    lead = std::mem::take(&mut pending.head);
                }
                let (mut yaml, inner) = written(node);
                put_before(&mut yaml, inner);
                pending.put_head(&mut yaml);
                pending.put_inline(&mut yaml);
                list.push(yaml);
            }
        }
    }
    pending.put_foot(list.last_mut(), &mut lead);
    (Yaml::sequence(list), lead)
}

fn written(node: &Node) -> (Yaml, Vec<String>) {
    let yaml = match node {
        Node::Map(branch) => return written_map(branch),
        Node::List(items) => return written_list(items),
        Node::Null => Yaml::null(),
        Node::Bool(value) => Yaml::bool(*value),
        Node::Int(value) => Yaml::int(*value),
        Node::Float(value) => Yaml::plain(sluice_yaml::format_float(*value)),
        Node::Time(text) => Yaml::plain(text.as_str()),
        Node::Text(text) => text_node(text),
        Node::Bytes(bytes) => binary_node(bytes),
    };
    (yaml, Vec::new())
}

/// Base64 as yaml.v3 writes it: in lines, where there is more than one.
fn binary_node(bytes: &[u8]) -> Yaml {
    const LINE: usize = 70;
    let text = BASE64.encode(bytes);
    let mut yaml = if text.len() < LINE {
        Yaml::plain(text)
    } else {
        let lines = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
        let text: String = lines.flat_map(|line| [line, "\n".into()]).collect();
        Yaml::new(Value::Scalar(text.into(), ScalarStyle::Literal))
    };
    yaml.set_tag(Some("!!binary".into()));
    yaml
}

fn text_node(text: &str) -> Yaml {
    if text == "<<" {
        // printed with its tag, so that it merges nothing
        Yaml::plain(text)
    } else if text.contains('\n') {
        Yaml::new(Value::Scalar(text.into(), ScalarStyle::Literal))
    } else if is_sexagesimal(text) {
        // 12:30 is the number 750 for whoever reads YAML 1.1
        Yaml::new(Value::Scalar(text.into(), ScalarStyle::DoubleQuoted))
    } else {
        Yaml::string(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_refused_with_both_lines() {
        let refusal = load(b"a: 1\nb:\n  - c: 1\n    d: 2\n    c: 3\n").unwrap_err();
        assert_eq!(
            refusal,
            "Error unmarshaling input YAML: line 5: mapping key \"c\" already defined at line 3: leave one of the two"
        );
        // as sops: further documents are not looked at
        assert_eq!(load(b"a: 1\n---\nb: 1\nb: 2\n").unwrap().len(), 2);
        assert!(load(b"a: {c: 1}\nb: [{c: 1}, {c: 1}]\n").is_ok());
    }
}
