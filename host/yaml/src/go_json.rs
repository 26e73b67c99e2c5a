//! JSON as Go's `encoding/json` writes it: compact, keys by bytes.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::number_text::format_json_float;
use crate::text::run_of;

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

/// `text` in quotes.
pub(crate) fn write_string(text: &str, escape_html: bool, out: &mut String) {
    out.push('"');
    write_json_text(text, escape_html, out);
    out.push('"');
}

/// What stands between the quotes of a JSON string, at the end of `out`. `escape_html` is for `<`, `>` and `&`; U+2028 and U+2029
/// are always escaped.
pub fn write_json_text(text: &str, escape_html: bool, out: &mut String) {
    // U+2028 and U+2029 begin with 0xE2, among others
    let is_plain = |byte: u8| (byte >= 0x20) & (byte != b'"') & (byte != b'\\') & (byte != 0xE2);
    if escape_html {
        let is_markup = |byte: u8| (byte == b'<') | (byte == b'>') | (byte == b'&');
        write_runs(text, |byte| is_plain(byte) & !is_markup(byte), out);
    } else {
        write_runs(text, is_plain, out);
    }
}

/// Each run of plain bytes is copied in one piece; what ends it begins a character, which is looked at.
fn write_runs(text: &str, is_plain: impl Fn(u8) -> bool + Copy, out: &mut String) {
    let mut rest = text;
    loop {
        let length = run_of(rest.as_bytes(), is_plain);
        let (plain, escaped) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = escaped.chars();
        match chars.next() {
            None => return,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\x08') => out.push_str("\\b"),
            Some('\x0C') => out.push_str("\\f"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c) if c > '\x7F' && !matches!(c, '\u{2028}' | '\u{2029}') => out.push(c),
            Some(c) => {
                write!(out, "\\u{:04x}", c as u32).expect("invariant: writing to a string cannot fail");
            }
        }
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Character by character.
    fn slowly(text: &str, escape_html: bool) -> String {
        let escaped = text.chars().map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\x08' => "\\b".to_owned(),
            '\x0C' => "\\f".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '<' | '>' | '&' if !escape_html => c.to_string(),
            '\0'..='\x1F' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", c as u32),
            c => c.to_string(),
        });
        format!("\"{}\"", escaped.collect::<String>())
    }

    #[test]
    fn escapes_are_found_wherever_they_are() {
        let odd = "\"\\\x08\x0C\n\r\t\0\x1F\x7F<>&é\u{80}\u{2027}\u{2028}\u{2029}\u{202A}\u{FEFF}\u{10000}";
        for before in [0, 1, 14, 15, 16, 17, 31, 32, 33] {
            for odd in odd.chars() {
                for after in [
                    "",
                    "b",
                    "b\"",
                    "b&b",
                    "\u{2028}é",
                    "a text that is longer than a block",
                ] {
                    let text = format!("{}{odd}{after}", "a".repeat(before));
                    for escape_html in [false, true] {
                        let mut out = String::from("before");
                        write_string(&text, escape_html, &mut out);
                        assert_eq!(out, format!("before{}", slowly(&text, escape_html)), "{text:?}");
                    }
                }
            }
        }
    }
}
