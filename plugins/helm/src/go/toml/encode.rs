//! Writing TOML: scalars before tables, keys sorted, tables indented.

use super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME};
use crate::{
    List, Str, Value, format,
    functions::TimeObject,
    go::{
        duration,
        time::{Time, Zone},
    },
    value::{Complex, DEPTH_MAX, IntType},
};

/// A value as a document.
///
/// # Errors
/// The original's text: nil in an array, an array of tables without a key.
pub(crate) fn encode(value: &Value) -> Result<Str, String> {
    let mut encoder = Encoder { out: Vec::new() };
    encoder.value(&mut Vec::new(), value)?;
    Ok(Str::new(encoder.out))
}

/// A key as it is written: in quotes where it has to be.
pub(super) fn key_text(key: &Str) -> String {
    let mut encoder = Encoder { out: Vec::new() };
    encoder.key(key);
    String::from_utf8_lossy(&encoder.out).into_owned()
}

struct Encoder {
    out: Vec<u8>,
}

type Key = Vec<Str>;

/// Entries in the order in which they are written.
type Entries = Vec<(Str, Value)>;

/// The entries of a map by key, or the fields of an object in its order.
fn as_map(value: &Value) -> Option<Entries> {
    match value {
        Value::Map(map) if !map.is_nil() => {
            let entries = map.entries();
            let entries = entries.iter().map(|(key, value)| (key.clone(), value.clone()));
            Some(entries.collect())
        }
        Value::Object(object) if object.text().is_none() && !object.fields().is_empty() => {
            let fields = object.exported().into_iter();
            Some(fields.map(|(name, value)| (name.into(), value)).collect())
        }
        _ => None,
    }
}

fn refuse_nil(list: &List) -> Result<(), String> {
    if list.items().iter().any(is_nothing) {
        return Err("toml: cannot encode array with nil element".to_owned());
    }
    Ok(())
}

/// Whether a list holds tables and nothing else.
fn is_table_array(list: &List) -> Result<bool, String> {
    refuse_nil(list)?;
    Ok(!list.items().is_empty() && list.items().iter().all(|item| as_map(item).is_some()))
}

fn is_table(value: &Value) -> Result<bool, String> {
    Ok(match value {
        Value::List(list) if !list.is_nil() => is_table_array(list)?,
        value => as_map(value).is_some(),
    })
}

/// Nil, in all its forms: it is left out of tables, and no array may have it.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        value => value.is_nil(),
    }
}

