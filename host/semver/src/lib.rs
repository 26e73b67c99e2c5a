//! Versions and version ranges as Flux and Helm understand them: the rules of Masterminds/semver 3.
//!
//! ```text
//! "v1.2" ──Version::parse──▶ Version ─┐
//! ">=1.2 <2 || ^3" ──Range::parse──▶ Range ──contains──▶ yes or no
//! ```
//!
//! Start at [`Range::parse()`]. `compat/source.md` section 15 has the rules; the error texts are those of the original.
//!
//! **Invariant:** a range admits the versions that Masterminds/semver 3.5 admits, and is refused where that refuses it.
//! **Invariant:** no input and no clock: it runs in a WebAssembly guest as it runs here.
#![forbid(unsafe_code)]

mod error;
mod range;
mod scan;
mod version;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use range::Range;
pub use version::Version;
