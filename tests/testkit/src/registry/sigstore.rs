//! A Sigstore for tests: an authority, a certificate log, a transparency log, and signatures with one flaw each.

mod certificate;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, SigningKey,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Registry, digest};
use crate::http_server::base64;

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// It is about another artifact.
    OtherDigest,
    /// It was made by another key than the certificate's.
    OtherKey,
    /// The certificate was not valid when the log took it.
    Expired,
    /// The certificate is not for signing code.
    OtherUsage,
    /// No certificate log vouches for the certificate.
    NoPromiseOfCertificate,
    /// A certificate log that nobody trusts vouches for it.
    OtherCertificateLog,
    /// It is in no log.
    NoEntry,
    /// The log's entry is not signed.
    NoPromise,
    /// The log's entry is signed by another log.
    OtherLog,
    /// The log's entry is about another signature.
    OtherEntry,
    /// The entry is not in the tree.
    BadProof,
    /// The tree's head is not signed.
    BadCheckpoint,
}

/// A key that is given to verifiers.
pub struct Signer {
    key: KeyPair,
}

impl Signer {
    /// A new key.
    pub fn new() -> Signer {
        Signer {
            key: KeyPair::generate().expect("a key"),
        }
    }

    /// `cosign.pub`.
    pub fn public_pem(&self) -> String {
        self.key.public_key_pem()
    }

    /// Signs as cosign 2 does, with a key.
    pub fn sign(&self, registry: &Registry, repository: &str, subject: &str) {
        let payload = simple_signing(subject);
        let signature = base64(self.key.sign(payload.as_bytes()).expect("a signature"));
        attach(
            registry,
            repository,
            subject,
            &payload,
            json!({ "dev.cosignproject.cosign/signature": signature }),
        );
    }
}

impl Default for Signer {
    fn default() -> Signer {
        Signer::new()
    }
}

/// Who gives certificates and keeps logs.
pub struct Sigstore {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: rcgen::Certificate,
    intermediate_key: KeyPair,
    intermediate_params: CertificateParams,
    certificate_log: KeyPair,
    log: KeyPair,
}

