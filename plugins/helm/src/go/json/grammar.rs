//! The grammar of JSON as Go's scanner reads it, with its complaints. What is made of what is read is for [`Build`] to say.

use crate::{
    go::{quote::quote, unicode::runes},
    value::DEPTH_MAX,
};

/// What becomes of what is read.
pub(crate) trait Build {
    type Value;
    fn null(&mut self) -> Self::Value;
    fn bool(&mut self, value: bool) -> Self::Value;
    /// `written` is a number of JSON.
    fn number(&mut self, written: &str) -> Self::Value;
    /// Bytes that are no UTF-8 and lone surrogates are U+FFFD.
    fn string(&mut self, text: String) -> Self::Value;
    fn array(&mut self, items: Vec<Self::Value>) -> Self::Value;
    /// Of keys that stand twice the last one counts.
    fn object(&mut self, fields: Vec<(String, Self::Value)>) -> Self::Value;
    /// What is said where the text ends too early; `context` is where.
    fn ended(&self, context: &str) -> String;
}

/// Goes through one text.
pub(crate) struct Reader<'t, B> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    pub(crate) build: B,
}

/// Go's words for a byte that does not belong there; `context` is where.
pub(crate) fn invalid(byte: u8, context: &str) -> String {
    let quoted = match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => {
            let quoted = quote(char::from(byte).to_string().as_bytes());
            format!("'{}'", quoted.trim_matches('"'))
        }
    };
    format!("invalid character {quoted} {context}")
}

impl<'t, B: Build> Reader<'t, B> {
    pub(crate) fn new(text: &'t [u8], build: B) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            build,
        }
    }

    /// Whether nothing but blanks is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.blanks();
        self.peek().is_none()
    }

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
    pub(crate) fn unexpected<T>(&self, context: &str) -> Result<T, String> {
        Err(match self.peek() {
            Some(byte) => invalid(byte, context),
            None => self.build.ended(context),
        })
    }

    /// The next value.
    pub(crate) fn value(&mut self) -> Result<B::Value, String> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                let text = self.string()?;
                Ok(self.build.string(text))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => {
                self.literal("true")?;
                Ok(self.build.bool(true))
            }
            Some(b'f') => {
                self.literal("false")?;
                Ok(self.build.bool(false))
            }
            Some(b'n') => {
                self.literal("null")?;
                Ok(self.build.null())
            }
            _ => self.unexpected("looking for beginning of value"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<B::Value, String>) -> Result<B::Value, String> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<B::Value, String> {
        let mut fields = Vec::new();
        self.blanks();
        if self.takes(b'}') {
            return Ok(self.build.object(fields));
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
            fields.push((key, self.value()?));
            self.blanks();
            if self.takes(b'}') {
                return Ok(self.build.object(fields));
            }
            if !self.takes(b',') {
                return self.unexpected("after object key:value pair");
            }
        }
    }

    fn array(&mut self) -> Result<B::Value, String> {
        let mut items = Vec::new();
        self.blanks();
        if self.takes(b']') {
            return Ok(self.build.array(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.takes(b']') {
                return Ok(self.build.array(items));
            }
            if !self.takes(b',') {
                return self.unexpected("after array element");
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for letter in word.bytes() {
            if !self.takes(letter) {
                let expecting = char::from(letter);
                return self.unexpected(&format!("in literal {word} (expecting '{expecting}')"));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<B::Value, String> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits("in numeric literal")?;
        }
        if self.takes(b'.') {
            self.digits("after decimal point in numeric literal")?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            if !self.takes(b'-') {
                self.takes(b'+');
            }
            self.digits("in exponent of numeric literal")?;
        }
        let written = String::from_utf8_lossy(self.text.get(start..self.at).unwrap_or_default());
        Ok(self.build.number(&written))
    }

    /// At least one digit.
    fn digits(&mut self, context: &str) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        match self.at == start {
            true => self.unexpected(context),
            false => Ok(()),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
            let length = rest.iter().take_while(is_plain).count();
            self.at += length;
            let run = rest.get(..length).unwrap_or_default();
            match std::str::from_utf8(run) {
                Ok(run) => out.push_str(run),
                Err(_) => out.extend(runes(run)),
            }
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
