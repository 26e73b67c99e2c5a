//! Helm as a pure function: a chart, values and a release in, manifests out.
//!
//! ```text
//! chart ──▶ values ──▶ template (text/template) ──▶ manifests, hooks, notes
//!                       │ value      what templates compute with: Go's types as far as templates can see them
//!                       │ functions  what templates call; each is a Rust function with Go's signature
//!                       └ format     how values are printed: Go's fmt
//! ```
//!
//! **Invariant:** equal inputs give equal results; clock, randomness and the cluster come in through [`functions::Environment`].
//! **Invariant:** every error says the original's words first.

mod error;

pub mod engine;
pub mod format;
pub mod functions;
pub mod objects;
pub mod template;
pub mod value;

pub use error::Error;
pub use value::{List, Map, Str, Value};
