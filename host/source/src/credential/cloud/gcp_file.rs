//! The credentials that `GOOGLE_APPLICATION_CREDENTIALS` names, or that `gcloud auth application-default login` leaves
//! (google.aip.dev/auth/4110).

use std::{path::Path, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use sluice_event::Redacted;

use super::{
    Clouds,
    gcp::{SCOPE, TOKEN_EXCHANGE, Token},
    read_token,
};
use crate::credential::{Error, service_account::ServiceAccount};

/// Where Google changes what a person or an account shows for a token.
const TOKENS: &str = "https://oauth2.googleapis.com/token";

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount(ServiceAccount),
    AuthorizedUser(User),
    ExternalAccount(Federated),
}

/// A person who logged in.
#[derive(Deserialize)]
struct User {
    client_id: String,
    client_secret: Redacted<String>,
    refresh_token: Redacted<String>,
}

/// Somebody whom another service vouches for: workload identity federation.
#[derive(Deserialize)]
struct Federated {
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
}

/// Where the word of that service is. The other places there are (URLs, programs, Amazon's) are told by their absence.
#[derive(Deserialize)]
struct Source {
    file: Option<std::path::PathBuf>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
struct Format {
    #[serde(default, rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

impl Clouds {
    /// A token of whom the file at `path` is about, and how long it is good for. Errors hold nothing of the file.
    pub(super) async fn gcp_token_by(&self, path: &Path) -> Result<(String, Duration), Error> {
        let failed = |problem: String| Error(format!("{}: {problem}", path.display()));
        let text = tokio::fs::read_to_string(path)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            failed(format!("line {line} column {column}: no credentials of a service_account, an authorized_user or an external_account"))
        })?;
        let token = match file {
            File::ServiceAccount(account) => {
                let form = account.form(SCOPE).map_err(failed)?;
                let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
                self.google(&account.token_uri, &form).await?
            }
            File::AuthorizedUser(user) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", user.client_id.as_str()),
                    ("client_secret", user.client_secret.reveal()),
                    ("refresh_token", user.refresh_token.reveal()),
                ];
                self.google(TOKENS, &form).await?
            }
            File::ExternalAccount(federated) => return self.federated(&federated, failed).await,
        };
        Ok((token.access_token, Duration::from_secs(token.expires_in)))
    }

    async fn federated(
        &self,
        federated: &Federated,
        failed: impl Fn(String) -> Error,
    ) -> Result<(String, Duration), Error> {
        let Source { file, format } = &federated.credential_source;
        let file = file.as_deref().ok_or_else(|| {
            failed("credential_source: only 'file' is supported; project the token into a file".to_owned())
        })?;
        let text = read_token(file).await?;
        let subject = match format.kind.as_str() {
            "json" => {
                let field = format
                    .subject_token_field_name
                    .as_deref()
                    .unwrap_or("access_token");
                let json: Option<Value> = serde_json::from_str(&text).ok();
                let token = json.and_then(|json| Some(json.get(field)?.as_str()?.to_owned()));
                token.ok_or_else(|| Error(format!("{}: no '{field}' in it", file.display())))?
            }
            _ => text,
        };
        let form = [
            ("grant_type", TOKEN_EXCHANGE.0),
            ("requested_token_type", TOKEN_EXCHANGE.1),
            ("audience", federated.audience.as_str()),
            ("scope", SCOPE),
            ("subject_token_type", federated.subject_token_type.as_str()),
            ("subject_token", subject.as_str()),
        ];
        let token = self.google(&federated.token_url, &form).await?;
        let lifetime = Duration::from_secs(token.expires_in);
        match &federated.service_account_impersonation_url {
            Some(url) => Ok((self.gcp_impersonated(url, &token.access_token).await?, lifetime)),
            None => Ok((token.access_token, lifetime)),
        }
    }

    async fn google(&self, address: &str, form: &[(&str, &str)]) -> Result<Token, Error> {
        if !address.starts_with("https://") {
            return Err(Error(format!("'{address}': a key is shown over https only")));
        }
        let request = self.shared.post_form(address, form)?;
        self.ask("Google's token service", request).await
    }
}
