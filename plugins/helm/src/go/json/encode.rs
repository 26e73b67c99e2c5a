//! Writing JSON.

use serde_json::Value as Json;
use sluice_yaml::{format_json_float, write_json_text};

use crate::{
    Error, List, Map, Str, Value,
    go::base::encode_base64,
    value::{DEPTH_MAX, Object},
};

/// Where a text begins to grow: few values are longer.
const FIRST_BYTES: usize = 128;

/// Compact JSON; `<`, `>` and `&` are escaped where wanted, U+2028 and U+2029 always.
///
/// # Errors
/// Infinities and NaN, an object that refuses, too many levels.
pub(crate) fn encode(value: &Value, escapes_html: bool) -> Result<String, Error> {
    let mut encoder = Encoder {
        out: String::with_capacity(FIRST_BYTES),
        escapes_html,
    };
    encoder.value(value, 0)?;
    Ok(encoder.out)
}

struct Encoder {
    out: String,
    escapes_html: bool,
}

impl Encoder {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return value.to_json().map(drop); // which says what is wrong
        }
        match value {
            Value::Str(text) => self.string(text),
            Value::Float(float) if float.is_finite() => self.out.push_str(&format_json_float(*float)),
            Value::Int(_, number) => self.out.push_str(&number.to_string()),
            Value::Uint(_, number) => self.out.push_str(&number.to_string()),
            Value::Bytes(bytes) => self.text(&encode_base64(bytes.as_bytes())),
            Value::List(list) if !list.is_nil() => self.list(list, depth)?,
            Value::Map(map) if !map.is_nil() => self.map(map, depth)?,
            Value::Object(object) => self.object(&**object, depth)?,
            simple => self.json(&simple.to_json()?),
        }
        Ok(())
    }

    fn list(&mut self, list: &List, depth: usize) -> Result<(), Error> {
        self.out.push('[');
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(item, depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, map: &Map, depth: usize) -> Result<(), Error> {
        self.out.push('{');
        for (index, (key, value)) in map.entries().iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.string(key);
            self.out.push(':');
            self.value(value, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// Fields in the order of the struct.
    fn object(&mut self, object: &dyn Object, depth: usize) -> Result<(), Error> {
        let json = object.to_json()?;
        if !json.is_object() {
            self.json(&json);
            return Ok(());
        }
        self.out.push('{');
        for (index, (name, field)) in object.json_fields().iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.text(name);
            self.out.push(':');
            self.value(field, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn json(&mut self, json: &Json) {
        self.out.push_str(&if self.escapes_html {
            sluice_yaml::go_json(json)
        } else {
            sluice_yaml::go_json_raw(json)
        });
    }

    fn string(&mut self, text: &Str) {
        self.out.push('"');
        for chunk in text.as_bytes().utf8_chunks() {
            self.escaped(chunk.valid());
            for _ in chunk.invalid() {
                self.out.push_str("\\ufffd");
            }
        }
        self.out.push('"');
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        self.escaped(text);
        self.out.push('"');
    }

    fn escaped(&mut self, text: &str) {
        write_json_text(text, self.escapes_html, &mut self.out);
    }
}

/// `json.Indent` with two blanks a level.
pub(crate) fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut is_in_string = false;
    let mut is_escaped = false;
    let mut chars = json.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        if is_in_string {
            out.push(c);
            is_in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                depth += 1;
                if !matches!(chars.peek(), Some('}' | ']')) {
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                out.push(c);
                is_in_string = c == '"';
            }
        }
    }
    out
}
