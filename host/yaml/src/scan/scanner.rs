//! From text to tokens: indentation becomes block starts and ends, a colon makes a key of what came before it.
//!
//! The rules are those of YAML 1.1 as libyaml and its Go descendants read them, quirks included.

use std::collections::VecDeque;

use super::cursor::{Cursor, Mark};
use super::token::{Kind, Token};
use crate::comments::Comment;
use crate::{Error, Limit, Limits, Resolver, ScalarStyle, Text};

/// A token that becomes a mapping key if a colon follows.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// Whether the block can only go on with a key here.
    required: bool,
    token_number: usize,
    mark: Mark,
    /// Whether the queue waits for it. Go forgets a `[` or `{` that is closed at once, and v2 then takes it for no key.
    is_awaited: bool,
}

/// The characters after which a colon no longer makes a key: a rule of YAML.
const SIMPLE_KEY_MAX: u32 = 1024;

/// The bytes within which v3 looks for the next comment.
const COMMENT_AHEAD_MAX: usize = 512;

pub(crate) struct Scanner<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) dialect: Resolver,
    limits: &'a Limits,
    tokens: VecDeque<Token>,
    tokens_taken: usize,
    /// The indentation of the current block; -1 outside of any.
    pub(super) indent: i64,
    indents: Vec<i64>,
    pub(super) flow_level: usize,
    pub(super) simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    ended: bool,
    /// Whether the first token is settled: it is looked at several times before it is taken.
    is_settled: bool,
    /// How far the text must reach for what was read: Go wants four characters where a token begins.
    wanted: usize,
    /// The comments met so far, where they are wanted.
    pub(crate) comments: Option<VecDeque<Comment>>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, dialect: Resolver, limits: &'a Limits) -> Self {
        Self {
            cursor: Cursor::new(text),
            dialect,
            limits,
            tokens: VecDeque::with_capacity(16),
            tokens_taken: 0,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            ended: false,
            is_settled: false,
            wanted: 0,
            comments: None,
        }
    }

    /// Whether a text of so many bytes was too short for what was read: Go would have read on.
    pub(crate) fn wants_more_than(&self, bytes: usize) -> bool {
        self.wanted.max(self.cursor.pos() + 1) > bytes
    }

    /// The next token, not taken.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<&Token, Error> {
        if !self.is_settled {
            self.fill()?;
        }
        Ok(self
            .tokens
            .front()
            .expect("invariant: fill leaves a token, at the end the last one"))
    }

    /// Takes the next token; the end of the stream stays.
    pub(crate) fn take(&mut self) -> Result<Token, Error> {
        if !self.is_settled {
            self.fill()?;
        }
        self.is_settled = false;
        let token = self
            .tokens
            .pop_front()
            .expect("invariant: fill leaves a token, at the end the last one");
        if let Kind::StreamEnd = token.kind {
            self.tokens.push_front(Token {
                kind: Kind::StreamEnd,
                start: token.start,
                end: token.end,
            });
        } else {
            self.tokens_taken += 1;
        }
        Ok(token)
    }

    /// Takes the next token if it is a scalar: its text, its style, and where it starts.
    pub(crate) fn take_if_scalar(&mut self) -> Result<Option<(Text, ScalarStyle, Mark)>, Error> {
        let Kind::Scalar(..) = self.peek()?.kind else {
            return Ok(None);
        };
        let token = self.take()?;
        Ok(match token.kind {
            Kind::Scalar(text, style) => Some((text, style, token.start)),
            _ => None,
        })
    }

    /// Fetches tokens until the first is settled: nothing can turn it into a key any more.
    fn fill(&mut self) -> Result<(), Error> {
        // v3 looks two tokens further for the sake of comments; it shows in which error is found first.
        let ahead = if self.dialect == Resolver::V3 { 2 } else { 0 };
        loop {
            let is_over = self.ended && !self.tokens.is_empty();
            if is_over || self.tokens.len() > ahead {
                let head = self.tokens_taken;
                match self
                    .simple_keys
                    .iter()
                    .position(|key| key.possible && key.is_awaited && key.token_number == head)
                {
                    Some(index) if self.key_is_valid(index)? && !is_over => {}
                    _ => {
                        self.is_settled = true;
                        return Ok(());
                    }
                }
            }
            self.fetch()?;
        }
    }

    pub(super) fn push(&mut self, kind: Kind, start: Mark) {
        self.tokens.push_back(Token {
            kind,
            start,
            end: self.cursor.mark(),
        });
    }

    /// An error of the scanner: Go adds one to the line only where it found it itself.
    pub(super) fn error(&self, context: Option<Mark>, problem: &str) -> Error {
        let here = self.cursor.mark();
        let context = context.unwrap_or(here).line;
        let line = match self.dialect {
            Resolver::V2 if here.line != 0 => here.line + 1,
            Resolver::V2 => context,
            Resolver::V3 if context != 0 => context + 1,
            Resolver::V3 if here.line != 0 => here.line + 1,
            Resolver::V3 => 0,
        };
        syntax_error(line, problem, here)
    }

    fn fetch(&mut self) -> Result<(), Error> {
        let before = self.cursor.mark();
        self.skip_to_token();
        self.wanted = self.cursor.pos() + 4;
        self.unroll_indent(i64::from(self.cursor.column()), before);
        if self.cursor.is_end() {
            return self.fetch_stream_end();
        }
        let byte = self.cursor.peek(0);
        if self.cursor.column() == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.cursor.is_document_marker() {
                return self.fetch_document_marker(if byte == b'-' {
                    Kind::DocumentStart
                } else {
                    Kind::DocumentEnd
                });
            }
        }
        let in_flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.cursor.is_space(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.cursor.is_space(1) => self.fetch_key(),
            b':' if in_flow || self.cursor.is_space(1) => self.fetch_value(),
            b'*' | b'&' | b'!' => self.fetch_property(byte),
            b'|' | b'>' if !in_flow => self.fetch_block_scalar(byte == b'|'),
            b'\'' | b'"' => self.fetch_quoted_scalar(byte),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.error(None, "found character that cannot start any token"))
            }
            _ => self.fetch_plain_scalar(),
        }
    }

    /// Spaces, comments and line ends; tabs only where no block could start.
    fn skip_to_token(&mut self) {
        loop {
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            while self.cursor.peek(0) == b' ' || tabs && self.cursor.peek(0) == b'\t' {
                self.cursor.skip_ascii(1);
            }
            if self.cursor.peek(0) == b'#' {
                self.skip_comment();
                self.skip_to_next_comment();
            }
            if !self.cursor.is_break(0) {
                return;
            }
            self.cursor.skip_break();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Behind a comment v3 looks for more of them: past blanks, empty lines, and tabs where none may stand else.
    fn skip_to_next_comment(&mut self) {
        let is_passed = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        while self.dialect == Resolver::V3 {
            let ahead = self.cursor.rest().iter().take(COMMENT_AHEAD_MAX);
            let ahead = ahead.take_while(|byte| is_passed(**byte)).count();
            if ahead == COMMENT_AHEAD_MAX || self.cursor.peek(ahead) != b'#' {
                return;
            }
            while self.cursor.peek(0) != b'#' {
                if self.cursor.is_break(0) {
                    self.cursor.skip_break();
                } else {
                    self.cursor.skip_ascii(1);
                }
            }
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
            self.skip_comment();
        }
    }

    /// Moves to the end of the line; remembers the comment where that is wanted.
    pub(super) fn skip_comment(&mut self) {
        let (mark, from) = (self.cursor.mark(), self.cursor.pos());
        let is_alone = self.cursor.is_line_blank();
        self.cursor.skip_to_break();
        let text = self.cursor.slice(from, self.cursor.pos());
        if let Some(comments) = &mut self.comments {
            comments.push_back(Comment {
                line: mark.line + 1,
                column: mark.column + 1,
                is_alone,
                text: Text::new(text),
            });
        }
    }

    // ---- simple keys

    fn key_is_valid(&mut self, index: usize) -> Result<bool, Error> {
        let (line, here) = (self.cursor.line(), self.cursor.index());
        let Some(key) = self.simple_keys.get_mut(index) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line >= line && key.mark.index + SIMPLE_KEY_MAX >= here {
            return Ok(true);
        }
        let (required, mark) = (key.required, key.mark);
        key.possible = required;
        if required {
            Err(self.error(Some(mark), "could not find expected ':'"))
        } else {
            Ok(false)
        }
    }

    pub(super) fn save_simple_key(&mut self) -> Result<(), Error> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        self.remove_simple_key()?;
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == i64::from(self.cursor.column()),
            token_number: self.tokens_taken + self.tokens.len(),
            mark: self.cursor.mark(),
            is_awaited: true,
        };
        if let Some(last) = self.simple_keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    pub(super) fn remove_simple_key(&mut self) -> Result<(), Error> {
        match self.simple_keys.last_mut() {
            Some(key) if key.possible && key.required => {
                let mark = key.mark;
                Err(self.error(Some(mark), "could not find expected ':'"))
            }
            Some(key) => {
                key.possible = false;
                Ok(())
            }
            None => Ok(()),
        }
    }

    // ---- indentation

    fn roll_indent(&mut self, mark: Mark, token_number: Option<usize>, kind: Kind) -> Result<(), Error> {
        let column = i64::from(mark.column);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.check_depth()?;
        let index = token_number.map_or(self.tokens.len(), |number| self.queue_index(number));
        self.tokens.insert(
            index,
            Token {
                kind,
                start: mark,
                end: mark,
            },
        );
        Ok(())
    }

    /// Where a token is in the queue. One that is gone already counts as the end, as in Go: what follows is then an error.
    fn queue_index(&self, token_number: usize) -> usize {
        token_number
            .checked_sub(self.tokens_taken)
            .unwrap_or(self.tokens.len())
    }

    fn unroll_indent(&mut self, column: i64, before: Mark) {
        if self.flow_level > 0 {
            return;
        }
        // v3 ends a block where the last token ended, v2 where the next one begins.
        let mark = if self.dialect == Resolver::V3 {
            before
        } else {
            self.cursor.mark()
        };
        while self.indent > column {
            self.tokens.push_back(Token {
                kind: Kind::BlockEnd,
                start: mark,
                end: mark,
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn check_depth(&self) -> Result<(), Error> {
        if self.indents.len() + self.flow_level <= self.limits.depth {
            return Ok(());
        }
        Err(Error::Limit {
            limit: Limit::Depth,
            max: self.limits.depth,
            position: self.cursor.mark().position(),
        })
    }

    // ---- tokens

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        self.cursor.end_line();
        let mark = self.cursor.mark();
        self.unroll_indent(-1, mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(Kind::StreamEnd, mark);
        self.ended = true;
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Error> {
        let mark = self.cursor.mark();
        self.unroll_indent(-1, mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let kind = self.scan_directive()?;
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_document_marker(&mut self, kind: Kind) -> Result<(), Error> {
        let mark = self.cursor.mark();
        self.unroll_indent(-1, mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.cursor.skip_ascii(3);
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Result<(), Error> {
        self.save_simple_key()?;
        let token_number = self.tokens_taken + self.tokens.len();
        self.simple_keys.push(SimpleKey {
            token_number,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        self.check_depth()?;
        self.simple_key_allowed = true;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Result<(), Error> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            let closed = self.simple_keys.pop().unwrap_or_default();
            if let Some(key) = self
                .simple_keys
                .last_mut()
                .filter(|key| key.token_number == closed.token_number)
            {
                key.is_awaited = false;
            }
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(Kind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error(None, "block sequence entries are not allowed in this context"));
            }
            self.roll_indent(self.cursor.mark(), None, Kind::BlockSequenceStart)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(Kind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error(None, "mapping keys are not allowed in this context"));
            }
            self.roll_indent(self.cursor.mark(), None, Kind::BlockMappingStart)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(Kind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let last = self.simple_keys.len().saturating_sub(1);
        if self.key_is_valid(last)? {
            let key = self.simple_keys.last().copied().unwrap_or_default();
            let index = self.queue_index(key.token_number);
            self.tokens.insert(
                index,
                Token {
                    kind: Kind::Key,
                    start: key.mark,
                    end: key.mark,
                },
            );
            self.roll_indent(key.mark, Some(key.token_number), Kind::BlockMappingStart)?;
            if let Some(key) = self.simple_keys.last_mut() {
                key.possible = false;
            }
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(self.error(None, "mapping values are not allowed in this context"));
                }
                self.roll_indent(self.cursor.mark(), None, Kind::BlockMappingStart)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(Kind::Value);
        Ok(())
    }

    fn push_indicator(&mut self, kind: Kind) {
        let mark = self.cursor.mark();
        self.cursor.skip_ascii(1);
        self.push(kind, mark);
    }

    fn fetch_property(&mut self, indicator: u8) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let mark = self.cursor.mark();
        let kind = if indicator == b'!' {
            self.scan_tag()?
        } else {
            self.scan_anchor(indicator)?
        };
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let mark = self.cursor.mark();
        let kind = self.scan_block_scalar(literal)?;
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_quoted_scalar(&mut self, quote: u8) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let mark = self.cursor.mark();
        let kind = self.scan_quoted_scalar(quote)?;
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_plain_scalar(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let mark = self.cursor.mark();
        let kind = self.scan_plain_scalar()?;
        self.push(kind, mark);
        Ok(())
    }
}

/// Go's text: the line is left out where it is zero.
pub(crate) fn syntax_error(line: u32, problem: &str, at: Mark) -> Error {
    let message = if line == 0 {
        format!("yaml: {problem}")
    } else {
        format!("yaml: line {line}: {problem}")
    };
    Error::Syntax {
        message,
        position: at.position(),
    }
}
