//! Azure Key Vault, as an application with a secret or a certificate.

use super::{KeyService, http, jwt};
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Where tokens come from, unless the credentials name another cloud.
const AUTHORITY: &str = "https://login.microsoftonline.com/";
/// Domains of key vaults, each with what its tokens are for. A token is sent nowhere else, whatever a file says.
const DOMAINS: [(&str, &str); 5] = [
    (".vault.azure.net", "https://vault.azure.net/.default"),
    (".vault.azure.cn", "https://vault.azure.cn/.default"),
    (
        ".vault.usgovcloudapi.net",
        "https://vault.usgovcloudapi.net/.default",
    ),
    (".managedhsm.azure.net", "https://managedhsm.azure.net/.default"),
    (".managedhsm.azure.cn", "https://managedhsm.azure.cn/.default"),
];

/// Asks Azure.
pub(crate) struct Azure {
    client: Client,
    authority: String,
    tenant: String,
    application: String,
    proof: Proof,
    /// Only in tests: every vault is here.
    vaults: Option<String>,
    tokens: Mutex<HashMap<&'static str, Zeroizing<String>>>,
}

enum Proof {
    Secret(Zeroizing<String>),
    Certificate(Zeroizing<String>),
}

impl Azure {
    /// From YAML or JSON: a service principal, in either of the two spellings that Azure's tools have.
    ///
    /// # Errors
    /// Something is missing, or it asks for what is not supported.
    pub(super) fn new(client: Client, config: &[u8]) -> Result<Self, String> {
        let json: Value = super::import::yaml(&utf8(config)?).map_err(|_| "failed to parse azure config")?;
        let text = |keys: &[&str]| {
            let found = keys
                .iter()
                .find_map(|key| json.get(*key)?.as_str().filter(|text| !text.is_empty()));
            found.unwrap_or_default().to_owned()
        };
        let (tenant, application) = (text(&["tenantId", "tenant"]), text(&["clientId", "appId"]));
        let (secret, certificate) = (text(&["clientSecret", "password"]), text(&["clientCertificate"]));
        let proof = match (secret.is_empty(), certificate.is_empty()) {
            (false, _) => Proof::Secret(secret.into()),
            (true, false)
                if text(&["clientCertificatePassword"]).is_empty() && certificate.contains("-----BEGIN ") =>
            {
                Proof::Certificate(certificate.into())
            }
            (true, false) => return Err("clientCertificate must be PEM without a password".to_owned()),
            (true, true) => {
                return Err(
                    "a managed identity is not supported: give clientSecret or clientCertificate".to_owned(),
                );
            }
        };
        if tenant.is_empty() || application.is_empty() {
            return Err("invalid data: requires 'tenantId' and 'clientId'".to_owned());
        }
        let authority = text(&["authorityHost"]);
        let authority = if authority.is_empty() {
            AUTHORITY.to_owned()
        } else {
            authority
        };
        Ok(Self {
            client,
            authority,
            tenant,
            application,
            proof,
            vaults: None,
            tokens: Mutex::default(),
        })
    }

    #[cfg(test)]
    pub(super) fn at(mut self, vaults: &str) -> Self {
        self.vaults = Some(vaults.to_owned());
        self
    }

    async fn token(&self, scope: &'static str) -> Result<Zeroizing<String>, KeyError> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(scope) {
            return Ok(token.clone());
        }
        let url = format!(
            "{}/{}/oauth2/v2.0/token",
            self.authority.trim_end_matches('/'),
            self.tenant
        );
        let url = http::checked(&url)?;
        let assertion;
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.application.as_str()),
            ("scope", scope),
        ];
        match &self.proof {
            Proof::Secret(secret) => form.push(("client_secret", secret)),
            Proof::Certificate(pem) => {
                assertion = self.assertion(pem, url.as_str()).map_err(KeyError::lasting)?;
                form.push((
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ));
                form.push(("client_assertion", &assertion));
            }
        }
        let answer = http::send(
            http::form(self.client.post(url), &form),
            "the Azure token service",
        )
        .await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| KeyError::lasting("the Azure token service answered no token"))?;
        let token = Zeroizing::new(token.to_owned());
        tokens.insert(scope, token.clone());
        Ok(token)
    }

    fn assertion(&self, pem: &str, audience: &str) -> Result<Zeroizing<String>, String> {
        let certificate = jwt::pem(pem, "CERTIFICATE").ok_or("clientCertificate has no certificate in it")?;
        let header = json!({
            "alg": "RS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&*certificate)),
        });
        let now = Timestamp::now();
        let claims = json!({
            "aud": audience, "iss": self.application, "sub": self.application, "jti": format!("{:x}", now.as_nanosecond()),
            "nbf": now.as_second(), "exp": now.as_second() + 600,
        });
        jwt::sign(&header, &claims, pem)
    }

    async fn open(&self, vault_url: &str, name: &str, version: &str, enc: &str) -> Result<DataKey, KeyError> {
        let host = http::checked(vault_url)?
            .host_str()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let known = DOMAINS.iter().find(|(domain, _)| host.ends_with(domain));
        let Some((_, scope)) = known.filter(|_| vault_url.starts_with("https://")) else {
            return Err(KeyError::lasting(format!(
                "'{vault_url}' is no Azure Key Vault: no token is sent to it"
            )));
        };
        let is_odd = |part: &str| {
            !part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if name.is_empty() || is_odd(name) || is_odd(version) {
            return Err(KeyError::lasting(format!(
                "'{name}' and '{version}' are no name and version of a key"
            )));
        }
        let token = self.token(scope).await?;
        let vault = self.vaults.clone().unwrap_or_else(|| format!("https://{host}"));
        let url = format!("{vault}/keys/{name}/{version}/decrypt?api-version=7.4");
        let request = self.client.post(url).bearer_auth(token.as_str());
        let body = json!({"alg": "RSA-OAEP-256", "value": enc});
        let answer = http::send(http::json(request, &body), "Azure Key Vault").await?;
        let odd = || {
            KeyError::lasting(
                "failed to decrypt sops data key with Azure Key Vault key: no value in the answer",
            )
        };
        let text = answer.get("value").and_then(Value::as_str).ok_or_else(odd)?;
        URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map(Zeroizing::new)
            .map_err(|_| odd())
    }
}

impl KeyService for Azure {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        let MasterKey::Azure {
            vault_url,
            name,
            version,
            enc,
        } = key
        else {
            return None;
        };
        Some(self.open(vault_url, name, version, enc).boxed())
    }
}

/// PowerShell writes files in UTF-16 with a mark.
fn utf8(bytes: &[u8]) -> Result<Zeroizing<String>, String> {
    let wide = |swap: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .skip(1)
            .filter_map(|pair| Some(swap(pair.try_into().ok()?)))
            .collect();
        String::from_utf16(&units).ok()
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        plain => std::str::from_utf8(plain).ok().map(str::to_owned),
    };
    text.map(Zeroizing::new)
        .ok_or_else(|| "the azure config is no text".to_owned())
}
