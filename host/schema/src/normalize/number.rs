//! Numbers as Go's converter takes them.

use serde_json::Value;

/// A whole number of 64 bits. A float with nothing behind the point is one; beyond 64 bits Go on amd64 makes it the smallest.
pub(super) fn int64(value: &Value) -> Option<i64> {
    let Value::Number(number) = value else { return None };
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64().filter(|float| float.trunc() == *float)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // the range is checked
    Some(if float >= i64::MIN as f64 && float < i64::MAX as f64 {
        float as i64
    } else {
        i64::MIN
    })
}

/// The low 32 bits of a whole number: Go's conversion does not look at the rest.
pub(super) fn int32(value: &Value) -> Option<i32> {
    #[allow(clippy::cast_possible_truncation)] // as Go does
    int64(value).map(|whole| whole as i32)
}

/// A number; JSON writes a whole one without a point.
pub(super) fn float(value: &Value) -> Option<Value> {
    let Value::Number(number) = value else { return None };
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // only where nothing is lost
    let whole = number
        .as_f64()
        .map(|float| float as i64)
        .filter(|whole| Some(*whole as f64) == number.as_f64());
    Some(whole.map_or_else(|| value.clone(), Value::from))
}

/// A string, or a number that JSON writes without point or exponent and that fits 32 bits.
pub(super) fn int_or_string(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(Value::from(text.as_str())),
        Value::Number(number) => go_text(number).parse::<i32>().ok().map(Value::from),
        _ => None,
    }
}

/// A number as Go's `encoding/json` writes it: a whole float without a point, large and small ones with an exponent.
pub(super) fn go_text(number: &serde_json::Number) -> String {
    if let Some(whole) = number.as_i64() {
        return whole.to_string();
    }
    let Some(float) = number.as_f64() else {
        return number.to_string();
    };
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return text.split_once('e').map_or(text.clone(), |(digits, exponent)| {
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}e{sign}{exponent}")
        });
    }
    format!("{float}")
}
