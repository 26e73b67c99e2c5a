//! Numbers as rules compare and messages show them.

use std::cmp::Ordering;

use num_bigint::BigUint;
use sluice_yaml::format_float;

/// An exponent beyond which the library takes a text for no number.
const EXPONENT_MAX: i64 = 1_000_000;

/// A number and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    written: String,
    /// None for infinities, NaN and exponents that are too large: no rule holds or fails for them.
    exact: Option<Decimal>,
}

/// `0.digits × 10^point`: no zeros at either end of the digits, none at all for zero.
#[derive(Clone, Debug, PartialEq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    point: i64,
}

impl Number {
    pub(super) fn new(written: String) -> Self {
        let exact = Decimal::parse(&written);
        Self { written, exact }
    }

    pub(super) fn of(count: usize) -> Self {
        Self::new(count.to_string())
    }

    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// The nearest `float64`.
    fn float(&self) -> f64 {
        // zero has no sign
        match &self.exact {
            Some(exact) if exact.digits.is_empty() => 0.0,
            _ => self.written.parse().unwrap_or_default(),
        }
    }

    /// Whether there is no fraction: `1.0` is an integer.
    pub(super) fn is_integer(&self) -> bool {
        self.exact.as_ref().is_some_and(Decimal::is_integer)
    }

    /// None where one of them is no number.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(self.exact.as_ref()?.compare(other.exact.as_ref()?))
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// Whether this is a multiple of `of`, in decimals: 0.3 is one of 0.1.
    pub(super) fn is_multiple(&self, of: &Self) -> bool {
        match (&self.exact, &of.exact) {
            (Some(number), Some(of)) => number.is_multiple(of),
            _ => true,
        }
    }

    /// As English messages print floats: `65,535`, `1×10⁰⁶`.
    pub(super) fn shown(&self) -> String {
        let value = self.float();
        if value.is_infinite() {
            return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
        }
        let text = format_float(value);
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let raised: String = exponent.chars().filter_map(superscript).collect();
                format!("{digits}×10{raised}")
            }
            None => grouped(&text),
        }
    }

    /// As English messages print counts: `1,000,000`.
    pub(super) fn shown_count(&self) -> String {
        let exact = self.exact.as_ref().and_then(Decimal::to_text);
        exact.map_or_else(|| self.shown(), |text| grouped(&text))
    }
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let is_number = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || exponent.abs() > EXPONENT_MAX {
            return None;
        }
        let digits = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_end_matches('0').to_owned();
        Some(Self {
            is_negative: is_negative && !digits.is_empty(),
            point: if digits.is_empty() {
                0
            } else {
                i64::try_from(whole.len()).ok()? - zeros + exponent
            },
            digits,
        })
    }

    /// By how many places the digits are moved: negative where some are behind the point.
    fn scale(&self) -> i64 {
        self.point - i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }

    fn is_integer(&self) -> bool {
        self.scale() >= 0
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (1, 1) => self.size().cmp(&other.size()),
            (-1, -1) => other.size().cmp(&self.size()),
            (sign, other) => sign.cmp(&other),
        }
    }

    fn sign(&self) -> i8 {
        match self {
            _ if self.digits.is_empty() => 0,
            _ if self.is_negative => -1,
            _ => 1,
        }
    }

    /// Digits without zeros at the end compare like texts once the points agree.
    fn size(&self) -> (i64, &str) {
        (self.point, &self.digits)
    }

    fn is_multiple(&self, of: &Self) -> bool {
        if self.digits.is_empty() || of.digits.is_empty() {
            return true;
        }
        // digits end in no zero, so they are no multiple of a power of ten
        let Ok(scale) = u32::try_from(self.scale() - of.scale()) else {
            return false;
        };
        let (Ok(number), Ok(of)) = (self.digits.parse::<BigUint>(), of.digits.parse::<BigUint>()) else {
            return false;
        };
        let raised = BigUint::from(10_u8).modpow(&BigUint::from(scale), &of);
        (number * raised) % of == BigUint::ZERO
    }

    /// All digits of an integer.
    fn to_text(&self) -> Option<String> {
        let zeros = usize::try_from(self.scale()).ok()?;
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        let sign = if self.is_negative { "-" } else { "" };
        (zeros < 20).then(|| format!("{sign}{}{}", self.digits, "0".repeat(zeros)))
    }
}

fn superscript(character: char) -> Option<char> {
    match character {
        '-' => Some('⁻'),
        '0' => Some('⁰'),
        '1' => Some('¹'),
        '2' => Some('²'),
        '3' => Some('³'),
        '4' => Some('⁴'),
        '5' => Some('⁵'),
        '6' => Some('⁶'),
        '7' => Some('⁷'),
        '8' => Some('⁸'),
        '9' => Some('⁹'),
        _ => None,
    }
}

/// With a comma after each three digits in front of the point.
fn grouped(text: &str) -> String {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text),
    };
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::new(text.to_owned())
    }

    #[test]
    fn shown_as_english_prints_floats() {
        for (text, shown) in [
            ("65535", "65,535"),
            ("999999", "999,999"),
            ("1000000", "1×10⁰⁶"),
            ("1048576", "1.048576×10⁰⁶"),
            ("0.0001", "0.0001"),
            ("0.00001", "1×10⁻⁰⁵"),
            ("-1e305", "-1×10³⁰⁵"),
            ("-0.0", "0"),
            ("-1234.5", "-1,234.5"),
            ("1e999", "∞"),
        ] {
            assert_eq!(number(text).shown(), shown, "{text}");
        }
        assert_eq!(number("1000000").shown_count(), "1,000,000");
        assert_eq!(number("1e3").shown_count(), "1,000");
    }

    #[test]
    fn comparisons_are_exact() {
        for (a, b, order) in [
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("1e3", "1000.0", Ordering::Equal),
            ("-0", "0", Ordering::Equal),
            ("-2", "-10", Ordering::Greater),
            ("-2", "1e-9", Ordering::Less),
            ("0.1", "0.09", Ordering::Greater),
            ("12", "1200e-2", Ordering::Equal),
            ("1e999", "2e998", Ordering::Greater),
        ] {
            assert_eq!(number(a).compare(&number(b)), Some(order), "{a} {b}");
        }
        assert_eq!(number("1e1000001").compare(&number("1")), None);
        assert_eq!(number(".inf").compare(&number("1")), None);
    }

    #[test]
    fn multiples_are_decimal() {
        for (a, b, is_multiple) in [
            ("0.3", "0.1", true),
            ("0.35", "0.1", false),
            ("1e1000000", "7", false),
            ("1e1000000", "8", true),
            ("10", "4", false),
            ("12", "4", true),
            ("0", "3", true),
            ("1", "10", false),
            ("-9", "3", true),
        ] {
            assert_eq!(number(a).is_multiple(&number(b)), is_multiple, "{a} {b}");
        }
    }

    #[test]
    fn integers() {
        for (text, is_integer) in [
            ("1.0", true),
            ("1e3", true),
            ("1.5", false),
            ("0.0", true),
            ("5e-1", false),
        ] {
            assert_eq!(number(text).is_integer(), is_integer, "{text}");
        }
    }
}
