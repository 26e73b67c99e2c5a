//! Short-lived certificates: who they are for, who gave them, and that the giving was logged.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest as _, Sha256};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{
    TrustedRoot,
    key::{self, CERTIFICATES},
    trusted_root::Authority,
    x509::{self, EXTENSIONS, SEQUENCE, element, encode},
};

/// `id-kp-codeSigning`.
pub(super) const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
/// Who vouched for the identity, as UTF8String (`1.3.6.1.4.1.57264.1.8`); its older form, as bare text (`….1.1`).
const ISSUER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x08];
const ISSUER_OLD: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x01];
/// A user name, in an `otherName` (`….1.7`).
const USER_NAME: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x07];
/// The extension that holds the certificate logs' promises (`1.3.6.1.4.1.11129.2.4.2`).
const PROMISES: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];

/// A certificate that says who signed.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    der: Vec<u8>,
}

/// Who a certificate is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) issuer: Option<String>,
    pub(super) subjects: Vec<String>,
}

impl Certificate {
    pub(super) fn new(der: Vec<u8>) -> Certificate {
        Certificate { der }
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether its key made this signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // Sigstore's clients sign with the hash that is as large as the curve, or with SHA-256
        key::made(&self.der, CERTIFICATES, message, signature)
    }

    /// Who it is for, and who vouched.
    pub(super) fn named(&self) -> Result<Named, String> {
        let parts = x509::parts(&self.der)?;
        let new = parts.extension(ISSUER).map(x509::utf8_string).transpose()?;
        let old = || Some(String::from_utf8_lossy(parts.extension(ISSUER_OLD)?).into_owned());
        Ok(Named {
            issuer: new.or_else(old),
            subjects: parts.alternative_names(USER_NAME)?,
        })
    }

    /// Whether an authority of the root gave it, for signing code, and it was valid at `time`; and whether a
    /// certificate log vouches that it knows of it (RFC 6962).
    pub(super) fn check(&self, root: &TrustedRoot, time: Timestamp) -> Result<(), String> {
        let mut problem = "no authority of the trusted root was valid then".to_owned();
        for authority in root
            .authorities
            .iter()
            .filter(|authority| authority.is_valid_at(time))
        {
            match self.chain(authority, time) {
                Ok(issuer) => return self.check_logged(root, &issuer),
                Err(error) => problem = error,
            }
        }
        Err(format!(
            "the certificate is not one of the trusted root: {problem}"
        ))
    }

    /// The certificate of whoever signed it.
    fn chain(&self, authority: &Authority, time: Timestamp) -> Result<Vec<u8>, String> {
        let text = |error: webpki::Error| error.to_string();
        let seconds = u64::try_from(time.as_second()).map_err(|_| "before 1970")?;
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let (root, intermediates) = authority
            .chain
            .split_last()
            .ok_or("an authority without certificates")?;
        let root_der = CertificateDer::from(root.as_slice());
        let anchor = anchor_from_trusted_cert(&root_der).map_err(text)?;
        let intermediates_der: Vec<_> = intermediates
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let der = CertificateDer::from(self.der.as_slice());
        let certificate = EndEntityCert::try_from(&der).map_err(text)?;
        let anchors = [anchor];
        let usage = KeyUsage::required(CODE_SIGNING);
        certificate
            .verify_for_usage(CERTIFICATES, &anchors, &intermediates_der, at, usage, None, None)
            .map_err(text)?;
        let issuer = x509::parts(&self.der)?.issuer;
        let mut candidates = authority.chain.iter();
        let found =
            candidates.find(|candidate| x509::parts(candidate).is_ok_and(|parts| parts.subject == issuer));
        found
            .cloned()
            .ok_or_else(|| "its issuer is not in the chain".to_owned())
    }

