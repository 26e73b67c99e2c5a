//! A signer of Notation for tests: envelopes of both forms by a certificate of an authority of its own.

use coset::cbor::Value as Cbor;
use coset::{
    ContentType, CoseSign1Builder, HeaderBuilder, Label, RegisteredLabelWithPrivate,
    TaggedCborSerializable as _, iana,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, SigningKey, date_time_ymd,
};
use serde_json::json;

use super::{Registry, digest, key as name_of, lock};
use crate::http_server::base64;

const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";

/// What is wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotaryFlaw {
    /// Nothing.
    None,
    /// It is about another artifact.
    OtherDigest,
    /// It says that the artifact is longer than it is.
    OtherSize,
    /// It says that the artifact is something else than it is.
    OtherMediaType,
    /// Its signature is of another text.
    Tampered,
    /// Its certificate is no longer valid.
    OldCertificate,
    /// It says that it has expired.
    Expired,
    /// It declares something critical that nobody knows.
    UnknownCritical,
    /// It wants a plugin to look at it too.
    Plugin,
    /// Its algorithm is none.
    NoAlgorithm,
    /// Its certificate could be revoked: it names a list of those that are.
    Revocable,
    /// An authority signed it for another, in 2020; which is no flaw.
    ByAuthority,
    /// The same, and its certificate is of before.
    ByAuthorityOld,
    /// An authority signed it for another and does not say when.
    ByAuthorityTimeless,
    /// It says when it was signed as if an authority had done it.
    OtherTime,
}

impl NotaryFlaw {
    fn scheme(self) -> &'static str {
        match self {
            NotaryFlaw::ByAuthority | NotaryFlaw::ByAuthorityOld | NotaryFlaw::ByAuthorityTimeless => {
                "notary.x509.signingAuthority"
            }
            _ => "notary.x509",
        }
    }

    fn has_authentic_time(self) -> bool {
        matches!(
            self,
            NotaryFlaw::ByAuthority | NotaryFlaw::ByAuthorityOld | NotaryFlaw::OtherTime
        )
    }
}

const AUTHENTIC_TIME: &str = "io.cncf.notary.authenticSigningTime";
const PLUGIN: &str = "io.cncf.notary.verificationPlugin";

/// How an envelope is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotaryForm {
    /// JSON.
    Jws,
    /// CBOR.
    Cose,
}

/// Signs as `notation sign` does.
pub struct Notary {
    authority: CertifiedIssuer<'static, KeyPair>,
    /// Where the list of revoked certificates is.
    list: String,
}

/// What its signers' certificates are called.
const SERIAL: u64 = 7;

impl Notary {
    /// A new one, which nobody trusts yet. Its list of revoked certificates cannot be had.
    pub fn new() -> Notary {
        Notary::listing("http://localhost:1/crl")
    }

