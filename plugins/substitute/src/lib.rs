//! Flux's `postBuild` substitution: `${variable}` expressions in rendered objects become values.
//!
//! ```text
//! object ──▶ YAML text ──▶ expressions replaced ──▶ YAML read again ──▶ object
//!            emit, v2       sluice-envsubst           v2 rules
//! ```
//!
//! The engine is a plain library, without WebAssembly and without the SDK: start at [`Substitution`]. [`guest`] makes a
//! transformer of it.
//!
//! Going through text is what makes the rules of `compat/kustomize.md` 5.6 come out: types are decided anew
//! (`replicas: ${n}` becomes a number), quotes and comments do not survive, and a value may even bring structure.
//!
//! **Invariant:** equal objects and variables give equal results; nothing else is looked at.
//! **Invariant:** no input loops: expressions are read once from left to right, and their result is bounded.

pub mod guest;
mod substitution;

pub use sluice_envsubst::{Undefined, Variables, expand};
pub use substitution::{Error, InvalidName, Substitution};
