//! What a text allows: the findings that decide how a scalar can be written.

use crate::text::run_of;

/// Which styles can carry a text without changing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Where the first line break is.
pub(super) fn find_break(text: &str) -> Option<usize> {
    // each of the last two begins some of the breaks
    let is_sure = |byte: u8| (byte != b'\n') & (byte != b'\r') & (byte != 0xC2) & (byte != 0xE2);
    let start = run_of(text.as_bytes(), is_sure);
    let rest = text.get(start..).unwrap_or_default();
    rest.find(is_break).map(|at| start + at)
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
    if text.contains('\n')
        && let Some(analysis) = analyze_lines(text.as_bytes())
    {
        return analysis;
    }
    analyze_slowly(text, tabs_fit_blocks)
}

/// Of several lines of printable ASCII: what is plain needs no look, because they are not.
fn analyze_lines(text: &[u8]) -> Option<Analysis> {
    let is_sure = |byte: u8| byte.is_ascii() & (byte >= b' ') & (byte != 0x7F) | (byte == b'\n');
    if run_of(text, is_sure) != text.len() {
        return None;
    }
    let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
    let (break_space, space_break) = pairs.fold((false, false), |(break_space, space_break), (a, b)| {
        (
            break_space | (*a == b'\n') & (*b == b' '),
            space_break | (*a == b' ') & (*b == b'\n'),
        )
    });
    let trailing_space = text.last() == Some(&b' ');
    Some(Analysis {
        multiline: true,
        flow_plain: false,
        block_plain: false,
        single_quoted: !(break_space || space_break),
        block: !(trailing_space || space_break),
    })
}

fn analyze_slowly(text: &str, tabs_fit_blocks: bool) -> Analysis {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_a_slow_look_finds() {
        let ends = [
            "", " ", "\n", "a", " a", "a ", "---", "# ", "\t", "é", "\u{85}", "\u{7F}",
        ];
        let middles = ["\n", "\n\n", " \n", "\n ", " \n ", "\na\n", "\n- a: b\n", "\r\n"];
        let long = "a text that is longer than a block";
        for start in ends {
            for middle in middles {
                for end in ends {
                    for text in [
                        format!("{start}{middle}{end}"),
                        format!("{start}{long}{middle}{long}{end}"),
                        format!("{long}{start}{middle}{end}{long}"),
                    ] {
                        for tabs_fit_blocks in [false, true] {
                            let slow = analyze_slowly(&text, tabs_fit_blocks);
                            assert_eq!(analyze(&text, tabs_fit_blocks), slow, "{text:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn breaks_are_found_wherever_they_are() {
        let others = "a text of \t, é, \u{84}, \u{A0}, \u{2027}, \u{202A} and \u{10000}";
        assert_eq!(find_break(others), None);
        for line_break in ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'] {
            for before in [0, 1, 15, 16, 17] {
                for others in ["", others] {
                    let before = "a".repeat(before) + others;
                    let text = format!("{before}{line_break}{others}\n");
                    assert_eq!(find_break(&text), Some(before.len()), "{text:?}");
                }
            }
        }
    }
}
