//! Helm as a pure function: a chart, values and a release in, manifests out.
//!
//! ```text
//! chart ──▶ values ──▶ template (text/template) ──▶ manifest: what is installed, hooks, notes
//!   │         │ strvals   `--set` and its relatives
//!   │         └ schema    values.schema.json
//!   └ dependencies: conditions, tags, aliases, import-values
//!                       │ value      what templates compute with: Go's types as far as templates can see them
//!                       │ functions  what templates call; each is a Rust function with Go's signature
//!                       └ format     how values are printed: Go's fmt
//! ```
//!
//! **Invariant:** equal inputs give equal results; clock, randomness and the cluster come in through [`functions::Environment`].
//! **Invariant:** every error says the original's words first.

mod error;
mod failure;
mod go;

pub mod chart;
pub mod engine;
pub mod format;
pub mod functions;
pub mod guest;
pub mod manifest;
pub mod objects;
pub mod release;
mod render;
pub mod strvals;
pub mod template;
pub mod value;
pub mod values;
mod warnings;

pub use error::Error;
pub use failure::{Failure, Place};
pub use render::{Rendered, Request, Wanted, render};
pub use value::{CollectionType, List, Map, Str, Value};
pub use warnings::Warnings;
