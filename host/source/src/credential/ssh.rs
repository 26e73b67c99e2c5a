//! Who we are to an SSH server, and who it must be (compat/source.md 5.3).

use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;

use super::{CredentialsError, SecretData, secret::text};

/// What a Secret says for `ssh://` URLs. `identity.pub` is not needed and not looked at, as in Flux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshIdentity {
    /// The private key, in any of OpenSSH's forms.
    pub(crate) key: Redacted<String>,
    /// What the private key is encrypted with.
    pub(crate) passphrase: Option<Redacted<String>>,
    /// Whose server a host name is.
    pub(crate) known_hosts: String,
}

impl SshIdentity {
    /// Reads the Secret of a Git source with an `ssh://` URL.
    ///
    /// # Errors
    /// Where the private key or the known hosts are missing, or a key is encrypted and nothing says with what.
    pub fn from_secret(data: &SecretData) -> Result<SshIdentity, CredentialsError> {
        let required = |name: &'static str| {
            let value = text(data, name)?.filter(|value| !value.is_empty());
            value.ok_or(CredentialsError::MissingSsh(name))
        };
        let key = required("identity")?;
        let known_hosts = required("known_hosts")?;
        let passphrase = text(data, "password")?.filter(|password| !password.is_empty());
        if passphrase.is_none() && is_encrypted(&key) {
            return Err(CredentialsError::EncryptedSsh);
        }
        Ok(SshIdentity {
            key: Redacted::new(key),
            passphrase: passphrase.map(Redacted::new),
            known_hosts,
        })
    }

    /// Equal for equal identities; nothing can be read from it.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let passphrase = self
            .passphrase
            .as_ref()
            .map_or("", |passphrase| passphrase.reveal());
        for part in [self.key.reveal(), passphrase, &self.known_hosts] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }
}

/// Whether a private key needs a passphrase, whichever form it has.
pub(crate) fn is_encrypted(key: &str) -> bool {
    let is_openssh = key.contains("-----BEGIN OPENSSH PRIVATE KEY-----");
    match is_openssh {
        true => russh::keys::PrivateKey::from_openssh(key.trim()).is_ok_and(|key| key.is_encrypted()),
        false => {
            key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || key.contains("Proc-Type: 4,ENCRYPTED")
        }
    }
}
