//! Powers by a large odd modulus, by Montgomery's multiplication.
//!
//! A guest multiplies two pairs of 32 bits at once, and has no carry for what it adds: digits of 28 bits leave room for the sums
//! of a whole multiplication, so that carries are passed on once, at its end.

use num_bigint::BigUint;
use wide::{u32x4, u64x4};

/// The bits of a digit.
const BITS: u32 = 28;
const DIGIT: u32 = (1 << BITS) - 1;

/// The bits of an exponent that are looked at together.
const WINDOW: u32 = 4;

/// How many pairs of rows may be added up before carries must be passed on: each adds four products of two digits.
const PAIRS_MAX: usize = 48;

/// An odd modulus, prepared. Numbers are kept as their product with R, two to the power of all bits of its rows, and up to
/// twice as large as the modulus. R is more than sixteen times the modulus, so that what is kept may be doubled before it is
/// multiplied, and a product is again below twice the modulus (Walter, "Montgomery exponentiation needs no final subtractions").
pub(super) struct Modulus {
    number: BigUint,
    digits: Digits,
    /// How many digits of a factor are gone through: an even number.
    rows: usize,
    /// What the modulus times it is -1, modulo 2^28.
    inverse: u32,
    /// 1, kept so: R.
    one: Digits,
}

/// Digits of a number, the lowest first: a zero, the digits, and zeros up to a multiple of four.
#[derive(Clone, Debug)]
struct Digits(Vec<u32>);

impl Digits {
    /// With room for so many.
    fn of(number: &BigUint, length: usize) -> Self {
        let mut digits = vec![0; length + 1];
        let mut words = number.iter_u32_digits();
        let (mut rest, mut bits) = (0_u64, 0);
        for digit in digits.iter_mut().skip(1) {
            if bits < BITS {
                rest |= u64::from(words.next().unwrap_or(0)) << bits;
                bits += u32::BITS;
            }
            *digit = low(rest);
            rest >>= BITS;
            bits -= BITS;
        }
        Self(digits)
    }

    fn number(&self) -> BigUint {
        let mut words = Vec::with_capacity(self.0.len());
        let (mut rest, mut bits) = (0_u64, 0);
        for digit in self.own() {
            rest |= u64::from(*digit) << bits;
            bits += BITS;
            if bits >= u32::BITS {
                words.push(word(rest));
                rest >>= u32::BITS;
                bits -= u32::BITS;
            }
        }
        words.push(word(rest));
        BigUint::new(words)
    }

    /// Without the zero before them.
    fn own(&self) -> &[u32] {
        self.0.get(1..).unwrap_or_default()
    }

    /// The lowest two.
    fn lowest(&self) -> [u64; 2] {
        let digit = |at| u64::from(self.0.get(at).copied().unwrap_or(0));
        [digit(1), digit(2)]
    }

    /// Four and four: as they are, and as what a row above multiplies.
    fn vectors(&self) -> impl Iterator<Item = (u32x4, u32x4)> {
        let below = self.0.as_chunks::<4>().0.iter();
        let own = self.own().as_chunks::<4>().0.iter();
        own.zip(below)
            .map(|(own, below)| (u32x4::new(*own), u32x4::new(*below)))
    }
}

