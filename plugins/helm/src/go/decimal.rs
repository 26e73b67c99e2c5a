//! shopspring's decimals: exact sums, differences and products; quotients with 16 digits after the point.

use num_bigint::{BigInt, Sign};
use sluice_yaml::shortest_scientific;

/// Digits after the point of a quotient.
const QUOTIENT_DIGITS: i64 = 16;

/// `value · 10^exponent`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    value: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that is this float.
    ///
    /// # Errors
    /// Infinities and NaN: the text of the original's panic.
    pub(crate) fn from_float(float: f64) -> Result<Self, String> {
        if !float.is_finite() {
            let name = match float {
                f if f.is_nan() => "NaN",
                f if f > 0.0 => "+Inf",
                _ => "-Inf",
            };
            return Err(format!("Cannot create a Decimal from {name}"));
        }
        let text = shortest_scientific(float);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = exponent.parse::<i64>().unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        let value = format!("{whole}{fraction}").parse().unwrap_or_default();
        Ok(Self { value, exponent })
    }

    /// The nearest float.
    pub(crate) fn to_float(&self) -> f64 {
        format!("{}e{}", self.value, self.exponent)
            .parse()
            .unwrap_or_default()
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let (exponent, one, two) = self.aligned(other);
        Self {
            value: one + two,
            exponent,
        }
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        let (exponent, one, two) = self.aligned(other);
        Self {
            value: one - two,
            exponent,
        }
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        Self {
            value: &self.value * &other.value,
            exponent: self.exponent + other.exponent,
        }
    }

    /// # Errors
    /// Division by zero: the text of the original's panic.
    pub(crate) fn div(&self, other: &Self) -> Result<Self, String> {
        if other.value.sign() == Sign::NoSign {
            return Err("decimal division by 0".to_owned());
        }
        let shift = self.exponent - other.exponent + QUOTIENT_DIGITS;
        let numerator = &self.value * power(shift.max(0));
        let denominator = &other.value * power((-shift).max(0));
        let (quotient, rest) = (&numerator / &denominator, &numerator % &denominator);
        let is_half_or_more = (rest.magnitude() * 2_u32) >= *denominator.magnitude();
        let away = match (is_half_or_more, numerator.sign() == denominator.sign()) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => -1,
        };
        Ok(Self {
            value: quotient + away,
            exponent: -QUOTIENT_DIGITS,
        })
    }

    fn aligned(&self, other: &Self) -> (i64, BigInt, BigInt) {
        let exponent = self.exponent.min(other.exponent);
        let scaled = |decimal: &Self| &decimal.value * power(decimal.exponent - exponent);
        (exponent, scaled(self), scaled(other))
    }
}

fn power(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}
