//! ECDSA that ring does not have: P-521, and SHA-512 over the smaller curves.

use p521::ecdsa::signature::hazmat::PrehashVerifier;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Signatures over one curve by one hash.
#[derive(Debug)]
struct Ecdsa {
    curve: Curve,
    digest: fn(&[u8]) -> Vec<u8>,
    name: AlgorithmIdentifier,
}

#[derive(Clone, Copy, Debug)]
enum Curve {
    P256,
    P384,
    P521,
}

/// `ES512`, and what Go's authorities sign with.
pub(super) const P521_SHA512: &dyn SignatureVerificationAlgorithm = &sha512(Curve::P521);
/// What some authorities sign with.
pub(super) const P521_SHA384: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    curve: Curve::P521,
    digest: |message| Sha384::digest(message).to_vec(),
    name: alg_id::ECDSA_SHA384,
};
/// What OpenSSL's authorities sign with where nothing is said.
pub(super) const P521_SHA256: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    curve: Curve::P521,
    digest: |message| Sha256::digest(message).to_vec(),
    name: alg_id::ECDSA_SHA256,
};
/// What some authorities for timestamps sign with.
pub(super) const P384_SHA512: &dyn SignatureVerificationAlgorithm = &sha512(Curve::P384);
/// As above.
pub(super) const P256_SHA512: &dyn SignatureVerificationAlgorithm = &sha512(Curve::P256);

const fn sha512(curve: Curve) -> Ecdsa {
    Ecdsa {
        curve,
        digest: |message| Sha512::digest(message).to_vec(),
        name: alg_id::ECDSA_SHA512,
    }
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        /// The curves' types have no name in common that says all of this.
        macro_rules! verify {
            ($curve:ident) => {{
                let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(public_key);
                let signature = $curve::ecdsa::DerSignature::try_from(signature);
                let (key, signature) = (
                    key.map_err(|_| InvalidSignature)?,
                    signature.map_err(|_| InvalidSignature)?,
                );
                key.verify_prehash(&(self.digest)(message), &signature)
                    .map_err(|_| InvalidSignature)
            }};
        }
        match self.curve {
            Curve::P256 => verify!(p256),
            Curve::P384 => verify!(p384),
            Curve::P521 => verify!(p521),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.curve {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P384 => alg_id::ECDSA_P384,
            Curve::P521 => alg_id::ECDSA_P521,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_P256: &str = "04c1b2d1b0cdac68b4ff79488374146b15b4efa726b9c8d52a88a1da261c2c48266766be58bdc43a8a5439a8b70aa7657e65adf3de05713a85fe77cdd7650dc403";
    const KEY_P384: &str = "044add8b923e3eed73776377e782bdfe617331e91a16981a0429838d794630f9ce25e40875b5af58df72fb1ef7edce5fc31c837595a416d8ace199a794870226b56a2ed0afbf8e02ee3ed82f1a7840291b71a6d21582593d413629b5d7116d8f55";
    const KEY_P521: &str = "04015f7cbdc79640f166ac275bc219b3cd20928227b0cc85f3f50084d84c0cec3b6397cca95a1b3c82d939cdc119c6dc01e2ba1df4e2f55d55c8e838592ddbf83404cb01b3a6bf16f9bf649734f70cb27290c84606fa152d81a924aabba6a39dccbd2638a45e6146dabcac734c7f01ecf9eb8a2f22b51648b7b22a6418f559c3e65c801ede";
    /// By `openssl dgst -sign`.
    const SIGNED: [(&dyn SignatureVerificationAlgorithm, &str, &str); 5] = [
        (
            P521_SHA256,
            KEY_P521,
            "3081880242008cdecff80bd74382fefe7530af5ea2fe97b74638e4424d5a1165adba5a10313cac61ed6bd3b2b49e6353718d98ba39dbf05360faec9d61f58fef71261e72dfd322024201c00c4466d5a0a082a92c794225094a4118a1ee82bafb87e4c1f4643c9db962cfbddd20f87d817c5d62f7a580e8e848e6c943f60f319761f17ec78217bb2dc2cc91",
        ),
        (
            P521_SHA384,
            KEY_P521,
            "308187024119c34f91af329c1680b757e587a27aa9054a386a2d1ef9c9b81e366e7813c664f299551c965f57def7420873e1d8fd2f01461739b51449fb70c0b411baf3bbf0b9024200f66e5c780a55177b4917926f24442d30dc4b0a351020ba32bdd7d0b11eb045c2cee20c7798785ee4368ff10c55b321093e413bfab2e2ca63eaa801ddd4a41f1814",
        ),
        (
            P521_SHA512,
            KEY_P521,
            "30818702411ec56708dba221653384d60659b92880a71d04cadf66a5da779234488ab4b920dade18802307fcd12be7221279ee435a98ff07cf7129e98000d7b2135b10198d46024201ac3159dcb1d6b227c14b248538b4aac4d985c51e69bf9569fd12013b08376a2beda5c7b16f6378e9473771f70bf4540664e7d5da6a4047a936ceff6db722795b1c",
        ),
        (
            P256_SHA512,
            KEY_P256,
            "3046022100ab593949b06bb3b5a5ccdb10cc4e8badf130cb0c96b3c49f1ac88dc98a96c289022100fa47f67b17757c3547077762e16f4d00dc4d49e3199619e252424cf0de9a4391",
        ),
        (
            P384_SHA512,
            KEY_P384,
            "3065023100a366ab7e332134c0d21d97697d94a86a3ec90a973d20aa92cd6e15ac022a94a8a6966079a3bc403ec6192cdfcafb636f023037f40cd13e50c4a5392b445672df4d5113955a0e2362b4ebb467d44158841d843a1d2094812be1c29baf2ab40dfd35db",
        ),
    ];

    #[test]
    fn what_openssl_signed_is_good_and_nothing_else() {
        for (index, (algorithm, key, signature)) in SIGNED.into_iter().enumerate() {
            let key = hex::decode(key).unwrap();
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
                let other = hex::decode(other.1.2).unwrap();
                assert!(!verify(&key, b"an artifact", &other), "{index}");
            }
        }
    }
}
