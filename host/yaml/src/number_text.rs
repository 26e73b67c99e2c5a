//! Floating point numbers as Go prints them: `strconv` for YAML, `encoding/json` for JSON.

/// Digits and decimal exponent of the shortest text that reads back the same.
fn shortest(scientific: &str) -> (&str, i32) {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (digits, exponent.parse().unwrap_or(0))
}

/// Go's `%g` with the shortest digits: an exponent below 1e-4 and from 1e6 on, as YAML is printed.
/// Infinities and NaN are `.inf`, `-.inf`, `.nan`.
pub fn format_float(value: f64) -> String {
    general(value, &format!("{value:e}"), &value.to_string())
}

/// The same for a number of 32 bits: `sigs.k8s.io/yaml` prints keys so.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn format_float32(value: f64) -> String {
    let single = value as f32;
    general(value, &format!("{single:e}"), &single.to_string())
}

fn general(value: f64, scientific: &str, plain: &str) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            ".inf".into()
        } else {
            "-.inf".into()
        };
    }
    let (digits, exponent) = shortest(scientific);
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    plain.to_owned()
}

/// A finite number as `encoding/json` prints it.
pub fn format_json_float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = shortest(&text);
        let sign = if exponent < 0 { "-" } else { "+" };
        return format!("{digits}e{sign}{}", exponent.abs());
    }
    value.to_string()
}
