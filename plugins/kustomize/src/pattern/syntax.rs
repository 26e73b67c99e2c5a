//! What Go's `regexp` refuses, in its words, before the expression is compiled here.

/// Go's message for an expression that it cannot parse; none where it can.
pub(super) fn problem(expression: &str) -> Option<String> {
    let mut parser = Parser {
        whole: expression,
        rest: expression,
        open: 0,
        can_repeat: false,
    };
    parser
        .run()
        .err()
        .map(|(words, shown)| format!("{words}: `{shown}`"))
}

/// How often Go repeats at most.
const REPEAT_MAX: u32 = 1000;

type Problem<'a> = (&'static str, &'a str);

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
    /// Groups that are not closed yet.
    open: usize,
    /// Whether something stands before that an operator can repeat.
    can_repeat: bool,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), Problem<'a>> {
        let mut repeated: Option<&'a str> = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let last = repeated.take();
            match c {
                '(' => self.open_group()?,
                ')' => {
                    self.open = self.open.checked_sub(1).ok_or(("unexpected )", self.whole))?;
                    self.advance(1);
                    self.can_repeat = true;
                }
                '|' => {
                    self.advance(1);
                    self.can_repeat = false;
                }
                '[' => {
                    self.rest = class(self.rest)?;
                    self.can_repeat = true;
                }
                '*' | '+' | '?' => {
                    self.advance(1);
                    repeated = Some(self.repeat(before, last)?);
                }
                '{' => match bounds(self.rest) {
                    None => {
                        self.advance(1);
                        self.can_repeat = true;
                    }
                    Some((min, max, after)) => {
                        let shown = consumed(before, after);
                        let too_many =
                            min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || max < min);
                        if too_many {
                            return Err(("invalid repeat count", shown));
                        }
                        self.rest = after;
                        repeated = Some(self.repeat(before, last)?);
                    }
                },
                '\\' => {
                    self.escape()?;
                    self.can_repeat = true;
                }
                c => {
                    self.advance(c.len_utf8());
                    self.can_repeat = true;
                }
            }
        }
        match self.open {
            0 => Ok(()),
            _ => Err(("missing closing )", self.whole)),
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// After an operator: what it was, with the `?` that makes it lazy.
    fn repeat(&mut self, before: &'a str, last: Option<&'a str>) -> Result<&'a str, Problem<'a>> {
        if self.rest.starts_with('?') {
            self.advance(1);
        }
        if let Some(last) = last {
            return Err(("invalid nested repetition operator", consumed(last, self.rest)));
        }
        if !self.can_repeat {
            return Err((
                "missing argument to repetition operator",
                consumed(before, self.rest),
            ));
        }
        Ok(before)
    }

    fn open_group(&mut self) -> Result<(), Problem<'a>> {
        let before = self.rest;
        self.can_repeat = false;
        let Some(flags) = before.strip_prefix("(?") else {
            self.open += 1;
            self.advance(1);
            return Ok(());
        };
        let named = flags.strip_prefix("P<").or_else(|| flags.strip_prefix('<'));
        if let Some(named) = named.filter(|name| !name.starts_with(['=', '!'])) {
            let Some((name, after)) = named.split_once('>') else {
                return Err(("invalid named capture", before));
            };
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_word) {
                return Err(("invalid named capture", consumed(before, after)));
            }
            self.open += 1;
            self.rest = after;
            return Ok(());
        }
        let (mut negated, mut any) = (false, false);
        for (at, c) in flags.char_indices() {
            let after = flags.get(at + c.len_utf8()..).unwrap_or_default();
            match c {
                'i' | 'm' | 's' | 'U' => any = true,
                '-' if !negated => (negated, any) = (true, false),
                ':' | ')' if !negated || any => {
                    self.open += usize::from(c == ':');
                    self.rest = after;
                    return Ok(());
                }
                _ => return Err(("invalid or unsupported Perl syntax", consumed(before, after))),
            }
        }
        Err(("missing closing )", self.whole))
    }

    fn escape(&mut self) -> Result<(), Problem<'a>> {
        let before = self.rest;
        match before.as_bytes().get(1) {
            Some(b'A' | b'b' | b'B' | b'z' | b'd' | b'D' | b's' | b'S' | b'w' | b'W') => self.advance(2),
            Some(b'Q') => {
                let quoted = before.get(2..).unwrap_or_default();
                self.rest = quoted.split_once("\\E").map_or("", |(_, after)| after);
            }
            _ => self.rest = escaped(before)?,
        }
        Ok(())
    }
}

/// What was read of `before` when `after` is left.
pub(super) fn consumed<'a>(before: &'a str, after: &str) -> &'a str {
    before.get(..before.len() - after.len()).unwrap_or(before)
}

/// `{2}`, `{2,}`, `{2,3}`: the numbers, and what follows. None where it is no repetition.
pub(super) fn bounds(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let leads_with_zero = digits.len() > 1 && digits.starts_with('0');
        (is_number && !leads_with_zero).then(|| digits.parse().unwrap_or(u32::MAX))
    };
    match inner.split_once(',') {
        None => number(inner).map(|n| (n, Some(n), after)),
        Some((min, "")) => number(min).map(|min| (min, None, after)),
        Some((min, max)) => Some((number(min)?, Some(number(max)?), after)),
    }
}

