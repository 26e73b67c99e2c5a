//! Text with `${variable}` expressions, as Flux's engine reads and expands them.
//!
//! ```text
//! "${v:=none}" ──expression::parse──▶ parts ──┐
//! variables ──────────────────────────────expand──▶ text
//! ```
//!
//! Start at [`expand()`]. `compat/kustomize.md` 5.6.1 has the rules; the error texts are those of the original.
//!
//! **Invariant:** equal templates and variables give equal results; nothing else is looked at.
//! **Invariant:** no input loops: expressions are read once from left to right, and their result is bounded.
//! **Invariant:** no IO and no clock: it runs in a WebAssembly guest as it runs here.
#![forbid(unsafe_code)]

pub mod expand;
pub mod expression;
pub mod glob;

pub use expand::{Error, Undefined, Variables, expand};
