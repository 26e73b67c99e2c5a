//! Asking one repository of one registry.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT},
};
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Cause, ContentDigest, Insecure, OciFetcher, OciRequest, RepositoryName, challenge,
    manifest::{self, Parsed},
    session::{Access, Asker, Scheme, SessionKey},
};
use crate::{
    CredentialSource,
    http::{Failure, Http, Reply, Request, Transport, shown},
};

/// As Flux calls itself towards registries.
const AGENT: &str = "flux/v2";
/// Longest body of an error that is looked at, in bytes.
const ERROR_SIZE_MAX: u64 = 16 << 10;
/// Longest text of a registry that is repeated, in characters.
const SAID_MAX: usize = 300;

/// One repository, asked as one person.
#[derive(Clone)]
pub struct Repository {
    pub(super) fetcher: OciFetcher,
    http: Http,
    name: RepositoryName,
    credentials: Arc<dyn CredentialSource>,
    identity: [u8; 32],
    transport: [u8; 32],
    insecure: Insecure,
    timeout: Duration,
}

/// A question to the repository.
pub(super) struct Question {
    pub(super) method: Method,
    /// Below `/v2/<repository>/`, or an absolute URL of the same registry.
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) access: Access,
}

pub(super) enum Target {
    Path(String),
    Url(Url),
}

impl Question {
    pub(super) fn get(path: impl Into<String>) -> Question {
        Question {
            method: Method::GET,
            target: Target::Path(path.into()),
            headers: HeaderMap::new(),
            body: None,
            access: Access::Pull,
        }
    }

    pub(super) fn manifest(reference: &str) -> Question {
        let mut question = Question::get(format!("manifests/{reference}"));
        let accepted = HeaderValue::from_static(manifest::ACCEPTED);
        question.headers.insert(ACCEPT, accepted);
        question
    }
}

impl Repository {
    pub(super) fn new(
        fetcher: OciFetcher,
        http: Http,
        name: RepositoryName,
        request: &OciRequest,
    ) -> Repository {
        Repository {
            fetcher,
            http,
            name,
            credentials: Arc::clone(&request.credentials),
            identity: request.credentials.identity(),
            transport: request.transport.fingerprint(),
            insecure: request.insecure,
            timeout: request.timeout,
        }
    }

    /// A way to servers that are none of the registry's: without its certificates, its proxy, its credentials.
    pub(crate) fn elsewhere(&self) -> Result<Http, String> {
        self.fetcher.client(&Transport::default())
    }

    /// Its name.
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Schemes to try, best first (compat/source.md 6.1 `insecure`, 6.2 last line). Credentials go over http only where
    /// the user allowed it, or nobody listens.
    fn schemes(&self) -> Vec<Scheme> {
        if self.insecure == Insecure::Plain {
            return vec![Scheme::Http];
        }
        if let Some(known) = self
            .fetcher
            .shared
            .sessions
            .scheme(self.name.registry(), self.session_transport())
        {
            return vec![known];
        }
        let is_anonymous = self.identity == crate::Credentials::None.fingerprint();
        let may_be_plain = self.insecure == Insecure::Tolerated
            || self.name.is_loopback()
            || (self.name.is_local() && is_anonymous);
        if may_be_plain {
            vec![Scheme::Https, Scheme::Http]
        } else {
            vec![Scheme::Https]
        }
    }

    /// Those who may use http do not share what they learn with those who may not.
    fn session_transport(&self) -> [u8; 32] {
        let mut key = self.transport;
        if let Some(first) = key.first_mut() {
            *first ^= self.insecure as u8;
        }
        let is_anonymous = self.identity == crate::Credentials::None.fingerprint();
        if let Some(last) = key.last_mut() {
            *last ^= u8::from(is_anonymous);
        }
        key
    }

    /// Asks, and answers the registry's question who we are. Any status but 401 is an answer.
    pub(super) async fn ask(&self, question: &Question) -> Result<Reply, Cause> {
        let sessions = &self.fetcher.shared.sessions;
        let (registry, transport) = (self.name.registry(), self.session_transport());
        let mut last = None;
        for scheme in self.schemes() {
            match self.ask_by(question, scheme).await {
                Ok(reply) => {
                    sessions.learn(registry, transport, Some(scheme));
                    return Ok(reply);
                }
                Err(cause) if matches!(cause.failure(), Some(Failure::Transport(_))) => {
                    sessions.learn(registry, transport, None);
                    // of two ways that lead nowhere the first says more: it is the one the user should have
                    last.get_or_insert(cause);
                }
                Err(cause) => return Err(cause),
            }
        }
        Err(last.unwrap_or_else(|| Cause::Content("the registry cannot be asked".to_owned())))
    }

    async fn ask_by(&self, question: &Question, scheme: Scheme) -> Result<Reply, Cause> {
        let sessions = &self.fetcher.shared.sessions;
        let base = self.base(scheme)?;
        let url = self.url(&base, &question.target)?;
        let deadline = Instant::now() + self.timeout;
        let key = SessionKey {
            identity: self.identity,
            transport: self.session_transport(),
            name: self.name.clone(),
            access: question.access,
        };
        let known = sessions.known(&key);
        let reply = self.send(question, &url, known.clone(), deadline).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        if known.is_some() {
            sessions.forget(&key);
        }
        let Some(challenge) = challenge::parse(reply.headers("www-authenticate")) else {
            return Err(self.explain(&question.method, &url, reply).await);
        };
        let asker = Asker {
            http: &self.http,
            registry: &base,
            credentials: &*self.credentials,
            limits: &self.fetcher.shared.limits,
            deadline,
        };
        let Some(authorization) = sessions.answer(&key, challenge, &asker).await? else {
            return Err(self.explain(&question.method, &url, reply).await);
        };
        let reply = self.send(question, &url, Some(authorization), deadline).await?;
        if reply.status() == StatusCode::UNAUTHORIZED {
            sessions.forget(&key);
            return Err(self.explain(&question.method, &url, reply).await);
        }
        Ok(reply)
    }

