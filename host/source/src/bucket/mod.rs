//! Buckets of object stores (compat/source.md 9): lists and objects of stores that speak S3, Google's among them, and of
//! Microsoft's.
//!
//! ```text
//! BucketRequest ─▶ Bucket ─index─▶ Index (key → etag) ─revision─▶ known? done
//!                                    └──download──▶ Downloaded ─store─▶ Artifact
//! ```
//!
//! **Invariant:** every request goes through [`crate::http`]: its addresses, its deadlines; redirects are not followed.
//! **Invariant:** a key that is no path of a file below the root is refused, and nothing is stored.

mod azure;
mod client;
mod download;
mod error;
mod identity;
mod index;
mod remote;
mod xml;

pub use crate::credential::ServiceAccount;
pub use azure::{AzureClient, AzureIdentity, AzureProof};
pub use client::{Access, Bucket, BucketFetcher, BucketLimits, BucketRequest};
pub use download::Downloaded;
pub use error::{Error, StoreError};
pub use identity::{GcpIdentity, S3Identity, Sts};
pub use index::Index;
