//! Timestamps: that a signature was there at some time, by the word of an authority (RFC 3161, RFC 5816; CMS as in RFC 5652).
//!
//! ```text
//! TimeStampResp ─▶ ContentInfo ─▶ SignedData { TSTInfo, certificates, SignerInfo }
//!   TSTInfo has the hash of the signature ∧ SignerInfo has the hash of TSTInfo, signed ∧ by a certificate that is for
//!   timestamps alone ∧ which an authority gave that was trusted at that very time
//! ```
//!
//! **Invariant:** no time leaves this module that was not signed by one of the given authorities.

use std::time::Duration;

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring as alg};

use super::{
    ecdsa,
    key::CERTIFICATES,
    x509::{
        self, BOOLEAN, GENERALIZED_TIME, INTEGER, OCTETS, OID, Parts, SEQUENCE, SET, element, elements,
        expect, only, whole,
    },
};

#[cfg(test)]
mod tests;

/// Longest timestamp that is looked at: one with a chain of four RSA certificates takes eight thousand bytes.
const SIZE_MAX: usize = 64 << 10;
/// Certificates of one timestamp.
const CERTIFICATES_MAX: usize = 16;

/// `id-signedData` (RFC 5652 5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// `id-ct-TSTInfo` (RFC 3161 2.4.2).
const TIMESTAMP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// `id-kp-timeStamping` (RFC 3161 2.3).
const PURPOSE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// `id-contentType` and `id-messageDigest` (RFC 5652 11.1, 11.2).
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// `id-aa-signingCertificate` (RFC 2634 5.4) and `id-aa-signingCertificateV2` (RFC 5035 3).
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];
/// The policy under which a second is meant where no accuracy is said (RFC 3628 5.1).
const BASELINE_POLICY: &[u8] = &[0x04, 0x00, 0x8f, 0x67, 0x01, 0x01];
/// `id-ce-subjectKeyIdentifier`.
const KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];

/// The fields of these structures that have numbers.
const FIELD_0: u8 = 0xa0;
const FIELD_1: u8 = 0xa1;
/// The same where the field is no structure itself.
const PLAIN_FIELD_0: u8 = 0x80;
const PLAIN_FIELD_1: u8 = 0x81;

/// A timestamp as it was read; nothing of it is believed yet.
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// The TSTInfo, which is what was signed.
    content: &'a [u8],
    info: Info<'a>,
    certificates: Vec<&'a [u8]>,
    signer: Signer<'a>,
}

/// What the authority says (RFC 3161 2.4.2, TSTInfo).
#[derive(Debug)]
struct Info<'a> {
    /// None where nobody should rely on it any more.
    hash: Option<Hash>,
    imprint: &'a [u8],
    time: Timestamp,
    accuracy: Duration,
}

/// Who says so (RFC 5652 5.3, SignerInfo).
#[derive(Debug)]
struct Signer<'a> {
    id: SignerId<'a>,
    hash: Option<Hash>,
    /// The signed attributes, with their head.
    attributes: &'a [u8],
    /// The name of the signature's algorithm.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

#[derive(Debug)]
enum SignerId<'a> {
    Issued { issuer: &'a [u8], serial: &'a [u8] },
    Key(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// When it was, by the word of an authority that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// What the authority's clock showed.
    pub(super) time: Timestamp,
    /// How early and how late it may have been in truth (RFC 3161 2.4.2, accuracy).
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
    /// The signer's certificate, and those between it and the authority's.
    pub(super) chain: Vec<Vec<u8>>,
}

impl Hash {
    /// By the AlgorithmIdentifier's content (RFC 5754 2).
    fn read(algorithm: &[u8]) -> Option<Hash> {
        /// `2.16.840.1.101.3.4.2`.
        const HASHES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
        let (name, _) = expect(algorithm, OID)?;
        match name.strip_prefix(HASHES)? {
            [1] => Some(Hash::Sha256),
            [2] => Some(Hash::Sha384),
            [3] => Some(Hash::Sha512),
            _ => None,
        }
    }

    fn is_of(self, bytes: &[u8], hash: &[u8]) -> bool {
        let algorithm = match self {
            Hash::Sha256 => &SHA256,
            Hash::Sha384 => &SHA384,
            Hash::Sha512 => &SHA512,
        };
        digest(algorithm, bytes).as_ref() == hash
    }
}

