//! A question about one certificate and the answer to it (RFC 6960 4).

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::{FIELD_0, INVALID_SINCE, Signed, Standing, Times};
use crate::verify::x509::{
    self, BITS, INTEGER, OCTETS, OID, SEQUENCE, element, elements, encode, expect, only, whole,
};

/// `id-pkix-ocsp-basic` (RFC 6960 4.2.1).
const BASIC: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// `id-kp-OCSPSigning` (RFC 6960 4.2.2.2).
const PURPOSE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
/// SHA-1: the servers of several authorities know no other hash of names.
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// `OCSPResponseStatus`.
const ENUMERATED: u8 = 0x0a;
const FIELD_1: u8 = 0xa1;
/// Certificates that an answer brings along.
const CERTIFICATES_MAX: usize = 8;

/// Which certificate is meant: who gave it, and what they call it (RFC 6960 4.1.1, CertID).
pub(super) struct Question {
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Vec<u8>,
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Known(Standing),
    /// It was asked about a certificate of somebody else.
    Unknown,
}

impl Question {
    /// About the certificate that `issuer` gave this number.
    pub(super) fn new(serial: &[u8], issuer: &[u8]) -> Option<Question> {
        let sha1 = |bytes: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec();
        let issuer = x509::parts(issuer).ok()?;
        let (_algorithm, key) = whole(only(issuer.key, SEQUENCE)?)?;
        let (_unused, key) = only(key, BITS)?.split_first()?;
        Some(Question {
            name_hash: sha1(issuer.subject),
            key_hash: sha1(key),
            serial: serial.to_vec(),
        })
    }

    /// As it is sent (RFC 6960 4.1.1). Without a nonce: answers may be made beforehand (RFC 5019).
    pub(super) fn request(&self) -> Vec<u8> {
        let null = [0x05, 0x00];
        let id = [
            encode(SEQUENCE, &[encode(OID, SHA1), null.to_vec()].concat()),
            encode(OCTETS, &self.name_hash),
            encode(OCTETS, &self.key_hash),
            encode(INTEGER, &self.serial),
        ];
        // one request of a list, in what could be signed, in what it all is
        (0..5).fold(id.concat(), |content, _| encode(SEQUENCE, &content))
    }

    /// What an answer says, if it is by `issuer` or by whom it named for this.
    pub(super) fn answered(&self, der: &[u8], issuer: &[u8], times: Times) -> Result<Answer, String> {
        const ODD: &str = "the answer cannot be read";
        let response = basic(der)?;
        let signed = Signed::read(response).ok_or(ODD)?;
        if !is_by_issuer(&signed, issuer, times.now).ok_or(ODD)? {
            return Err("the answer is not signed by the certificate's issuer".to_owned());
        }
        let single = self.single(signed.content).ok_or(ODD)?;
        let (status, rest) = single.ok_or("the answer is about another certificate")?;
        let (_this_update, rest) = x509::time(rest).ok_or(ODD)?;
        // without an end it may be as old as the hills
        let (next_update, rest) = expect(rest, FIELD_0).ok_or("the answer has no time that it ends at")?;
        let (next_update, _) = x509::time(next_update).ok_or(ODD)?;
        if next_update < times.now {
            return Err(format!("the answer has expired at {next_update}"));
        }
        let mut was_good = false;
        if let Some((extensions, _)) = expect(rest, FIELD_1) {
            for extension in elements(only(extensions, SEQUENCE).ok_or(ODD)?).ok_or(ODD)? {
                let extension = only(extension, SEQUENCE).and_then(x509::split_extension);
                let extension = extension.ok_or(ODD)?;
                if extension.name == INVALID_SINCE {
                    was_good = times.is_before(extension.content).ok_or(ODD)?;
                } else if extension.is_critical {
                    return Err("the answer says something critical that is not known".to_owned());
                }
            }
        }
        match status {
            0x80 => Ok(Answer::Known(Standing::Good)),
            0xa1 if was_good => Ok(Answer::Known(Standing::Good)),
            0xa1 => Ok(Answer::Known(Standing::Revoked)),
            0x82 => Ok(Answer::Unknown),
            _ => Err(ODD.to_owned()),
        }
    }

