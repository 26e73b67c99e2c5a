//! Credentials as Secrets hold them (compat/source.md sections 5.3 and 11).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;

/// The decoded `data` of a Secret.
pub type SecretData = BTreeMap<String, Vec<u8>>;

/// Who we are to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// User and password; the password may be empty.
    Basic {
        /// The user.
        username: String,
        /// The password or token.
        password: Redacted<String>,
    },
    /// A token.
    Bearer(Redacted<String>),
    /// A token that the server changes into another one, short-lived, before it can be used (OAuth 2's refresh token).
    Refresh(Redacted<String>),
}

/// Whom we trust and how we identify ourselves on the TLS layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM of authorities to trust besides the system's.
    pub ca: Option<Vec<u8>>,
    /// PEM of our certificate and its key.
    pub identity: Option<(Vec<u8>, Redacted<Vec<u8>>)>,
}

/// The proxy to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// `http://`, `https://` or `socks5://` URL.
    pub address: String,
    /// User and password.
    pub credentials: Option<(String, Redacted<String>)>,
}

/// What is wrong with a Secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Only half of a pair is there.
    #[error("invalid '{scheme}' auth option: 'password' requires 'username' to be set")]
    PasswordWithoutUser {
        /// `http` or `https`.
        scheme: String,
    },
    /// Two identities at once.
    #[error("basic auth and bearer token cannot be set at the same time")]
    TwoIdentities,
    /// Something that SSH needs is not there.
    #[error("invalid 'ssh' auth option: '{0}' is required")]
    MissingSsh(&'static str),
    /// A private key is encrypted, and nothing says with what.
    #[error("SSH identity key is encrypted but no 'password' field was provided")]
    EncryptedSsh,
    /// A value that must be text is not.
    #[error("the value of '{0}' is not text")]
    NotText(&'static str),
    /// Half of a client certificate.
    #[error("secret '{secret}' contains '{present}' but missing '{missing}'")]
    HalfIdentity {
        /// `namespace/name`.
        secret: String,
        /// The key that is there.
        present: &'static str,
        /// The key that is not.
        missing: &'static str,
    },
    /// A Secret of certificates that holds none.
    #[error("secret '{0}' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'")]
    NoCertificates(String),
    /// A proxy Secret without an address.
    #[error("secret '{0}': key 'address' not found")]
    NoProxyAddress(String),
    /// A proxy address that cannot be used.
    #[error(
        "invalid proxy secret '{0}': 'address' is not an http, https or socks5 URL of at most 2048 characters"
    )]
    BadProxyAddress(String),
}

impl Credentials {
    /// Equal for equal credentials; nothing can be read from it.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        match self {
            Credentials::None => part(b"none"),
            Credentials::Basic { username, password } => {
                part(b"basic");
                part(username.as_bytes());
                part(password.reveal().as_bytes());
            }
            Credentials::Bearer(token) => {
                part(b"bearer");
                part(token.reveal().as_bytes());
            }
            Credentials::Refresh(token) => {
                part(b"refresh");
                part(token.reveal().as_bytes());
            }
        }
        hash.finalize().into()
    }

    /// Reads the Secret of a Git source for a URL of the given scheme.
    ///
    /// A `bearerToken` hides user and password, as it does in Flux.
    pub fn from_secret(data: &SecretData, scheme: &str) -> Result<Credentials, CredentialsError> {
        if data.contains_key("bearerToken") {
            let token = text(data, "bearerToken")?.unwrap_or_default();
            return Ok(Credentials::Bearer(Redacted::new(token)));
        }
        let username = text(data, "username")?.filter(|username| !username.is_empty());
        let password = text(data, "password")?.filter(|password| !password.is_empty());
        match (username, password) {
            (None, None) => Ok(Credentials::None),
            (None, Some(_)) => Err(CredentialsError::PasswordWithoutUser {
                scheme: scheme.to_owned(),
            }),
            (Some(username), password) => Ok(Credentials::Basic {
                username,
                password: Redacted::new(password.unwrap_or_default()),
            }),
        }
    }
}

