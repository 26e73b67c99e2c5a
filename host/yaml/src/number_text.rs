//! Floating point numbers as Go prints them: `strconv` for YAML, `encoding/json` for JSON.

/// Digits and decimal exponent of the shortest text that reads back the same.
fn shortest(scientific: &str) -> (&str, i32) {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (digits, exponent.parse().unwrap_or(0))
}

/// Ties need as many digits as this, or more: with fewer, two texts as near would not both read back the same.
const TIE_DIGITS: usize = 16;

/// The shortest text that reads back the same, as `d.ddde±d`. Of two that are as near Go takes the even one.
pub fn shortest_scientific(value: f64) -> String {
    let text = format!("{value:e}");
    let digits = text.split_once('e').map_or("", |(digits, _)| digits);
    let even = tie_decimals(digits).map(|decimals| format!("{value:.decimals$e}"));
    even.filter(|even| reads_back(even, value)).unwrap_or(text)
}

/// The same without an exponent.
fn shortest_plain(value: f64) -> String {
    let text = value.to_string();
    let even = tie_decimals(&text).map(|decimals| format!("{value:.decimals$}"));
    even.filter(|even| reads_back(even, value)).unwrap_or(text)
}

/// How many decimals a text has that may be the odd one of two as near. Rust takes the greater one where it finds out how many
/// digits are needed, and the even one where it is told.
fn tie_decimals(text: &str) -> Option<usize> {
    if text.len() <= TIE_DIGITS || !text.ends_with(['1', '3', '5', '7', '9']) {
        return None;
    }
    let (_, decimals) = text.split_once('.')?;
    Some(decimals.len())
}

fn reads_back(text: &str, value: f64) -> bool {
    text.parse::<f64>()
        .is_ok_and(|read| read.to_bits() == value.to_bits())
}

/// Go's `%g` with the shortest digits: an exponent below 1e-4 and from 1e6 on, as YAML is printed.
/// Infinities and NaN are `.inf`, `-.inf`, `.nan`.
pub fn format_float(value: f64) -> String {
    general(value, &shortest_scientific(value), &shortest_plain(value))
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

/// The integer that a number is, as far as integers have numbers of their own. Minus zero is none.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn whole_number(value: f64) -> Option<i64> {
    const END: u64 = 1 << 53;
    let whole = value as i64;
    let is_same = (whole as f64).to_bits() == value.to_bits();
    (is_same && whole.unsigned_abs() < END).then_some(whole)
}

/// A finite number as `encoding/json` prints it.
pub fn format_json_float(value: f64) -> String {
    if let Some(whole) = whole_number(value) {
        return whole.to_string();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = shortest_scientific(value);
        let (digits, exponent) = shortest(&text);
        let sign = if exponent < 0 { "-" } else { "+" };
        return format!("{digits}e{sign}{}", exponent.abs());
    }
    shortest_plain(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_print_as_numbers_do() {
        let numbers = [
            0.0,
            1.0,
            80.0,
            1e6,
            4_503_599_627_370_497.0,
            9_007_199_254_740_991.0,
        ];
        for number in numbers.into_iter().flat_map(|number: f64| [number, -number]) {
            assert_eq!(format_json_float(number), number.to_string());
        }
        for number in [
            0.5,
            -0.0,
            9_007_199_254_740_992.0,
            1e19,
            1e300,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert_eq!(whole_number(number), None, "{number}");
        }
    }
}
