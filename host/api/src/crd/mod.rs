//! `crdgen`: the CustomResourceDefinitions, made from the types.
//!
//! [`files()`] is what `cargo xtask codegen` writes to `deploy/base/crds`.

mod definition;
mod files;
mod older;
mod structural;

pub use definition::{all, definition};
pub use files::files;

#[cfg(test)]
mod tests;
