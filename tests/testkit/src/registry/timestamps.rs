//! An authority for timestamps (RFC 3161), with one flaw each.

mod openssl;

pub use openssl::{OPENSSL_KEYS, OpensslAuthority};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose, SerialNumber, SigningKey, date_time_ymd,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use sha2::{Digest as _, Sha256, Sha384};

/// What is wrong with a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFlaw {
    /// Nothing.
    None,
    /// It is the token alone, outside of an answer; which is no flaw.
    Bare,
    /// It names its signer's certificate by SHA-1, as the first form of that attribute does; which is no flaw.
    OldName,
    /// It names its signer by the key; which is no flaw.
    ByKey,
    /// The authority refused it.
    Refused,
    /// It is of another message.
    OtherMessage,
    /// It says the hash to be SHA-1.
    OldHash,
    /// What was signed is about another time.
    OtherContent,
    /// What was signed says that it is no timestamp.
    OtherType,
    /// Another key signed it.
    OtherKey,
    /// It names another certificate.
    OtherName,
    /// It says twice what was signed.
    Twice,
    /// It says something critical that nobody knows.
    Critical,
    /// Its signer's certificate is for signing code.
    OtherPurpose,
    /// Its signer's certificate is for timestamps and for signing code.
    TwoPurposes,
    /// Its signer's certificate does not insist on being for timestamps.
    MildPurpose,
    /// Its signer's certificate says no purpose.
    NoPurpose,
    /// Its signer's certificate is not for signatures.
    OtherUsage,
    /// Its signer's certificate could be revoked: it names a list of those that are.
    Revocable,
    /// It does not bring its signer's certificate along.
    NoCertificate,
}

/// Says when something was. Its certificates are of the years 2020 to 2030.
pub struct TimestampAuthority {
    root: CertifiedIssuer<'static, KeyPair>,
    key: KeyPair,
    signer: Vec<u8>,
    /// Of the two that there are the larger: SHA-384, and a curve as large.
    is_large: bool,
}

impl TimestampAuthority {
    /// A new one, which nobody trusts yet: P-256 and SHA-256.
    pub fn new() -> TimestampAuthority {
        TimestampAuthority::with("clock authority", false)
    }

    /// As [`Self::new`], under another name.
    pub fn named(name: &str) -> TimestampAuthority {
        TimestampAuthority::with(name, false)
    }

    /// A new one of P-384 and SHA-384.
    pub fn large() -> TimestampAuthority {
        TimestampAuthority::with("clock authority", true)
    }

    fn with(name: &str, is_large: bool) -> TimestampAuthority {
        let key = || {
            let kind = if is_large {
                &rcgen::PKCS_ECDSA_P384_SHA384
            } else {
                &rcgen::PKCS_ECDSA_P256_SHA256
            };
            KeyPair::generate_for(kind).expect("a key")
        };
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let root = CertifiedIssuer::self_signed(params, key()).expect("a root");
        let key = key();
        let signer = certificate(&root, &key, TimestampFlaw::None);
        TimestampAuthority {
            root,
            key,
            signer,
            is_large,
        }
    }

    /// The certificate of who signs, and the authority's own.
    pub fn chain(&self) -> [Vec<u8>; 2] {
        [self.signer.clone(), self.root.der().to_vec()]
    }

    /// The authority's certificate, for a trust store.
    pub fn pem(&self) -> String {
        self.root.pem()
    }

