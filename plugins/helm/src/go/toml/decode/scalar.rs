//! Strings, numbers and dates.

use super::{
    super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME},
    Decoder, consumed, quoted,
};
use crate::{
    Value,
    functions::TimeObject,
    go::{
        number::{NumberError, parse_float, parse_int},
        quote::quote,
        time::{Zone, parse},
        unicode::is_letter,
    },
};

/// How many quotes in a row a long string may have at its end, the three that end it among them.
const QUOTES_MAX: usize = 5;

impl<'t> Decoder<'t> {
    pub(super) fn basic_string(&mut self) -> Result<String, String> {
        self.advance();
        let (whole, mut out) = (self.rest, String::new());
        loop {
            self.check_unbroken()?;
            match self.advance() {
                None => return Err(r#"unexpected EOF; expected '"'"#.to_owned()),
                Some('"') => return Ok(out),
                Some('\\') => out.push(self.escape(whole)?),
                Some(c) => out.push(c),
            }
        }
    }

    pub(super) fn literal_string(&mut self) -> Result<String, String> {
        self.advance();
        let mut out = String::new();
        loop {
            self.check_unbroken()?;
            match self.advance() {
                None => return Err(r#"unexpected EOF; expected "'""#.to_owned()),
                Some('\'') => return Ok(out),
                Some(c) => out.push(c),
            }
        }
    }

    /// A string of one line has no line break. Before a carriage return the original is a line off.
    fn check_unbroken(&mut self) -> Result<(), String> {
        match self.peek() {
            Some('\r') => self.line -= 1,
            Some('\n') => {}
            _ => return Ok(()),
        }
        Err("strings cannot contain newlines".to_owned())
    }

    /// Between three quotes; the line break after the first is left out.
    pub(super) fn long_basic_string(&mut self) -> Result<String, String> {
        self.take("\"\"\"");
        let (whole, mut out) = (self.rest, String::new());
        self.line_break();
        loop {
            if self.quotes('"', &mut out)? {
                return Ok(out);
            }
            match self.advance() {
                None => return Err("unexpected EOF; expected '\"\"\"'".to_owned()),
                Some('\\') if self.rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n') => {
                    while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
                        self.advance();
                    }
                }
                Some('\\') => out.push(self.escape(whole)?),
                Some(c) => out.push(c),
            }
        }
    }

    pub(super) fn long_literal_string(&mut self) -> Result<String, String> {
        self.take("'''");
        self.line_break();
        let mut out = String::new();
        loop {
            if self.quotes('\'', &mut out)? {
                return Ok(out);
            }
            match self.advance() {
                None => return Err("unexpected EOF; expected \"'''\"".to_owned()),
                Some(c) => out.push(c),
            }
        }
    }

    /// Takes the quotes that come next, and adds those to the string that do not end it. Whether they do.
    fn quotes(&mut self, mark: char, out: &mut String) -> Result<bool, String> {
        let count = self.rest.chars().take_while(|c| *c == mark).count();
        if count > QUOTES_MAX {
            let other = if mark == '"' { '\'' } else { '"' };
            let quotes = mark.to_string().repeat(QUOTES_MAX + 1);
            return Err(format!("unexpected {other}{quotes}{other}"));
        }
        (0..count).for_each(|_| {
            self.advance();
        });
        let is_end = count >= 3;
        out.extend(std::iter::repeat_n(mark, if is_end { count - 3 } else { count }));
        Ok(is_end)
    }

    fn line_break(&mut self) {
        if !self.take("\r\n") {
            self.take("\n");
        }
    }

    /// What a backslash of a string means; `whole` begins where the string does.
    fn escape(&mut self, whole: &'t str) -> Result<char, String> {
        Ok(match self.advance() {
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{C}',
            Some('r') => '\r',
            Some('e') => '\u{1B}',
            Some('"') => '"',
            Some('\\') => '\\',
            Some('x') => return self.code(whole, "two", 'x', 2),
            Some('u') => return self.code(whole, "four", 'u', 4),
            Some('U') => return self.code(whole, "eight", 'U', 8),
            Some(c @ (' ' | '\t')) => return Err(format!(r"invalid escape: '\{c}'")),
            c => {
                if c.is_none() {
                    self.line -= 1; // as the original counts
                }
                return Err(format!(r"invalid escape in string '\{}'", c.unwrap_or('\0')));
            }
        })
    }

