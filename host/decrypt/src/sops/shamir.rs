//! Putting a secret together again that was split among key groups: Shamir's scheme over GF(2^8), a byte at a time.

use super::DataKey;
use zeroize::Zeroizing;

/// Parts end with their own x coordinate.
///
/// # Errors
/// The parts do not belong together.
pub(crate) fn combine(parts: &[DataKey]) -> Result<DataKey, String> {
    let size = parts.first().map_or(0, |part| part.len());
    if parts.len() < 2 || size < 2 || parts.iter().any(|part| part.len() != size) {
        return Err("all parts must be the same length, and at least two".to_owned());
    }
    let xs: Vec<u8> = parts.iter().filter_map(|part| part.last().copied()).collect();
    let is_repeated = xs
        .iter()
        .enumerate()
        .any(|(at, x)| xs.iter().skip(at + 1).any(|y| x == y));
    if is_repeated {
        return Err("duplicate part detected".to_owned());
    }
    // the same for every byte, and there may be very many of both
    let weights: Vec<u8> = xs
        .iter()
        .map(|x| {
            xs.iter()
                .filter(|other| *other != x)
                .fold(1, |product, other| multiply(product, divide(*other, other ^ x)))
        })
        .collect();
    let mut secret = Zeroizing::new(vec![0; size - 1]);
    for (at, byte) in secret.iter_mut().enumerate() {
        // the polynomial through all points, at zero
        *byte = parts.iter().zip(&weights).fold(0, |sum, (part, weight)| {
            sum ^ multiply(part.get(at).copied().unwrap_or_default(), *weight)
        });
    }
    Ok(secret)
}

/// Without branches on the operands: they are secret.
fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (carry & 0x1b);
        b >>= 1;
    }
    product
}

/// `b` is never zero: coordinates differ. The inverse is `b^254`.
fn divide(a: u8, b: u8) -> u8 {
    let inverse = (0..253).fold(b, |power, _| multiply(power, b));
    multiply(a, inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_two_of_three_parts_give_the_secret(secret in prop::collection::vec(any::<u8>(), 32), slope in prop::collection::vec(any::<u8>(), 32), leave in 0usize..3) {
            let part = |x: u8| {
                let mut part: Vec<u8> = secret.iter().zip(&slope).map(|(s, k)| s ^ multiply(*k, x)).collect();
                part.push(x);
                Zeroizing::new(part)
            };
            let mut parts = vec![part(1), part(77), part(255)];
            parts.remove(leave);
            prop_assert_eq!(&*combine(&parts).unwrap(), &secret);
        }
    }
}
