//! Credentials as Secrets hold them (compat/source.md sections 5.3 and 11).

use std::collections::BTreeMap;

use reqwest::Url;
use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;

use crate::git::ssh::percent_decode;

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

/// Longest address of a proxy, in bytes, as in Flux.
const PROXY_ADDRESS_MAX: usize = 2048;

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
    /// A proxy Secret whose address is empty.
    #[error("secret '{0}': proxy address is empty")]
    EmptyProxyAddress(String),
    /// A proxy address that is too long.
    #[error(
        "secret '{0}': proxy URL exceeds maximum length of {max} characters",
        max = PROXY_ADDRESS_MAX
    )]
    LongProxyAddress(String),
    /// A proxy that is asked in another way.
    #[error(
        "secret '{secret}': proxy URL must use one of the supported schemes (http, https, socks5), got '{scheme}'"
    )]
    ProxyScheme {
        /// `namespace/name`.
        secret: String,
        /// The way it names.
        scheme: String,
    },
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

    /// Reads the Secret of a Git source for an HTTP URL. What the Secret does not say of user and password, the URL may.
    ///
    /// A `bearerToken` hides user and password, as it does in Flux.
    pub fn from_secret(data: &SecretData, url: &str) -> Result<Credentials, CredentialsError> {
        if data.contains_key("bearerToken") {
            let token = text(data, "bearerToken")?.unwrap_or_default();
            return Ok(Credentials::Bearer(Redacted::new(token)));
        }
        let parsed = Url::parse(url).ok();
        let named = |part: fn(&Url) -> Option<&str>| {
            let part = parsed.as_ref().and_then(part).filter(|part| !part.is_empty());
            part.map(percent_decode)
        };
        let given = |key| {
            let value = text(data, key)?;
            Ok::<_, CredentialsError>(value.filter(|value| !value.is_empty()))
        };
        let username = given("username")?.or_else(|| named(|url| Some(url.username())));
        let password = given("password")?.or_else(|| named(Url::password));
        match (username, password) {
            (None, None) => Ok(Credentials::None),
            (None, Some(_)) => Err(CredentialsError::PasswordWithoutUser {
                scheme: scheme_of(url),
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
            let found = data.get(key).or_else(|| {
                let found = data.get(older)?;
                tracing::error!(
                    secret,
                    key = older,
                    preferred = key,
                    "using legacy key in secret data"
                );
                Some(found)
            });
            found.filter(|value| !value.is_empty()).cloned()
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
        let name = || secret.to_owned();
        let address = text(data, "address")?.ok_or_else(|| CredentialsError::NoProxyAddress(name()))?;
        if address.is_empty() {
            return Err(CredentialsError::EmptyProxyAddress(name()));
        }
        if address.len() > PROXY_ADDRESS_MAX {
            return Err(CredentialsError::LongProxyAddress(name()));
        }
        let scheme = scheme_of(&address);
        if !matches!(&*scheme, "http" | "https" | "socks5") {
            let secret = name();
            return Err(CredentialsError::ProxyScheme { secret, scheme });
        }
        let password = text(data, "password")?.unwrap_or_default();
        let username = text(data, "username")?.filter(|username| !username.is_empty());
        Ok(Proxy {
            address,
            credentials: username.map(|username| (username, Redacted::new(password))),
        })
    }
}

/// The scheme of a URL; empty where it has none.
fn scheme_of(url: &str) -> String {
    let scheme = url.split(':').next().filter(|scheme| *scheme != url);
    let is_first = |first: char| first.is_ascii_alphabetic();
    let is_other = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let scheme = scheme.filter(|scheme| scheme.starts_with(is_first) && scheme.chars().all(is_other));
    scheme.unwrap_or_default().to_ascii_lowercase()
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
        let of_url = |keys: &[(&str, &str)], url: &str| match Credentials::from_secret(&secret(keys), url) {
            Ok(Credentials::None) => "none".to_owned(),
            Ok(Credentials::Basic { username, password }) => format!("{username}:{}", password.reveal()),
            Ok(Credentials::Bearer(token)) => format!("bearer {}", token.reveal()),
            Ok(Credentials::Refresh(_)) => "refresh".to_owned(),
            Err(error) => error.to_string(),
        };
        let shown = |keys: &[(&str, &str)]| of_url(keys, "https://example.com/shop.git");
        assert_eq!(shown(&[]), "none");
        assert_eq!(shown(&[("username", "git"), ("password", "s")]), "git:s");
        assert_eq!(shown(&[("username", "git")]), "git:");
        assert_eq!(
            shown(&[("password", "s")]),
            "invalid 'https' auth option: 'password' requires 'username' to be set"
        );
        assert_eq!(shown(&[("bearerToken", "t"), ("username", "git")]), "bearer t");
        // what the Secret does not say, the URL may
        let named = "https://me%40shop:s%2F1@example.com/shop.git";
        assert_eq!(of_url(&[("password", "p")], named), "me@shop:p");
        assert_eq!(of_url(&[("username", "git")], named), "git:s/1");
        assert_eq!(of_url(&[], named), "me@shop:s/1");
        assert_eq!(of_url(&[("password", "p")], "https://me@example.com/x"), "me:p");
        let tls = Tls::from_git_secret(&secret(&[
            ("caFile", "old"),
            ("ca.crt", "new"),
            ("tls.crt", "half"),
        ]));
        assert_eq!((tls.ca, tls.identity), (Some(b"new".to_vec()), None));
        let long = format!("http://{}", "a".repeat(2048));
        for (keys, expected) in [
            (vec![], "secret 'a/b': key 'address' not found"),
            (vec![("address", "")], "secret 'a/b': proxy address is empty"),
            (
                vec![("address", "ftp://x")],
                "secret 'a/b': proxy URL must use one of the supported schemes (http, https, socks5), got 'ftp'",
            ),
            (
                vec![("address", "proxy:3128")],
                "secret 'a/b': proxy URL must use one of the supported schemes (http, https, socks5), got 'proxy'",
            ),
            (
                vec![("address", "10.0.0.1:3128")],
                "secret 'a/b': proxy URL must use one of the supported schemes (http, https, socks5), got ''",
            ),
            (
                vec![("address", long.as_str())],
                "secret 'a/b': proxy URL exceeds maximum length of 2048 characters",
            ),
        ] {
            let error = Proxy::from_secret(&secret(&keys), "a/b").unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let debug = format!("{:?}", Credentials::Bearer(Redacted::new("token".to_owned())));
        assert!(!debug.contains("token"), "{debug}");
    }
}