impl Encoder {
    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
    }

    fn indent(&mut self, key: &Key) {
        let level = key.len().saturating_sub(1);
        self.push(&"  ".repeat(level));
    }

    /// The parts of a key with dots between them.
    fn dotted(&mut self, key: &Key) {
        for (index, part) in key.iter().enumerate() {
            if index > 0 {
                self.out.push(b'.');
            }
            self.key(part);
        }
    }

    fn key(&mut self, key: &Str) {
        let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if key.is_empty() || !key.as_bytes().iter().all(is_bare) {
            self.quoted(key);
        } else {
            self.out.extend_from_slice(key.as_bytes());
        }
    }

    fn value(&mut self, key: &mut Key, value: &Value) -> Result<(), String> {
        if key.len() > DEPTH_MAX {
            return Err("toml: a value that holds itself".to_owned());
        }
        match value {
            Value::List(list) if is_table_array(list)? => self.table_array(key, list),
            value => match as_map(value) {
                Some(map) => {
                    if key.len() == 1 {
                        self.newline();
                    }
                    if !key.is_empty() {
                        self.indent(key);
                        self.out.push(b'[');
                        self.dotted(key);
                        self.out.push(b']');
                        self.newline();
                    }
                    self.table(key, &map)
                }
                // a nil list without a key is as good as an empty one
                None if is_nothing(value) && !(key.is_empty() && matches!(value, Value::List(_))) => Ok(()),
                None => self.key_value(key, value, false),
            },
        }
    }

    fn table_array(&mut self, key: &mut Key, list: &List) -> Result<(), String> {
        if key.is_empty() {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        for item in list.items() {
            self.newline();
            self.indent(key);
            self.push("[[");
            self.dotted(key);
            self.push("]]");
            self.newline();
            if let Some(map) = as_map(item) {
                self.table(key, &map)?;
            }
        }
        Ok(())
    }

    /// Scalars first, then tables; each by key.
    fn table(&mut self, key: &mut Key, map: &Entries) -> Result<(), String> {
        let (direct, sub) = sorted(map)?;
        for (name, value) in direct.into_iter().chain(sub) {
            key.push(name);
            self.value(key, &value)?;
            key.pop();
        }
        Ok(())
    }

    fn key_value(&mut self, key: &Key, value: &Value, is_inline: bool) -> Result<(), String> {
        let Some(last) = key.last() else {
            if value.as_object::<Complex>().is_some() {
                return Err("unsupported type for key '': complex128".to_owned());
            }
            return self.element(value, 0);
        };
        if !is_inline {
            self.indent(key);
        }
        self.key(last);
        self.push(" = ");
        self.element(value, 0)?;
        if !is_inline {
            self.newline();
        }
        Ok(())
    }

    fn element(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err("toml: a value that holds itself".to_owned());
        }
        match value {
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Int(IntType::Duration, value) => self.quoted(&duration::format(*value).into()),
            Value::Int(_, value) => self.push(&value.to_string()),
            Value::Uint(_, value) => self.push(&value.to_string()),
            Value::Float(value) => self.float(*value),
            Value::Str(text) => self.quoted(text),
            Value::Bytes(bytes) => {
                let bytes: Vec<String> = bytes.as_bytes().iter().map(u8::to_string).collect();
                self.push(&format!("[{}]", bytes.join(", ")));
            }
            Value::List(list) => {
                refuse_nil(list)?;
                self.out.push(b'[');
                for (index, item) in list.items().iter().enumerate() {
                    if index > 0 {
                        self.push(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(b']');
            }
            Value::Object(object) if as_map(value).is_none() => {
                if let Some(time) = value.as_object::<TimeObject>() {
                    self.push(&time_text(&time.0)); // a time is no string
                    return Ok(());
                }
                if value.as_object::<Complex>().is_some() {
                    return Err("unsupported type: complex128".to_owned());
                }
                let json = object.to_json().map_err(|error| error.to_string())?;
                return self.element(&Value::from(&json), depth + 1);
            }
            value => self.inline_table(value, depth)?,
        }
        Ok(())
    }

    fn inline_table(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        let (direct, sub) = sorted(&as_map(value).unwrap_or_default())?;
        self.out.push(b'{');
        let direct_count = direct.len();
        let sub_count = sub.len();
        for (index, (name, value)) in direct.into_iter().chain(sub).enumerate() {
            if is_nothing(&value) {
                continue;
            }
            self.key(&name);
            self.push(" = ");
            self.element(&value, depth + 1)?;
            if index + 1 != direct_count + sub_count {
                self.push(", ");
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn float(&mut self, value: f64) {
        let text = if value.is_nan() {
            "nan".to_owned()
        } else if value.is_infinite() {
            (if value > 0.0 { "inf" } else { "-inf" }).to_owned()
        } else {
            String::from_utf8_lossy(&format::text(&Value::Float(value))).into_owned()
        };
        self.push(&text);
        if value.is_finite() && !text.contains(['e', '.']) {
            self.push(".0");
        }
    }

    fn quoted(&mut self, text: &Str) {
        self.out.push(b'"');
        for byte in text.as_bytes() {
            match byte {
                b'"' => self.push("\\\""),
                b'\\' => self.push("\\\\"),
                b'\t' => self.push("\\t"),
                b'\n' => self.push("\\n"),
                b'\r' => self.push("\\r"),
                b'\x08' => self.push("\\b"),
                b'\x0C' => self.push("\\f"),
                b'\0'..=b'\x1F' | b'\x7F' => self.push(&format!("\\u{byte:04x}")),
                byte => self.out.push(*byte),
            }
        }
        self.out.push(b'"');
    }
}

/// A time as it was written: with its offset, or without where it was read without.
fn time_text(time: &Time) -> String {
    let layout: &[u8] = match &time.zone {
        Zone::Fixed(name, _) if **name == *LOCAL_DATE_TIME => b"2006-01-02T15:04:05.999999999",
        Zone::Fixed(name, _) if **name == *LOCAL_DATE => b"2006-01-02",
        Zone::Fixed(name, _) if **name == *LOCAL_TIME => b"15:04:05.999999999",
        _ => return time.to_rfc3339(),
    };
    time.format(layout)
}

/// Scalars and tables of a map, each in its order.
fn sorted(map: &Entries) -> Result<(Entries, Entries), String> {
    let (mut direct, mut sub) = (Vec::new(), Vec::new());
    for (name, value) in map {
        let entry = (name.clone(), value.clone());
        if is_table(value)? {
            sub.push(entry);
        } else {
            direct.push(entry);
        }
    }
    Ok((direct, sub))
}
