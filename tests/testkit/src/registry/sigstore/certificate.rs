//! Certificates with an identity and the promise of a certificate log (RFC 6962).

use rcgen::{
    CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber, SigningKey, date_time_ymd,
};
use sha2::{Digest as _, Sha256};

use super::{Flaw, SIGNED_AT, Sigstore};
use crate::registry::timestamps::elements;

impl Sigstore {
    /// A certificate for ten minutes of 2026, with the promise of the certificate log in it.
    pub(super) fn certificate(
        &self,
        key: &KeyPair,
        (issuer_name, subject_name): (&str, &str),
        flaw: Flaw,
    ) -> rcgen::Certificate {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from(vec![7; 8]));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 2);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match flaw {
            Flaw::OtherUsage => ExtendedKeyUsagePurpose::ServerAuth,
            _ => ExtendedKeyUsagePurpose::CodeSigning,
        }];
        params.subject_alt_names = vec![SanType::Rfc822Name(subject_name.try_into().expect("ASCII"))];
        let mut utf8 = vec![0x0c, issuer_name.len() as u8];
        utf8.extend_from_slice(issuer_name.as_bytes());
        params.custom_extensions = vec![CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 4, 1, 57264, 1, 8],
            utf8,
        )];
        let issuer = Issuer::from_params(&self.intermediate_params, &self.intermediate_key);
        let unlogged = params.signed_by(key, &issuer).expect("a certificate");
        if flaw == Flaw::NoPromiseOfCertificate {
            return unlogged;
        }
        let other = KeyPair::generate().expect("a key");
        let log = if flaw == Flaw::OtherCertificateLog {
            &other
        } else {
            &self.certificate_log
        };
        let tbs = elements(unlogged.der())[0];
        let timestamp = (SIGNED_AT as u64 * 1000).to_be_bytes();
        let mut message = vec![0, 0];
        message.extend_from_slice(&timestamp);
        message.extend_from_slice(&[0, 1]);
        message.extend_from_slice(&Sha256::digest(self.intermediate_key.subject_public_key_info()));
        message.extend_from_slice(&(tbs.len() as u32).to_be_bytes()[1..]);
        message.extend_from_slice(tbs);
        message.extend_from_slice(&[0, 0]);
        let signature = log.sign(&message).expect("a signature");
        let mut promise = vec![0];
        promise.extend_from_slice(&Sha256::digest(self.certificate_log.subject_public_key_info()));
        promise.extend_from_slice(&timestamp);
        promise.extend_from_slice(&[0, 0, 4, 3]);
        promise.extend_from_slice(&(signature.len() as u16).to_be_bytes());
        promise.extend_from_slice(&signature);
        let mut list = (promise.len() as u16).to_be_bytes().to_vec();
        list.extend_from_slice(&promise);
        let mut content = (list.len() as u16).to_be_bytes().to_vec();
        content.extend_from_slice(&list);
        // OCTET STRING, short enough for one or two bytes of length
        let mut octets = vec![0x04];
        if content.len() < 0x80 {
            octets.push(content.len() as u8);
        } else {
            octets.extend_from_slice(&[0x81, content.len() as u8]);
        }
        octets.extend_from_slice(&content);
        let oid = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&oid, octets));
        params.signed_by(key, &issuer).expect("a certificate")
    }
}