    /// A certificate log of the root signed that it was given this certificate by this issuer.
    fn check_logged(&self, root: &TrustedRoot, issuer: &[u8]) -> Result<(), String> {
        let parts = x509::parts(&self.der)?;
        let issuer_key: [u8; 32] = Sha256::digest(x509::parts(issuer)?.key).into();
        let unlogged = without_promises(parts.tbs).ok_or("it has an odd form")?;
        let length = u32::try_from(unlogged.len())
            .map_err(|_| "it is too long")?
            .to_be_bytes();
        let list = parts
            .extension(PROMISES)
            .and_then(x509::octets)
            .unwrap_or_default();
        for promise in promises(list) {
            let milliseconds = i64::try_from(promise.timestamp).map_err(|_| "a promise of no time")?;
            let time = Timestamp::from_millisecond(milliseconds).map_err(|error| error.to_string())?;
            let Some(log) = root.certificate_log(promise.log, time) else {
                continue;
            };
            let mut message = vec![0, 0];
            message.extend_from_slice(&promise.timestamp.to_be_bytes());
            message.extend_from_slice(&[0, 1]);
            message.extend_from_slice(&issuer_key);
            message.extend_from_slice(length.get(1..).unwrap_or_default());
            message.extend_from_slice(&unlogged);
            message.extend_from_slice(promise.extensions);
            if log.key.verifies(&message, promise.signature) {
                return Ok(());
            }
        }
        Err("no certificate log of the trusted root vouches for the certificate".to_owned())
    }
}

/// A log's promise to show a certificate.
struct Promise<'a> {
    log: &'a [u8],
    timestamp: u64,
    /// With their length before them.
    extensions: &'a [u8],
    signature: &'a [u8],
}

/// Splits off what a length of two bytes says.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The promises of the first version; what cannot be read ends the list.
fn promises(list: &[u8]) -> Vec<Promise<'_>> {
    let mut found = Vec::new();
    let mut rest = counted(list).map_or(&[][..], |(list, _)| list);
    while let Some((one, after)) = counted(rest) {
        found.extend(promise(one));
        rest = after;
    }
    found
}

fn promise(bytes: &[u8]) -> Option<Promise<'_>> {
    let (0, rest) = bytes.split_first()? else {
        return None;
    };
    let (log, rest) = rest.split_at_checked(32)?;
    let (timestamp, rest) = rest.split_first_chunk::<8>()?;
    let (_, after) = counted(rest)?;
    let (extensions, _) = rest.split_at_checked(rest.len() - after.len())?;
    let (_algorithms, signature) = after.split_at_checked(2)?;
    let (signature, _) = counted(signature)?;
    Some(Promise {
        log,
        timestamp: u64::from_be_bytes(*timestamp),
        extensions,
        signature,
    })
}

/// What a certificate log was shown: the certificate's content before the logs' promises were put into it.
fn without_promises(tbs: &[u8]) -> Option<Vec<u8>> {
    let (tag, mut fields, rest) = element(tbs)?;
    if tag != SEQUENCE || !rest.is_empty() {
        return None;
    }
    let name = encode(0x06, PROMISES);
    let mut kept = Vec::new();
    while !fields.is_empty() {
        let (tag, content, rest) = element(fields)?;
        if tag == EXTENSIONS {
            let (_, mut list, _) = element(content)?;
            let mut extensions = Vec::new();
            while !list.is_empty() {
                let (tag, extension, rest) = element(list)?;
                if !extension.starts_with(&name) {
                    extensions.extend(encode(tag, extension));
                }
                list = rest;
            }
            kept.extend(encode(EXTENSIONS, &encode(SEQUENCE, &extensions)));
        } else {
            kept.extend(encode(tag, content));
        }
        fields = rest;
    }
    Some(encode(SEQUENCE, &kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = promises(&bytes);
            let _any = without_promises(&bytes);
            let _any = Certificate::new(bytes.clone()).named();
            let _any = Certificate::new(bytes).check(&TrustedRoot::default(), Timestamp::UNIX_EPOCH);
        }
    }
}
