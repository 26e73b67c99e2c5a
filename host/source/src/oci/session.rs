//! What a registry let us be: tokens and the scheme it speaks, shared by all who ask it as the same person.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use sluice_event::Redacted;
use tokio::time::Instant;

use super::{
    Cause, OciLimits, RepositoryName,
    challenge::{self, Challenge},
};
use crate::{
    Credentials,
    credential::TokenCache,
    http::{Failure, Http, Request, secret_header, shown},
};

/// As whom, at which registry, for what: `pull` or `pull,push` of one repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionKey {
    pub(super) identity: [u8; 32],
    pub(super) transport: [u8; 32],
    pub(super) name: RepositoryName,
    pub(super) access: Access,
}

/// What one wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Access {
    Pull,
    Push,
}

impl Access {
    fn scope(self, name: &RepositoryName) -> String {
        let actions = match self {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        format!("repository:{}:{actions}", name.repository())
    }
}

/// The scheme of a registry's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
}

impl Scheme {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }
}

/// Tokens and schemes that were found out.
pub(super) struct Sessions {
    tokens: TokenCache<SessionKey, HeaderValue>,
    schemes: Mutex<HashMap<(String, [u8; 32]), Scheme>>,
    max: usize,
}

/// How long a token lives whose registry does not say: the token spec's minimum.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(60);
/// Basic credentials do not expire; they are looked up again after this time, when Secrets may have changed.
const LIFETIME_BASIC: Duration = Duration::from_secs(3600);

impl Sessions {
    pub(super) fn new(max: usize) -> Sessions {
        Sessions {
            tokens: TokenCache::new(max, Duration::from_secs(3600)),
            schemes: Mutex::default(),
            max,
        }
    }

    pub(super) fn scheme(&self, registry: &str, transport: [u8; 32]) -> Option<Scheme> {
        let schemes = self.schemes.lock().unwrap_or_else(PoisonError::into_inner);
        schemes.get(&(registry.to_owned(), transport)).copied()
    }

    pub(super) fn learn(&self, registry: &str, transport: [u8; 32], scheme: Option<Scheme>) {
        let mut schemes = self.schemes.lock().unwrap_or_else(PoisonError::into_inner);
        if schemes.len() >= self.max {
            schemes.clear();
        }
        let key = (registry.to_owned(), transport);
        match scheme {
            Some(scheme) => schemes.insert(key, scheme),
            None => schemes.remove(&key),
        };
    }

    /// What the last challenge was answered with, while it lasts.
    pub(super) fn known(&self, key: &SessionKey) -> Option<HeaderValue> {
        self.tokens.peek(key)
    }

    /// Forgets an answer that the registry does not accept any more.
    pub(super) fn forget(&self, key: &SessionKey) {
        self.tokens.forget(key);
    }

    /// Answers a challenge; who asks meanwhile gets the same answer.
    pub(super) async fn answer(
        &self,
        key: &SessionKey,
        challenge: Challenge,
        asker: &Asker<'_>,
    ) -> Result<Option<HeaderValue>, Cause> {
        let make = async {
            let repository = key.name.to_string();
            let credentials = asker.credentials.credentials(&repository).await;
            let credentials = credentials.map_err(|error| Answer::Failed(Cause::Credentials(error.0)))?;
            match challenge {
                Challenge::Basic => match basic(&credentials) {
                    Some(header) => Ok((header.map_err(Answer::Failed)?, LIFETIME_BASIC)),
                    None => Err(Answer::Nothing),
                },
                Challenge::Bearer {
                    realm,
                    service,
                    scope,
                } => {
                    let scope = scope.unwrap_or_else(|| key.access.scope(&key.name));
                    asker
                        .token(realm, service.as_deref(), &scope, &credentials, &key.name)
                        .await
                        .map_err(Answer::Failed)
                }
            }
        };
        match self.tokens.get(key, make).await {
            Ok(header) => Ok(Some(header)),
            Err(Answer::Nothing) => Ok(None),
            Err(Answer::Failed(cause)) => Err(cause),
        }
    }
}

