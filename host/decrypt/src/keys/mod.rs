//! Where data keys come from: identities in memory, and services that keep their keys to themselves.

mod age;
mod age_file;
mod aws;
mod azure;
mod gcp;
mod http;
mod import;
mod jwt;
mod pgp;
mod vault;

#[cfg(test)]
mod tests;

pub use self::age::AgeIdentities;
pub use self::http::REQUEST_TIMEOUT;
pub use self::import::Allowed;
pub use self::pgp::PgpKeys;
pub use self::vault::{ServiceAccountTokens, VaultLogins};

use crate::KeyError;
use crate::sops::{DataKey, MasterKey, Metadata, combine};
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// One way to get data keys.
pub trait KeyService: Send + Sync {
    /// Decrypts the data key, or the part of it, that `key` was given; none where the key is not of this service's kind.
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>>;
}

/// The keys of one reconcile. A data key that was found is not asked for again.
#[derive(Default)]
pub struct Keyring {
    services: Vec<Box<dyn KeyService>>,
    found: Mutex<HashMap<String, DataKey>>,
}

impl Keyring {
    /// Without any key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a way to get data keys.
    pub fn add(&mut self, service: impl KeyService + 'static) {
        self.services.push(Box::new(service));
    }

    /// The data key of a file.
    ///
    /// # Errors
    /// No key at hand decrypts it, or too few of its parts. The text is that of SOPS.
    pub async fn data_key(&self, metadata: &Metadata) -> Result<DataKey, KeyError> {
        let mut parts = Vec::new();
        let mut results = Vec::new();
        for group in &metadata.groups {
            match self.group(group).await {
                Ok(part) => {
                    parts.push(part);
                    results.push(Ok(()));
                }
                Err(errors) => results.push(Err(errors)),
            }
        }
        if metadata.groups.len() <= 1 {
            return parts.pop().ok_or_else(|| unsuccessful(&results, 0));
        }
        // a file that lost its threshold opens with the parts that there are, if they are enough
        let threshold = metadata.threshold.max(2);
        if parts.len() < threshold {
            return Err(unsuccessful(&results, threshold));
        }
        combine(&parts)
            .map_err(|cause| KeyError::lasting(format!("could not get data key from shamir parts: {cause}")))
    }

    async fn group(&self, group: &[MasterKey]) -> Result<DataKey, Vec<(String, KeyError)>> {
        let mut errors = Vec::new();
        for key in group {
            match self.decrypt(key).await {
                Ok(part) => return Ok(part),
                Err(error) => errors.push((key.to_string(), error)),
            }
        }
        Err(errors)
    }

    async fn decrypt(&self, key: &MasterKey) -> Result<DataKey, KeyError> {
        let known = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key.enc())
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        // unlocking computes, and many keys take long together: whoever waits may lose patience between two
        tokio::task::yield_now().await;
        let mut asked = self.services.iter().filter_map(|service| service.decrypt(key));
        let Some(answer) = asked.next() else {
            return Err(KeyError::lasting(unserved(key)));
        };
        let part = answer.await?;
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.enc().to_owned(), part.clone());
        Ok(part)
    }
}

fn unserved(key: &MasterKey) -> String {
    let (what, remedy) = match key {
        MasterKey::Age { .. } => ("age identity", "*.agekey"),
        MasterKey::Pgp { .. } => ("PGP private key", "*.asc"),
        MasterKey::Aws { .. } => ("AWS credentials", "sops.aws-kms"),
        MasterKey::Gcp { .. } => ("Google credentials", "sops.gcp-kms"),
        MasterKey::Azure { .. } => ("Azure credentials", "sops.azure-kv"),
        MasterKey::Vault { .. } => ("Vault token", "sops.vault-token"),
        MasterKey::Unknown { service, .. } => return format!("{service} is not supported"),
    };
    format!("no {what}: add one as {remedy} to the Secret that spec.decryption.secretRef names")
}

/// The report of SOPS: every group, every key, why.
fn unsuccessful(groups: &[Result<(), Vec<(String, KeyError)>>], threshold: usize) -> KeyError {
    let mut text = "Failed to get the data key required to decrypt the SOPS file.".to_owned();
    let mut is_transient = false;
    for (index, group) in groups.iter().enumerate() {
        let Err(errors) = group else {
            text.push_str(&format!("\n\nGroup {index}: SUCCESS"));
            continue;
        };
        text.push_str(&format!("\n\nGroup {index}: FAILED"));
        for (key, error) in errors {
            is_transient |= error.is_transient;
            text.push_str(&format!("\n  {key}: FAILED\n    - | {}", error.message));
        }
    }
    text.push_str(&match threshold {
        0 => "\n\nRecovery failed because no master key was able to decrypt the file. In\norder for SOPS to recover the \
              file, at least one key has to be successful,\nbut none were."
            .to_owned(),
        threshold => {
            let successful = groups.iter().filter(|group| group.is_ok()).count();
            format!(
                "\n\nRecovery failed because the file was encrypted with a Shamir threshold of {threshold}, but only \
                 {successful} part(s) were successfully recovered, one for each successful key group."
            )
        }
    });
    KeyError {
        message: text,
        is_transient,
    }
}
