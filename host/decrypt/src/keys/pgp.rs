//! OpenPGP keys of a Secret, in memory: no `gpg` is started and nothing is written down (compat/kustomize.md 9.1).

use super::KeyService;
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use futures::FutureExt;
use futures::future::BoxFuture;
use pgp::composed::{Deserializable as _, Message, SignedSecretKey};
use pgp::types::Password;
use std::io::{Cursor, Read as _};
use zeroize::Zeroizing;

/// Most bytes of a decrypted message that are read: a data key has 32, a part of one some more.
const DATA_KEY_SIZE_MAX: u64 = 4096;

/// Private keys that data keys may be encrypted to. They have no passphrase: nobody is there to be asked for it.
#[derive(Default)]
pub struct PgpKeys(Vec<SignedSecretKey>);

impl PgpKeys {
    /// Reads a block of private keys in armor.
    ///
    /// # Errors
    /// What is wrong, never with a key.
    pub fn import(&mut self, armor: &[u8]) -> Result<(), String> {
        let unreadable = |_| "the value is no block of PGP private keys in armor".to_owned();
        let (keys, _) =
            SignedSecretKey::from_armor_many(Cursor::new(armor.trim_ascii())).map_err(unreadable)?;
        let before = self.0.len();
        for key in keys {
            self.0.push(key.map_err(unreadable)?);
        }
        match self.0.len() > before {
            true => Ok(()),
            false => Err("the value holds no PGP private key".to_owned()),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn open(&self, enc: &str) -> Result<DataKey, String> {
        let said = |error: pgp::errors::Error| error.to_string();
        let (message, _) = Message::from_string(enc).map_err(said)?;
        let (nothing, keys) = (Password::empty(), self.0.iter().collect());
        let mut message = message.decrypt_with_keys(vec![&nothing], keys).map_err(said)?;
        if message.is_compressed() {
            message = message.decompress().map_err(said)?;
        }
        let mut key = Zeroizing::new(Vec::new());
        let read = message.take(DATA_KEY_SIZE_MAX + 1).read_to_end(&mut key);
        read.map_err(|error| error.to_string())?;
        match key.len() as u64 > DATA_KEY_SIZE_MAX {
            true => Err(format!(
                "it holds more than {DATA_KEY_SIZE_MAX} bytes (data_key_size_max)"
            )),
            false => Ok(key),
        }
    }
}

impl KeyService for PgpKeys {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        let MasterKey::Pgp { fingerprint, enc } = key else {
            return None;
        };
        let failed = move |cause| {
            KeyError::lasting(format!(
                "could not decrypt data key with PGP key {fingerprint}: {cause}"
            ))
        };
        Some(async move { self.open(enc).map_err(failed) }.boxed())
    }
}