    /// Asks for something that must be there.
    pub(super) async fn get(&self, question: &Question) -> Result<Reply, Cause> {
        let reply = self.ask(question).await?;
        if reply.status().is_success() {
            return Ok(reply);
        }
        let url = match &question.target {
            Target::Url(url) => url.clone(),
            target => self.url(&self.base(self.scheme())?, target)?,
        };
        Err(self.explain(&question.method, &url, reply).await)
    }

    /// The scheme that the registry was found to speak.
    fn scheme(&self) -> Scheme {
        let sessions = &self.fetcher.shared.sessions;
        let known = sessions.scheme(self.name.registry(), self.session_transport());
        known.unwrap_or(Scheme::Https)
    }

    /// The address of the registry as it was last reached.
    pub(super) fn address(&self) -> Result<Url, Cause> {
        self.base(self.scheme())
    }

    fn base(&self, scheme: Scheme) -> Result<Url, Cause> {
        let text = format!("{}://{}/", scheme.as_str(), self.name.registry());
        Url::parse(&text).map_err(|error| Cause::Wish(format!("'{text}' is no address: {error}")))
    }

    fn url(&self, base: &Url, target: &Target) -> Result<Url, Cause> {
        match target {
            Target::Url(url) => Ok(url.clone()),
            Target::Path(path) => base
                .join(&format!("/v2/{}/{path}", self.name.repository()))
                .map_err(|error| Cause::Wish(error.to_string())),
        }
    }

    async fn send(
        &self,
        question: &Question,
        url: &Url,
        authorization: Option<HeaderValue>,
        deadline: Instant,
    ) -> Result<Reply, Cause> {
        let mut headers = question.headers.clone();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let request = Request {
            method: question.method.clone(),
            url: url.clone(),
            headers,
            body: question.body.clone(),
            authorization,
            may_follow: true,
        };
        let sent = self.http.send(request, deadline).await;
        sent.map_err(|failure| self.failed(&question.method, url, failure))
    }

    /// The failure of a request.
    pub(super) fn failed(&self, method: &Method, url: &Url, failure: Failure) -> Cause {
        Cause::Http {
            method: method.to_string(),
            url: shown(url),
            said: None,
            failure: Box::new(failure),
        }
    }

    /// What an answer that is no success means, with what the registry says about it.
    pub(super) async fn explain(&self, method: &Method, url: &Url, reply: Reply) -> Cause {
        let failure = reply.failure();
        let body = reply.bytes("an error", ERROR_SIZE_MAX, "error_size_max").await;
        Cause::Http {
            method: method.to_string(),
            url: shown(url),
            said: body.ok().and_then(|body| said(&body)),
            failure: Box::new(failure),
        }
    }

    /// The bytes of a manifest or an index, checked against `digest` where it is known.
    pub(super) async fn manifest_bytes(
        &self,
        reference: &str,
        digest: Option<&ContentDigest>,
    ) -> Result<(Vec<u8>, Parsed, ContentDigest), Cause> {
        let (body, content_type, found) = self.manifest_answer(reference, digest).await?;
        let parsed = manifest::parse(&body, content_type.as_deref())
            .map_err(|problem| Cause::Manifest(format!("{found}: {problem}")))?;
        Ok((body, parsed, found))
    }

    /// The same unread, with what the registry says that it is.
    pub(super) async fn manifest_answer(
        &self,
        reference: &str,
        digest: Option<&ContentDigest>,
    ) -> Result<(Vec<u8>, Option<String>, ContentDigest), Cause> {
        let question = Question::manifest(reference);
        let reply = self.get(&question).await?;
        let content_type = reply.header("content-type").map(str::to_owned);
        let announced = reply
            .header("docker-content-digest")
            .and_then(|text| text.parse().ok());
        let limit = self.fetcher.shared.limits.manifest_size_max;
        let url = self.url(&self.address()?, &question.target)?;
        let body = reply.bytes("the manifest", limit, "manifest_size_max").await;
        let body = body.map_err(|failure| self.failed(&question.method, &url, failure))?;
        let expected: Option<ContentDigest> = digest.cloned().or(announced);
        let found = match &expected {
            Some(expected) if expected.matches(&body) => expected.clone(),
            Some(expected) => {
                let found = ContentDigest::of(&body);
                return Err(Cause::Content(format!(
                    "manifest digest: \"{found}\" does not match requested digest: \"{expected}\" for \"{}@{expected}\"",
                    self.name
                )));
            }
            None => ContentDigest::of(&body),
        };
        Ok((body, content_type, found))
    }
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// `CODE: message; CODE: message`, as the distribution spec has it.
fn said(body: &[u8]) -> Option<String> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let texts = errors.errors.iter().take(3).map(|error| {
        let message = if error.message.is_empty() { "" } else { ": " };
        format!("{}{message}{}", error.code, error.message)
    });
    let text = texts.collect::<Vec<_>>().join("; ");
    let text: String = text.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
    (!text.is_empty()).then_some(text)
}
