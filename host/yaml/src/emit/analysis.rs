//! What a text allows: the findings that decide how a scalar can be written.

use crate::text::run_of;

/// Which styles can carry a text without changing it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

/// Whether all of it is ASCII letters, digits and marks that mean nothing anywhere in YAML.
pub(super) fn is_harmless(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
}

/// Whether a character counts as a line break when written.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character is written as it is: nothing above U+FFFF is.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{A0}'..='\u{FFFD}') && c != '\u{FEFF}'
}

/// Whether it is what most texts are, names and paths and numbers: nothing in it means anything to YAML.
fn is_word(text: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'_') | (byte == b'/');
    text.first().is_some_and(|first| is_letter(*first))
        && run_of(text, |byte| is_letter(byte) | (byte == b'-') | (byte == b'.')) == text.len()
}

/// Looks at a text once. `tabs_fit_blocks`: v3 keeps tabs in block scalars, v2 takes them for unprintable.
pub(super) fn analyze(text: &str, tabs_fit_blocks: bool) -> Analysis {
    if text.is_empty() {
        return Analysis {
            multiline: false,
            flow_plain: false,
            block_plain: true,
            single_quoted: true,
            block: false,
        };
    }
    if is_word(text.as_bytes()) {
        return Analysis {
            multiline: false,
            flow_plain: true,
            block_plain: true,
            single_quoted: true,
            block: true,
        };
    }
    let marker = text.starts_with("---") || text.starts_with("...");
    let (mut flow_indicator, mut block_indicator) = (marker, marker);
    let (mut breaks, mut special, mut tabs) = (false, false, false);
    let (mut leading, mut trailing_space, mut trailing_break) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut after_space, mut after_break, mut after_blank) = (false, false, true);
    let mut chars = text.chars().peekable();
    let mut is_first = true;
    while let Some(c) = chars.next() {
        let before_blank = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
        let is_last = chars.peek().is_none();
        match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if is_first =>
            {
                flow_indicator = true;
                block_indicator = true;
            }
            '-' if is_first && before_blank => {
                flow_indicator = true;
                block_indicator = true;
            }
            '?' | ':' if is_first => {
                flow_indicator = true;
                block_indicator |= before_blank;
            }
            ',' | '?' | '[' | ']' | '{' | '}' => flow_indicator = true,
            ':' => {
                flow_indicator = true;
                block_indicator |= before_blank;
            }
            '#' if after_blank => {
                flow_indicator = true;
                block_indicator = true;
            }
            _ => {}
        }
        if c == '\t' && tabs_fit_blocks {
            tabs = true;
        } else if !is_printable(c) {
            special = true;
        }
        if c == ' ' {
            leading |= is_first;
            trailing_space |= is_last;
            break_space |= after_break;
            (after_space, after_break) = (true, false);
        } else if is_break(c) {
            breaks = true;
            leading |= is_first;
            trailing_break |= is_last;
            space_break |= after_space;
            (after_space, after_break) = (false, true);
        } else {
            (after_space, after_break) = (false, false);
        }
        after_blank = matches!(c, ' ' | '\t') || is_break(c);
        is_first = false;
    }
    let edge = leading || trailing_space || trailing_break;
    let plain = !(edge || break_space || space_break || special || tabs || breaks);
    Analysis {
        multiline: breaks,
        flow_plain: plain && !flow_indicator,
        block_plain: plain && !block_indicator,
        single_quoted: !(break_space || space_break || special || tabs),
        block: !(trailing_space || special || space_break),
    }
}
