//! Who we are to a server: what Secrets hold, what registries' configs hold, what clouds give to workloads.
//!
//! Everything that asks a server takes a [`CredentialSource`], and learns from it only when the server wants to know.

mod cache;
pub mod cloud;
mod docker_config;
mod github_app;
pub(crate) mod jwt;
mod secret;
mod service_account;
mod ssh;

pub use cache::{TokenCache, TokenUser};
pub use docker_config::{DockerConfig, Keychain};
pub use github_app::{GitHubApp, GitHubRefusal, GitHubTokens};
pub use secret::{Credentials, CredentialsError, Proxy, SecretData, Tls};
pub use service_account::ServiceAccount;
pub use ssh::SshIdentity;
pub(crate) use ssh::is_encrypted;

use futures::future::BoxFuture;

/// Why there are no credentials; the text says whom they were asked of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// Somebody who knows the credentials for a server.
pub trait CredentialSource: Send + Sync + std::fmt::Debug {
    /// The credentials for a repository, `host[:port]/path`. Asked only when the server wants to know.
    fn credentials<'a>(&'a self, repository: &'a str) -> BoxFuture<'a, Result<Credentials, Error>>;

    /// Equal for sources that give equal credentials; no secret can be read from it.
    fn identity(&self) -> [u8; 32];
}

impl CredentialSource for Credentials {
    fn credentials<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Credentials, Error>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn identity(&self) -> [u8; 32] {
        self.fingerprint()
    }
}
