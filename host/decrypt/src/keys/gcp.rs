//! Google Cloud KMS, as a service account.

use super::{KeyService, http, jwt};
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// Where the service is.
const ENDPOINT: &str = "https://cloudkms.googleapis.com";
/// What a token is asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";

/// Asks Google.
pub(crate) struct Gcp {
    client: Client,
    endpoint: String,
    email: String,
    key_id: String,
    private_key: Zeroizing<String>,
    token_uri: String,
    token: OnceCell<Zeroizing<String>>,
}

impl Gcp {
    /// From the JSON of a service account.
    ///
    /// # Errors
    /// It is something else. Other kinds of credentials name programs, files or addresses to ask, and are refused.
    pub(super) fn new(client: Client, credentials: &[u8]) -> Result<Self, String> {
        let json: Value = serde_json::from_slice(credentials).map_err(|_| "the credentials are no JSON")?;
        let text = |key: &str| {
            json.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match text("type").as_str() {
            "service_account" => {}
            other => {
                return Err(format!(
                    "credentials of type '{other}' are not supported, only those of a service_account"
                ));
            }
        }
        Ok(Self {
            client,
            endpoint: ENDPOINT.to_owned(),
            email: text("client_email"),
            key_id: text("private_key_id"),
            private_key: Zeroizing::new(text("private_key")),
            token_uri: text("token_uri"),
            token: OnceCell::new(),
        })
    }

    #[cfg(test)]
    pub(super) fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = endpoint.to_owned();
        self
    }

    async fn token(&self) -> Result<Zeroizing<String>, KeyError> {
        let uri = http::checked(&self.token_uri)?;
        let now = Timestamp::now().as_second();
        let claims =
            json!({"iss": self.email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + 600});
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let assertion = jwt::sign(&header, &claims, &self.private_key).map_err(KeyError::lasting)?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.as_str()),
        ];
        let answer = http::send(
            http::form(self.client.post(uri), &form),
            "the Google token service",
        )
        .await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        token
            .map(|token| Zeroizing::new(token.to_owned()))
            .ok_or_else(|| KeyError::lasting("the Google token service answered no token"))
    }

    async fn open(&self, resource: &str, enc: &str) -> Result<DataKey, KeyError> {
        let is_odd = !resource.starts_with("projects/")
            || !resource
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.:".contains(&byte))
            || resource.split('/').any(|part| matches!(part, "" | "." | ".."));
        if is_odd {
            return Err(KeyError::lasting(format!(
                "no valid resource ID found in '{resource}'"
            )));
        }
        let token = self.token.get_or_try_init(|| self.token()).await?;
        let request = self
            .client
            .post(format!("{}/v1/{resource}:decrypt", self.endpoint))
            .bearer_auth(token.as_str());
        let answer = http::send(
            http::json(request, &json!({"ciphertext": enc})),
            "Google Cloud KMS",
        )
        .await?;
        let odd = || {
            KeyError::lasting("failed to decrypt sops data key with GCP KMS key: no plaintext in the answer")
        };
        let text = answer.get("plaintext").and_then(Value::as_str).ok_or_else(odd)?;
        STANDARD.decode(text).map(Zeroizing::new).map_err(|_| odd())
    }
}

impl KeyService for Gcp {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        let MasterKey::Gcp { resource_id, enc } = key else {
            return None;
        };
        Some(self.open(resource_id, enc).boxed())
    }
}
