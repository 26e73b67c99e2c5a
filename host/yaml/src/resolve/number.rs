//! Numbers as Go's `strconv` reads them with base 0, after underscores are gone.

pub(super) enum Number {
    Int(i64),
    Uint(u64),
    Float(f64),
}

/// `.inf` and `.nan` in the spellings of the table.
pub(super) fn special(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// An integer in base 2, 8, 10 or 16 by prefix, else a float. `octal` also reads `0o-7`, as v3 does.
pub(super) fn parse(text: &str, octal: bool) -> Option<Number> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", text.get(1..)?),
        Some(b'+') => ("+", text.get(1..)?),
        _ => ("", text),
    };
    let (base, digits) = split_base(digits);
    if let Some(value) = integer(sign, digits, base) {
        return Some(value);
    }
    if (base == 10 || base == 8)
        && let Some(value) = float(text)
    {
        return Some(Number::Float(value));
    }
    // What Go tries last: a sign behind the prefix, "0b-11".
    let (base, rest, negative) = match () {
        () if text.starts_with("0b") => (2, text.get(2..)?, false),
        () if text.starts_with("-0b") => (2, text.get(3..)?, true),
        () if octal && text.starts_with("0o") => (8, text.get(2..)?, false),
        () if octal && text.starts_with("-0o") => (8, text.get(3..)?, true),
        () => return None,
    };
    match (negative, rest.as_bytes().first()) {
        (false, Some(b'-')) => integer("-", rest.get(1..)?, base),
        (false, Some(b'+')) => integer("+", rest.get(1..)?, base),
        _ => None,
    }
}

fn split_base(digits: &str) -> (u32, &str) {
    let bytes = digits.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'0'), Some(b'x' | b'X')) => (16, digits.get(2..).unwrap_or_default()),
        (Some(b'0'), Some(b'b' | b'B')) => (2, digits.get(2..).unwrap_or_default()),
        (Some(b'0'), Some(b'o' | b'O')) => (8, digits.get(2..).unwrap_or_default()),
        (Some(b'0'), Some(_)) => (8, digits.get(1..).unwrap_or_default()),
        _ => (10, digits),
    }
}

fn integer(sign: &str, digits: &str, base: u32) -> Option<Number> {
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None; // from_str_radix would take a sign here
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    match sign {
        "-" if value == 1 << 63 => Some(Number::Int(i64::MIN)),
        "-" => i64::try_from(value).ok().map(|v| Number::Int(-v)),
        _ => match i64::try_from(value) {
            Ok(value) => Some(Number::Int(value)),
            Err(_) if sign.is_empty() => Some(Number::Uint(value)),
            Err(_) => None,
        },
    }
}

/// A float that starts with a point: Go allows underscores between its digits.
pub(super) fn pointed(text: &str) -> Option<f64> {
    let separates = |at: usize| {
        let digit = |index: Option<usize>| {
            index
                .and_then(|index| text.as_bytes().get(index))
                .is_some_and(u8::is_ascii_digit)
        };
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    if text.match_indices('_').all(|(at, _)| separates(at)) {
        float(&text.replace('_', ""))
    } else {
        None
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, and finite: Go calls the rest out of range.
pub(super) fn float(text: &str) -> Option<f64> {
    let digits = |s: &[u8]| s.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = text.as_bytes();
    if let Some(b'-' | b'+') = rest.first() {
        rest = rest.get(1..)?;
    }
    let whole = digits(rest);
    rest = rest.get(whole..)?;
    if rest.first() == Some(&b'.') {
        rest = rest.get(1..)?;
        let fraction = digits(rest);
        if whole == 0 && fraction == 0 {
            return None;
        }
        rest = rest.get(fraction..)?;
    } else if whole == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = rest.first() {
        rest = rest.get(1..)?;
        if let Some(b'-' | b'+') = rest.first() {
            rest = rest.get(1..)?;
        }
        let exponent = digits(rest);
        if exponent == 0 {
            return None;
        }
        rest = rest.get(exponent..)?;
    }
    if !rest.is_empty() {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`
pub(super) fn is_sexagesimal(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let mut parts = rest.split(':');
    let whole = parts.next().unwrap_or_default();
    if !whole.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return false;
    }
    let mut groups = parts.peekable();
    if groups.peek().is_none() {
        return false;
    }
    while let Some(group) = groups.next() {
        let group = match group.split_once('.') {
            Some((group, fraction))
                if groups.peek().is_none() && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') =>
            {
                group
            }
            Some(_) => return false,
            None => group,
        };
        let fits = match group.as_bytes() {
            [units] => units.is_ascii_digit(),
            [b'0'..=b'5', units] => units.is_ascii_digit(),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    true
}
