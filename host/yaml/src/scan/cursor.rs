//! A place in the text: moves by characters and lines, knows where it is.

use crate::Position;
use crate::text::run_of;

/// A place as Go counts it: from zero, the index in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) index: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Mark {
    pub(crate) fn position(self) -> Position {
        Position {
            line: self.line + 1,
            column: self.column + 1,
        }
    }
}

/// The text and the place in it. Columns are characters: `wide` counts the bytes that are none.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    line: u32,
    line_start: usize,
    line_wide: usize,
    wide: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            line: 0,
            line_start: 0,
            line_wide: 0,
            wide: 0,
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            index: self.index(),
            line: self.line,
            column: self.column(),
        }
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    #[allow(clippy::cast_possible_truncation)] // input is bounded far below 4 GiB
    pub(crate) fn index(&self) -> u32 {
        (self.pos - self.wide) as u32
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn column(&self) -> u32 {
        (self.pos - self.line_start - self.line_wide) as u32
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Whether only blanks stand on this line before here.
    pub(crate) fn is_line_blank(&self) -> bool {
        self.slice(self.line_start, self.pos)
            .bytes()
            .all(|b| matches!(b, b' ' | b'\t'))
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    /// The byte `ahead` of here; zero behind the end (zero bytes are refused beforehand).
    #[inline]
    pub(crate) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    pub(crate) fn is_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    pub(crate) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), b' ' | b'\t')
    }

    /// CR, LF, NEL, LS, PS: YAML 1.1 breaks lines at all of them.
    #[inline]
    pub(crate) fn is_break(&self, ahead: usize) -> bool {
        match self.peek(ahead) {
            b'\n' | b'\r' => true,
            0xC2 => self.peek(ahead + 1) == 0x85,
            0xE2 => self.peek(ahead + 1) == 0x80 && matches!(self.peek(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    /// A break or the end.
    pub(crate) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.peek(ahead) == 0 || self.is_break(ahead)
    }

    /// Blank, break or the end.
    #[inline]
    pub(crate) fn is_space(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), b' ' | b'\t' | 0) || self.is_break(ahead)
    }

    /// Letter, digit, `_` or `-`: what Go's library calls alphabetical.
    pub(crate) fn is_word(&self) -> bool {
        let byte = self.peek(0);
        byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
    }

    /// `---` or `...` at the start of a line.
    pub(crate) fn is_document_marker(&self) -> bool {
        self.column() == 0
            && matches!(self.rest(), [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
            && self.is_space(3)
    }

    /// Moves over `count` ASCII characters.
    #[inline]
    pub(crate) fn skip_ascii(&mut self, count: usize) {
        self.pos += count;
    }

    /// Moves over one character that is no break.
    #[inline]
    pub(crate) fn skip(&mut self) {
        let width = match self.peek(0) {
            0..=0x7F => 1,
            0x80..=0xDF => 2,
            0xE0..=0xEF => 3,
            _ => 4,
        };
        self.pos = (self.pos + width).min(self.bytes.len());
        self.wide += width - 1;
        self.line_wide += width - 1;
    }

    /// Moves over blanks.
    pub(crate) fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.pos += 1;
        }
    }

    /// Moves to the end of the line.
    pub(crate) fn skip_to_break(&mut self) {
        // nearly all there is
        let is_plain = |byte: u8| byte.is_ascii() & (byte != b'\n') & (byte != b'\r');
        loop {
            self.pos += run_of(self.rest(), is_plain);
            if self.is_break_or_end(0) {
                return;
            }
            self.skip();
        }
    }

    /// Moves over a break and returns it as it counts: LS and PS stay, all others are LF.
    pub(crate) fn skip_break(&mut self) -> &'static str {
        let (width, chars, read) = match (self.peek(0), self.peek(1)) {
            (b'\r', b'\n') => (2, 2, "\n"),
            (b'\r' | b'\n', _) => (1, 1, "\n"),
            (0xC2, _) => (2, 1, "\n"),
            _ => (
                3,
                1,
                if self.peek(2) == 0xA8 {
                    "\u{2028}"
                } else {
                    "\u{2029}"
                },
            ),
        };
        self.pos = (self.pos + width).min(self.bytes.len());
        self.wide += width - chars;
        self.line += 1;
        self.line_start = self.pos;
        self.line_wide = 0;
        read
    }

    /// Counts the end of the text as the end of a line.
    pub(crate) fn end_line(&mut self) {
        if self.column() != 0 {
            self.line += 1;
            self.line_start = self.pos;
            self.line_wide = 0;
        }
    }
}
