//! `trusted_root.json`: whom a Sigstore trusts, and from when to when.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Error, PublicKey};

/// Authorities, transparency logs and certificate logs.
#[derive(Clone, Debug, Default)]
pub struct TrustedRoot {
    pub(super) authorities: Vec<Authority>,
    pub(super) logs: Vec<Log>,
    pub(super) certificate_logs: Vec<Log>,
}

/// An authority: its chain, the one that signs first, the root last.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) chain: Vec<Vec<u8>>,
    valid: Period,
}

/// A log: its key, and the name that the key gives it.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) id: [u8; 32],
    pub(super) key: PublicKey,
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
}

impl TrustedRoot {
    /// Reads a trusted root. What it holds of other kinds is passed over; what cannot be read is an error.
    pub fn parse(json: &[u8]) -> Result<TrustedRoot, Error> {
        let bad = |problem: String| Error::Material(format!("trusted root: {problem}"));
        // an object, not a list: serde would take an empty list for a document without fields
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(json).map_err(|error| bad(error.to_string()))?;
        let document: Document =
            serde_json::from_value(object.into()).map_err(|error| bad(error.to_string()))?;
        let mut root = TrustedRoot::default();
        for authority in document.certificate_authorities {
            let chain = authority.cert_chain.certificates.iter();
            let chain: Result<Vec<_>, _> = chain.map(|certificate| decode(&certificate.raw_bytes)).collect();
            root.authorities.push(Authority {
                chain: chain.map_err(bad)?,
                valid: authority.valid_for.unwrap_or_default().period().map_err(bad)?,
            });
        }
        root.logs = logs(document.tlogs).map_err(bad)?;
        root.certificate_logs = logs(document.ctlogs).map_err(bad)?;
        Ok(root)
    }

    /// The transparency log of this name, if it was trusted at that time.
    pub(super) fn log(&self, id: &[u8], time: Timestamp) -> Option<&Log> {
        find(&self.logs, id, time)
    }

    /// The certificate log of this name, if it was trusted at that time.
    pub(super) fn certificate_log(&self, id: &[u8], time: Timestamp) -> Option<&Log> {
        find(&self.certificate_logs, id, time)
    }
}

fn find<'a>(logs: &'a [Log], id: &[u8], time: Timestamp) -> Option<&'a Log> {
    logs.iter().find(|log| log.id == id && log.valid.contains(time))
}

fn logs(instances: Vec<LogInstance>) -> Result<Vec<Log>, String> {
    let log = |instance: LogInstance| {
        let der = decode(&instance.public_key.raw_bytes)?;
        let key = PublicKey::from_der(&der).map_err(|problem| format!("key of a log: {problem}"))?;
        Ok(Log {
            id: Sha256::digest(&der).into(),
            key,
            valid: instance.public_key.valid_for.unwrap_or_default().period()?,
        })
    };
    instances.into_iter().map(log).collect()
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
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogInstance {
    public_key: KeyInstance,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInstance {
    raw_bytes: String,
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