    fn code(&mut self, whole: &'t str, count: &str, letter: char, digits: usize) -> Result<char, String> {
        let start = self.rest;
        for _ in 0..digits {
            if !self.advance().is_some_and(|c| c.is_ascii_hexdigit()) {
                let found = quote(consumed(whole, self.rest).as_bytes());
                return Err(format!(
                    r"expected {count} hexadecimal digits after '\{letter}', but got {found} instead"
                ));
            }
        }
        let written = consumed(start, self.rest);
        let code = u32::from_str_radix(written, 16).ok().and_then(char::from_u32);
        code.ok_or_else(|| format!(r"Escaped character '\u{written}' is not valid UTF-8."))
    }

    // ---- what is neither string nor collection

    /// `true`, `false`, `inf`, `nan`, or what should have been one.
    pub(super) fn word(&mut self) -> Result<Value, String> {
        let start = self.rest;
        if self.take("i") || self.take("n") {
            if (self.take("n") && self.take("f")) || (self.take("a") && self.take("n")) {
                return float(consumed(start, self.rest));
            }
            // the original has read so far, and goes back by one letter
            let read = consumed(start, self.rest).len();
            self.rest = start.get(read - 1..).unwrap_or_default();
        }
        match self.run(is_letter)? {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            other => Err(format!(
                "expected value but found {} instead",
                quote(other.as_bytes())
            )),
        }
    }

    /// An integer, a float or a date: what it is shows in its first characters, what is wrong with it later.
    pub(super) fn number(&mut self) -> Result<Value, String> {
        let start = self.rest;
        if self.take("+") || self.take("-") {
            return self.signed(start);
        }
        let base = match self.rest.as_bytes() {
            [b'0', b'b', ..] => Some(("a binary", 2)),
            [b'0', b'o', ..] => Some(("an octal", 8)),
            [b'0', b'x', ..] => Some(("a hexadecimal", 16)),
            _ => None,
        };
        if let Some((name, base)) = base {
            self.rest = start.get(2..).unwrap_or_default();
            let c = self.peek().unwrap_or('\0');
            if !c.is_digit(base) {
                let written = consumed(start, self.rest);
                return Err(format!("not {name} number: '{written}{c}'"));
            }
            self.run(|c| c.is_digit(base) || c == '_')?;
            return integer(consumed(start, self.rest));
        }
        let digits = self.run(|c| c.is_ascii_digit())?;
        match self.peek() {
            // a date has two digits at least
            Some('-' | ':') if digits != "0" => {
                self.run(|c| c.is_ascii_digit() || "-:Tt .Zz+".contains(c))?;
                time(consumed(start, self.rest).trim())
            }
            _ => self.decimal(start),
        }
    }

    fn signed(&mut self, start: &'t str) -> Result<Value, String> {
        let rest = self.rest;
        let is_float = match self.advance() {
            Some('i') => Some(self.take("n") && self.take("f")),
            Some('n') => Some(self.take("a") && self.take("n")),
            _ => None,
        };
        let written = consumed(start, self.rest);
        match (is_float, rest.as_bytes()) {
            (Some(true), _) => float(written),
            (Some(false), _) => Err(format!("invalid float: '{written}'")),
            (None, [b'0', base @ (b'b' | b'o' | b'x'), ..]) => Err(format!(
                "cannot use sign with non-decimal numbers: '{written}{}'",
                char::from(*base)
            )),
            (None, [b'.', ..]) => Err("floats must start with a digit, not '.'".to_owned()),
            (None, [digit, ..]) if digit.is_ascii_digit() => self.decimal(start),
            _ => Err(format!(
                "expected a digit but got {}",
                quoted(rest.chars().next())
            )),
        }
    }

    /// The rest of a decimal number, its first digits taken.
    fn decimal(&mut self, start: &'t str) -> Result<Value, String> {
        self.run(|c| c.is_ascii_digit() || c == '_')?;
        if !matches!(self.peek(), Some('.' | 'e' | 'E')) {
            return integer(consumed(start, self.rest));
        }
        self.run(|c| c.is_ascii_digit() || "_.-+eE".contains(c))?;
        float(consumed(start, self.rest))
    }

