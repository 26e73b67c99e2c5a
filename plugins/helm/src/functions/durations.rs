//! Helm's duration helpers: numbers are seconds, texts are Go's durations or seconds.

use std::sync::LazyLock;

use super::{Duration, Functions};
use crate::{
    Error, Value, format,
    go::{
        duration::{self, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, in_units},
        number::{float_to_int, parse_float},
        quote::quote,
        unicode::{is_space, runes},
    },
    value::IntType,
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("mustToDuration", |value: Value| as_duration(&value).map(Duration));
    // what is no duration is none
    let lenient = |value: &Value| as_duration(value).unwrap_or(0);
    functions.add("durationNanoseconds", move |value: Value| lenient(&value));
    functions.add("durationMicroseconds", move |value: Value| {
        lenient(&value) / MICROSECOND
    });
    functions.add("durationMilliseconds", move |value: Value| {
        lenient(&value) / MILLISECOND
    });
    functions.add("durationSeconds", move |value: Value| {
        in_units(lenient(&value), SECOND)
    });
    functions.add("durationMinutes", move |value: Value| {
        in_units(lenient(&value), MINUTE)
    });
    functions.add("durationHours", move |value: Value| {
        in_units(lenient(&value), HOUR)
    });
    functions.add("durationDays", move |value: Value| {
        in_units(lenient(&value), HOUR) / 24.0
    });
    functions.add("durationWeeks", move |value: Value| {
        in_units(lenient(&value), HOUR) / 24.0 / 7.0
    });
    functions.add("durationRoundTo", |value: Value, multiple: Value| {
        by_multiple(&value, &multiple, duration::round)
    });
    functions.add("durationTruncateTo", |value: Value, multiple: Value| {
        by_multiple(&value, &multiple, duration::truncate)
    });
}

/// The methods of an integer type: those of `time.Duration`, and `String` of months and days of the week.
pub(crate) fn int_methods(int_type: IntType) -> &'static Functions {
    static NAMES: LazyLock<Functions> = LazyLock::new(string_method);
    static DURATIONS: LazyLock<Functions> = LazyLock::new(duration_methods);
    match int_type {
        IntType::Int | IntType::Int32 | IntType::Int64 => Functions::none(),
        IntType::Month | IntType::Weekday => &NAMES,
        IntType::Duration => &DURATIONS,
    }
}

fn string_method() -> Functions {
    let mut methods = Functions::default();
    methods.add("String", |this: Value| match this {
        Value::Int(int_type, value) => int_type.text(value).unwrap_or_default(),
        _ => String::new(),
    });
    methods
}

fn duration_methods() -> Functions {
    let mut methods = string_method();
    methods.add("Nanoseconds", |this: Duration| this.0);
    methods.add("Microseconds", |this: Duration| this.0 / MICROSECOND);
    methods.add("Milliseconds", |this: Duration| this.0 / MILLISECOND);
    methods.add("Seconds", |this: Duration| in_units(this.0, SECOND));
    methods.add("Minutes", |this: Duration| in_units(this.0, MINUTE));
    methods.add("Hours", |this: Duration| in_units(this.0, HOUR));
    methods.add("Abs", |this: Duration| Duration(this.0.saturating_abs()));
    methods.add("Round", |this: Duration, multiple: Duration| {
        Duration(duration::round(this.0, multiple.0))
    });
    methods.add("Truncate", |this: Duration, multiple: Duration| {
        Duration(duration::truncate(this.0, multiple.0))
    });
    methods
}

fn by_multiple(value: &Value, multiple: &Value, change: fn(i64, i64) -> i64) -> Duration {
    Duration(match (as_duration(value), as_duration(multiple)) {
        (Err(_), _) => 0,
        (Ok(duration), Err(_)) => duration,
        (Ok(duration), Ok(multiple)) => change(duration, multiple),
    })
}

fn as_duration(value: &Value) -> Result<i64, Error> {
    let overflow = |value: &Value| {
        let number = format::text(value);
        Error::new(format!(
            "duration seconds overflow: {}",
            String::from_utf8_lossy(&number)
        ))
    };
    match value {
        Value::Int(IntType::Duration, duration) => Ok(*duration),
        Value::Int(_, seconds) => seconds
            .checked_mul(SECOND)
            .ok_or_else(|| Error::new(format!("duration seconds overflow: {seconds}"))),
        Value::Uint(_, seconds) => {
            let seconds = i64::try_from(*seconds)
                .ok()
                .and_then(|seconds| seconds.checked_mul(SECOND));
            seconds.ok_or_else(|| overflow(value))
        }
        Value::Float(seconds) => from_float(*seconds),
        Value::Str(text) => {
            let trimmed: String = runes(text.as_bytes()).collect();
            let trimmed = trimmed.trim_matches(is_space);
            if trimmed.is_empty() {
                return Err(Error::new("empty duration"));
            }
            if let Ok(duration) = duration::parse(trimmed.as_bytes()) {
                return Ok(duration);
            }
            match parse_float(trimmed.as_bytes()) {
                Ok(seconds) => from_float(seconds),
                Err(_) => Err(Error::new(format!(
                    "could not parse duration {}",
                    quote(text.as_bytes())
                ))),
            }
        }
        value if value.is_nil() => Err(Error::new("invalid duration")),
        value => Err(Error::new(format!(
            "unsupported duration type {}",
            value.type_name()
        ))),
    }
}

#[allow(clippy::cast_precision_loss, reason = "as the original computes it")]
fn from_float(seconds: f64) -> Result<i64, Error> {
    let number = || String::from_utf8_lossy(&format::text(&Value::Float(seconds))).into_owned();
    if !seconds.is_finite() {
        return Err(Error::new(format!("invalid duration seconds: {}", number())));
    }
    if seconds.abs() > i64::MAX as f64 / SECOND as f64 {
        return Err(Error::new(format!("duration seconds overflow: {}", number())));
    }
    Ok(float_to_int(seconds * SECOND as f64))
}
