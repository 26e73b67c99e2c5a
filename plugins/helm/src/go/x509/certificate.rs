//! Certificates, as `x509.CreateCertificate` makes them.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::{
    der::{self, Reader},
    key::PrivateKey,
};
use crate::go::time::Time;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 0x0E];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1D, 0x23];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const SERVER_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// What a certificate shall say.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) common_name: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) dns_names: Vec<String>,
    pub(crate) serial: [u8; 16],
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    pub(crate) is_ca: bool,
}

/// Who signs: what its own certificate says of it.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    subject: Vec<u8>,
    subject_key_id: Vec<u8>,
    public_key_info: Vec<u8>,
}

/// Makes a certificate in DER, signed by its parent, or by itself where there is none.
///
/// # Errors
/// Go's text.
pub(crate) fn create(
    template: &Template,
    key: &PrivateKey,
    parent: Option<&Certificate>,
    signer: &PrivateKey,
) -> Result<Vec<u8>, String> {
    let no_signer = || "x509: certificate private key does not implement crypto.Signer".to_owned();
    let algorithm = signer.signature_algorithm().ok_or_else(no_signer)?;
    let public_key_info = key
        .public_key_info()
        .ok_or("x509: unsupported public key type: *dsa.PublicKey")?;
    if let Some(parent) = parent
        && Some(&parent.public_key_info) != signer.public_key_info().as_ref()
    {
        return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
    }
    let subject = name(&template.common_name);
    let issuer = parent.map_or(&subject, |parent| &parent.subject);
    let authority = parent
        .filter(|parent| parent.subject != subject)
        .map(|parent| parent.subject_key_id.as_slice());
    let body = der::sequence(&[
        der::value(der::context(0), &der::integer(&[2])),
        der::integer(&template.serial),
        algorithm.clone(),
        issuer.clone(),
        der::sequence(&[time(&template.not_before), time(&template.not_after)]),
        subject,
        public_key_info.clone(),
        der::value(
            der::context(3),
            &der::sequence(&extensions(template, &public_key_info, authority)),
        ),
    ]);
    let signature = signer
        .sign(&body)
        .ok_or("crypto/rsa: message too long for RSA key size")?;
    Ok(der::sequence(&[body, algorithm, der::bit_string(&signature)]))
}

fn name(common_name: &str) -> Vec<u8> {
    if common_name.is_empty() {
        return der::sequence(&[]);
    }
    let is_printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    let tag = if common_name.chars().all(is_printable) {
        der::PRINTABLE_STRING
    } else {
        der::UTF8_STRING
    };
    let attribute = der::sequence(&[
        der::value(der::OBJECT_IDENTIFIER, COMMON_NAME),
        der::value(tag, common_name.as_bytes()),
    ]);
    der::sequence(&[der::value(der::SET, &attribute)])
}

fn time(time: &Time) -> Vec<u8> {
    if (1950..2050).contains(&time.civil().year) {
        der::value(der::UTC_TIME, time.format(b"060102150405Z").as_bytes())
    } else {
        der::value(der::GENERALIZED_TIME, time.format(b"20060102150405Z").as_bytes())
    }
}

fn extension(identifier: &[u8], is_critical: bool, content: &[u8]) -> Vec<u8> {
    let critical = if is_critical {
        der::value(der::BOOLEAN, &[0xFF])
    } else {
        Vec::new()
    };
    der::sequence(&[
        der::value(der::OBJECT_IDENTIFIER, identifier),
        critical,
        der::value(der::OCTET_STRING, content),
    ])
}

fn extensions(template: &Template, public_key_info: &[u8], authority: Option<&[u8]>) -> Vec<Vec<u8>> {
    // digital signature and key encipherment, an authority signs certificates too
    let usage: &[u8] = if template.is_ca { &[2, 0xA4] } else { &[5, 0xA0] };
    let purposes = [SERVER_AUTH, CLIENT_AUTH].map(|purpose| der::value(der::OBJECT_IDENTIFIER, purpose));
    let constraints = if template.is_ca {
        vec![der::value(der::BOOLEAN, &[0xFF])]
    } else {
        Vec::new()
    };
    let mut all = vec![
        extension(KEY_USAGE, true, &der::value(der::BIT_STRING, usage)),
        extension(EXTENDED_KEY_USAGE, false, &der::sequence(&purposes)),
        extension(BASIC_CONSTRAINTS, true, &der::sequence(&constraints)),
    ];
    if template.is_ca {
        let id = der::value(der::OCTET_STRING, &key_id(public_key_info));
        all.push(extension(SUBJECT_KEY_ID, false, &id));
    }
    if let Some(id) = authority.filter(|id| !id.is_empty()) {
        all.push(extension(
            AUTHORITY_KEY_ID,
            false,
            &der::sequence(&[der::value(0x80, id)]),
        ));
    }
    if !template.dns_names.is_empty() || !template.addresses.is_empty() {
        let names = template
            .dns_names
            .iter()
            .map(|name| der::value(0x82, name.as_bytes()));
        let addresses = template.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => der::value(0x87, &address.octets()),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => der::value(0x87, &address.octets()),
                None => der::value(0x87, &address.octets()),
            },
        });
        let names: Vec<Vec<u8>> = names.chain(addresses).collect();
        let is_critical = template.common_name.is_empty();
        all.push(extension(
            SUBJECT_ALTERNATIVE_NAME,
            is_critical,
            &der::sequence(&names),
        ));
    }
    all
}

/// The first 160 bits of the SHA-256 of the public key (RFC 7093, method 1).
fn key_id(public_key_info: &[u8]) -> Vec<u8> {
    let key = Reader(public_key_info).sequence().and_then(|mut fields| {
        fields.next()?;
        fields.expect(der::BIT_STRING)
    });
    let key = key.and_then(|read| read.content.get(1..)).unwrap_or_default();
    Sha256::digest(key).iter().take(20).copied().collect()
}

/// Reads what is needed of a certificate.
///
/// # Errors
/// Go's text for one that is malformed.
pub(crate) fn parse(bytes: &[u8]) -> Result<Certificate, String> {
    let certificate = read(bytes);
    certificate.ok_or_else(|| "x509: malformed certificate".to_owned())
}

fn read(bytes: &[u8]) -> Option<Certificate> {
    let mut reader = Reader(bytes);
    let mut outer = reader.sequence()?;
    if !reader.0.is_empty() {
        return None;
    }
    let mut body = outer.sequence()?;
    outer.sequence()?;
    outer.expect(der::BIT_STRING)?;
    body.expect(der::context(0));
    body.integer()?;
    body.sequence()?;
    body.sequence()?;
    body.sequence()?;
    let subject = body.expect(der::SEQUENCE)?.whole.to_vec();
    let public_key_info = body.expect(der::SEQUENCE)?.whole.to_vec();
    let mut subject_key_id = Vec::new();
    while let Some(read) = body.next() {
        if read.tag == der::context(3) {
            let mut extensions = Reader(read.content).sequence()?;
            while let Some(mut extension) = extensions.sequence() {
                let identifier = extension.expect(der::OBJECT_IDENTIFIER)?.content;
                extension.expect(der::BOOLEAN);
                let content = extension.expect(der::OCTET_STRING)?.content;
                if identifier == SUBJECT_KEY_ID {
                    subject_key_id = Reader(content).expect(der::OCTET_STRING)?.content.to_vec();
                }
            }
        }
    }
    Some(Certificate {
        subject,
        subject_key_id,
        public_key_info,
    })
}