impl<'a> Token<'a> {
    /// Reads an authority's answer, or the token alone that is in it, in DER (RFC 3161 2.4.2).
    pub(super) fn read(der: &'a [u8]) -> Result<Token<'a>, String> {
        if der.len() > SIZE_MAX {
            return Err(format!("the timestamp has more than {SIZE_MAX} bytes"));
        }
        let token = granted(der)?;
        signed_data(token).ok_or_else(|| "the timestamp cannot be read".to_owned())
    }

    /// Whether this authority is the one it was made by, if what it says of itself is true.
    pub(super) fn is_of(&self, chain: &[Vec<u8>]) -> bool {
        let known: Vec<Parts<'_>> = chain.iter().filter_map(|der| x509::parts(der).ok()).collect();
        let gave = |issuer: &[u8]| known.iter().any(|parts| parts.subject == issuer);
        let gave_signer = match self.signer.id {
            SignerId::Issued { issuer, .. } => gave(issuer),
            SignerId::Key(_) => known.iter().any(|parts| self.signer.id.is_of(parts)),
        };
        let gave_other = |der: &&[u8]| x509::parts(der).is_ok_and(|parts| gave(parts.issuer));
        gave_signer || self.certificates.iter().any(gave_other)
    }

    /// Whether it is of this message, and by an authority of `roots`; `others` may be in the chain, beside what the token
    /// brings along. Answers with when that was.
    pub(super) fn verify(
        &self,
        message: &[u8],
        roots: &[Vec<u8>],
        others: &[Vec<u8>],
    ) -> Result<Moment, String> {
        let hash = self.info.hash.ok_or(
            "the timestamp is of a hash that is not accepted: it must be SHA-256, SHA-384 or SHA-512",
        )?;
        if !hash.is_of(message, self.info.imprint) {
            return Err("the timestamp is of another signature".to_owned());
        }
        let mut candidates = others
            .iter()
            .map(Vec::as_slice)
            .chain(self.certificates.iter().copied());
        let is_signer = |der: &&[u8]| x509::parts(der).is_ok_and(|parts| self.signer.id.is_of(&parts));
        let signer = candidates
            .find(is_signer)
            .ok_or("the certificate of the timestamp's signer is not there")?;
        self.check_signed(signer)?;
        check_purpose(&x509::parts(signer)?)?;
        let chain = self.chain(signer, roots, others)?;
        let beyond = |_| "the timestamp's accuracy is out of range".to_owned();
        Ok(Moment {
            time: self.info.time,
            earliest: self.info.time.checked_sub(self.info.accuracy).map_err(beyond)?,
            latest: self.info.time.checked_add(self.info.accuracy).map_err(beyond)?,
            chain,
        })
    }

    /// Whether this certificate's key signed what the token holds (RFC 5652 5.4, 5.6).
    fn check_signed(&self, signer: &[u8]) -> Result<(), String> {
        let attributes =
            Attributes::read(self.signer.attributes).ok_or("the timestamp's attributes cannot be read")?;
        if attributes.value(CONTENT_TYPE)?.and_then(|value| only(value, OID)) != Some(TIMESTAMP) {
            return Err("the timestamp's signature is of something else".to_owned());
        }
        let hash = self.signer.hash.ok_or(ALGORITHM)?;
        let signed = attributes
            .value(MESSAGE_DIGEST)?
            .and_then(|value| only(value, OCTETS));
        if !signed.is_some_and(|signed| hash.is_of(self.content, signed)) {
            return Err("the timestamp's signature is of another time".to_owned());
        }
        for name in [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2] {
            let named = attributes.value(name)?;
            if !named.is_none_or(|value| is_named(name, value, signer).unwrap_or(false)) {
                return Err("the timestamp names another certificate than its signer's".to_owned());
            }
        }
        // what is signed has the tag of a set, where what is sent has that of a field
        let mut message = vec![SET];
        message.extend(self.signer.attributes.iter().skip(1));
        let der = CertificateDer::from(signer);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| error.to_string())?;
        let verifies = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            certificate
                .verify_signature(*algorithm, &message, self.signer.signature)
                .is_ok()
        };
        let algorithms = algorithms(self.signer.algorithm, hash).ok_or(ALGORITHM)?;
        match algorithms.iter().any(verifies) {
            true => Ok(()),
            false => Err("the timestamp's signature is not good".to_owned()),
        }
    }

    /// The path from the signer to an authority, all of it valid at the time of the timestamp (RFC 5280 6).
    fn chain(&self, signer: &[u8], roots: &[Vec<u8>], others: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, String> {
        let foreign =
            |problem: String| format!("the timestamp is by no authority that is trusted: {problem}");
        let time = self.info.time;
        let seconds = u64::try_from(time.as_second()).map_err(|_| "the timestamp is of before 1970")?;
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        // an anchor is believed as it is, so what it may do and when is looked at here
        let is_trusted = |der: &&Vec<u8>| {
            x509::parts(der).is_ok_and(|parts| parts.is_authority() && parts.is_valid_at(time))
        };
        let roots: Vec<CertificateDer<'_>> = roots
            .iter()
            .filter(is_trusted)
            .map(|der| der.as_slice().into())
            .collect();
        let anchors: Vec<_> = roots
            .iter()
            .filter_map(|root| anchor_from_trusted_cert(root).ok())
            .collect();
        if anchors.is_empty() {
            return Err(foreign("there is none that was valid then".to_owned()));
        }
        let others = others.iter().map(Vec::as_slice);
        let between: Vec<CertificateDer<'_>> = others
            .chain(self.certificates.iter().copied())
            .map(CertificateDer::from)
            .collect();
        let der = CertificateDer::from(signer);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| foreign(error.to_string()))?;
        // an authority between that says nothing of purposes may give certificates for each
        let usage = KeyUsage::required_if_present(PURPOSE);
        let path = certificate
            .verify_for_usage(CERTIFICATES, &anchors, &between, at, usage, None, None)
            .map_err(|error| foreign(error.to_string()))?;
        let between = path
            .intermediate_certificates()
            .map(|certificate| certificate.der().to_vec());
        Ok(std::iter::once(signer.to_vec()).chain(between).collect())
    }
}

