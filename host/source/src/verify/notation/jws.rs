//! JWS envelopes: JSON with base64 in it (notaryproject, signature envelope JWS; RFC 7515, flattened).

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::envelope::{Claims, odd};

/// What a layer that holds one says that it is.
pub(super) const MEDIA_TYPE: &str = "application/jose+json";

#[derive(Deserialize)]
struct Envelope {
    payload: String,
    protected: String,
    header: Header,
    signature: String,
}

#[derive(Deserialize)]
struct Header {
    x5c: Vec<String>,
    #[serde(rename = "io.cncf.notary.timestampSignature")]
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    cty: String,
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<String>,
    #[serde(rename = "io.cncf.notary.authenticSigningTime")]
    authentic_time: Option<String>,
}

pub(super) fn read(envelope: &[u8]) -> Result<Claims, String> {
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|_| odd("form"))?;
    let decode = |text: &str, what: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| odd(what));
    let protected = decode(&envelope.protected, "header")?;
    let protected: Protected = serde_json::from_slice(&protected).map_err(|_| odd("header"))?;
    let time = |text: Option<String>, what: &str| {
        let time = text.map(|text| text.parse()).transpose();
        time.map_err(|_| odd(what))
    };
    let standard = |text: &String, what: &str| STANDARD.decode(text).map_err(|_| odd(what));
    let chain = envelope.header.x5c.iter().map(|text| standard(text, "chain"));
    let timestamp = envelope.header.timestamp.as_ref();
    let timestamp = timestamp.map(|text| standard(text, "timestamp"));
    Ok(Claims {
        algorithm: protected.alg,
        content_type: protected.cty,
        scheme: protected.scheme,
        critical: protected.crit,
        expiry: time(protected.expiry, "expiry")?,
        authentic_time: time(protected.authentic_time, "signing time")?,
        chain: chain.collect::<Result<_, _>>()?,
        payload: decode(&envelope.payload, "payload")?,
        message: format!("{}.{}", envelope.protected, envelope.payload).into_bytes(),
        signature: decode(&envelope.signature, "signature")?,
        timestamp: timestamp.transpose()?,
    })
}