    /// A new one with its list of revoked certificates at this place.
    pub fn listing(list: &str) -> Notary {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "notary");
        let key = KeyPair::generate().expect("a key");
        Notary {
            authority: CertifiedIssuer::self_signed(params, key).expect("a root"),
            list: list.to_owned(),
        }
    }

    /// The list of the years 2026 to 2100, on which its signers are or are not.
    pub fn revoked(&self, is_revoked: bool) -> Vec<u8> {
        let signer = RevokedCertParams {
            serial_number: SerialNumber::from(SERIAL),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: is_revoked.then_some(signer).into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.authority).expect("a list").der().to_vec()
    }

    /// The certificate for the trust store.
    pub fn pem(&self) -> String {
        self.authority.pem()
    }

    /// Attaches an envelope of `subject`, by `C=US, ST=WA, O=Shop, CN=dev`.
    pub fn sign(
        &self,
        registry: &Registry,
        repository: &str,
        subject: &str,
        form: NotaryForm,
        flaw: NotaryFlaw,
    ) {
        self.sign_stamped(registry, repository, subject, (form, flaw), |_| None);
    }

    /// As [`Self::sign`], with the timestamp that `stamp` makes of the signature.
    pub fn sign_stamped(
        &self,
        registry: &Registry,
        repository: &str,
        subject: &str,
        (form, flaw): (NotaryForm, NotaryFlaw),
        stamp: impl Fn(&[u8]) -> Option<Vec<u8>>,
    ) {
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
        params.serial_number = Some(SerialNumber::from(SERIAL));
        params.not_before = date_time_ymd(2020, 1, 1);
        let (end, month) = match flaw {
            NotaryFlaw::OldCertificate | NotaryFlaw::ByAuthority => (2021, 1),
            NotaryFlaw::ByAuthorityOld => (2020, 2),
            _ => (2100, 1),
        };
        params.not_after = date_time_ymd(end, month, 1);
        if flaw == NotaryFlaw::Revocable {
            let uris = vec![self.list.clone()];
            params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
        }
        let certificate = params.signed_by(&key, &self.authority).expect("a certificate");
        let about = if flaw == NotaryFlaw::OtherDigest {
            digest(b"another")
        } else {
            subject.to_owned()
        };
        let (media_type, size) = described(registry, repository, subject);
        let (media_type, size) = match flaw {
            NotaryFlaw::OtherSize => (media_type, size + 1),
            NotaryFlaw::OtherMediaType => ("application/vnd.oci.image.index.v1+json".to_owned(), size),
            _ => (media_type, size),
        };
        let payload = |digest: &str| {
            let target = json!({ "mediaType": media_type, "digest": digest, "size": size });
            json!({ "targetArtifact": target }).to_string()
        };
        let tampered = (flaw == NotaryFlaw::Tampered).then(|| payload(subject) + " ");
        let parts = Parts {
            flaw,
            key: &key,
            chain: [certificate.der().to_vec(), self.authority.der().to_vec()],
            payload: payload(&about),
            tampered,
            stamp: &stamp,
        };
        let (media_type, envelope) = match form {
            NotaryForm::Jws => ("application/jose+json", parts.jws()),
            NotaryForm::Cose => ("application/cose", parts.cose()),
        };
        attach(registry, repository, subject, media_type, &envelope);
    }
}

/// What both forms are written of.
struct Parts<'a> {
    flaw: NotaryFlaw,
    key: &'a KeyPair,
    chain: [Vec<u8>; 2],
    payload: String,
    /// Put in the payload's place after signing.
    tampered: Option<String>,
    /// Makes the timestamp of a signature.
    stamp: &'a dyn Fn(&[u8]) -> Option<Vec<u8>>,
}

