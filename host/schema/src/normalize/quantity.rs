//! Kubernetes quantities in the form in which Go's `resource.Quantity` writes them back.
//!
//! A quantity whose text is already canonical keeps it; what counts as canonical is decided as Go decides it,
//! small oddities included (`1.500` stays, `0.5` becomes `500m`).

use super::number;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    DecimalSi,
    BinarySi,
    DecimalExponent,
}

/// The parts of the text: `-1.50Ki` is negative, `1`, `50`, `Ki`. Leading zeros are gone.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

/// A decimal number: digits (no leading zero, empty for 0) times ten to the exponent.
#[derive(Clone, Debug)]
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
}

/// The smallest step of a quantity is a nano, 10^-9.
const NANO: i64 = -9;
/// Decimal digits that always fit 64 bits.
const DIGITS_MAX: i64 = 18;

/// From JSON: text, or a number written as Go writes it.
pub(super) fn canonical_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => canonical(text.trim_matches(' ')),
        Value::Number(number) => canonical(&number::go_text(number)),
        _ => None,
    }
}

/// The canonical text, or none where Go's parser refuses.
pub(super) fn canonical(text: &str) -> Option<String> {
    let parts = split(text)?;
    let (base, exponent, format) = interpret(parts.suffix)?;
    let all: String = format!("{}{}", parts.whole, parts.fraction);
    let value = fast_value(&parts, &all, base, exponent, format);
    if value.is_some_and(|value| keeps_its_text(value, &all, &parts, exponent, format)) {
        return Some(text.to_owned());
    }
    let mut amount = Decimal::new(&all, -i64::try_from(parts.fraction.len()).ok()?);
    if base == 10 {
        amount.exponent += exponent;
    } else {
        amount.double(exponent);
    }
    if value.is_none() {
        amount.round_up_to(NANO);
        if format == Format::BinarySi {
            amount.cap_at_max();
        }
    }
    Some(write(&amount, format, parts.negative))
}

fn split(text: &str) -> Option<Parts<'_>> {
    if text.is_empty() {
        return None;
    }
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits_end = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let rest = rest.trim_start_matches('0');
    let (whole, rest) = rest.split_at_checked(digits_end(rest))?;
    let whole = if whole.is_empty() { "0" } else { whole };
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(digits_end(rest))?,
        None => ("", rest),
    };
    Some(Parts {
        negative,
        whole,
        fraction,
        suffix,
    })
}

