//! AWS Signature Version 4: a request signed with a secret that never leaves.

use jiff::Timestamp;
use reqwest::{Url, header::HeaderMap, header::HeaderValue};
use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;

use crate::credential::Error;

/// A key of AWS, and the token that goes with a temporary one.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: Redacted<String>,
    pub(crate) token: Option<Redacted<String>>,
}

/// For which service, in which region.
pub(crate) struct Scope<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) time: Timestamp,
}

/// Adds date, token and `authorization` for a request with `body` to `url`, whose path and query are written as signatures
/// have them: escaped, names in order.
pub(crate) fn sign(
    key: &Key,
    scope: &Scope<'_>,
    (method, url): (&str, &Url),
    headers: &mut HeaderMap,
    body: &[u8],
) -> Result<(), Error> {
    let text = |value: &str| {
        let value = HeaderValue::from_str(value);
        value.map_err(|_| Error("the AWS key holds characters that HTTP cannot carry".to_owned()))
    };
    let time = format!("{}Z", clock(scope));
    headers.insert("x-amz-date", text(&time)?);
    if let Some(token) = &key.token {
        headers.insert("x-amz-security-token", text(token.reveal())?);
    }
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let mut signed: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                value.to_str().unwrap_or_default().trim().to_owned(),
            )
        })
        .chain([("host".to_owned(), host)])
        .collect();
    signed.sort();
    let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: String = signed
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let body = hex::encode(Sha256::digest(body));
    let query = url.query().unwrap_or_default();
    let canonical = format!("{method}\n{}\n{query}\n{lines}\n{names}\n{body}", url.path());
    let (place, signature) = signature(key, scope, &time, &canonical);
    let id = &key.id;
    let header =
        format!("AWS4-HMAC-SHA256 Credential={id}/{place}, SignedHeaders={names}, Signature={signature}");
    let mut header = text(&header)?;
    header.set_sensitive(true);
    headers.insert("authorization", header);
    Ok(())
}

/// Date and time, and the signature of a pseudo request of Git to CodeCommit for a repository.
pub(super) fn sign_git(key: &Key, scope: &Scope<'_>, host: &str, path: &str) -> (String, String) {
    let time = clock(scope);
    let canonical = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let (_, signature) = signature(key, scope, &time, &canonical);
    (time, signature)
}

fn clock(scope: &Scope<'_>) -> String {
    scope.time.strftime("%Y%m%dT%H%M%S").to_string()
}

/// What the signature is for, and the signature of a canonical request.
fn signature(key: &Key, scope: &Scope<'_>, time: &str, canonical: &str) -> (String, String) {
    let date = time.get(..8).unwrap_or_default();
    let place = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let hash = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{place}\n{hash}");
    let mut derived = format!("AWS4{}", key.secret.reveal()).into_bytes();
    for part in [date, scope.region, scope.service, "aws4_request"] {
        derived = mac(&derived, part.as_bytes());
    }
    let signature = hex::encode(mac(&derived, to_sign.as_bytes()));
    (place, signature)
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    ring::hmac::sign(&key, message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `post-vanilla` of AWS's published test suite for Signature Version 4.
    #[test]
    fn a_published_example_has_its_published_signature() {
        let key = Key {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Redacted::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            token: None,
        };
        let scope = Scope {
            service: "service",
            region: "us-east-1",
            time: "2015-08-30T12:36:00Z".parse().unwrap(),
        };
        let mut headers = HeaderMap::new();
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        sign(&key, &scope, ("POST", &url), &mut headers, b"").unwrap();
        assert_eq!(
            headers["authorization"].to_str().unwrap(),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }
}
