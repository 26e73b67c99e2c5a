//! Strings, numbers and dates.

use super::{
    super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME},
    Decoder, shown,
};
use crate::{
    Value,
    functions::TimeObject,
    go::{
        number::{NumberError, parse_float, parse_int},
        quote::quote,
        time::{Zone, parse},
    },
};

impl Decoder<'_> {
    pub(super) fn basic_string(&mut self) -> Result<String, String> {
        self.advance();
        let mut out = String::new();
        loop {
            match self.advance() {
                None => return Err(r#"unexpected EOF; expected '"'"#.to_owned()),
                Some('"') => return Ok(out),
                Some('\n') => return Err("strings cannot contain newlines".to_owned()),
                Some('\\') => out.push(self.escape()?),
                Some(c) => out.push(c),
            }
        }
    }

    pub(super) fn literal_string(&mut self) -> Result<String, String> {
        self.advance();
        let end = self.rest.find(['\'', '\n']);
        let (text, rest) = self
            .rest
            .split_at_checked(end.unwrap_or(self.rest.len()))
            .unwrap_or_default();
        self.rest = rest;
        match self.advance() {
            Some('\'') => Ok(text.to_owned()),
            Some(_) => Err("strings cannot contain newlines".to_owned()),
            None => Err(r#"unexpected EOF; expected "'""#.to_owned()),
        }
    }

    /// Between three quotes; the line break after the first is left out.
    pub(super) fn long_basic_string(&mut self) -> Result<String, String> {
        self.take("\"\"\"");
        self.line_break();
        let mut out = String::new();
        loop {
            if self.take("\"\"\"") {
                // up to two quotes may stand before the end
                while self.peek() == Some('"') {
                    self.advance();
                    out.push('"');
                }
                return Ok(out);
            }
            match self.advance() {
                None => return Err("unexpected EOF; expected '\"\"\"'".to_owned()),
                Some('\\') if self.rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n') => {
                    while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
                        self.advance();
                    }
                }
                Some('\\') => out.push(self.escape()?),
                Some('\r') if self.peek() == Some('\n') => {}
                Some(c) => out.push(c),
            }
        }
    }

    pub(super) fn long_literal_string(&mut self) -> Result<String, String> {
        self.take("'''");
        self.line_break();
        let Some((text, _)) = self.rest.split_once("'''") else {
            return Err("unexpected EOF; expected \"'''\"".to_owned());
        };
        let mut out = text.replace("\r\n", "\n");
        self.take(text);
        self.take("'''");
        while self.peek() == Some('\'') {
            self.advance();
            out.push('\'');
        }
        Ok(out)
    }

    fn line_break(&mut self) {
        if !self.take("\r\n") {
            self.take("\n");
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.advance() {
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{C}',
            Some('r') => '\r',
            Some('e') => '\u{1B}',
            Some('"') => '"',
            Some('\\') => '\\',
            Some('x') => return self.code("two", 'x', 2),
            Some('u') => return self.code("four", 'u', 4),
            Some('U') => return self.code("eight", 'U', 8),
            Some(c) => return Err(format!(r"invalid escape in string '\{c}'")),
            None => return Err(r#"unexpected EOF; expected '"'"#.to_owned()),
        })
    }

    fn code(&mut self, count: &str, letter: char, digits: usize) -> Result<char, String> {
        let written = self.rest.get(..digits).unwrap_or(self.rest);
        if written.len() < digits || !written.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let found = quote(written.as_bytes());
            return Err(format!(
                r"expected {count} hexadecimal digits after '\{letter}', but got {found} instead"
            ));
        }
        let code = u32::from_str_radix(written, 16).ok().and_then(char::from_u32);
        let code = code.ok_or_else(|| format!(r"Escaped character '\u{written}' is not valid UTF-8."))?;
        self.take(written);
        Ok(code)
    }

    /// What is neither string nor collection, up to what ends it.
    pub(super) fn scalar(&mut self) -> Result<Value, String> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_' | '.' | ':');
        let mut length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let is_date = |text: &str| {
            text.len() == 10
                && text.bytes().enumerate().all(|(at, byte)| match at {
                    4 | 7 => byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
        };
        let after = self.rest.get(length..).unwrap_or_default();
        if is_date(self.rest.get(..length).unwrap_or_default())
            && let Some(time) = after.strip_prefix(' ')
            && time.starts_with(|c: char| c.is_ascii_digit())
        {
            length += 1 + time.find(|c| !is_part(c)).unwrap_or(time.len());
        }
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        let value = value_of(text, rest)?;
        self.rest = rest;
        Ok(value)
    }
}

