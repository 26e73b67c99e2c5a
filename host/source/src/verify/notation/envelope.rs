//! What an envelope says, whichever form it has, and that its signature is good.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use serde::Deserialize;
use webpki::{EndEntityCert, ring as alg};

use super::{cose, jws};
use crate::verify::{ecdsa, x509};

/// The forms of an envelope that are read (signature specification, storage).
pub(super) const MEDIA_TYPES: [&str; 2] = [jws::MEDIA_TYPE, cose::MEDIA_TYPE];

const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
/// Header: under which rules it was signed.
pub(super) const SCHEME: &str = "io.cncf.notary.signingScheme";
/// Header: when it was signed, by the word of an authority that signs for others.
pub(super) const AUTHENTIC_TIME: &str = "io.cncf.notary.authenticSigningTime";
/// Header: after when nobody is to believe it.
pub(super) const EXPIRY: &str = "io.cncf.notary.expiry";
/// Header: what else must look at the signature.
const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
/// Unsigned header: the token of an authority for timestamps (signature specification, unsigned attributes).
pub(super) const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";
/// What an envelope may declare critical; anything else it would be wrong to pass over.
const CRITICAL: [&str; 3] = [SCHEME, EXPIRY, AUTHENTIC_TIME];
/// Certificates of one chain.
const CHAIN_MAX: usize = 10;

/// An envelope whose signature is good, whoever made it.
pub(super) struct Signed {
    /// The artifact that it is about.
    pub(super) target: Target,
    /// The signer's certificate first, each as DER.
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) expiry: Option<Timestamp>,
    /// When it was signed, if an authority did it that signs for others: its word is as good as its signature
    /// (notaryproject, signing scheme, `notary.x509.signingAuthority`).
    pub(super) authentic_time: Option<Timestamp>,
    /// What a timestamp is of.
    pub(super) signature: Vec<u8>,
    /// Nothing of it is believed yet: it is not signed by who signed the rest.
    pub(super) timestamp: Option<Vec<u8>>,
}

/// An envelope as it was read; nothing of it is believed yet.
pub(super) struct Claims {
    /// As JOSE names it: `ES256`.
    pub(super) algorithm: String,
    /// Of the payload.
    pub(super) content_type: String,
    pub(super) scheme: String,
    /// The names of headers that a reader must know.
    pub(super) critical: Vec<String>,
    pub(super) expiry: Option<Timestamp>,
    pub(super) authentic_time: Option<Timestamp>,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) payload: Vec<u8>,
    /// What was signed: headers and payload.
    pub(super) message: Vec<u8>,
    /// Of ECDSA the two numbers side by side.
    pub(super) signature: Vec<u8>,
    pub(super) timestamp: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: Target,
}

/// What an envelope says of an artifact.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    #[serde(default)]
    pub(super) size: u64,
}

/// Says which part of an envelope is missing or not what it must be.
pub(super) fn odd(what: &str) -> String {
    format!("the envelope has no usable {what}")
}

impl Signed {
    pub(super) fn read(media_type: &str, envelope: &[u8]) -> Result<Signed, String> {
        let claims = match media_type {
            cose::MEDIA_TYPE => cose::read(envelope)?,
            _ => jws::read(envelope)?,
        };
        let is_by_authority = match claims.scheme.as_str() {
            "notary.x509" => Some(false),
            "notary.x509.signingAuthority" => Some(true),
            _ => None,
        };
        let is_by_authority = is_by_authority.filter(|_| claims.content_type == PAYLOAD);
        let is_by_authority = is_by_authority.ok_or_else(|| {
            format!(
                "signing scheme '{}' with content '{}' is not known",
                claims.scheme, claims.content_type
            )
        })?;
        if is_by_authority != claims.authentic_time.is_some() {
            return Err(format!(
                "signing scheme '{}' must have the header '{AUTHENTIC_TIME}' if it is that of an authority, and only then",
                claims.scheme
            ));
        }
        if claims.critical.iter().any(|name| name == PLUGIN) {
            return Err(
                "plugin unsupported due to nil verifier.pluginManager (the signature wants to be verified by a plugin, and none is ever loaded)"
                    .to_owned(),
            );
        }
        let unknown = |name: &&String| !CRITICAL.contains(&name.as_str());
        if let Some(unknown) = claims.critical.iter().find(unknown) {
            return Err(format!("the critical header '{unknown}' is not known"));
        }
        for (name, value) in [(EXPIRY, claims.expiry), (AUTHENTIC_TIME, claims.authentic_time)] {
            if value.is_some() && !claims.critical.iter().any(|critical| critical == name) {
                return Err(format!("the header '{name}' is not declared critical"));
            }
        }
        if claims.chain.len() > CHAIN_MAX {
            return Err(format!("the chain has more than {CHAIN_MAX} certificates"));
        }
        let leaf = claims.chain.first().ok_or_else(|| odd("chain"))?;
        if !is_signed(leaf, &claims.algorithm, &claims.message, &claims.signature)? {
            let text = "signature is invalid. Error: the signature is not one of the envelope's content by its first certificate";
            return Err(text.to_owned());
        }
        let payload: Payload = serde_json::from_slice(&claims.payload).map_err(|_| odd("payload"))?;
        Ok(Signed {
            target: payload.target_artifact,
            chain: claims.chain,
            expiry: claims.expiry,
            authentic_time: claims.authentic_time,
            signature: claims.signature,
            timestamp: claims.timestamp,
        })
    }
}

fn is_signed(leaf: &[u8], name: &str, message: &[u8], signature: &[u8]) -> Result<bool, String> {
    let pss: Option<&dyn SignatureVerificationAlgorithm> = match name {
        "PS256" => Some(alg::RSA_PSS_2048_8192_SHA256_LEGACY_KEY),
        "PS384" => Some(alg::RSA_PSS_2048_8192_SHA384_LEGACY_KEY),
        "PS512" => Some(alg::RSA_PSS_2048_8192_SHA512_LEGACY_KEY),
        _ => None,
    };
    let ecdsa: Option<(&dyn SignatureVerificationAlgorithm, usize)> = match name {
        "ES256" => Some((alg::ECDSA_P256_SHA256, 64)),
        "ES384" => Some((alg::ECDSA_P384_SHA384, 96)),
        "ES512" => Some((ecdsa::P521_SHA512, 132)),
        _ => None,
    };
    let (algorithm, signature) = match (pss, ecdsa) {
        (Some(algorithm), _) => (algorithm, signature.to_vec()),
        (None, Some((algorithm, length))) if signature.len() == length => (algorithm, der_of(signature)),
        (None, Some(_)) => return Ok(false),
        (None, None) => return Err(format!("signature algorithm '{name}' is not supported")),
    };
    let der = CertificateDer::from(leaf);
    let certificate = EndEntityCert::try_from(&der).map_err(|error| error.to_string())?;
    Ok(certificate
        .verify_signature(algorithm, message, &signature)
        .is_ok())
}

/// JOSE writes the two numbers of an ECDSA signature side by side, X.509 as a sequence of integers.
fn der_of(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |bytes: &[u8]| {
        let start = bytes
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(bytes.len().saturating_sub(1));
        let digits = bytes.get(start..).unwrap_or_default();
        let pad = digits.first().is_some_and(|first| first & 0x80 != 0);
        let mut content = if pad { vec![0] } else { Vec::new() };
        content.extend_from_slice(digits);
        x509::encode(0x02, &content)
    };
    x509::encode(0x30, &[integer(r), integer(s)].concat())
}
