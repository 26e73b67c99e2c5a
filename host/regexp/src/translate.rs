//! From RE2's syntax to that of the `regex` crate, with RE2's messages where it is wrong.
//!
//! Everything that could mean something else over there is spelled out: characters as `\x{…}`, Perl's classes in
//! ASCII, flags in full, groups without names.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use crate::class;
use crate::error::{COUNT, Error};

/// How often a part may come, the counts of those around it included.
const REPEAT_MAX: i64 = 1000;

/// A pattern for the `regex` crate.
#[derive(Debug)]
pub struct Translated<'p> {
    whole: &'p str,
    pattern: String,
    /// Names of the groups, empty for those without; the first stands for the whole match. [`Regex`] has none of them.
    pub names: Vec<String>,
}

impl Translated<'_> {
    /// Makes its program, of at most so many bytes.
    ///
    /// # Errors
    /// The program is larger, or groups nest more deeply than the `regex` crate allows.
    pub fn compile(&self, size_max: usize) -> Result<Regex, Error> {
        RegexBuilder::new(&self.pattern)
            .size_limit(size_max)
            .build()
            .map_err(|error| {
                let code = match error {
                    regex::Error::CompiledTooBig(_) => "expression too large",
                    _ if error.to_string().contains("nest") => "expression nests too deeply",
                    _ => "invalid character class range",
                };
                Error::new(code, self.whole)
            })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// What is remembered of an open group.
#[derive(Debug)]
struct Group {
    flags: Flags,
    product: i64,
}

/// A text of which the front is taken off.
pub(super) struct Parser<'p> {
    pub(super) rest: &'p str,
    pub(super) out: String,
    whole: &'p str,
    names: Vec<String>,
    flags: Flags,
    groups: Vec<Group>,
    /// The largest product of nested counted repetitions so far in this group, and that of the last piece.
    product: i64,
    last_product: i64,
    /// Whether there is something that a repetition could repeat.
    has_operand: bool,
    /// Where that ends in `out`: flags may stand behind it, over which a repetition reaches.
    operand_end: usize,
    /// What was left at the last repetition, where that was the piece before.
    last_repeat: Option<&'p str>,
}

pub(super) fn failure<T>(code: &'static str, expression: &str) -> Result<T, Error> {
    Err(Error::new(code, expression))
}

/// What of `whole` is not in `rest`, its end.
pub(super) fn consumed<'p>(whole: &'p str, rest: &str) -> &'p str {
    whole.get(..whole.len() - rest.len()).unwrap_or_default()
}

/// Reads a pattern of Go's.
///
/// # Errors
/// What `regexp.Compile` says of it.
pub fn translate(pattern: &str) -> Result<Translated<'_>, Error> {
    let mut parser = Parser {
        rest: pattern,
        out: String::with_capacity(pattern.len() * 2),
        whole: pattern,
        names: vec![String::new()],
        flags: Flags::default(),
        groups: Vec::new(),
        product: 1,
        last_product: 1,
        has_operand: false,
        operand_end: 0,
        last_repeat: None,
    };
    while let Some(first) = parser.rest.chars().next() {
        let before = parser.rest;
        let is_repeat = parser.piece(first)?;
        parser.last_repeat = is_repeat.then(|| parser.last_repeat.unwrap_or(before));
    }
    if !parser.groups.is_empty() {
        return failure("missing closing )", pattern);
    }
    Ok(Translated {
        whole: pattern,
        pattern: parser.out,
        names: parser.names,
    })
}

impl<'p> Parser<'p> {
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// One piece of the pattern; whether it was a repetition.
    fn piece(&mut self, first: char) -> Result<bool, Error> {
        match first {
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => {
                self.skip(1);
                self.out.push('|');
                self.has_operand = false;
            }
            '^' | '$' | '.' => {
                self.skip(1);
                self.out.push(first);
                self.operand();
            }
            '[' => {
                class::class(self)?;
                self.operand();
            }
            '*' | '+' | '?' => {
                let before = self.rest;
                self.skip(1);
                self.repeat(before, None)?;
                return Ok(true);
            }
            '{' => return self.counted(),
            '\\' => self.escape()?,
            c => {
                self.skip(c.len_utf8());
                self.literal(c as u32);
            }
        }
        Ok(false)
    }

    fn operand(&mut self) {
        self.has_operand = true;
        self.operand_end = self.out.len();
        self.last_product = 1;
    }

