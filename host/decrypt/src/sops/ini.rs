//! Sections of `key = value`, as the `ini.v1` library that SOPS uses reads and writes them.

use super::dotenv::flat_bytes;
use super::tree::{Branch, Comment, Entry, Node};
use std::collections::HashMap;
use zeroize::Zeroizing;

/// The section of keys that stand before the first header.
const DEFAULT: &str = "DEFAULT";
/// What begins a comment, wherever it stands.
const MARKS: [char; 2] = ['#', ';'];
/// What stands between a key and its value.
const DELIMITERS: [char; 2] = ['=', ':'];

/// A section as it is read: its keys in order, a repeated key at its first place.
#[derive(Default)]
struct Section {
    name: String,
    comment: String,
    keys: Vec<(String, String, String)>,
    /// Where a key stands in `keys`.
    places: HashMap<String, usize>,
}

impl Section {
    fn set(&mut self, name: String, value: String, comment: String) {
        let place = *self.places.entry(name.clone()).or_insert(self.keys.len());
        match self.keys.get_mut(place) {
            Some(known) => *known = (name, value, comment),
            None => self.keys.push((name, value, comment)),
        }
    }

    fn branch(self) -> Branch {
        let mut branch = Branch::new();
        push_comment(&self.comment, &mut branch);
        for (name, value, comment) in self.keys {
            branch.push(Entry::Pair(name, Node::text(value)));
            push_comment(&comment, &mut branch);
        }
        branch
    }
}

fn push_comment(text: &str, branch: &mut Branch) {
    let text = match text.chars().next() {
        None => return,
        Some(mark @ (';' | '#')) => text.trim_start_matches([mark, ' ']),
        Some(_) => text,
    };
    branch.push(Entry::Comment(Comment {
        text: text.to_owned(),
        is_inline: false,
    }));
}

/// Lines with their breaks, and the comment that waits for the next key or section.
struct Reader<'t> {
    rest: &'t str,
    line: usize,
    comment: String,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        self.line += 1;
        (!line.is_empty()).then_some(line)
    }

    fn take_comment(&mut self) -> String {
        std::mem::take(&mut self.comment).trim().to_owned()
    }

    /// The error never quotes the line: it may be a secret that somebody wrapped.
    fn failed(&self, what: &str) -> String {
        format!("Could not unmarshal input data: line {}: {what}", self.line)
    }

    fn value(&mut self, text: &'t str) -> Result<String, String> {
        let text = text.trim_start();
        if text.is_empty() {
            return Ok(String::new());
        }
        let quote = if text.len() > 3 && text.starts_with("\"\"\"") {
            "\"\"\""
        } else if text.starts_with('`') {
            "`"
        } else {
            return Ok(self.bare(text.trim_end()));
        };
        let text = text.strip_prefix(quote).unwrap_or(text);
        match text.rsplit_once(quote) {
            Some((value, _)) => Ok(value.to_owned()),
            None => self.quoted(text, quote),
        }
    }

    fn quoted(&mut self, start: &str, quote: &str) -> Result<String, String> {
        let mut value = start.to_owned();
        while let Some(line) = self.next() {
            let Some((end, behind)) = line.rsplit_once(quote) else {
                value.push_str(line);
                continue;
            };
            if behind.trim().ends_with('\\') {
                value.push_str(line);
                continue;
            }
            value.push_str(end);
            if let Some(at) = behind.find(MARKS) {
                self.comment.push_str(behind.get(at..).unwrap_or_default().trim());
            }
            return Ok(value);
        }
        Err(self.failed("missing closing key quote"))
    }

    fn bare(&mut self, text: &str) -> String {
        if let Some(start) = text.strip_suffix('\\') {
            return self.continued(start);
        }
        let mut text = text;
        if let Some((value, comment)) = text.find(MARKS).and_then(|at| text.split_at_checked(at)) {
            self.comment.push_str(comment);
            text = value.trim();
        }
        for quote in ['\'', '"'] {
            let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
            if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
                return inner.to_owned();
            }
        }
        text.to_owned()
    }

    fn continued(&mut self, start: &str) -> String {
        let mut value = start.to_owned();
        while let Some(line) = self.next().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_suffix('\\') {
                Some(more) => value.push_str(more),
                None => {
                    value.push_str(line);
                    break;
                }
            }
        }
        value
    }
}

pub(super) fn load(data: &[u8]) -> Result<Branch, String> {
    let text =
        std::str::from_utf8(data).map_err(|_| "Could not unmarshal input data: not UTF-8".to_owned())?;
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 0,
        comment: String::new(),
    };
    let mut section = Section {
        name: DEFAULT.to_owned(),
        ..Section::default()
    };
    let mut branch = Branch::new();
    let mut numbered = 0;
    while let Some(line) = reader.next() {
        let line = line.trim_start();
        if line.is_empty() {
            continue;
        }
        if line.starts_with(MARKS) {
            reader.comment.push_str(line);
        } else if let Some(header) = line.strip_prefix('[') {
            let (name, behind) = header
                .rsplit_once(']')
                .ok_or_else(|| reader.failed("unclosed section"))?;
            if name.is_empty() {
                return Err(reader.failed("empty section name"));
            }
            if let Some(at) = behind.find(MARKS) {
                reader.comment.push_str(behind.get(at..).unwrap_or_default());
            }
            let next = Section {
                name: name.to_owned(),
                comment: reader.take_comment(),
                ..Section::default()
            };
            let done = std::mem::replace(&mut section, next);
            branch.push(Entry::Pair(done.name.clone(), Node::Map(done.branch())));
            numbered = 0;
        } else {
            let (mut name, rest) = key(line).map_err(|what| reader.failed(what))?;
            if name == "-" {
                numbered += 1;
                name = format!("#{numbered}");
            }
            let value = reader.value(rest)?;
            let comment = reader.take_comment();
            section.set(name, value, comment);
        }
    }
    branch.push(Entry::Pair(section.name.clone(), Node::Map(section.branch())));
    Ok(branch)
}

