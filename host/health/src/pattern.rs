//! Regular expressions as Go reads them, written for the reader of Rust, which knows more signs and other classes.

use std::iter::Peekable;
use std::str::CharIndices;

/// Most times that a part may be repeated, for Go.
const REPEAT_MAX: u32 = 1000;

/// The same pattern in Rust's signs.
///
/// # Errors
/// Go does not read it and Rust does.
pub(crate) fn to_rust(pattern: &str) -> Result<String, String> {
    let mut reader = Reader {
        pattern,
        signs: pattern.char_indices().peekable(),
        out: String::with_capacity(pattern.len()),
        was_repeated: false,
    };
    reader.read()?;
    Ok(reader.out)
}

/// Whether the pattern may be large although it is short: it counts, or has a class of Unicode.
pub(crate) fn may_be_large(pattern: &str) -> bool {
    ["{", "\\p", "\\P"].iter().any(|sign| pattern.contains(sign))
}

struct Reader<'p> {
    pattern: &'p str,
    signs: Peekable<CharIndices<'p>>,
    out: String,
    /// Whether the sign before says how often a part comes.
    was_repeated: bool,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), String> {
        while let Some((at, sign)) = self.signs.next() {
            let is_repeated = match sign {
                '\\' => {
                    self.escape(false);
                    false
                }
                '[' => {
                    self.class();
                    false
                }
                '*' | '+' | '?' => {
                    self.repeat(at, sign.len_utf8())?;
                    true
                }
                '{' => match self.rest(at).and_then(count) {
                    Some((length, times)) if times > REPEAT_MAX => {
                        let count = self.pattern.get(at..at + length).unwrap_or_default();
                        return Err(format!(
                            "invalid repeat count: '{count}', at most {REPEAT_MAX} are allowed"
                        ));
                    }
                    Some((length, _)) => {
                        self.repeat(at, length)?;
                        true
                    }
                    None => {
                        self.out.push_str("\\{");
                        false
                    }
                },
                '(' => {
                    self.out.push('(');
                    self.flags(at)?;
                    false
                }
                _ => {
                    self.out.push(sign);
                    false
                }
            };
            self.was_repeated = is_repeated;
        }
        Ok(())
    }

    fn rest(&self, at: usize) -> Option<&str> {
        self.pattern.get(at..)
    }

    /// Takes a part as it is.
    fn take(&mut self, at: usize, length: usize) {
        self.out
            .push_str(self.pattern.get(at..at + length).unwrap_or_default());
        while self.signs.next_if(|(next, _)| *next < at + length).is_some() {}
    }

    /// How often a part comes; `?` behind it is a part of it.
    fn repeat(&mut self, at: usize, length: usize) -> Result<(), String> {
        if self.was_repeated {
            let sign = self.pattern.get(at..at + length).unwrap_or_default();
            return Err(format!(
                "invalid nested repetition operator: '{sign}' follows another"
            ));
        }
        self.take(at, length);
        if self.signs.next_if(|(_, sign)| *sign == '?').is_some() {
            self.out.push('?');
        }
        Ok(())
    }

    /// Go has fewer flags.
    fn flags(&self, at: usize) -> Result<(), String> {
        let Some(rest) = self.rest(at).and_then(|rest| rest.strip_prefix("(?")) else {
            return Ok(());
        };
        let flags = rest
            .chars()
            .take_while(|sign| sign.is_ascii_alphabetic() || *sign == '-');
        let other = flags
            .take_while(|sign| *sign != 'P')
            .find(|flag| !"imsU-".contains(*flag));
        match other {
            Some(flag) => Err(format!("invalid or unsupported Perl syntax: the flag '{flag}'")),
            None => Ok(()),
        }
    }

    /// What follows a backslash. Classes have no signs but ASCII.
    fn escape(&mut self, is_in_class: bool) {
        let Some((at, sign)) = self.signs.next() else {
            self.out.push('\\');
            return;
        };
        let own = match sign {
            'd' => Some("0-9"),
            'w' => Some("0-9A-Za-z_"),
            's' => Some("\\t\\n\\f\\r "),
            _ => None,
        };
        match (own, sign) {
            (Some(own), _) if is_in_class => self.out.push_str(own),
            (Some(own), _) => self.out.extend(["[", own, "]"]),
            (None, 'D') => self.out.push_str("[^0-9]"),
            (None, 'W') => self.out.push_str("[^0-9A-Za-z_]"),
            (None, 'S') => self.out.push_str("[^\\t\\n\\f\\r ]"),
            (None, 'b') if !is_in_class => self.out.push_str("(?-u:\\b)"),
            (None, '<' | '>') => self.out.push(sign),
            // the name of a class, or a number
            (None, 'p' | 'P' | 'x') => {
                self.out.extend(['\\', sign]);
                let rest = self.rest(at + 1).unwrap_or_default();
                if let Some((name, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                    self.take(at + 1, name.len() + 2);
                }
            }
            (None, 'Q') if !is_in_class => {
                let quoted = self.rest(at + 1).unwrap_or_default();
                let (quoted, ended) = quoted
                    .split_once("\\E")
                    .map_or((quoted, 0), |(quoted, _)| (quoted, 2));
                let end = at + 1 + quoted.len() + ended;
                for sign in self.pattern.get(at + 1..end - ended).unwrap_or_default().chars() {
                    if sign.is_ascii_punctuation() && !matches!(sign, '<' | '>') {
                        self.out.push('\\');
                    }
                    self.out.push(sign);
                }
                while self.signs.next_if(|(next, _)| *next < end).is_some() {}
            }
            _ => self.out.extend(['\\', sign]),
        }
    }

    /// A class: what stands for sets of signs within sets in Rust stands for itself.
    fn class(&mut self) {
        self.out.push('[');
        if self.signs.next_if(|(_, sign)| *sign == '^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        while let Some((at, sign)) = self.signs.next() {
            match sign {
                ']' if !is_first => {
                    self.out.push(']');
                    return;
                }
                '\\' => self.escape(true),
                '[' => match self.rest(at).and_then(named) {
                    Some(length) => self.take(at, length),
                    None => self.out.push_str("\\["),
                },
                ']' | '&' | '~' => self.out.extend(['\\', sign]),
                _ => self.out.push(sign),
            }
            is_first = false;
        }
    }
}

