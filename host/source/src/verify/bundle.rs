//! Signatures as cosign attaches them: simple signing with annotations (v2), Sigstore bundles (v3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::pem::{PemObject, SectionKind};
use serde::Deserialize;
use serde_json::Value;

use super::{
    certificate::Certificate,
    transparency::{InclusionProof, LogEntry},
};
use crate::oci::ContentDigest;

/// Media type and artifact type of a bundle; later versions of the format differ in its number.
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Media type of a simple signing payload.
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// One signature, before anything of it is believed.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// What was signed.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// Who signed, where no key is given.
    pub(super) certificate: Option<Certificate>,
    pub(super) entries: Vec<LogEntry>,
    /// What authorities say of when it was (RFC 3161).
    pub(super) timestamps: Vec<Vec<u8>>,
    /// What the message says it is about.
    claim: Claim,
    /// What the hash in the log is of where the entry is one of an envelope.
    pub(super) logged: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Claim {
    /// A simple signing document.
    Simple(Vec<u8>),
    /// An in-toto statement.
    Statement(Vec<u8>),
    /// The manifest itself, whose digest is looked at.
    Manifest,
}

const STATEMENT_TYPES: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
/// The predicate of a signature; another one is an attestation, which says something else.
const SIGNATURE_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
const IN_TOTO: &str = "application/vnd.in-toto+json";

impl Candidate {
    /// Whether it speaks of this digest.
    pub(super) fn is_about(&self, digest: &ContentDigest) -> bool {
        match &self.claim {
            Claim::Simple(document) => serde_json::from_slice::<Value>(document).is_ok_and(|document| {
                let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
                text("/critical/image/docker-manifest-digest") == Some(&digest.to_string())
                    && text("/critical/type").is_some()
            }),
            Claim::Statement(statement) => {
                serde_json::from_slice::<Value>(statement).is_ok_and(|statement| {
                    let text = |pointer: &str| statement.pointer(pointer).and_then(Value::as_str);
                    let subjects = statement.pointer("/subject").and_then(Value::as_array);
                    let algorithm = digest.algorithm().as_str();
                    let is_subject = |subject: &Value| {
                        subject
                            .pointer(&format!("/digest/{algorithm}"))
                            .and_then(Value::as_str)
                            == Some(digest.hex())
                    };
                    text("/_type").is_some_and(|of| STATEMENT_TYPES.contains(&of))
                        && text("/predicateType") == Some(SIGNATURE_PREDICATE)
                        && subjects.is_some_and(|subjects| subjects.iter().any(is_subject))
                })
            }
            Claim::Manifest => digest.matches(&self.message),
        }
    }

    /// A layer of a `sha256-….sig` manifest, with its content.
    pub(super) fn of_simple_signing(
        payload: Vec<u8>,
        annotation: impl Fn(&str) -> Option<String>,
    ) -> Result<Candidate, String> {
        let signature = annotation("dev.cosignproject.cosign/signature").ok_or("it holds no signature")?;
        let signature = decode(&signature)?;
        let certificate = annotation("dev.sigstore.cosign/certificate").filter(|pem| !pem.is_empty());
        let certificate =
            certificate.map(
                |pem| match <(SectionKind, Vec<u8>)>::from_pem_slice(pem.as_bytes()) {
                    Ok((SectionKind::Certificate, der)) => Ok(Certificate::new(der)),
                    _ => Err("its certificate cannot be read".to_owned()),
                },
            );
        let entries = match annotation("dev.sigstore.cosign/bundle") {
            Some(bundle) => vec![old_entry(&bundle)?],
            None => Vec::new(),
        };
        Ok(Candidate {
            message: payload.clone(),
            signature,
            certificate: certificate.transpose()?,
            entries,
            timestamps: Vec::new(),
            claim: Claim::Simple(payload.clone()),
            logged: payload,
        })
    }

