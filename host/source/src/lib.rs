//! Fetching: what a source's spec asks for becomes a revision, a tree and an artifact. Git over HTTP and SSH, registries, charts and
//! their indexes, buckets.
//!
//! ```text
//! GitRequest ──list refs──▶ revision ──(unchanged: done)──▶ pack ──▶ object store ──▶ GitTree ──ignore──▶ Artifact
//!                                                                                     └──▶ verify::GitKeys
//! ```
//!
//! Start at [`GitFetcher::fetch`]; then [`archive::store`] puts what was fetched into the artifact store.
//!
//! **Invariant:** no program is ever started, and nothing is checked out: trees are read from the object store.
//! **Invariant:** credentials go to the origin they were given for; a redirect elsewhere carries none.
//! **Invariant:** a fetch that fails leaves what was fetched before as it was.
//! **Invariant:** every byte, second and object that a server may cost has a named limit.
#![forbid(unsafe_code)]

pub mod credential;
pub mod http;
mod reference;

pub mod bucket;
pub mod fetch;
mod git;
pub mod helm;
pub mod oci;
pub mod verify;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;

pub mod archive;
mod folder;
mod go_json;
pub mod ignore;
mod sparse;
mod spool;

pub use bucket::BucketFetcher;
pub use credential::{
    CredentialSource, Credentials, CredentialsError, DockerConfig, Keychain, Proxy, SecretData, SshIdentity,
    Tls,
};
pub use fetch::{Fetched, GitFetcher, GitRequest, Limits, Mirror, Outcome, Served};
pub use git::ssh::{InvalidAlgorithm, SshAlgorithms, SshKeyKind, SshKeyPair, scan_host_key};
pub use git::tree::{Error as TreeReadError, GitTree, TreeLimits};
pub use helm::HelmFetcher;
pub use http::{Addresses, Transport};
pub use oci::OciFetcher;
pub use reference::Reference;
pub use sparse::Sparse;

/// What our own disk says, and what can be done about it.
pub(crate) fn disk_refusal(error: &std::io::Error) -> String {
    format!("{error}{}", sluice_artifact::store::remedy(error))
}
