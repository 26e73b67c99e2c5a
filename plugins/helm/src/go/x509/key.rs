//! Private keys: made, read, written, signed with.

use ed25519_dalek::Signer as _;
use num_bigint::BigUint;

use super::{
    der::{self, Reader},
    pem::{self, encode},
    prime::{first_prime, prime, random_below, random_bits},
    rsa::RsaKey,
};
use crate::functions::random::Random;

const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const ECDSA_WITH_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];

/// A private key.
#[derive(Clone, Debug)]
pub(crate) enum PrivateKey {
    Rsa(RsaKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Dsa(DsaKey),
}

/// A key that can be written but signs no certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DsaKey {
    /// p, q, g, y, x
    numbers: [BigUint; 5],
}

impl PrivateKey {
    pub(crate) fn rsa(random: &mut Random<'_>, bits: u64) -> Self {
        Self::Rsa(RsaKey::generate(random, bits))
    }

    pub(crate) fn ecdsa(random: &mut Random<'_>) -> Self {
        loop {
            let mut bytes = [0; 32];
            random.fill(&mut bytes);
            // all but a few numbers are keys
            if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&bytes) {
                return Self::P256(key);
            }
        }
    }

    pub(crate) fn ed25519(random: &mut Random<'_>) -> Self {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// L2048N256
    pub(crate) fn dsa(random: &mut Random<'_>) -> Self {
        loop {
            let q = prime(random, 256);
            let step = &q * 2_u8;
            let start = random_bits(random, 2048);
            let start = &start - &start % &step + 1_u8;
            let Some(p) = first_prime(random, &start, &step, 1 << 14).filter(|p| p.bits() == 2048) else {
                continue;
            };
            let exponent = (&p - 1_u8) / &q;
            let g = (2_u8..).map(|base| BigUint::from(base).modpow(&exponent, &p));
            let Some(g) = g.take(200).find(|g| *g > BigUint::from(1_u8)) else {
                continue;
            };
            let x = random_below(random, &q);
            let y = g.modpow(&x, &p);
            return Self::Dsa(DsaKey {
                numbers: [p, q, g, y, x],
            });
        }
    }

    /// As sprig writes it.
    pub(crate) fn to_pem(&self) -> String {
        match self {
            Self::Rsa(key) => encode("RSA PRIVATE KEY", &key.to_der()),
            Self::P256(key) => {
                let public = key.verifying_key().to_sec1_point(false);
                encode("EC PRIVATE KEY", &sec1(&key.to_bytes(), P256, public.as_bytes()))
            }
            Self::P384(key) => {
                let public = key.verifying_key().to_sec1_point(false);
                encode("EC PRIVATE KEY", &sec1(&key.to_bytes(), P384, public.as_bytes()))
            }
            Self::Ed25519(key) => {
                let seed = der::value(der::OCTET_STRING, &der::value(der::OCTET_STRING, key.as_bytes()));
                encode(
                    "PRIVATE KEY",
                    &der::sequence(&[der::integer(&[]), algorithm(ED25519, &[]), seed]),
                )
            }
            Self::Dsa(key) => {
                let numbers = key
                    .numbers
                    .iter()
                    .map(|number| der::integer(&number.to_bytes_be()));
                let numbers: Vec<Vec<u8>> = std::iter::once(der::integer(&[])).chain(numbers).collect();
                encode("DSA PRIVATE KEY", &der::sequence(&numbers))
            }
        }
    }

    /// sprig's `parsePrivateKeyPEM`.
    ///
    /// # Errors
    /// Its text.
    pub(crate) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        if block.label == "PRIVATE KEY" {
            return from_pkcs8(&block.bytes).map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        let Some(kind) = block.label.strip_suffix(" PRIVATE KEY") else {
            return Err(format!(
                "no private key data in PEM block of type {}",
                block.label
            ));
        };
        let malformed =
            |kind: &str| format!("parsing {kind} private key from PEM: x509: failed to parse private key");
        match kind {
            "RSA" => RsaKey::from_der(&block.bytes)
                .map(Self::Rsa)
                .ok_or_else(|| malformed(kind)),
            "EC" => from_sec1(&block.bytes, None).ok_or_else(|| malformed(kind)),
            "DSA" => dsa_from_der(&block.bytes).ok_or_else(|| malformed(kind)),
            _ => Err(format!("invalid private key type {}", block.label)),
        }
    }

    /// The public key with its algorithm; none for keys that certificates are not made of.
    pub(super) fn public_key_info(&self) -> Option<Vec<u8>> {
        let info = |algorithm: Vec<u8>, key: &[u8]| der::sequence(&[algorithm, der::bit_string(key)]);
        let curve = |curve: &[u8]| algorithm(EC_PUBLIC_KEY, &der::value(der::OBJECT_IDENTIFIER, curve));
        Some(match self {
            Self::Rsa(key) => info(algorithm(RSA, der::NULL), &key.public_der()),
            Self::P256(key) => info(curve(P256), key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => info(curve(P384), key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::Ed25519(key) => info(algorithm(ED25519, &[]), key.verifying_key().as_bytes()),
            Self::Dsa(_) => return None,
        })
    }

    /// The algorithm of its signatures.
    pub(super) fn signature_algorithm(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Rsa(_) => algorithm(SHA256_WITH_RSA, der::NULL),
            Self::P256(_) => algorithm(ECDSA_WITH_SHA256, &[]),
            Self::P384(_) => algorithm(ECDSA_WITH_SHA384, &[]),
            Self::Ed25519(_) => algorithm(ED25519, &[]),
            Self::Dsa(_) => return None,
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => key.sign(message),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::signature::Signer::try_sign(key, message).ok()?;
                let (r, s) = signature.split_bytes();
                Some(der::sequence(&[der::integer(&r), der::integer(&s)]))
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature =
                    p384::ecdsa::signature::Signer::try_sign(key, message).ok()?;
                let (r, s) = signature.split_bytes();
                Some(der::sequence(&[der::integer(&r), der::integer(&s)]))
            }
            Self::Ed25519(key) => Some(key.try_sign(message).ok()?.to_bytes().to_vec()),
            Self::Dsa(_) => None,
        }
    }
}

