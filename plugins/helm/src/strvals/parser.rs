use std::rc::Rc;

use super::{ReadFile, surrogates};
use crate::{
    Error, Str,
    go::quote::{quote, quote_rune},
    values::{Data, Table},
};

/// The largest index of a list: `a[9999999999]=1` shall not cost memory.
pub const INDEX_MAX: i64 = 65_536;

/// How deep a name may nest: `a.b.c…`.
pub const LEVEL_MAX: usize = 30;

/// How deep lists may nest in lists: `a[0][0]…`. The original has no bound there but its stack; a guest's is smaller.
const LISTS_MAX: usize = 200;

/// What becomes of a value.
#[derive(Clone, Copy)]
pub(super) enum Mode<'a> {
    Typed,
    Text,
    File(ReadFile<'a>),
    Json,
    Literal,
}

/// How a step ends: done with this pair, done with the text, or wrong.
enum Stop {
    End,
    Wrong(Error),
}

type Step<T> = Result<T, Stop>;

fn wrong<T>(text: impl Into<String>) -> Step<T> {
    Err(Stop::Wrong(Error::new(text)))
}

pub(super) fn parse(text: &str, into: &mut Table, mode: Mode<'_>) -> Result<(), Error> {
    let mut parser = Parser { rest: text, mode };
    loop {
        match parser.key(into, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Wrong(error)) => return Err(error),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    mode: Mode<'a>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// The text up to one of `stops`, which is consumed too; none for it at the end. `\` takes the next character as it is,
    /// but in literals.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(next) = self.next() {
            if stops.contains(&next) {
                return (text, Some(next));
            }
            if next == '\\' && !matches!(self.mode, Mode::Literal) {
                match self.next() {
                    Some(escaped) => text.push(escaped),
                    None => return (text, None),
                }
            } else {
                text.push(next);
            }
        }
        (text, None)
    }

    fn key(&mut self, table: &mut Table, level: usize) -> Step<()> {
        let stops: &[char] = match self.mode {
            Mode::Literal => &['=', '[', '.'],
            _ => &['=', '[', ',', '.'],
        };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => wrong(format!("key {} has no value", quoted(&key))),
            Some('[') => self.indexed(table, &key, level),
            Some('=') => self.assign(table, &key),
            Some(',') => {
                set(table, &key, Data::Text(Str::default()));
                wrong(format!("key {} has no value (cannot end with ,)", quoted(&key)))
            }
            Some(_) => self.nested(table, &key, level + 1),
        }
    }

    fn nested(&mut self, table: &mut Table, key: &str, level: usize) -> Step<()> {
        if level > LEVEL_MAX {
            return wrong(format!(
                "value name nested level is greater than maximum supported nested level of {LEVEL_MAX}"
            ));
        }
        let mut inner = match table.get(key) {
            None => Table::new(),
            Some(Data::Table(inner)) => inner.clone(),
            Some(other) => return wrong(conversion(other, "map[string]interface {}")),
        };
        let result = self.key(&mut inner, level);
        if result.is_ok() && inner.is_empty() {
            return wrong(format!("key map {} has no value", quoted(key)));
        }
        if !inner.is_empty() {
            set(table, key, Data::Table(inner));
        }
        result
    }

    fn indexed(&mut self, table: &mut Table, key: &str, level: usize) -> Step<()> {
        let index = self.index()?;
        let mut list = match table.get(key) {
            None => Vec::new(),
            Some(Data::List(list)) => list.as_ref().clone(),
            Some(other) => return wrong(conversion(other, "[]interface {}")),
        };
        let result = self.item(&mut list, index, level, 0);
        set(table, key, Data::List(Rc::new(list)));
        result
    }

    fn index(&mut self) -> Step<i64> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            return Err(Stop::End);
        }
        let reason = match text.parse() {
            Ok(index) => return Ok(index),
            Err(error) => match std::num::ParseIntError::kind(&error) {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    "value out of range"
                }
                _ => "invalid syntax",
            },
        };
        wrong(format!(
            "error parsing index: strconv.Atoi: parsing {}: {reason}",
            quoted(&text)
        ))
    }

    fn assign(&mut self, table: &mut Table, key: &str) -> Step<()> {
        match self.mode {
            Mode::Literal => {
                let value = std::mem::take(&mut self.rest);
                set(table, key, Data::Text(value.into()));
                Ok(())
            }
            Mode::Json => {
                let value = self.json()?;
                set(table, key, value);
                Ok(())
            }
            _ => match self.list() {
                Ok(Some(list)) => {
                    set(table, key, list);
                    Ok(())
                }
                Ok(None) => {
                    let value = self.scalar(&[',']);
                    // a file that cannot be read leaves a null behind
                    let (value, result) = match value {
                        Ok(value) => (value, Ok(())),
                        Err(stop) => (Data::Null, Err(stop)),
                    };
                    set(table, key, value);
                    result
                }
                Err(Stop::End) => {
                    set(table, key, Data::Text(Str::default()));
                    Err(Stop::End)
                }
                Err(stop) => Err(stop),
            },
        }
    }

    fn item(&mut self, list: &mut Vec<Data>, index: i64, level: usize, depth: usize) -> Step<()> {
        if index < 0 {
            return wrong(format!("negative {index} index not allowed"));
        }
        if depth > LISTS_MAX {
            return wrong(format!("lists nest deeper than {LISTS_MAX}"));
        }
        let (text, stop) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            let runes: Vec<String> = text.chars().map(|c| quote_rune(c, false)).collect();
            return wrong(format!(
                "unexpected data at end of array index: [{}]",
                runes.join(" ")
            ));
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => {
                let value = match self.mode {
                    Mode::Literal => Data::Text(std::mem::take(&mut self.rest).into()),
                    Mode::Json => self.json()?,
                    _ => match self.list() {
                        Ok(Some(value)) => value,
                        Ok(None) => self.scalar(&[','])?,
                        Err(Stop::End) => Data::Text(Str::default()),
                        Err(stop) => return Err(stop),
                    },
                };
                put(list, index, value)
            }
            Some('[') => {
                let next = self.index()?;
                let mut inner = match at(list, index) {
                    None | Some(Data::Null) => Vec::new(),
                    Some(Data::List(inner)) => inner.as_ref().clone(),
                    Some(other) => return wrong(conversion(other, "[]interface {}")),
                };
                self.item(&mut inner, next, level, depth + 1)?;
                put(list, index, Data::List(Rc::new(inner)))
            }
            Some(_) => {
                let mut inner = match at(list, index) {
                    Some(Data::Table(inner)) => inner.clone(),
                    _ => Table::new(),
                };
                if let Some(slot) = slot(list, index).filter(|slot| !slot.is_table()) {
                    *slot = Data::Table(Table::new());
                }
                let result = self.key(&mut inner, level);
                if result.is_ok() {
                    return put(list, index, Data::Table(inner));
                }
                // what was there already keeps what was set before the end or the mistake
                if let Some(slot) = slot(list, index) {
                    *slot = Data::Table(inner);
                }
                result
            }
        }
    }

    /// `{a,b}`; none where no list begins.
    fn list(&mut self) -> Step<Option<Data>> {
        if self.rest.is_empty() {
            return Err(Stop::End);
        }
        let Some(rest) = self.rest.strip_prefix('{') else {
            return Ok(None);
        };
        self.rest = rest;
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            if stop.is_none() {
                return wrong("list must terminate with '}'");
            }
            if stop == Some('}') {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                items.push(self.value(text)?);
                return Ok(Some(Data::List(Rc::new(items))));
            }
            items.push(self.value(text)?);
        }
    }

    fn scalar(&mut self, stops: &[char]) -> Step<Data> {
        let (text, _) = self.until(stops);
        self.value(text)
    }

    fn value(&self, text: String) -> Step<Data> {
        match self.mode {
            Mode::Typed => Ok(typed(text)),
            Mode::File(read) => read(&text)
                .map(|content| Data::Text(content.into()))
                .map_err(Stop::Wrong),
            _ => Ok(Data::Text(text.into())),
        }
    }

    /// One JSON value, the blanks behind it and a comma. Nothing before the comma or the end is null.
    fn json(&mut self) -> Step<Data> {
        if self.skip_blanks() {
            return Ok(Data::Null);
        }
        let json = surrogates::mended(self.rest);
        let mut values = serde_json::Deserializer::from_str(&json).into_iter();
        let Some(Ok(value)) = values.next() else {
            return wrong("invalid JSON");
        };
        self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
        self.skip_blanks();
        Ok(Data::from_json(value))
    }

    /// Skips blanks, and a comma behind them. Whether it met the comma or the end.
    fn skip_blanks(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(',') {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => self.rest.is_empty(),
        }
    }
}

