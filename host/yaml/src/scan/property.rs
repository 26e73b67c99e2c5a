//! Anchors, aliases, tags and directives.

use super::cursor::Mark;
use super::scanner::Scanner;
use super::token::{Kind, Tag};
use crate::{Error, Text};

impl Scanner<'_> {
    pub(super) fn scan_anchor(&mut self, indicator: u8) -> Result<Kind, Error> {
        let start = self.cursor.mark();
        self.cursor.skip_ascii(1);
        let name = self.scan_word();
        let ends = self.cursor.is_space(0)
            || matches!(
                self.cursor.peek(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return Err(self.error(
                Some(start),
                "did not find expected alphabetic or numeric character",
            ));
        }
        Ok(if indicator == b'*' {
            Kind::Alias(name)
        } else {
            Kind::Anchor(name)
        })
    }

    fn scan_word(&mut self) -> Text {
        let from = self.cursor.pos();
        while self.cursor.is_word() {
            self.cursor.skip_ascii(1);
        }
        Text::new(self.cursor.slice(from, self.cursor.pos()))
    }

    pub(super) fn scan_tag(&mut self) -> Result<Kind, Error> {
        let start = self.cursor.mark();
        let tag = if self.cursor.peek(1) == b'<' {
            self.cursor.skip_ascii(2);
            let suffix = self.scan_uri(start, None)?;
            if self.cursor.peek(0) != b'>' {
                return Err(self.error(Some(start), "did not find the expected '>'"));
            }
            self.cursor.skip_ascii(1);
            Tag {
                handle: String::new(),
                suffix,
            }
        } else {
            let handle = self.scan_handle(start, false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                Tag {
                    suffix: self.scan_uri(start, None)?,
                    handle,
                }
            } else {
                // No handle after all: its letters begin the suffix.
                match self.scan_uri(start, Some(&handle))? {
                    suffix if suffix.is_empty() => Tag {
                        handle: String::new(),
                        suffix: "!".into(),
                    },
                    suffix => Tag {
                        handle: "!".into(),
                        suffix,
                    },
                }
            }
        };
        if !self.cursor.is_space(0) {
            return Err(self.error(Some(start), "did not find expected whitespace or line break"));
        }
        Ok(Kind::Tag(Box::new(tag)))
    }

    /// `!`, `!!` or `!word!`; where it does not close, `!word`.
    fn scan_handle(&mut self, start: Mark, directive: bool) -> Result<String, Error> {
        if self.cursor.peek(0) != b'!' {
            return Err(self.error(Some(start), "did not find expected '!'"));
        }
        self.cursor.skip_ascii(1);
        let mut handle = format!("!{}", self.scan_word());
        if self.cursor.peek(0) == b'!' {
            self.cursor.skip_ascii(1);
            handle.push('!');
        } else if directive && handle != "!" {
            return Err(self.error(Some(start), "did not find expected '!'"));
        }
        Ok(handle)
    }

    fn scan_uri(&mut self, start: Mark, head: Option<&str>) -> Result<String, Error> {
        let mut uri = head
            .and_then(|head| head.get(1..))
            .unwrap_or_default()
            .as_bytes()
            .to_vec();
        let mut found = head.is_some();
        loop {
            match self.cursor.peek(0) {
                b'%' => self.scan_uri_escape(start, &mut uri)?,
                byte if byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(byte);
                    self.cursor.skip_ascii(1);
                }
                _ => break,
            }
            found = true;
        }
        if !found {
            return Err(self.error(Some(start), "did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// One character as `%xx` for each of its bytes.
    fn scan_uri_escape(&mut self, start: Mark, uri: &mut Vec<u8>) -> Result<(), Error> {
        let mut left = None;
        while left != Some(0) {
            let octet = match self.cursor.rest() {
                [b'%', hex @ ..] => hex
                    .get(..2)
                    .and_then(|hex| str::from_utf8(hex).ok())
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
                _ => None,
            };
            let Some(octet) = octet else {
                return Err(self.error(Some(start), "did not find URI escaped octet"));
            };
            left = Some(match left {
                Some(left) if octet & 0xC0 == 0x80 => left - 1,
                Some(_) => return Err(self.error(Some(start), "found an incorrect trailing UTF-8 octet")),
                None => match octet {
                    0..=0x7F => 0,
                    0xC0..=0xDF => 1,
                    0xE0..=0xEF => 2,
                    0xF0..=0xF7 => 3,
                    _ => return Err(self.error(Some(start), "found an incorrect leading UTF-8 octet")),
                },
            });
            uri.push(octet);
            self.cursor.skip_ascii(3);
        }
        Ok(())
    }

    pub(super) fn scan_directive(&mut self) -> Result<Kind, Error> {
        let start = self.cursor.mark();
        self.cursor.skip_ascii(1);
        let name = self.scan_word();
        if name.is_empty() {
            return Err(self.error(Some(start), "could not find expected directive name"));
        }
        if !self.cursor.is_space(0) {
            return Err(self.error(Some(start), "found unexpected non-alphabetical character"));
        }
        let kind = match name.as_str() {
            "YAML" => self.scan_version(start)?,
            "TAG" => self.scan_tag_directive(start)?,
            _ => return Err(self.error(Some(start), "found unknown directive name")),
        };
        self.cursor.skip_blanks();
        if self.cursor.peek(0) == b'#' {
            self.cursor.skip_to_break();
        }
        if !self.cursor.is_break_or_end(0) {
            return Err(self.error(Some(start), "did not find expected comment or line break"));
        }
        if self.cursor.is_break(0) {
            self.cursor.skip_break();
        }
        Ok(kind)
    }

    fn scan_version(&mut self, start: Mark) -> Result<Kind, Error> {
        self.cursor.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.cursor.peek(0) != b'.' {
            return Err(self.error(Some(start), "did not find expected digit or '.' character"));
        }
        self.cursor.skip_ascii(1);
        Ok(Kind::VersionDirective(major, self.scan_version_number(start)?))
    }

    fn scan_version_number(&mut self, start: Mark) -> Result<u8, Error> {
        let from = self.cursor.pos();
        while self.cursor.peek(0).is_ascii_digit() {
            if self.cursor.pos() - from == 2 {
                return Err(self.error(Some(start), "found extremely long version number"));
            }
            self.cursor.skip_ascii(1);
        }
        let digits = self.cursor.slice(from, self.cursor.pos());
        digits
            .parse()
            .map_err(|_| self.error(Some(start), "did not find expected version number"))
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Result<Kind, Error> {
        self.cursor.skip_blanks();
        let handle = self.scan_handle(start, true)?;
        if !self.cursor.is_blank(0) {
            return Err(self.error(Some(start), "did not find expected whitespace"));
        }
        self.cursor.skip_blanks();
        let suffix = self.scan_uri(start, None)?;
        if !self.cursor.is_space(0) {
            return Err(self.error(Some(start), "did not find expected whitespace or line break"));
        }
        Ok(Kind::TagDirective(Box::new(Tag { handle, suffix })))
    }
}
