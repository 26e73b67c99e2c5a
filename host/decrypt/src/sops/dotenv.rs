//! `KEY=value` lines.

use super::tree::{Branch, Comment, Entry, Node, Time, float_text};
use zeroize::Zeroizing;

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
                let value = flat_bytes(node)
                    .ok_or_else(|| format!("cannot use complex value in dotenv file; offending key {key}"))?;
                out.extend_from_slice(key.as_bytes());
                out.push(b'=');
                for (index, line) in value.split(|byte| *byte == b'\n').enumerate() {
                    out.extend_from_slice(if index > 0 { b"\\n" } else { b"" });
                    out.extend_from_slice(line);
                }
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// A value as the formats without types write it; none for lists and mappings.
pub(super) fn flat_bytes(node: &Node) -> Option<Zeroizing<Vec<u8>>> {
    match node {
        Node::Bytes(bytes) => Some(bytes.clone()),
        node => flat_text(node).map(|text| Zeroizing::new(text.as_bytes().to_vec())),
    }
}

/// The same of what is text.
pub(super) fn flat_text(node: &Node) -> Option<super::tree::SecretText> {
    Some(
        match node {
            Node::Text(text) => return Some(text.clone()),
            Node::Null => "<nil>".to_owned(),
            Node::Bool(value) => value.to_string(),
            Node::Int(value) => value.to_string(),
            Node::Float(value) => float(*value),
            Node::Time(text) => Time::parse(text).map_or_else(|| text.clone(), |time| time.seconds),
            Node::Bytes(_) | Node::List(_) | Node::Map(_) => return None,
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
