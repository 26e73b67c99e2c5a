//! Reading JSON.

use crate::{List, Map, Value, go::quote::quote, value::DEPTH_MAX};

/// What was read.
pub(crate) struct Decoded {
    /// Numbers that are too large for a `float64` are nil.
    pub value: Value,
    /// Go's complaint about the first such number.
    pub range_error: Option<String>,
}

/// Reads one JSON text. Numbers are `float64`, bytes that are no UTF-8 and lone surrogates U+FFFD.
///
/// # Errors
/// Go's text.
pub(crate) fn decode(text: &[u8]) -> Result<Decoded, String> {
    let mut decoder = Decoder {
        text,
        at: 0,
        depth: 0,
        range_error: None,
    };
    let value = decoder.value()?;
    decoder.blanks();
    if decoder.peek().is_some() {
        return decoder.unexpected("after top-level value");
    }
    let range_error = decoder
        .range_error
        .map(|number| format!("json: cannot unmarshal number {number} into Go value of type float64"));
    Ok(Decoded { value, range_error })
}

/// Where a text may not end, and Go complains of a blank.
const ENDED_BY_BLANK: [&str; 6] = [
    "in literal",
    "in numeric literal",
    "after decimal point",
    "in exponent",
    "in string escape",
    "in \\u",
];

struct Decoder<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    range_error: Option<String>,
}

impl Decoder<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What is at this place does not belong there.
    fn unexpected<T>(&self, context: &str) -> Result<T, String> {
        // at the end Go reads one more blank, which only what began needs more of takes for an end
        let is_inside = ENDED_BY_BLANK.iter().any(|inside| context.starts_with(inside));
        let Some(byte) = self.peek().or(is_inside.then_some(b' ')) else {
            return Err("unexpected end of JSON input".to_owned());
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

    fn value(&mut self) -> Result<Value, String> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::from(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Nil),
            _ => self.unexpected("looking for beginning of value"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, String> {
        let map = Map::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(map.into());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return self.unexpected("looking for beginning of object key string");
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return self.unexpected("after object key");
            }
            self.at += 1;
            let value = self.value()?;
            map.set(key, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.unexpected("after object key:value pair"),
            }
        }
        self.at += 1;
        Ok(map.into())
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(List::new(items).into());
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.unexpected("after array element"),
            }
        }
        self.at += 1;
        Ok(List::new(items).into())
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for letter in word.bytes() {
            if self.peek() != Some(letter) {
                let expecting = char::from(letter);
                return self.unexpected(&format!("in literal {word} (expecting '{expecting}')"));
            }
            self.at += 1;
        }
        Ok(value)
    }

    // ---- numbers

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.unexpected("in numeric literal"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.unexpected("after decimal point in numeric literal");
            }
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.unexpected("in exponent of numeric literal");
            }
            self.digits();
        }
        let written = String::from_utf8_lossy(self.text.get(start..self.at).unwrap_or_default());
        let number: f64 = written.parse().unwrap_or(f64::INFINITY);
        if number.is_infinite() {
            self.range_error.get_or_insert(written.into_owned());
            return Ok(Value::Nil);
        }
        Ok(Value::Float(number))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    // ---- strings

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            out.extend(crate::go::unicode::runes(
                self.text.get(start..self.at).unwrap_or_default(),
            ));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    out.push(c);
                }
                _ => return self.unexpected("in string literal"),
            }
        }
        self.at += 1;
        Ok(out)
    }

    fn escape(&mut self) -> Result<char, String> {
        let c = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.unit()?;
                return self.surrogates(unit);
            }
            _ => return self.unexpected("in string escape code"),
        };
        self.at += 1;
        Ok(c)
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.unexpected("in \\u hexadecimal character escape");
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// The second half of a pair, where the first was read.
    fn surrogates(&mut self, high: u32) -> Result<char, String> {
        let before = self.at;
        if (0xD800..0xDC00).contains(&high)
            && self
                .text
                .get(self.at..)
                .is_some_and(|rest| rest.starts_with(b"\\u"))
        {
            self.at += 2;
            let low = self.unit()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x1_0000 + (high - 0xD800) * 0x400 + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}
