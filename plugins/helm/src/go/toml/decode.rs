//! Reading TOML.

mod scalar;

use std::collections::HashSet;

use crate::{List, Map, Value, value::DEPTH_MAX};

/// Reads a document: integers are `int64`, floats `float64`, dates times.
///
/// # Errors
/// The original's text, with line and last key.
pub(crate) fn decode(text: &[u8]) -> Result<Map, String> {
    let Ok(text) = std::str::from_utf8(text) else {
        let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let line = 1 + valid.matches('\n').count();
        let byte = text.get(valid.len()).copied().unwrap_or_default();
        return Err(format!("toml: line {line}: invalid UTF-8 byte: 0x{byte:02x}"));
    };
    let mut decoder = Decoder {
        rest: text,
        line: 1,
        last_key: Vec::new(),
        root: Map::new(),
        table: Vec::new(),
        fixed: HashSet::new(),
        explicit: HashSet::new(),
        depth: 0,
    };
    match decoder.document() {
        Ok(()) => Ok(decoder.root),
        Err(message) => {
            let last = decoder.last_key.join(".");
            let line = decoder.line;
            Err(if last.is_empty() {
                format!("toml: line {line}: {message}")
            } else {
                format!("toml: line {line} (last key \"{last}\"): {message}")
            })
        }
    }
}

pub(super) struct Decoder<'t> {
    pub(super) rest: &'t str,
    pub(super) line: usize,
    /// What messages name: the last key that was read, with the table it is in.
    last_key: Vec<String>,
    root: Map,
    /// The table that keys belong to.
    table: Vec<String>,
    /// Inline tables and arrays of values, which nothing may be added to.
    fixed: HashSet<Vec<String>>,
    /// Tables with a header of their own.
    explicit: HashSet<Vec<String>>,
    depth: usize,
}

/// `'x'` as Go's `%q` prints a character, and what the end of the text is called.
pub(super) fn shown(c: Option<char>) -> String {
    match c {
        None => "end of file".to_owned(),
        Some('\n') => r"'\n'".to_owned(),
        Some('\r') => r"'\r'".to_owned(),
        Some('\t') => r"'\t'".to_owned(),
        Some('\'') => r"'\''".to_owned(),
        Some(c) => format!("'{c}'"),
    }
}

impl Decoder<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn advance(&mut self) -> Option<char> {
        let c = self.peek()?;
        if c == '\n' {
            self.line += 1;
        }
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.line += text.matches('\n').count();
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Blanks, line breaks and comments.
    fn gaps(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some('#') => self.comment(),
                Some('\n' | '\r') => {
                    self.advance();
                }
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        self.rest = self.rest.get(end..).unwrap_or_default();
    }

    fn document(&mut self) -> Result<(), String> {
        self.take("\u{FEFF}");
        loop {
            self.gaps();
            match self.peek() {
                None => return Ok(()),
                Some('[') => self.header()?,
                Some(_) => {
                    let table = self.table.clone();
                    self.entry(&self.root.clone(), &table)?;
                }
            }
            self.blanks();
            match self.peek() {
                None | Some('\n' | '\r' | '#') => {}
                other => {
                    let found = shown(other);
                    return Err(format!(
                        "expected a top-level item to end with a newline, comment, or EOF, but got {found} instead"
                    ));
                }
            }
        }
    }

    // ---- tables

    fn header(&mut self) -> Result<(), String> {
        self.advance();
        let is_array = self.take("[");
        self.blanks();
        match self.peek() {
            Some(']') | None => {
                return Err("unexpected end of table name (table names cannot be empty)".to_owned());
            }
            Some('.') => return Err("unexpected table separator (table names cannot be empty)".to_owned()),
            _ => {}
        }
        let key = self.key(
            &|c| {
                format!(
                    "expected '.' or ']' to end table name, but got {} instead",
                    shown(c)
                )
            },
            ']',
        )?;
        if !self.take("]") {
            return Err(format!(
                "expected '.' or ']' to end table name, but got {} instead",
                shown(self.peek())
            ));
        }
        if is_array && !self.take("]") {
            return Err(format!(
                "expected end of table array name delimiter ']', but got {} instead",
                shown(self.peek())
            ));
        }
        self.last_key.clone_from(&key);
        let (last, parents) = key.split_last().ok_or("unexpected EOF")?;
        let parent = self.descend(&self.root.clone(), parents, &[])?;
        if is_array {
            self.open_array(&parent, &key, last)?;
        } else {
            self.open_table(&parent, &key, last)?;
        }
        self.table = key;
        Ok(())
    }

    fn open_array(&mut self, parent: &Map, key: &[String], last: &str) -> Result<(), String> {
        let table = Value::from(Map::new());
        let items = match parent.get(last) {
            None => vec![table],
            Some(Value::List(list)) if !self.fixed.contains(key) => {
                list.items().iter().cloned().chain([table]).collect()
            }
            Some(_) => {
                return Err(format!(
                    "Key '{last}' was already created and cannot be used as an array."
                ));
            }
        };
        // what belonged to the entry before belongs to that alone
        self.explicit
            .retain(|known| !(known.len() > key.len() && known.starts_with(key)));
        self.fixed
            .retain(|known| !(known.len() > key.len() && known.starts_with(key)));
        parent.set(last, Value::List(List::new(items)));
        Ok(())
    }

    fn open_table(&mut self, parent: &Map, key: &[String], last: &str) -> Result<(), String> {
        match parent.get(last) {
            None => parent.set(last, Map::new()),
            Some(Value::Map(_)) if !self.explicit.contains(key) && !self.fixed.contains(key) => {}
            Some(_) => return Err(format!("Key '{}' has already been defined.", key.join("."))),
        }
        self.explicit.insert(key.to_vec());
        Ok(())
    }

