//! Scalars: the plain, the quoted and the block kind.

use super::cursor::Mark;
use super::scanner::Scanner;
use super::token::Kind;
use crate::text::run_of;
use crate::{Error, ScalarStyle, Text};

/// Line breaks between two pieces of text: one is folded to a space, of more the first is dropped.
#[derive(Default)]
struct Fold {
    first: Option<&'static str>,
    others: String,
}

impl Fold {
    fn add(&mut self, line_break: &'static str) {
        match self.first {
            None => self.first = Some(line_break),
            Some(_) => self.others.push_str(line_break),
        }
    }

    fn flush(&mut self, text: &mut String) {
        match self.first.take() {
            Some("\n") if self.others.is_empty() => text.push(' '),
            Some("\n") | None => {}
            Some(separator) => text.push_str(separator),
        }
        text.push_str(&self.others);
        self.others.clear();
    }
}

impl Scanner<'_> {
    pub(super) fn scan_plain_scalar(&mut self) -> Result<Kind, Error> {
        let start = self.cursor.mark();
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut piece: Option<(usize, usize)> = None; // the part of this line so far
        let mut fold = Fold::default();
        let mut on_new_line = false;
        loop {
            if self.cursor.is_document_marker() || self.cursor.peek(0) == b'#' {
                break;
            }
            let from = self.cursor.pos();
            self.skip_plain_run();
            let to = self.cursor.pos();
            if to > from {
                if on_new_line {
                    fold.flush(&mut text);
                    on_new_line = false;
                }
                piece = Some((piece.map_or(from, |(from, _)| from), to));
            }
            if !self.cursor.is_blank(0) && !self.cursor.is_break(0) {
                break;
            }
            loop {
                if self.cursor.is_blank(0) {
                    if on_new_line && i64::from(self.cursor.column()) < indent && self.cursor.peek(0) == b'\t'
                    {
                        return Err(
                            self.error(Some(start), "found a tab character that violates indentation")
                        );
                    }
                    self.cursor.skip_ascii(1);
                } else if self.cursor.is_break(0) {
                    if let Some((from, to)) = piece.take()
                        && !on_new_line
                    {
                        // A scalar that ends here needs no copy: look whether anything follows.
                        if text.is_empty() && self.plain_ends_here(indent) {
                            self.cursor.skip_break();
                            self.simple_key_allowed = true;
                            return Ok(Kind::Scalar(
                                Text::new(self.cursor.slice(from, to)),
                                ScalarStyle::Plain,
                            ));
                        }
                        text.push_str(self.cursor.slice(from, to));
                    }
                    fold.add(self.cursor.skip_break());
                    on_new_line = true;
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && i64::from(self.cursor.column()) < indent {
                break;
            }
        }
        if on_new_line {
            self.simple_key_allowed = true;
        }
        let text = match piece {
            Some((from, to)) if text.is_empty() => Text::new(self.cursor.slice(from, to)),
            Some((from, to)) => {
                text.push_str(self.cursor.slice(from, to));
                Text::from(text)
            }
            None => Text::from(text),
        };
        Ok(Kind::Scalar(text, ScalarStyle::Plain))
    }

    /// Whether the next line, after a simple line feed, is indented too little to go on.
    /// A cheap test for the common case: the answer "no" only means that the long way is taken.
    fn plain_ends_here(&self, indent: i64) -> bool {
        if self.flow_level > 0 || self.cursor.peek(0) != b'\n' {
            return false;
        }
        let spaces = self
            .cursor
            .rest()
            .iter()
            .skip(1)
            .take_while(|b| **b == b' ')
            .count();
        let next = self.cursor.peek(1 + spaces);
        (spaces as i64) < indent && next.is_ascii_graphic()
    }

    /// Characters up to a blank, a break or an indicator that ends plain text.
    fn skip_plain_run(&mut self) {
        let in_flow = self.flow_level > 0;
        let is_sure = |byte: &u8| {
            (b'!'..=b'~').contains(byte)
                && *byte != b':'
                && !(in_flow && matches!(*byte, b',' | b'?' | b'[' | b']' | b'{' | b'}'))
        };
        loop {
            // words are short: to look at whole blocks does not pay
            let run = self.cursor.rest().iter().take_while(|byte| is_sure(byte)).count();
            self.cursor.skip_ascii(run);
            match self.cursor.peek(0) {
                b' ' | b'\t' | b'\n' | b'\r' | 0 => return,
                b':' if self.cursor.is_space(1) => return,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if in_flow => return,
                0xC2 | 0xE2 if self.cursor.is_break(0) => return,
                0..=0x7F => self.cursor.skip_ascii(1),
                _ => self.cursor.skip(),
            }
        }
    }

    pub(super) fn scan_quoted_scalar(&mut self, quote: u8) -> Result<Kind, Error> {
        let style = if quote == b'"' {
            ScalarStyle::DoubleQuoted
        } else {
            ScalarStyle::SingleQuoted
        };
        let start = self.cursor.mark();
        self.cursor.skip_ascii(1);
        let mut text = String::new();
        let mut fold = Fold::default();
        loop {
            if self.cursor.is_document_marker() {
                return Err(self.error(Some(start), "found unexpected document indicator"));
            }
            if self.cursor.is_end() {
                return Err(self.error(Some(start), "found unexpected end of stream"));
            }
            let from = self.cursor.pos();
            self.skip_quoted_run(quote);
            let piece = self.cursor.slice(from, self.cursor.pos());
            if self.cursor.peek(0) == quote && !(quote == b'\'' && self.cursor.peek(1) == b'\'') {
                self.cursor.skip_ascii(1);
                let text = if text.is_empty() {
                    Text::new(piece)
                } else {
                    Text::from(text + piece)
                };
                return Ok(Kind::Scalar(text, style));
            }
            text.push_str(piece);
            if quote == b'\'' && self.cursor.peek(0) == quote {
                self.cursor.skip_ascii(2);
                text.push('\'');
            } else if quote == b'"' && self.cursor.peek(0) == b'\\' {
                if self.cursor.is_break(1) {
                    self.cursor.skip_ascii(1);
                    self.cursor.skip_break();
                    self.skip_quoted_breaks(&mut fold);
                    fold.flush_after_escape(&mut text);
                } else {
                    self.scan_escape(start, &mut text)?;
                }
            } else if !self.cursor.is_end() {
                // blanks: kept inside a line, dropped around breaks
                let from = self.cursor.pos();
                self.cursor.skip_blanks();
                if self.cursor.is_break(0) {
                    self.skip_quoted_breaks(&mut fold);
                    fold.flush(&mut text);
                } else {
                    text.push_str(self.cursor.slice(from, self.cursor.pos()));
                }
            }
        }
    }

    /// Breaks and the blanks around them.
    fn skip_quoted_breaks(&mut self, fold: &mut Fold) {
        loop {
            if self.cursor.is_break(0) {
                fold.add(self.cursor.skip_break());
            } else if self.cursor.is_blank(0) {
                self.cursor.skip_ascii(1);
            } else {
                return;
            }
        }
    }

    /// Characters of a quoted scalar that stand for themselves. Blanks between them are included, before a break they are not.
    fn skip_quoted_run(&mut self, quote: u8) {
        // in single quotes a backslash is nothing special
        let escape = if quote == b'"' { b'\\' } else { quote };
        let is_sure = |byte: u8| {
            byte.is_ascii() & (byte != quote) & (byte != escape) & (byte != b'\n') & (byte != b'\r')
        };
        loop {
            let run = run_of(self.cursor.rest(), is_sure);
            if self.cursor.is_break_or_end(run) {
                let read = self.cursor.rest().get(..run).unwrap_or_default();
                let blanks = read
                    .iter()
                    .rev()
                    .take_while(|byte| matches!(**byte, b' ' | b'\t'));
                self.cursor.skip_ascii(run - blanks.count());
                return;
            }
            self.cursor.skip_ascii(run);
            if self.cursor.peek(0).is_ascii() {
                return;
            }
            // a wide character seldom comes alone
            while !self.cursor.peek(0).is_ascii() && !self.cursor.is_break(0) {
                self.cursor.skip();
            }
        }
    }

    fn scan_escape(&mut self, start: Mark, text: &mut String) -> Result<(), Error> {
        let digits = match self.cursor.peek(1) {
            b'0' => return self.escaped(text, '\0'),
            b'a' => return self.escaped(text, '\x07'),
            b'b' => return self.escaped(text, '\x08'),
            b't' | b'\t' => return self.escaped(text, '\t'),
            b'n' => return self.escaped(text, '\n'),
            b'v' => return self.escaped(text, '\x0B'),
            b'f' => return self.escaped(text, '\x0C'),
            b'r' => return self.escaped(text, '\r'),
            b'e' => return self.escaped(text, '\x1B'),
            b' ' => return self.escaped(text, ' '),
            b'"' => return self.escaped(text, '"'),
            b'\'' => return self.escaped(text, '\''),
            b'\\' => return self.escaped(text, '\\'),
            b'N' => return self.escaped(text, '\u{85}'),
            b'_' => return self.escaped(text, '\u{A0}'),
            b'L' => return self.escaped(text, '\u{2028}'),
            b'P' => return self.escaped(text, '\u{2029}'),
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => return Err(self.error(Some(start), "found unknown escape character")),
        };
        self.cursor.skip_ascii(2);
        let hex = self
            .cursor
            .rest()
            .get(..digits)
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let Some(hex) = hex.and_then(|hex| str::from_utf8(hex).ok()) else {
            return Err(self.error(Some(start), "did not find expected hexdecimal number"));
        };
        let Some(character) = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) else {
            return Err(self.error(Some(start), "found invalid Unicode character escape code"));
        };
        text.push(character);
        self.cursor.skip_ascii(digits);
        Ok(())
    }

    fn escaped(&mut self, text: &mut String, character: char) -> Result<(), Error> {
        self.cursor.skip_ascii(2);
        text.push(character);
        Ok(())
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Kind, Error> {
        let start = self.cursor.mark();
        self.cursor.skip_ascii(1);
        let (chomp, increment) = self.scan_block_header(start)?;
        let mut indent = match increment {
            0 => 0,
            increment if self.indent >= 0 => self.indent + increment,
            increment => increment,
        };
        let (mut text, mut breaks) = (String::new(), String::new());
        let mut line_break = "";
        let mut after_blank = false;
        self.skip_block_breaks(start, &mut indent, &mut breaks)?;
        while i64::from(self.cursor.column()) == indent && !self.cursor.is_end() {
            let blank = self.cursor.is_blank(0);
            if !literal && !after_blank && !blank && line_break == "\n" {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(line_break);
            }
            text.push_str(&breaks);
            breaks.clear();
            after_blank = blank;
            let from = self.cursor.pos();
            self.cursor.skip_to_break();
            text.push_str(self.cursor.slice(from, self.cursor.pos()));
            // At the end of the text there is no break: Go loses the final newline there, and so do we.
            line_break = if self.cursor.is_end() {
                ""
            } else {
                self.cursor.skip_break()
            };
            self.skip_block_breaks(start, &mut indent, &mut breaks)?;
        }
        if chomp != Chomp::Strip {
            text.push_str(line_break);
        }
        if chomp == Chomp::Keep {
            text.push_str(&breaks);
        }
        Ok(Kind::Scalar(
            Text::from(text),
            if literal {
                ScalarStyle::Literal
            } else {
                ScalarStyle::Folded
            },
        ))
    }

    /// `|`, then `+` or `-` and a digit in either order, then nothing but a comment.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomp, i64), Error> {
        let mut chomp = self.scan_chomp();
        let mut increment = 0;
        let digit = self.cursor.peek(0);
        if digit.is_ascii_digit() {
            if digit == b'0' {
                return Err(self.error(Some(start), "found an indentation indicator equal to 0"));
            }
            increment = i64::from(digit - b'0');
            self.cursor.skip_ascii(1);
            if chomp.is_none() {
                chomp = self.scan_chomp();
            }
        }
        self.cursor.skip_blanks();
        if self.cursor.peek(0) == b'#' {
            self.skip_comment();
        }
        if !self.cursor.is_break_or_end(0) {
            return Err(self.error(Some(start), "did not find expected comment or line break"));
        }
        if self.cursor.is_break(0) {
            self.cursor.skip_break();
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment))
    }

    fn scan_chomp(&mut self) -> Option<Chomp> {
        let chomp = match self.cursor.peek(0) {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return None,
        };
        self.cursor.skip_ascii(1);
        Some(chomp)
    }

    /// Empty lines and indentation; finds the indentation out where it is not given (zero).
    fn skip_block_breaks(&mut self, start: Mark, indent: &mut i64, breaks: &mut String) -> Result<(), Error> {
        let mut widest = 0;
        loop {
            while (*indent == 0 || i64::from(self.cursor.column()) < *indent) && self.cursor.peek(0) == b' ' {
                self.cursor.skip_ascii(1);
            }
            let column = i64::from(self.cursor.column());
            widest = widest.max(column);
            if (*indent == 0 || column < *indent) && self.cursor.peek(0) == b'\t' {
                return Err(self.error(
                    Some(start),
                    "found a tab character where an indentation space is expected",
                ));
            }
            if !self.cursor.is_break(0) {
                break;
            }
            breaks.push_str(self.cursor.skip_break());
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}

impl Fold {
    /// After an escaped break the first real break is kept whole, not folded.
    fn flush_after_escape(&mut self, text: &mut String) {
        if let Some(first) = self.first.take() {
            text.push_str(first);
        }
        text.push_str(&self.others);
        self.others.clear();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

#[cfg(test)]
mod tests {
    use crate::{Node, ParseOptions, parse_document};

    fn read(text: &str) -> String {
        let document = parse_document(text, &ParseOptions::default()).unwrap();
        let root = document.map(|document| document.root);
        root.as_ref().and_then(Node::text).unwrap().to_owned()
    }

    #[test]
    fn runs_end_where_they_end() {
        let both = [
            ("", ""),
            ("  b", "  b"),
            ("b  ", "b  "),
            (" \t\n  b", " b"),
            ("\n\n b", "\nb"),
            ("b\u{85}b", "b b"),
            ("é \n b", "é b"),
            ("é€\u{10000} b", "é€\u{10000} b"),
            ("\u{A0}\u{202A}b", "\u{A0}\u{202A}b"),
            ("# b: [?,]", "# b: [?,]"),
        ];
        let double = [("'\\t b", "'\t b"), (" \\\n b", " b"), ("\\\"b", "\"b")];
        let single = [("\\t \"b", "\\t \"b"), ("''b", "'b"), (" '' \nb", " ' b")];
        for before in [0, 1, 13, 14, 15, 16, 17, 31, 33] {
            let before = "a".repeat(before);
            for (quote, own) in [('"', double), ('\'', single)] {
                for (written, meant) in both.into_iter().chain(own) {
                    let text = format!("{quote}{before}{written}{quote}");
                    assert_eq!(read(&text), format!("{before}{meant}"), "{text:?}");
                }
            }
            for (written, meant) in [
                ("b:c#d", "b:c#d"),
                ("b é  c  # d", "b é  c"),
                ("b\n c", "b c"),
                ("b,[?", "b,[?"),
            ] {
                assert_eq!(read(&format!("{before}{written}")), format!("{before}{meant}"));
            }
        }
    }
}
