//! Bytes to text: what Go's reader accepts.

use std::borrow::Cow;

use crate::{Error, Limit, Limits, Position};

/// The text without byte order mark; UTF-16 where a mark says so. Control characters are refused.
///
/// # Errors
/// [`Error::Syntax`] with the message of Go's reader, [`Error::Limit`].
pub fn decode_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::Limit {
            limit: Limit::Bytes,
            max: limits.bytes,
            position: Position::default(),
        });
    }
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_le_bytes)?),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_be_bytes)?),
        _ => Cow::Borrowed(utf8(bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes))?),
    };
    match find_control(&text) {
        Some(offset) => Err(control_error(&text, offset)),
        None => Ok(text),
    }
}

/// How many bytes Go reads at a time.
const PIECE: usize = 512;

/// The beginning of a text that [`decode_text`] refuses: what Go has read before it reads what is wrong. UTF-16 has none.
pub(crate) fn pieces_before_error(bytes: &[u8]) -> &str {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let end = find_control(text).unwrap_or(text.len());
    let mut read = 0;
    while read + PIECE <= end {
        // a character that the piece cuts is read with the next one
        read = text.floor_char_boundary(read + PIECE);
    }
    let before = text.get(..read).unwrap_or_default();
    before.strip_prefix('\u{FEFF}').unwrap_or(before)
}

fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    let error = match str::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let (before, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
    let before = String::from_utf8_lossy(before);
    // a forbidden character that stands before it is found first
    Err(match find_control(&before) {
        Some(offset) => control_error(&before, offset),
        None => reader_error(octet_problem(rest), &before),
    })
}

/// What Go's reader says of octets that do not begin with a character, in the order in which it looks at them.
fn octet_problem(octets: &[u8]) -> &'static str {
    let width = match octets.first() {
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF7) => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    let Some(character) = octets.get(..width) else {
        return "incomplete UTF-8 octet sequence";
    };
    if character.iter().skip(1).any(|octet| octet & 0xC0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    match character {
        [0xC0 | 0xC1, ..] | [0xE0, 0x80..=0x9F, ..] | [0xF0, 0x80..=0x8F, ..] => {
            "invalid length of a UTF-8 sequence"
        }
        _ => "invalid Unicode character",
    }
}

fn control_error(text: &str, offset: usize) -> Error {
    reader_error(
        "control characters are not allowed",
        text.get(..offset).unwrap_or_default(),
    )
}

/// The offset of the first character that YAML 1.1 forbids.
fn find_control(text: &str) -> Option<usize> {
    let is_sure = |byte: u8| {
        (byte >= 0x20) & (byte != 0x7F) & (byte != 0xC2) & (byte != 0xEF)
            | (byte == b'\t')
            | (byte == b'\n')
            | (byte == b'\r')
    };
    if run_of(text.as_bytes(), is_sure) == text.len() {
        return None;
    }
    text.char_indices()
        .find(|(_, c)| matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\x7F'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}'))
        .map(|(offset, _)| offset)
}

/// How many bytes from the start are such. Without branches in `is_such` the compiler looks at a whole block at once.
#[inline]
pub(crate) fn run_of(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> usize {
    let blocks = bytes.as_chunks::<16>().0.iter();
    let is_whole = |block: &&[u8; 16]| block.iter().fold(true, |all, byte| all & is_such(*byte));
    let whole = 16 * blocks.take_while(is_whole).count();
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| is_such(**byte)).count()
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(reader_error("incomplete UTF-16 character", ""));
    }
    char::decode_utf16(pairs.iter().copied().map(unit))
        .collect::<Result<String, _>>()
        .map_err(|_| reader_error("unexpected low surrogate area", ""))
}

/// Go names no line here; the position does.
#[allow(clippy::cast_possible_truncation)]
fn reader_error(problem: &str, before: &str) -> Error {
    let last = before.rsplit('\n').next().unwrap_or_default();
    let position = Position {
        line: before.matches('\n').count() as u32 + 1,
        column: last.chars().count() as u32 + 1,
    };
    Error::Syntax {
        message: format!("yaml: {problem}"),
        position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_where_it_ends() {
        for length in [0, 1, 15, 16, 17, 31, 32, 40] {
            let bytes = vec![b'a'; length];
            assert_eq!(run_of(&bytes, |byte| byte == b'a'), length);
            for odd in 0..length {
                let mut bytes = bytes.clone();
                *bytes.get_mut(odd).unwrap() = b'b';
                assert_eq!(run_of(&bytes, |byte| byte == b'a'), odd, "{odd} of {length}");
            }
        }
    }

    #[test]
    fn control_characters_are_found_wherever_they_are() {
        let allowed = "\t\n\r é\u{85}\u{A0}\u{2028}\u{E000}\u{FFFD}\u{10000}";
        assert_eq!(find_control(&allowed.repeat(3)), None);
        for control in [
            '\0', '\x08', '\x0B', '\x1F', '\x7F', '\u{84}', '\u{9F}', '\u{FFFE}',
        ] {
            for before in [0, 1, 15, 16, 33] {
                let text = format!("{}{control}{allowed}", "a".repeat(before));
                assert_eq!(find_control(&text), Some(before), "{control:?} after {before}");
            }
        }
    }
}
