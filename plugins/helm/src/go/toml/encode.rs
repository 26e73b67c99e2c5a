//! Writing TOML: scalars before tables, keys sorted, tables indented.

use crate::{
    List, Map, Value, format,
    go::duration,
    value::{DEPTH_MAX, IntType},
};

/// A value as a document.
///
/// # Errors
/// The original's text: nil in an array, an array of tables without a key.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut encoder = Encoder { out: String::new() };
    encoder.value(&mut Vec::new(), value)?;
    Ok(encoder.out)
}

struct Encoder {
    out: String,
}

type Key = Vec<String>;

/// The fields of an object are those of its JSON.
fn as_map(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) if !map.is_nil() => Some(map.clone()),
        Value::Object(object) if object.text().is_none() => match object.fields() {
            [] => None,
            fields => Some(
                fields
                    .iter()
                    .filter_map(|name| Some((*name, object.field(name)?)))
                    .collect(),
            ),
        },
        _ => None,
    }
}

/// Whether a list holds tables and nothing else.
fn is_table_array(list: &List) -> Result<bool, String> {
    if list.items().iter().any(Value::is_nil) {
        return Err("toml: cannot encode array with nil element".to_owned());
    }
    Ok(!list.items().is_empty() && list.items().iter().all(|item| as_map(item).is_some()))
}

fn is_table(value: &Value) -> Result<bool, String> {
    Ok(match value {
        Value::List(list) if !list.is_nil() => is_table_array(list)?,
        value => as_map(value).is_some(),
    })
}

/// Nil, in all its forms, is left out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        value => value.is_nil(),
    }
}

impl Encoder {
    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, key: &Key) {
        let level = key.len().saturating_sub(1);
        self.out.extend(std::iter::repeat_n("  ", level));
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
                        self.out.push_str(&format!("[{}]", dotted(key)));
                        self.newline();
                    }
                    self.table(key, &map)
                }
                None if is_nothing(value) => Ok(()),
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
            self.out.push_str(&format!("[[{}]]", dotted(key)));
            self.newline();
            if let Some(map) = as_map(item) {
                self.table(key, &map)?;
            }
        }
        Ok(())
    }

    /// Scalars first, then tables; each by key.
    fn table(&mut self, key: &mut Key, map: &Map) -> Result<(), String> {
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
            return self.element(value, 0);
        };
        if !is_inline {
            self.indent(key);
        }
        self.out.push_str(&format!("{} = ", quoted_key(last)));
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
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(IntType::Duration, value) => self.quoted(&duration::format(*value)),
            Value::Int(_, value) => self.out.push_str(&value.to_string()),
            Value::Uint(_, value) => self.out.push_str(&value.to_string()),
            Value::Float(value) => self.float(*value),
            Value::Str(text) => self.quoted(&text.to_str()),
            Value::Bytes(bytes) => {
                let bytes: Vec<String> = bytes.as_bytes().iter().map(u8::to_string).collect();
                self.out.push_str(&format!("[{}]", bytes.join(", ")));
            }
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.items().iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Object(object) if as_map(value).is_none() => {
                let json = object.to_json().map_err(|error| error.to_string())?;
                match json {
                    // a time is no string
                    serde_json::Value::String(text) if object.type_name() == "time.Time" => {
                        self.out.push_str(&text)
                    }
                    json => return self.element(&Value::from(&json), depth + 1),
                }
            }
            value => self.inline_table(value, depth)?,
        }
        Ok(())
    }

    fn inline_table(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        let (direct, sub) = sorted(&as_map(value).unwrap_or_default())?;
        self.out.push('{');
        let direct_count = direct.len();
        let sub_count = sub.len();
        for (index, (name, value)) in direct.into_iter().chain(sub).enumerate() {
            if is_nothing(&value) {
                continue;
            }
            self.out.push_str(&format!("{} = ", quoted_key(&name)));
            self.element(&value, depth + 1)?;
            if index + 1 != direct_count + sub_count {
                self.out.push_str(", ");
            }
        }
        self.out.push('}');
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
        self.out.push_str(&text);
        if value.is_finite() && !text.contains(['e', '.']) {
            self.out.push_str(".0");
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push_str(&quote(text));
    }
}

/// Entries in the order in which they are written.
type Entries = Vec<(String, Value)>;

/// Scalars and tables of a map, each sorted by name.
fn sorted(map: &Map) -> Result<(Entries, Entries), String> {
    let (mut direct, mut sub) = (Vec::new(), Vec::new());
    for (name, value) in map.entries().iter() {
        let entry = (name.to_string(), value.clone());
        if is_table(value)? {
            sub.push(entry);
        } else {
            direct.push(entry);
        }
    }
    Ok((direct, sub))
}

fn dotted(key: &Key) -> String {
    key.iter()
        .map(|part| quoted_key(part))
        .collect::<Vec<_>>()
        .join(".")
}

fn quoted_key(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if key.is_empty() || !key.chars().all(is_bare) {
        quote(key)
    } else {
        key.to_owned()
    }
}

fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\0'..='\x1F' | '\x7F' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
