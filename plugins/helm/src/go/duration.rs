//! `time.Duration`: nanoseconds in 64 bits.

use super::{number::float_to_int, time::quote};

pub(crate) const MICROSECOND: i64 = 1_000;
pub(crate) const MILLISECOND: i64 = 1_000_000;
pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// `Duration.String`: `1h2m3.5s`, `1.5ms`, `0s`.
pub(crate) fn format(duration: i64) -> String {
    let sign = if duration < 0 { "-" } else { "" };
    let size = duration.unsigned_abs();
    let fraction = |value: u64, digits: usize| {
        let divisor = 10_u64.pow(u32::try_from(digits).unwrap_or(0));
        let (whole, rest) = (value / divisor, value % divisor);
        let text = format!("{rest:0digits$}");
        let text = text.trim_end_matches('0');
        if text.is_empty() {
            whole.to_string()
        } else {
            format!("{whole}.{text}")
        }
    };
    match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(size, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(size, 6)),
        _ => {
            let seconds = fraction(size % MINUTE.unsigned_abs(), 9);
            let minutes = size / MINUTE.unsigned_abs();
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// `time.ParseDuration`: `-1.5h`, `1h45m`, `300ms`.
pub(crate) fn parse(text: &[u8]) -> Result<i64, String> {
    let problem = |what: &str| format!("time: {what} {}", quote(text));
    let invalid = || problem("invalid duration");
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix(b".") {
            Some(after) => digits(after),
            None => (b"".as_slice(), after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let value = parse_digits(whole).ok_or_else(invalid)?;
        let is_number = |byte: &u8| *byte == b'.' || byte.is_ascii_digit();
        let length = after.iter().position(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(length).unwrap_or_default();
        if unit.is_empty() {
            return Err(problem("missing unit in duration"));
        }
        let Some(unit) = nanoseconds(unit) else {
            return Err(problem(&format!("unknown unit {} in duration", quote(unit))));
        };
        let part = value
            .checked_mul(unit)
            .and_then(|part| part.checked_add(fraction_of(fraction, unit)));
        total = part
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    let total = i128::from(total);
    i64::try_from(if is_negative { -total } else { total }).map_err(|_| invalid())
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(length).unwrap_or_default()
}

fn parse_digits(digits: &[u8]) -> Option<u64> {
    let value = digits.iter().try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    value.filter(|value| *value <= 1 << 63)
}

/// What a decimal fraction of a unit is, with Go's rounding.
#[allow(clippy::cast_precision_loss, reason = "as the original computes it")]
fn fraction_of(digits: &[u8], unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0);
    for digit in digits {
        if value > (u64::MAX >> 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    u64::try_from(float_to_int(value as f64 * (unit as f64 / scale))).unwrap_or(0)
}

fn nanoseconds(unit: &[u8]) -> Option<u64> {
    let unit = match std::str::from_utf8(unit).ok()? {
        "ns" => 1,
        "us" | "µs" | "μs" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    };
    u64::try_from(unit).ok()
}

/// To the nearest multiple, halves away from zero.
pub(crate) fn round(duration: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return duration;
    }
    let rest = (duration % multiple).unsigned_abs();
    let is_less_than_half = rest.wrapping_add(rest) < multiple.unsigned_abs();
    let toward_zero = duration - duration % multiple;
    match (is_less_than_half, duration < 0) {
        (true, _) => toward_zero,
        (false, true) => toward_zero.saturating_sub(multiple),
        (false, false) => toward_zero.saturating_add(multiple),
    }
}

/// To the next multiple toward zero.
pub(crate) fn truncate(duration: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        duration
    } else {
        duration - duration % multiple
    }
}

/// Whole units and their fraction, as `Seconds`, `Minutes` and `Hours` compute them.
#[allow(clippy::cast_precision_loss, reason = "as the original computes it")]
pub(crate) fn in_units(duration: i64, unit: i64) -> f64 {
    (duration / unit) as f64 + (duration % unit) as f64 / unit as f64
}
