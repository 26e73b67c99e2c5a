//! Signatures of commits and tags (compat/source.md 5.6; N29, N34).
//!
//! ```text
//! commit or tag ─▶ payload, signature ─▶ PGP or SSH, by the signature's first line ─▶ the keys of the Secret
//! ```

use sluice_api::{Blame, Disposition, Next, Reason, reason, source::GitVerificationMode};

use super::{openpgp, sshsig};
use crate::{Fetched, SecretData, git::signed::Signed};

/// What a name ends in that holds SSH keys; all others hold PGP keys, as in Flux.
const SSH_KEYS: &str = ".sshpub";
/// Longest signature that is looked at, in bytes: one of RSA with 16384 bits in armor takes four thousand.
const SIGNATURE_SIZE_MAX: usize = 64 << 10;

/// Whose signatures count: the public keys of a Secret.
#[derive(Clone, Debug, Default)]
pub struct GitKeys {
    pgp: Vec<KeyFile>,
    ssh: Vec<KeyFile>,
}

/// One entry of the Secret.
#[derive(Clone, Debug)]
pub(super) struct KeyFile {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

/// Why a commit or a tag is not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// A tag is to be verified, and none was asked for.
    #[error(
        "cannot verify tag object's signature if a tag reference is not specified (name a tag in spec.ref, or set spec.verify.mode to HEAD)"
    )]
    NoTag,
    /// The tag has no signature, or is none that could have one.
    #[error("cannot verify signature of tag '{0}' since it is not signed (sign it: git tag -s)")]
    UnsignedTag(String),
    /// The tag's signature is not good.
    #[error("signature verification of tag '{tag}' failed: {cause}")]
    BadTag {
        /// `v1@` and the hash of the tag.
        tag: String,
        /// Flux's words and the cause.
        cause: String,
    },
    /// The commit's signature is not good.
    #[error("signature verification of commit '{commit}' failed: {cause}")]
    BadCommit {
        /// The commit in hex.
        commit: String,
        /// Flux's words and the cause.
        cause: String,
    },
}

impl Disposition for GitError {
    fn reason(&self) -> Reason {
        match self {
            GitError::NoTag => reason::INVALID_VERIFICATION_MODE,
            GitError::UnsignedTag(_) => reason::INVALID_GIT_OBJECT,
            GitError::BadTag { .. } => reason::INVALID_TAG_SIGNATURE,
            GitError::BadCommit { .. } => reason::INVALID_COMMIT_SIGNATURE,
        }
    }

    fn next(&self) -> Next {
        match self {
            GitError::NoTag => Next::Stall,
            // the tag, the commit or the Secret may change
            GitError::UnsignedTag(_) | GitError::BadTag { .. } | GitError::BadCommit { .. } => Next::Retry,
        }
    }

    fn blame(&self) -> Blame {
        Blame::User
    }
}

impl GitKeys {
    /// Takes the keys of a Secret as they are; what cannot be read is told when it is needed.
    pub fn from_secret(data: &SecretData) -> GitKeys {
        let mut keys = GitKeys::default();
        for (name, content) in data {
            let list = match name.ends_with(SSH_KEYS) {
                true => &mut keys.ssh,
                false => &mut keys.pgp,
            };
            list.push(KeyFile {
                name: name.clone(),
                content: content.clone(),
            });
        }
        keys
    }

