//! YAML: all documents, with comments where SOPS puts them.

use super::tree::{Branch, Comment, Entry, Item, Node};
use base64::Engine as _;
use sluice_yaml::{
    EmitV3, Node as Yaml, ParseOptions, Resolved, Resolver, ScalarStyle, Value, emit_v3, parse_documents,
};

/// Spaces a level, as SOPS writes.
const INDENT: usize = 4;

pub(super) fn load(data: &[u8]) -> Result<Vec<Branch>, String> {
    let options = ParseOptions {
        dialect: Resolver::V3,
        comments: true,
        ..ParseOptions::default()
    };
    let documents =
        parse_documents(data, &options).map_err(|error| format!("Error unmarshaling input YAML: {error}"))?;
    documents
        .iter()
        .map(|document| {
            branch_of_document(&document.root)
                .map_err(|cause| format!("Error unmarshaling input YAML: {cause}"))
        })
        .collect()
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
    let documents: Vec<String> = branches
        .iter()
        .map(|branch| emit_v3(&written_map(branch), &options))
        .collect();
    documents.join("---\n").into_bytes()
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
        if !self.head.is_empty() {
            yaml.comments_mut().head = std::mem::take(&mut self.head).join("\n").into();
        }
    }

    fn put_inline(&mut self, yaml: &mut Yaml) {
        if !self.inline.is_empty() {
            yaml.comments_mut().line = std::mem::take(&mut self.inline).join("\n").into();
        }
    }

    fn put_foot(mut self, yaml: Option<&mut Yaml>) {
        self.head.append(&mut self.inline);
        if let Some(yaml) = yaml.filter(|_| !self.head.is_empty()) {
            yaml.comments_mut().foot = self.head.join("\n").into();
        }
    }
}

fn written_map(branch: &Branch) -> Yaml {
    let mut pending = Pending::default();
    let mut entries: Vec<(Yaml, Yaml)> = Vec::new();
    for entry in branch {
        match entry {
            Entry::Comment(comment) => pending.take(comment),
            Entry::Pair(key, node) => {
                let mut key = Yaml::string(key.as_str());
                pending.put_head(&mut key);
                let mut value = written(node);
                pending.put_inline(&mut value);
                entries.push((key, value));
            }
        }
    }
    pending.put_foot(entries.last_mut().map(|(key, _)| key));
    Yaml::mapping(entries)
}

fn written(node: &Node) -> Yaml {
    match node {
        Node::Null => Yaml::null(),
        Node::Bool(value) => Yaml::bool(*value),
        Node::Int(value) => Yaml::int(*value),
        Node::Float(value) => Yaml::plain(sluice_yaml::format_float(*value)),
        Node::Time(text) => Yaml::plain(text.as_str()),
        Node::Text(text) if text.contains('\n') => {
            Yaml::new(Value::Scalar(text.as_str().into(), ScalarStyle::Literal))
        }
        Node::Text(text) => Yaml::string(text.as_str()),
        Node::Bytes(bytes) => {
            let mut yaml = Yaml::plain(base64::engine::general_purpose::STANDARD.encode(bytes));
            yaml.set_tag(Some("!!binary".into()));
            yaml
        }
        Node::Map(branch) => written_map(branch),
        Node::List(items) => {
            let mut pending = Pending::default();
            let mut list: Vec<Yaml> = Vec::new();
            for item in items {
                match item {
                    Item::Comment(comment) => pending.take(comment),
                    Item::Node(node) => {
                        let mut yaml = written(node);
                        pending.put_head(&mut yaml);
                        pending.put_inline(&mut yaml);
                        list.push(yaml);
                    }
                }
            }
            pending.put_foot(list.last_mut());
            Yaml::sequence(list)
        }
    }
}
