//! A service account of Google with its key.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sluice_event::Redacted;

use super::jwt;

/// How long a token is asked for, in seconds: the most that Google gives.
const TOKEN_SECONDS: i64 = 3600;

/// A service account of Google with its key.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceAccount {
    #[serde(rename = "client_email")]
    email: String,
    #[serde(rename = "private_key")]
    key: Redacted<String>,
    pub(crate) token_uri: String,
}

impl ServiceAccount {
    /// Reads the JSON that Google gives.
    ///
    /// # Errors
    /// What is missing; the text holds nothing of the key.
    pub fn parse(json: &str) -> Result<ServiceAccount, String> {
        serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("'serviceaccount' is no key of a service account: line {line} column {column}")
        })
    }

    /// The form that its token service gives a token for, good for `scope`.
    ///
    /// # Errors
    /// The key cannot be used.
    pub(crate) fn form(&self, scope: &str) -> Result<[(&'static str, String); 2], String> {
        let now = Timestamp::now().as_second();
        let claims = json!({
            "iss": self.email, "aud": self.token_uri, "iat": now, "exp": now + TOKEN_SECONDS, "scope": scope,
        });
        let statement = jwt::rs256(&claims, self.key.reveal())
            .ok_or("the private key of 'serviceaccount' cannot be used")?;
        Ok([
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
            ),
            ("assertion", statement),
        ])
    }
}