    /// Verifies what `mode` asks for of a fetched commit. Blocks for the time of a few signatures.
    ///
    /// # Errors
    /// Whatever is missing, odd, expired or too much.
    ///
    /// # Returns
    /// What was verified by which key, as Flux says it.
    pub fn verify(
        &self,
        fetched: &Fetched,
        mode: GitVerificationMode,
        now: jiff::Timestamp,
    ) -> Result<String, GitError> {
        let now = u32::try_from(now.as_second()).unwrap_or(u32::MAX);
        let (of_tag, of_commit) = match mode {
            GitVerificationMode::LegacyHead | GitVerificationMode::Head => (false, true),
            GitVerificationMode::Tag => (true, false),
            GitVerificationMode::TagAndHead => (true, true),
        };
        let mut message = "verified signature of".to_owned();
        if of_tag {
            let (tag, key) = self.verify_tag(fetched, now)?;
            message.push_str(&format!("\n\t- tag '{tag}' with key '{key}'"));
        }
        if of_commit {
            let commit = fetched.commit().to_owned();
            let signed = fetched.signed_commit().map_err(|error| error.to_string());
            let key = signed.and_then(|signed| self.check(&signed, "commit", now));
            let key = key.map_err(|cause| GitError::BadCommit {
                commit: commit.clone(),
                cause,
            })?;
            message.push_str(&format!("\n\t- commit '{commit}' with key '{key}'"));
        }
        Ok(message)
    }

    fn verify_tag(&self, fetched: &Fetched, now: u32) -> Result<(String, String), GitError> {
        let tag = fetched.tag().ok_or(GitError::NoTag)?;
        let Some(id) = tag.id else {
            return Err(GitError::UnsignedTag(tag.name.clone()));
        };
        let shown = format!("{}@{id}", tag.name);
        let bad = |cause: String| GitError::BadTag {
            tag: shown.clone(),
            cause,
        };
        let signed = fetched.signed_tag(id).map_err(|error| bad(error.to_string()))?;
        if signed.signature.is_none() {
            return Err(GitError::UnsignedTag(shown));
        }
        // a good old tag under a new name is no good tag of that name
        if let Some(name) = signed.name.as_ref().filter(|name| **name != tag.name) {
            let name = name.escape_debug();
            return Err(bad(format!(
                "it was signed as tag '{name}' and is offered under another name (push the tag that was signed)"
            )));
        }
        let key = self.check(&signed, "tag", now).map_err(bad)?;
        Ok((shown, key))
    }

    /// The key that signed an object.
    fn check(&self, signed: &Signed, what: &str, now: u32) -> Result<String, String> {
        let signature = signed.signature.as_deref().unwrap_or_default().trim_ascii();
        if signature.len() > SIGNATURE_SIZE_MAX {
            return Err(format!(
                "the signature exceeds the limit of {SIGNATURE_SIZE_MAX} bytes (signature_size_max)"
            ));
        }
        let payload = &signed.payload;
        match Kind::of(signature) {
            Kind::Pgp if self.pgp.is_empty() => Err(
                "PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)"
                    .to_owned(),
            ),
            Kind::Pgp => openpgp::verify(signature, payload, &self.pgp, now)
                .map_err(|error| format!("unable to verify Git {what}: {error}")),
            Kind::Ssh if self.ssh.is_empty() => Err(
                "SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)"
                    .to_owned(),
            ),
            Kind::Ssh => sshsig::verify(signature, payload, &self.ssh)
                .map_err(|error| format!("unable to verify Git {what} SSH signature: {error}")),
            Kind::X509 => Err("unsupported signature type: x509 (sign with OpenPGP or SSH)".to_owned()),
            Kind::Empty => Err(format!(
                "unsupported signature type: empty (sign the {what}: it has no signature)"
            )),
            Kind::Unknown => Err("unsupported signature type: unknown (sign with OpenPGP or SSH)".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pgp,
    Ssh,
    X509,
    Empty,
    Unknown,
}

impl Kind {
    fn of(signature: &[u8]) -> Kind {
        let begins = |text: &str| signature.starts_with(text.as_bytes());
        if signature.is_empty() {
            Kind::Empty
        } else if begins("-----BEGIN PGP SIGNATURE-----") {
            Kind::Pgp
        } else if begins("-----BEGIN SSH SIGNATURE-----") {
            Kind::Ssh
        } else if begins("-----BEGIN SIGNED MESSAGE-----") {
            Kind::X509
        } else {
            Kind::Unknown
        }
    }
}
