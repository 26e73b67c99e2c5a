//! Source to tokens.

use std::{fmt, sync::LazyLock};

use memchr::memmem;

use crate::go::{
    quote::{self, decode_rune},
    unicode::{is_digit, is_letter},
};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text of the token is what is wrong.
    Error,
    Bool,
    /// Any other printable ASCII character.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    Keyword(Keyword),
}

/// The words (and the dot) that are no identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

fn keyword(word: &[u8]) -> Option<Keyword> {
    Some(match word {
        b"block" => Keyword::Block,
        b"break" => Keyword::Break,
        b"continue" => Keyword::Continue,
        b"define" => Keyword::Define,
        b"else" => Keyword::Else,
        b"end" => Keyword::End,
        b"if" => Keyword::If,
        b"range" => Keyword::Range,
        b"nil" => Keyword::Nil,
        b"template" => Keyword::Template,
        b"with" => Keyword::With,
        _ => return None,
    })
}

/// A token: what, where, and its text. Of a mistake [`Lexer::message`] tells more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub kind: Kind,
    /// Where it starts, in bytes.
    pub position: usize,
    /// The line it starts on, from 1.
    pub line: usize,
    pub source: &'s [u8],
}

impl Token<'_> {
    /// Before anything was read.
    pub(super) fn none() -> Self {
        Self {
            kind: Kind::Error,
            position: 0,
            line: 0,
            source: b"",
        }
    }
}

/// As messages show it.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.source, self.kind) {
            (_, Kind::Eof) => f.write_str("EOF"),
            (text, Kind::Keyword(_)) => write!(f, "<{}>", String::from_utf8_lossy(text)),
            (text, _) if text.len() > 10 => {
                write!(f, "{}...", quote::quote(quote::first_runes(text, 10)))
            }
            (text, _) => f.write_str(&quote::quote(text)),
        }
    }
}

/// Reads tokens one by one, as the parser asks for them.
pub(super) struct Lexer<'s> {
    source: &'s [u8],
    position: usize,
    start: usize,
    line: usize,
    start_line: usize,
    parentheses: usize,
    inside_action: bool,
    message: String,
}