    fn literal(&mut self, code: u32) {
        write_code(&mut self.out, code);
        self.operand();
    }

    // ---- repetitions

    fn counted(&mut self) -> Result<bool, Error> {
        let before = self.rest;
        let Some((min, max, after)) = counts(before) else {
            self.skip(1);
            self.literal(u32::from('{'));
            return Ok(false);
        };
        self.rest = after;
        if !(0..=REPEAT_MAX).contains(&min) || max > REPEAT_MAX || max >= 0 && min > max {
            return failure(COUNT, consumed(before, after));
        }
        self.repeat(before, Some((min, max)))?;
        Ok(true)
    }

    /// The operator was taken off; a `?` behind it makes it lazy.
    fn repeat(&mut self, before: &'p str, counts: Option<(i64, i64)>) -> Result<(), Error> {
        let operator = consumed(before, self.rest);
        let is_lazy = self.rest.starts_with('?');
        if is_lazy {
            self.skip(1);
        }
        if let Some(last) = self.last_repeat {
            return failure("invalid nested repetition operator", consumed(last, self.rest));
        }
        if !self.has_operand {
            let expression = consumed(before, self.rest);
            return failure("missing argument to repetition operator", expression);
        }
        if let Some((min, max)) = counts {
            let count = if max < 0 { min } else { max };
            self.last_product = if count == 0 {
                self.last_product
            } else {
                self.last_product * count
            };
            if (min >= 2 || max >= 2) && self.last_product > REPEAT_MAX {
                return failure(COUNT, consumed(before, self.rest));
            }
            self.product = self.product.max(self.last_product);
        }
        let mark = if is_lazy { "?" } else { "" };
        self.out
            .insert_str(self.operand_end, &format!("{operator}{mark}"));
        self.operand_end += operator.len() + mark.len();
        Ok(())
    }

    // ---- groups

    fn open(&mut self) -> Result<(), Error> {
        if self.rest.starts_with("(?") {
            return self.open_perl();
        }
        self.skip(1);
        self.names.push(String::new());
        self.enter("(");
        Ok(())
    }

    fn enter(&mut self, opening: &str) {
        self.out.push_str(opening);
        self.groups.push(Group {
            flags: self.flags,
            product: self.product,
        });
        self.product = 1;
        self.has_operand = false;
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(group) = self.groups.pop() else {
            return failure("unexpected )", self.whole);
        };
        self.skip(1);
        self.out.push(')');
        self.flags = group.flags;
        self.last_product = self.product;
        self.product = self.product.max(group.product);
        self.has_operand = true;
        self.operand_end = self.out.len();
        Ok(())
    }

    fn open_perl(&mut self) -> Result<(), Error> {
        let start = self.rest;
        let name_start = match start.as_bytes() {
            [_, _, b'P', b'<', _, ..] => Some(4),
            [_, _, b'<', _, ..] => Some(3),
            _ => None,
        };
        if let Some(name_start) = name_start {
            let Some(end) = start.find('>') else {
                return failure("invalid named capture", start);
            };
            let name = start.get(name_start..end).unwrap_or_default();
            self.skip(end + 1);
            let is_valid = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
            if name.is_empty() || !name.bytes().all(is_valid) {
                return failure("invalid named capture", consumed(start, self.rest));
            }
            self.names.push(name.to_owned());
            self.enter("(");
            return Ok(());
        }
        self.set_flags(start)
    }