impl Parts<'_> {
    /// The names of the headers that are critical.
    fn critical(&self) -> Vec<&'static str> {
        let more = match self.flaw {
            NotaryFlaw::Expired => Some("io.cncf.notary.expiry"),
            NotaryFlaw::UnknownCritical => Some("x.unknown"),
            NotaryFlaw::Plugin => Some(PLUGIN),
            flaw if flaw.has_authentic_time() => Some(AUTHENTIC_TIME),
            _ => None,
        };
        ["io.cncf.notary.signingScheme"].into_iter().chain(more).collect()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        side_by_side(&self.key.sign(message).expect("a signature"))
    }

    fn jws(self) -> Vec<u8> {
        let mut protected = json!({
            "alg": if self.flaw == NotaryFlaw::NoAlgorithm { "none" } else { "ES256" },
            "cty": PAYLOAD,
            "crit": self.critical(),
            "io.cncf.notary.signingScheme": self.flaw.scheme(),
            "io.cncf.notary.signingTime": "2020-06-01T00:00:00Z",
        });
        if self.flaw == NotaryFlaw::Expired {
            protected["io.cncf.notary.expiry"] = json!("2020-07-01T00:00:00Z");
        }
        if self.flaw == NotaryFlaw::Plugin {
            protected[PLUGIN] = json!("x");
        }
        if self.flaw.has_authentic_time() {
            protected[AUTHENTIC_TIME] = json!("2020-06-01T00:00:00Z");
        }
        let (protected, payload) = (url_safe(protected.to_string()), url_safe(&self.payload));
        let signature = self.sign(format!("{protected}.{payload}").as_bytes());
        let payload = self.tampered.as_ref().map_or(payload, url_safe);
        let mut header = json!({ "x5c": self.chain.map(base64) });
        if let Some(stamp) = (self.stamp)(&signature) {
            header["io.cncf.notary.timestampSignature"] = base64(stamp).into();
        }
        json!({ "payload": payload, "protected": protected, "signature": url_safe(signature), "header": header })
        .to_string()
        .into_bytes()
    }

    fn cose(self) -> Vec<u8> {
        let epoch = |text: &str| {
            let time: jiff::Timestamp = text.parse().expect("a time");
            Cbor::Tag(1, Box::new(time.as_second().into()))
        };
        let mut protected = HeaderBuilder::new()
            .text_value(
                "io.cncf.notary.signingScheme".to_owned(),
                self.flaw.scheme().into(),
            )
            .text_value(
                "io.cncf.notary.signingTime".to_owned(),
                epoch("2020-06-01T00:00:00Z"),
            );
        if self.flaw == NotaryFlaw::Expired {
            protected =
                protected.text_value("io.cncf.notary.expiry".to_owned(), epoch("2020-07-01T00:00:00Z"));
        }
        if self.flaw == NotaryFlaw::Plugin {
            protected = protected.text_value(PLUGIN.to_owned(), "x".into());
        }
        if self.flaw.has_authentic_time() {
            protected = protected.text_value(AUTHENTIC_TIME.to_owned(), epoch("2020-06-01T00:00:00Z"));
        }
        let mut protected = protected.build();
        protected.alg = Some(match self.flaw {
            NotaryFlaw::NoAlgorithm => RegisteredLabelWithPrivate::Text("none".to_owned()),
            _ => RegisteredLabelWithPrivate::Assigned(iana::Algorithm::ES256),
        });
        protected.content_type = Some(ContentType::Text(PAYLOAD.to_owned()));
        let critical = self.critical().into_iter();
        protected.crit = critical
            .map(|name| RegisteredLabelWithPrivate::Text(name.to_owned()))
            .collect();
        let chain = self.chain.iter().cloned().map(Cbor::Bytes).collect();
        let mut unprotected = HeaderBuilder::new().build();
        unprotected.rest = vec![(Label::Int(33), Cbor::Array(chain))];
        let mut envelope = CoseSign1Builder::new()
            .protected(protected)
            .unprotected(unprotected)
            .payload(self.payload.clone().into_bytes())
            .create_signature(b"", |message| self.sign(message))
            .build();
        if let Some(stamp) = (self.stamp)(&envelope.signature) {
            let name = Label::Text("io.cncf.notary.timestampSignature".to_owned());
            envelope.unprotected.rest.push((name, Cbor::Bytes(stamp)));
        }
        if let Some(tampered) = self.tampered {
            envelope.payload = Some(tampered.into_bytes());
        }
        envelope.to_tagged_vec().expect("an envelope")
    }
}

impl Default for Notary {
    fn default() -> Notary {
        Notary::new()
    }
}

/// What a registry says that an artifact is, and its size.
fn described(registry: &Registry, repository: &str, subject: &str) -> (String, usize) {
    let shared = lock(&registry.shared);
    let (media_type, bytes) = &shared.manifests[&name_of(repository, subject)];
    (media_type.clone(), bytes.len())
}

fn attach(registry: &Registry, repository: &str, subject: &str, media_type: &str, envelope: &[u8]) {
    let layer = registry.add_blob(media_type, envelope);
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
