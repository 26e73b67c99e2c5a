//! The keys of `spec.decryption`, and decrypting around a render (compat/kustomize.md 9).

use super::references::{self, Unread};
use crate::error_policy::Failure;
use crate::reconcilers::aside::aside;
use crate::reconcilers::tokens;
use crate::runtime::Run;
use futures::FutureExt;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use sluice_api::{Disposition as _, Kustomization, reason};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_apply::live::{Short, short};
use sluice_decrypt::keys::{Allowed, ServiceAccountTokens, VaultLogins};
use sluice_decrypt::{KeyError, Keyring, Mac};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How a Kustomization's files are decrypted.
pub struct Decryption {
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// Whether MACs count.
    pub mac: Mac,
    /// Changes when the keys do.
    pub(super) digest: Short,
}

/// Bytes of keys that are read where others wait for their turn: a few keys take a millisecond, a Secret may hold thousands.
const IMPORTED_AT_ONCE_MAX: usize = 16 << 10;

/// Reads the keys; none where nothing is to be decrypted.
pub(super) async fn read(run: &Run, ks: &Kustomization) -> Result<Option<Decryption>, Failure> {
    if ks.spec.decryption.is_none() {
        return Ok(None);
    }
    let config = &run.cx.config;
    let mut hash = Sha256::new();
    let mut keyring = match KeySecret::of(run, ks) {
        Some(secret) => import(run, &secret, &mut hash).await?,
        None => Keyring::new(),
    };
    if let Some(name) = &config.sops_vault_config_map {
        match vault(run, ks, name).await {
            Ok((logins, accounts)) => {
                hash.update(format!("{logins:?}"));
                keyring
                    .log_in_to_vault(logins, accounts)
                    .map_err(|why| failed(why, false))?;
            }
            // it is nothing to those whose files have other keys
            Err(why) => {
                hash.update(&why.message);
                keyring.has_no_vault_logins(why);
            }
        }
    }
    let mac = if config.sops_verify_mac {
        Mac::Verified
    } else {
        Mac::Ignored
    };
    Ok(Some(Decryption {
        keyring: Arc::new(keyring),
        mac,
        digest: short(&hash.finalize()),
    }))
}

/// A Secret with keys.
struct KeySecret {
    namespace: String,
    name: String,
    /// Which of its keys count.
    allowed: Allowed,
    /// In whose name it is read.
    identity: Identity,
}

impl KeySecret {
    /// The one that the object names, else the administrator's.
    fn of(run: &Run, ks: &Kustomization) -> Option<Self> {
        let config = &run.cx.config;
        let named = ks.spec.decryption.as_ref()?.secret_ref.as_ref();
        match (named, &config.sops_age_secret) {
            (Some(secret), _) => Some(Self {
                namespace: run.key.namespace.to_string(),
                name: secret.name.clone(),
                allowed: Allowed::All,
                identity: references::reader(run, ks),
            }),
            // the administrator's own Secret is read in the administrator's name
            (None, Some(name)) => Some(Self {
                namespace: config.runtime_namespace.clone(),
                name: name.clone(),
                allowed: Allowed::AgeOnly,
                identity: Identity::AsController,
            }),
            (None, None) => None,
        }
    }

    /// How messages call it.
    fn subject(&self) -> String {
        let what = match self.allowed {
            Allowed::All => "sops decryption Secret",
            Allowed::AgeOnly => "sops SOPS age decryption Secret",
        };
        format!("{what} '{}/{}'", self.namespace, self.name)
    }
}

/// The keys of a Secret. What it holds enters `hash`.
async fn import(run: &Run, secret: &KeySecret, hash: &mut Sha256) -> Result<Keyring, Failure> {
    let subject = secret.subject();
    let values = references::secret(run, &secret.identity, &secret.namespace, &secret.name).await;
    let values = values.map_err(|error| {
        let message = match &error {
            // as in Flux, the API server's text alone
            Unread::Missing(_) => error.to_string(),
            error => format!("cannot get {subject}: {error}"),
        };
        failed(message, error.is_transient())
    })?;
    for (key, value) in &values {
        for part in [key.as_bytes(), value] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    let size: usize = values.values().map(|value| value.len()).sum();
    let allowed = secret.allowed;
    let import = move || {
        let mut keyring = Keyring::new();
        let imported = keyring.import(&values, allowed);
        imported.map(|()| keyring)
    };
    let imported = aside(size > IMPORTED_AT_ONCE_MAX, import).await;
    let imported =
        imported.map_err(|_| failed(format!("the data of {subject} could not be looked at"), true))?;
    imported.map_err(|(key, why)| {
        let message = format!("failed to import '{key}' data from {subject}: {why}");
        failed(message, false)
    })
}

fn failed(message: String, is_transient: bool) -> Failure {
    Failure::retry(reason::BUILD_FAILED, message).back_off_if(is_transient)
}

/// A failure of decrypting, with Flux's words before.
pub(super) fn failure(before: &str, error: &sluice_decrypt::Error) -> Failure {
    Failure {
        next: error.next(),
        ..Failure::retry(error.reason(), format!("{before}: {error}"))
    }
}

async fn vault(
    run: &Run,
    ks: &Kustomization,
    name: &str,
) -> Result<(VaultLogins, Arc<dyn ServiceAccountTokens>), KeyError> {
    let namespace = &run.cx.config.runtime_namespace;
    let subject = format!("{namespace}/{name}");
    let values = references::config_map(run, &Identity::AsController, namespace, name)
        .await
        .map_err(|error| KeyError {
            message: format!("failed to get Vault ConfigMap '{subject}': {error}"),
            is_transient: error.is_transient(),
        })?;
    let Some(text) = values.get("config.yaml") else {
        return Err(KeyError::lasting(format!(
            "Vault ConfigMap '{subject}' is missing the 'config.yaml' key"
        )));
    };
    let logins = VaultLogins::parse(&subject, text).map_err(KeyError::lasting)?;
    let decryption = ks.spec.decryption.as_ref();
    let account = decryption
        .and_then(|decryption| decryption.service_account_name.clone())
        .or_else(|| run.cx.config.default_decryption_service_account.clone());
    let accounts = Accounts {
        cluster: run.cx.cluster.clone(),
        account: account.map(|name| (run.key.namespace.to_string(), name)),
    };
    Ok((logins, Arc::new(accounts)))
}

/// Tokens of the account that decrypts.
struct Accounts {
    cluster: Arc<dyn Cluster>,
    account: Option<(String, String)>,
}

impl ServiceAccountTokens for Accounts {
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Zeroizing<String>, KeyError>> {
        async move {
            let account = self
                .account
                .as_ref()
                .map(|(namespace, name)| (namespace.as_str(), name.as_str()));
            let token = tokens::request(&*self.cluster, account, &[audience.to_owned()]).await;
            token.map(|token| token.text).map_err(|error| KeyError {
                message: format!("failed to issue Kubernetes token for Vault authentication: {error}"),
                is_transient: error.is_transient(),
            })
        }
        .boxed()
    }
}
