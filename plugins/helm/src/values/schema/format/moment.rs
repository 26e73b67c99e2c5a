//! Dates, times, durations and periods.

use super::Check;
use crate::go::{number::parse_int, quote::quote_rune, time};

pub(super) fn date(text: &str) -> Check {
    time::parse(b"2006-01-02", text.as_bytes()).map(drop)
}

/// The numbers between colons, at most `count` of them.
fn numbers(text: &[u8], count: usize, what: &str) -> Result<Vec<i64>, String> {
    let parts = text.splitn(count, |byte| *byte == b':');
    parts
        .map(|part| match parse_int(part, 10) {
            Ok(number) if number < 0 => Err(format!("non-positive hour/min{what}")),
            Ok(number) => Ok(number),
            Err(_) => Err(format!("invalid hour/min{what}")),
        })
        .collect()
}

pub(super) fn time(text: &str) -> Check {
    let bytes = text.as_bytes();
    let Some((clock, mut rest)) = bytes.split_at_checked(8).filter(|_| bytes.len() >= 9) else {
        return Err("less than 9 characters long".to_owned());
    };
    if clock.get(2) != Some(&b':') || clock.get(5) != Some(&b':') {
        return Err("missing colon in correct place".to_owned());
    }
    let [hour, minute, second] = numbers(clock, 3, "/sec")?.try_into().unwrap_or([0; 3]);
    if hour > 23 || minute > 59 || second > 60 {
        return Err("hour/min/sec out of range".to_owned());
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err("no digits in second fraction".to_owned());
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    let utc = hour * 60 + minute - offset(rest)?;
    // a leap second is the last one of a day
    if second >= 60 && utc.rem_euclid(24 * 60) != 23 * 60 + 59 {
        return Err("invalid leap second".to_owned());
    }
    Ok(())
}

/// In minutes.
fn offset(text: &[u8]) -> Result<i64, String> {
    if matches!(text, b"z" | b"Z") {
        return Ok(0);
    }
    let [sign, rest @ ..] = text else {
        return Err("offset must be 6 characters long".to_owned());
    };
    if text.len() != 6 {
        return Err("offset must be 6 characters long".to_owned());
    }
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return Err("offset must begin with plus/minus".to_owned()),
    };
    if rest.get(2) != Some(&b':') {
        return Err("missing colon in offset in correct place".to_owned());
    }
    let [hours, minutes] = numbers(rest, 2, " in offset")?.try_into().unwrap_or([0; 2]);
    if hours > 23 || minutes > 59 {
        return Err("hour/min in offset out of range".to_owned());
    }
    Ok(sign * (hours * 60 + minutes))
}

pub(super) fn date_time(text: &str) -> Check {
    if text.len() < 20 {
        return Err("less than 20 characters long".to_owned());
    }
    if !matches!(text.as_bytes().get(10), Some(b't' | b'T')) {
        return Err("11th character must be t or T".to_owned());
    }
    date(text.get(..10).unwrap_or_default()).map_err(|why| format!("invalid date element: {why}"))?;
    time(text.get(11..).unwrap_or_default()).map_err(|why| format!("invalid time element: {why}"))
}

pub(super) fn duration(text: &str) -> Check {
    let Some(text) = text.strip_prefix('P') else {
        return Err("must start with P".to_owned());
    };
    if text.is_empty() {
        return Err("nothing after P".to_owned());
    }
    if let Some(weeks) = text.strip_suffix('W') {
        return match weeks {
            "" => Err("no number in week".to_owned()),
            _ if weeks.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
            _ => Err("invalid week".to_owned()),
        };
    }
    let mut parts = text.split('T');
    elements(parts.next().unwrap_or_default(), "YMD")?;
    if let Some(part) = parts.next() {
        if part.is_empty() {
            return Err("no time elements".to_owned());
        }
        elements(part, "HMS")?;
    }
    match parts.next() {
        None => Ok(()),
        Some("") => Err("no time elements".to_owned()),
        Some(_) => Err("more than one T".to_owned()),
    }
}

/// Numbers with units, in the order of the units.
fn elements(text: &str, units: &str) -> Check {
    let (mut rest, mut left) = (text, units);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if after.len() == rest.len() {
            return Err("missing number".to_owned());
        }
        let Some(unit) = after.bytes().next() else {
            return Err("missing unit".to_owned());
        };
        let unit = char::from(unit);
        let Some((_, later)) = left.split_once(unit) else {
            let quoted = quote_rune(unit, false);
            return Err(match units.contains(unit) {
                true => format!("unit {quoted} out of order"),
                false => format!("invalid unit {quoted}"),
            });
        };
        (rest, left) = (after.get(1..).unwrap_or_default(), later);
    }
    Ok(())
}

pub(super) fn period(text: &str) -> Check {
    let Some((start, end)) = text.split_once('/') else {
        return Err("missing slash".to_owned());
    };
    let told = |what: &'static str| move |why: String| format!("invalid {what}: {why}");
    if start.starts_with('P') {
        duration(start).map_err(told("start duration"))?;
        return date_time(end).map_err(told("end date-time"));
    }
    date_time(start).map_err(told("start date-time"))?;
    if end.starts_with('P') {
        return duration(end).map_err(told("end duration"));
    }
    date_time(end).map_err(told("end date-time"))
}
