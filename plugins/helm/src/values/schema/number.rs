//! Numbers as rules compare and messages show them.

use serde_json::{Number, Value as Json};
use sluice_yaml::format_float;

/// Whether a number has no fraction: `1.0` is an integer.
pub(super) fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

/// The value; rules compare as far as `float64` goes.
pub(super) fn value(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// Whether `number` is a multiple of `of`, in decimals: 0.3 is one of 0.1.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    match (decimal(value(number)), decimal(value(of))) {
        (Some((a, scale_a)), Some((b, scale_b))) => {
            let scale = scale_a.max(scale_b);
            let up = |digits: i128, from: u32| {
                10_i128
                    .checked_pow(scale - from)
                    .and_then(|factor| digits.checked_mul(factor))
            };
            match (up(a, scale_a), up(b, scale_b)) {
                (Some(a), Some(b)) if b != 0 => a % b == 0,
                _ => (value(number) / value(of)).fract() == 0.0,
            }
        }
        _ => (value(number) / value(of)).fract() == 0.0,
    }
}

/// Digits and how many of them stand behind the point.
fn decimal(value: f64) -> Option<(i128, u32)> {
    let text = format!("{value}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, u32::try_from(fraction.len()).ok()?))
}

/// As English messages print numbers: `65,535`.
pub(super) fn shown(number: f64) -> String {
    let text = if number.abs() < 1e21 {
        format!("{number}")
    } else {
        format_float(number)
    };
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text.to_owned()),
        None => ("", text),
    };
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (text.as_str(), String::new()),
    };
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

/// Whether two JSON values are equal; `1` and `1.0` are.
pub(super) fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => value(a) == value(b),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}
