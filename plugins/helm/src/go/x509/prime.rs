//! Large primes from the render's randomness.

use num_bigint::BigUint;

use super::montgomery::Modulus;
use crate::functions::random::Random;

/// Rounds of Miller and Rabin's test that leave a chance of a mistake below 2^-112: what FIPS 186-5 (table B.1) asks for primes
/// of 1024 bits and more, and of smaller ones what its appendix C asks where nothing is known of the number.
const fn rounds(bits: u64) -> usize {
    if bits >= 1024 { 5 } else { 56 }
}

/// What the primes below this divide is no candidate, which leaves one odd number in ten.
const SIEVE_LIMIT: u32 = 1 << 16;

/// A random number of so many bits; the highest two are set, so that a product of two has all its bits.
pub(super) fn random_bits(random: &mut Random<'_>, bits: u64) -> BigUint {
    let mut bytes = vec![0; usize::try_from(bits.div_ceil(8)).unwrap_or(0)];
    random.fill(&mut bytes);
    let mut number = BigUint::from_bytes_be(&bytes) % (BigUint::from(1_u8) << bits);
    number.set_bit(bits - 1, true);
    number.set_bit(bits - 2, true);
    number
}

/// A random number below another, and not 0.
pub(super) fn random_below(random: &mut Random<'_>, limit: &BigUint) -> BigUint {
    let bits = limit.bits();
    loop {
        let mut bytes = vec![0; usize::try_from(bits.div_ceil(8)).unwrap_or(0)];
        random.fill(&mut bytes);
        let number = BigUint::from_bytes_be(&bytes) % (BigUint::from(1_u8) << bits);
        if number < *limit && number != BigUint::ZERO {
            return number;
        }
    }
}

/// A prime of so many bits, the highest two set.
pub(super) fn prime(random: &mut Random<'_>, bits: u64) -> BigUint {
    let step = BigUint::from(2_u8);
    loop {
        let mut start = random_bits(random, bits);
        start.set_bit(0, true);
        if let Some(found) = first_prime(random, &start, &step, usize::try_from(4 * bits).unwrap_or(0))
            && found.bits() == bits
        {
            return found;
        }
    }
}

/// The first prime of `start`, `start + step` …; none among so many.
pub(super) fn first_prime(
    random: &mut Random<'_>,
    start: &BigUint,
    step: &BigUint,
    count: usize,
) -> Option<BigUint> {
    let mut is_divisible = vec![false; count];
    for pair in small_primes().chunks(2) {
        // of two together, whose product is one digit still: a large number is divided half as often
        let both: u32 = pair.iter().product();
        let rest = |number: &BigUint| u32::try_from(number % both).unwrap_or(0);
        let (start, step) = (rest(start), rest(step));
        for &prime in pair {
            // prime divides start + step·n for n = -start / step, and each prime-th from there
            let (start, step) = (start % prime, step % prime);
            let first = match step {
                0 if start > 0 => continue,
                0 => return None,
                2 => product(prime - start, prime.div_ceil(2), prime),
                step => product(prime - start, inverse(step, prime), prime),
            };
            let every = is_divisible.iter_mut().skip(first as usize);
            every
                .step_by(prime as usize)
                .for_each(|divisible| *divisible = true);
        }
    }
    let candidates = is_divisible.iter().enumerate();
    let candidates = candidates.filter(|(_, divisible)| !**divisible);
    let mut candidates = candidates.map(|(at, _)| start + step * at);
    candidates.find(|candidate| is_prime(random, candidate))
}

/// Modulo a prime, by Fermat's theorem.
fn inverse(number: u32, prime: u32) -> u32 {
    let exponent = prime - 2;
    (0..SIEVE_LIMIT.ilog2()).rev().fold(1, |power, bit| {
        let square = product(power, power, prime);
        match exponent >> bit & 1 {
            0 => square,
            _ => product(square, number, prime),
        }
    })
}

/// Modulo a prime of at most 16 bits.
fn product(one: u32, other: u32, prime: u32) -> u32 {
    (one % prime) * (other % prime) % prime
}

/// Odd primes below the limit of the sieve.
fn small_primes() -> Vec<u32> {
    let mut is_composite = vec![false; SIEVE_LIMIT as usize];
    let mut primes = Vec::new();
    for number in (3..SIEVE_LIMIT).step_by(2) {
        if is_composite.get(number as usize) != Some(&false) {
            continue;
        }
        primes.push(number);
        let multiples = is_composite.iter_mut().step_by(number as usize);
        multiples.for_each(|composite| *composite = true);
    }
    primes
}

/// Miller's and Rabin's test; the first base is 2, which finds out almost all that are none.
fn is_prime(random: &mut Random<'_>, number: &BigUint) -> bool {
    let Some(modulus) = Modulus::new(number) else {
        return *number == BigUint::from(2_u8);
    };
    let one = BigUint::from(1_u8);
    let minus_one = number - &one;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    let passes = |mut power: BigUint| {
        if power == one || power == minus_one {
            return true;
        }
        for _ in 1..twos {
            power = &power * &power % number;
            if power == minus_one {
                return true;
            }
        }
        false
    };
    passes(modulus.power_of_two(&odd))
        && (1..rounds(number.bits())).all(|_| passes(modulus.power(&random_below(random, &minus_one), &odd)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{Call, Environment, Timestamp};

    /// The first primes beyond powers of two: OEIS A013597.
    #[test]
    fn the_first_prime_of_a_row_is_found() {
        let environment = Environment::new(Timestamp::default(), [0; 32]);
        let call = Call::new(&environment);
        for (bits, step, offset) in [
            (256_u32, 2_u8, 297_u32),
            (256, 4, 297),
            (512, 2, 75),
            (1024, 2, 643),
        ] {
            let power = BigUint::from(1_u8) << bits;
            let found = first_prime(
                &mut Random::of(&call),
                &(&power + 1_u8),
                &BigUint::from(step),
                1000,
            );
            assert_eq!(found, Some(power + offset), "2^{bits} in steps of {step}");
        }
        // all of them are divisible by three
        let (start, step) = (BigUint::from(3_u8) << 300, BigUint::from(6_u8));
        assert_eq!(
            first_prime(&mut Random::of(&call), &(start + 3_u8), &step, 1000),
            None
        );
    }

    #[test]
    fn small_primes_are_prime_and_have_inverses() {
        let primes = small_primes();
        assert_eq!(primes.get(..5), Some([3, 5, 7, 11, 13].as_slice()));
        assert_eq!((primes.len(), primes.last()), (6541, Some(&65_521)));
        for prime in primes {
            let number = 1 + prime / 3;
            assert_eq!(
                product(number, inverse(number, prime), prime),
                1,
                "{number} % {prime}"
            );
        }
    }
}