fn value_of(text: &str, rest: &str) -> Result<Value, String> {
    match text {
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        "inf" | "+inf" => return Ok(Value::Float(f64::INFINITY)),
        "-inf" => return Ok(Value::Float(f64::NEG_INFINITY)),
        "nan" | "+nan" | "-nan" => return Ok(Value::Float(f64::NAN)),
        _ => {}
    }
    if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err(format!(
            "expected value but found {} instead",
            quote(text.as_bytes())
        ));
    }
    if text.contains(':') || text.get(4..5) == Some("-") {
        return time(text);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() {
        return Err(format!("expected a digit but got {}", shown(rest.chars().next())));
    }
    let has_prefix = ["0x", "0o", "0b"]
        .iter()
        .any(|prefix| unsigned.starts_with(prefix));
    let is_float = !has_prefix && unsigned.contains(['.', 'e', 'E']);
    let (kind, digits) = if is_float {
        ("float", unsigned)
    } else {
        ("integer", unsigned)
    };
    let is_spaced = |text: &str| {
        let parts: Vec<&str> = text.split('_').collect();
        parts.iter().all(|part| {
            part.starts_with(|c: char| c.is_ascii_hexdigit() || c == '.')
                && part.ends_with(|c: char| c.is_ascii_hexdigit() || c == '.')
        })
    };
    if text.contains('_') && !is_spaced(digits) {
        return Err(format!(
            "Invalid {kind} {}: underscores must be surrounded by digits",
            quote(text.as_bytes())
        ));
    }
    let has_leading_zero = unsigned.len() > 1
        && unsigned.starts_with('0')
        && unsigned.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if has_leading_zero {
        return Err(format!(
            "Invalid {kind} {}: cannot have leading zeroes",
            quote(text.as_bytes())
        ));
    }
    let plain = text.replace('_', "");
    if is_float {
        let whole = plain.split(['e', 'E']).next().unwrap_or_default();
        if whole.ends_with('.') {
            let written = quote(text.as_bytes());
            return Err(format!(
                "Invalid float {written}: '.' must be followed by one or more digits"
            ));
        }
        return match parse_float(plain.as_bytes()) {
            Ok(value) => Ok(Value::Float(value)),
            Err(NumberError::Range) => Err(format!("{text} is out of range for float64")),
            Err(NumberError::Syntax) => Err(format!("Invalid float value: {}", quote(text.as_bytes()))),
        };
    }
    match parse_int(plain.as_bytes(), 0) {
        Ok(value) => Ok(Value::int64(value)),
        Err(NumberError::Range) => Err(format!("{text} is out of range for int64")),
        Err(NumberError::Syntax) => {
            let end = unsigned
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(unsigned.len());
            let wrong = unsigned.get(end..).and_then(|rest| rest.chars().next());
            Err(format!(
                "expected a top-level item to end with a newline, comment, or EOF, but got {} instead",
                shown(wrong)
            ))
        }
    }
}

fn time(text: &str) -> Result<Value, String> {
    let upper = text.to_ascii_uppercase().replace(' ', "T");
    let layouts: [(&[u8], Option<&str>); 7] = [
        (b"2006-01-02T15:04:05.999999999Z07:00", None),
        (b"2006-01-02T15:04:05.999999999", Some(LOCAL_DATE_TIME)),
        (b"2006-01-02", Some(LOCAL_DATE)),
        (b"15:04:05.999999999", Some(LOCAL_TIME)),
        (b"2006-01-02T15:04Z07:00", None),
        (b"2006-01-02T15:04", Some(LOCAL_DATE_TIME)),
        (b"15:04", Some(LOCAL_TIME)),
    ];
    let read = layouts.iter().find_map(|(layout, zone)| {
        let time = parse(layout, upper.as_bytes()).ok()?;
        Some(zone.map_or_else(|| time.clone(), |zone| time.in_zone(Zone::Fixed(zone.into(), 0))))
    });
    read.map(TimeObject::value)
        .ok_or_else(|| format!("invalid datetime: {}", quote(text.as_bytes())))
}