    /// The characters that come next and are of a kind. What stands behind them is looked at, forbidden or not.
    fn run(&mut self, is_part: impl Fn(char) -> bool) -> Result<&'t str, String> {
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        if rest.is_empty() && self.is_cut {
            return Err("the text is cut".to_owned()); // never told: why it is comes instead
        }
        Ok(text)
    }
}

fn integer(text: &str) -> Result<Value, String> {
    let written = quote(text.as_bytes());
    if !are_underscores_fit(text) {
        return Err(format!(
            "Invalid integer {written}: underscores must be surrounded by digits"
        ));
    }
    if has_leading_zero(text) {
        return Err(format!("Invalid integer {written}: cannot have leading zeroes"));
    }
    parse_int(text.replace('_', "").as_bytes(), 0)
        .map(Value::int64)
        .map_err(|_| format!("{text} is out of range for int64"))
}

fn float(text: &str) -> Result<Value, String> {
    let written = quote(text.as_bytes());
    let is_word = matches!(text.trim_start_matches(['+', '-']), "nan" | "inf");
    let mut parts = text.split(['.', 'e', 'E']).filter(|part| !part.is_empty());
    if !is_word && !parts.clone().all(are_underscores_fit) {
        return Err(format!(
            "Invalid float {written}: underscores must be surrounded by digits"
        ));
    }
    if parts.next().is_some_and(has_leading_zero) {
        return Err(format!("Invalid float {written}: cannot have leading zeroes"));
    }
    let mut after_points = text.split('.').skip(1);
    if after_points.any(|after| !after.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(format!(
            "Invalid float {written}: '.' must be followed by one or more digits"
        ));
    }
    let plain = text.replace('_', "");
    let plain = if plain.ends_with("nan") { "nan" } else { &plain };
    match parse_float(plain.as_bytes()) {
        Ok(value) => Ok(Value::Float(value)),
        Err(NumberError::Range) => Err(format!("{text} is out of range for float64")),
        Err(NumberError::Syntax) => Err(format!("Invalid float value: {written}")),
    }
}

/// Whether a digit stands on both sides of each underscore; the end of a number is to be a digit, too.
fn are_underscores_fit(text: &str) -> bool {
    let mut is_digit = false;
    for c in text.chars() {
        if c == '_' && !is_digit {
            return false;
        }
        is_digit = c.is_ascii_hexdigit();
    }
    is_digit
}

fn has_leading_zero(text: &str) -> bool {
    match text.as_bytes() {
        [b'0', base, ..] => !matches!(base, b'b' | b'o' | b'x'),
        [b'+' | b'-', b'0', _, ..] => true,
        _ => false,
    }
}

fn time(text: &str) -> Result<Value, String> {
    let upper = text.to_ascii_uppercase().replace(' ', "T");
    let layouts: [(&str, Option<&str>); 7] = [
        ("2006-01-02T15:04:05.999999999Z07:00", None),
        ("2006-01-02T15:04:05.999999999", Some(LOCAL_DATE_TIME)),
        ("2006-01-02", Some(LOCAL_DATE)),
        ("15:04:05.999999999", Some(LOCAL_TIME)),
        ("2006-01-02T15:04Z07:00", None),
        ("2006-01-02T15:04", Some(LOCAL_DATE_TIME)),
        ("15:04", Some(LOCAL_TIME)),
    ];
    let read = layouts.iter().find_map(|(layout, zone)| {
        let time = parse(layout.as_bytes(), upper.as_bytes()).ok()?;
        let time = zone.map_or_else(|| time.clone(), |zone| time.in_zone(Zone::Fixed(zone.into(), 0)));
        Some((layout, time))
    });
    match read {
        Some((layout, time)) if is_aligned(&upper, layout) => Ok(TimeObject::value(time)),
        _ => Err(format!("invalid datetime: {}", quote(upper.as_bytes()))),
    }
}

/// Whether no leading zero is missing, which Go's own parser does not mind: separators are where the layout has them.
fn is_aligned(text: &str, layout: &str) -> bool {
    let fixed = layout.split(['.', 'Z']).next().unwrap_or_default();
    let mut pairs = fixed.bytes().zip(text.bytes());
    pairs.all(|(wanted, found)| wanted.is_ascii_digit() || wanted == found)
}
