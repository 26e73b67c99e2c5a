//! Reading TOML. What may be defined twice, and how, follows the original step by step, its oddities included.

mod scalar;

use std::collections::HashSet;

use super::encode::key_text;
use crate::{
    List, Map, Value,
    go::{
        quote::{quote, quote_rune},
        unicode::is_letter,
    },
    value::{CollectionType, DEPTH_MAX, Element},
};

/// Reads a document: integers are `int64`, floats `float64`, dates times.
///
/// # Errors
/// The original's text, with line and last key.
pub(crate) fn decode(text: &[u8]) -> Result<Map, String> {
    let text = without_mark(text);
    let (text, forbidden) = permitted(text);
    let mut decoder = Decoder {
        rest: text,
        line: 1,
        is_cut: forbidden.is_some(),
        root: Map::new(),
        context: Vec::new(),
        key: String::new(),
        key_line: 1,
        implicit: HashSet::new(),
        arrays: HashSet::new(),
        table_arrays: HashSet::new(),
        depth: 0,
    };
    let result = decoder.document();
    let is_at_end = decoder.rest.is_empty();
    let message = match (result, forbidden) {
        // the original meets it where the text ends for us
        (_, Some(forbidden)) if is_at_end => forbidden,
        (Ok(()), _) => return Ok(decoder.root),
        (Err(message), _) => {
            // the end is told on the last line that has something
            if is_at_end && text.ends_with('\n') {
                decoder.line -= 1;
            }
            message
        }
    };
    let (line, last) = (decoder.line, decoder.last_key());
    Err(if last.is_empty() {
        format!("toml: line {line}: {message}")
    } else {
        let last = quote(last.as_bytes());
        format!("toml: line {line} (last key {last}): {message}")
    })
}

/// Without a byte order mark; that of UTF-16, too, whatever comes after it.
fn without_mark(text: &[u8]) -> &[u8] {
    const MARKS: [&[u8]; 3] = [b"\xFF\xFE", b"\xFE\xFF", b"\xEF\xBB\xBF"];
    MARKS
        .iter()
        .find_map(|mark| text.strip_prefix(*mark))
        .unwrap_or(text)
}

/// The text up to the first byte that no document may have, and what is wrong with that.
fn permitted(text: &[u8]) -> (&str, Option<String>) {
    /// How much of a document shows that it is UTF-16.
    const START: usize = 6;
    if text.iter().take(START).any(|byte| *byte == 0) {
        let why = "files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8";
        return ("", Some(why.to_owned()));
    }
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let is_forbidden = |(at, byte): &(usize, u8)| match byte {
        b'\t' | b'\n' => false,
        b'\r' => valid.as_bytes().get(at + 1) != Some(&b'\n'),
        byte => byte.is_ascii_control(),
    };
    let found = valid.bytes().enumerate().find(is_forbidden);
    match (found, text.get(valid.len())) {
        (Some((at, byte)), _) => {
            let why = format!("TOML files cannot contain control characters: '0x{byte:02x}'");
            (valid.get(..at).unwrap_or_default(), Some(why))
        }
        (None, Some(byte)) => (valid, Some(format!("invalid UTF-8 byte: 0x{byte:02x}"))),
        (None, None) => (valid, None),
    }
}

pub(super) struct Decoder<'t> {
    pub(super) rest: &'t str,
    pub(super) line: usize,
    /// Whether the text goes on, with what no document may have.
    pub(super) is_cut: bool,
    root: Map,
    /// The table that keys belong to.
    context: Vec<String>,
    /// The key whose value is read; empty where there is none.
    key: String,
    /// The line of the key that was read last: where the original places what a key may not do.
    key_line: usize,
    /// Keys that exist because others lie below them, and may still be defined.
    implicit: HashSet<Vec<String>>,
    /// Keys whose value is an array.
    arrays: HashSet<Vec<String>>,
    /// Where the lists are that are arrays of tables, to which more may be added.
    table_arrays: HashSet<Place>,
    depth: usize,
}

/// The way to a table: keys, and which element where there is an array of tables.
type Place = Vec<(String, usize)>;

