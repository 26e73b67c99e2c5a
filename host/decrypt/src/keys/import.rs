//! Keys as Flux's Secrets name them (compat/kustomize.md 9.1).

use super::aws::{Aws, Credentials};
use super::azure::Azure;
use super::gcp::Gcp;
use super::vault::{NoLogin, Vault};
use super::{AgeIdentities, Keyring, PgpKeys, ServiceAccountTokens, VaultLogins, http};
use crate::KeyError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Which keys of a Secret count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All that are known.
    All,
    /// age identities only: the Secret of `--sops-age-secret`.
    AgeOnly,
}

impl Keyring {
    /// Takes the keys out of a Secret's data. Other entries do not count.
    ///
    /// # Errors
    /// An entry cannot be used: its name, and why. Never with its value.
    pub fn import(
        &mut self,
        data: &BTreeMap<String, Zeroizing<Vec<u8>>>,
        allowed: Allowed,
    ) -> Result<(), (String, String)> {
        let (mut age, mut pgp) = (AgeIdentities::default(), PgpKeys::default());
        for (name, value) in data {
            let text = || std::str::from_utf8(value).map_err(|_| "the value is no text".to_owned());
            let is_all = allowed == Allowed::All;
            let end = name.rsplit_once('.').map(|(_, end)| end);
            let taken = match (end, name.as_str()) {
                (Some("agekey"), _) => text().and_then(|text| age.import(text)),
                (Some("asc"), _) if is_all => pgp.import(value),
                (_, "sops.vault-token") if is_all => text().and_then(|token| {
                    self.add(Vault::with_token(http::client()?, token.trim()));
                    Ok(())
                }),
                (_, "sops.aws-kms") if is_all => text().and_then(|text| {
                    self.add(Aws::new(http::client()?, Credentials::parse(text)?));
                    Ok(())
                }),
                (_, "sops.azure-kv") if is_all => http::client().and_then(|client| {
                    self.add(Azure::new(client, value)?);
                    Ok(())
                }),
                (_, "sops.gcp-kms") if is_all => http::client().and_then(|client| {
                    self.add(Gcp::new(client, value)?);
                    Ok(())
                }),
                _ => Ok(()),
            };
            taken.map_err(|cause| (name.clone(), cause))?;
        }
        if !age.is_empty() {
            self.add(age);
        }
        if !pgp.is_empty() {
            self.add(pgp);
        }
        Ok(())
    }

    /// Lets Vault be asked with tokens of a service account. A token of the Secret comes before.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn log_in_to_vault(
        &mut self,
        logins: VaultLogins,
        accounts: Arc<dyn ServiceAccountTokens>,
    ) -> Result<(), String> {
        self.add(Vault::with_login(http::client()?, logins, accounts));
        Ok(())
    }

    /// Vault cannot be logged in to: who has a file with a key of it is told why. A token of the Secret comes before.
    pub fn has_no_vault_logins(&mut self, why: KeyError) {
        self.add(NoLogin(why));
    }
}

/// A small YAML text as JSON: credentials have a few fields. The error says nothing: it could quote.
pub(super) fn yaml(text: &str) -> Result<Value, ()> {
    use sluice_yaml::{Limits, ParseOptions, Resolver, parse_document, to_json};
    let options = ParseOptions {
        limits: Limits {
            nodes: 1000,
            alias_bytes: 64 << 10,
            ..Limits::default()
        },
        ..ParseOptions::new(Resolver::V2)
    };
    let document = parse_document(text, &options).map_err(|_| ())?;
    let root = document.ok_or(())?.root;
    to_json(&root, Resolver::V2).map_err(|_| ())
}
