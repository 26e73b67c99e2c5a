//! Who vouches for an artifact (compat/source.md 6.6), and for a commit ([`GitKeys`]).
//!
//! ```text
//! registry ─signatures─▶ Candidate { payload, signature, key or certificate, log entries, timestamps }
//!   keyed:   payload names the digest ∧ a given key signed it
//!   keyless: … ∧ certificate chains to the trusted root at signing time ∧ was logged (SCT) ∧ identity matches
//!              ∧ the log vouches for exactly this signature (SET, inclusion proof)
//!   signing time: what the log signed, and what authorities for timestamps did (RFC 3161); all of them count
//! ```
//!
//! **Invariant:** whatever is missing, odd, expired or too much is an error; nothing is ever taken for verified by default.

mod bundle;
mod certificate;
mod cosign;
mod ecdsa;
mod git;
mod key;
mod notation;
mod openpgp;
mod policy;
mod revocation;
mod sshsig;
mod timestamp;
mod transparency;
mod trusted_root;
mod version;
mod x509;

pub use cosign::{Cosign, Identity};
pub use git::{GitError, GitKeys};
pub use key::PublicKey;
pub use notation::{Notation, Verdict};
pub use trusted_root::TrustedRoot;
pub(crate) use version::check_version;

use crate::oci::Cause;

/// Why an artifact is not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The registry could not be asked.
    #[error("{0}")]
    Registry(#[from] Cause),
    /// What is needed to verify cannot be used.
    #[error("{0}")]
    Material(String),
    /// There is no signature, or none that is good.
    #[error("{0}")]
    NotVerified(String),
}

/// Whether a trust policy of Notation can be used.
///
/// # Errors
/// Where it cannot, in the words of Notation.
pub fn check_trust_policy(json: &[u8]) -> Result<(), Error> {
    policy::Policy::parse(json).map(|_| ())
}