impl Modulus {
    /// None for an even number, and for 1.
    pub(super) fn new(number: &BigUint) -> Option<Self> {
        let lowest = number.iter_u32_digits().next()?;
        if lowest.is_multiple_of(2) || *number == BigUint::from(1_u8) {
            return None;
        }
        let rows = usize::try_from((number.bits() + 5).div_ceil(u64::from(BITS))).ok()?;
        let rows = rows.next_multiple_of(2);
        // Newton's iteration: every step doubles the bits that are right, and an odd number is its own inverse in three
        let inverse = (0..4).fold(lowest, |inverse, _| {
            inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        let mut modulus = Self {
            number: number.clone(),
            // what a row above multiplies is one digit longer
            digits: Digits::of(number, (rows + 1).next_multiple_of(4)),
            rows,
            inverse: inverse.wrapping_neg(),
            one: Digits(Vec::new()),
        };
        modulus.one = modulus.keep(&BigUint::from(1_u8));
        Some(modulus)
    }

    /// `base` to the power of `exponent`, modulo this.
    pub(super) fn power(&self, base: &BigUint, exponent: &BigUint) -> BigUint {
        let mut sums = Vec::new();
        let base = self.keep(base);
        let mut powers = vec![self.one.clone()];
        for _ in 1..1 << WINDOW {
            let mut next = powers.last().unwrap_or(&self.one).clone();
            self.multiply(&mut next, &base, &mut sums);
            powers.push(next);
        }
        let mut power = self.one.clone();
        for digit in exponent.to_u32_digits().into_iter().rev() {
            for place in (0..u32::BITS / WINDOW).rev() {
                for _ in 0..WINDOW {
                    self.square(&mut power, &mut sums);
                }
                let window = digit >> (place * WINDOW) & ((1 << WINDOW) - 1);
                let factor = powers.get(window as usize).filter(|_| window > 0);
                if let Some(factor) = factor {
                    self.multiply(&mut power, factor, &mut sums);
                }
            }
        }
        self.release(power, &mut sums)
    }

    /// 2 to the power of `exponent`, modulo this: doubling is no multiplication.
    pub(super) fn power_of_two(&self, exponent: &BigUint) -> BigUint {
        let mut sums = Vec::new();
        let mut power = self.one.clone();
        for at in (0..exponent.bits()).rev() {
            self.square(&mut power, &mut sums);
            if exponent.bit(at) {
                let mut carry = 0;
                for digit in &mut power.0 {
                    (*digit, carry) = ((*digit << 1 | carry) & DIGIT, *digit >> (BITS - 1));
                }
            }
        }
        self.release(power, &mut sums)
    }

    /// As numbers are kept here.
    fn keep(&self, number: &BigUint) -> Digits {
        let kept = (number << (BITS as usize * self.rows)) % &self.number;
        Digits::of(&kept, self.digits.own().len())
    }

    fn release(&self, mut kept: Digits, sums: &mut Vec<u64>) -> BigUint {
        let one = Digits::of(&BigUint::from(1_u8), self.digits.own().len());
        self.multiply(&mut kept, &one, sums);
        kept.number() % &self.number
    }

    fn square(&self, number: &mut Digits, sums: &mut Vec<u64>) {
        self.add_rows(number, number, sums);
        self.settle(sums, number);
    }

    /// The product of two kept numbers, kept, in the place of the first.
    fn multiply(&self, number: &mut Digits, other: &Digits, sums: &mut Vec<u64>) {
        self.add_rows(number, other, sums);
        self.settle(sums, number);
    }

    /// Adds to each row so many times the modulus that its lowest digit becomes 0, two rows in one go: what they share is
    /// loaded once, and places in memory stay multiples of what is loaded.
    fn add_rows(&self, one: &Digits, other: &Digits, sums: &mut Vec<u64>) {
        sums.clear();
        sums.resize(self.rows + self.digits.own().len(), 0);
        let ([b0, b1], [n0, n1]) = (other.lowest(), self.digits.lowest());
        for (at, [a0, a1]) in one
            .own()
            .as_chunks::<2>()
            .0
            .iter()
            .enumerate()
            .take(self.rows / 2)
        {
            if at % PAIRS_MAX == PAIRS_MAX - 1 {
                carry_on(sums.get_mut(2 * at..).unwrap_or_default());
            }
            let Some(row) = sums.get_mut(2 * at..) else {
                break;
            };
            let times = |sum: u64| low(sum).wrapping_mul(self.inverse) & DIGIT;
            let (Some([low0, low1, ..]), [wide0, wide1]) =
                (row.first_chunk::<2>(), [a0, a1].map(|digit| u64::from(*digit)))
            else {
                break;
            };
            let sum = low0 + wide0 * b0;
            let m0 = times(sum);
            let sum = (sum + u64::from(m0) * n0) >> BITS;
            let m1 = times(sum + low1 + wide0 * b1 + u64::from(m0) * n1 + wide1 * b0);
            let factors = [*a0, m0, *a1, m1].map(u32x4::splat);
            let vectors = other.vectors().zip(self.digits.vectors());
            for (sums, ((b, b_below), (n, n_below))) in row.as_chunks_mut::<4>().0.iter_mut().zip(vectors) {
                // so that the compiler does not know them: it would widen them once, and then multiply 64 bits by 64
                let [a0, m0, a1, m1] = std::hint::black_box(&factors);
                let sum = u64x4::new(*sums) + b.widening_mul(*a0) + n.widening_mul(*m0);
                *sums = (sum + b_below.widening_mul(*a1) + n_below.widening_mul(*m1)).to_array();
            }
            if let Some([first, second, third]) = row.first_chunk_mut::<3>() {
                *third += ((*first >> BITS) + *second) >> BITS;
            }
        }
    }

    /// The digits of what was added up, its lowest rows aside.
    fn settle(&self, sums: &mut [u64], digits: &mut Digits) {
        let sums = sums.get_mut(self.rows..).unwrap_or_default();
        carry_on(sums);
        for (digit, sum) in digits.0.iter_mut().skip(1).zip(sums) {
            *digit = low(*sum);
        }
    }
}

/// Passes on what is more than a digit.
fn carry_on(sums: &mut [u64]) {
    let mut carry = 0;
    for sum in sums {
        let whole = *sum + carry;
        (*sum, carry) = (u64::from(low(whole)), whole >> BITS);
    }
}

/// The lowest digit.
#[allow(clippy::cast_possible_truncation, reason = "the low digit is what is wanted")]
const fn low(sum: u64) -> u32 {
    sum as u32 & DIGIT
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
const fn word(sum: u64) -> u32 {
    sum as u32
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

    /// So long that carries are passed on amid a product.
    #[test]
    fn long_numbers_do_not_overflow() {
        let modulus = (BigUint::from(1_u8) << 6000_u16) - 1_u8;
        let prepared = Modulus::new(&modulus).unwrap();
        let (base, exponent) = (&modulus - 2_u8, BigUint::from(65_537_u32));
        assert_eq!(prepared.power(&base, &exponent), base.modpow(&exponent, &modulus));
        assert_eq!(
            prepared.power_of_two(&BigUint::from(6003_u16)),
            BigUint::from(8_u8)
        );
    }

    #[test]
    fn only_odd_numbers_beyond_1_are_moduli() {
        for number in [0_u32, 1, 2, 4096] {
            assert!(Modulus::new(&BigUint::from(number)).is_none(), "{number}");
        }
    }
}
