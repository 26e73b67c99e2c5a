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
        _ => Cow::Borrowed(
            str::from_utf8(bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes)).map_err(|error| {
                let problem = match (error.error_len(), bytes.get(error.valid_up_to())) {
                    (None, _) => "incomplete UTF-8 octet sequence",
                    (_, Some(0x80..=0xBF | 0xF8..=0xFF)) => "invalid leading UTF-8 octet",
                    _ => "invalid trailing UTF-8 octet",
                };
                let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
                reader_error(problem, &before)
            })?,
        ),
    };
    match find_control(&text) {
        Some(offset) => Err(reader_error(
            "control characters are not allowed",
            text.get(..offset).unwrap_or_default(),
        )),
        None => Ok(text),
    }
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
