//! Google: the token of the workload, which its registries take as a password.

use std::time::Duration;

use reqwest::{Method, header::HeaderValue};
use serde::Deserialize;

use super::{
    Account, Clouds,
    account::{GCP_ACCOUNT, GCP_PROVIDER, annotated, token_of},
    basic, bearer,
};
use crate::credential::{Credentials, Error};

/// What tokens are good for: everything that their owner may do.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The metadata service answers nobody who does not say this.
const METADATA: (&str, &str) = ("metadata-flavor", "Google");
const EMAIL_PATTERN: &str = "<name>@<project>.iam.gserviceaccount.com";
const PROVIDER_PATTERN: &str =
    "projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>";

/// What one kind of token is changed into another by, and into what (RFC 8693).
pub(super) const TOKEN_EXCHANGE: (&str, &str) = (
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:token-type:access_token",
);

/// Who one is to a registry that knows one by a token.
const USER: &str = "oauth2accesstoken";
const TOKEN: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";

pub(super) fn check(host: &str) -> Result<(), Error> {
    let is_known = host == "gcr.io"
        || host.ends_with(".gcr.io")
        || host.ends_with("-docker.pkg.dev")
        || host == "docker.s3nsregistry.fr"
        || host.ends_with("-docker.s3nsregistry.fr");
    match is_known {
        true => Ok(()),
        false => Err(Error(format!(
            "invalid GCP registry: '{host}'. must match gcr.io, *.gcr.io or *-docker.pkg.dev"
        ))),
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=100).contains(&text.len()) && text.bytes().all(is_plain)
}

fn is_email(text: &str) -> bool {
    let parts = text
        .strip_suffix(".iam.gserviceaccount.com")
        .and_then(|rest| rest.split_once('@'));
    parts.is_some_and(|(name, project)| is_name(name) && is_name(project))
}

fn is_provider(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    matches!(parts.as_slice(), ["projects", number, "locations", "global", "workloadIdentityPools", pool, "providers", provider]
        if number.bytes().all(|byte| byte.is_ascii_digit()) && [number, pool, provider].iter().all(|part| is_name(part)))
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generated {
    access_token: String,
}

impl Clouds {
    pub(super) async fn gcp_login(&self) -> Result<(Credentials, Duration), Error> {
        let (token, lifetime) = self.gcp_token().await?;
        Ok((basic(USER, &token), lifetime))
    }

    /// A token of who asks, and how long it is still good for.
    pub(super) async fn gcp_token(&self) -> Result<(String, Duration), Error> {
        if let Some(account) = &self.account {
            return self.gcp_token_of(&**account).await;
        }
        let environment = &self.shared.environment;
        if let Some(file) = &environment.gcp_file {
            return self.gcp_token_by(file).await;
        }
        // a login may be there or not; what cannot be looked at is not there
        if let Some(file) = &environment.gcp_login_file
            && tokio::fs::try_exists(file).await.unwrap_or(false)
        {
            return self.gcp_token_by(file).await;
        }
        let request = self.shared.get(TOKEN, &[METADATA])?;
        let token: Token = self.ask("the machine's metadata service", request).await?;
        Ok((token.access_token, Duration::from_secs(token.expires_in)))
    }

    /// A service account's token is changed into one of Google's, and that into one of the account it may act as.
    async fn gcp_token_of(&self, account: &dyn Account) -> Result<(String, Duration), Error> {
        let acts_as = match account.annotation(GCP_ACCOUNT).unwrap_or_default() {
            "" => None,
            _ => Some(annotated(account, GCP_ACCOUNT, EMAIL_PATTERN, is_email)?),
        };
        let (ours, theirs) = self.gcp_audiences(account).await?;
        let subject = token_of(account, &ours).await?;
        let form = [
            ("grant_type", TOKEN_EXCHANGE.0),
            ("requested_token_type", TOKEN_EXCHANGE.1),
            ("audience", theirs.as_str()),
            ("scope", SCOPE),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", subject.reveal()),
        ];
        let request = self
            .shared
            .post_form("https://sts.googleapis.com/v1/token", &form)?;
        let token: Token = self.ask("Google's token service", request).await?;
        let lifetime = Duration::from_secs(token.expires_in);
        let Some(email) = acts_as else {
            return Ok((token.access_token, lifetime));
        };
        let address = format!(
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        );
        Ok((
            self.gcp_impersonated(&address, &token.access_token).await?,
            lifetime,
        ))
    }

    /// Whom the cluster makes the account's token for, and whom Google is asked as: a provider that is named, else the pool
    /// of the cluster this process runs in, which is Google's.
    async fn gcp_audiences(&self, account: &dyn Account) -> Result<(String, String), Error> {
        if account
            .annotation(GCP_PROVIDER)
            .is_some_and(|provider| !provider.is_empty())
        {
            let provider = annotated(account, GCP_PROVIDER, PROVIDER_PATTERN, is_provider)?;
            let audience = format!("//iam.googleapis.com/{provider}");
            return Ok((audience.clone(), audience));
        }
        let project = self.gcp_metadata("project/project-id").await?;
        let location = self.gcp_metadata("instance/attributes/cluster-location").await?;
        let cluster = self.gcp_metadata("instance/attributes/cluster-name").await?;
        let pool = format!("{project}.svc.id.goog");
        let theirs = format!(
            "identitynamespace:{pool}:https://container.googleapis.com/v1/projects/{project}/locations/{location}/clusters/{cluster}"
        );
        Ok((pool, theirs))
    }

    async fn gcp_metadata(&self, what: &str) -> Result<String, Error> {
        let service = "the machine's metadata service";
        let address = format!("http://metadata.google.internal/computeMetadata/v1/{what}");
        let request = self.shared.get(&address, &[METADATA])?;
        let text = String::from_utf8(self.text(service, request).await?).unwrap_or_default();
        match text.trim() {
            "" => Err(Error(format!("{service} does not know {what}"))),
            text => Ok(text.to_owned()),
        }
    }
}

impl Clouds {
    /// A token of the account that `address` gives one for, to who has this one.
    pub(super) async fn gcp_impersonated(&self, address: &str, token: &str) -> Result<String, Error> {
        let mut request = self.shared.get(address, &[])?;
        request.method = Method::POST;
        request.authorization = Some(bearer(token)?);
        let json = HeaderValue::from_static("application/json");
        request.headers.insert("content-type", json);
        request.body = Some(serde_json::json!({ "scope": [SCOPE] }).to_string().into());
        let generated: Generated = self.ask("Google's service for credentials", request).await?;
        Ok(generated.access_token)
    }
}