    /// The table some keys further down; those that are missing are made. Of an array of tables it is the last one.
    fn descend(&self, from: &Map, keys: &[String], base: &[String]) -> Result<Map, String> {
        let mut map = from.clone();
        let mut path = base.to_vec();
        for key in keys {
            path.push(key.clone());
            let next = match map.get(key.as_str()) {
                None => {
                    let next = Map::new();
                    map.set(key.as_str(), next.clone());
                    next
                }
                Some(Value::Map(next)) if !self.fixed.contains(&path) => next,
                Some(Value::List(list)) if !self.fixed.contains(&path) => match list.items().last() {
                    Some(Value::Map(next)) => next.clone(),
                    _ => return Err(format!("Key '{}' was already created as a hash.", path.join("."))),
                },
                Some(_) => return Err(format!("Key '{}' has already been defined.", path.join("."))),
            };
            map = next;
        }
        Ok(map)
    }

    // ---- keys and values

    /// `key = value`, into a table below `root`.
    fn entry(&mut self, root: &Map, table: &[String]) -> Result<(), String> {
        match self.peek() {
            Some('=') => return Err("unexpected '=': key name appears blank".to_owned()),
            Some('.') => return Err("unexpected '.': keys cannot start with a '.'".to_owned()),
            _ => {}
        }
        let expected = |c: Option<char>| match c {
            None => "unexpected EOF; expected key separator '='".to_owned(),
            c => format!("expected '.' or '=', but got {} instead", shown(c)),
        };
        let key = self.key(&expected, '=')?;
        self.advance();
        self.blanks();
        let path: Vec<String> = table.iter().chain(&key).cloned().collect();
        self.last_key.clone_from(&path);
        let base = self.descend(root, table, &[])?;
        let (last, parents) = key.split_last().ok_or("unexpected EOF")?;
        let target = self.descend(&base, parents, table)?;
        let value = self.value(&path)?;
        if target.contains(last) {
            return Err(format!("Key '{}' has already been defined.", path.join(".")));
        }
        if matches!(value, Value::Map(_) | Value::List(_)) {
            self.fixed.insert(path);
        }
        target.set(last.as_str(), value);
        Ok(())
    }

    /// A key up to its end, which stays.
    fn key(&mut self, expected: &dyn Fn(Option<char>) -> String, end: char) -> Result<Vec<String>, String> {
        let mut parts = Vec::new();
        loop {
            self.blanks();
            let part = match self.peek() {
                Some('"') => self.basic_string()?,
                Some('\'') => self.literal_string()?,
                c => {
                    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    let length = self.rest.find(|c| !is_bare(c)).unwrap_or(self.rest.len());
                    let (bare, rest) = self.rest.split_at_checked(length).unwrap_or_default();
                    if bare.is_empty() {
                        return Err(expected(c));
                    }
                    self.rest = rest;
                    bare.to_owned()
                }
            };
            parts.push(part);
            self.blanks();
            match self.peek() {
                Some('.') => {
                    self.advance();
                }
                Some(c) if c == end => return Ok(parts),
                c => return Err(expected(c)),
            }
        }
    }

    fn value(&mut self, path: &[String]) -> Result<Value, String> {
        match self.peek() {
            None => Err("unexpected EOF; expected value".to_owned()),
            Some('[') => self.nested(path, Self::array),
            Some('{') => self.nested(path, Self::inline_table),
            Some('"') if self.rest.starts_with("\"\"\"") => self.long_basic_string().map(Value::from),
            Some('\'') if self.rest.starts_with("'''") => self.long_literal_string().map(Value::from),
            Some('"') => self.basic_string().map(Value::from),
            Some('\'') => self.literal_string().map(Value::from),
            Some('.') => Err("floats must start with a digit, not '.'".to_owned()),
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_') => self.scalar(),
            Some(c) => Err(format!("expected value but found {} instead", shown(Some(c)))),
        }
    }

    fn nested(
        &mut self,
        path: &[String],
        read: fn(&mut Self, &[String]) -> Result<Value, String>,
    ) -> Result<Value, String> {
        self.advance();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("nested too deeply".to_owned());
        }
        let value = read(self, path)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self, path: &[String]) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            self.gaps();
            match self.peek() {
                Some(']') => break,
                Some(',') => return Err("unexpected comma".to_owned()),
                _ => items.push(self.value(path)?),
            }
            self.gaps();
            match self.peek() {
                Some(',') => {
                    self.advance();
                }
                Some(']') => break,
                c => {
                    let found = shown(c);
                    return Err(format!(
                        "expected a comma (',') or array terminator (']'), but got {found}"
                    ));
                }
            }
        }
        self.advance();
        Ok(List::new(items).into())
    }

    fn inline_table(&mut self, path: &[String]) -> Result<Value, String> {
        let map = Map::new();
        let outer = std::mem::take(&mut self.fixed);
        loop {
            self.gaps();
            match self.peek() {
                Some('}') => break,
                Some(',') => return Err("unexpected comma".to_owned()),
                _ => {}
            }
            self.entry(&map, &[])?;
            self.last_key = path.to_vec();
            self.gaps();
            match self.peek() {
                Some(',') => {
                    self.advance();
                }
                Some('}') => break,
                c => {
                    let found = shown(c);
                    return Err(format!(
                        "expected a comma or an inline table terminator '}}', but got {found} instead"
                    ));
                }
            }
        }
        self.fixed = outer;
        self.advance();
        Ok(map.into())
    }
}
