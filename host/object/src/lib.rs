//! The Kubernetes object model: what one object is, how it is named, in what order many are applied.
//!
//! Start at [`Object`]; many of them in order are [`Manifests`]. In what order they are applied: [`Stage`], [`apply_order`].
//! How the inventory names them: [`inventory`]. Fields by JSON pointer: [`pointer`]. Labels: [`label`], [`LabelSelector`].
//!
//! **Invariant:** this room does no IO, reads no clock and no environment.
//! **Invariant:** an [`Object`] is a JSON object with `kind`.
#![forbid(unsafe_code)]

mod id;
mod manifests;
mod object;

pub mod inventory;
mod order;
pub mod pointer;
mod value;

pub mod label;
mod selector;

pub use id::{GroupKind, GroupVersionKind, InvalidGroupKind, ObjectId};
pub use manifests::{Manifests, flatten};
pub use object::{InvalidObject, Object, Origin};
pub use order::{Stage, apply_order, sort_for_apply};
pub use selector::{InvalidSelector, LabelSelector};
pub use value::{canonical_json, digest, merge, to_yaml};
