//! AWS Signature Version 4: a request signed with a secret that never leaves.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Url, header::HeaderMap, header::HeaderValue};
use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;

use crate::{credential::Error, http::secret_header};

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
    let unusable = |_| Error("the AWS key holds characters that HTTP cannot carry".to_owned());
    let text = |value: &str| HeaderValue::from_str(value).map_err(unusable);
    let time = format!("{}Z", clock(scope));
    headers.insert("x-amz-date", text(&time)?);
    if let Some(token) = &key.token {
        headers.insert("x-amz-security-token", text(token.reveal())?);
    }
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let signed = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().trim()))
        .chain([("host", host.as_str())]);
    let (names, lines) = signed_headers(signed.collect());
    let body = hex::encode(Sha256::digest(body));
    let query = url.query().unwrap_or_default();
    let canonical = format!("{method}\n{}\n{query}\n{lines}\n{names}\n{body}", url.path());
    let (place, signature) = signature(key, scope, &time, &canonical);
    let id = &key.id;
    let header =
        format!("AWS4-HMAC-SHA256 Credential={id}/{place}, SignedHeaders={names}, Signature={signature}");
    headers.insert("authorization", secret_header(&header).map_err(unusable)?);
    Ok(())
}

/// Date and time, and the signature of a pseudo request of Git to CodeCommit for a repository.
pub(super) fn sign_git(key: &Key, scope: &Scope<'_>, host: &str, path: &str) -> (String, String) {
    let time = clock(scope);
    let canonical = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let (_, signature) = signature(key, scope, &time, &canonical);
    (time, signature)
}

/// A question whose URL carries its signature, for `lifetime`: to `host`, with `headers` that whoever asks sends along.
/// Names of headers are in lower case; names of the question come before `X-Amz-`.
pub(super) fn presign(
    key: &Key,
    scope: &Scope<'_>,
    host: &str,
    headers: &[(&str, &str)],
    question: &[(&str, &str)],
    lifetime: Duration,
) -> String {
    let time = format!("{}Z", clock(scope));
    let (names, lines) = signed_headers(headers.iter().copied().chain([("host", host)]).collect());
    let id = format!("{}/{}", key.id, place(scope, &time));
    let seconds = lifetime.as_secs().to_string();
    let mut query: Vec<(&str, &str)> = question.to_vec();
    query.extend([
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", id.as_str()),
        ("X-Amz-Date", time.as_str()),
        ("X-Amz-Expires", seconds.as_str()),
    ]);
    if let Some(token) = &key.token {
        query.push(("X-Amz-Security-Token", token.reveal()));
    }
    query.push(("X-Amz-SignedHeaders", &names));
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value, b"")))
        .collect();
    let query = query.join("&");
    let empty = hex::encode(Sha256::digest(b""));
    let canonical = format!("GET\n/\n{query}\n{lines}\n{names}\n{empty}");
    let (_, signature) = signature(key, scope, &time, &canonical);
    format!("https://{host}/?{query}&X-Amz-Signature={signature}")
}

/// The names of headers as a signature lists them, and their lines as it covers them.
fn signed_headers(mut headers: Vec<(&str, &str)>) -> (String, String) {
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let lines = headers.iter().map(|(name, value)| format!("{name}:{value}\n"));
    (names.join(";"), lines.collect())
}

/// As signatures have names and values: all bytes but letters, digits and a few marks escaped, and those to keep.
pub(crate) fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.contains(&byte);
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn clock(scope: &Scope<'_>) -> String {
    scope.time.strftime("%Y%m%dT%H%M%S").to_string()
}

/// What a signature of this time is good for.
fn place(scope: &Scope<'_>, time: &str) -> String {
    let date = time.get(..8).unwrap_or_default();
    format!("{date}/{}/{}/aws4_request", scope.region, scope.service)
}

/// What the signature is for, and the signature of a canonical request.
fn signature(key: &Key, scope: &Scope<'_>, time: &str, canonical: &str) -> (String, String) {
    let date = time.get(..8).unwrap_or_default();
    let place = place(scope, time);
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

    /// The signature is botocore's (1.44.8), of the same question.
    #[test]
    fn a_question_is_signed_as_amazons_own_library_does() {
        let key = Key {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Redacted::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            token: Some(Redacted::new("to/ken+=".to_owned())),
        };
        let scope = Scope {
            service: "sts",
            region: "eu-west-1",
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        let url = presign(
            &key,
            &scope,
            "sts.eu-west-1.amazonaws.com",
            &[("x-k8s-aws-id", "prod")],
            &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")],
            Duration::from_secs(900),
        );
        assert_eq!(
            url,
            "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900\
             &X-Amz-Security-Token=to%2Fken%2B%3D&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id\
             &X-Amz-Signature=0a8c2421917a3eeeb64ea34f7b78bc6227f807eb0794b7f65d31f30c81553fbe"
        );
    }
}
