//! The Kubernetes object model: what one object is, how it is named, in what order many are applied.
//!
//! Start at [`Object`]; many of them in order are [`Manifests`].
//!
//! **Invariant:** this room does no IO, reads no clock and no environment.
//! **Invariant:** an [`Object`] is a JSON object with `apiVersion`, `kind` and `metadata.name` or `metadata.generateName`.
#![forbid(unsafe_code)]

mod id;
mod manifests;
mod object;

pub use id::{GroupKind, GroupVersionKind, ObjectId};
pub use manifests::Manifests;
pub use object::{InvalidObject, Object, Origin};