/// Base, exponent and format of a suffix: one of the SI or binary letters, or `e` with a whole number.
fn interpret(suffix: &str) -> Option<(u32, i64, Format)> {
    if let Some(index) = BINARY.iter().position(|name| *name == suffix) {
        return Some((2, i64::try_from(index).ok()? * 10, Format::BinarySi));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((10, *exponent, Format::DecimalSi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    #[allow(clippy::cast_possible_truncation)] // Go keeps the low 32 bits
    exponent
        .parse::<i64>()
        .ok()
        .map(|exponent| (10, i64::from(exponent as i32), Format::DecimalExponent))
}

/// Index = power of 1024; index 0 is never read from text, the decimal table has the empty suffix.
const BINARY: [&str; 7] = ["\u{0}", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [(&str, i64); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// The number without its suffix where Go computes in 64 bits, none where it computes in big decimals.
fn fast_value(parts: &Parts<'_>, all: &str, base: u32, exponent: i64, format: Format) -> Option<i64> {
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    if base == 2 {
        let room = 15 - length(parts.whole) - exponent * 3 / 10 - 1;
        if !parts.fraction.is_empty() || room < 0 {
            return None;
        }
    } else if DIGITS_MAX - length(all) < 0 || exponent - length(parts.fraction) < NANO {
        return None;
    }
    let value: i64 = all.parse().ok()?;
    let factor = if format == Format::BinarySi {
        1i64.checked_shl(u32::try_from(exponent).ok()?)?
    } else {
        1
    };
    value.checked_mul(factor).map(|_| value)
}

/// Whether Go takes the text for canonical and writes it back as it was.
fn keeps_its_text(value: i64, all: &str, parts: &Parts<'_>, exponent: i64, format: Format) -> bool {
    if format == Format::BinarySi {
        return value & 7 != 0;
    }
    let scale = exponent - i64::try_from(parts.fraction.len()).unwrap_or(0);
    scale % 3 == 0 && !all.ends_with("000") && !all.starts_with('0')
}

impl Decimal {
    fn new(digits: &str, exponent: i64) -> Self {
        let digits = digits
            .trim_start_matches('0')
            .bytes()
            .map(|digit| digit - b'0')
            .collect();
        Self { digits, exponent }
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    fn double(&mut self, times: i64) {
        for _ in 0..times {
            let mut carry = 0;
            for digit in self.digits.iter_mut().rev() {
                let doubled = *digit * 2 + carry;
                (*digit, carry) = (doubled % 10, doubled / 10);
            }
            if carry > 0 {
                self.digits.insert(0, carry);
            }
        }
    }

    /// Away from zero to a multiple of ten to the `exponent`: who asks for a little gets a little.
    fn round_up_to(&mut self, exponent: i64) {
        let drop = usize::try_from(exponent - self.exponent).unwrap_or(0);
        if drop == 0 || self.is_zero() {
            return;
        }
        let keep = self.digits.len().saturating_sub(drop);
        let rest = self.digits.split_off(keep);
        self.exponent = exponent;
        if rest.iter().any(|digit| *digit != 0) {
            self.add_one();
        }
    }

    fn add_one(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
    }

    /// How many digits are left of the point.
    fn magnitude(&self) -> i64 {
        i64::try_from(self.digits.len())
            .unwrap_or(i64::MAX)
            .saturating_add(self.exponent)
    }

    /// The number where it is whole and below 10^30.
    fn whole(&self) -> Option<i128> {
        if self.magnitude() > 30 {
            return None;
        }
        let (mut digits, mut exponent) = (self.digits.clone(), self.exponent);
        while exponent < 0 && digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        if exponent < 0 && !digits.is_empty() {
            return None;
        }
        let value = digits
            .iter()
            .fold(0i128, |value, digit| value * 10 + i128::from(*digit));
        Some(value * 10i128.pow(u32::try_from(exponent.max(0)).ok()?))
    }

    fn cap_at_max(&mut self) {
        let max = i64::MAX.to_string();
        let is_above = match self.magnitude() - i64::try_from(max.len()).unwrap_or(0) {
            0 => {
                let digits = self.digits.iter().map(|digit| digit + b'0');
                digits
                    .chain(std::iter::repeat(b'0'))
                    .take(self.digits.len().max(max.len()))
                    .gt(max.bytes())
            }
            more => more > 0,
        };
        if is_above {
            *self = Self::new(&max, 0);
        }
    }
}

fn write(amount: &Decimal, format: Format, negative: bool) -> String {
    if amount.is_zero() {
        return "0".to_owned();
    }
    let sign = if negative { "-" } else { "" };
    // A binary suffix needs a whole number of at least 1024; else nothing may be lost, so the decimal form is written.
    let binary = amount
        .whole()
        .filter(|whole| format == Format::BinarySi && *whole >= 1024);
    if let Some(mut whole) = binary {
        let mut power = 0;
        while whole % 1024 == 0 {
            whole /= 1024;
            power += 1;
        }
        let suffix = if power == 0 {
            ""
        } else {
            BINARY.get(power).copied().unwrap_or_default()
        };
        return format!("{sign}{whole}{suffix}");
    }
    let (mut digits, mut exponent) = (amount.digits.clone(), amount.exponent);
    while digits.last() == Some(&0) {
        digits.pop();
        exponent += 1;
    }
    while exponent % 3 != 0 {
        digits.push(0);
        exponent -= 1;
    }
    let digits: String = digits.iter().map(|digit| char::from(digit + b'0')).collect();
    let suffix = match format {
        Format::DecimalExponent if exponent == 0 => String::new(),
        Format::DecimalExponent => format!("e{exponent}"),
        // Go writes no suffix at all beyond `E`.
        _ => DECIMAL
            .iter()
            .find(|(_, power)| *power == exponent)
            .map_or("", |(name, _)| *name)
            .to_owned(),
    };
    format!("{sign}{digits}{suffix}")
}
