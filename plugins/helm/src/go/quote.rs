//! `strconv.Quote` and its like.

use std::fmt::Write;

use super::unicode::is_print;

/// In double quotes, with escapes for what cannot be printed: `%q`.
pub(crate) fn quote(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape(c, &mut out));
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").unwrap_or_default();
        }
    }
    out.push('"');
    out
}

fn escape(c: char, out: &mut String) {
    let escaped = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{C}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{B}' => "\\v",
        c if is_print(c) => return out.push(c),
        c => {
            let code = c as u32;
            let width = if code < 0x20 || code == 0x7F {
                ('x', 2)
            } else if code < 0x1_0000 {
                ('u', 4)
            } else {
                ('U', 8)
            };
            return write!(out, "\\{}{code:0digits$x}", width.0, digits = width.1).unwrap_or_default();
        }
    };
    out.push_str(escaped);
}

/// In back quotes where that can be, else as [`quote`] has it.
pub(crate) fn quote_backtick(text: &str) -> String {
    let fits = |c: char| !matches!(c, '`' | '\u{FEFF}' | '\u{FFFD}' | '\u{7F}') && (c >= ' ' || c == '\t');
    if text.chars().all(fits) {
        format!("`{text}`")
    } else {
        quote(text.as_bytes())
    }
}
