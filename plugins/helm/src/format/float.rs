//! Floating point numbers as `strconv.FormatFloat` prints them.

use sluice_yaml::{shortest_scientific, whole_number};

/// The most digits that a number can have: what is asked for beyond them are zeros, which Rust does not print as many of.
const DIGITS_MAX: usize = 1100;

/// `%v`: the shortest digits that read back the same; below 1e-4 and from 1e6 on with an exponent.
pub fn float(value: f64) -> String {
    float_with(value, b'g', None)
}

/// A float in one of Go's formats (`e E f g G b x X`), with the precision, or as many digits as it takes.
pub fn float_with(value: f64, verb: u8, precision: Option<usize>) -> String {
    if precision.is_none()
        && matches!(verb, b'g' | b'G')
        && let Some(whole) = small_whole(value)
    {
        return whole.to_string();
    }
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match verb {
        b'f' => precision.map_or_else(
            || value.to_string(),
            |precision| format!("{value:.*}", precision.min(DIGITS_MAX)) + &zeros_beyond(precision),
        ),
        b'e' | b'E' => exponential(value, precision, verb),
        b'b' => binary(value),
        b'x' | b'X' => hexadecimal(value, precision, verb),
        _ => general(value, precision, verb),
    }
}

/// What `%v` prints as an integer, as most numbers in values are. Minus zero keeps its sign.
fn small_whole(value: f64) -> Option<i64> {
    const END: u64 = 1_000_000;
    whole_number(value).filter(|whole| whole.unsigned_abs() < END)
}

fn zeros_beyond(precision: usize) -> String {
    "0".repeat(precision.saturating_sub(DIGITS_MAX))
}

/// `d.ddde±dd`, from Rust's `d.ddde±d`.
fn exponential(value: f64, precision: Option<usize>, verb: u8) -> String {
    let text = precision.map_or_else(
        || shortest_scientific(value),
        |precision| format!("{value:.*e}", precision.min(DIGITS_MAX)),
    );
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.to_owned() + &zeros_beyond(precision.unwrap_or(0));
    with_exponent(&digits, exponent.parse().unwrap_or(0), verb)
}

fn with_exponent(digits: &str, exponent: i32, verb: u8) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{}{sign}{:02}", char::from(verb), exponent.abs())
}

fn general(value: f64, precision: Option<usize>, verb: u8) -> String {
    let exponent_verb = if verb == b'G' { b'E' } else { b'e' };
    let significant = precision.map(|precision| precision.max(1));
    let text = significant.map_or_else(
        || shortest_scientific(value),
        |digits| format!("{value:.*e}", (digits - 1).min(DIGITS_MAX)),
    );
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    // with fewer digits than asked for, an integer needs no exponent as long as all of it can be seen
    let threshold = match significant {
        None => 6,
        Some(wanted) if wanted > digits && i32::try_from(digits).is_ok_and(|digits| digits > exponent) => {
            i32::try_from(digits).unwrap_or(i32::MAX)
        }
        Some(wanted) => i32::try_from(wanted).unwrap_or(i32::MAX),
    };
    if value != 0.0 && (exponent < -4 || exponent >= threshold) {
        return with_exponent(mantissa, exponent, exponent_verb);
    }
    let decimals = (i64::try_from(digits).unwrap_or(i64::MAX) - 1 - i64::from(exponent)).max(0);
    format!("{value:.*}", usize::try_from(decimals).unwrap_or(0))
}

/// `mantissap±exponent` in decimal, as `%b` prints it.
fn binary(value: f64) -> String {
    let bits = value.to_bits();
    let (exponent, fraction) = parts(bits);
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    format!(
        "{sign}{mantissa}p{}{}",
        if exponent < 0 { '-' } else { '+' },
        exponent.abs()
    )
}

fn parts(bits: u64) -> (i32, u64) {
    let exponent = i32::try_from(bits >> 52 & 0x7FF).unwrap_or(0);
    (exponent, bits & ((1 << 52) - 1))
}

/// `0x1.8p+00`
fn hexadecimal(value: f64, precision: Option<usize>, verb: u8) -> String {
    let (biased, fraction) = parts(value.to_bits());
    // 1 digit before the point and 13 after it; one more hexadecimal digit for rounding is not needed
    let (mut mantissa, mut exponent) = if biased == 0 {
        (fraction, -1022)
    } else {
        (fraction | 1 << 52, biased - 1023)
    };
    if mantissa == 0 {
        exponent = 0;
    } else {
        while mantissa & 1 << 52 == 0 {
            mantissa <<= 1;
            exponent -= 1;
        }
    }
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let dropped = u32::try_from(52 - 4 * precision).unwrap_or(0);
        let half = 1_u64 << (dropped - 1);
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa & 1 << 53 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let digits = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(precision) => {
            let zeros = std::iter::repeat('0');
            digits.chars().chain(zeros).take(precision).collect()
        }
    };
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    let text = format!(
        "{sign}0x{}{point}{digits}p{exponent_sign}{:02}",
        mantissa >> 52,
        exponent.abs()
    );
    if verb == b'X' { text.to_uppercase() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_print_as_numbers_do() {
        let numbers = [
            0.0,
            1.0,
            10.0,
            80.0,
            65_535.0,
            999_999.0,
            1e6,
            1e7,
            2_147_483_648.0,
            1.5,
            1e300,
        ];
        for number in numbers.into_iter().flat_map(|number: f64| [number, -number]) {
            for verb in [b'g', b'G'] {
                assert_eq!(float_with(number, verb, None), general(number, None, verb));
            }
        }
        assert_eq!(small_whole(-0.0), None);
        assert_eq!(small_whole(-999_999.0), Some(-999_999));
        assert_eq!(small_whole(f64::NAN), None);
    }
}
