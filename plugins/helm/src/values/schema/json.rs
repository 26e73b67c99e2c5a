//! JSON of schemas and values. Numbers keep how they are written: rules compare them exactly and messages show them so.

use std::collections::BTreeMap;

use super::number::Number;
use crate::{
    go::quote::{decode_rune, quote},
    value::DEPTH_MAX,
    values::{Data, Table},
};

/// The fields of an object.
pub(super) type Fields = BTreeMap<String, Json>;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Json>),
    Object(Fields),
}

impl Json {
    /// Values as Helm hands them to the library.
    pub(super) fn from_data(data: &Data) -> Self {
        match data {
            Data::Null => Self::Null,
            Data::Bool(value) => Self::Bool(*value),
            Data::Int(value) => Self::Number(Number::new(value.to_string())),
            Data::Float(value) => Self::Number(Number::new(sluice_yaml::format_float(*value))),
            Data::Text(text) => Self::String(text.to_str().into_owned()),
            Data::List(items) => Self::Array(items.iter().map(Self::from_data).collect()),
            Data::Table(table) => Self::from_table(table),
        }
    }

    pub(super) fn from_table(table: &Table) -> Self {
        let fields = table.iter();
        Self::Object(
            fields
                .map(|(key, value)| (key.to_str().into_owned(), Self::from_data(value)))
                .collect(),
        )
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Fields> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Whether two values are equal; `1` and `1.0` are.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.equals(b),
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| a.equals(b)))
            }
            _ => self == other,
        }
    }

    /// The type: a number is a number, be it an integer or not.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

/// Reads one JSON text.
///
/// # Errors
/// What Go's streaming decoder says, and the library of what follows.
pub(super) fn read(text: &[u8]) -> Result<Json, String> {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    if reader.peek().is_none() {
        return Err("EOF".to_owned());
    }
    let value = reader.value(0)?;
    reader.blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err("invalid character after top-level value".to_owned()),
    }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes a byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// What is at this place does not belong there.
    fn unexpected<T>(&self, context: &str) -> Result<T, String> {
        let Some(byte) = self.peek() else {
            return Err("unexpected EOF".to_owned());
        };
        let quoted = match byte {
            b'\'' => r"'\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            byte => {
                let quoted = quote(char::from(byte).to_string().as_bytes());
                format!("'{}'", quoted.trim_matches('"'))
            }
        };
        Err(format!("invalid character {quoted} {context}"))
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Json::Bool(true)),
            Some(b'f') => self.literal("false", Json::Bool(false)),
            Some(b'n') => self.literal("null", Json::Null),
            _ => self.unexpected("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        self.blanks();
        let mut fields = Fields::new();
        if self.takes(b'}') {
            return Ok(Json::Object(fields));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return self.unexpected("looking for beginning of object key string");
            }
            let key = self.string()?;
            self.blanks();
            if !self.takes(b':') {
                return self.unexpected("after object key");
            }
            let value = self.value(depth + 1)?;
            fields.insert(key, value);
            self.blanks();
            if self.takes(b'}') {
                return Ok(Json::Object(fields));
            }
            if !self.takes(b',') {
                return self.unexpected("after object key:value pair");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        self.blanks();
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.takes(b']') {
                return Ok(Json::Array(items));
            }
            if !self.takes(b',') {
                return self.unexpected("after array element");
            }
        }
    }

    fn literal(&mut self, word: &str, value: Json) -> Result<Json, String> {
        for letter in word.bytes() {
            if !self.takes(letter) {
                let letter = char::from(letter);
                return self.unexpected(&format!("in literal {word} (expecting '{letter}')"));
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits("in numeric literal")?;
        }
        if self.takes(b'.') {
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if !self.takes(b'-') {
                self.takes(b'+');
            }
            self.digits("in exponent of numeric literal")?;
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        Ok(Json::Number(Number::new(
            String::from_utf8_lossy(written).into_owned(),
        )))
    }

    /// At least one digit.
    fn digits(&mut self, context: &str) -> Result<(), String> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return self.unexpected(context);
        }
        Ok(())
    }

    /// Bytes that are no UTF-8 and lone surrogates are U+FFFD.
    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escaped()?);
                }
                None | Some(0..=0x1F) => return self.unexpected("in string literal"),
                Some(_) => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    let (character, size) = decode_rune(rest).unwrap_or_default();
                    text.push(character);
                    self.at += size;
                }
            }
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0C',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return self.unexpected("in string escape code"),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode(&mut self) -> Result<char, String> {
        let high = self.hex()?;
        if let Some(character) = char::from_u32(high) {
            return Ok(character);
        }
        let after = self.at;
        if high < 0xDC00 && self.takes(b'\\') && self.takes(b'u') {
            let low = self.hex()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        // no pair: what follows is read on its own
        self.at = after;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.unexpected("in \\u hexadecimal character escape");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_go_texts() {
        for (text, error) in [
            ("", "EOF"),
            (" \n", "EOF"),
            ("{", "unexpected EOF"),
            ("{} x", "invalid character after top-level value"),
            ("01", "invalid character after top-level value"),
            (
                r#"{"a":1,}"#,
                "invalid character '}' looking for beginning of object key string",
            ),
            (r#"{"a":01}"#, "invalid character '1' after object key:value pair"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            ("[1 2]", "invalid character '2' after array element"),
            ("\"\x01\"", r"invalid character '\x01' in string literal"),
            (r#""\'""#, r"invalid character '\'' in string escape code"),
            (
                r#""\u12"""#,
                "invalid character '\"' in \\u hexadecimal character escape",
            ),
            ("trux", "invalid character 'x' in literal true (expecting 'e')"),
            ("-x", "invalid character 'x' in numeric literal"),
            (
                "1.x",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            (
                "\u{FEFF}{}",
                "invalid character 'ï' looking for beginning of value",
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn surrogates_pair_or_are_replaced() {
        let text = |json: &str| read(json.as_bytes()).map(|json| json.as_str().map(str::to_owned));
        assert_eq!(text(r#""\ud83d\ude00""#), Ok(Some("😀".to_owned())));
        assert_eq!(text(r#""\ud800""#), Ok(Some("\u{FFFD}".to_owned())));
        assert_eq!(text(r#""\ud800\u0041""#), Ok(Some("\u{FFFD}A".to_owned())));
        assert_eq!(text(r#""\udc00x""#), Ok(Some("\u{FFFD}x".to_owned())));
    }

    #[test]
    fn nesting_ends() {
        let text = "[".repeat(100_000);
        assert_eq!(read(text.as_bytes()), Err("exceeded max depth".to_owned()));
    }
}
