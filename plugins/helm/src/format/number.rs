//! Numbers as they are written in Go.

/// An integer literal: a sign, a base prefix, digits with underscores between them. None where it is none or too large.
pub fn parse_int(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let value = i128::from(parse_uint(digits)?);
    i64::try_from(if is_negative { -value } else { value }).ok()
}

/// The same without a sign.
pub fn parse_uint(text: &str) -> Option<u64> {
    if text.contains('_') && !are_underscores_good(text) {
        return None;
    }
    let prefix = text.get(..2).unwrap_or_default();
    let (radix, digits) = match prefix {
        "0x" | "0X" => (16, text.get(2..)?),
        "0o" | "0O" => (8, text.get(2..)?),
        "0b" | "0B" => (2, text.get(2..)?),
        _ if text.len() > 1 && text.starts_with('0') => (8, text.get(1..)?),
        _ => (10, text),
    };
    let mut value: u64 = 0;
    let mut any = false;
    for character in digits.chars().filter(|character| *character != '_') {
        value = value
            .checked_mul(radix)?
            .checked_add(character.to_digit(u32::try_from(radix).ok()?)?.into())?;
        any = true;
    }
    any.then_some(value)
}

/// A float: decimal or hexadecimal, `inf` and `nan`. None where it is none or too large.
pub fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with(|first: char| first.is_ascii_alphabetic()) {
        let value = match unsigned.to_ascii_lowercase().as_str() {
            "inf" | "infinity" => f64::INFINITY,
            "nan" if unsigned == text => f64::NAN,
            _ => return None,
        };
        return Some(if text.starts_with('-') { -value } else { value });
    }
    if text.contains('_') && !are_underscores_good(text) {
        return None;
    }
    let plain: String = unsigned.chars().filter(|character| *character != '_').collect();
    let value = match plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits)?,
        None if plain
            .contains(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | 'e' | 'E' | '+' | '-')) =>
        {
            return None;
        }
        None => plain.parse::<f64>().ok().filter(|value| value.is_finite())?,
    };
    Some(if text.starts_with('-') { -value } else { value })
}

/// `1.8p3` after its prefix. Up to 15 digits are exact; what is longer is rounded towards zero.
fn hexadecimal(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let mut exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    let places = whole
        .chars()
        .map(|digit| (digit, false))
        .chain(fraction.chars().map(|digit| (digit, true)));
    for (digit, is_fraction) in places {
        let digit = digit.to_digit(16)?;
        if value < 1 << 56 {
            value = value << 4 | u64::from(digit);
            exponent -= if is_fraction { 4 } else { 0 };
        } else {
            exponent += if is_fraction { 0 } else { 4 };
        }
    }
    let mut result = value as f64;
    // in steps, so that the factor itself stays in range
    while exponent != 0 && result != 0.0 && result.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        result *= 2_f64.powi(i32::try_from(step).unwrap_or(0));
        exponent -= step;
    }
    result.is_finite().then_some(result)
}

/// Underscores stand between digits, or between a base prefix and a digit.
fn are_underscores_good(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut is_hexadecimal = false;
    let mut rest = text;
    let mut last = '^';
    if let Some(prefix) = text.get(..2)
        && matches!(prefix, "0x" | "0X" | "0o" | "0O" | "0b" | "0B")
    {
        is_hexadecimal = matches!(prefix, "0x" | "0X");
        rest = text.get(2..).unwrap_or_default();
        last = '0';
    }
    for character in rest.chars() {
        if character.is_ascii_digit() || (is_hexadecimal && character.is_ascii_hexdigit()) {
            last = '0';
        } else if character == '_' {
            if last != '0' {
                return false;
            }
            last = '_';
        } else {
            if last == '_' {
                return false;
            }
            last = '!';
        }
    }
    last != '_'
}
