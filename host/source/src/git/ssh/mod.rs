//! Git over SSH, without any program: one connection, one command, its pipes (compat/source.md 5.3; N1, N23).
//!
//! ```text
//! addresses that may be asked, a proxy ─▶ host key is known ─▶ our key ─▶ git-upload-pack '/path' ─▶ gix speaks the protocol
//! ```

mod client;
mod dial;
mod identity;
mod keys;
mod known_hosts;
mod options;
mod pipe;

use std::sync::Arc;

use reqwest::Url;

pub use keys::{SshKeyKind, SshKeyPair, scan_host_key};
pub use options::{InvalidAlgorithm, SshAlgorithms};

use super::conversation::Conversation;
use crate::{Proxy, SshIdentity, http::Addresses};
pub(crate) use known_hosts::Stranger;

/// Longest path of a repository, in bytes.
const PATH_SIZE_MAX: usize = 4096;

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SshPlace {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    /// As the command gets it.
    pub(crate) path: String,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The Secret cannot be used; why, without its content.
    Identity(String),
    /// The server is not known to be the one.
    Stranger(Stranger),
    /// The server does not accept our key, a public one.
    Unauthenticated { user: String, key: String },
    /// There is no common algorithm.
    NoCommonAlgorithm(String),
    /// The server does not let us run the command.
    Refused(String),
    /// The time is over.
    TimedOut,
    /// No connection, or one that broke.
    Transport(String),
}

/// The two ends of a conversation.
pub(crate) type Pipes = (pipe::Reader, pipe::Writer);

impl SshPlace {
    /// What an `ssh://` URL names.
    pub(crate) fn of(url: &Url) -> Result<SshPlace, String> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_host =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
        if host.is_empty() || host.starts_with('-') || !host.chars().all(is_host) {
            return Err("it has no host, or one with characters that no host has".to_owned());
        }
        let user = percent_decode(url.username());
        let path = percent_decode(url.path());
        // as git: what begins with a home directory is not absolute
        let path = match path.strip_prefix('/') {
            Some(rest) if rest.starts_with('~') => rest.to_owned(),
            _ => path,
        };
        if path.trim_matches('/').is_empty() || path.len() > PATH_SIZE_MAX || path.starts_with('-') {
            return Err("it names no repository".to_owned());
        }
        if path.chars().chain(user.chars()).any(char::is_control) {
            return Err("it holds control characters".to_owned());
        }
        Ok(SshPlace {
            host: host.to_owned(),
            port: url.port().unwrap_or(22),
            user: if user.is_empty() { "git".to_owned() } else { user },
            path,
        })
    }

    /// The command, quoted for a shell that nobody should start.
    fn command(&self) -> String {
        format!(
            "git-upload-pack '{}'",
            self.path.replace('\'', "'\\''").replace('!', "'\\!'")
        )
    }
}

/// Connects and starts the command. Blocks; must be called on a thread of a runtime that may.
pub(crate) fn connect(
    place: &SshPlace,
    identity: &SshIdentity,
    algorithms: &SshAlgorithms,
    proxy: Option<&Proxy>,
    addresses: &Addresses,
    conversation: &Arc<Conversation>,
) -> Result<Pipes, Error> {
    let runtime = tokio::runtime::Handle::current();
    let opening = client::open(place, identity, algorithms, proxy, addresses);
    let left = conversation.left();
    let opened = runtime.block_on(async move { tokio::time::timeout(left, opening).await });
    let session = opened.map_err(|_| Error::TimedOut)??;
    Ok(pipe::pipes(runtime, session, Arc::clone(conversation)))
}

/// Undoes percent-encoding; what is no valid escape stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escaped.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ssh_url_is_a_place_and_a_command() {
        let row = |url: &str| {
            let place = SshPlace::of(&Url::parse(url).unwrap())?;
            Ok(format!(
                "{}@{} {} {}",
                place.user,
                place.host,
                place.port,
                place.command()
            ))
        };
        for (url, expected) in [
            (
                "ssh://host/org/repo.git",
                "git@host 22 git-upload-pack '/org/repo.git'",
            ),
            ("ssh://me@host:2222/a b", "me@host 2222 git-upload-pack '/a b'"),
            ("ssh://host/a%20b%27c", "git@host 22 git-upload-pack '/a b'\\''c'"),
            ("ssh://host/~me/repo", "git@host 22 git-upload-pack '~me/repo'"),
            ("ssh://host/a!b", "git@host 22 git-upload-pack '/a'\\!'b'"),
            (
                "ssh://[2001:db8::1]:22/r",
                "git@2001:db8::1 22 git-upload-pack '/r'",
            ),
            (
                "ssh://host/$(touch%20x);`y`",
                "git@host 22 git-upload-pack '/$(touch x);`y`'",
            ),
        ] {
            assert_eq!(row(url), Ok::<_, String>(expected.to_owned()), "{url}");
        }
        for url in [
            "ssh://-oProxyCommand=touch/x",
            "ssh://host",
            "ssh://host/",
            "ssh://host/a%0ab",
            "ssh://a%00b@host/r",
            "ssh://ho%2fst/r",
            "ssh://host/~%0a",
        ] {
            assert!(row(url).is_err(), "{url}: {:?}", row(url));
        }
    }
}
