//! JSON as Go's `encoding/json` writes it: compact, keys by bytes.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::number_text::format_json_float;

/// Compact JSON with `<`, `>`, `&`, U+2028 and U+2029 escaped: what `json.Marshal` gives and Kustomize hashes.
pub fn go_json(value: &Json) -> String {
    let mut out = String::new();
    write_json(value, true, &mut out);
    out
}

/// The same without HTML escapes, as an encoder with `SetEscapeHTML(false)` gives it (U+2028 and U+2029 stay escaped).
pub fn go_json_raw(value: &Json) -> String {
    let mut out = String::new();
    write_json(value, false, &mut out);
    out
}

fn write_json(value: &Json, escape_html: bool, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(number) => match (number.is_f64(), number.as_f64()) {
            (true, Some(value)) => out.push_str(&format_json_float(value)),
            _ => out.push_str(&number.to_string()),
        },
        Json::String(text) => write_string(text, escape_html, out),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, escape_html, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            // sorted here: another crate may have switched the map to insertion order
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, escape_html, out);
                out.push(':');
                write_json(value, escape_html, out);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, escape_html: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' if !escape_html => out.push(c),
            '\0'..='\x1F' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", c as u32).expect("invariant: writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
