//! The custom resources as types, and the words all rooms share: labels, reasons, conditions, durations.
//!
//! One folder per API group ([`kustomize`], [`source`]); start at [`Kustomization`] and [`GitRepository`].
//! What a kind's CRD looks like is [`crd::all()`]; how conditions are changed is [`conditions`].
//!
//! **Invariant:** this room does no IO and reads no clock: every function that needs the time is given it.
//! **Invariant:** every CRD accepts what Flux's CRD of that kind accepts; the schemas are equal but for descriptions and
//! what older versions had.
//! **Invariant:** decoding refuses one object, never a list: decode item by item ([`decode`]).
#![forbid(unsafe_code)]

pub mod meta;
pub mod reason;

mod absent;
mod address;
mod disposition;
mod duration;
mod time;

mod condition;
pub mod conditions;
pub mod history;
mod reference;

mod kind;
pub mod kustomize;
pub mod source;

pub mod crd;

pub use address::{canonical as canonical_address, is_node_address, is_node_service, none_of_the_node};
pub use condition::{Condition, ConditionStatus};
pub use disposition::{Blame, Disposition, Next};
pub use duration::{Duration, InvalidDuration};
pub use history::Snapshot;
pub use kind::{CustomResource, decode};
pub use kustomize::{Kustomization, KustomizationSpec, KustomizationStatus};
pub use reason::Reason;
pub use reference::{
    LocalObjectReference, NamespacedObjectKindReference, NamespacedObjectReference, SecretKeyReference,
};
pub use source::{
    Artifact, Bucket, ExternalArtifact, GitRepository, GitRepositorySpec, GitRepositoryStatus, HelmChart,
    HelmRepository, OciRepository,
};
pub use time::Time;
