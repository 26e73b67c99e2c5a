//! RSA keys and signatures (PKCS #1 v1.5).
//!
//! On a bare big integer: keys are born of a seed and live in a sandbox, so nothing can be learned from the time it takes, and
//! a crate that hides the time makes a key four times slower (`genCA` is in one chart of five).

use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use super::{
    der::{self, Reader},
    montgomery::Modulus,
    prime::prime,
};
use crate::functions::random::Random;

const EXPONENT: u32 = 65_537;
/// What comes before a SHA-256 digest that is signed: its algorithm in DER.
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// A private key of two primes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RsaKey {
    modulus: BigUint,
    public_exponent: BigUint,
    private_exponent: BigUint,
    p: BigUint,
    q: BigUint,
}

impl RsaKey {
    pub(super) fn generate(random: &mut Random<'_>, bits: u64) -> Self {
        let exponent = BigUint::from(EXPONENT);
        loop {
            let (p, q) = (prime(random, bits / 2), prime(random, bits / 2));
            let (p_1, q_1) = (&p - 1_u8, &q - 1_u8);
            if p == q {
                continue;
            }
            if let Some(private_exponent) = exponent.modinv(&(&p_1 * &q_1 / gcd(&p_1, &q_1))) {
                return RsaKey {
                    modulus: &p * &q,
                    public_exponent: exponent,
                    private_exponent,
                    p,
                    q,
                };
            }
        }
    }

    /// From PKCS #1.
    pub(super) fn from_der(bytes: &[u8]) -> Option<Self> {
        let mut fields = Reader(bytes).sequence()?;
        let mut number = || fields.integer().map(BigUint::from_bytes_be);
        number().filter(|version| *version == BigUint::ZERO)?;
        let key = RsaKey {
            modulus: number()?,
            public_exponent: number()?,
            private_exponent: number()?,
            p: number()?,
            q: number()?,
        };
        let fits =
            &key.p * &key.q == key.modulus && key.p > BigUint::from(1_u8) && key.q > BigUint::from(1_u8);
        fits.then_some(key)
    }

    /// As PKCS #1.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let number = |number: &BigUint| der::integer(&number.to_bytes_be());
        let (p_1, q_1) = (&self.p - 1_u8, &self.q - 1_u8);
        let inverse = self.q.modinv(&self.p).unwrap_or_default();
        der::sequence(&[
            der::integer(&[]),
            number(&self.modulus),
            number(&self.public_exponent),
            number(&self.private_exponent),
            number(&self.p),
            number(&self.q),
            number(&(&self.private_exponent % p_1)),
            number(&(&self.private_exponent % q_1)),
            number(&inverse),
        ])
    }

    pub(super) fn public_der(&self) -> Vec<u8> {
        let number = |number: &BigUint| der::integer(&number.to_bytes_be());
        der::sequence(&[number(&self.modulus), number(&self.public_exponent)])
    }

    /// Signs the SHA-256 digest of a message; none where the key is too short for it, or no product of odd primes.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let length = usize::try_from(self.modulus.bits().div_ceil(8)).ok()?;
        let digest = [SHA256_PREFIX.as_slice(), &Sha256::digest(message)].concat();
        let padding = length
            .checked_sub(digest.len() + 3)
            .filter(|padding| *padding >= 8)?;
        let encoded = [&[0, 1], vec![0xFF; padding].as_slice(), &[0], &digest].concat();
        let message = BigUint::from_bytes_be(&encoded);
        // by the Chinese remainder theorem: two powers of half the length
        let half = |prime: &BigUint| {
            let exponent = &self.private_exponent % (prime - 1_u8);
            Some(Modulus::new(prime)?.power(&message, &exponent))
        };
        let (by_p, by_q) = (half(&self.p)?, half(&self.q)?);
        let inverse = self.q.modinv(&self.p)?;
        let difference = (&by_p + &self.p - (&by_q % &self.p)) % &self.p;
        let signature = &by_q + &self.q * (difference * inverse % &self.p);
        let bytes = signature.to_bytes_be();
        Some([vec![0; length.checked_sub(bytes.len())?], bytes].concat())
    }
}

fn gcd(one: &BigUint, other: &BigUint) -> BigUint {
    let (mut one, mut other) = (one.clone(), other.clone());
    while other != BigUint::ZERO {
        (one, other) = (other.clone(), one % other);
    }
    one
}