impl SignerId<'_> {
    fn is_of(&self, certificate: &Parts<'_>) -> bool {
        match self {
            SignerId::Issued { issuer, serial } => {
                certificate.issuer == *issuer && certificate.serial == *serial
            }
            SignerId::Key(id) => certificate.extension(KEY_IDENTIFIER).and_then(x509::octets) == Some(*id),
        }
    }
}

const ALGORITHM: &str = "the timestamp is signed in a way that is not accepted: it must be RSA or ECDSA with SHA-256, SHA-384 or SHA-512";

/// RFC 3161 2.3: the signer's key is for timestamps and for nothing else.
fn check_purpose(signer: &Parts<'_>) -> Result<(), String> {
    match signer.is_solely_for(PURPOSE) && signer.may_sign() {
        true => Ok(()),
        false => Err("the certificate of the timestamp's signer is not one for timestamps alone".to_owned()),
    }
}

/// How it may have been signed: with RSA (RFC 3370 3.2, RFC 5754 3.2) or ECDSA (RFC 5754 3.3), by the hash that the
/// content has too. Which curve it is, the certificate says.
fn algorithms(name: &[u8], hash: Hash) -> Option<[&'static dyn SignatureVerificationAlgorithm; 3]> {
    /// `1.2.840.113549.1.1` and `1.2.840.10045.4.3`.
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    let rsa = match hash {
        Hash::Sha256 => alg::RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => alg::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => alg::RSA_PKCS1_2048_8192_SHA512,
    };
    match (name.strip_prefix(RSA), name.strip_prefix(ECDSA), hash) {
        // the first leaves the hash to the content's
        (Some([0x01]), ..)
        | (Some([0x0b]), _, Hash::Sha256)
        | (Some([0x0c]), _, Hash::Sha384)
        | (Some([0x0d]), _, Hash::Sha512) => Some([rsa; 3]),
        (_, Some([0x02]), Hash::Sha256) => {
            Some([alg::ECDSA_P256_SHA256, alg::ECDSA_P384_SHA256, ecdsa::P521_SHA256])
        }
        (_, Some([0x03]), Hash::Sha384) => {
            Some([alg::ECDSA_P256_SHA384, alg::ECDSA_P384_SHA384, ecdsa::P521_SHA384])
        }
        (_, Some([0x04]), Hash::Sha512) => Some([ecdsa::P256_SHA512, ecdsa::P384_SHA512, ecdsa::P521_SHA512]),
        _ => None,
    }
}