enum Answer {
    Nothing,
    Failed(Cause),
}

/// Who asks, and how.
pub(super) struct Asker<'a> {
    pub(super) http: &'a Http,
    pub(super) registry: &'a Url,
    pub(super) credentials: &'a dyn crate::CredentialSource,
    pub(super) limits: &'a OciLimits,
    pub(super) deadline: Instant,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Asker<'_> {
    /// Asks a token service. Credentials go along only where its owner is the registry's (N24).
    async fn token(
        &self,
        realm: Url,
        service: Option<&str>,
        scope: &str,
        credentials: &Credentials,
        name: &RepositoryName,
    ) -> Result<(HeaderValue, Duration), Cause> {
        if let Credentials::Bearer(token) = credentials {
            return Ok((bearer(token.reveal())?, LIFETIME_BASIC));
        }
        let may_see = challenge::may_see_credentials(self.registry, &realm, name);
        let credentials = if may_see { credentials } else { &Credentials::None };
        let mut request = match credentials {
            Credentials::Refresh(token) => refresh(realm.clone(), service, scope, token)?,
            _ => {
                let mut url = realm.clone();
                {
                    let mut query = url.query_pairs_mut();
                    query.append_pair("scope", scope);
                    if let Some(service) = service {
                        query.append_pair("service", service);
                    }
                }
                Request::new(Method::GET, url)
            }
        };
        request.authorization = basic(credentials).transpose()?;
        let method = request.method.to_string();
        let failed = |failure: Failure| {
            let said = (!may_see).then(|| {
                format!(
                    "credentials were not sent to the token service '{}', which the owner of '{}' may not be",
                    realm.host_str().unwrap_or_default(),
                    name.registry()
                )
            });
            let (method, url) = (method.clone(), shown(&realm));
            Cause::Http {
                method,
                url,
                said,
                failure: Box::new(failure),
            }
        };
        let reply = self.http.send(request, self.deadline).await.map_err(failed)?;
        let reply = reply.ok().map_err(failed)?;
        let what = "the answer of the token service";
        let body = reply
            .bytes(what, self.limits.token_size_max, "token_size_max")
            .await
            .map_err(failed)?;
        let unusable = || Cause::Content(format!("the token service {} gave no token", shown(&realm)));
        let token: Token = serde_json::from_slice(&body).map_err(|_| unusable())?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let text = given(token.token)
            .or(given(token.access_token))
            .ok_or_else(unusable)?;
        let lifetime = token.expires_in.map_or(LIFETIME_DEFAULT, Duration::from_secs);
        Ok((bearer(&text)?, lifetime.min(LIFETIME_BASIC)))
    }
}

fn refresh(
    realm: Url,
    service: Option<&str>,
    scope: &str,
    token: &Redacted<String>,
) -> Result<Request, Cause> {
    let mut form = Url::parse("form:").map_err(|error| Cause::Content(error.to_string()))?;
    form.query_pairs_mut()
        .append_pair("grant_type", "refresh_token")
        .append_pair("service", service.unwrap_or_default())
        .append_pair("client_id", "sluice")
        .append_pair("scope", scope)
        .append_pair("refresh_token", token.reveal());
    let mut request = Request::new(Method::POST, realm);
    request.body = Some(form.query().unwrap_or_default().to_owned().into());
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers.insert(CONTENT_TYPE, form);
    Ok(request)
}

/// The header for user and password; none for other credentials.
fn basic(credentials: &Credentials) -> Option<Result<HeaderValue, Cause>> {
    match credentials {
        Credentials::Basic { username, password } => {
            let encoded = STANDARD.encode(format!("{username}:{}", password.reveal()));
            Some(header(&format!("Basic {encoded}")))
        }
        Credentials::None | Credentials::Bearer(_) | Credentials::Refresh(_) => None,
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Cause> {
    header(&format!("Bearer {token}"))
}

fn header(text: &str) -> Result<HeaderValue, Cause> {
    let invalid = |_| Cause::Credentials("the credentials hold characters that HTTP cannot carry".to_owned());
    secret_header(text).map_err(invalid)
}
