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

/// `text` in quotes. What needs no escape is copied in one piece.
pub(crate) fn write_string(text: &str, escape_html: bool, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| may_need_escape(byte, escape_html)) {
        let (plain, escaped) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = escaped.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\x08') => out.push_str("\\b"),
            Some('\x0C') => out.push_str("\\f"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c) if c > '\x7F' && !matches!(c, '\u{2028}' | '\u{2029}') => out.push(c),
            Some(c) => {
                write!(out, "\\u{:04x}", c as u32).expect("invariant: writing to a string cannot fail")
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Whether a character that starts with this byte may have to be escaped.
fn may_need_escape(byte: u8, escape_html: bool) -> bool {
    match byte {
        b'"' | b'\\' | 0..=0x1F => true,
        b'<' | b'>' | b'&' => escape_html,
        0xE2 => true, // U+2028 and U+2029, among others
        _ => false,
    }
}