/// 2026-01-01 00:00:05 UTC, in the life of every certificate given here.
const SIGNED_AT: i64 = 1_767_225_605;

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Sigstore {
    /// A new one, which nobody trusts yet.
    pub fn new() -> Sigstore {
        let key = || KeyPair::generate().expect("a key");
        let root = CertifiedIssuer::self_signed(authority("root"), key()).expect("a root");
        let intermediate_key = key();
        let mut intermediate_params = authority("intermediate");
        intermediate_params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        let intermediate = intermediate_params
            .signed_by(&intermediate_key, &root)
            .expect("an intermediate");
        Sigstore {
            root,
            intermediate,
            intermediate_key,
            intermediate_params,
            certificate_log: key(),
            log: key(),
        }
    }

    /// `trusted_root.json`.
    pub fn trusted_root(&self) -> String {
        let log = |key: &KeyPair| {
            let der = key.subject_public_key_info();
            json!([{
                "baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": base64(&der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": { "start": "2020-01-01T00:00:00Z" } },
                "logId": { "keyId": base64(Sha256::digest(&der)) },
            }])
        };
        let raw = |der: &[u8]| json!({ "rawBytes": base64(der) });
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log(&self.log),
            "ctlogs": log(&self.certificate_log),
            "certificateAuthorities": [{
                "uri": "https://authority.example",
                "certChain": { "certificates": [raw(self.intermediate.der()), raw(self.root.der())] },
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            }],
        })
        .to_string()
    }

    /// Signs as cosign 2 does, without a key, as `subject_name` by the word of `issuer_name`.
    pub fn sign(
        &self,
        registry: &Registry,
        repository: &str,
        subject: &str,
        names: (&str, &str),
        flaw: Flaw,
    ) {
        let payload = simple_signing(&about(subject, flaw));
        let signed = self.signed(
            payload.as_bytes(),
            payload.as_bytes(),
            names,
            flaw,
            "hashedrekord",
        );
        let mut annotations = json!({
            "dev.cosignproject.cosign/signature": base64(&signed.signature),
            "dev.sigstore.cosign/certificate": signed.certificate.pem(),
        });
        if flaw != Flaw::NoEntry {
            let promise = if flaw == Flaw::NoPromise {
                String::new()
            } else {
                base64(&signed.promise)
            };
            let bundle = json!({
                "SignedEntryTimestamp": promise,
                "Payload": {
                    "body": base64(&signed.body), "integratedTime": signed.time, "logIndex": 1,
                    "logID": hex(&Sha256::digest(self.log.subject_public_key_info())),
                },
            });
            annotations["dev.sigstore.cosign/bundle"] = bundle.to_string().into();
        }
        attach(registry, repository, subject, &payload, annotations);
    }

    /// Signs as cosign 3 does: an in-toto statement in a bundle that refers to the artifact.
    pub fn sign_bundle(
        &self,
        registry: &Registry,
        repository: &str,
        subject: &str,
        names: (&str, &str),
        flaw: Flaw,
    ) {
        let hex_of = about(subject, flaw).trim_start_matches("sha256:").to_owned();
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "subject": [{ "digest": { "sha256": hex_of } }], "predicate": {},
        })
        .to_string();
        let payload_type = "application/vnd.in-toto+json";
        let message = format!(
            "DSSEv1 {} {payload_type} {} {statement}",
            payload_type.len(),
            statement.len()
        );
        let signed = self.signed(message.as_bytes(), statement.as_bytes(), names, flaw, "dsse");
        let mut entry = json!({
            "logIndex": "1", "logId": { "keyId": base64(Sha256::digest(self.log.subject_public_key_info())) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" }, "integratedTime": signed.time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": base64(&signed.promise) },
            "inclusionProof": self.proof(&signed.body, flaw),
            "canonicalizedBody": base64(&signed.body),
        });
        if flaw == Flaw::NoPromise {
            entry["inclusionPromise"] = Value::Null;
        }
        let entries = if flaw == Flaw::NoEntry {
            json!([])
        } else {
            json!([entry])
        };
        let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let bundle = json!({
            "mediaType": media_type,
            "verificationMaterial": { "certificate": { "rawBytes": base64(signed.certificate.der()) }, "tlogEntries": entries },
            "dsseEnvelope": { "payload": base64(&statement), "payloadType": payload_type, "signatures": [{ "sig": base64(&signed.signature) }] },
        });
        let layer = registry.add_blob(media_type, bundle.to_string().as_bytes());
        let config = registry.add_blob("application/vnd.oci.empty.v1+json", b"{}");
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": media_type,
            "config": config, "layers": [layer],
            "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1 },
        });
        registry.add_manifest(repository, "", &manifest);
    }

    fn signed(&self, message: &[u8], logged: &[u8], names: (&str, &str), flaw: Flaw, kind: &str) -> Signed {
        let key = KeyPair::generate().expect("a key");
        let certificate = self.certificate(&key, names, flaw);
        let other = KeyPair::generate().expect("a key");
        let signer = if flaw == Flaw::OtherKey { &other } else { &key };
        let signature = signer.sign(message).expect("a signature");
        let logged_signature = match flaw {
            Flaw::OtherEntry => key.sign(b"something else").expect("a signature"),
            _ => signature.clone(),
        };
        let (content, pem) = (base64(&logged_signature), base64(certificate.pem()));
        let hash = json!({ "algorithm": "sha256", "value": hex(&Sha256::digest(logged)) });
        let spec = match kind {
            "dsse" => {
                json!({ "payloadHash": hash, "signatures": [{ "signature": content, "verifier": pem }] })
            }
            _ => {
                json!({ "data": { "hash": hash }, "signature": { "content": content, "publicKey": { "content": pem } } })
            }
        };
        let body = json!({ "apiVersion": "0.0.1", "kind": kind, "spec": spec })
            .to_string()
            .into_bytes();
        let time = if flaw == Flaw::Expired {
            SIGNED_AT + 3600 * 24 * 365
        } else {
            SIGNED_AT
        };
        let promised = json!({
            "body": base64(&body), "integratedTime": time,
            "logID": hex(&Sha256::digest(self.log.subject_public_key_info())), "logIndex": 1,
        });
        let log = if flaw == Flaw::OtherLog { &other } else { &self.log };
        let promise = log.sign(promised.to_string().as_bytes()).expect("a signature");
        Signed {
            certificate,
            signature,
            body,
            time,
            promise,
        }
    }

    /// A tree of two entries, of which this is the second.
    fn proof(&self, body: &[u8], flaw: Flaw) -> Value {
        let leaf = |bytes: &[u8]| Sha256::new().chain_update([0]).chain_update(bytes).finalize();
        let first = leaf(b"first");
        let root = Sha256::new()
            .chain_update([1])
            .chain_update(first)
            .chain_update(leaf(body))
            .finalize();
        let note = format!("log.example - 1\n2\n{}\n", base64(root));
        let other = KeyPair::generate().expect("a key");
        let log = if flaw == Flaw::BadCheckpoint {
            &other
        } else {
            &self.log
        };
        let signature = [
            &[1, 2, 3, 4],
            log.sign(note.as_bytes()).expect("a signature").as_slice(),
        ]
        .concat();
        let sibling = if flaw == Flaw::BadProof {
            leaf(b"other")
        } else {
            first
        };
        json!({
            "logIndex": "1", "treeSize": "2", "rootHash": base64(root), "hashes": [base64(sibling)],
            "checkpoint": { "envelope": format!("{note}\n— log.example {}\n", base64(signature)) },
        })
    }
}

impl Default for Sigstore {
    fn default() -> Sigstore {
        Sigstore::new()
    }
}

struct Signed {
    certificate: rcgen::Certificate,
    signature: Vec<u8>,
    body: Vec<u8>,
    time: i64,
    promise: Vec<u8>,
}

fn about(subject: &str, flaw: Flaw) -> String {
    match flaw {
        Flaw::OtherDigest => digest(b"another artifact"),
        _ => subject.to_owned(),
    }
}

fn simple_signing(subject: &str) -> String {
    json!({
        "critical": {
            "identity": { "docker-reference": "" }, "image": { "docker-manifest-digest": subject },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
}

/// Adds one signature to those of the artifact's `.sig` tag.
fn attach(registry: &Registry, repository: &str, subject: &str, payload: &str, annotations: Value) {
    let tag = format!("{}.sig", subject.replace(':', "-"));
    let mut layer = registry.add_blob(
        "application/vnd.dev.cosign.simplesigning.v1+json",
        payload.as_bytes(),
    );
    layer["annotations"] = annotations;
    let known = registry.manifest(repository, &tag);
    let mut layers = known
        .and_then(|known| known["layers"].as_array().cloned())
        .unwrap_or_default();
    layers.push(layer);
    let config = registry.add_blob("application/vnd.oci.image.config.v1+json", b"{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": layers,
    });
    registry.add_manifest(repository, &tag, &manifest);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
