//! Whether the certificates of a signer were revoked: by the word of who gave them (OCSP, RFC 6960), else by the list of
//! those that were (CRL, RFC 5280 5).
//!
//! ```text
//! certificate ─▶ who gave it: of the envelope or of the trust store, and its key signed the certificate
//!   names servers ─▶ asked one after another: good ∨ revoked ends it
//!   names lists   ─▶ all of them are read: one that has the certificate is enough
//!   names neither ─▶ cannot be revoked (notaryproject, trust-store-trust-policy, certificate revocation evaluation)
//! ```
//!
//! **Invariant:** an answer counts only if the key of who gave the certificate stands behind it and it is not out of date.
//! What cannot be found out is an error.

mod answer;
mod list;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use tokio::time::Instant;

use self::answer::{Answer, Question};
use super::{
    key::{self, CERTIFICATES},
    x509::{self, BITS, Parts, SEQUENCE, element, elements, expect, only, whole},
};
use crate::http::{Failure, Http, Request};

/// Bytes of an answer: one with a chain of RSA certificates takes four thousand.
const ANSWER_SIZE_MAX: u64 = 20 << 10;
/// Bytes of a list: the largest there are take half of it, as the original has found.
const LIST_SIZE_MAX: u64 = 32 << 20;
/// How long a server may take to answer, and how long to send a list, as in the original.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const LIST_TIMEOUT: Duration = Duration::from_secs(5);
/// Servers or lists of one certificate.
const PLACES_MAX: usize = 4;

/// The fields of these structures that have numbers.
const FIELD_0: u8 = 0xa0;
/// `GeneralName`, uniformResourceIdentifier (RFC 5280 4.2.1.6).
const URI: u8 = 0x86;

/// Asks those who give certificates.
pub(super) struct Revocation {
    http: Http,
    now: Timestamp,
}

/// The certificates of a signer.
pub(super) struct Chain<'a> {
    /// The signer's own, and those between it and a root.
    pub(super) certificates: &'a [Vec<u8>],
    /// Others that may have given one of them.
    pub(super) known: &'a [Vec<u8>],
    /// What it signs, for messages: `signing`, `timestamping`.
    pub(super) purpose: &'a str,
    /// When it signed, where that is beyond doubt: a key may be said to be bad from some time on.
    pub(super) signed_at: Option<Timestamp>,
}

#[derive(Clone, Copy)]
struct Times {
    now: Timestamp,
    signed_at: Option<Timestamp>,
}

impl Times {
    /// Whether it was signed before its key went bad (RFC 5280 5.3.2); `content` is that of the extension that says when.
    fn is_before(self, content: &[u8]) -> Option<bool> {
        let (invalid_since, _) = x509::time(content)?;
        Some(self.signed_at.is_some_and(|signed_at| signed_at < invalid_since))
    }
}

/// What became of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    Revoked,
}

impl Revocation {
    /// `now` is the time that answers must be valid at.
    pub(super) fn new(http: Http, now: Timestamp) -> Revocation {
        Revocation { http, now }
    }

    /// Whether none of a chain was revoked.
    pub(super) async fn check(&self, chain: &Chain<'_>) -> Result<(), String> {
        for der in chain.certificates {
            let parts = x509::parts(der)?;
            let (purpose, subject) = (chain.purpose, x509::shown(&parts.attributes()));
            match self.standing(der, &parts, chain).await {
                Ok(Standing::Good) => {}
                Ok(Standing::Revoked) => {
                    return Err(format!(
                        "{purpose} certificate with subject \"{subject}\" is revoked"
                    ));
                }
                Err(problem) => {
                    return Err(format!(
                        "{purpose} certificate with subject \"{subject}\" revocation status is unknown: {problem} (signatureVerification.override.revocation of the trust policy says what is made of that: enforce, log or skip)"
                    ));
                }
            }
        }
        Ok(())
    }

