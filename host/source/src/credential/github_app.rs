//! GitHub Apps: a private key becomes a token of one installation, for an hour (compat/source.md 5.4).
//!
//! ```text
//! app id, key ─JWT, RS256, two minutes─▶ /app/installations/{id}/access_tokens ─▶ x-access-token : token
//! ```

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, HeaderValue, USER_AGENT},
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;
use tokio::time::Instant;

use super::{Credentials, Error, SecretData, TokenCache, TokenUser, jwt, secret::text};
use crate::http::{Addresses, Failure, Http, Request, Transport, secret_header};

/// Whose API is asked where the Secret does not say.
const API: &str = "https://api.github.com";
/// Whom Git's server takes a token of an App for.
const USER: &str = "x-access-token";
/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest answer, in bytes.
const ANSWER_SIZE_MAX: u64 = 1 << 20;
/// Clocks differ: the assertion begins a little before now.
const BEFORE: i64 = 30;
/// How long the assertion holds, in seconds.
const AFTER: i64 = 120;

/// What a Secret says of a GitHub App.
#[derive(Clone, Debug)]
pub struct GitHubApp {
    id: String,
    key: Redacted<String>,
    installation: Installation,
    base: Url,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Installation {
    Id(u64),
    Owner(String),
}

/// Why an App is given no token. The text says what GitHub said, never what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct GitHubRefusal {
    text: String,
    after: Option<Duration>,
}

impl GitHubRefusal {
    /// How long GitHub wants to be left alone, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.after
    }

    fn of(failure: &Failure) -> GitHubRefusal {
        GitHubRefusal {
            text: format!("GitHub: {failure} ({})", failure.hint()),
            after: failure.retry_after(),
        }
    }
}

impl From<Error> for GitHubRefusal {
    fn from(error: Error) -> GitHubRefusal {
        GitHubRefusal {
            text: error.0,
            after: None,
        }
    }
}

/// Tokens of installations, by everything they were given for.
pub type GitHubTokens = TokenCache<[u8; 32], Credentials>;

impl GitHubApp {
    /// Reads a Secret. None where it speaks of no App.
    ///
    /// # Errors
    /// Where half of what is needed is there.
    pub fn from_secret(data: &SecretData) -> Option<Result<GitHubApp, Error>> {
        let keys = [
            "githubAppID",
            "githubAppPrivateKey",
            "githubAppInstallationID",
            "githubAppInstallationOwner",
        ];
        let is_given = |key: &&str| data.get(*key).is_some_and(|value| !value.is_empty());
        keys.iter().any(is_given).then(|| GitHubApp::read(data))
    }