/// A key may be quoted.
fn key(line: &str) -> Result<(String, &str), &'static str> {
    let (name, rest) = match ["\"\"\"", "`", "\""]
        .into_iter()
        .find(|quote| line.starts_with(quote))
    {
        Some(quote) => {
            let rest = line.strip_prefix(quote).unwrap_or(line);
            let (name, rest) = rest.split_once(quote).ok_or("missing closing key quote")?;
            let (_, rest) = rest
                .split_once(DELIMITERS)
                .ok_or("key-value delimiter not found")?;
            (name, rest)
        }
        None => line
            .split_once(DELIMITERS)
            .ok_or("key-value delimiter not found")?,
    };
    let name = name.trim();
    if name.is_empty() {
        return Err("empty key name");
    }
    Ok((name.to_owned(), rest))
}

pub(super) fn emit(branch: &Branch) -> Result<Vec<u8>, String> {
    let mut out = Zeroizing::new(Vec::new());
    let mut index = 0;
    for entry in branch {
        let Entry::Pair(name, node) = entry else { continue };
        let Node::Map(entries) = node else {
            return Err("Error marshaling to INI: Error encoding section: Section values should always be TreeBranches".to_owned());
        };
        let is_plain = index == 0 && name.eq_ignore_ascii_case(DEFAULT);
        let has_keys = entries.iter().any(|entry| matches!(entry, Entry::Pair(..)));
        section(name, is_plain, entries, &mut out)?;
        index += 1;
        // an empty line between sections, but none after keys that are not there
        if has_keys || !is_plain {
            out.push(b'\n');
        }
    }
    if out.ends_with(b"\n\n") {
        out.pop();
    }
    Ok(out.to_vec())
}

fn section(name: &str, is_plain: bool, entries: &Branch, out: &mut Vec<u8>) -> Result<(), String> {
    let mut entries = entries.as_slice();
    if let [Entry::Comment(comment), rest @ ..] = entries {
        write_comment(&comment.text, out);
        entries = rest;
    }
    if !is_plain {
        write(&["[", name, "]\n"], out);
    }
    let mut keys: Vec<(&str, String, &Node, Option<&str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for entry in entries {
        match entry {
            Entry::Pair(key, _) if key.is_empty() => {
                return Err("Error encoding key: error creating new key: empty key name".to_owned());
            }
            Entry::Pair(key, node) => {
                let place = *places.entry(key).or_insert(keys.len());
                match keys.get_mut(place) {
                    Some(known) => known.2 = node,
                    None => keys.push((key, written_key(key), node, None)),
                }
            }
            Entry::Comment(comment) => {
                if let Some((.., text)) = keys.last_mut() {
                    *text = Some(&comment.text);
                }
            }
        }
    }
    let width = keys.iter().map(|(_, key, ..)| key.len()).max().unwrap_or(0);
    for (_, key, node, comment) in keys {
        if let Some(comment) = comment {
            write_comment(comment, out);
        }
        let value =
            flat_bytes(node).ok_or_else(|| format!("Error encoding key: {key} has a complex value"))?;
        let quote = quote_of(&String::from_utf8_lossy(&value));
        write(&[&key], out);
        out.extend(std::iter::repeat_n(b' ', width - key.len()));
        write(&[" = ", quote], out);
        out.extend_from_slice(&value);
        write(&[quote, "\n"], out);
    }
    Ok(())
}

fn quote_of(value: &str) -> &'static str {
    if value.contains(['\n', '`']) {
        "\"\"\""
    } else if value.contains(MARKS) {
        "`"
    } else if value.trim().len() != value.len() {
        "\""
    } else {
        ""
    }
}

fn written_key(key: &str) -> String {
    if key.contains('"') || key.contains(DELIMITERS) {
        format!("`{key}`")
    } else if key.contains('`') {
        format!("\"\"\"{key}\"\"\"")
    } else {
        key.to_owned()
    }
}

fn write(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn write_comment(text: &str, out: &mut Vec<u8>) {
    for line in text.split('\n') {
        match line.split_at_checked(1) {
            Some((mark @ ("#" | ";"), rest)) => write(&[mark, " ", rest.trim(), "\n"], out),
            _ => write(&["; ", line.trim(), "\n"], out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many keys as a file can hold: looking each up among all others would not come to an end.
    #[test]
    fn a_repeated_key_keeps_its_first_place_among_very_many() {
        let mut text = "[many]\n".to_owned();
        for number in 0..400_000 {
            text.push_str(&format!("{number}=\n"));
        }
        text.push_str("7 = again\n");
        let branch = load(text.as_bytes()).unwrap();
        let Some(Entry::Pair(_, Node::Map(keys))) = branch.get(1) else {
            panic!("the section is there");
        };
        assert_eq!(keys.len(), 400_000);
        let Some(Entry::Pair(name, Node::Text(value))) = keys.get(7) else {
            panic!("the key is there");
        };
        assert_eq!((name.as_str(), value.as_str()), ("7", "again"));
        let written = emit(&branch).unwrap();
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 400_001);
    }
}
