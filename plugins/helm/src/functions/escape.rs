//! `html`, `js`, `urlquery`.

use std::fmt::Write;

use super::{Functions, Rest};
use crate::{
    Str, Value, format,
    go::{quote::decode_rune, unicode::is_print},
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("html", |values: Rest<Value>| html(&text(values)));
    functions.add("js", |values: Rest<Value>| javascript(&text(values)));
    functions.add("urlquery", |values: Rest<Value>| url_query(&text(values)));
}

/// The arguments as `print` prints them, but with `<no value>` for nil, and what pointers point at.
fn text(values: Rest<Value>) -> Vec<u8> {
    let mut text = Vec::new();
    let mut was_string = true;
    for value in &values.0 {
        let is_string = matches!(value, Value::Invalid | Value::Nil | Value::Str(_));
        if !is_string && !was_string {
            text.push(b' ');
        }
        match value {
            Value::Invalid | Value::Nil => text.extend_from_slice(b"<no value>"),
            value => text.extend_from_slice(&format::pointee(value)),
        }
        was_string = is_string;
    }
    text
}

fn html(text: &[u8]) -> Str {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        let entity: &[u8] = match byte {
            b'\0' => "\u{FFFD}".as_bytes(),
            b'"' => b"&#34;",
            b'\'' => b"&#39;",
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            other => std::slice::from_ref(other),
        };
        escaped.extend_from_slice(entity);
    }
    escaped.into()
}

fn javascript(text: &[u8]) -> Str {
    let mut escaped = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((character, size)) = decode_rune(rest) {
        let (bytes, after) = rest.split_at_checked(size).unwrap_or_default();
        rest = after;
        let code = u32::from(character);
        let mut name = String::new();
        let written = match character {
            '\\' | '\'' | '"' => write!(name, "\\{character}"),
            '<' | '>' | '&' | '=' | '\0'..='\x1F' => write!(name, "\\u{code:04X}"),
            _ if character.is_ascii() || is_print(character) => {
                escaped.extend_from_slice(bytes);
                continue;
            }
            _ => write!(name, "\\u{code:04X}"),
        };
        written.expect("invariant: writing to a string cannot fail");
        escaped.extend_from_slice(name.as_bytes());
    }
    escaped.into()
}

/// `url.QueryEscape`
fn url_query(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(*byte))
            }
            b' ' => escaped.push('+'),
            other => write!(escaped, "%{other:02X}").expect("invariant: writing to a string cannot fail"),
        }
    }
    escaped
}
