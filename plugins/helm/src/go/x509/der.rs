//! DER: writing and reading values with tag and length.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0C;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const NULL: &[u8] = &[0x05, 0x00];

/// The tag of an explicit context-specific value.
pub(super) const fn context(number: u8) -> u8 {
    0xA0 | number
}

/// A value with its tag and length.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if let Ok(short) = u8::try_from(length)
        && short < 0x80
    {
        out.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = bytes.get(zeros..).unwrap_or_default();
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// A number that is not negative, from its bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut digits = bytes.get(zeros..).unwrap_or_default().to_vec();
    if digits.first().is_none_or(|first| *first >= 0x80) {
        digits.insert(0, 0);
    }
    value(INTEGER, &digits)
}

pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], bytes].concat())
}

/// A value that was read: its tag, its content, and all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn next(&mut self) -> Option<Read<'a>> {
        let (tag, after) = self.0.split_first()?;
        let (first, after) = after.split_first()?;
        let (length, after) = if *first < 0x80 {
            (usize::from(*first), after)
        } else {
            let count = usize::from(first & 0x7F);
            let (bytes, after) = after.split_at_checked(count)?;
            if count == 0 || count > 4 {
                return None;
            }
            (
                bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
                after,
            )
        };
        let (content, rest) = after.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Read {
            tag: *tag,
            content,
            whole,
        })
    }

    /// The next value, where it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Read<'a>> {
        let before = *self;
        let read = self.next().filter(|read| read.tag == tag);
        if read.is_none() {
            *self = before;
        }
        read
    }

    /// The next number, without the zero before it.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        let content = self.expect(INTEGER)?.content;
        Some(match content {
            [0, rest @ ..] if !rest.is_empty() => rest,
            content => content,
        })
    }

    pub(super) fn sequence(&mut self) -> Option<Reader<'a>> {
        self.expect(SEQUENCE).map(|read| Reader(read.content))
    }
}
