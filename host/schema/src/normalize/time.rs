//! Times as Go's `time.Parse` reads RFC 3339 and Kubernetes writes it: in UTC.

use serde_json::Value;

/// To the second; fractions are read and dropped. The zero time is written null.
pub(super) fn seconds(value: &Value) -> Option<Value> {
    let (stamp, _fraction) = parse(value.as_str()?)?;
    Some(write(stamp, None))
}

/// With exactly six digits of fraction, as Go's layout demands.
pub(super) fn micros(value: &Value) -> Option<Value> {
    let (stamp, fraction) = parse(value.as_str()?)?;
    let fraction = fraction.filter(|digits| digits.len() == 6)?;
    Some(write(stamp, Some(fraction)))
}

/// Seconds since 1 January of year 1, and the digits behind the point.
fn parse(text: &str) -> Option<(i64, Option<&str>)> {
    let (date, rest) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone = rest.find(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((clock, digits)) if !digits.is_empty() && all_digits(digits) => (clock, Some(digits)),
        Some(_) => return None,
        None => (clock, None),
    };
    // Go reads an hour of one digit, though it never writes one.
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])
        .or_else(|| numbers(clock, ':', [1, 2, 2]))
        .filter(|[hour, minute, second]| *hour < 24 && *minute < 60 && *second < 60)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let offset = match zone.strip_prefix('Z') {
        Some("") => 0,
        Some(_) => return None,
        None => {
            let (sign, digits) = zone.split_at_checked(1)?;
            let [hours, minutes] = numbers(digits, ':', [2, 2]).filter(|[h, m]| *h <= 24 && *m < 60)?;
            (hours * 3600 + minutes * 60) * if sign == "-" { -1 } else { 1 }
        }
    };
    Some((
        days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset,
        fraction,
    ))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn numbers<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts
            .next()
            .filter(|part| part.len() == length && all_digits(part))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January of year 1 to this day. Year 0 is the leap year before it.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let years = year - 1;
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years * 365 + leaps + months + day - 1
}

fn write(stamp: i64, fraction: Option<&str>) -> Value {
    if stamp == 0 && fraction.is_none_or(|digits| digits.bytes().all(|byte| byte == b'0')) {
        return Value::Null;
    }
    let (days, clock) = (stamp.div_euclid(86_400), stamp.rem_euclid(86_400));
    let mut year = 1 + days.div_euclid(366);
    while days_before(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut left = days - days_before(year, 1, 1);
    let mut month = 1;
    while left >= days_in(year, month) {
        left -= days_in(year, month);
        month += 1;
    }
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
    Value::from(format!(
        "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z",
        left + 1
    ))
}
