//! Puts characters in place: columns, indentation, folding. The rules are libyaml's.

use super::analysis::{Analysis, analyze, find_break, is_break, is_printable};
use crate::ScalarStyle;

pub(super) struct Writer<'o> {
    out: &'o mut String,
    /// Characters since the last break.
    pub(super) column: usize,
    /// Whether the last character was blank or an indicator that serves as one.
    pub(super) whitespace: bool,
    /// Whether only indentation stands on this line so far.
    pub(super) indention: bool,
    /// Where lines are folded; `usize::MAX` never.
    width: usize,
    /// v3 writes tabs into block scalars and breaks lines a little differently.
    is_v3: bool,
    /// The width an indentation indicator names.
    best_indent: usize,
}

/// Where a scalar stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) indent: usize,
    pub(super) in_flow: bool,
    pub(super) is_simple_key: bool,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut String, width: usize, best_indent: usize, is_v3: bool) -> Self {
        Self {
            out,
            column: 0,
            whitespace: true,
            indention: true,
            width,
            is_v3,
            best_indent,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        if self.is_v3 {
            self.indention = true;
        }
    }

    /// Text of `chars` characters without breaks.
    fn put_text(&mut self, text: &str, chars: usize) {
        self.out.push_str(text);
        self.column += chars;
    }

    pub(super) fn put_char(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    pub(super) fn write_indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        const SPACES: &str = "                                                                ";
        while self.column < indent {
            let count = (indent - self.column).min(SPACES.len());
            self.put_text(SPACES.get(..count).unwrap_or(" "), count);
        }
        self.whitespace = true;
        self.indention = true;
    }

    pub(super) fn write_indicator(
        &mut self,
        indicator: &str,
        need_space: bool,
        is_space: bool,
        is_indention: bool,
    ) {
        if need_space && !self.whitespace {
            self.put_char(' ');
        }
        self.put_text(indicator, indicator.len());
        self.whitespace = is_space;
        self.indention = self.indention && is_indention;
    }

    /// Text that needs no analysis: numbers, words.
    pub(super) fn write_word(&mut self, text: &str) {
        if !self.whitespace {
            self.put_char(' ');
        }
        self.put_text(text, text.len());
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn analyze(&self, text: &str) -> Analysis {
        analyze(text, self.is_v3)
    }

    /// Writes a scalar in the wanted style, or the next one that can carry it. Where plain text would lose its type
    /// (`plain_keeps_type` is false), it is quoted.
    pub(super) fn write_scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        place: Place,
        analysis: &Analysis,
        plain_keeps_type: bool,
    ) {
        let mut style = style;
        if place.is_simple_key && analysis.multiline {
            style = ScalarStyle::DoubleQuoted;
        }
        if style == ScalarStyle::Plain {
            let fits = if place.in_flow {
                analysis.flow_plain
            } else {
                analysis.block_plain
            };
            let vanishes = text.is_empty() && (place.in_flow || place.is_simple_key);
            if !fits || vanishes || !plain_keeps_type {
                style = ScalarStyle::SingleQuoted;
            }
        }
        if style == ScalarStyle::SingleQuoted && !analysis.single_quoted {
            style = ScalarStyle::DoubleQuoted;
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && (!analysis.block || place.in_flow || place.is_simple_key)
        {
            style = ScalarStyle::DoubleQuoted;
        }
        let folds = !place.is_simple_key;
        match style {
            ScalarStyle::Plain => self.write_plain(text, place.indent, folds),
            ScalarStyle::SingleQuoted => self.write_single_quoted(text, place.indent, folds),
            ScalarStyle::DoubleQuoted => self.write_double_quoted(text, place.indent, folds),
            ScalarStyle::Literal => self.write_literal(text, place.indent, None),
            ScalarStyle::Folded => self.write_folded(text, place.indent, None),
        }
    }

    /// Whether no line can get too long: then there is nothing to fold.
    fn fits_on_line(&self, text: &str) -> bool {
        self.width == usize::MAX || self.column + text.len() <= self.width
    }

    fn write_plain(&mut self, text: &str, indent: usize, folds: bool) {
        let is_invisible = self.is_v3 && text.is_empty();
        if !self.whitespace && !is_invisible {
            self.put_char(' ');
        }
        if !folds || self.fits_on_line(text) {
            self.put_text(text, text.chars().count());
        } else {
            self.write_folding(text, indent, false);
        }
        if !is_invisible {
            self.whitespace = false;
        }
        self.indention = false;
    }

    /// Text without breaks, with a new line in the place of single spaces once a line is too long.
    fn write_folding(&mut self, text: &str, indent: usize, quoted: bool) {
        let mut rest = text;
        let mut after_space = false;
        while let Some(space) = rest.find(' ') {
            let (word, from_space) = rest.split_at_checked(space).unwrap_or((rest, ""));
            if !word.is_empty() {
                self.put_text(word, word.chars().count());
                self.indention = false;
                after_space = false;
            }
            let at_start = rest.len() == text.len() && space == 0;
            rest = from_space.get(1..).unwrap_or_default();
            let inside = !quoted || (!at_start && !rest.is_empty());
            if !after_space && self.column > self.width && inside && !rest.starts_with(' ') {
                self.write_indent(indent);
            } else {
                self.put_char(' ');
            }
            after_space = true;
        }
        if !rest.is_empty() {
            self.put_text(rest, rest.chars().count());
            self.indention = false;
        }
    }

    fn write_single_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        self.write_indicator("'", true, false, false);
        let has_breaks = find_break(text).is_some();
        if !has_breaks && !text.contains('\'') {
            if folds && !self.fits_on_line(text) {
                self.write_folding(text, indent, true)
            } else {
                self.put_text(text, text.chars().count())
            }
        } else {
            self.write_single_quoted_slowly(text, indent, folds);
        }
        self.write_indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_single_quoted_slowly(&mut self, text: &str, indent: usize, folds: bool) {
        let (mut after_space, mut after_break) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == ' ' {
                if folds
                    && !after_space
                    && self.column > self.width
                    && at > 0
                    && next.is_some_and(|next| next != ' ')
                {
                    self.write_indent(indent);
                } else {
                    self.put_char(' ');
                }
                after_space = true;
            } else if is_break(c) {
                if !after_break && c == '\n' {
                    self.put_break();
                }
                self.put_break_char(c);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.write_indent(indent);
                }
                if c == '\'' {
                    self.put_char('\'');
                }
                self.put_char(c);
                self.indention = false;
                (after_space, after_break) = (false, false);
            }
        }
    }

    pub(super) fn put_break_char(&mut self, c: char) {
        if c == '\n' {
            self.put_break();
        } else {
            self.out.push(c);
            self.column = 0;
            if self.is_v3 {
                self.indention = true;
            }
        }
    }

    fn write_double_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        self.write_indicator("\"", true, false, false);
        // Go looks for the byte order mark at the start of the text, whichever character it is at.
        let escape_all = text.starts_with('\u{FEFF}');
        let mut after_space = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if escape_all || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.put_escape(c);
                after_space = false;
            } else if c == ' ' {
                let next = chars.peek().map(|(_, next)| *next);
                if folds && !after_space && self.column > self.width && at > 0 && next.is_some() {
                    self.write_indent(indent);
                    if next == Some(' ') {
                        self.put_char('\\');
                    }
                } else {
                    self.put_char(' ');
                }
                after_space = true;
            } else {
                self.put_char(c);
                after_space = false;
            }
        }
        self.write_indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn put_escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0B' => 'v',
            '\x0C' => 'f',
            '\r' => 'r',
            '\x1B' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{A0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c => {
                let text = match c as u32 {
                    code @ 0..=0xFF => format!("\\x{code:02X}"),
                    code @ 0x100..=0xFFFF => format!("\\u{code:04X}"),
                    code => format!("\\U{code:08X}"),
                };
                self.put_text(&text, text.len());
                return;
            }
        };
        self.put_char('\\');
        self.put_char(short);
    }

    /// `|`, or `>`: the indentation where the text does not show it, then how it ends. Says whether the end is open.
    fn write_block_header(&mut self, indicator: &str, text: &str, comment: Option<&str>) {
        self.write_indicator(indicator, true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.write_indicator(&self.best_indent.to_string(), false, false, false);
        }
        let mut ends = text.chars().rev();
        match (ends.next().is_some_and(is_break), ends.next()) {
            (false, _) => self.write_indicator("-", false, false, false),
            (true, None) => self.write_indicator("+", false, false, false),
            (true, Some(c)) if is_break(c) => self.write_indicator("+", false, false, false),
            (true, Some(_)) => {}
        }
        match comment {
            Some(comment) => self.write_comment(comment, 0),
            None => self.put_break(),
        }
        self.indention = true;
        self.whitespace = true;
    }

    pub(super) fn write_literal(&mut self, text: &str, indent: usize, comment: Option<&str>) {
        self.write_block_header("|", text, comment);
        let mut after_break = true;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if is_break(c) {
                self.put_break_char(c);
                self.indention = true;
                after_break = true;
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            if after_break {
                self.write_indent(indent);
            }
            let line = find_break(rest).and_then(|end| rest.get(..end)).unwrap_or(rest);
            self.put_text(line, line.chars().count());
            self.indention = false;
            after_break = false;
            rest = rest.get(line.len()..).unwrap_or_default();
        }
    }

    pub(super) fn write_folded(&mut self, text: &str, indent: usize, comment: Option<&str>) {
        self.write_block_header(">", text, comment);
        let (mut after_break, mut leading_spaces) = (true, true);
        // Go's emitter counts the breaks at the start of the whole text here, not at the place it is at.
        let start_is_space = text
            .trim_start_matches(is_break)
            .chars()
            .next()
            .is_none_or(|c| matches!(c, ' ' | '\t'));
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if is_break(c) {
                if !after_break && !leading_spaces && c == '\n' && !start_is_space {
                    self.put_break();
                }
                self.put_break_char(c);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.write_indent(indent);
                    leading_spaces = matches!(c, ' ' | '\t');
                }
                if !after_break && c == ' ' && chars.peek() != Some(&' ') && self.column > self.width {
                    self.write_indent(indent);
                } else {
                    self.put_char(c);
                }
                self.indention = false;
                after_break = false;
            }
        }
    }

    /// Comment lines, each with its `#`, and a break.
    pub(super) fn write_comment(&mut self, comment: &str, indent: usize) {
        for (index, line) in comment.lines().enumerate() {
            if index > 0 && !line.is_empty() {
                self.write_indent(indent);
            } else if !self.whitespace {
                self.put_char(' ');
            }
            if !line.is_empty() && !line.starts_with('#') {
                self.put_text("# ", 2);
            }
            self.put_text(line, line.chars().count());
            self.indention = false;
            self.put_break();
        }
        self.whitespace = true;
    }

    /// Ends the document: its last line has a break.
    pub(super) fn finish(&mut self) {
        self.write_indent(0);
    }
}