/// Bytes of a name of a class at the beginning: `[:alpha:]`.
fn named(rest: &str) -> Option<usize> {
    let (name, _) = rest.strip_prefix("[:")?.split_once(":]")?;
    let is_name = name.chars().all(|sign| sign.is_ascii_alphabetic() || sign == '^');
    is_name.then_some(name.len() + 4)
}

/// Bytes of a count at the beginning, `{2}`, `{2,}` or `{2,3}`, and the largest number in it.
fn count(rest: &str) -> Option<(usize, u32)> {
    let (inner, _) = rest.strip_prefix('{')?.split_once('}')?;
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| text.chars().all(|sign| sign.is_ascii_digit());
    if least.is_empty() || !is_number(least) || !is_number(most) {
        return None;
    }
    let number = |text: &str| {
        text.parse::<u32>()
            .unwrap_or(if text.is_empty() { 0 } else { u32::MAX })
    };
    Some((inner.len() + 2, number(least).max(number(most))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_or_names_a_class_may_be_large() {
        for (pattern, is_large) in [
            ("^a+[a-z]$", false),
            ("a{2}", true),
            ("\\pL", true),
            ("\\P{Lu}", true),
        ] {
            assert_eq!(may_be_large(pattern), is_large, "{pattern}");
        }
    }

    #[test]
    fn patterns_of_go_are_written_as_rust_reads_them() {
        for (go, rust) in [
            ("^v1\\.2$", "^v1\\.2$"),
            ("\\d+\\w*?", "[0-9]+[0-9A-Za-z_]*?"),
            ("[\\d-]\\D", "[0-9-][^0-9]"),
            ("[[a&&b]", "[\\[a\\&\\&b]"),
            ("[]a]", "[\\]a]"),
            ("[[:alpha:]~]", "[[:alpha:]\\~]"),
            ("a{2,3}b{,2}c{x}", "a{2,3}b\\{,2}c\\{x}"),
            ("\\Qa.b\\E+", "a\\.b+"),
            ("\\<a\\>", "<a>"),
            ("(?i)a(?P<x>b)(?:c)", "(?i)a(?P<x>b)(?:c)"),
            ("ä\\bö", "ä(?-u:\\b)ö"),
            ("\\p{Lu}{2}[\\x{61}]", "\\p{Lu}{2}[\\x{61}]"),
            ("a\\", "a\\"),
        ] {
            assert_eq!(to_rust(go).as_deref(), Ok(rust), "{go}");
        }
        for (go, error) in [
            ("a**", "invalid nested repetition operator: '*' follows another"),
            (
                "a{2}{3}",
                "invalid nested repetition operator: '{3}' follows another",
            ),
            (
                "a{1001}",
                "invalid repeat count: '{1001}', at most 1000 are allowed",
            ),
            ("(?x) a", "invalid or unsupported Perl syntax: the flag 'x'"),
        ] {
            assert_eq!(to_rust(go).unwrap_err(), error, "{go}");
        }
    }
}
