//! ECDSA over P-521, which ring does not have.

use p521::ecdsa::{DerSignature, VerifyingKey, signature::hazmat::PrehashVerifier};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Signatures by one hash.
#[derive(Debug)]
struct P521 {
    digest: fn(&[u8]) -> Vec<u8>,
    name: AlgorithmIdentifier,
}

/// `ES512`, and what Go's authorities sign with.
pub(super) const SHA512: &dyn SignatureVerificationAlgorithm = &P521 {
    digest: |message| Sha512::digest(message).to_vec(),
    name: alg_id::ECDSA_SHA512,
};
/// What some authorities sign with.
pub(super) const SHA384: &dyn SignatureVerificationAlgorithm = &P521 {
    digest: |message| Sha384::digest(message).to_vec(),
    name: alg_id::ECDSA_SHA384,
};
/// What OpenSSL's authorities sign with where nothing is said.
pub(super) const SHA256: &dyn SignatureVerificationAlgorithm = &P521 {
    digest: |message| Sha256::digest(message).to_vec(),
    name: alg_id::ECDSA_SHA256,
};

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::try_from(signature).map_err(|_| InvalidSignature)?;
        key.verify_prehash(&(self.digest)(message), &signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "04015f7cbdc79640f166ac275bc219b3cd20928227b0cc85f3f50084d84c0cec3b6397cca95a1b3c82d939cdc119c6dc01e2ba1df4e2f55d55c8e838592ddbf83404cb01b3a6bf16f9bf649734f70cb27290c84606fa152d81a924aabba6a39dccbd2638a45e6146dabcac734c7f01ecf9eb8a2f22b51648b7b22a6418f559c3e65c801ede";
    /// By `openssl dgst -sign`.
    const SIGNED: [(&dyn SignatureVerificationAlgorithm, &str); 3] = [
        (
            SHA256,
            "3081880242008cdecff80bd74382fefe7530af5ea2fe97b74638e4424d5a1165adba5a10313cac61ed6bd3b2b49e6353718d98ba39dbf05360faec9d61f58fef71261e72dfd322024201c00c4466d5a0a082a92c794225094a4118a1ee82bafb87e4c1f4643c9db962cfbddd20f87d817c5d62f7a580e8e848e6c943f60f319761f17ec78217bb2dc2cc91",
        ),
        (
            SHA384,
            "308187024119c34f91af329c1680b757e587a27aa9054a386a2d1ef9c9b81e366e7813c664f299551c965f57def7420873e1d8fd2f01461739b51449fb70c0b411baf3bbf0b9024200f66e5c780a55177b4917926f24442d30dc4b0a351020ba32bdd7d0b11eb045c2cee20c7798785ee4368ff10c55b321093e413bfab2e2ca63eaa801ddd4a41f1814",
        ),
        (
            SHA512,
            "30818702411ec56708dba221653384d60659b92880a71d04cadf66a5da779234488ab4b920dade18802307fcd12be7221279ee435a98ff07cf7129e98000d7b2135b10198d46024201ac3159dcb1d6b227c14b248538b4aac4d985c51e69bf9569fd12013b08376a2beda5c7b16f6378e9473771f70bf4540664e7d5da6a4047a936ceff6db722795b1c",
        ),
    ];

    #[test]
    fn what_openssl_signed_is_good_and_nothing_else() {
        let key = hex::decode(KEY).unwrap();
        for (index, (algorithm, signature)) in SIGNED.into_iter().enumerate() {
            let signature = hex::decode(signature).unwrap();
            let verify = |key: &[u8], message: &[u8], signature: &[u8]| {
                algorithm.verify_signature(key, message, signature).is_ok()
            };
            assert!(verify(&key, b"an artifact", &signature), "{index}");
            assert!(!verify(&key, b"another", &signature), "{index}");
            assert!(
                !verify(&key[..key.len() - 1], b"an artifact", &signature),
                "{index}"
            );
            for cut in 0..signature.len() {
                assert!(!verify(&key, b"an artifact", &signature[..cut]), "{index} {cut}");
            }
            for other in SIGNED.iter().enumerate().filter(|(other, _)| *other != index) {
                let other = hex::decode(other.1.1).unwrap();
                assert!(!verify(&key, b"an artifact", &other), "{index}");
            }
        }
    }
}