/// What follows the escape at the start.
pub(super) fn escaped(text: &str) -> Result<&str, Problem<'_>> {
    let inner = text.get(1..).unwrap_or_default();
    let Some(c) = inner.chars().next() else {
        return Err(("trailing backslash at end of expression", ""));
    };
    let after = inner.get(c.len_utf8()..).unwrap_or_default();
    let octal = |text: &str| {
        text.bytes()
            .take(2)
            .take_while(|b| matches!(b, b'0'..=b'7'))
            .count()
    };
    let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match c {
        '0' => Ok(after.get(octal(after)..).unwrap_or_default()),
        '1'..='7' if octal(after) > 0 => Ok(after.get(octal(after)..).unwrap_or_default()),
        'x' => {
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            match (braced, after.get(..2)) {
                (Some((digits, rest)), _) if is_hex(digits) => Ok(rest),
                (None, Some(digits)) if is_hex(digits) => Ok(after.get(2..).unwrap_or_default()),
                _ => Err(("invalid escape sequence", text.get(..3).unwrap_or(text))),
            }
        }
        'p' | 'P' => {
            let (name, rest) = match after.strip_prefix('{') {
                Some(braced) => braced
                    .split_once('}')
                    .ok_or(("invalid character class range", text))?,
                None => after.split_at_checked(1).unwrap_or((after, "")),
            };
            let is_name = name
                .trim_start_matches('^')
                .starts_with(|c: char| c.is_ascii_uppercase());
            match is_name {
                true => Ok(rest),
                false => Err(("invalid character class range", consumed(text, rest))),
            }
        }
        'a' | 'f' | 'n' | 'r' | 't' | 'v' => Ok(after),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(after),
        _ => Err(("invalid escape sequence", consumed(text, after))),
    }
}

/// What follows the character class at the start.
pub(super) fn class(text: &str) -> Result<&str, Problem<'_>> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
        "upper", "word", "xdigit",
    ];
    let mut rest = text.get(1..).unwrap_or_default();
    rest = rest.strip_prefix('^').unwrap_or(rest);
    let mut is_first = true;
    loop {
        if !is_first && let Some(after) = rest.strip_prefix(']') {
            return Ok(after);
        }
        is_first = false;
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(|inner| inner.split_once(":]")) {
            if !NAMES.contains(&name.trim_start_matches('^')) {
                return Err(("invalid character class range", consumed(rest, after)));
            }
            rest = after;
            continue;
        }
        let escape = rest.strip_prefix('\\').and_then(|inner| inner.chars().next());
        if matches!(escape, Some('d' | 'D' | 's' | 'S' | 'w' | 'W')) {
            rest = rest.get(2..).unwrap_or_default();
            continue;
        }
        if matches!(escape, Some('p' | 'P')) {
            rest = escaped(rest)?;
            continue;
        }
        let range = rest;
        let (low, after) = class_char(rest, text)?;
        rest = after;
        if let Some(end) = rest
            .strip_prefix('-')
            .filter(|end| !end.is_empty() && !end.starts_with(']'))
        {
            let (high, after) = class_char(end, text)?;
            if high < low {
                return Err(("invalid character class range", consumed(range, after)));
            }
            rest = after;
        }
    }
}

/// A character of a class, and what follows it. Escapes count as the character behind the backslash.
pub(super) fn class_char<'a>(rest: &'a str, class: &'a str) -> Result<(char, &'a str), Problem<'a>> {
    match rest.chars().next() {
        None => Err(("missing closing ]", class)),
        Some('\\') => Ok((rest.chars().nth(1).unwrap_or_default(), escaped(rest)?)),
        Some(c) => Ok((c, rest.get(c.len_utf8()..).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_says_it() {
        for (expression, expected) in [
            ("^(?:web|api.*)$", None),
            ("^(?:[)$", Some("missing closing ]: `[)$`")),
            ("^(?:()$", Some("missing closing ): `^(?:()$`")),
            ("^(?:a))$", Some("unexpected ): `^(?:a))$`")),
            ("^(?:*)$", Some("missing argument to repetition operator: `*`")),
            ("^(?:|+a)$", Some("missing argument to repetition operator: `+`")),
            ("^(?:a**)$", Some("invalid nested repetition operator: `**`")),
            ("^(?:(?!x))$", Some("invalid or unsupported Perl syntax: `(?!`")),
            ("^(?:(?<=x))$", Some("invalid or unsupported Perl syntax: `(?<`")),
            ("^(?:(a)\\1)$", Some("invalid escape sequence: `\\1`")),
            ("^(?:\\C)$", Some("invalid escape sequence: `\\C`")),
            ("^(?:[z-a])$", Some("invalid character class range: `z-a`")),
            (
                "^(?:[[:foo:]])$",
                Some("invalid character class range: `[:foo:]`"),
            ),
            ("^(?:w{1001})$", Some("invalid repeat count: `{1001}`")),
            ("^(?:w{2,1})$", Some("invalid repeat count: `{2,1}`")),
            ("^(?:w{,1})$", None),
            ("^(?:\\)$", Some("missing closing ): `^(?:\\)$`")),
            ("a\\", Some("trailing backslash at end of expression: ``")),
            ("^(?:(?P<n>a)(?i)b(?s-i:c))$", None),
            ("^(?:(?P<n>a)$", Some("missing closing ): `^(?:(?P<n>a)$`")),
            ("^(?:(?P<>a))$", Some("invalid named capture: `(?P<>`")),
            ("^(?:\\x{41}\\x41\\07\\pL\\p{Greek}[\\d\\-a-]+?)$", None),
            ("^(?:[]a])$", None),
            ("^(?:\\Q(\\E\\z)$", None),
        ] {
            assert_eq!(problem(expression).as_deref(), expected, "{expression}");
        }
    }
}
