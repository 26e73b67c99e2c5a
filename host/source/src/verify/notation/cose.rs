//! COSE envelopes: tagged `COSE_Sign1` (notaryproject, signature envelope COSE; RFC 9052 section 4.2, RFC 9360 for the chain).

use coset::cbor::Value;
use coset::iana::{self, EnumI64 as _};
use coset::{
    CoseSign1, Header, Label, RegisteredLabel, RegisteredLabelWithPrivate, TaggedCborSerializable as _,
};
use jiff::Timestamp;

use super::envelope::{AUTHENTIC_TIME, Claims, EXPIRY, SCHEME, TIMESTAMP, odd};

/// What a layer that holds one says that it is.
pub(super) const MEDIA_TYPE: &str = "application/cose";

/// RFC 8949 section 3.4.2: seconds since 1970.
const EPOCH_TAG: u64 = 1;

pub(super) fn read(envelope: &[u8]) -> Result<Claims, String> {
    let envelope = CoseSign1::from_tagged_slice(envelope).map_err(|_| odd("form"))?;
    let protected = &envelope.protected.header;
    let algorithm = match protected.alg.as_ref().ok_or_else(|| odd("algorithm"))? {
        RegisteredLabelWithPrivate::Assigned(name) => named(*name),
        RegisteredLabelWithPrivate::PrivateUse(number) => number.to_string(),
        RegisteredLabelWithPrivate::Text(name) => name.clone(),
    };
    let Some(RegisteredLabel::Text(content_type)) = &protected.content_type else {
        return Err(odd("content type"));
    };
    let scheme = value(protected, &Label::Text(SCHEME.to_owned())).and_then(Value::as_text);
    let time = |name: &str, what: &str| {
        let value = value(protected, &Label::Text(name.to_owned()));
        value
            .map(|value| time(value).ok_or_else(|| odd(what)))
            .transpose()
    };
    let timestamp = value(&envelope.unprotected, &Label::Text(TIMESTAMP.to_owned()));
    let timestamp = timestamp.map(|value| value.as_bytes().cloned().ok_or_else(|| odd("timestamp")));
    Ok(Claims {
        algorithm,
        content_type: content_type.clone(),
        scheme: scheme.ok_or_else(|| odd("signing scheme"))?.to_owned(),
        critical: protected.crit.iter().map(critical).collect(),
        expiry: time(EXPIRY, "expiry")?,
        authentic_time: time(AUTHENTIC_TIME, "signing time")?,
        chain: chain(&envelope.unprotected)?,
        message: envelope.tbs_data(&[]),
        payload: envelope.payload.ok_or_else(|| odd("payload"))?,
        signature: envelope.signature,
        timestamp: timestamp.transpose()?,
    })
}

/// As JOSE names it; of an algorithm that no envelope may have, its number.
fn named(algorithm: iana::Algorithm) -> String {
    let name = match algorithm {
        iana::Algorithm::PS256 => "PS256",
        iana::Algorithm::PS384 => "PS384",
        iana::Algorithm::PS512 => "PS512",
        iana::Algorithm::ES256 => "ES256",
        iana::Algorithm::ES384 => "ES384",
        iana::Algorithm::ES512 => "ES512",
        other => return other.to_i64().to_string(),
    };
    name.to_owned()
}

fn critical(label: &RegisteredLabelWithPrivate<iana::HeaderParameter>) -> String {
    match label {
        RegisteredLabelWithPrivate::Assigned(parameter) => parameter.to_i64().to_string(),
        RegisteredLabelWithPrivate::PrivateUse(number) => number.to_string(),
        RegisteredLabelWithPrivate::Text(name) => name.clone(),
    }
}

fn value<'a>(header: &'a Header, label: &Label) -> Option<&'a Value> {
    let mut others = header.rest.iter();
    others.find(|(name, _)| name == label).map(|(_, value)| value)
}

fn time(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Tag(EPOCH_TAG, seconds) => seconds.as_integer().and_then(|number| i64::try_from(number).ok()),
        _ => None,
    };
    Timestamp::from_second(seconds?).ok()
}

/// One certificate is not in an array (RFC 9360 section 2).
fn chain(unprotected: &Header) -> Result<Vec<Vec<u8>>, String> {
    let chain = value(unprotected, &Label::Int(iana::HeaderParameter::X5Chain.to_i64()));
    let bytes = |value: &Value| value.as_bytes().cloned().ok_or_else(|| odd("chain"));
    match chain.ok_or_else(|| odd("chain"))? {
        Value::Array(certificates) => certificates.iter().map(bytes).collect(),
        one => Ok(vec![bytes(one)?]),
    }
}
