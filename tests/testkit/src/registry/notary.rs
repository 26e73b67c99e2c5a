//! A signer of Notation for tests: JWS envelopes by a certificate of an authority of its own.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SigningKey, date_time_ymd,
};
use serde_json::{Value, json};

use super::{Registry, digest};
use crate::http_server::base64;

/// What is wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotaryFlaw {
    /// Nothing.
    None,
    /// It is about another artifact.
    OtherDigest,
    /// Its signature is of another text.
    Tampered,
    /// Its certificate is no longer valid.
    OldCertificate,
    /// It says that it has expired.
    Expired,
    /// It declares something critical that nobody knows.
    UnknownCritical,
    /// Its algorithm is none.
    NoAlgorithm,
    /// Its certificate could be revoked: it names a list of those that are.
    Revocable,
}

/// Signs as `notation sign` does.
pub struct Notary {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Notary {
    /// A new one, which nobody trusts yet.
    pub fn new() -> Notary {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "notary");
        let key = KeyPair::generate().expect("a key");
        Notary {
            authority: CertifiedIssuer::self_signed(params, key).expect("a root"),
        }
    }

    /// The certificate for the trust store.
    pub fn pem(&self) -> String {
        self.authority.pem()
    }

    /// Attaches an envelope of `subject`, by `C=US, ST=WA, O=Shop, CN=dev`.
    pub fn sign(&self, registry: &Registry, repository: &str, subject: &str, flaw: NotaryFlaw) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, "US"),
            (DnType::StateOrProvinceName, "WA"),
            (DnType::OrganizationName, "Shop"),
            (DnType::CommonName, "dev"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.not_before = date_time_ymd(2020, 1, 1);
        let end = if flaw == NotaryFlaw::OldCertificate {
            2021
        } else {
            2100
        };
        params.not_after = date_time_ymd(end, 1, 1);
        if flaw == NotaryFlaw::Revocable {
            let uris = vec!["http://crl.example/".to_owned()];
            params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
        }
        let certificate = params.signed_by(&key, &self.authority).expect("a certificate");
        let about = if flaw == NotaryFlaw::OtherDigest {
            digest(b"another")
        } else {
            subject.to_owned()
        };
        let payload = json!({ "targetArtifact": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": about, "size": 1 } });
        let mut protected = json!({
            "alg": if flaw == NotaryFlaw::NoAlgorithm { "none" } else { "ES256" },
            "cty": "application/vnd.cncf.notary.payload.v1+json",
            "crit": ["io.cncf.notary.signingScheme"],
            "io.cncf.notary.signingScheme": "notary.x509",
            "io.cncf.notary.signingTime": "2020-06-01T00:00:00Z",
        });
        if flaw == NotaryFlaw::Expired {
            protected["crit"] = json!(["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]);
            protected["io.cncf.notary.expiry"] = json!("2020-07-01T00:00:00Z");
        }
        if flaw == NotaryFlaw::UnknownCritical {
            protected["crit"] = json!(["io.cncf.notary.signingScheme", "x.unknown"]);
        }
        let (protected, mut payload) = (url_safe(protected.to_string()), url_safe(payload.to_string()));
        let signature = key
            .sign(format!("{protected}.{payload}").as_bytes())
            .expect("a signature");
        if flaw == NotaryFlaw::Tampered {
            payload = url_safe(json!({ "targetArtifact": { "digest": subject } }).to_string());
        }
        let envelope = json!({
            "payload": payload, "protected": protected, "signature": url_safe(side_by_side(&signature)),
            "header": { "x5c": [base64(certificate.der()), base64(self.authority.der())] },
        });
        attach(registry, repository, subject, &envelope);
    }
}

impl Default for Notary {
    fn default() -> Notary {
        Notary::new()
    }
}

fn attach(registry: &Registry, repository: &str, subject: &str, envelope: &Value) {
    let layer = registry.add_blob("application/jose+json", envelope.to_string().as_bytes());
    let kind = "application/vnd.cncf.notary.signature";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": kind,
        "config": registry.add_blob(kind, b"{}"), "layers": [layer],
        "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1 },
    });
    registry.add_manifest(repository, "", &manifest);
}

fn url_safe(bytes: impl AsRef<[u8]>) -> String {
    base64(bytes)
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_")
}

/// From X.509's form of an ECDSA signature to JOSE's: two numbers of 32 bytes.
fn side_by_side(der: &[u8]) -> Vec<u8> {
    let first = usize::from(der[3]);
    let (r, rest) = der[4..].split_at(first);
    let s = &rest[2..];
    let number = |digits: &[u8]| {
        let digits = if digits.len() > 32 {
            &digits[digits.len() - 32..]
        } else {
            digits
        };
        [vec![0; 32 - digits.len()], digits.to_vec()].concat()
    };
    [number(r), number(s)].concat()
}
