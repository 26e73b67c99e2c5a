//! A Sigstore for tests: an authority, a certificate log, a transparency log, and signatures with one flaw each.

mod certificate;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, SigningKey,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384};

use super::{Registry, TimestampAuthority, digest};
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
    /// The tree's head is signed by what is called another key.
    OtherHint,
}

/// A log of Rekor 2, and the kind of entry in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Whether its key is of Ed25519; else it is the ECDSA key of the log of Rekor 1.
    pub is_ed25519: bool,
    /// Whether the entry is one of an envelope; else it is one of a hash.
    pub is_dsse: bool,
}

/// What is wrong with an entry of Rekor 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedFlaw {
    /// Nothing.
    None,
    /// The tree's head has the number of the tree behind the log's name, as Rekor 1 writes it; which is no flaw.
    Numbered,
    /// It is about another signature.
    OtherSignature,
    /// It is about another message.
    OtherMessage,
    /// It is about another certificate.
    OtherCertificate,
    /// Its signer's key is of P-384, and all hashes are as large; which is no flaw.
    Large,
    /// It says its hash to be another one.
    OtherHash,
    /// Its hash is one that nobody knows.
    UnknownHash,
    /// It is not in the tree.
    BadProof,
    /// It has no proof.
    NoProof,
    /// The tree's head is of another size than the proof.
    OtherSize,
    /// The tree's head is signed by another key.
    OtherKey,
    /// The tree's head is that of another log with the same key.
    OtherOrigin,
    /// The tree's head is signed under another name.
    OtherName,
    /// The tree's head is signed by what is called another key.
    OtherHint,
    /// The log is none that anybody knows.
    OtherLog,
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
    /// Of Rekor 2.
    ed25519_log: KeyPair,
    clock: TimestampAuthority,
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
            ed25519_log: KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key"),
            clock: TimestampAuthority::new(),
        }
    }

    /// The authority for timestamps.
    pub fn clock(&self) -> &TimestampAuthority {
        &self.clock
    }

    /// `trusted_root.json`.
    pub fn trusted_root(&self) -> String {
        let log = |key: &KeyPair, host: &str| {
            let der = key.subject_public_key_info();
            json!({
                "baseUrl": format!("https://{host}"), "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": base64(&der), "validFor": { "start": "2020-01-01T00:00:00Z" } },
                "logId": { "keyId": base64(Sha256::digest(&der)) },
            })
        };
        let raw = |der: &[u8]| json!({ "rawBytes": base64(der) });
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.log, "log.example"), log(&self.ed25519_log, "log2.example")],
            "ctlogs": [log(&self.certificate_log, "certificates.example")],
            "timestampAuthorities": [{
                "uri": "https://clock.example",
                "certChain": { "certificates": self.clock.chain().map(|der| raw(&der)) },
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            }],
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
        let (statement, message) = statement(&about(subject, flaw));
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
        let material = json!({ "certificate": { "rawBytes": base64(signed.certificate.der()) }, "tlogEntries": entries });
        attach_bundle(
            registry,
            repository,
            subject,
            material,
            &statement,
            &signed.signature,
        );
    }

    /// Signs as cosign 3 does with Rekor 2: the entry says no time, `stamps` makes the timestamps of a signature.
    pub fn sign_logged(
        &self,
        registry: &Registry,
        repository: &str,
        subject: &str,
        (logged, flaw): (Logged, LoggedFlaw),
        stamps: impl Fn(&TimestampAuthority, &[u8]) -> Vec<Vec<u8>>,
    ) {
        let (statement, message) = statement(subject);
        let names = ("https://issuer.example", "dev@shop.example");
        let kind = if flaw == LoggedFlaw::Large {
            &rcgen::PKCS_ECDSA_P384_SHA384
        } else {
            &rcgen::PKCS_ECDSA_P256_SHA256
        };
        let signed = self.signed_by(
            &KeyPair::generate_for(kind).expect("a key"),
            message.as_bytes(),
            statement.as_bytes(),
            names,
            Flaw::None,
            "dsse",
        );
        let stamps: Vec<Value> = stamps(&self.clock, &signed.signature)
            .into_iter()
            .map(|stamp| json!({ "signedTimestamp": base64(stamp) }))
            .collect();
        let material = json!({
            "certificate": { "rawBytes": base64(signed.certificate.der()) },
            "tlogEntries": [self.entry(&signed, &statement, &message, logged, flaw)],
            "timestampVerificationData": { "rfc3161Timestamps": stamps },
        });
        attach_bundle(
            registry,
            repository,
            subject,
            material,
            &statement,
            &signed.signature,
        );
    }

    fn entry(
        &self,
        signed: &Signed,
        statement: &str,
        message: &str,
        logged: Logged,
        flaw: LoggedFlaw,
    ) -> Value {
        let other = KeyPair::generate().expect("a key");
        let signature = match flaw {
            LoggedFlaw::OtherSignature => other.sign(message.as_bytes()).expect("a signature"),
            _ => signed.signature.clone(),
        };
        let certificate = match flaw {
            LoggedFlaw::OtherCertificate => self.root.der().to_vec(),
            _ => signed.certificate.der().to_vec(),
        };
        let hashed = match (flaw, logged.is_dsse) {
            (LoggedFlaw::OtherMessage, _) => "another",
            (_, true) => statement,
            (_, false) => message,
        };
        let digest = match flaw {
            LoggedFlaw::Large => Sha384::digest(hashed).to_vec(),
            _ => Sha256::digest(hashed).to_vec(),
        };
        let algorithm = match flaw {
            LoggedFlaw::OtherHash => "SHA2_512",
            LoggedFlaw::UnknownHash => "SHA3_256",
            LoggedFlaw::Large => "SHA2_384",
            _ => "SHA2_256",
        };
        let hash = json!({ "algorithm": algorithm, "digest": base64(digest) });
        let signature = json!({
            "content": base64(signature),
            "verifier": { "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": { "rawBytes": base64(certificate) } },
        });
        let (kind, spec) = match logged.is_dsse {
            true => (
                "dsse",
                json!({ "dsseV002": { "payloadHash": hash, "signatures": [signature] } }),
            ),
            false => (
                "hashedrekord",
                json!({ "hashedRekordV002": { "data": hash, "signature": signature } }),
            ),
        };
        let body = json!({ "apiVersion": "0.0.2", "kind": kind, "spec": spec }).to_string();
        let (key, name) = match logged.is_ed25519 {
            true => (&self.ed25519_log, "log2.example"),
            false => (&self.log, "log.example"),
        };
        let id = match (flaw, logged.is_ed25519) {
            (LoggedFlaw::OtherLog, _) => Sha256::digest(b"another"),
            (_, true) => Sha256::new()
                .chain_update(name)
                .chain_update([b'\n', 1])
                .chain_update(key.public_key_raw())
                .finalize(),
            (_, false) => Sha256::digest(key.subject_public_key_info()),
        };
        let mut entry = json!({
            "logIndex": "1", "logId": { "keyId": base64(id) }, "kindVersion": { "kind": kind, "version": "0.0.2" },
            "integratedTime": "0", "canonicalizedBody": base64(&body),
        });
        if flaw != LoggedFlaw::NoProof {
            let key = if flaw == LoggedFlaw::OtherKey { &other } else { key };
            entry["inclusionProof"] = head(body.as_bytes(), key, name, &id, flaw);
        }
        entry
    }

    fn signed(&self, message: &[u8], logged: &[u8], names: (&str, &str), flaw: Flaw, kind: &str) -> Signed {
        let key = KeyPair::generate().expect("a key");
        self.signed_by(&key, message, logged, names, flaw, kind)
    }

    fn signed_by(
        &self,
        key: &KeyPair,
        message: &[u8],
        logged: &[u8],
        names: (&str, &str),
        flaw: Flaw,
        kind: &str,
    ) -> Signed {
        let certificate = self.certificate(key, names, flaw);
        let other = KeyPair::generate().expect("a key");
        let signer = if flaw == Flaw::OtherKey { &other } else { key };
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
        let id = Sha256::digest(self.log.subject_public_key_info());
        let signature = [
            if flaw == Flaw::OtherHint {
                &[1, 2, 3, 4]
            } else {
                &id[..4]
            },
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

/// A tree of two entries, of which this is the second, and its head as C2SP has it.
fn head(body: &[u8], key: &KeyPair, name: &str, id: &[u8], flaw: LoggedFlaw) -> Value {
    let leaf = |bytes: &[u8]| Sha256::new().chain_update([0]).chain_update(bytes).finalize();
    let first = leaf(b"first");
    let children = Sha256::new().chain_update([1]).chain_update(first);
    let root = children.chain_update(leaf(body)).finalize();
    let origin = match flaw {
        LoggedFlaw::OtherOrigin => "log3.example".to_owned(),
        LoggedFlaw::Numbered => format!("{name} - 7"),
        _ => name.to_owned(),
    };
    let size = if flaw == LoggedFlaw::OtherSize { 3 } else { 2 };
    let note = format!("{origin}\n{size}\n{}\n", base64(root));
    let hint = match flaw {
        LoggedFlaw::OtherHint => [1, 2, 3, 4],
        _ => [id[0], id[1], id[2], id[3]],
    };
    let signature = key.sign(note.as_bytes()).expect("a signature");
    let signature = base64([&hint[..], &signature].concat());
    let signer = if flaw == LoggedFlaw::OtherName {
        "log3.example"
    } else {
        name
    };
    let sibling = if flaw == LoggedFlaw::BadProof {
        leaf(b"other")
    } else {
        first
    };
    // somebody else signed the head too, whom nobody knows
    let witness = base64([7u8; 76]);
    json!({
        "logIndex": "1", "treeSize": "2", "rootHash": base64(root), "hashes": [base64(sibling)],
        "checkpoint": { "envelope": format!("{note}\n— witness.example {witness}\n— {signer} {signature}\n") },
    })
}

/// An in-toto statement about this digest, and what of it is signed (DSSE).
fn statement(subject: &str) -> (String, String) {
    let hex_of = subject.trim_start_matches("sha256:");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "subject": [{ "digest": { "sha256": hex_of } }], "predicate": {},
    })
    .to_string();
    let message = format!(
        "DSSEv1 {} {STATEMENT} {} {statement}",
        STATEMENT.len(),
        statement.len()
    );
    (statement, message)
}

const STATEMENT: &str = "application/vnd.in-toto+json";

/// Adds a bundle that refers to the artifact.
fn attach_bundle(
    registry: &Registry,
    repository: &str,
    subject: &str,
    material: Value,
    statement: &str,
    signature: &[u8],
) {
    let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let bundle = json!({
        "mediaType": media_type,
        "verificationMaterial": material,
        "dsseEnvelope": { "payload": base64(statement), "payloadType": STATEMENT, "signatures": [{ "sig": base64(signature) }] },
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
