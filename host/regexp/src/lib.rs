//! Regular expressions as Go reads them: RE2's syntax and messages in front of the `regex` crate.
//!
//! ```text
//! r"^\Qa.b\E\d$" ──translate──▶ r"^a\x{2E}b[0-9]$" ──compile──▶ Regex
//! ```
//!
//! Start at [`translate()`]. The rules and the error texts are those of Go's `regexp/syntax`.
//!
//! **Invariant:** a pattern matches what it matches in Go, and is refused where Go refuses it, in Go's words. What is very large
//! or very deep is refused earlier.
//! **Invariant:** time is linear in pattern and text.
//! **Invariant:** no input and no clock: it runs in a WebAssembly guest as it runs here.
#![forbid(unsafe_code)]

mod class;
mod error;
mod translate;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use translate::{Translated, translate};
