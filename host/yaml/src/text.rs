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
    let suspicious = |byte: u8| matches!(byte, 0..=8 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F | 0xC2 | 0xEF);
    if !text.bytes().any(suspicious) {
        return None;
    }
    text.char_indices()
        .find(|(_, c)| matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\x7F'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}'))
        .map(|(offset, _)| offset)
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