/// Whether the first certificate that the attribute names is this one: by SHA-1 in the first form (RFC 2634 5.4.1), by any
/// hash in the second (RFC 5035 4). The issuer and number that may follow say nothing more than the hash of all of it.
fn is_named(attribute: &[u8], value: &[u8], certificate: &[u8]) -> Option<bool> {
    let (list, _) = expect(only(value, SEQUENCE)?, SEQUENCE)?;
    let (first, _) = expect(list, SEQUENCE)?;
    if attribute == SIGNING_CERTIFICATE {
        let (hash, _) = expect(first, OCTETS)?;
        return Some(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref() == hash);
    }
    let (hash, rest) = match expect(first, SEQUENCE) {
        Some((algorithm, rest)) => (Hash::read(algorithm)?, rest),
        None => (Hash::Sha256, first),
    };
    let (named, _) = expect(rest, OCTETS)?;
    Some(hash.is_of(certificate, named))
}

/// The signed attributes: names, and their sets of values (RFC 5652 5.3).
struct Attributes<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Attributes<'a> {
    fn read(der: &'a [u8]) -> Option<Attributes<'a>> {
        let attributes = elements(only(der, FIELD_0)?)?;
        let split = |attribute: &'a [u8]| {
            let (name, values) = expect(only(attribute, SEQUENCE)?, OID)?;
            Some((name, only(values, SET)?))
        };
        attributes
            .into_iter()
            .map(split)
            .collect::<Option<_>>()
            .map(Attributes)
    }

    /// The one value, with its head. There must not be two attributes of a name, nor two values of one (RFC 5652 11).
    fn value(&self, name: &[u8]) -> Result<Option<&'a [u8]>, String> {
        let twice = || "the timestamp says the same thing twice".to_owned();
        let mut named = self.0.iter().filter(|(known, _)| *known == name);
        let Some((_, values)) = named.next() else {
            return Ok(None);
        };
        let (value, rest) = whole(values).ok_or_else(twice)?;
        match named.next().is_none() && rest.is_empty() {
            true => Ok(Some(value)),
            false => Err(twice()),
        }
    }
}

/// The token of an answer that says yes, or of one that is no answer but the token itself (RFC 3161 2.4.2).
fn granted(der: &[u8]) -> Result<&[u8], String> {
    let odd = || "the timestamp cannot be read".to_owned();
    let response = only(der, SEQUENCE).ok_or_else(odd)?;
    let Some((status, rest)) = expect(response, SEQUENCE) else {
        return Ok(der);
    };
    let (code, _) = expect(status, INTEGER).ok_or_else(odd)?;
    // granted, and granted with modifications
    if !matches!(code, [0 | 1]) {
        return Err("the authority refused the timestamp".to_owned());
    }
    Ok(rest)
}

/// ContentInfo and SignedData (RFC 5652 3, 5.1), with one signer as RFC 3161 2.4.2 has it.
fn signed_data(der: &[u8]) -> Option<Token<'_>> {
    let (kind, content) = expect(only(der, SEQUENCE)?, OID)?;
    if kind != SIGNED_DATA {
        return None;
    }
    let fields = only(only(content, FIELD_0)?, SEQUENCE)?;
    let (_version, fields) = expect(fields, INTEGER)?;
    let (_hashes, fields) = expect(fields, SET)?;
    let (inner, fields) = expect(fields, SEQUENCE)?;
    let (kind, content) = expect(inner, OID)?;
    if kind != TIMESTAMP {
        return None;
    }
    let content = only(only(content, FIELD_0)?, OCTETS)?;
    let (certificates, fields) = expect(fields, FIELD_0).unwrap_or((&[], fields));
    let (_revoked, fields) = expect(fields, FIELD_1).unwrap_or((&[], fields));
    let certificates = elements(certificates)?;
    if certificates.len() > CERTIFICATES_MAX {
        return None;
    }
    Some(Token {
        content,
        info: info(content)?,
        certificates,
        signer: signer(only(only(fields, SET)?, SEQUENCE)?)?,
    })
}

