//! `KEY=value` lines.

use super::tree::{Branch, Comment, Entry, Node, float_text};

pub(super) fn load(data: &[u8]) -> Result<Branch, String> {
    let text = std::str::from_utf8(data).map_err(|_| "the file is not UTF-8".to_owned())?;
    let mut branch = Branch::new();
    for (index, line) in text.split('\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        branch.push(match (line.strip_prefix('#'), line.split_once('=')) {
            (Some(text), _) => Entry::Comment(Comment {
                text: text.to_owned(),
                is_inline: false,
            }),
            (None, Some((key, value))) => Entry::Pair(key.to_owned(), Node::text(value.replace("\\n", "\n"))),
            // the line may be a secret that somebody wrapped
            (None, None) => {
                return Err(format!(
                    "invalid dotenv input line: line {} has no `=`",
                    index + 1
                ));
            }
        });
    }
    Ok(branch)
}

pub(super) fn emit(branch: &Branch) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for entry in branch {
        match entry {
            Entry::Comment(comment) => out.extend_from_slice(format!("#{}", comment.text).as_bytes()),
            Entry::Pair(key, node) => {
                let value = flat_text(node)
                    .ok_or_else(|| format!("cannot use complex value in dotenv file; offending key {key}"))?;
                out.extend_from_slice(key.as_bytes());
                out.push(b'=');
                out.extend_from_slice(value.replace('\n', "\\n").as_bytes());
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// A value as the formats without types write it; none for lists and mappings.
pub(super) fn flat_text(node: &Node) -> Option<super::tree::SecretText> {
    Some(
        match node {
            Node::Text(text) => return Some(text.clone()),
            Node::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Node::Null => "<nil>".to_owned(),
            Node::Bool(value) => value.to_string(),
            Node::Int(value) => value.to_string(),
            Node::Float(value) => float(*value),
            Node::Time(text) => text.clone(),
            Node::List(_) | Node::Map(_) => return None,
        }
        .into(),
    )
}

/// Go's `%G`; what could be taken for an integer gets a fraction.
fn float(value: f64) -> String {
    if !value.is_finite() {
        return float_text(value);
    }
    let text = sluice_yaml::format_float(value).to_uppercase();
    if text.contains(['.', 'E']) {
        text
    } else {
        text + ".0"
    }
}