    /// An answer that `message` was there at `at`, give or take a second.
    pub fn stamp(&self, message: &[u8], at: &str, flaw: TimestampFlaw) -> Vec<u8> {
        let signer = match flaw {
            TimestampFlaw::OtherPurpose
            | TimestampFlaw::TwoPurposes
            | TimestampFlaw::MildPurpose
            | TimestampFlaw::NoPurpose
            | TimestampFlaw::OtherUsage
            | TimestampFlaw::Revocable => certificate(&self.root, &self.key, flaw),
            _ => self.signer.clone(),
        };
        let info = self.info(message, at, flaw);
        let certificates = match flaw {
            TimestampFlaw::NoCertificate => Vec::new(),
            _ => der(0xa0, &[&signer]),
        };
        let content = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[3]]),
                &der(SET, &[&self.hash_name()]),
                &der(
                    SEQUENCE,
                    &[&der(OID, &[TIMESTAMP]), &der(0xa0, &[&der(OCTETS, &[&info])])],
                ),
                &certificates,
                &der(SET, &[&self.signer_info(&signer, message, &info, flaw)]),
            ],
        );
        let token = der(SEQUENCE, &[&der(OID, &[SIGNED_DATA]), &der(0xa0, &[&content])]);
        let status = if flaw == TimestampFlaw::Refused { 2 } else { 0 };
        match flaw {
            TimestampFlaw::Bare => token,
            _ => der(
                SEQUENCE,
                &[&der(SEQUENCE, &[&der(INTEGER, &[&[status]])]), &token],
            ),
        }
    }

    fn info(&self, message: &[u8], at: &str, flaw: TimestampFlaw) -> Vec<u8> {
        let time: jiff::Timestamp = at.parse().expect("a time");
        let imprint = match flaw {
            TimestampFlaw::OtherMessage => self.hash(b"another"),
            _ => self.hash(message),
        };
        let hash_name = match flaw {
            // 1.3.14.3.2.26
            TimestampFlaw::OldHash => der(SEQUENCE, &[&der(OID, &[&[0x2b, 0x0e, 0x03, 0x02, 0x1a]])]),
            _ => self.hash_name(),
        };
        let extension = der(
            SEQUENCE,
            &[
                &der(OID, &[&[0x2a, 0x03, 0x09]]),
                &der(BOOLEAN, &[&[0xff]]),
                &der(OCTETS, &[]),
            ],
        );
        let extensions = match flaw {
            TimestampFlaw::Critical => der(0xa1, &[&extension]),
            _ => Vec::new(),
        };
        der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &der(OID, &[&[0x2a, 0x03, 0x04]]),
                &der(SEQUENCE, &[&hash_name, &der(OCTETS, &[&imprint])]),
                &der(INTEGER, &[&[7]]),
                &der(
                    GENERALIZED_TIME,
                    &[time.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes()],
                ),
                &der(SEQUENCE, &[&der(INTEGER, &[&[1]])]),
                // a nonce
                &der(INTEGER, &[&[0x11, 0x22]]),
                &extensions,
            ],
        )
    }

    fn signer_info(&self, signer: &[u8], message: &[u8], info: &[u8], flaw: TimestampFlaw) -> Vec<u8> {
        let signed = match flaw {
            TimestampFlaw::OtherContent => {
                self.hash(&self.info(message, "2021-01-01T00:00:00Z", TimestampFlaw::None))
            }
            _ => self.hash(info),
        };
        // 1.2.840.113549.1.7.1, plain data
        let kind = match flaw {
            TimestampFlaw::OtherType => DATA,
            _ => TIMESTAMP,
        };
        let named = match flaw {
            TimestampFlaw::OtherName => self.hash(b"another"),
            TimestampFlaw::OldName => digest(&SHA1_FOR_LEGACY_USE_ONLY, signer).as_ref().to_vec(),
            _ => self.hash(signer),
        };
        let (name, hash_name) = match flaw {
            TimestampFlaw::OldName => (0x0c, Vec::new()),
            _ => (0x2f, self.hash_name()),
        };
        let named = der(SEQUENCE, &[&hash_name, &der(OCTETS, &[&named])]);
        let mut attributes = [
            attribute(&[&PKCS9[..], &[0x03]].concat(), &der(OID, &[kind])),
            attribute(&[&PKCS9[..], &[0x04]].concat(), &der(OCTETS, &[&signed])),
            attribute(
                &[&PKCS9[..], &[0x10, 0x02, name]].concat(),
                &der(SEQUENCE, &[&der(SEQUENCE, &[&named])]),
            ),
        ]
        .concat();
        if flaw == TimestampFlaw::Twice {
            attributes.extend(attribute(
                &[&PKCS9[..], &[0x04]].concat(),
                &der(OCTETS, &[&signed]),
            ));
        }
        let other = KeyPair::generate_for(self.key.algorithm()).expect("a key");
        let key = if flaw == TimestampFlaw::OtherKey {
            &other
        } else {
            &self.key
        };
        let signature = key.sign(&der(SET, &[&attributes])).expect("a signature");
        // the fields before a certificate's validity are its version, its number, an algorithm and its issuer
        let fields = elements(elements(signer)[0]);
        let id = match flaw {
            TimestampFlaw::ByKey => der(0x80, &[&key_id()]),
            _ => der(SEQUENCE, &[fields[3], fields[1]]),
        };
        der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &id,
                &self.hash_name(),
                &der(0xa0, &[&attributes]),
                &der(
                    SEQUENCE,
                    &[&der(
                        OID,
                        &[
                            &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03],
                            &[if self.is_large { 3 } else { 2 }],
                        ],
                    )],
                ),
                &der(OCTETS, &[&signature]),
            ],
        )
    }

    fn hash(&self, bytes: &[u8]) -> Vec<u8> {
        match self.is_large {
            true => Sha384::digest(bytes).to_vec(),
            false => Sha256::digest(bytes).to_vec(),
        }
    }

    fn hash_name(&self) -> Vec<u8> {
        let last = if self.is_large { 2 } else { 1 };
        let name = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last];
        der(SEQUENCE, &[&der(OID, &[&name])])
    }
}