    /// A bundle; `manifest` is what it may have signed directly.
    pub(super) fn of_bundle(json: &[u8], manifest: &[u8]) -> Result<Candidate, String> {
        let bundle: Bundle = serde_json::from_slice(json).map_err(|error| format!("the bundle: {error}"))?;
        let (message, signature, claim, logged) = match (bundle.message_signature, bundle.dsse_envelope) {
            (Some(signed), None) => {
                let signature = decode(&signed.signature)?;
                (manifest.to_vec(), signature, Claim::Manifest, manifest.to_vec())
            }
            (None, Some(envelope)) => {
                let [signature] = envelope.signatures.as_slice() else {
                    return Err("the envelope must hold one signature".to_owned());
                };
                if envelope.payload_type != IN_TOTO {
                    return Err(format!(
                        "an envelope of type '{}' is not known",
                        envelope.payload_type
                    ));
                }
                let payload = decode(&envelope.payload)?;
                let message = pre_authentication(&envelope.payload_type, &payload);
                (
                    message,
                    decode(&signature.sig)?,
                    Claim::Statement(payload.clone()),
                    payload,
                )
            }
            _ => return Err("the bundle must hold one signature or one envelope".to_owned()),
        };
        let material = bundle.verification_material;
        let certificate = match (material.certificate, material.x509_certificate_chain) {
            (Some(certificate), _) => Some(decode(&certificate.raw_bytes)?),
            (None, Some(chain)) => {
                let first = chain.certificates.first().ok_or("the bundle's chain is empty")?;
                Some(decode(&first.raw_bytes)?)
            }
            (None, None) => None,
        };
        let timestamps = material.timestamp_verification_data.unwrap_or_default();
        let timestamps = timestamps.rfc3161_timestamps;
        // not one is passed over: each must be good
        if timestamps.len() > TIMESTAMPS_MAX {
            return Err(format!("the bundle has more than {TIMESTAMPS_MAX} timestamps"));
        }
        let timestamps = timestamps
            .iter()
            .map(|timestamp| decode(&timestamp.signed_timestamp));
        let entries = material
            .tlog_entries
            .into_iter()
            .take(ENTRIES_MAX)
            .map(BundleEntry::read);
        Ok(Candidate {
            message,
            signature,
            certificate: certificate.map(Certificate::new),
            entries: entries.collect::<Result<_, _>>()?,
            timestamps: timestamps.collect::<Result<_, _>>()?,
            claim,
            logged,
        })
    }
}

/// Log entries of one bundle that are looked at.
const ENTRIES_MAX: usize = 8;
/// Timestamps that one bundle may have.
const TIMESTAMPS_MAX: usize = 8;

/// DSSE's encoding of what is signed.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(text.trim())
        .map_err(|_| "it holds what is no base64".to_owned())
}

/// The log entry as cosign v2 writes it.
fn old_entry(json: &str) -> Result<LogEntry, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Old {
        signed_entry_timestamp: String,
        payload: Payload,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload {
        body: String,
        integrated_time: i64,
        log_index: i64,
        #[serde(rename = "logID")]
        log_id: String,
    }
    let old: Old = serde_json::from_str(json).map_err(|error| format!("the log entry: {error}"))?;
    Ok(LogEntry {
        log_id: hex::decode(&old.payload.log_id).map_err(|error| error.to_string())?,
        index: old.payload.log_index,
        integrated_time: old.payload.integrated_time,
        promise: Some(decode(&old.signed_entry_timestamp)?),
        proof: None,
        body: decode(&old.payload.body)?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    verification_material: Material,
    message_signature: Option<MessageSignature>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
struct MessageSignature {
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<RawCertificate>,
    x509_certificate_chain: Option<RawChain>,
    #[serde(default)]
    tlog_entries: Vec<BundleEntry>,
    timestamp_verification_data: Option<TimestampData>,
}

#[derive(Default, Deserialize)]
struct TimestampData {
    #[serde(default, rename = "rfc3161Timestamps")]
    rfc3161_timestamps: Vec<RawTimestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTimestamp {
    signed_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: String,
}

#[derive(Deserialize)]
struct RawChain {
    certificates: Vec<RawCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleEntry {
    #[serde(default)]
    log_index: Number,
    log_id: LogId,
    #[serde(default)]
    integrated_time: Number,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Option<Proof>,
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(default)]
    log_index: Number,
    root_hash: String,
    tree_size: Number,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: Checkpoint,
}

#[derive(Deserialize)]
struct Checkpoint {
    envelope: String,
}

/// Protobuf's JSON writes 64-bit numbers as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(i64),
}

impl Default for Number {
    fn default() -> Number {
        Number::Number(0)
    }
}

impl Number {
    fn get(&self) -> Result<i64, String> {
        match self {
            Number::Number(number) => Ok(*number),
            Number::Text(text) => text.parse().map_err(|_| format!("'{text}' is no number")),
        }
    }
}

impl BundleEntry {
    fn read(self) -> Result<LogEntry, String> {
        let promise = self
            .inclusion_promise
            .map(|promise| decode(&promise.signed_entry_timestamp));
        let proof = self.inclusion_proof.map(|proof| {
            let hashes = proof.hashes.iter().map(|hash| decode(hash));
            let unsigned =
                |number: &Number| u64::try_from(number.get()?).map_err(|_| "a negative number".to_owned());
            Ok::<_, String>(InclusionProof {
                index: unsigned(&proof.log_index)?,
                size: unsigned(&proof.tree_size)?,
                root: decode(&proof.root_hash)?,
                hashes: hashes.collect::<Result<_, _>>()?,
                checkpoint: proof.checkpoint.envelope,
            })
        });
        Ok(LogEntry {
            log_id: decode(&self.log_id.key_id)?,
            index: self.log_index.get()?,
            integrated_time: self.integrated_time.get()?,
            promise: promise.transpose()?,
            proof: proof.transpose()?,
            body: decode(&self.canonicalized_body)?,
        })
    }
}