    fn read(data: &SecretData) -> Result<GitHubApp, Error> {
        let get = |key: &'static str| {
            let value = text(data, key).map_err(|error| Error(error.to_string()))?;
            Ok::<_, Error>(
                value
                    .map(|value| value.trim().to_owned())
                    .filter(|value| !value.is_empty()),
            )
        };
        let required = |key: &'static str| {
            get(key)?.ok_or_else(|| Error(format!("github app data: key '{key}' is missing")))
        };
        let installation = match (
            get("githubAppInstallationID")?,
            get("githubAppInstallationOwner")?,
        ) {
            (Some(id), None) => {
                let id = id
                    .parse()
                    .map_err(|_| Error("github app data: 'githubAppInstallationID' is no number".to_owned()));
                Installation::Id(id?)
            }
            (None, Some(owner)) => Installation::Owner(owner),
            (None, None) => {
                let text = "github app data: one of 'githubAppInstallationID' and 'githubAppInstallationOwner' is required";
                return Err(Error(text.to_owned()));
            }
            (Some(_), Some(_)) => {
                let text = "github app data: only one of 'githubAppInstallationID' and 'githubAppInstallationOwner' may be set";
                return Err(Error(text.to_owned()));
            }
        };
        let base = get("githubAppBaseURL")?.unwrap_or_else(|| API.to_owned());
        let base = Url::parse(&base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        Ok(GitHubApp {
            id: required("githubAppID")?,
            key: Redacted::new(required("githubAppPrivateKey")?),
            installation,
            base: base.ok_or_else(|| {
                Error("github app data: 'githubAppBaseURL' is no http or https URL".to_owned())
            })?,
        })
    }

    /// A token for Git, kept in `tokens` while it lasts. The API is asked over `transport`, at `addresses` only.
    ///
    /// # Errors
    /// Where GitHub does not give one.
    pub async fn credentials(
        &self,
        transport: &Transport,
        addresses: &Addresses,
        tokens: &GitHubTokens,
        user: Option<&TokenUser>,
    ) -> Result<Credentials, GitHubRefusal> {
        let hash = Sha256::new().chain_update(self.identity());
        let key = hash.chain_update(transport.fingerprint()).finalize().into();
        tokens.get_for(user, &key, self.ask(transport, addresses)).await
    }

    /// Equal for tokens of the same installation of the same App; nothing can be read from it.
    pub fn identity(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let installation = format!("{:?}", self.installation);
        for part in [
            self.id.as_str(),
            self.key.reveal(),
            &installation,
            self.base.as_str(),
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    async fn ask(
        &self,
        transport: &Transport,
        addresses: &Addresses,
    ) -> Result<(Credentials, Duration), GitHubRefusal> {
        let api = Api {
            http: Http::new(transport, addresses).map_err(Error)?,
            base: &self.base,
            assertion: bearer(&self.assertion(Timestamp::now())?)?,
        };
        let id = match &self.installation {
            Installation::Id(id) => *id,
            Installation::Owner(owner) => api.installation(owner).await?,
        };
        let path = format!("app/installations/{id}/access_tokens");
        let answer = api.ask(Method::POST, &path).await?;
        let Some(given) = answer else {
            let text = format!("GitHub: there is no installation {id} of this app");
            return Err(Error(text).into());
        };
        let given: Given = serde_json::from_slice(&given).map_err(|_| unreadable())?;
        let left = given
            .expires_at
            .map_or(3600, |until| until.as_second() - Timestamp::now().as_second());
        let credentials = Credentials::Basic {
            username: USER.to_owned(),
            password: Redacted::new(given.token),
        };
        Ok((credentials, Duration::from_secs(u64::try_from(left).unwrap_or(0))))
    }

    /// Who we are, signed.
    fn assertion(&self, now: Timestamp) -> Result<String, Error> {
        let broken = || {
            Error("github app data: 'githubAppPrivateKey' is no RSA key in PEM that can be used".to_owned())
        };
        let now = now.as_second();
        let claims = json!({ "iat": now - BEFORE, "exp": now + AFTER, "iss": self.id });
        jwt::rs256(&claims, self.key.reveal()).ok_or_else(broken)
    }
}

struct Api<'a> {
    http: Http,
    base: &'a Url,
    assertion: HeaderValue,
}

impl Api<'_> {
    /// The installation at an organisation, or at a user of that name.
    async fn installation(&self, owner: &str) -> Result<u64, GitHubRefusal> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if !owner.chars().all(is_name) {
            let text = "github app data: 'githubAppInstallationOwner' is no name of an owner";
            return Err(Error(text.to_owned()).into());
        }
        for kind in ["orgs", "users"] {
            if let Some(found) = self
                .ask(Method::GET, &format!("{kind}/{owner}/installation"))
                .await?
            {
                let found: Found = serde_json::from_slice(&found).map_err(|_| unreadable())?;
                return Ok(found.id);
            }
        }
        Err(Error(format!("GitHub: this app is not installed at '{owner}'")).into())
    }

    /// The answer; None where there is no such thing.
    async fn ask(&self, method: Method, path: &str) -> Result<Option<Vec<u8>>, GitHubRefusal> {
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let url = Url::parse(&url).map_err(|error| Error(format!("GitHub: {error}")))?;
        let mut request = Request::new(method, url);
        request.authorization = Some(self.assertion.clone());
        request
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        request
            .headers
            .insert(USER_AGENT, HeaderValue::from_static("sluice"));
        let failed = |failure: Failure| GitHubRefusal::of(&failure);
        let reply = self
            .http
            .send(request, Instant::now() + TIMEOUT)
            .await
            .map_err(failed)?;
        if reply.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let reply = reply.ok().map_err(failed)?;
        let body = reply
            .bytes("the answer", ANSWER_SIZE_MAX, "answer_size_max")
            .await;
        body.map(Some).map_err(failed)
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Error> {
    secret_header(&format!("Bearer {token}")).map_err(|error| Error(error.to_string()))
}

fn unreadable() -> Error {
    Error("GitHub: the answer cannot be read".to_owned())
}

#[derive(Deserialize)]
struct Found {
    id: u64,
}

#[derive(Deserialize)]
struct Given {
    token: String,
    expires_at: Option<Timestamp>,
}
