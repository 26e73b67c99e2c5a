//! `strconv`'s numbers and `cast`'s idea of them.

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    Syntax,
    Range,
}

/// `strconv.ParseInt(text, base, 64)`; base 0 reads `0x`, `0o`, `0b`, `0` and underscores.
pub(crate) fn parse_int(text: &[u8], base: u32) -> Result<i64, NumberError> {
    let (is_negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let magnitude = parse_uint(unsigned, base)?;
    let value = i128::from(magnitude);
    i64::try_from(if is_negative { -value } else { value }).map_err(|_| NumberError::Range)
}

/// `strconv.ParseUint(text, base, 64)`
pub(crate) fn parse_uint(text: &[u8], base: u32) -> Result<u64, NumberError> {
    let (digits, radix) = match (base, text) {
        (0, [b'0', b'x' | b'X', _, ..]) => (text.get(2..).unwrap_or_default(), 16),
        (0, [b'0', b'b' | b'B', _, ..]) => (text.get(2..).unwrap_or_default(), 2),
        (0, [b'0', b'o' | b'O', _, ..]) => (text.get(2..).unwrap_or_default(), 8),
        (0, [b'0', _, ..]) => (text.get(1..).unwrap_or_default(), 8),
        (0, _) => (text, 10),
        _ => (text, base),
    };
    if digits.is_empty() || base == 0 && text.contains(&b'_') && !are_underscores_well_placed(text) {
        return Err(NumberError::Syntax);
    }
    let mut value: Option<u64> = Some(0);
    for byte in digits {
        if *byte == b'_' && base == 0 {
            continue;
        }
        let digit = char::from(*byte).to_digit(radix).ok_or(NumberError::Syntax)?;
        let times = |value: u64| value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit));
        value = value.and_then(times);
    }
    value.ok_or(NumberError::Range)
}

/// Underscores stand between digits, or between a prefix and a digit.
fn are_underscores_well_placed(text: &[u8]) -> bool {
    let text = match text {
        [b'-' | b'+', rest @ ..] => rest,
        rest => rest,
    };
    let (rest, mut previous, is_hex) = match text {
        [b'0', b'b' | b'B' | b'o' | b'O', rest @ ..] => (rest, b'0', false),
        [b'0', b'x' | b'X', rest @ ..] => (rest, b'0', true),
        rest => (rest, b'^', false),
    };
    for byte in rest {
        let is_digit = byte.is_ascii_digit() || is_hex && byte.is_ascii_hexdigit();
        previous = match (*byte, previous) {
            (_, _) if is_digit => b'0',
            (b'_', b'0') => b'_',
            (_, b'_') | (b'_', _) => return false,
            _ => b'!',
        };
    }
    previous != b'_'
}

/// `strconv.ParseFloat(text, 64)`
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    let text = std::str::from_utf8(text).map_err(|_| NumberError::Syntax)?;
    let (sign, unsigned) = match text.as_bytes() {
        [b'-', ..] => (-1.0, text.get(1..).unwrap_or_default()),
        [b'+', ..] => (1.0, text.get(1..).unwrap_or_default()),
        _ => (1.0, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Ok(sign * f64::INFINITY),
        "nan" => return Ok(f64::NAN),
        _ => {}
    }
    if lower.contains('_') && !are_underscores_well_placed(lower.as_bytes()) {
        return Err(NumberError::Syntax);
    }
    let plain: String = lower.chars().filter(|c| *c != '_').collect();
    if let Some(digits) = plain.strip_prefix("0x") {
        return hexadecimal(digits).map(|value| sign * value);
    }
    // Rust reads all that Go reads, and inf, nan and signs, which are dealt with above.
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-');
    if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !plain.chars().all(is_plain) {
        return Err(NumberError::Syntax);
    }
    match plain.parse::<f64>() {
        Ok(value) if value.is_infinite() => Err(NumberError::Range),
        Ok(value) => Ok(sign * value),
        Err(_) => Err(NumberError::Syntax),
    }
}

/// A hexadecimal floating point number without its prefix: `1.8p3`. The exponent is required.
fn hexadecimal(text: &str) -> Result<f64, NumberError> {
    let (mantissa, exponent) = text.split_once('p').ok_or(NumberError::Syntax)?;
    let exponent = parse_int(exponent.as_bytes(), 10)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(NumberError::Syntax);
    }
    let mut value = 0.0;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16).ok_or(NumberError::Syntax)?);
    }
    let shift = exponent.saturating_sub(4 * i64::try_from(fraction.len()).unwrap_or(i64::MAX));
    let shift = i32::try_from(shift.clamp(-5000, 5000)).unwrap_or_default();
    let scaled = value * 2f64.powi(shift / 2) * 2f64.powi(shift - shift / 2);
    if scaled.is_infinite() {
        Err(NumberError::Range)
    } else {
        Ok(scaled)
    }
}

/// `int64(value)` on amd64: what does not fit is the smallest number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "that is the question"
)]
pub(crate) fn float_to_int(value: f64) -> i64 {
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        i64::MIN
    } else {
        value as i64
    }
}

/// Without `.000`: what `cast` does to a text before it is read as an integer.
pub(crate) fn trim_zero_decimal(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    match text.get(..text.len() - zeros) {
        Some([whole @ .., b'.']) if zeros > 0 => whole,
        _ => text,
    }
}
