//! Public keys and what they signed.

use rustls_pki_types::{
    CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
    pem::{PemObject, SectionKind},
};
use webpki::{EndEntityCert, RawPublicKeyEntity, ring as alg};

use super::ecdsa;

/// A public key, as its SubjectPublicKeyInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

/// SHA-256 signatures of each kind of key; which one it is, the key says.
const SHA256: &[&dyn SignatureVerificationAlgorithm] = &[
    alg::ECDSA_P256_SHA256,
    alg::ECDSA_P384_SHA256,
    ecdsa::P521_SHA256,
    alg::ED25519,
    alg::RSA_PKCS1_2048_8192_SHA256,
];

/// Those that authorities sign certificates with, and that the keys of certificates sign with.
pub(super) const CERTIFICATES: &[&dyn SignatureVerificationAlgorithm] = &[
    alg::ECDSA_P256_SHA256,
    alg::ECDSA_P256_SHA384,
    ecdsa::P256_SHA512,
    alg::ECDSA_P384_SHA256,
    alg::ECDSA_P384_SHA384,
    ecdsa::P384_SHA512,
    ecdsa::P521_SHA256,
    ecdsa::P521_SHA384,
    ecdsa::P521_SHA512,
    alg::ED25519,
    alg::RSA_PKCS1_2048_8192_SHA256,
    alg::RSA_PKCS1_2048_8192_SHA384,
    alg::RSA_PKCS1_2048_8192_SHA512,
];

/// Whether the key of a certificate made this signature of this message, in one of these ways.
pub(super) fn made<'a>(
    certificate: &[u8],
    algorithms: impl IntoIterator<Item = &'a &'static dyn SignatureVerificationAlgorithm>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let der = CertificateDer::from(certificate);
    EndEntityCert::try_from(&der).is_ok_and(|certificate| {
        let verifies = |algorithm: &&'static dyn SignatureVerificationAlgorithm| {
            certificate
                .verify_signature(*algorithm, message, signature)
                .is_ok()
        };
        algorithms.into_iter().any(verifies)
    })
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<PublicKey, String> {
        let key = <(SectionKind, Vec<u8>)>::from_pem_slice(pem);
        match key {
            Ok((SectionKind::PublicKey, der)) => PublicKey::from_der(&der),
            Ok(_) => Err("it is no PUBLIC KEY".to_owned()),
            Err(_) => Err("it is not in PEM".to_owned()),
        }
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    pub fn from_der(der: &[u8]) -> Result<PublicKey, String> {
        let spki = SubjectPublicKeyInfoDer::from(der);
        RawPublicKeyEntity::try_from(&spki).map_err(|_| "it cannot be read as a public key".to_owned())?;
        Ok(PublicKey(der.to_vec()))
    }

    /// The SubjectPublicKeyInfo.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether this key made this signature of this message, with SHA-256 where the kind of key leaves it open.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(self.0.as_slice());
        let Ok(key) = RawPublicKeyEntity::try_from(&spki) else {
            return false;
        };
        SHA256
            .iter()
            .any(|algorithm| key.verify_signature(*algorithm, message, signature).is_ok())
    }
}
