//! `net/netip.ParseAddr`, for its texts.

use crate::go::quote::quote;

/// What Go finds wrong with an address that has a colon; the zone where nothing is.
pub(super) fn zone(text: &str) -> Result<&str, String> {
    let parser = Parser { text };
    match text.find(['.', ':', '%']).and_then(|at| text.get(at..)) {
        Some(rest) if rest.starts_with('.') => parser.four(text, &mut 0).map(|()| ""),
        Some(rest) if rest.starts_with(':') => parser.six(),
        Some(_) => parser.fail("missing IPv6 address", ""),
        None => parser.fail("unable to parse IP", ""),
    }
}

struct Parser<'t> {
    text: &'t str,
}

impl<'t> Parser<'t> {
    fn fail<T>(&self, what: &str, rest: &str) -> Result<T, String> {
        let mut error = format!("ParseAddr({}): {what}", quote(self.text.as_bytes()));
        if !rest.is_empty() {
            error.push_str(&format!(" (at {})", quote(rest.as_bytes())));
        }
        Err(error)
    }

    /// Four numbers with dots; `size` grows by the bytes they take.
    fn four(&self, text: &str, size: &mut usize) -> Result<(), String> {
        let (mut value, mut digits, mut dots) = (0_u32, 0, 0);
        let mut previous = '.';
        for (at, character) in text.char_indices() {
            let rest = text.get(at..).unwrap_or_default();
            match character {
                '0'..='9' if digits == 1 && value == 0 => {
                    return self.fail("IPv4 field has octet with leading zero", "");
                }
                '0'..='9' => {
                    value = value * 10 + character.to_digit(10).unwrap_or_default();
                    digits += 1;
                    if value > 255 {
                        return self.fail("IPv4 field has value >255", "");
                    }
                }
                '.' if previous == '.' || rest == "." => {
                    return self.fail("IPv4 field must have at least one digit", rest);
                }
                '.' if dots == 3 => return self.fail("IPv4 address too long", ""),
                '.' => (value, digits, dots) = (0, 0, dots + 1),
                _ => return self.fail("unexpected character", rest),
            }
            previous = character;
        }
        if dots < 3 {
            return self.fail("IPv4 address too short", "");
        }
        *size += 4;
        Ok(())
    }

    fn six(&self) -> Result<&'t str, String> {
        let (mut rest, zone) = match self.text.split_once('%') {
            Some((_, "")) => return self.fail("zone must be a non-empty string", ""),
            Some(parts) => parts,
            None => (self.text, ""),
        };
        let mut has_gap = false;
        if let Some(after) = rest.strip_prefix("::") {
            (rest, has_gap) = (after, true);
            if rest.is_empty() {
                return Ok(zone);
            }
        }
        let mut size = 0;
        while size < 16 {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
            if digits > 4 {
                return self.fail("each group must have 4 or less digits", rest);
            }
            if digits == 0 {
                return self.fail("each colon-separated field must have at least one digit", rest);
            }
            let after = rest.get(digits..).unwrap_or_default();
            if after.starts_with('.') {
                if !has_gap && size != 12 {
                    return self.fail(
                        "embedded IPv4 address must replace the final 2 fields of the address",
                        rest,
                    );
                }
                if size > 12 {
                    return self.fail(
                        "too many hex fields to fit an embedded IPv4 at the end of the address",
                        rest,
                    );
                }
                self.four(rest, &mut size)?;
                rest = "";
                break;
            }
            size += 2;
            rest = after;
            if rest.is_empty() {
                break;
            }
            let Some(after) = rest.strip_prefix(':') else {
                return self.fail("unexpected character, want colon", rest);
            };
            if after.is_empty() {
                return self.fail("colon must be followed by more characters", rest);
            }
            rest = after;
            if let Some(after) = rest.strip_prefix(':') {
                if has_gap {
                    return self.fail("multiple :: in address", rest);
                }
                (rest, has_gap) = (after, true);
                if rest.is_empty() {
                    break;
                }
            }
        }
        match size {
            _ if !rest.is_empty() => self.fail("trailing garbage after address", rest),
            16 if has_gap => self.fail("the :: must expand to at least one field of zeros", ""),
            0..16 if !has_gap => self.fail("address string too short", ""),
            _ => Ok(zone),
        }
    }
}
