//! Sections of `key = value`, as the `ini.v1` library that SOPS uses reads and writes them.

use super::dotenv::flat_text;
use super::tree::{Branch, Comment, Entry, Node};

/// The section of keys that stand before the first header.
const DEFAULT: &str = "DEFAULT";

pub(super) fn load(data: &[u8]) -> Result<Branch, String> {
    let text =
        std::str::from_utf8(data).map_err(|_| "Could not unmarshal input data: not UTF-8".to_owned())?;
    let mut sections = vec![(DEFAULT.to_owned(), Branch::new())];
    let mut comments: Vec<String> = Vec::new();
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with(['#', ';']) {
            comments.push(line.to_owned());
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name
                .rsplit_once(']')
                .ok_or_else(|| unreadable(index, "unclosed section"))?
                .0;
            let mut branch = Branch::new();
            comment(&mut comments, &mut branch);
            sections.push((name.to_owned(), branch));
            continue;
        }
        let (key, rest) = key(line).ok_or_else(|| unreadable(index, "key-value delimiter not found"))?;
        let value = if let Some(start) = rest.strip_prefix("\"\"\"") {
            long(start, &mut lines).ok_or_else(|| unreadable(index, "missing closing key quote"))?
        } else {
            short(rest)
        };
        let (_, branch) = sections
            .last_mut()
            .expect("invariant: the default section is there from the start");
        // a repeated key takes the place of the one before
        branch.retain(|entry| !matches!(entry, Entry::Pair(other, _) if *other == key));
        branch.push(Entry::Pair(key, Node::text(value)));
        comment(&mut comments, branch);
    }
    let pairs = sections
        .into_iter()
        .map(|(name, branch)| Entry::Pair(name, Node::Map(branch)));
    Ok(pairs.collect())
}

fn unreadable(index: usize, what: &str) -> String {
    format!("Could not unmarshal input data: line {}: {what}", index + 1)
}

fn comment(comments: &mut Vec<String>, branch: &mut Branch) {
    if !comments.is_empty() {
        let text = std::mem::take(comments).join("\n");
        let text = text.trim_start_matches(if text.starts_with(';') {
            [';', ' ']
        } else {
            ['#', ' ']
        });
        branch.push(Entry::Comment(Comment {
            text: text.to_owned(),
            is_inline: false,
        }));
    }
}

/// A key may be quoted.
fn key(line: &str) -> Option<(String, &str)> {
    for quote in ["\"\"\"", "`", "\""] {
        if let Some(rest) = line.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            let rest = rest.trim_start().strip_prefix(['=', ':'])?;
            return Some((key.to_owned(), rest.trim()));
        }
    }
    let (key, rest) = line.split_once(['=', ':'])?;
    Some((key.trim().to_owned(), rest.trim()))
}

fn short(rest: &str) -> String {
    for quote in ['`', '"', '\''] {
        if let Some(inner) = rest.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
            && !inner.contains(quote)
        {
            return inner.to_owned();
        }
    }
    // what stands behind a mark is a comment
    let end = [" #", " ;"].iter().filter_map(|mark| rest.find(mark)).min();
    rest.get(..end.unwrap_or(rest.len()))
        .unwrap_or(rest)
        .trim_end()
        .to_owned()
}

fn long<'t>(start: &str, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Option<String> {
    if let Some((value, _)) = start.split_once("\"\"\"") {
        return Some(value.to_owned());
    }
    let mut value = start.to_owned();
    for (_, line) in lines {
        value.push('\n');
        if let Some((end, _)) = line.split_once("\"\"\"") {
            value.push_str(end);
            return Some(value);
        }
        value.push_str(line);
    }
    None
}

pub(super) fn emit(branch: &Branch) -> Result<Vec<u8>, String> {
    let mut out = String::new();
    let mut is_first = true;
    for entry in branch {
        let Entry::Pair(name, node) = entry else { continue };
        let Node::Map(entries) = node else {
            return Err("Error marshaling to INI: Error encoding section: Section values should always be TreeBranches".to_owned());
        };
        let is_default = std::mem::take(&mut is_first) && name == DEFAULT;
        let has_keys = entries.iter().any(|entry| matches!(entry, Entry::Pair(..)));
        if is_default && !has_keys {
            continue;
        }
        section(name, is_default, entries, &mut out)?;
    }
    Ok(out.into_bytes())
}

fn section(name: &str, is_default: bool, entries: &Branch, out: &mut String) -> Result<(), String> {
    let mut entries = entries.as_slice();
    if let [Entry::Comment(comment), rest @ ..] = entries {
        write_comment(&comment.text, out);
        entries = rest;
    }
    if !is_default {
        out.push('[');
        out.push_str(name);
        out.push_str("]\n");
    }
    let mut keys: Vec<(String, &Node, Option<&str>)> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Pair(key, node) => keys.push((written_key(key), node, None)),
            Entry::Comment(comment) => {
                if let Some((.., text)) = keys.last_mut() {
                    *text = Some(&comment.text);
                }
            }
        }
    }
    let width = keys.iter().map(|(key, ..)| key.len()).max().unwrap_or(0);
    for (key, node, comment) in keys {
        if let Some(comment) = comment {
            write_comment(comment, out);
        }
        let value =
            flat_text(node).ok_or_else(|| format!("Error encoding key: {key} has a complex value"))?;
        out.push_str(&format!("{key:width$} = "));
        let quote = if value.contains(['\n', '`']) {
            "\"\"\""
        } else if value.contains(['#', ';']) {
            "`"
        } else if value.trim().len() != value.len() {
            "\""
        } else {
            ""
        };
        out.push_str(quote);
        out.push_str(&value);
        out.push_str(quote);
        out.push('\n');
    }
    out.push('\n');
    Ok(())
}

fn written_key(key: &str) -> String {
    if key.contains(['"', '=', ':']) {
        format!("`{key}`")
    } else if key.contains('`') {
        format!("\"\"\"{key}\"\"\"")
    } else {
        key.to_owned()
    }
}

fn write_comment(text: &str, out: &mut String) {
    for line in text.lines() {
        if !line.starts_with(['#', ';']) {
            out.push_str("; ");
        }
        out.push_str(line);
        out.push('\n');
    }
}
