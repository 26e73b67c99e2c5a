//! Regular expressions as Go reads them. What is written the same and means something else is written otherwise here.

use std::iter::Peekable;
use std::str::Chars;

/// The expression for the `regex` crate: `\w` and its like are of ASCII only, `\Q…\E` is text, octal numbers are characters, a
/// brace that counts nothing and what combines sets in Rust are characters too.
pub(super) fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\\' => escaped(&mut rest, false, &mut out),
            '[' => class(&mut rest, &mut out),
            '{' if !counts(rest.clone()) => out.push_str("\\{"),
            char => out.push(char),
        }
    }
    out
}

/// What stands behind a backslash.
fn escaped(rest: &mut Peekable<Chars<'_>>, is_in_class: bool, out: &mut String) {
    let Some(char) = rest.next() else {
        return out.push('\\');
    };
    match char {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        's' => out.push_str("[\\t\\n\\f\\r ]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'b' | 'B' if !is_in_class => out.extend(["(?-u:\\", if char == 'b' { "b" } else { "B" }, ")"]),
        'Q' if !is_in_class => quoted(rest, out),
        '<' | '>' => out.push(char),
        '0'..='7' if char == '0' || matches!(rest.peek(), Some('0'..='7')) => {
            let mut code = char.to_digit(8).unwrap_or_default();
            for _ in 0..2 {
                let Some(digit) = rest.peek().and_then(|char| char.to_digit(8)) else {
                    break;
                };
                code = code * 8 + digit;
                rest.next();
            }
            out.push_str(&format!("\\x{{{code:x}}}"));
        }
        'p' | 'P' => property(rest, char == 'P', out),
        char => out.extend(['\\', char]),
    }
}

/// `\p{^Greek}` is `\P{Greek}`.
fn property(rest: &mut Peekable<Chars<'_>>, mut is_negated: bool, out: &mut String) {
    let is_braced = rest.next_if_eq(&'{').is_some();
    if is_braced && rest.next_if_eq(&'^').is_some() {
        is_negated = !is_negated;
    }
    out.push_str(if is_negated { "\\P" } else { "\\p" });
    if is_braced {
        out.push('{');
    }
}

/// Text up to `\E`, or to the end.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut text = String::new();
    while let Some(char) = rest.next() {
        if char == '\\' && rest.next_if_eq(&'E').is_some() {
            break;
        }
        text.push(char);
    }
    out.push_str(&regex::escape(&text));
}

/// A set of characters, its bracket already taken.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(char) = rest.next() {
        match char {
            ']' => return out.push(']'),
            '\\' => {
                let is_set = matches!(rest.peek(), Some('d' | 'D' | 's' | 'S' | 'w' | 'W'));
                escaped(rest, true, out);
                // no range begins with a set
                if is_set && rest.next_if_eq(&'-').is_some() {
                    out.push_str("\\-");
                }
            }
            '[' if is_named(rest.clone()) => {
                out.push('[');
                for char in rest.by_ref() {
                    out.push(char);
                    if char == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' => out.extend(['\\', char]),
            '-' if rest.peek() == Some(&'-') => out.push_str("\\-"),
            char => out.push(char),
        }
    }
}

/// Whether a bracket in a set begins `[:alpha:]`.
fn is_named(rest: Peekable<Chars<'_>>) -> bool {
    let mut rest = rest;
    let begins = rest.next() == Some(':');
    rest.next_if_eq(&'^');
    begins && rest.by_ref().find(|char| !char.is_ascii_lowercase()) == Some(':') && rest.next() == Some(']')
}

/// Whether a brace begins `{2}`, `{2,}` or `{2,3}`.
fn counts(rest: Peekable<Chars<'_>>) -> bool {
    let mut rest = rest;
    if !rest.next().is_some_and(|char| char.is_ascii_digit()) {
        return false;
    }
    let mut end = rest.find(|char| !char.is_ascii_digit());
    if end == Some(',') {
        end = rest.find(|char| !char.is_ascii_digit());
    }
    end == Some('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go's regexp says of each.
    #[test]
    fn expressions_match_what_go_matches() {
        let cases: [(&str, &[&str], &[&str]); 22] = [
            (r"^\w+$", &["data", "a_1"], &["ключ", "é", "a b"]),
            (r"^[\W]+$", &["ключ", "-"], &["a"]),
            (r"^[^\w-]$", &["é"], &["a", "-"]),
            (r"\d", &["1"], &["٣"]),
            (r"\s", &["a b", "a\tb"], &["a\u{a0}b", "a\u{b}b"]),
            (r"\bdata\b", &["my-data", "édata"], &["database"]),
            (r"\Bata", &["data"], &["éata"]),
            (r"^\Qa.b\E$", &["a.b"], &["axb"]),
            (r"\Q[", &["["], &["a"]),
            (r"x{", &["x{"], &["x"]),
            (r"^a{,2}$", &["a{,2}"], &["aa"]),
            (r"^a{2}$", &["aa"], &["a{2}"]),
            (r"\<a\>", &["<a>"], &["a"]),
            (r"^\101[\102]\0?$", &["AB"], &["101"]),
            (r"^[[a&&b~~c]+$", &["[", "&", "~b"], &["d"]),
            (r"^[--a]$", &["-", "A"], &["b"]),
            (r"^[\d-x]+$", &["1-x"], &["a"]),
            (r"^[]a]$", &["]"], &["b"]),
            (r"^[[:alpha:][:^digit:]]+$", &["a"], &["1"]),
            (r"^\p{^L}$", &["1"], &["é"]),
            (r"^(data|stringData)$", &["data", "stringData"], &["metadata"]),
            (r"(?i)k", &["K", "\u{212a}"], &["c"]),
        ];
        for (expression, yes, no) in cases {
            let regex = regex::Regex::new(&translated(expression)).unwrap();
            for text in yes {
                assert!(regex.is_match(text), "{expression} {text}");
            }
            for text in no {
                assert!(!regex.is_match(text), "{expression} {text}");
            }
        }
    }

    #[test]
    fn what_go_cannot_read_stays_unreadable() {
        for expression in [r"\1", r"\", "[a", r"[\", "(a", "^(?!data)", r"\E", r"[\b]", "[[:"] {
            let translated = translated(expression);
            assert!(
                regex::Regex::new(&translated).is_err(),
                "{expression} {translated}"
            );
        }
    }
}