    fn set_flags(&mut self, start: &'p str) -> Result<(), Error> {
        self.skip(2);
        let mut flags = self.flags;
        let (mut to, mut saw_flag) = (true, false);
        while let Some(c) = self.rest.chars().next() {
            self.skip(c.len_utf8());
            let flag = match c {
                'i' => &mut flags.ignore_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.swap_greed,
                '-' if to => {
                    (to, saw_flag) = (false, false);
                    continue;
                }
                ':' | ')' if to || saw_flag => {
                    // the group remembers the flags outside it, its end brings them back
                    if c == ':' {
                        self.enter(&format!("(?{}:", flags.spelled()));
                    } else {
                        write_flags(&mut self.out, flags);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            *flag = to;
            saw_flag = true;
        }
        failure("invalid or unsupported Perl syntax", consumed(start, self.rest))
    }

    // ---- escapes

    fn escape(&mut self) -> Result<(), Error> {
        let anchor = match self.rest.as_bytes().get(1) {
            Some(b'A') => Some(r"\A"),
            Some(b'b') => Some(r"(?-u:\b)"),
            Some(b'B') => Some(r"(?-u:\B)"),
            Some(b'z') => Some(r"\z"),
            Some(b'C') => return failure("invalid escape sequence", r"\C"),
            Some(b'Q') => {
                self.skip(2);
                let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                quoted.chars().for_each(|c| self.literal(c as u32));
                return Ok(());
            }
            _ => None,
        };
        if let Some(anchor) = anchor {
            self.skip(2);
            self.out.push_str(anchor);
        } else if class::unicode_class(self)? || class::perl_class(self) {
        } else {
            let code = self.escaped()?;
            write_code(&mut self.out, code);
        }
        self.operand();
        Ok(())
    }

    /// A backslash and the character it stands for.
    pub(super) fn escaped(&mut self) -> Result<u32, Error> {
        let start = self.rest;
        self.skip(1);
        let Some(c) = self.rest.chars().next() else {
            return failure("trailing backslash at end of expression", "");
        };
        self.skip(c.len_utf8());
        let code = match c {
            '1'..='7' if !self.rest.starts_with(is_octal) => None,
            '0'..='7' => {
                let mut code = c as u32 - u32::from('0');
                for _ in 1..3 {
                    if let Some(digit) = self.rest.chars().next().filter(|c| is_octal(*c)) {
                        code = code * 8 + (digit as u32 - u32::from('0'));
                        self.skip(1);
                    }
                }
                Some(code)
            }
            'x' => self.hexadecimal(),
            'a' => Some(7),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(9),
            'v' => Some(0x0B),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c as u32),
            _ => None,
        };
        match code {
            Some(code) => Ok(code),
            None => failure("invalid escape sequence", consumed(start, self.rest)),
        }
    }

    /// What follows `\x`: two digits, or any number in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let mut next = || {
            let c = self.rest.chars().next()?;
            self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
            Some(c)
        };
        let first = next()?;
        if first != '{' {
            let high = first.to_digit(16);
            let low = next()?.to_digit(16)?;
            return Some(high? * 16 + low);
        }
        let (mut code, mut digits) = (0, 0);
        loop {
            let c = next()?;
            if c == '}' {
                return (digits > 0).then_some(code);
            }
            code = code * 16 + c.to_digit(16)?;
            if code > char::MAX as u32 {
                return None;
            }
            digits += 1;
        }
    }
}

fn is_octal(c: char) -> bool {
    matches!(c, '0'..='7')
}

/// A character that can mean nothing but itself.
pub(super) fn write_code(out: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(c) if c.is_ascii_alphanumeric() || !c.is_ascii() => out.push(c),
        Some(_) => write!(out, r"\x{{{code:X}}}").unwrap_or_default(),
        None => out.push_str(class::NOTHING),
    }
}

impl Flags {
    fn spelled(self) -> String {
        let all = [
            ('i', self.ignore_case),
            ('m', self.multi_line),
            ('s', self.dot_newline),
            ('U', self.swap_greed),
        ];
        let pick = |wanted: bool| {
            all.iter()
                .filter(move |(_, is_set)| *is_set == wanted)
                .map(|(c, _)| *c)
        };
        let mut spelled: String = pick(true).collect();
        if spelled.len() < all.len() {
            spelled.push('-');
            spelled.extend(pick(false));
        }
        spelled
    }
}

fn write_flags(out: &mut String, flags: Flags) {
    write!(out, "(?{})", flags.spelled()).unwrap_or_default();
}

/// `{2}`, `{2,}`, `{2,3}`: minimum, maximum (negative where there is none), and what follows. A negative minimum stands
/// for numbers that are too large.
fn counts(text: &str) -> Option<(i64, i64, &str)> {
    let (min, rest) = count(text.strip_prefix('{')?)?;
    let Some(rest) = rest.strip_prefix(',') else {
        return Some((min, min, rest.strip_prefix('}')?));
    };
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, -1, rest));
    }
    let (max, rest) = count(rest)?;
    let min = if max < 0 { -1 } else { min };
    Some((min, max, rest.strip_prefix('}')?))
}

fn count(text: &str) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((
        digits.parse().ok().filter(|n| *n < 1_000_000_000).unwrap_or(-1),
        rest,
    ))
}