    /// Of the answers that which is about this certificate: the tag of its status, and what follows (RFC 6960 4.2.1).
    fn single<'a>(&self, data: &'a [u8]) -> Option<Option<(u8, &'a [u8])>> {
        let mut fields = only(data, SEQUENCE)?;
        // the version, where it is said
        if let Some((_, rest)) = expect(fields, FIELD_0) {
            fields = rest;
        }
        let (_responder, fields) = whole(fields)?;
        let (_produced_at, fields) = whole(fields)?;
        let (responses, _extensions) = expect(fields, SEQUENCE)?;
        for response in elements(responses)? {
            let (id, rest) = expect(only(response, SEQUENCE)?, SEQUENCE)?;
            let (status, _, rest) = element(rest)?;
            if self.is_id(id)? {
                return Some(Some((status, rest)));
            }
        }
        Some(None)
    }

    fn is_id(&self, id: &[u8]) -> Option<bool> {
        let (algorithm, rest) = expect(id, SEQUENCE)?;
        let (algorithm, _) = expect(algorithm, OID)?;
        let (name_hash, rest) = expect(rest, OCTETS)?;
        let (key_hash, rest) = expect(rest, OCTETS)?;
        let serial = only(rest, INTEGER)?;
        let said = (algorithm, name_hash, key_hash, serial);
        Some(said == (SHA1, &self.name_hash, &self.key_hash, &self.serial))
    }
}

/// The BasicOCSPResponse of an answer (RFC 6960 4.2.1).
fn basic(der: &[u8]) -> Result<&[u8], String> {
    let odd = || "the answer cannot be read".to_owned();
    let (status, rest) = only(der, SEQUENCE)
        .and_then(|response| expect(response, ENUMERATED))
        .ok_or_else(odd)?;
    match status {
        [0] => {}
        [1] => return Err("it says that the question is malformed".to_owned()),
        [2] => return Err("it has an internal error".to_owned()),
        [3] => return Err("it wants to be asked later".to_owned()),
        [5] => return Err("it wants the question signed".to_owned()),
        [6] => return Err("it says that nobody may ask it this".to_owned()),
        _ => return Err(odd()),
    }
    let bytes = only(rest, FIELD_0).and_then(|bytes| only(bytes, SEQUENCE));
    let (kind, response) = bytes.and_then(|bytes| expect(bytes, OID)).ok_or_else(odd)?;
    match kind == BASIC {
        true => only(response, OCTETS).ok_or_else(odd),
        false => Err("the answer is of a kind that is not known".to_owned()),
    }
}

/// Whether the issuer signed, or somebody to whom it gave a certificate for just this (RFC 6960 4.2.2.2).
fn is_by_issuer(signed: &Signed<'_>, issuer: &[u8], now: Timestamp) -> Option<bool> {
    if signed.is_by(issuer) {
        return Some(true);
    }
    let Some((certificates, _)) = expect(signed.rest, FIELD_0) else {
        return Some(false);
    };
    let name = x509::parts(issuer).ok()?.subject;
    let is_delegate = |der: &[u8]| {
        x509::parts(der).is_ok_and(|parts| {
            parts.issuer == name && parts.is_for(PURPOSE) && parts.may_sign() && parts.is_valid_at(now)
        }) && Signed::read(der).is_some_and(|given| given.is_by(issuer))
    };
    let certificates = elements(only(certificates, SEQUENCE)?)?;
    let mut delegates = certificates.into_iter().take(CERTIFICATES_MAX);
    Some(delegates.any(|der| is_delegate(der) && signed.is_by(der)))
}
