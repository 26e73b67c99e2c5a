//! Artifacts of OCI registries: which one, what is in it, is it signed, and putting one there (compat/source.md 6).
//!
//! ```text
//! OciRequest ─▶ Repository ─resolve─▶ Resolved ─pull─▶ Pulled ─store─▶ Artifact
//!                   └──── verify (signatures are looked up in the same repository)
//! ```
//!
//! **Invariant:** nothing is used whose bytes do not have the digest they were asked for by.

mod blob;
mod challenge;
mod digest;
mod error;
mod layer;
pub(crate) mod manifest;
mod name;
mod pull;
mod push;
mod referrers;
mod registry;
mod repository;
mod resolve;
mod session;
mod tags;

pub use digest::{Algorithm, ContentDigest, InvalidContentDigest};
pub use error::{Cause, Error};
pub use layer::{Layer, LayerOperation, Pulled, StoreError};
pub use manifest::{Descriptor, Manifest, media_type};
pub use name::{InvalidName, RepositoryName, Suffix};
pub use push::Push;
pub use registry::{Insecure, OciFetcher, OciLimits, OciRequest};
pub use repository::Repository;
pub(crate) use resolve::compile_within;
pub use resolve::{OciReference, Resolved, compile as compile_filter};
