//! Go's spelling of an expression as the library here reads it. Both agree but for braces, octal escapes, `\Q…\E`, and
//! what brackets and doubled signs mean within a class.

use super::syntax::{bounds, class, class_char, consumed, escaped};

/// An expression that Go accepts, in the library's spelling.
pub(super) fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '\\' => {
                if let Some(quoted) = after.strip_prefix('Q') {
                    let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                    out.push_str(&regex_lite::escape(literal));
                    after
                } else {
                    // what stands for a place or for many characters is no escape of one character
                    let after = escaped(rest).unwrap_or(after.get(1..).unwrap_or_default());
                    escape(consumed(rest, after), &mut out);
                    after
                }
            }
            '[' => {
                let after = class(rest).unwrap_or_default();
                translate_class(consumed(rest, after), &mut out);
                after
            }
            '{' => match bounds(rest) {
                Some((_, _, after)) => {
                    out.push_str(consumed(rest, after));
                    after
                }
                // Go takes a brace that counts nothing as itself: `${NAME}`
                None => {
                    out.push_str("\\{");
                    after
                }
            },
            c => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// A character class with both brackets.
fn translate_class(text: &str, out: &mut String) {
    out.push('[');
    let mut rest = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    if let Some(inner) = rest.strip_prefix('^') {
        out.push('^');
        rest = inner;
    }
    while !rest.is_empty() {
        if rest.starts_with("[:")
            && let Some((_, after)) = rest.split_once(":]")
        {
            out.push_str(consumed(rest, after));
            rest = after;
            continue;
        }
        // ranges need no look ahead: a minus that makes one stays, any other is escaped
        let is_many = |c: char| "dDsSwW".contains(c);
        if rest
            .strip_prefix('\\')
            .is_some_and(|name| name.starts_with(is_many))
        {
            out.push_str(rest.get(..2).unwrap_or_default());
            rest = rest.get(2..).unwrap_or_default();
            continue;
        }
        let Ok((_, after)) = class_char(rest, text) else {
            break;
        };
        character(consumed(rest, after), out);
        rest = after;
        if let Some(end) = rest.strip_prefix('-').filter(|end| !end.is_empty())
            && let Ok((_, after)) = class_char(end, text)
        {
            out.push('-');
            character(consumed(end, after), out);
            rest = after;
        }
    }
    out.push(']');
}

/// A character of a class, written as itself or as an escape.
fn character(written: &str, out: &mut String) {
    match written.strip_prefix('\\') {
        Some(_) => escape(written, out),
        None => written.chars().for_each(|c| literal(c, out)),
    }
}

fn escape(written: &str, out: &mut String) {
    let inner = written.get(1..).unwrap_or_default();
    match inner.chars().next() {
        Some('0'..='7') => {
            let code = u32::from_str_radix(inner, 8).unwrap_or_default();
            out.push_str(&format!("\\x{{{code:x}}}"));
        }
        Some(c) if c.is_ascii_punctuation() || c == ' ' => literal(c, out),
        _ => out.push_str(written),
    }
}

/// Escapes any sign, but for `<` and `>`, which mean the bounds of words with a backslash.
fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    #[test]
    fn as_the_library_spells_it() {
        for (go, expected) in [
            ("a.*b{2,3}?", "a.*b{2,3}?"),
            ("^(?:${APP}-x)$", "^(?:$\\{APP}-x)$"),
            ("{{x}}", "\\{\\{x}}"),
            ("a{b}{,1}x{", "a\\{b}\\{,1}x\\{"),
            ("\\0\\01\\141", "\\x{0}\\x{1}\\x{61}"),
            ("[\\141-c]", "[\\x{61}-c]"),
            ("[[a]b]", "[\\[a]b]"),
            ("[a&&b--c~~]", "[a\\&\\&b-\\-c\\~\\~]"),
            ("[]a-]", "[\\]a\\-]"),
            ("[^[:alpha:]\\d\\]]", "[^[:alpha:]\\d\\]]"),
            ("\\Q(a{\\E\\z\\<\\.", "\\(a\\{\\z<\\."),
        ] {
            assert_eq!(translate(go), expected, "{go}");
        }
    }

    #[test]
    fn braces_match_themselves() {
        assert!(Pattern::anchored("a{b}").unwrap().matches("a{b}"));
        assert!(Pattern::anchored("{{x}}").unwrap().matches("{{x}}"));
        assert!(Pattern::anchored("[[a]b").unwrap().matches("[b"));
        assert!(Pattern::anchored("[a&&b]").unwrap().matches("&"));
        assert!(Pattern::anchored("\\141{2}").unwrap().matches("aa"));
        // a dollar is the end of the text, so that this matches nothing
        assert!(!Pattern::anchored("${APP}-x").unwrap().matches("${APP}-x"));
    }
}