impl Default for TimestampAuthority {
    fn default() -> TimestampAuthority {
        TimestampAuthority::new()
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const GENERALIZED_TIME: u8 = 0x18;
/// `1.2.840.113549.1.9`, where the names of attributes begin.
const PKCS9: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09];
const TIMESTAMP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

fn key_id() -> [u8; 20] {
    [5; 20]
}

fn certificate(root: &CertifiedIssuer<'static, KeyPair>, key: &KeyPair, flaw: TimestampFlaw) -> Vec<u8> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "clock");
    params.serial_number = Some(SerialNumber::from(vec![9; 8]));
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params.key_usages = vec![match flaw {
        TimestampFlaw::OtherUsage => KeyUsagePurpose::KeyEncipherment,
        _ => KeyUsagePurpose::DigitalSignature,
    }];
    // id-kp-timeStamping and id-kp-codeSigning
    let purpose = |last| der(OID, &[&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last]]);
    let purposes = match flaw {
        TimestampFlaw::OtherPurpose => purpose(3),
        TimestampFlaw::TwoPurposes => [purpose(8), purpose(3)].concat(),
        _ => purpose(8),
    };
    let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], der(SEQUENCE, &[&purposes]));
    usage.set_criticality(flaw != TimestampFlaw::MildPurpose);
    let key_id = CustomExtension::from_oid_content(&[2, 5, 29, 14], der(OCTETS, &[&key_id()]));
    params.custom_extensions = vec![key_id];
    if flaw != TimestampFlaw::NoPurpose {
        params.custom_extensions.push(usage);
    }
    if flaw == TimestampFlaw::Revocable {
        let uris = vec!["http://localhost:1/crl".to_owned()];
        params.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris }];
    }
    params.signed_by(key, root).expect("a certificate").der().to_vec()
}

fn attribute(name: &[u8], value: &[u8]) -> Vec<u8> {
    der(SEQUENCE, &[&der(OID, &[name]), &der(SET, &[value])])
}

/// What these parts are together.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = (content.len() as u16).to_be_bytes();
    let mut der = vec![tag];
    match (high, low) {
        (0, 0..=0x7f) => der.push(low),
        (0, _) => der.extend([0x81, low]),
        _ => der.extend([0x82, high, low]),
    }
    der.extend(content);
    der
}

/// What is in a sequence, each with its head.
pub(super) fn elements(der: &[u8]) -> Vec<&[u8]> {
    let head = |der: &[u8]| match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        long => {
            let digits = usize::from(long & 0x7f);
            let length = der[2..2 + digits]
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (2 + digits, length)
        }
    };
    let mut found = Vec::new();
    let mut rest = &der[head(der).0..];
    while !rest.is_empty() {
        let (start, length) = head(rest);
        let (one, after) = rest.split_at(start + length);
        found.push(one);
        rest = after;
    }
    found
}
