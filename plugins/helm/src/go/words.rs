//! Words and their case: `strings.Title`, Masterminds' goutils, huandu's xstrings.

mod case;

pub(crate) use case::{to_delimited_case, to_pascal_case};

use super::unicode::{
    is_digit, is_letter, is_lower, is_space, is_title, is_upper, runes, to_lower, to_title, to_upper,
};

/// `strings.Title`: the first letter of each word in title case.
pub(crate) fn title(text: &[u8]) -> String {
    let is_separator = |c: char| match c {
        c if c.is_ascii() => !(c.is_ascii_alphanumeric() || c == '_'),
        c => !is_letter(c) && !is_digit(c) && is_space(c),
    };
    let mut previous = ' ';
    let titled = runes(text).map(|c| {
        let is_first = is_separator(previous);
        previous = c;
        if is_first { to_title(c) } else { c }
    });
    titled.collect()
}

/// The first character of each word in lower case.
pub(crate) fn uncapitalize(text: &[u8]) -> String {
    let mut is_first = true;
    let changed = runes(text).map(|c| {
        let is_gap = is_space(c);
        let changed = if is_first && !is_gap { to_lower(c) } else { c };
        is_first = is_gap;
        changed
    });
    changed.collect()
}

/// Upper case for lower and the reverse; the first letter of a word in title case.
pub(crate) fn swap_case(text: &[u8]) -> String {
    let mut after_space = true;
    let swapped = runes(text).map(|c| {
        if is_upper(c) || is_title(c) {
            after_space = false;
            to_lower(c)
        } else if is_lower(c) {
            if std::mem::take(&mut after_space) {
                to_title(c)
            } else {
                to_upper(c)
            }
        } else {
            after_space = is_space(c);
            c
        }
    });
    swapped.collect()
}

/// The first byte of each word; bytes above 127 are taken for Latin-1, as the original does.
pub(crate) fn initials(text: &[u8]) -> String {
    let mut after_gap = true;
    let first = text.iter().map(|byte| char::from(*byte)).filter(|c| {
        let is_gap = is_space(*c);
        let is_initial = after_gap && !is_gap;
        after_gap = is_gap;
        is_initial
    });
    first.collect()
}

/// Without white space; bytes above 127 are taken for Latin-1 where there was any.
pub(crate) fn delete_white_space(text: &[u8]) -> Vec<u8> {
    let kept: Vec<char> = text
        .iter()
        .map(|byte| char::from(*byte))
        .filter(|c| !is_space(*c))
        .collect();
    if kept.len() == text.len() {
        return text.to_vec();
    }
    kept.into_iter().collect::<String>().into_bytes()
}

/// At most `width` bytes, with `...` for what is left out before `offset` and at the end.
pub(crate) fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if text.is_empty() || width < 4 {
        return Vec::new();
    }
    if length <= width {
        return text.to_vec();
    }
    let part = |from: i64, to: i64| {
        let index = |at: i64| usize::try_from(at).unwrap_or(0);
        text.get(index(from)..index(to)).unwrap_or_default()
    };
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return [part(0, width - 3), b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + width - 3 < length {
        return [b"...".as_slice(), &abbreviate(part(offset, length), 0, width - 3)].concat();
    }
    [b"...", part(length - (width - 3), length)].concat()
}

/// Breaks a line at blanks before `width` bytes; words that are longer are broken too where `breaks_words`.
pub(crate) fn wrap(text: &[u8], width: i64, line_break: &[u8], breaks_words: bool) -> Vec<u8> {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let line_break = if line_break.is_empty() { b"\n" } else { line_break };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if let Some(trimmed) = rest.strip_prefix(b" ") {
            rest = trimmed;
            continue;
        }
        let line = rest.get(..=width).unwrap_or_default();
        let tail = rest.get(width..).unwrap_or_default();
        let (end, skipped) = if let Some(blank) = line.iter().rposition(|byte| *byte == b' ') {
            (blank, 1)
        } else if breaks_words {
            (width, 0)
        } else if let Some(blank) = tail.iter().position(|byte| *byte == b' ') {
            (width + blank, 1)
        } else {
            break;
        };
        out.extend_from_slice(rest.get(..end).unwrap_or_default());
        out.extend_from_slice(line_break);
        rest = rest.get(end + skipped..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}
