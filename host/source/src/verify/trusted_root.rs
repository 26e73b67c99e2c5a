//! `trusted_root.json`: whom a Sigstore trusts, and from when to when.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    Error, PublicKey,
    timestamp::Token,
    x509::{self, SEQUENCE},
};

/// Authorities for certificates and timestamps, transparency logs and certificate logs (Sigstore's `TrustedRoot`).
#[derive(Clone, Debug, Default)]
pub struct TrustedRoot {
    pub(super) authorities: Vec<Authority>,
    timestamp_authorities: Vec<Authority>,
    pub(super) logs: Vec<Log>,
    pub(super) certificate_logs: Vec<Log>,
}

/// An authority: its chain, the one that signs first, the root last.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) chain: Vec<Vec<u8>>,
    valid: Period,
}

/// A log: its key, and the names that it has by it.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// SHA-256 of the key.
    id: [u8; 32],
    pub(super) key: PublicKey,
    /// What it calls itself in its checkpoints: the host that it is at. None where the root says no address.
    pub(super) name: Option<String>,
    /// What the key is called in checkpoints.
    checkpoint_id: [u8; 32],
    valid: Period,
}

#[derive(Clone, Copy, Debug, Default)]
struct Period {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Period {
    fn contains(self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}

impl Authority {
    pub(super) fn is_valid_at(&self, time: Timestamp) -> bool {
        self.valid.contains(time)
    }

    /// When a signature was there, by the word of this authority, while it was trusted.
    fn time(&self, token: &Token<'_>, signature: &[u8]) -> Result<Timestamp, String> {
        let (root, others) = self
            .chain
            .split_last()
            .ok_or("an authority without certificates")?;
        let moment = token.verify(signature, std::slice::from_ref(root), others)?;
        // a chain that begins with a signer means that one alone
        let first = self.chain.first().filter(|der| !is_authority(der));
        if first.is_some() && first != moment.chain.first() {
            return Err("the timestamp is by another signer than the trusted root names".to_owned());
        }
        match self.is_valid_at(moment.time) {
            true => Ok(moment.time),
            false => Err(format!(
                "the timestamp is of {}, when its authority was not trusted",
                moment.time
            )),
        }
    }
}

fn is_authority(der: &[u8]) -> bool {
    x509::parts(der).is_ok_and(|parts| parts.is_authority())
}

impl Log {
    pub(super) fn is_valid_at(&self, time: Timestamp) -> bool {
        self.valid.contains(time)
    }

    /// Whether these bytes, which a checkpoint's signature begins with, are the first of the key's name.
    pub(super) fn is_hinted(&self, hint: &[u8]) -> bool {
        self.id.starts_with(hint) || self.checkpoint_id.starts_with(hint)
    }

