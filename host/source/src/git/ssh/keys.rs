//! Key pairs and host keys, for a Secret that is made and not read.

use std::{
    net::Ipv6Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use russh::{
    client,
    keys::{
        Algorithm, EcdsaCurve, PrivateKey, PublicKey, PublicKeyOrCertificate,
        key::safe_rng,
        ssh_key::{LineEnding, private::RsaKeypair},
    },
};

use super::{Error, SshPlace, dial::dial, identity::private_key};
use crate::{SshIdentity, http::Addresses};
use sluice_event::Redacted;

/// How long a server may take to say its key, as in Flux.
const SCAN_TIMEOUT: Duration = Duration::from_secs(30);

/// What kind of key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshKeyKind {
    /// RSA, of so many bits.
    Rsa(usize),
    /// ECDSA on the curve P-256.
    EcdsaP256,
    /// ECDSA on the curve P-384.
    EcdsaP384,
    /// ECDSA on the curve P-521.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
}

/// A private key with its public one.
#[derive(Clone, Debug)]
pub struct SshKeyPair {
    /// A file of OpenSSH's.
    pub private: Redacted<String>,
    /// A line of `authorized_keys`.
    pub public: String,
}

impl SshKeyPair {
    /// Makes a new one. It takes a while for RSA.
    ///
    /// # Errors
    /// Where the library makes none; why.
    pub fn generate(kind: SshKeyKind) -> Result<SshKeyPair, String> {
        let ecdsa = |curve| PrivateKey::random(&mut safe_rng(), Algorithm::Ecdsa { curve });
        let made = match kind {
            SshKeyKind::Rsa(bits) => RsaKeypair::random(&mut safe_rng(), bits).map(PrivateKey::from),
            SshKeyKind::EcdsaP256 => ecdsa(EcdsaCurve::NistP256),
            SshKeyKind::EcdsaP384 => ecdsa(EcdsaCurve::NistP384),
            SshKeyKind::EcdsaP521 => ecdsa(EcdsaCurve::NistP521),
            SshKeyKind::Ed25519 => PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519),
        };
        let made = made.map_err(|error| error.to_string())?;
        let private = made
            .to_openssh(LineEnding::LF)
            .map_err(|error| error.to_string())?;
        Ok(SshKeyPair {
            private: Redacted::new(private.to_string()),
            public: line(made.public_key())?,
        })
    }

    /// The pair of a private key that is there, as it is written.
    ///
    /// # Errors
    /// Where it cannot be read; why, without its content.
    pub fn of(private: String, passphrase: Option<&str>) -> Result<SshKeyPair, String> {
        let identity = SshIdentity {
            key: Redacted::new(private),
            passphrase: passphrase.map(|passphrase| Redacted::new(passphrase.to_owned())),
            known_hosts: String::new(),
        };
        let public = line(private_key(&identity)?.public_key())?;
        Ok(SshKeyPair {
            private: identity.key,
            public,
        })
    }
}

/// A key as a line of `authorized_keys`, without a comment.
fn line(key: &PublicKey) -> Result<String, String> {
    let bare = PublicKey::new(key.key_data().clone(), "");
    let text = bare.to_openssh().map_err(|error| error.to_string())?;
    Ok(format!("{}\n", text.trim_end()))
}

/// Asks a server for its key: a line of `known_hosts`. Nobody says that it is the server that was meant.
///
/// # Errors
/// Where there is no connection, or no key is said on it; why.
pub async fn scan_host_key(host: &str, port: u16) -> Result<String, String> {
    let place = SshPlace {
        host: host.to_owned(),
        port,
        user: String::new(),
        path: String::new(),
    };
    // whoever runs the command may ask where they like
    let scanned = tokio::time::timeout(SCAN_TIMEOUT, Box::pin(offered(&place, &Addresses::any()))).await;
    let key = scanned.map_err(|_| "it takes too long".to_owned())??;
    Ok(format!("{} {}", known_as(host, port), line(&key)?.trim_end()))
}

/// A host as `known_hosts` has it.
fn known_as(host: &str, port: u16) -> String {
    match port {
        22 if host.parse::<Ipv6Addr>().is_err() => host.to_owned(),
        22 => format!("[{host}]"),
        port => format!("[{host}]:{port}"),
    }
}

/// Takes the key, and goes no further.
struct Scan(Arc<Mutex<Option<PublicKey>>>);

impl client::Handler for Scan {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = PublicKey::new(offered.public_key().key_data().clone(), "");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(false)
    }
}

async fn offered(place: &SshPlace, addresses: &Addresses) -> Result<PublicKey, String> {
    let socket = dial(place, None, addresses).await.map_err(|error| match error {
        Error::Transport(text) | Error::Identity(text) => text,
        _ => "connecting takes too long".to_owned(),
    })?;
    let found = Arc::<Mutex<Option<PublicKey>>>::default();
    let config = Arc::new(client::Config::default());
    let connected = client::connect_stream(config, socket, Scan(Arc::clone(&found))).await;
    let key = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    key.ok_or_else(|| match connected {
        Ok(_) => "the server said no key".to_owned(),
        Err(error) => crate::http::innermost(&error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_read() {
        for (kind, name) in [
            (SshKeyKind::EcdsaP256, "ecdsa-sha2-nistp256"),
            (SshKeyKind::EcdsaP384, "ecdsa-sha2-nistp384"),
            (SshKeyKind::EcdsaP521, "ecdsa-sha2-nistp521"),
            (SshKeyKind::Ed25519, "ssh-ed25519"),
        ] {
            let made = SshKeyPair::generate(kind).unwrap();
            assert!(
                made.public.starts_with(&format!("{name} AAAA")),
                "{}",
                made.public
            );
            let read = SshKeyPair::of(made.private.reveal().clone(), None).unwrap();
            assert_eq!(read.public, made.public);
            assert_eq!(read.private.reveal(), made.private.reveal());
        }
        assert!(SshKeyPair::of("hunter2".to_owned(), None).is_err());
    }

    #[test]
    fn hosts_are_named_as_in_known_hosts() {
        for (host, port, expected) in [
            ("github.com", 22, "github.com"),
            ("github.com", 2222, "[github.com]:2222"),
            ("::1", 2222, "[::1]:2222"),
        ] {
            assert_eq!(known_as(host, port), expected);
        }
    }
}
