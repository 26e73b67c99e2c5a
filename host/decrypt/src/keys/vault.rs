//! The transit engine of HashiCorp Vault and OpenBao: with a token, or logging in with a service account's token.

use super::{KeyService, http};
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Where tokens of the decrypting service account come from.
pub trait ServiceAccountTokens: Send + Sync {
    /// A token for this audience.
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Zeroizing<String>, KeyError>>;
}

/// The servers that may be logged in to, each with its login path: what `--sops-vault-configmap` names. It is an allowlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VaultLogins {
    /// `namespace/name` of the ConfigMap.
    pub config_map: String,
    /// Address to login path, `auth/kubernetes/login`.
    pub paths: BTreeMap<String, String>,
}

impl VaultLogins {
    /// Reads the text under `config.yaml`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn parse(config_map: &str, text: &str) -> Result<Self, String> {
        let failed = |cause: &dyn std::fmt::Display| {
            format!("failed to parse 'config.yaml' in Vault ConfigMap '{config_map}': {cause}")
        };
        let document =
            sluice_yaml::parse_document(text, &sluice_yaml::ParseOptions::new(sluice_yaml::Resolver::V2));
        let document = document.map_err(|error| failed(&error))?;
        let mut paths = BTreeMap::new();
        let instances = document
            .as_ref()
            .and_then(|document| document.root.get("instances"));
        for instance in instances.map_or(&[][..], |list| list.items()) {
            let text = |key: &str| {
                instance
                    .get(key)
                    .and_then(|node| node.text())
                    .unwrap_or_default()
                    .to_owned()
            };
            paths.insert(text("address"), text("loginPath"));
        }
        Ok(Self {
            config_map: config_map.to_owned(),
            paths,
        })
    }
}

enum Access {
    Token(Zeroizing<String>),
    Login {
        logins: VaultLogins,
        accounts: Arc<dyn ServiceAccountTokens>,
        /// Tokens by address, for this reconcile.
        tokens: Mutex<HashMap<String, Zeroizing<String>>>,
    },
}

/// Asks Vault.
pub(crate) struct Vault {
    client: Client,
    access: Access,
}

impl Vault {
    pub(super) fn with_token(client: Client, token: &str) -> Self {
        Self {
            client,
            access: Access::Token(Zeroizing::new(token.to_owned())),
        }
    }

    pub(super) fn with_login(
        client: Client,
        logins: VaultLogins,
        accounts: Arc<dyn ServiceAccountTokens>,
    ) -> Self {
        let tokens = Mutex::default();
        Self {
            client,
            access: Access::Login {
                logins,
                accounts,
                tokens,
            },
        }
    }

    async fn open(&self, address: &str, engine: &str, name: &str, enc: &str) -> Result<DataKey, KeyError> {
        let base = http::checked(address)?;
        let token = match &self.access {
            Access::Token(token) => token.clone(),
            Access::Login {
                logins,
                accounts,
                tokens,
            } => {
                let mut tokens = tokens.lock().await;
                match tokens.get(address) {
                    Some(token) => token.clone(),
                    None => {
                        let token = self.login(address, &base, logins, &**accounts).await?;
                        tokens.insert(address.to_owned(), token.clone());
                        token
                    }
                }
            }
        };
        let url = api(&base, &format!("{engine}/decrypt/{name}"))?;
        let request = self.client.put(url).header("X-Vault-Token", token.as_str());
        let answer = http::send(
            http::json(request, &json!({"ciphertext": enc})),
            &format!("Vault '{address}'"),
        )
        .await?;
        let odd = || {
            KeyError::lasting(format!(
                "failed to decrypt sops data key: Vault '{address}' answered no plaintext"
            ))
        };
        let text = answer
            .pointer("/data/plaintext")
            .and_then(Value::as_str)
            .ok_or_else(odd)?;
        STANDARD.decode(text).map(Zeroizing::new).map_err(|_| odd())
    }

    async fn login(
        &self,
        address: &str,
        base: &Url,
        logins: &VaultLogins,
        accounts: &dyn ServiceAccountTokens,
    ) -> Result<Zeroizing<String>, KeyError> {
        let Some(path) = logins.paths.get(address).filter(|path| !path.is_empty()) else {
            return Err(KeyError::lasting(format!(
                "no Vault login path configured for address '{address}' in ConfigMap '{}'",
                logins.config_map
            )));
        };
        let jwt = accounts.token(address).await?;
        let role = role(&jwt).ok_or_else(|| {
            KeyError::lasting("failed to derive Vault role for authentication: unexpected token subject")
        })?;
        let who = format!(
            "failed to authenticate with Vault '{address}' at login path '{path}' as role '{role}': it"
        );
        let request = http::json(
            self.client.put(api(base, path)?),
            &json!({"role": role, "jwt": jwt.as_str()}),
        );
        let answer = http::send(request, &who).await?;
        let token = answer
            .pointer("/auth/client_token")
            .and_then(Value::as_str)
            .filter(|token| !token.is_empty());
        token
            .map(|token| Zeroizing::new(token.to_owned()))
            .ok_or_else(|| {
                KeyError::lasting(format!(
                    "Vault '{address}' returned no token for login at '{path}' as role '{role}'"
                ))
            })
    }
}

/// `namespace_name` of the account whose token it is.
fn role(jwt: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let (namespace, name) = claims
        .get("sub")?
        .as_str()?
        .strip_prefix("system:serviceaccount:")?
        .split_once(':')?;
    (!namespace.is_empty() && !name.is_empty()).then(|| format!("{namespace}_{name}"))
}

fn api(base: &Url, path: &str) -> Result<Url, KeyError> {
    let mut url = base.clone();
    let is_odd = path.split('/').any(|part| matches!(part, "." | ".."));
    if is_odd {
        return Err(KeyError::lasting(format!("the Vault path '{path}' is refused")));
    }
    let mount = format!(
        "{}/v1/{}",
        base.path().trim_end_matches('/'),
        path.trim_matches('/')
    );
    url.set_path(&mount);
    url.set_query(None);
    Ok(url)
}

impl KeyService for Vault {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        let MasterKey::Vault {
            address,
            engine,
            name,
            enc,
        } = key
        else {
            return None;
        };
        Some(self.open(address, engine, name, enc).boxed())
    }
}

/// In the place of a Vault that can be logged in to: says why none can be.
pub(super) struct NoLogin(pub(super) KeyError);

impl KeyService for NoLogin {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        if !matches!(key, MasterKey::Vault { .. }) {
            return None;
        }
        let refusal: Result<DataKey, KeyError> = Err(self.0.clone());
        Some(std::future::ready(refusal).boxed())
    }
}