fn algorithm(identifier: &[u8], parameters: &[u8]) -> Vec<u8> {
    der::sequence(&[
        der::value(der::OBJECT_IDENTIFIER, identifier),
        parameters.to_vec(),
    ])
}

fn sec1(secret: &[u8], curve: &[u8], public: &[u8]) -> Vec<u8> {
    der::sequence(&[
        der::integer(&[1]),
        der::value(der::OCTET_STRING, secret),
        der::value(der::context(0), &der::value(der::OBJECT_IDENTIFIER, curve)),
        der::value(der::context(1), &der::bit_string(public)),
    ])
}

/// A key of RFC 5915; the curve is in it, or known from around it.
fn from_sec1(bytes: &[u8], outer_curve: Option<&[u8]>) -> Option<PrivateKey> {
    let mut fields = Reader(bytes).sequence()?;
    fields.integer().filter(|version| *version == [1])?;
    let secret = fields.expect(der::OCTET_STRING)?.content;
    let own = fields.expect(der::context(0));
    let own = own.and_then(|read| Reader(read.content).expect(der::OBJECT_IDENTIFIER));
    let curve = own.map(|read| read.content).or(outer_curve)?;
    // leading zeros may be missing or too many
    let padded = |length: usize| {
        let zeros = secret.iter().take_while(|byte| **byte == 0).count();
        let digits = secret.get(zeros..).unwrap_or_default();
        Some([vec![0; length.checked_sub(digits.len())?], digits.to_vec()].concat())
    };
    match curve {
        P256 => p256::ecdsa::SigningKey::from_slice(&padded(32)?)
            .ok()
            .map(PrivateKey::P256),
        P384 => p384::ecdsa::SigningKey::from_slice(&padded(48)?)
            .ok()
            .map(PrivateKey::P384),
        _ => None,
    }
}

fn from_pkcs8(bytes: &[u8]) -> Result<PrivateKey, String> {
    let malformed = || "x509: failed to parse private key".to_owned();
    let mut fields = Reader(bytes).sequence().ok_or_else(malformed)?;
    fields.integer().ok_or_else(malformed)?;
    let mut algorithm = fields.sequence().ok_or_else(malformed)?;
    let identifier = algorithm
        .expect(der::OBJECT_IDENTIFIER)
        .ok_or_else(malformed)?
        .content;
    let key = fields.expect(der::OCTET_STRING).ok_or_else(malformed)?.content;
    match identifier {
        RSA => RsaKey::from_der(key).map(PrivateKey::Rsa).ok_or_else(malformed),
        EC_PUBLIC_KEY => {
            let curve = algorithm.expect(der::OBJECT_IDENTIFIER).map(|read| read.content);
            from_sec1(key, curve).ok_or_else(malformed)
        }
        ED25519 => {
            let seed = Reader(key)
                .expect(der::OCTET_STRING)
                .ok_or_else(malformed)?
                .content;
            let seed: &[u8; 32] = seed.try_into().map_err(|_| malformed())?;
            Ok(PrivateKey::Ed25519(Box::new(
                ed25519_dalek::SigningKey::from_bytes(seed),
            )))
        }
        _ => Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned()),
    }
}

fn dsa_from_der(bytes: &[u8]) -> Option<PrivateKey> {
    let mut fields = Reader(bytes).sequence()?;
    fields.integer()?;
    let mut number = || fields.integer().map(BigUint::from_bytes_be);
    let numbers = [number()?, number()?, number()?, number()?, number()?];
    Some(PrivateKey::Dsa(DsaKey { numbers }))
}
