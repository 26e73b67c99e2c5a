//! `strconv.Quote` and its like.

use std::fmt::Write;

use super::unicode::is_print;

/// The first character of a text and its length; a byte that is no UTF-8 is U+FFFD of length 1. None at the end.
#[inline]
pub(crate) fn decode_rune(text: &[u8]) -> Option<(char, usize)> {
    match text.first()? {
        first if first.is_ascii() => Some((char::from(*first), 1)),
        _ => decode_longer(text),
    }
}

fn decode_longer(text: &[u8]) -> Option<(char, usize)> {
    for size in 2..=4 {
        if let Some(Ok(character)) = text.get(..size).map(std::str::from_utf8) {
            return character.chars().next().map(|character| (character, size));
        }
    }
    Some((char::REPLACEMENT_CHARACTER, 1))
}

/// The characters of a text with their bytes.
pub(crate) fn runes(text: &[u8]) -> impl Iterator<Item = (char, &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (character, size) = decode_rune(rest)?;
        let (bytes, after) = rest.split_at_checked(size)?;
        rest = after;
        Some((character, bytes))
    })
}

/// The text up to a number of characters.
pub(crate) fn first_runes(text: &[u8], count: usize) -> &[u8] {
    let size = runes(text).take(count).map(|(_, bytes)| bytes.len()).sum();
    text.get(..size).unwrap_or_default()
}

/// In double quotes, with escapes for what does not show.
pub(crate) fn quote(text: &[u8]) -> String {
    quote_with(text, '"', false)
}

/// The same with escapes for all that is not ASCII.
pub(crate) fn quote_to_ascii(text: &[u8]) -> String {
    quote_with(text, '"', true)
}

/// A character in single quotes.
pub(crate) fn quote_rune(character: char, is_ascii_only: bool) -> String {
    quote_with(character.encode_utf8(&mut [0; 4]).as_bytes(), '\'', is_ascii_only)
}

fn quote_with(text: &[u8], mark: char, is_ascii_only: bool) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    match plain(text, mark) {
        Some(text) => quoted.push_str(text),
        None => quote_characters(text, mark, is_ascii_only, &mut quoted),
    }
    quoted.push(mark);
    quoted
}

/// The text, if nothing in it needs an escape: most texts are printable ASCII.
fn plain(text: &[u8], mark: char) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\' && char::from(*byte) != mark;
    std::str::from_utf8(text)
        .ok()
        .filter(|_| text.iter().all(is_plain))
}

fn quote_characters(text: &[u8], mark: char, is_ascii_only: bool, quoted: &mut String) {
    for (character, bytes) in runes(text) {
        match bytes {
            [byte] if !byte.is_ascii() => escape(quoted, format_args!("\\x{byte:02x}")),
            _ => quote_character(character, mark, is_ascii_only, quoted),
        }
    }
}

fn escape(quoted: &mut String, escaped: std::fmt::Arguments<'_>) {
    quoted
        .write_fmt(escaped)
        .expect("invariant: writing to a string cannot fail");
}

fn quote_character(character: char, mark: char, is_ascii_only: bool, quoted: &mut String) {
    match character {
        '\\' => quoted.push_str("\\\\"),
        _ if character == mark => quoted.extend(['\\', mark]),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0C' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0B' => quoted.push_str("\\v"),
        '\0'..='\x1F' | '\x7F' => escape(quoted, format_args!("\\x{:02x}", u32::from(character))),
        _ if character.is_ascii() || (!is_ascii_only && is_print(character)) => quoted.push(character),
        '\u{10000}'.. => escape(quoted, format_args!("\\U{:08x}", u32::from(character))),
        _ => escape(quoted, format_args!("\\u{:04x}", u32::from(character))),
    }
}

/// Whether a text can stand in backquotes: on one line, without control characters but the tab.
pub(crate) fn can_backquote(text: &[u8]) -> bool {
    runes(text).all(|(character, bytes)| match bytes {
        [byte] if !byte.is_ascii() => false,
        _ => !matches!(character, '\u{FEFF}' | '`' | '\x7F') && (character == '\t' || character >= ' '),
    })
}

/// `U+0040 '@'`, as `%#U` prints it.
pub(crate) fn unicode(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    if is_print(character) {
        format!("{code} '{character}'")
    } else {
        code
    }
}

/// In back quotes where that can be, else as [`quote`] has it.
pub(crate) fn quote_backtick(text: &str) -> String {
    if can_backquote(text.as_bytes()) && !text.contains('\u{FFFD}') {
        format!("`{text}`")
    } else {
        quote(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_what_characters_make_of_them() {
        for byte in 0..=u8::MAX {
            for text in [vec![byte], [b"a b", [byte].as_slice(), b"c"].concat()] {
                for (mark, is_ascii_only) in [('"', false), ('"', true), ('\'', false)] {
                    let mut slowly = String::from(mark);
                    quote_characters(&text, mark, is_ascii_only, &mut slowly);
                    slowly.push(mark);
                    assert_eq!(quote_with(&text, mark, is_ascii_only), slowly);
                }
            }
        }
        assert_eq!(plain(b"", '"'), Some(""));
        assert_eq!(plain("é".as_bytes(), '"'), None);
    }
}