/// The content of a SignerInfo (RFC 5652 5.3).
fn signer(fields: &[u8]) -> Option<Signer<'_>> {
    let (_version, fields) = expect(fields, INTEGER)?;
    let (id, fields) = match element(fields)? {
        (SEQUENCE, content, rest) => {
            let (issuer, serial) = whole(content)?;
            let serial = only(serial, INTEGER)?;
            (SignerId::Issued { issuer, serial }, rest)
        }
        (PLAIN_FIELD_0, key, rest) => (SignerId::Key(key), rest),
        _ => return None,
    };
    let (hash, fields) = expect(fields, SEQUENCE)?;
    // without these attributes nothing would say that what is signed is a timestamp
    expect(fields, FIELD_0)?;
    let (attributes, fields) = whole(fields)?;
    let (algorithm, fields) = expect(fields, SEQUENCE)?;
    let (algorithm, _) = expect(algorithm, OID)?;
    let (signature, _unsigned) = expect(fields, OCTETS)?;
    Some(Signer {
        id,
        hash: Hash::read(hash),
        attributes,
        algorithm,
        signature,
    })
}

/// A TSTInfo (RFC 3161 2.4.2). One that has a critical extension is none: it would be wrong to pass over that.
fn info(der: &[u8]) -> Option<Info<'_>> {
    let (version, fields) = expect(only(der, SEQUENCE)?, INTEGER)?;
    if version != [1] {
        return None;
    }
    let (policy, fields) = expect(fields, OID)?;
    let (imprint, fields) = expect(fields, SEQUENCE)?;
    let (hash, imprint) = expect(imprint, SEQUENCE)?;
    let (_serial, fields) = expect(fields, INTEGER)?;
    let (time, fields) = expect(fields, GENERALIZED_TIME)?;
    let is_baseline = policy == BASELINE_POLICY;
    let (accuracy, mut fields) = match expect(fields, SEQUENCE) {
        Some((accuracy, rest)) => (duration(accuracy)?, rest),
        None => (Duration::ZERO, fields),
    };
    // ordering, nonce, the authority's name: they say nothing that is asked here
    for tag in [BOOLEAN, INTEGER, FIELD_0] {
        fields = expect(fields, tag).map_or(fields, |(_, rest)| rest);
    }
    if !fields.is_empty() {
        for extension in elements(only(fields, FIELD_1)?)? {
            if x509::split_extension(only(extension, SEQUENCE)?)?.is_critical {
                return None;
            }
        }
    }
    Some(Info {
        hash: Hash::read(hash),
        imprint: only(imprint, OCTETS)?,
        time: generalized_time(time)?,
        accuracy: match accuracy.is_zero() && is_baseline {
            true => Duration::from_secs(1),
            false => accuracy,
        },
    })
}

/// Seconds, and parts of one, in UTC (RFC 3161 2.4.2, genTime).
fn generalized_time(content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if whole.len() != 14 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    x509::instant("%Y%m%d%H%M%S%.f", text)
}

/// Seconds, thousandths and millionths, each where it is more than none (RFC 3161 2.4.2, accuracy).
fn duration(fields: &[u8]) -> Option<Duration> {
    let (mut sum, mut fields) = (Duration::ZERO, fields);
    for (tag, unit) in [
        (INTEGER, Duration::from_secs(1)),
        (PLAIN_FIELD_0, Duration::from_millis(1)),
        (PLAIN_FIELD_1, Duration::from_micros(1)),
    ] {
        if let Some((digits, rest)) = expect(fields, tag) {
            sum = sum.checked_add(unit.checked_mul(number(digits)?)?)?;
            fields = rest;
        }
    }
    fields.is_empty().then_some(sum)
}

/// The content of an INTEGER that is neither negative nor beyond all clocks.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.first()? & 0x80 != 0 {
        return None;
    }
    let digits: Vec<u8> = digits.iter().copied().skip_while(|digit| *digit == 0).collect();
    let add = |number: u32, digit: &u8| number << 8 | u32::from(*digit);
    (digits.len() <= 4).then(|| digits.iter().fold(0, add))
}
