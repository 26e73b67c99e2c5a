//! Large primes from the render's randomness.

use num_bigint::BigUint;

use crate::functions::random::Random;

/// Rounds of Miller and Rabin's test with random bases: for random numbers of 512 bits and more the chance of a mistake
/// is below 2^-100 (Damgård, Landrock, Pomerance).
const ROUNDS: usize = 8;
/// Candidates are divided by the primes below this first, which leaves one in nine.
const SIEVE_LIMIT: u32 = 1 << 12;

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
        if let Some(found) = first_prime(random, &start, &step, 4 * bits)
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
    count: u64,
) -> Option<BigUint> {
    // the rest by each small prime moves along with the candidate
    let rest = |number: &BigUint, prime: u32| u32::try_from(number % prime).unwrap_or(0);
    let mut sieve: Vec<(u32, u32, u32)> = small_primes()
        .map(|prime| (prime, rest(start, prime), rest(step, prime)))
        .collect();
    let mut offset = 0_u64;
    while offset < count {
        let is_divisible = sieve.iter().any(|(_, rest, _)| *rest == 0);
        if !is_divisible {
            let candidate = start + step * offset;
            if is_prime(random, &candidate) {
                return Some(candidate);
            }
        }
        for (prime, rest, step) in &mut sieve {
            *rest += *step;
            if *rest >= *prime {
                *rest -= *prime;
            }
        }
        offset += 1;
    }
    None
}

/// Odd primes below the limit of the sieve.
fn small_primes() -> impl Iterator<Item = u32> {
    let is_prime = |number: &u32| {
        let divisors = (3..)
            .step_by(2)
            .take_while(|divisor| divisor * divisor <= *number);
        divisors
            .into_iter()
            .all(|divisor: u32| !number.is_multiple_of(divisor))
    };
    (3..SIEVE_LIMIT).step_by(2).filter(is_prime)
}

/// Miller's and Rabin's test; the first base is 2, which finds out almost all that are none.
fn is_prime(random: &mut Random<'_>, number: &BigUint) -> bool {
    let one = BigUint::from(1_u8);
    let minus_one = number - &one;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    let passes = |base: &BigUint| {
        let mut power = base.modpow(&odd, number);
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
    passes(&BigUint::from(2_u8)) && (1..ROUNDS).all(|_| passes(&random_below(random, &minus_one)))
}
