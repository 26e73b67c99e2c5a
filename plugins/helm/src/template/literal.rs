//! Numbers and strings as they are written in Go.

use super::{ast::Number, lexer::Kind};
use crate::{
    Str,
    go::{
        number,
        quote::{self, decode_rune},
    },
};

/// Go's name for every mistake in a quoted text.
const SYNTAX: &str = "invalid syntax";

/// What a quoted text stands for: `"…"` with escapes, or `` `…` `` as it is.
pub(super) fn unquote(quoted: &Str) -> Result<Str, String> {
    let end = quoted.len().saturating_sub(1);
    let inner = quoted.as_bytes().get(1..end).unwrap_or_default();
    if quoted.as_bytes().first() == Some(&b'`') {
        if memchr::memchr(b'\r', inner).is_none() {
            return Ok(quoted.part(1, end));
        }
        let kept = inner.iter().copied().filter(|byte| *byte != b'\r');
        return Ok(kept.collect::<Vec<u8>>().into());
    }
    let is_plain = |byte: &u8| byte.is_ascii() && !matches!(byte, b'"' | b'\\');
    if inner.iter().all(is_plain) {
        return Ok(quoted.part(1, end));
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unquote_unit(rest, b'"').ok_or(SYNTAX)?;
        unit.push_to(&mut text);
        rest = after;
    }
    Ok(text.into())
}

/// One step of unquoting: a character, or a byte written as a number.
enum Unit {
    Character(char),
    Byte(u8),
}

impl Unit {
    fn push_to(&self, text: &mut Vec<u8>) {
        match self {
            Self::Character(character) => {
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Self::Byte(byte) => text.push(*byte),
        }
    }
}

fn unquote_unit(text: &[u8], quote: u8) -> Option<(Unit, &[u8])> {
    let (character, size) = decode_rune(text)?;
    let rest = text.get(size..)?;
    if character == char::from(quote) {
        return None;
    }
    if character != '\\' {
        return Some((Unit::Character(character), rest));
    }
    let (escape, rest) = rest.split_first()?;
    let plain = |character| Some((Unit::Character(character), rest));
    match escape {
        b'a' => plain('\x07'),
        b'b' => plain('\x08'),
        b'f' => plain('\x0C'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'v' => plain('\x0B'),
        b'\\' => plain('\\'),
        b'\'' | b'"' if *escape == quote => plain(char::from(*escape)),
        b'x' => {
            let (value, rest) = digits(rest, 2, 16)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        b'u' | b'U' => {
            let (value, rest) = digits(rest, if *escape == b'u' { 4 } else { 8 }, 16)?;
            Some((Unit::Character(char::from_u32(value)?), rest))
        }
        b'0'..=b'7' => {
            let (value, rest) = digits(text.get(1..)?, 3, 8)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        _ => None,
    }
}

fn digits(text: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let mut value: u32 = 0;
    for byte in text.get(..count)? {
        value = value
            .checked_mul(radix)?
            .checked_add(char::from(*byte).to_digit(radix)?)?;
    }
    Some((value, text.get(count..)?))
}

/// A number as written; the message says what is wrong with it.
pub(super) fn number(position: u32, text: &[u8], kind: Kind) -> Result<Number, String> {
    let mut number = Number {
        position,
        text: text.into(),
        is_float: is_written_as_float(text),
        ..Number::default()
    };
    let written = std::str::from_utf8(text).unwrap_or_default();
    if kind == Kind::CharConstant {
        let value = character(text)?;
        number.int = Some(i64::from(value));
        number.uint = Some(u64::from(value));
        number.float = Some(f64::from(value));
        return Ok(number);
    }
    if kind == Kind::Complex {
        number.complex =
            Some(complex(written).ok_or_else(|| "syntax error scanning complex number".to_owned())?);
    } else if let Some(imaginary) = written.strip_suffix('i').and_then(float) {
        number.complex = Some((0.0, imaginary));
    }
    if let Some((real, imaginary)) = number.complex {
        if imaginary == 0.0 {
            set_float(&mut number, real);
        }
        return Ok(number);
    }
    number.uint = number::parse_uint(text, 0).ok();
    number.int = number::parse_int(text, 0).ok();
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(value) = number.int {
        number.float = Some(value as f64);
    } else if let Some(value) = number.uint {
        number.float = Some(value as f64);
    } else if let Some(value) = float(written) {
        if !written.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote::quote(text)));
        }
        set_float(&mut number, value);
    } else {
        return Err(format!("illegal number syntax: {}", quote::quote(text)));
    }
    Ok(number)
}

/// Whether there is a point or an exponent: in hexadecimal `e` is a digit, and characters may be anything.
fn is_written_as_float(text: &[u8]) -> bool {
    let has = |marks: &[u8]| text.iter().any(|byte| marks.contains(byte));
    match text {
        [b'\'', ..] => false,
        [b'0', b'x' | b'X', ..] => has(b"pP"),
        _ => has(b".eEpP"),
    }
}

/// A float, and the integers it equals.
fn set_float(number: &mut Number, value: f64) {
    const INT_LIMIT: f64 = 9_223_372_036_854_775_808.0;
    number.float = Some(value);
    if value.fract() == 0.0 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked"
        )]
        {
            number.int = (-INT_LIMIT..INT_LIMIT).contains(&value).then_some(value as i64);
            number.uint = (0.0..2.0 * INT_LIMIT).contains(&value).then_some(value as u64);
        }
    }
}

/// `'c'`
fn character(text: &[u8]) -> Result<u32, String> {
    let (unit, tail) = unquote_unit(text.get(1..).unwrap_or_default(), b'\'').ok_or(SYNTAX)?;
    if tail != b"'" {
        return Err(format!(
            "malformed character constant: {}",
            String::from_utf8_lossy(text)
        ));
    }
    Ok(match unit {
        Unit::Character(character) => character.into(),
        Unit::Byte(byte) => byte.into(),
    })
}

/// `1+2i`
fn complex(text: &str) -> Option<(f64, f64)> {
    let text = text.strip_suffix('i')?;
    let is_exponent = |index: usize| {
        text.as_bytes()
            .get(index - 1)
            .is_some_and(|byte| b"eEpP".contains(byte))
    };
    let split = text
        .char_indices()
        .skip(1)
        .filter(|(index, character)| matches!(character, '+' | '-') && !is_exponent(*index))
        .last()?
        .0;
    let (real, imaginary) = text.split_at(split);
    Some((float(real)?, float(imaginary)?))
}

fn float(text: &str) -> Option<f64> {
    number::parse_float(text.as_bytes()).ok()
}