/// What actions begin with. A chart has ten thousand of them, and to prepare the search takes longer than most searches.
static OPENING: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("{{"));

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s [u8]) -> Self {
        Self {
            source,
            position: 0,
            start: 0,
            line: 1,
            start_line: 1,
            parentheses: 0,
            inside_action: false,
            message: String::new(),
        }
    }

    /// What is wrong, once a token is [`Kind::Error`].
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The next token. After an error and at the end it is [`Kind::Eof`] for ever.
    // within those who ask for it again it would make each time slow
    #[inline(never)]
    pub(super) fn next_token(&mut self) -> Token<'s> {
        if self.inside_action {
            return self.inside_action();
        }
        loop {
            if let Some(token) = self.text() {
                return token;
            }
        }
    }

    fn rest(&self) -> &'s [u8] {
        self.source.get(self.position..).unwrap_or_default()
    }

    /// The character at the current place and its length; none at the end.
    #[inline]
    fn peek(&self) -> Option<(char, usize)> {
        decode_rune(self.rest())
    }

    fn next(&mut self) -> Option<char> {
        let (character, size) = self.peek()?;
        self.position += size;
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    fn next_is(&self, prefix: &[u8]) -> bool {
        self.rest().starts_with(prefix)
    }

    fn token(&mut self, kind: Kind) -> Token<'s> {
        let token = Token {
            kind,
            position: self.start,
            line: self.start_line,
            source: self.source.get(self.start..self.position).unwrap_or_default(),
        };
        self.start = self.position;
        self.start_line = self.line;
        token
    }

    /// Takes `bytes` more without looking at them, counting lines.
    fn skip(&mut self, bytes: usize) {
        let skipped = self.rest().get(..bytes).unwrap_or_default();
        self.line += count_lines(skipped);
        self.position += bytes;
    }

    /// Leaves out what was taken since the last token.
    fn ignore(&mut self) {
        self.start = self.position;
        self.start_line = self.line;
    }

    fn fail(&mut self, message: String) -> Token<'s> {
        let token = Token {
            kind: Kind::Error,
            position: self.start,
            line: self.start_line,
            source: b"",
        };
        self.message = message;
        self.source = b"";
        self.position = 0;
        self.start = 0;
        token
    }

    /// Text up to the next action; none where a comment or a trimmed nothing came first.
    fn text(&mut self) -> Option<Token<'s>> {
        let Some(length) = OPENING.find(self.rest()) else {
            let length = self.rest().len();
            self.skip(length);
            let kind = if self.position > self.start {
                Kind::Text
            } else {
                Kind::Eof
            };
            return Some(self.token(kind));
        };
        if length > 0 {
            let text = self.rest().get(..length).unwrap_or_default();
            let is_trimmed = has_left_trim_marker(self.rest().get(length + 2..).unwrap_or_default());
            let kept = if is_trimmed { trim_end(text).len() } else { length };
            self.skip(kept);
            let token = self.token(Kind::Text);
            self.skip(length - kept);
            self.ignore();
            if kept > 0 {
                return Some(token);
            }
        }
        self.left_delimiter()
    }

    fn left_delimiter(&mut self) -> Option<Token<'s>> {
        let after = self.rest().get(2..).unwrap_or_default();
        let marker = if has_left_trim_marker(after) { 2 } else { 0 };
        if after.get(marker..).unwrap_or_default().starts_with(b"/*") {
            self.skip(2 + marker);
            self.ignore();
            return self.comment();
        }
        self.position += 2;
        let token = self.token(Kind::LeftDelimiter);
        self.inside_action = true;
        self.skip(marker);
        self.ignore();
        self.parentheses = 0;
        Some(token)
    }

    /// A comment leaves no token behind, unless it is broken.
    fn comment(&mut self) -> Option<Token<'s>> {
        let Some(length) = memmem::find(self.rest().get(2..).unwrap_or_default(), b"*/") else {
            return Some(self.fail("unclosed comment".to_owned()));
        };
        // Go counts the lines only after it has seen the delimiter; a message names the line where the comment starts
        let after = self.rest().get(length + 4..).unwrap_or_default();
        let Some(trims) = right_delimiter(after) else {
            return Some(self.fail("comment ends before closing delimiter".to_owned()));
        };
        self.skip(length + 4 + if trims { 4 } else { 2 });
        if trims {
            self.trim_after();
        }
        self.ignore();
        None
    }

    fn trim_after(&mut self) {
        let length = self.rest().len() - trim_start(self.rest()).len();
        self.skip(length);
    }

    fn right_delimiter(&mut self) -> Token<'s> {
        let trims = right_delimiter(self.rest()) == Some(true);
        if trims {
            self.skip(2);
            self.ignore();
        }
        self.position += 2;
        let token = self.token(Kind::RightDelimiter);
        if trims {
            self.trim_after();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn inside_action(&mut self) -> Token<'s> {
        if right_delimiter(self.rest()).is_some() {
            if self.parentheses == 0 {
                return self.right_delimiter();
            }
            return self.fail("unclosed left paren".to_owned());
        }
        if self.rest().first().is_some_and(is_space_byte) {
            return self.space();
        }
        let before = self.position;
        let Some(character) = self.next() else {
            return self.fail("unclosed action".to_owned());
        };
        match character {
            '=' => self.token(Kind::Assign),
            ':' if self.next() == Some('=') => self.token(Kind::Declare),
            ':' => self.fail("expected :=".to_owned()),
            '|' => self.token(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_string(),
            '$' => self.field_or_variable(Kind::Variable, Kind::Variable),
            '.' if self.rest().first().is_some_and(|next| !next.is_ascii_digit()) => {
                self.field_or_variable(Kind::Field, Kind::Keyword(Keyword::Dot))
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.position = before;
                self.number()
            }
            _ if is_alphanumeric(character) => self.identifier(),
            '(' => {
                self.parentheses += 1;
                self.token(Kind::LeftParenthesis)
            }
            ')' if self.parentheses == 0 => self.fail("unexpected right paren".to_owned()),
            ')' => {
                self.parentheses -= 1;
                self.token(Kind::RightParenthesis)
            }
            ' '..='~' => self.token(Kind::Char),
            _ => self.fail(format!(
                "unrecognized character in action: {}",
                quote::unicode(character)
            )),
        }
    }

    /// A run of spaces. The last one may belong to a trimming delimiter.
    fn space(&mut self) -> Token<'s> {
        let mut count = self.rest().iter().take_while(|byte| is_space_byte(byte)).count();
        let last = self.rest().get(count.saturating_sub(1)..).unwrap_or_default();
        if right_delimiter(last) == Some(true) {
            count -= 1;
            if count == 0 {
                return self.right_delimiter();
            }
        }
        let spaces = self.rest().get(..count).unwrap_or_default();
        self.line += spaces.iter().filter(|byte| **byte == b'\n').count();
        self.position += count;
        self.token(Kind::Space)
    }

    fn skip_alphanumeric(&mut self) {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        loop {
            self.position += self.rest().iter().take_while(|byte| is_plain(byte)).count();
            // only what is not ASCII has to be taken apart into characters
            match self.rest().first() {
                Some(byte) if !byte.is_ascii() => {}
                _ => return,
            }
            match self.peek() {
                Some((character, size)) if is_alphanumeric(character) => self.position += size,
                _ => return,
            }
        }
    }

    /// Whether here is something that may follow a name.
    fn is_at_terminator(&self) -> bool {
        match self.rest() {
            [] | [b'.' | b',' | b'|' | b':' | b')' | b'(', ..] | [b'}', b'}', ..] => true,
            [byte, ..] => is_space_byte(byte),
        }
    }

    fn bad_character(&mut self) -> Token<'s> {
        let character = self.peek().map_or('\u{FFFD}', |(character, _)| character);
        self.fail(format!("bad character {}", quote::unicode(character)))
    }

    fn identifier(&mut self) -> Token<'s> {
        self.skip_alphanumeric();
        if !self.is_at_terminator() {
            return self.bad_character();
        }
        let word = self.source.get(self.start..self.position).unwrap_or_default();
        let kind = match word {
            b"true" | b"false" => Kind::Bool,
            _ => keyword(word).map_or(Kind::Identifier, Kind::Keyword),
        };
        self.token(kind)
    }

    /// `.name` or `$name`; alone, `.` and `$` are tokens of their own.
    fn field_or_variable(&mut self, named: Kind, alone: Kind) -> Token<'s> {
        if self.is_at_terminator() {
            return self.token(alone);
        }
        self.skip_alphanumeric();
        if !self.is_at_terminator() {
            return self.bad_character();
        }
        self.token(named)
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Token<'s> {
        loop {
            // none of these counts a line or ends the text
            let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'"' | b'\'');
            self.position += self.rest().iter().take_while(|byte| is_plain(byte)).count();
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return self.fail(unterminated.to_owned());
                    }
                }
                None | Some('\n') => return self.fail(unterminated.to_owned()),
                Some(character) if character == quote => return self.token(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> Token<'s> {
        match memchr::memchr(b'`', self.rest()) {
            Some(length) => {
                self.skip(length + 1);
                self.token(Kind::RawString)
            }
            None => self.fail("unterminated raw quoted string".to_owned()),
        }
    }

    /// A number, roughly: what is wrong with it the parser finds.
    fn number(&mut self) -> Token<'s> {
        let mut is_good = self.scan_number();
        let mut kind = Kind::Number;
        if is_good && (self.next_is(b"+") || self.next_is(b"-")) {
            is_good = self.scan_number() && self.source.get(self.position - 1) == Some(&b'i');
            kind = Kind::Complex;
        }
        if !is_good {
            let text = self.source.get(self.start..self.position).unwrap_or_default();
            return self.fail(format!("bad number syntax: {}", quote::quote(text)));
        }
        self.token(kind)
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let is_valid = self.rest().first().is_some_and(|byte| valid.contains(byte));
        if is_valid {
            self.position += 1;
        }
        is_valid
    }

    fn accept_run(&mut self, valid: &[u8]) {
        while self.accept(valid) {}
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        let mut exponent: &[u8] = b"eE";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                (digits, exponent) = (b"0123456789abcdefABCDEF_", b"pP");
            } else if self.accept(b"oO") {
                (digits, exponent) = (b"01234567_", b"");
            } else if self.accept(b"bB") {
                (digits, exponent) = (b"01_", b"");
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if self.accept(exponent) {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        if self
            .peek()
            .is_some_and(|(character, _)| is_alphanumeric(character))
        {
            self.next();
            return false;
        }
        true
    }
}

/// Whether a right delimiter is at the start, and whether it trims what follows.
fn right_delimiter(text: &[u8]) -> Option<bool> {
    match text {
        [b' ' | b'\t' | b'\r' | b'\n', b'-', b'}', b'}', ..] => Some(true),
        [b'}', b'}', ..] => Some(false),
        _ => None,
    }
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}

fn is_space_byte(byte: &u8) -> bool {
    is_space(char::from(*byte))
}

fn trim_end(text: &[u8]) -> &[u8] {
    let length = text
        .iter()
        .rposition(|byte| !is_space_byte(byte))
        .map_or(0, |last| last + 1);
    text.get(..length).unwrap_or_default()
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !is_space_byte(byte))
        .unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

fn count_lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}