/// A key as it would be written.
fn dotted(keys: &[String]) -> String {
    let parts = keys.iter().map(|key| key_text(&key.as_str().into()));
    parts.collect::<Vec<_>>().join(".")
}

fn defined(keys: &[String]) -> String {
    format!("Key '{}' has already been defined.", dotted(keys))
}

/// A character as Go's `%q` prints it; past the end of the text there is a NUL.
pub(super) fn quoted(c: Option<char>) -> String {
    quote_rune(c.unwrap_or('\0'), false)
}

/// The same where the original names the end and escapes nothing.
fn named(c: Option<char>) -> String {
    c.map_or_else(|| "end of file".to_owned(), |c| format!("'{c}'"))
}

/// What of `whole` is not in `rest`, its end.
pub(super) fn consumed<'t>(whole: &'t str, rest: &str) -> &'t str {
    whole.get(..whole.len() - rest.len()).unwrap_or_default()
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
        loop {
            self.gaps();
            match self.peek() {
                None => return Ok(()),
                Some('[') => self.header()?,
                Some(_) => {
                    let table = self.context.clone();
                    self.entry()?;
                    self.context = table;
                    self.key.clear();
                }
            }
            self.blanks();
            match self.peek() {
                None | Some('\n' | '\r' | '#') => {}
                other => {
                    let found = quoted(other);
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
        self.key_line = self.line;
        let empty = |c| match c {
            Some('.') => Some("unexpected table separator (table names cannot be empty)"),
            Some(']') | None => Some("unexpected end of table name (table names cannot be empty)"),
            Some(_) => None,
        };
        let end = |c| {
            format!(
                "expected '.' or ']' to end table name, but got {} instead",
                quoted(c)
            )
        };
        let key = self.key(&empty, &end, ']')?;
        self.advance();
        if is_array && !self.take("]") {
            self.step_over();
            return Err(format!(
                "expected end of table array name delimiter ']', but got {} instead",
                quoted(self.peek())
            ));
        }
        self.open(&key, is_array)?;
        self.set_type("", false);
        Ok(())
    }

    /// The original tells what is wrong in a header where it stands once it has read that: a line break on the next line.
    fn step_over(&mut self) {
        self.line += usize::from(self.peek() == Some('\n'));
    }

    fn unexpected(&mut self, expected: &dyn Fn(Option<char>) -> String, end: char) -> String {
        if end == ']' {
            self.step_over();
        }
        expected(self.peek())
    }

    /// What messages name.
    fn last_key(&self) -> String {
        match (self.key.as_str(), self.context.as_slice()) {
            ("", context) => dotted(context),
            (key, []) => key.to_owned(),
            (key, context) => format!("{}.{key}", dotted(context)),
        }
    }

    /// An error about the key that was read last.
    fn refuse<T>(&mut self, message: String) -> Result<T, String> {
        self.line = self.key_line;
        Err(message)
    }

    /// The table under a key, of an array of tables the last one; `place` leads there then.
    fn below(&self, map: &Map, key: &str, place: &mut Place) -> Option<Map> {
        place.push((key.to_owned(), 0));
        match map.get(key)? {
            Value::Map(table) => Some(table),
            Value::List(list) if self.table_arrays.contains(place) => {
                let (Some((_, index)), Some(Value::Map(table))) = (place.last_mut(), list.items().last())
                else {
                    return None;
                };
                *index = list.items().len() - 1;
                Some(table.clone())
            }
            _ => None,
        }
    }

    /// Makes a key the context: a table of its own, or one more in an array.
    fn open(&mut self, key: &[String], is_array: bool) -> Result<(), String> {
        let (last, parents) = key.split_last().ok_or("unexpected EOF")?;
        let (mut map, mut place) = (self.root.clone(), Place::new());
        for (depth, part) in parents.iter().enumerate() {
            let known = parents.get(..=depth).unwrap_or_default();
            if !map.contains(part) {
                self.implicit.insert(known.to_vec());
                map.set(part.as_str(), Map::new());
            }
            map = match self.below(&map, part, &mut place) {
                Some(next) => next,
                None => {
                    return self.refuse(format!("Key '{}' was already created as a hash.", dotted(known)));
                }
            };
        }
        self.context = parents.to_vec();
        if is_array {
            place.push((last.clone(), 0));
            let mut items = match map.get(last) {
                None => Vec::new(),
                Some(Value::List(list)) if self.table_arrays.contains(&place) => list.items().to_vec(),
                Some(_) => {
                    let key = dotted(key);
                    return self.refuse(format!(
                        "Key '{key}' was already created and cannot be used as an array."
                    ));
                }
            };
            items.push(Map::new().into());
            let tables = CollectionType::of(Element::Map);
            map.set(last.as_str(), List::of_type(tables, items));
            self.table_arrays.insert(place);
        } else {
            self.set(last, Map::new().into())?;
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// As [`Decoder::open`], for what lies above a key: it may be there already, and be defined later.
    fn open_parent(&mut self, part: &str) -> Result<(), String> {
        let mut key = self.context.clone();
        key.push(part.to_owned());
        self.implicit.insert(key.clone());
        self.open(&key, false)
    }

    /// Sets a key of the context. One that exists implicitly is defined by that, and stays what it is; an array takes the
    /// place of the tables that were read for it.
    fn set(&mut self, key: &str, value: Value) -> Result<(), String> {
        let (mut map, mut place) = (self.root.clone(), Place::new());
        let mut full = Vec::with_capacity(self.context.len() + 1);
        for part in self.context.clone() {
            let next = self.below(&map, &part, &mut place);
            full.push(part);
            map = match next {
                Some(next) => next,
                None => return self.refuse(defined(&full)),
            };
        }
        full.push(key.to_owned());
        place.push((key.to_owned(), 0));
        if !map.contains(key) {
            map.set(key, value);
        } else if !self.implicit.remove(&full) {
            return self.refuse(defined(&full));
        } else if self.arrays.contains(&full) {
            map.set(key, value);
            self.table_arrays.remove(&place);
        }
        Ok(())
    }

    /// Notes whether the value of a key of the context is an array; without a key, of the context itself.
    fn set_type(&mut self, key: &str, is_array: bool) {
        let mut full = self.context.clone();
        if !key.is_empty() || full.is_empty() {
            full.push(key.to_owned());
        }
        if is_array {
            self.arrays.insert(full);
        } else {
            self.arrays.remove(&full);
        }
    }

    // ---- keys and values

    /// `key = value`. Leaves the context where the key led, which the caller sets back. Gives the keys and the value.
    fn entry(&mut self) -> Result<(Vec<String>, Value), String> {
        match self.peek() {
            Some('=') | None => return Err("unexpected '=': key name appears blank".to_owned()),
            Some('.') => return Err("unexpected '.': keys cannot start with a '.'".to_owned()),
            _ => {}
        }
        let expected = |c: Option<char>| match c {
            None => "unexpected EOF; expected key separator '='".to_owned(),
            c => format!("expected '.' or '=', but got {} instead", quoted(c)),
        };
        let empty = |c| match c {
            Some('=') | None => Some("unexpected '='"),
            Some('.') => Some("unexpected '.'"),
            Some(_) => None,
        };
        self.key_line = self.line;
        let keys = self.key(&empty, &expected, '=')?;
        self.advance();
        self.blanks();
        let (last, parents) = keys.split_last().ok_or("unexpected EOF")?;
        self.key.clone_from(last);
        parents.iter().try_for_each(|part| self.open_parent(part))?;
        let value = self.value(false)?;
        self.set(last, value.clone())?;
        self.set_type(last, matches!(value, Value::List(_)));
        Ok((keys, value))
    }

    /// A key up to its end, which stays. `empty` says what is wrong where a part begins with this, `expected` where none is.
    fn key(
        &mut self,
        empty: &dyn Fn(Option<char>) -> Option<&'static str>,
        expected: &dyn Fn(Option<char>) -> String,
        end: char,
    ) -> Result<Vec<String>, String> {
        let mut parts = Vec::new();
        loop {
            self.blanks();
            if let Some(message) = empty(self.peek()) {
                return Err(message.to_owned());
            }
            let part = match self.peek() {
                Some('"') => self.basic_string()?,
                Some('\'') => self.literal_string()?,
                _ => {
                    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    let length = self.rest.find(|c| !is_bare(c)).unwrap_or(self.rest.len());
                    let (bare, rest) = self.rest.split_at_checked(length).unwrap_or_default();
                    if bare.is_empty() {
                        return Err(self.unexpected(expected, end));
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
                _ => return Err(self.unexpected(expected, end)),
            }
        }
    }

    fn value(&mut self, is_in_array: bool) -> Result<Value, String> {
        match self.peek() {
            None => Err("unexpected EOF; expected value".to_owned()),
            Some('[') => self.nested(Self::array),
            Some('{') => self.nested(|decoder| decoder.inline_table(is_in_array)),
            Some('"') if self.rest.starts_with("\"\"\"") => self.long_basic_string().map(Value::from),
            Some('\'') if self.rest.starts_with("'''") => self.long_literal_string().map(Value::from),
            Some('"') => self.basic_string().map(Value::from),
            Some('\'') => self.literal_string().map(Value::from),
            Some('.') => Err("floats must start with a digit, not '.'".to_owned()),
            Some(c) if c.is_ascii_digit() || matches!(c, '+' | '-') => self.number(),
            Some(c) if is_letter(c) => self.word(),
            c => Err(format!("expected value but found {} instead", quoted(c))),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        self.advance();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("nested too deeply".to_owned());
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Result<Value, String> {
        self.set_type(&self.key.clone(), true);
        let mut items = Vec::new();
        loop {
            self.gaps();
            match self.peek() {
                Some(']') => break,
                Some(',') => return Err("unexpected comma".to_owned()),
                _ => items.push(self.value(true)?),
            }
            self.gaps();
            match self.peek() {
                Some(',') => {
                    self.advance();
                }
                Some(']') => break,
                c => {
                    let found = named(c);
                    return Err(format!(
                        "expected a comma (',') or array terminator (']'), but got {found}"
                    ));
                }
            }
        }
        self.advance();
        Ok(List::new(items).into())
    }

    /// The original reads it twice: into the document, where keys that stand twice are found, and into a table of its own,
    /// which is what an array gets.
    fn inline_table(&mut self, is_in_array: bool) -> Result<Value, String> {
        let map = Map::new();
        let outer = (self.context.clone(), std::mem::take(&mut self.key));
        let mut own = self.context.clone();
        own.push(outer.1.clone());
        self.implicit.insert(own.clone());
        self.context.clone_from(&own);
        self.open(&own, is_in_array)?;
        loop {
            self.gaps();
            match self.peek() {
                Some('}') => break,
                Some(',') => return Err("unexpected comma".to_owned()),
                _ => {}
            }
            let (keys, value) = self.entry()?;
            if !put(&map, &keys, value) {
                let context = quote(dotted(&self.context).as_bytes());
                return self.refuse(format!("{context} is not a table"));
            }
            self.context.clone_from(&own);
            self.gaps();
            match self.peek() {
                Some(',') => {
                    self.advance();
                }
                Some('}') => break,
                c => {
                    let found = named(c);
                    return Err(format!(
                        "expected a comma or an inline table terminator '}}', but got {found} instead"
                    ));
                }
            }
        }
        (self.context, self.key) = outer;
        self.advance();
        Ok(map.into())
    }
}

/// Sets what lies some keys below a table; false where something else is in the way.
fn put(map: &Map, keys: &[String], value: Value) -> bool {
    let Some((last, parents)) = keys.split_last() else {
        return false;
    };
    let mut map = map.clone();
    for key in parents {
        if !map.contains(key) {
            map.set(key.as_str(), Map::new());
        }
        let Some(Value::Map(next)) = map.get(key) else {
            return false;
        };
        map = next;
    }
    map.set(last.as_str(), value);
    true
}