    async fn standing(&self, der: &[u8], parts: &Parts<'_>, chain: &Chain<'_>) -> Result<Standing, String> {
        let servers = servers(parts).ok_or("the servers it names cannot be read")?;
        let lists = match parts.extension(LISTS) {
            Some(content) => places(content).ok_or("the lists it names cannot be read")?,
            None => Vec::new(),
        };
        if servers.is_empty() && lists.is_empty() {
            return Ok(Standing::Good);
        }
        let signed = Signed::read(der).ok_or("it cannot be read")?;
        // a root answers for itself: nobody could revoke it
        if parts.issuer == parts.subject && signed.is_by(der) {
            return Ok(Standing::Good);
        }
        let gave = |other: &&Vec<u8>| {
            x509::parts(other).is_ok_and(|other| other.subject == parts.issuer) && signed.is_by(other)
        };
        let issuer = chain.certificates.iter().chain(chain.known).find(gave);
        let issuer = issuer.ok_or("the certificate of its issuer is not there")?;
        let times = Times {
            now: self.now,
            signed_at: chain.signed_at,
        };
        let unanswered = match servers.is_empty() {
            true => String::new(),
            false => match self.by_servers(parts.serial, issuer, &servers, times).await {
                Ok(standing) => return Ok(standing),
                Err(problem) if lists.is_empty() => return Err(problem),
                Err(problem) => format!("{problem}; "),
            },
        };
        let by_lists = self.by_lists(der, issuer, lists, times).await;
        by_lists.map_err(|problem| format!("{unanswered}{problem}"))
    }

    /// By the first server that knows.
    async fn by_servers(
        &self,
        serial: &[u8],
        issuer: &[u8],
        servers: &[String],
        times: Times,
    ) -> Result<Standing, String> {
        let question = Question::new(serial, issuer).ok_or("the key of its issuer cannot be read")?;
        let mut problems = Vec::new();
        for server in servers.iter().take(PLACES_MAX) {
            match self.by_server(&question, issuer, server, times).await {
                Ok(Answer::Known(standing)) => return Ok(standing),
                // who does not know the certificate speaks for the others too, as in the original
                Ok(Answer::Unknown) => return Err(format!("OCSP {server} does not know it")),
                Err(problem) => problems.push(format!("OCSP {server}: {problem}")),
            }
        }
        Err(problems.join("; "))
    }

    async fn by_server(
        &self,
        question: &Question,
        issuer: &[u8],
        server: &str,
        times: Times,
    ) -> Result<Answer, String> {
        let mut request = Request::new(Method::POST, plain(server)?);
        let kind = HeaderValue::from_static("application/ocsp-request");
        request.headers.insert(CONTENT_TYPE, kind);
        request.body = Some(Bytes::from(question.request()));
        let body = self.fetch(request, ANSWER_TIMEOUT, "an OCSP answer", ANSWER_SIZE_MAX);
        question.answered(&body.await?, issuer, times)
    }

    /// By all lists together.
    async fn by_lists(
        &self,
        der: &[u8],
        issuer: &[u8],
        lists: Vec<String>,
        times: Times,
    ) -> Result<Standing, String> {
        if lists.len() > PLACES_MAX {
            return Err(format!("it names more than {PLACES_MAX} lists"));
        }
        for place in lists {
            let told = |problem: String| format!("CRL {place}: {problem}");
            let list = self.list(&place).await.map_err(told)?;
            let newer = match list::newer(&list).map_err(told)? {
                Some(places) => Some(self.first_list(&places).await.map_err(told)?),
                None => None,
            };
            let (der, issuer, at) = (der.to_vec(), issuer.to_vec(), place.clone());
            // hashing and searching the largest of them takes longer than others should wait
            let work =
                tokio::task::spawn_blocking(move || list::standing(&der, &issuer, &at, &list, newer, times));
            let standing = work
                .await
                .map_err(|_| told("searching it ended unexpectedly".to_owned()))?;
            if standing.map_err(told)? == Standing::Revoked {
                return Ok(Standing::Revoked);
            }
        }
        Ok(Standing::Good)
    }

    /// The places of a list of changes all have the same one (RFC 5280 5.2.6).
    async fn first_list(&self, places: &[String]) -> Result<Vec<u8>, String> {
        let mut problem = "it names no place of its changes".to_owned();
        for place in places.iter().take(PLACES_MAX) {
            match self.list(place).await {
                Ok(list) => return Ok(list),
                Err(said) => problem = format!("{place}: {said}"),
            }
        }
        Err(problem)
    }

