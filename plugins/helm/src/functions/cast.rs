//! spf13's `cast` and sprig's `strval`: one value as another type, without ever failing.

use crate::{
    Str, Value, format,
    go::number::{NumberError, float_to_int, parse_float, parse_int, trim_zero_decimal},
    value::IntType,
};

/// `cast.ToInt64`, which on 64 bits is `cast.ToInt` too: what is no number is 0.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        // cast knows months and weekdays, but no other named integers
        Value::Int(IntType::Duration, _) => 0,
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => number.cast_signed(),
        Value::Float(number) => float_to_int(*number),
        Value::Str(text) => parse_int(trim_zero_decimal(text.as_bytes()), 0).unwrap_or(0),
        Value::Bool(value) => i64::from(*value),
        _ => 0,
    }
}

/// `cast.ToFloat64`: what is no number is 0.
#[allow(clippy::cast_precision_loss, reason = "as the original converts it")]
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(IntType::Duration, _) => 0.0,
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Str(text) => parse_float(text.as_bytes()).unwrap_or(0.0),
        Value::Bool(value) => f64::from(*value),
        _ => 0.0,
    }
}

/// `strconv.ParseInt(text, 10, 64)` whose error nobody looks at: what does not fit is the nearest number.
pub(super) fn parse_int_anyway(text: &[u8]) -> i64 {
    match parse_int(text, 10) {
        Ok(number) => number,
        Err(NumberError::Range) if text.starts_with(b"-") => i64::MIN,
        Err(NumberError::Range) => i64::MAX,
        Err(NumberError::Syntax) => 0,
    }
}

/// sprig's `strval`: bytes as text, all else as `%v`.
pub(super) fn text(value: &Value) -> Str {
    match value {
        Value::Str(text) | Value::Bytes(text) => text.clone(),
        value => format::text(value).into(),
    }
}

/// sprig's `strslice`: a list's items as texts without nils; anything else as the only item.
pub(super) fn texts(value: &Value) -> Vec<Str> {
    match super::lists::items(value) {
        Some(items) => items.iter().filter(|item| !item.is_nil()).map(text).collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![text(value)],
    }
}
