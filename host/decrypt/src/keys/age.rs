//! age with X25519 identities. Plugins are programs, and programs are not started.

use super::{KeyService, age_file};
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use futures::FutureExt;
use futures::future::BoxFuture;
use zeroize::Zeroizing;

/// A scalar of X25519, wiped when dropped.
pub(super) type Identity = Zeroizing<[u8; 32]>;

/// Identities that data keys may be encrypted to.
#[derive(Default)]
pub struct AgeIdentities(Vec<Identity>);

impl AgeIdentities {
    /// Reads identities, one a line; comments and empty lines do not count.
    ///
    /// # Errors
    /// What is wrong, never with a key.
    pub fn import(&mut self, text: &str) -> Result<(), String> {
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let identity = identity(line)
                .map_err(|cause| format!("failed to parse and add to age identities: {cause}"))?;
            self.0.push(identity);
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn open(&self, enc: &str) -> Result<DataKey, KeyError> {
        age_file::open(enc, &self.0).map_err(|cause| {
            KeyError::lasting(format!(
                "failed to create reader for decrypting sops data key with age: {cause}"
            ))
        })
    }
}

impl KeyService for AgeIdentities {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        let MasterKey::Age { enc, .. } = key else {
            return None;
        };
        Some(async move { self.open(enc) }.boxed())
    }
}

fn identity(line: &str) -> Result<Identity, &'static str> {
    if line.starts_with("AGE-SECRET-KEY-PQ-1") {
        return Err("post-quantum identities are not supported: encrypt to an X25519 recipient too");
    }
    if line.starts_with("AGE-PLUGIN-") {
        return Err("age plugins are programs, and none is ever started");
    }
    if line.starts_with("-----BEGIN ") {
        return Err("SSH keys are not supported: use an identity of age-keygen");
    }
    if !line.starts_with("AGE-SECRET-KEY-1") {
        return Err("unknown identity type");
    }
    let (hrp, bytes) = bech32::decode(line).map_err(|error| match error {
        bech32::DecodeError::Checksum(_) => "malformed secret key: invalid checksum",
        _ => "malformed secret key",
    })?;
    let bytes = Zeroizing::new(bytes);
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| "malformed secret key")?;
    if !hrp.as_str().eq_ignore_ascii_case("AGE-SECRET-KEY-") {
        return Err("malformed secret key");
    }
    Ok(Zeroizing::new(bytes))
}