    async fn list(&self, place: &str) -> Result<Vec<u8>, String> {
        let request = Request::new(Method::GET, plain(place)?);
        self.fetch(
            request,
            LIST_TIMEOUT,
            "a list of revoked certificates",
            LIST_SIZE_MAX,
        )
        .await
    }

    async fn fetch(
        &self,
        request: Request,
        timeout: Duration,
        what: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, String> {
        let said = |failure: Failure| failure.to_string();
        let reply = self.http.send(request, Instant::now() + timeout).await;
        let reply = reply.map_err(said)?;
        if reply.status() != StatusCode::OK {
            return Err(reply.failure().to_string());
        }
        reply.bytes(what, limit, "fixed").await.map_err(said)
    }
}

/// Over TLS the server's own certificate would have to be looked up first (RFC 5280 8).
fn plain(place: &str) -> Result<Url, String> {
    let url = Url::parse(place).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" => Ok(url),
        other => Err(format!("protocol {other} is not supported")),
    }
}

/// `id-ce-invalidityDate` (RFC 5280 5.3.2).
const INVALID_SINCE: &[u8] = &[0x55, 0x1d, 0x18];

/// `id-ce-cRLDistributionPoints`.
const LISTS: &[u8] = &[0x55, 0x1d, 0x1f];

/// The servers that a certificate names (RFC 5280 4.2.2.1).
fn servers(certificate: &Parts<'_>) -> Option<Vec<String>> {
    /// `id-pe-authorityInfoAccess`.
    const ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
    /// `id-ad-ocsp`.
    const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
    let Some(content) = certificate.extension(ACCESS) else {
        return Some(Vec::new());
    };
    let mut found = Vec::new();
    for description in elements(only(content, SEQUENCE)?)? {
        let (method, place) = expect(only(description, SEQUENCE)?, x509::OID)?;
        if method == OCSP
            && let (URI, uri, _) = element(place)?
        {
            found.push(String::from_utf8(uri.to_vec()).ok()?);
        }
    }
    Some(found)
}

/// The URIs of distribution points (RFC 5280 4.2.1.13), in the content of their extension.
fn places(content: &[u8]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for point in elements(only(content, SEQUENCE)?)? {
        if let Some((name, _)) = expect(only(point, SEQUENCE)?, FIELD_0) {
            found.extend(full_name(name)?);
        }
    }
    Some(found)
}

/// The URIs of a distribution point's name; none where it is told another way.
fn full_name(name: &[u8]) -> Option<Vec<String>> {
    let Some((names, _)) = expect(name, FIELD_0) else {
        return Some(Vec::new());
    };
    let mut found = Vec::new();
    for name in elements(names)? {
        if let (URI, uri, _) = element(name)? {
            found.push(String::from_utf8(uri.to_vec()).ok()?);
        }
    }
    Some(found)
}

/// What certificates, lists and answers have in common: something signed, how, and the signature (RFC 5280 4.1.1).
struct Signed<'a> {
    /// With its head.
    content: &'a [u8],
    /// The content of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// What follows.
    rest: &'a [u8],
}

impl<'a> Signed<'a> {
    fn read(der: &'a [u8]) -> Option<Signed<'a>> {
        let (content, rest) = whole(only(der, SEQUENCE)?)?;
        let (algorithm, rest) = expect(rest, SEQUENCE)?;
        let (bits, rest) = expect(rest, BITS)?;
        // all bits of the last byte are used
        let (0, signature) = bits.split_first().map(|(unused, bytes)| (*unused, bytes))? else {
            return None;
        };
        Some(Signed {
            content,
            algorithm,
            signature,
            rest,
        })
    }

    /// Whether the key of this certificate made the signature, in the way it says.
    fn is_by(&self, certificate: &[u8]) -> bool {
        let stated = CERTIFICATES
            .iter()
            .filter(|algorithm| algorithm.signature_alg_id().as_ref() == self.algorithm);
        key::made(certificate, stated, self.content, self.signature)
    }
}