    /// Rekor 1 gives SHA-256 of its key, Rekor 2 what the key is called in its checkpoints.
    fn is_called(&self, id: &[u8]) -> bool {
        self.id == id || self.checkpoint_id == id
    }
}

/// C2SP signed-note, signatures: of Ed25519 the name is in it too, of ECDSA the key alone.
fn checkpoint_id(name: Option<&str>, key: &[u8]) -> [u8; 32] {
    /// What a SubjectPublicKeyInfo of Ed25519 has before the key (RFC 8410 4).
    const ED25519: &[u8] = &[
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    match (name, key.strip_prefix(ED25519)) {
        (Some(name), Some(raw)) => Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', 1])
            .chain_update(raw)
            .finalize()
            .into(),
        _ => Sha256::digest(key).into(),
    }
}

impl TrustedRoot {
    /// Reads a trusted root. What it holds of other kinds is passed over; what cannot be read is an error.
    pub fn parse(json: &[u8]) -> Result<TrustedRoot, Error> {
        let bad = |problem: String| Error::Material(format!("unable to parse trusted root: {problem}"));
        // an object, not a list: serde would take an empty list for a document without fields
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(json).map_err(|error| bad(error.to_string()))?;
        let document: Document =
            serde_json::from_value(object.into()).map_err(|error| bad(error.to_string()))?;
        Ok(TrustedRoot {
            authorities: authorities(document.certificate_authorities).map_err(bad)?,
            timestamp_authorities: authorities(document.timestamp_authorities).map_err(bad)?,
            logs: logs(document.tlogs).map_err(bad)?,
            certificate_logs: logs(document.ctlogs).map_err(bad)?,
        })
    }

    /// When a signature was there, by the word of an authority of the root; none where the timestamp is by none of them.
    /// One that names an authority of the root must be good (Sigstore client specification, 4.2.1).
    pub(super) fn time(&self, timestamp: &[u8], signature: &[u8]) -> Result<Option<Timestamp>, String> {
        let token = Token::read(timestamp)?;
        let mut problem = None;
        for authority in &self.timestamp_authorities {
            if !token.is_of(&authority.chain) {
                continue;
            }
            match authority.time(&token, signature) {
                Ok(time) => return Ok(Some(time)),
                Err(error) => problem = Some(error),
            }
        }
        problem.map_or(Ok(None), Err)
    }

    /// The transparency log of this name, if it was trusted at that time.
    pub(super) fn log(&self, id: &[u8], time: Timestamp) -> Option<&Log> {
        find(&self.logs, id, time)
    }

    /// The transparency logs of this name that were trusted at all of these times.
    pub(super) fn logs(&self, id: &[u8], times: &[Timestamp]) -> impl Iterator<Item = &Log> {
        let was_trusted = |log: &&Log| times.iter().all(|time| log.is_valid_at(*time));
        self.logs
            .iter()
            .filter(|log| log.is_called(id))
            .filter(was_trusted)
    }

    /// The certificate log of this name, if it was trusted at that time.
    pub(super) fn certificate_log(&self, id: &[u8], time: Timestamp) -> Option<&Log> {
        find(&self.certificate_logs, id, time)
    }
}

fn find<'a>(logs: &'a [Log], id: &[u8], time: Timestamp) -> Option<&'a Log> {
    logs.iter().find(|log| log.id == id && log.is_valid_at(time))
}

fn authorities(instances: Vec<AuthorityInstance>) -> Result<Vec<Authority>, String> {
    let authority = |instance: AuthorityInstance| {
        let chain = instance.cert_chain.certificates.iter();
        let chain = chain.map(|certificate| decode(&certificate.raw_bytes));
        Ok(Authority {
            chain: chain.collect::<Result<_, String>>()?,
            valid: instance.valid_for.unwrap_or_default().period()?,
        })
    };
    instances.into_iter().map(authority).collect()
}

fn logs(instances: Vec<LogInstance>) -> Result<Vec<Log>, String> {
    let log = |instance: LogInstance| {
        let valid_for = instance.public_key.valid_for.unwrap_or_default();
        // an unknown begin is not one of always (Sigstore's `PublicKey.valid_for`)
        if valid_for.start.is_none() {
            return Err("key of a log: validFor has no start".to_owned());
        }
        let der = decode(&instance.public_key.raw_bytes)?;
        let der = match instance.public_key.key_details.as_deref() {
            Some(details) if details.starts_with("PKCS1_") => spki_of_rsa(&der),
            _ => der,
        };
        let key = PublicKey::from_der(&der).map_err(|problem| format!("key of a log: {problem}"))?;
        let address = instance
            .base_url
            .and_then(|address| url::Url::parse(&address).ok());
        let name = address.and_then(|address| address.host_str().map(str::to_owned));
        Ok(Log {
            id: Sha256::digest(&der).into(),
            key,
            checkpoint_id: checkpoint_id(name.as_deref(), &der),
            name,
            valid: valid_for.period()?,
        })
    };
    instances.into_iter().map(log).collect()
}

/// The SubjectPublicKeyInfo of a key in the form that RSA has of its own (RFC 8017 A.1.1, RFC 3279 2.3.1).
fn spki_of_rsa(key: &[u8]) -> Vec<u8> {
    /// `rsaEncryption`, with no parameters.
    const RSA: &[u8] = &[
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let bits = x509::encode(x509::BITS, &[&[0], key].concat());
    x509::encode(SEQUENCE, &[RSA, &bits].concat())
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(text)
        .map_err(|_| "rawBytes is no base64".to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    tlogs: Vec<LogInstance>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityInstance>,
    #[serde(default)]
    ctlogs: Vec<LogInstance>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityInstance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogInstance {
    base_url: Option<String>,
    public_key: KeyInstance,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInstance {
    raw_bytes: String,
    key_details: Option<String>,
    valid_for: Option<ValidFor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityInstance {
    cert_chain: Chain,
    valid_for: Option<ValidFor>,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    raw_bytes: String,
}

#[derive(Default, Deserialize)]
struct ValidFor {
    start: Option<String>,
    end: Option<String>,
}

impl ValidFor {
    fn period(&self) -> Result<Period, String> {
        let time = |text: &Option<String>| {
            let parsed = text.as_ref().map(|text| text.parse::<Timestamp>());
            parsed.transpose().map_err(|error| format!("validFor: {error}"))
        };
        Ok(Period {
            start: time(&self.start)?,
            end: time(&self.end)?,
        })
    }
}