fn set(table: &mut Table, key: &str, value: Data) {
    if !key.is_empty() {
        table.insert(key, value);
    }
}

fn at(list: &[Data], index: i64) -> Option<&Data> {
    list.get(usize::try_from(index).ok()?)
}

fn slot(list: &mut [Data], index: i64) -> Option<&mut Data> {
    list.get_mut(usize::try_from(index).ok()?)
}

fn put(list: &mut Vec<Data>, index: i64, value: Data) -> Step<()> {
    if index > INDEX_MAX {
        return wrong(format!(
            "index of {index} is greater than maximum supported index of {INDEX_MAX}"
        ));
    }
    let length = usize::try_from(index).unwrap_or(usize::MAX).saturating_add(1);
    if list.len() < length {
        list.resize(length, Data::Null);
    }
    if let Some(slot) = slot(list, index) {
        *slot = value;
    }
    Ok(())
}

fn typed(text: String) -> Data {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") {
        Data::Bool(true)
    } else if is("false") {
        Data::Bool(false)
    } else if is("null") {
        Data::Null
    } else if text == "0" {
        Data::Int(0)
    } else if let Some(int) = text.parse().ok().filter(|_| !text.starts_with('0')) {
        Data::Int(int)
    } else {
        Data::Text(text.into())
    }
}

/// What Go says where a value is not of the type that the path wants.
fn conversion(value: &Data, wanted: &str) -> String {
    let found = match value {
        Data::Null => "nil",
        other => other.go_type(),
    };
    format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")
}

fn quoted(text: &str) -> String {
    quote(text.as_bytes())
}