impl Tls {
    /// Reads the TLS keys of a Git source's Secret: the client certificate only where both halves are there.
    pub fn from_git_secret(data: &SecretData) -> Tls {
        let value = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
        let identity = value("tls.crt").zip(value("tls.key").map(Redacted::new));
        Tls {
            ca: value("ca.crt").or_else(|| value("caFile")),
            identity,
        }
    }
}

impl Tls {
    /// Reads a Secret of certificates, as `certSecretRef` names it; `secret` is its `namespace/name` (compat/source.md 11.1).
    pub fn from_secret(data: &SecretData, secret: &str) -> Result<Tls, CredentialsError> {
        let value = |key: &str, older: &str| {
            let given = |key: &str| data.get(key).filter(|value| !value.is_empty()).cloned();
            given(key).or_else(|| given(older))
        };
        let half = |present, missing| CredentialsError::HalfIdentity {
            secret: secret.to_owned(),
            present,
            missing,
        };
        let ca = value("ca.crt", "caFile");
        let identity = match (value("tls.crt", "certFile"), value("tls.key", "keyFile")) {
            (Some(certificate), Some(key)) => Some((certificate, Redacted::new(key))),
            (Some(_), None) => return Err(half("tls.crt", "tls.key")),
            (None, Some(_)) => return Err(half("tls.key", "tls.crt")),
            (None, None) if ca.is_none() => return Err(CredentialsError::NoCertificates(secret.to_owned())),
            (None, None) => None,
        };
        Ok(Tls { ca, identity })
    }
}

impl Proxy {
    /// Reads a proxy Secret; `secret` is its `namespace/name`. A password without a user is ignored.
    pub fn from_secret(data: &SecretData, secret: &str) -> Result<Proxy, CredentialsError> {
        let missing = || CredentialsError::NoProxyAddress(secret.to_owned());
        let address = text(data, "address")?
            .filter(|address| !address.is_empty())
            .ok_or_else(missing)?;
        let is_known = ["http://", "https://", "socks5://"]
            .iter()
            .any(|scheme| address.starts_with(scheme));
        if !is_known || address.len() > 2048 {
            return Err(CredentialsError::BadProxyAddress(secret.to_owned()));
        }
        let password = text(data, "password")?.unwrap_or_default();
        let username = text(data, "username")?.filter(|username| !username.is_empty());
        Ok(Proxy {
            address,
            credentials: username.map(|username| (username, Redacted::new(password))),
        })
    }
}

pub(super) fn text(data: &SecretData, key: &'static str) -> Result<Option<String>, CredentialsError> {
    let value = data.get(key).map(|value| String::from_utf8(value.clone()));
    value.transpose().map_err(|_| CredentialsError::NotText(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(keys: &[(&str, &str)]) -> SecretData {
        keys.iter()
            .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn secrets_are_read_as_flux_reads_them() {
        let shown = |keys: &[(&str, &str)]| match Credentials::from_secret(&secret(keys), "https") {
            Ok(Credentials::None) => "none".to_owned(),
            Ok(Credentials::Basic { username, password }) => format!("{username}:{}", password.reveal()),
            Ok(Credentials::Bearer(token)) => format!("bearer {}", token.reveal()),
            Ok(Credentials::Refresh(_)) => "refresh".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown(&[]), "none");
        assert_eq!(shown(&[("username", "git"), ("password", "s")]), "git:s");
        assert_eq!(shown(&[("username", "git")]), "git:");
        assert_eq!(
            shown(&[("password", "s")]),
            "invalid 'https' auth option: 'password' requires 'username' to be set"
        );
        assert_eq!(shown(&[("bearerToken", "t"), ("username", "git")]), "bearer t");
        let tls = Tls::from_git_secret(&secret(&[
            ("caFile", "old"),
            ("ca.crt", "new"),
            ("tls.crt", "half"),
        ]));
        assert_eq!((tls.ca, tls.identity), (Some(b"new".to_vec()), None));
        let proxy = Proxy::from_secret(&secret(&[("address", "ftp://x")]), "a/b").unwrap_err();
        assert!(proxy.to_string().contains("secret 'a/b'"), "{proxy}");
        let debug = format!("{:?}", Credentials::Bearer(Redacted::new("token".to_owned())));
        assert!(!debug.contains("token"), "{debug}");
    }
}
