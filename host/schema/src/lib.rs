//! Compiled tables of the built-in Kubernetes kinds.
//!
//! [`current`] is the API of a recent server (scope, verbs, list-map keys, defaults); [`Node`] is the schema of one value,
//! read from OpenAPI v3 documents and from CustomResourceDefinitions alike ([`openapi`]).
//!
//! **Invariant:** this room does no IO, reads no clock and no environment; tables are generated and embedded.
//! **Invariant:** a node has no unresolved reference and is at most [`openapi::MAX_DEPTH`] levels deep.
#![forbid(unsafe_code)]

pub mod current;
pub mod kustomize;
mod node;
pub mod normalize;
pub mod openapi;

pub use node::{Constraints, ListType, MapType, Node, PatchStrategy, Rule, Type};
