//! OpenPGP keys of a Secret, in memory: no `gpg` is started and nothing is written down (compat/kustomize.md 9.1).

use super::KeyService;
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use futures::FutureExt;
use futures::future::BoxFuture;
use pgp::composed::{Deserializable as _, Message, SignedSecretKey};
use std::io::{Cursor, Read as _};
use zeroize::Zeroizing;

/// Most bytes of a decrypted message that are read: a data key has 32, a part of one some more.
const DATA_KEY_SIZE_MAX: u64 = 4096;

/// Longest message of a data key: one recipient takes a few kilobytes at most, and each that is named is tried.
const MESSAGE_SIZE_MAX: usize = 16 << 10;

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
        if enc.len() > MESSAGE_SIZE_MAX {
            return Err(format!(
                "it has more than {MESSAGE_SIZE_MAX} bytes (message_size_max): encrypt the file again with sops, which makes one such message for each recipient"
            ));
        }
        let (message, _) = Message::from_string(enc).map_err(said)?;
        // no passphrase is tried, the empty one neither: how much work and memory one attempt takes says the key
        let mut message = message
            .decrypt_with_keys(Vec::new(), self.0.iter().collect())
            .map_err(said)?;
        if message.is_compressed() {
            message = message.decompress().map_err(said)?;
        }
        let mut key = Zeroizing::new(Vec::new());
        let read = message.take(DATA_KEY_SIZE_MAX + 1).read_to_end(&mut key);
        read.map_err(|error| error.to_string())?;
        match key.len() as u64 > DATA_KEY_SIZE_MAX {
            true => Err(format!(
                "it holds more than {DATA_KEY_SIZE_MAX} bytes (data_key_size_max): encrypt the file again with sops"
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

#[cfg(test)]
mod tests {
    use super::*;
    use pgp::crypto::hash::HashAlgorithm;
    use pgp::crypto::sym::SymmetricKeyAlgorithm;
    use pgp::types::{Password, S2kParams, StringToKey};

    const MESSAGE: &str = include_str!("../../tests/keys/pgp-curve.message");

    fn keys() -> PgpKeys {
        let mut keys = PgpKeys::default();
        let armor = include_bytes!("../../tests/keys/pgp-curve.asc");
        keys.import(armor).unwrap();
        keys
    }

    #[test]
    fn a_key_with_a_passphrase_is_not_tried_whatever_that_would_cost() {
        let mut keys = keys();
        assert!(keys.open(MESSAGE).is_ok());
        for key in &mut keys.0 {
            for subkey in &mut key.secret_subkeys {
                let locked = S2kParams::Cfb {
                    sym_alg: SymmetricKeyAlgorithm::AES256,
                    s2k: StringToKey::Salted {
                        hash_alg: HashAlgorithm::Sha256,
                        salt: [7; 8],
                    },
                    iv: vec![0; 16].into(),
                };
                // the empty one would open it
                let done = subkey.key.set_password_with_s2k(&Password::empty(), locked);
                done.unwrap();
            }
        }
        assert!(keys.open(MESSAGE).is_err());
    }

    #[test]
    fn a_message_that_is_no_data_keys_is_not_read() {
        let long = MESSAGE.to_owned() + &"\n".repeat(MESSAGE_SIZE_MAX);
        let refusal = keys().open(&long).unwrap_err();
        assert_eq!(
            refusal,
            "it has more than 16384 bytes (message_size_max): encrypt the file again with sops, which makes one such message for each recipient"
        );
    }
}
