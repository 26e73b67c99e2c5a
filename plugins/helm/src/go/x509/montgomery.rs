//! Powers by a large odd modulus, by Montgomery's multiplication.
//!
//! A guest multiplies 32 bits by 32 in one instruction and 64 by 64 in a call; digits of 32 bits and one pass over them a row
//! make this three times as fast there as the general big integer.

use num_bigint::BigUint;

/// The bits of an exponent that are looked at together.
const WINDOW: u32 = 4;

/// Digits come in blocks, zeros before them: a guest looks at the clock in every turn of a loop, which costs as much as a digit.
const BLOCK: usize = 8;

/// An odd modulus, prepared. Numbers are kept as their product with R, two to the power of all bits of its digits.
pub(super) struct Modulus {
    number: BigUint,
    digits: Vec<u32>,
    /// What the modulus times it is -1, modulo 2^32.
    inverse: u32,
    /// 1, kept so: R.
    one: Vec<u32>,
}

impl Modulus {
    /// None for an even number, and for 1.
    pub(super) fn new(number: &BigUint) -> Option<Self> {
        let mut digits = number.to_u32_digits();
        let lowest = *digits.first()?;
        if lowest.is_multiple_of(2) || digits == [1] {
            return None;
        }
        digits.resize(digits.len().next_multiple_of(BLOCK), 0);
        // Newton's iteration: every step doubles the bits that are right, and an odd number is its own inverse in three
        let inverse = (0..4).fold(lowest, |inverse, _| {
            inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        let mut modulus = Self {
            number: number.clone(),
            inverse: inverse.wrapping_neg(),
            one: Vec::new(),
            digits,
        };
        modulus.one = modulus.keep(&BigUint::from(1_u8));
        Some(modulus)
    }

    /// `base` to the power of `exponent`, modulo this.
    pub(super) fn power(&self, base: &BigUint, exponent: &BigUint) -> BigUint {
        let mut product = Product::default();
        let base = self.keep(base);
        let mut powers = vec![self.one.clone()];
        for _ in 1..1 << WINDOW {
            let last = powers.last().unwrap_or(&self.one);
            self.multiply(last, &base, &mut product);
            powers.push(product.digits.clone());
        }
        let mut power = self.one.clone();
        for digit in exponent.to_u32_digits().into_iter().rev() {
            for place in (0..u32::BITS / WINDOW).rev() {
                for _ in 0..WINDOW {
                    self.multiply(&power, &power, &mut product);
                    std::mem::swap(&mut power, &mut product.digits);
                }
                let window = digit >> (place * WINDOW) & ((1 << WINDOW) - 1);
                let factor = powers.get(window as usize).filter(|_| window > 0);
                if let Some(factor) = factor {
                    self.multiply(&power, factor, &mut product);
                    std::mem::swap(&mut power, &mut product.digits);
                }
            }
        }
        self.release(&power)
    }

    /// 2 to the power of `exponent`, modulo this: doubling is no multiplication.
    pub(super) fn power_of_two(&self, exponent: &BigUint) -> BigUint {
        let mut product = Product::default();
        let mut power = self.one.clone();
        for at in (0..exponent.bits()).rev() {
            self.multiply(&power, &power, &mut product);
            std::mem::swap(&mut power, &mut product.digits);
            if exponent.bit(at) {
                let mut carry = 0;
                for digit in &mut power {
                    (*digit, carry) = (*digit << 1 | carry, *digit >> 31);
                }
                self.reduce(&mut power, carry);
            }
        }
        self.release(&power)
    }

    /// As numbers are kept here.
    fn keep(&self, number: &BigUint) -> Vec<u32> {
        let kept = (number << (32 * self.digits.len())) % &self.number;
        let mut digits = kept.to_u32_digits();
        digits.resize(self.digits.len(), 0);
        digits
    }

    fn release(&self, kept: &[u32]) -> BigUint {
        let mut one = vec![0; self.digits.len()];
        if let Some(lowest) = one.first_mut() {
            *lowest = 1;
        }
        let mut product = Product::default();
        self.multiply(kept, &one, &mut product);
        BigUint::new(product.digits)
    }

    /// The product of two kept numbers, kept: row by row, each with so many times the modulus that its lowest digit becomes 0.
    fn multiply(&self, one: &[u32], other: &[u32], product: &mut Product) {
        let length = self.digits.len();
        let rows = &mut product.rows;
        rows.clear();
        rows.resize(2 * length, 0);
        let lowest = other.first().copied().unwrap_or(0);
        let mut top = 0;
        for (at, digit) in one.iter().enumerate() {
            let Some((row, next)) = rows
                .get_mut(at..)
                .and_then(|rest| rest.split_at_mut_checked(length))
            else {
                break;
            };
            let first = row.first().copied().unwrap_or(0);
            let times = first
                .wrapping_add(digit.wrapping_mul(lowest))
                .wrapping_mul(self.inverse);
            let (digit, times) = (u64::from(*digit), u64::from(times));
            let (mut carry, mut carry_of_modulus) = (0, 0);
            let blocks = row.as_chunks_mut::<BLOCK>().0.iter_mut();
            let blocks = blocks.zip(other.as_chunks::<BLOCK>().0);
            for ((sums, others), moduli) in blocks.zip(self.digits.as_chunks::<BLOCK>().0) {
                for ((sum, other), modulus) in sums.iter_mut().zip(others).zip(moduli) {
                    let (low, high) = halves(digit * u64::from(*other) + u64::from(*sum) + carry);
                    carry = high;
                    let (low, high) = halves(times * u64::from(*modulus) + u64::from(low) + carry_of_modulus);
                    carry_of_modulus = high;
                    *sum = low;
                }
            }
            if let Some(next) = next.first_mut() {
                (*next, top) = halves(carry + carry_of_modulus + top);
            }
        }
        product.digits.clear();
        product
            .digits
            .extend_from_slice(rows.get(length..).unwrap_or_default());
        self.reduce(&mut product.digits, halves(top).0);
    }

    /// Takes the modulus away once where the number, with `top` before its digits, is not smaller.
    fn reduce(&self, digits: &mut [u32], top: u32) {
        if top == 0 && digits.iter().rev().lt(self.digits.iter().rev()) {
            return;
        }
        let mut borrow = false;
        for (digit, modulus) in digits.iter_mut().zip(&self.digits) {
            let (difference, one) = digit.overflowing_sub(*modulus);
            let (difference, other) = difference.overflowing_sub(u32::from(borrow));
            (*digit, borrow) = (difference, one || other);
        }
    }
}

/// Where a product is made, so that room is found once for a thousand of them.
#[derive(Default)]
struct Product {
    rows: Vec<u32>,
    digits: Vec<u32>,
}

/// The low half, and the high one as a carry.
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn halves(number: u64) -> (u32, u64) {
    (number as u32, number >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(hex: &str) -> BigUint {
        BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default()
    }

    /// Numbers of all lengths, and those that carry through all digits.
    fn numbers() -> Vec<BigUint> {
        let one = BigUint::from(1_u8);
        let mut numbers: Vec<BigUint> = [3_u32, 5, 65_537, u32::MAX].map(BigUint::from).into();
        for bits in [32_u64, 33, 63, 64, 65, 96, 512, 1024, 1055] {
            numbers.push((&one << bits) - 1_u8);
            numbers.push((&one << bits) + 1_u8);
            numbers.push((&one << bits) + (&one << (bits / 2)) + 1_u8);
        }
        numbers.push(number(
            "c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22",
        ));
        numbers
    }

    #[test]
    fn powers_are_those_of_the_general_big_integer() {
        for modulus in numbers() {
            let prepared = Modulus::new(&modulus);
            let Some(prepared) = prepared.filter(|_| modulus.bit(0)) else {
                assert!(!modulus.bit(0), "{modulus:x} is odd");
                continue;
            };
            for other in numbers() {
                let two = BigUint::from(2_u8);
                assert_eq!(
                    prepared.power_of_two(&other),
                    two.modpow(&other, &modulus),
                    "2^{other:x} % {modulus:x}"
                );
                for base in [&other + 1_u8, &modulus - 1_u8, BigUint::ZERO] {
                    let expected = base.modpow(&other, &modulus);
                    assert_eq!(
                        prepared.power(&base, &other),
                        expected,
                        "{base:x}^{other:x} % {modulus:x}"
                    );
                }
            }
            assert_eq!(prepared.power(&modulus, &BigUint::ZERO), BigUint::from(1_u8));
        }
    }

    #[test]
    fn only_odd_numbers_beyond_1_are_moduli() {
        for number in [0_u32, 1, 2, 4096] {
            assert!(Modulus::new(&BigUint::from(number)).is_none(), "{number}");
        }
    }
}
