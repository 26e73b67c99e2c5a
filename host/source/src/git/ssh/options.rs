//! What `--ssh-kex-algos` and `--ssh-hostkey-algos` say.

use std::borrow::Cow;

use russh::{
    Preferred, kex,
    keys::{Algorithm, HashAlg},
};

/// Which algorithms are offered to SSH servers; those of OpenSSH without SHA-1 where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct SshAlgorithms {
    kex: Vec<kex::Name>,
    host_keys: Vec<Algorithm>,
}

/// A name that is no algorithm, or one that is not safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: '{name}' is not supported (known: {known})")]
pub struct InvalidAlgorithm {
    flag: &'static str,
    name: String,
    known: String,
}

/// In the order of preference.
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_GEX_SHA256,
    kex::DH_G14_SHA256,
];

/// Not algorithms, but said in the same place: we understand extensions, and are strict (CVE-2023-48795).
const EXTENSIONS: &[kex::Name] = &[
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

impl SshAlgorithms {
    /// Reads the values of the two flags; an empty list leaves the default.
    ///
    /// # Errors
    /// A name that is not known, or not safe.
    pub fn new(kex: &[String], host_keys: &[String]) -> Result<SshAlgorithms, InvalidAlgorithm> {
        let kex = kex.iter().map(|name| {
            let found = KEX.iter().find(|known| known.as_ref() == name);
            found.copied().ok_or_else(|| {
                let known: Vec<&str> = KEX.iter().map(AsRef::as_ref).collect();
                invalid("--ssh-kex-algos", name, &known)
            })
        });
        let known = known_host_keys();
        let host_keys = host_keys.iter().map(|name| {
            let found = known.iter().find(|known| known.to_string() == *name);
            found.cloned().ok_or_else(|| {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                invalid("--ssh-hostkey-algos", name, &known)
            })
        });
        Ok(SshAlgorithms {
            kex: kex.collect::<Result<_, _>>()?,
            host_keys: host_keys.collect::<Result<_, _>>()?,
        })
    }

    /// What is offered to a server whose known keys are of these algorithms.
    pub(super) fn preferred(&self, known: Option<Vec<Algorithm>>, has_authority: bool) -> Preferred {
        let kex: &[kex::Name] = if self.kex.is_empty() { KEX } else { &self.kex };
        let keys = match (self.host_keys.is_empty(), known) {
            (false, _) => self.host_keys.clone(),
            (true, Some(known)) => known,
            (true, None) => known_host_keys(),
        };
        let certificates = if has_authority {
            known_host_keys()
        } else {
            Vec::new()
        };
        Preferred {
            kex: Cow::Owned([kex, EXTENSIONS].concat()),
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Owned(certificates),
            ..Preferred::DEFAULT
        }
    }
}

fn known_host_keys() -> Vec<Algorithm> {
    let default = Preferred::DEFAULT.key;
    let safe = default
        .iter()
        .filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None });
    safe.cloned().collect()
}

fn invalid(flag: &'static str, name: &str, known: &[&str]) -> InvalidAlgorithm {
    InvalidAlgorithm {
        flag,
        name: name.escape_debug().to_string(),
        known: known.join(", "),
    }
}

/// The digest by which an RSA key of ours signs: the best that the server takes, SHA-1 never.
pub(super) fn rsa_digest(accepted: Option<Option<HashAlg>>) -> Result<HashAlg, String> {
    match accepted {
        Some(Some(digest)) => Ok(digest),
        // it does not say; what every server of this decade takes
        None => Ok(HashAlg::Sha512),
        Some(None) => {
            Err("the server takes RSA signatures with SHA-1 only; use an ed25519 or ECDSA key".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_openssh_and_unsafe_ones_are_refused() {
        let text = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let read = SshAlgorithms::new(
            &text(&["curve25519-sha256", "diffie-hellman-group14-sha256"]),
            &text(&["ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256"]),
        );
        let preferred = read.unwrap().preferred(Some(vec![Algorithm::Ed25519]), false);
        let names: Vec<&str> = preferred.kex.iter().map(AsRef::as_ref).collect();
        assert_eq!(
            names,
            [
                "curve25519-sha256",
                "diffie-hellman-group14-sha256",
                "ext-info-c",
                "kex-strict-c-v00@openssh.com"
            ]
        );
        assert_eq!(preferred.key.len(), 3);
        for (kex, keys) in [
            ("none", ""),
            ("diffie-hellman-group1-sha1", ""),
            ("kex-strict-c-v00@openssh.com", ""),
            ("", "ssh-rsa"),
            ("", "ssh-dss"),
        ] {
            let list = |name: &str| {
                text(if name.is_empty() {
                    &[]
                } else {
                    std::slice::from_ref(&name)
                })
            };
            let error = SshAlgorithms::new(&list(kex), &list(keys))
                .unwrap_err()
                .to_string();
            assert!(error.contains("is not supported (known: "), "{error}");
        }
    }
}
