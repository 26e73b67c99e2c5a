//! `crdgen`: the CustomResourceDefinitions, made from the types.
//!
//! [`all()`] is what `cargo xtask codegen` writes to `deploy/base/crds`.

mod definition;
mod older;
mod structural;

pub use definition::{all, definition};

#[cfg(test)]
mod tests;
